// SPDX-License-Identifier: GPL-2.0-or-later
/* Large MCBs: runs that join, holes, conflicts; against a plain array, by many random changes. */
#include <ntifs.h>

#include <fltvm.h>

#define BLOCKS 200

static LARGE_MCB Mcb;
static LONGLONG Model[BLOCKS]; /* the LBN of each VBN, -1 for none */

static BOOLEAN Is(LONGLONG Vbn, LONGLONG Lbn, LONGLONG Left, LONGLONG Start, LONGLONG Length, ULONG Run)
{
    LONGLONG ItsLbn, ItsLeft, ItsStart, ItsLength;
    ULONG Index;

    return FsRtlLookupLargeMcbEntry(&Mcb, Vbn, &ItsLbn, &ItsLeft, &ItsStart, &ItsLength, &Index) && ItsLbn == Lbn &&
           ItsLeft == Left && ItsStart == Start && ItsLength == Length && Index == Run;
}

static VOID CheckRuns(VOID)
{
    LONGLONG Vbn, Lbn, Count;
    ULONG Index;

    FsRtlInitializeLargeMcb(&Mcb, PagedPool);
    FvCheck(FsRtlNumberOfRunsInLargeMcb(&Mcb) == 0 && !FsRtlLookupLastLargeMcbEntry(&Mcb, &Vbn, &Lbn));
    FvCheck(!FsRtlLookupLargeMcbEntry(&Mcb, 0, &Lbn, NULL, NULL, NULL, NULL) && Lbn == -1);
    FvCheck(FsRtlAddLargeMcbEntry(&Mcb, 10, 1000, 5));
    FvCheck(FsRtlNumberOfRunsInLargeMcb(&Mcb) == 2 && Is(3, -1, 7, -1, 10, 0) && Is(12, 1002, 3, 1000, 5, 1));
    FvCheck(!FsRtlLookupLargeMcbEntry(&Mcb, 15, NULL, NULL, NULL, NULL, NULL));
    FvCheck(FsRtlAddLargeMcbEntry(&Mcb, 15, 1005, 5) && FsRtlNumberOfRunsInLargeMcb(&Mcb) == 2); /* one run */
    FvCheck(FsRtlAddLargeMcbEntry(&Mcb, 12, 1002, 20) && Is(31, 1021, 1, 1000, 22, 1)); /* the same, and more */
    FvCheck(!FsRtlAddLargeMcbEntry(&Mcb, 31, 5000, 2) && FsRtlNumberOfRunsInLargeMcb(&Mcb) == 2); /* another place */
    FvCheck(FsRtlAddLargeMcbEntry(&Mcb, 0, 500, 10) && FsRtlNumberOfRunsInLargeMcb(&Mcb) == 2);
    FvCheck(FsRtlGetNextLargeMcbEntry(&Mcb, 1, &Vbn, &Lbn, &Count) && Vbn == 10 && Lbn == 1000 && Count == 22);
    FvCheck(!FsRtlGetNextLargeMcbEntry(&Mcb, 2, &Vbn, &Lbn, &Count));
    FvCheck(FsRtlLookupLastLargeMcbEntryAndIndex(&Mcb, &Vbn, &Lbn, &Index) && Vbn == 31 && Lbn == 1021 && Index == 1);
    FsRtlRemoveLargeMcbEntry(&Mcb, 12, 2);
    FvCheck(FsRtlNumberOfRunsInLargeMcb(&Mcb) == 4 && Is(13, -1, 1, -1, 2, 2) && Is(14, 1004, 18, 1004, 18, 3));
    FsRtlRemoveLargeMcbEntry(&Mcb, 14, 1000); /* and no hole is left at the end */
    FvCheck(FsRtlNumberOfRunsInLargeMcb(&Mcb) == 2 && FsRtlLookupLastLargeMcbEntry(&Mcb, &Vbn, &Lbn) && Vbn == 11 &&
            Lbn == 1001);
    FsRtlTruncateLargeMcb(&Mcb, 4);
    FvCheck(FsRtlNumberOfRunsInLargeMcb(&Mcb) == 1 && Is(0, 500, 4, 500, 4, 0));
    FsRtlTruncateLargeMcb(&Mcb, 0);
    FvCheck(FsRtlNumberOfRunsInLargeMcb(&Mcb) == 0);
    FsRtlUninitializeLargeMcb(&Mcb);
}

static BOOLEAN Agrees(VOID)
{
    ULONG Last = BLOCKS;

    while (Last != 0 && Model[Last - 1] == -1)
        Last--;
    for (ULONG Vbn = 0; Vbn < BLOCKS; Vbn++) {
        LONGLONG Lbn = -2;
        BOOLEAN Found = FsRtlLookupLargeMcbEntry(&Mcb, Vbn, &Lbn, NULL, NULL, NULL, NULL);

        if (Found != (Vbn < Last) || Lbn != Model[Vbn])
            return FALSE;
    }
    return TRUE;
}

static VOID CheckAgainstModel(VOID)
{
    ULONG Seed = 12345, Wrong = 0;

    FsRtlInitializeLargeMcb(&Mcb, NonPagedPoolNx);
    for (ULONG Vbn = 0; Vbn < BLOCKS; Vbn++)
        Model[Vbn] = -1;
    for (ULONG Round = 0; Round < 1000; Round++) {
        ULONG Vbn = RtlRandomEx(&Seed) % (BLOCKS - 10), Count = 1 + RtlRandomEx(&Seed) % 10,
              What = RtlRandomEx(&Seed) % 8;
        LONGLONG Lbn = (LONGLONG)(RtlRandomEx(&Seed) % 3) * 1000 + Vbn;
        BOOLEAN Fits = TRUE;

        if (What < 5) {
            for (ULONG Index = 0; Index < Count; Index++)
                Fits &= Model[Vbn + Index] == -1 || Model[Vbn + Index] == Lbn + Index;
            Wrong += FsRtlAddLargeMcbEntry(&Mcb, Vbn, Lbn, Count) != Fits;
            for (ULONG Index = 0; Fits && Index < Count; Index++)
                Model[Vbn + Index] = Lbn + Index;
        } else if (What < 7) {
            FsRtlRemoveLargeMcbEntry(&Mcb, Vbn, Count);
            for (ULONG Index = 0; Index < Count; Index++)
                Model[Vbn + Index] = -1;
        } else if (Vbn > BLOCKS / 2) {
            FsRtlTruncateLargeMcb(&Mcb, Vbn);
            for (ULONG Index = Vbn; Index < BLOCKS; Index++)
                Model[Index] = -1;
        }
        Wrong += !Agrees();
    }
    FvCheck(Wrong == 0);
    FsRtlUninitializeLargeMcb(&Mcb);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(17);
    CheckRuns();
    CheckAgainstModel();
    return STATUS_SUCCESS;
}
