// SPDX-License-Identifier: GPL-2.0-or-later
/* Oplocks: who is granted what beside what, and what each operation breaks. */
#define INITGUID
#include "oplock.h"

static ULONG LevelOf(CHAR Effect)
{
    switch (Effect) {
    case 'R': return Kinds[R].Level;
    case 'H': return Kinds[RH].Level;
    case 'W': return Kinds[RW].Level;
    default: return 0;
    }
}

/* Whether the owner was told what the table says. */
static BOOLEAN IsTold(PREQUEST Held, ULONG Kind, CHAR Effect)
{
    if (!Held->Done || Held->Irp->IoStatus.Status != STATUS_SUCCESS)
        return FALSE;
    if (Kind < R)
        return Held->Irp->IoStatus.Information ==
               (ULONG_PTR)(Effect == '2' ? FILE_OPLOCK_BROKEN_TO_LEVEL_2 : FILE_OPLOCK_BROKEN_TO_NONE);
    return Held->Irp->IoStatus.Information == sizeof(Held->Buffer.Output) &&
           Held->Buffer.Output.StructureVersion == REQUEST_OPLOCK_CURRENT_VERSION &&
           Held->Buffer.Output.StructureLength == sizeof(Held->Buffer.Output) &&
           Held->Buffer.Output.OriginalOplockLevel == Kinds[Kind].Level &&
           Held->Buffer.Output.NewOplockLevel == LevelOf(Effect) &&
           ((Held->Buffer.Output.Flags & REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED) != 0) == (Effect != 'n');
}

static VOID CheckOperation(ULONG Which, ULONG Kind, BOOLEAN Waits)
{
    CHAR Effect = Effects[Which][Kind];
    BOOLEAN Broken = Effect != '.', MustWait = Broken && Effect != 'n' && Effect != 'k', Good;
    PREQUEST Held, Request = Operation(Which, &C);
    NTSTATUS Status, Expected = STATUS_SUCCESS;

    FsRtlInitializeOplock(&Oplock);
    Held = Ask(&A, Kind);
    Posted = Resumed = 0;
    Status = Operate(Which, Request, Waits ? 0 : OPLOCK_FLAG_COMPLETE_IF_OPLOCKED, Waits);
    if (MustWait || (Broken && Effect == 'k' && !Waits))
        Expected = Waits ? STATUS_PENDING : STATUS_OPLOCK_BREAK_IN_PROGRESS;
    Good = Held->Status == STATUS_PENDING && Status == Expected &&
           (Broken ? IsTold(Held, Kind, Effect) : !Held->Done) && Resumed == 0 &&
           Posted == (Waits && MustWait ? 1u : 0u) && FsRtlCurrentOplock(&Oplock) == (Effect != 'n');
    FsRtlUninitializeOplock(&Oplock);
    Good = Good && Held->Done && Resumed == (Waits && MustWait ? 1u : 0u) && Oplock == NULL;
    if (!FvCheck(Good))
        DbgPrint("# operation %u, oplock %u, waits %u: %X\n", Which, Kind, Waits, Status);
    Free(Held);
    Free(Request);
}

static VOID CheckOperations(VOID)
{
    for (ULONG Which = 0; Which < RTL_NUMBER_OF(Effects); Which++)
        for (ULONG Kind = 0; Kind < KINDS; Kind++) {
            CheckOperation(Which, Kind, FALSE);
            CheckOperation(Which, Kind, TRUE);
        }
}

/* Nothing of the same key breaks anything, but for level 2; unless keys are to be ignored. */
static VOID CheckKeys(VOID)
{
    for (ULONG Kind = 0; Kind < KINDS; Kind++) {
        PREQUEST Held, Write = New(IRP_MJ_WRITE, &B), Own = New(IRP_MJ_WRITE, &A), Over;

        FsRtlInitializeOplock(&Oplock);
        Held = Ask(&A, Kind);
        Over = Open(&B, FILE_WRITE_DATA, ALL_SHARES, 0, FILE_OVERWRITE);
        FvCheck(FsRtlCheckOplockEx(&Oplock, Over->Irp, OPLOCK_FLAG_COMPLETE_IF_OPLOCKED, NULL, NULL, NULL) ==
                    STATUS_SUCCESS &&
                !Held->Done);
        FvCheck(FsRtlCheckOplockEx(&Oplock, Write->Irp, OPLOCK_FLAG_COMPLETE_IF_OPLOCKED, NULL, NULL, NULL) ==
                    STATUS_SUCCESS &&
                FsRtlCheckOplock(&Oplock, Own->Irp, NULL, NULL, NULL) == STATUS_SUCCESS && Held->Done == (Kind == L2));
        FsRtlCheckOplockEx(&Oplock, Write->Irp, OPLOCK_FLAG_COMPLETE_IF_OPLOCKED | OPLOCK_FLAG_IGNORE_OPLOCK_KEYS, NULL,
                           NULL, NULL);
        FvCheck(Held->Done);
        FsRtlUninitializeOplock(&Oplock);
        Free(Held), Free(Write), Free(Own), Free(Over);
    }
    FvCheck(FsRtlOplockKeysEqual(&A, &B) && FsRtlOplockKeysEqual(&A, &A) && !FsRtlOplockKeysEqual(&A, &C));
    FvCheck(!FsRtlOplockKeysEqual(NULL, &A) && !FsRtlOplockKeysEqual(&A, NULL) && FsRtlOplockKeysEqual(&C, &C));
}

/* ---- requests --------------------------------------------------------------------------------------------
 */

/* Held (none, then as above) against asked for: x refused, g granted, b the held one ends, s it is switched. */
static const CHAR *const Others[KINDS + 1] = {"gggggggg", "xxxxxxxx", "bgbbgxxx", "xxxxxxxx", "xxxxxxxx",
                                              "xgxxggxx", "xxxxggxx", "xxxxxxxx", "xxxxxxxx"};
static const CHAR *const SameKey[KINDS + 1] = {"gggggggg", "xxxxxxxx", "bgbbgxxx", "xxxxxxxx", "xxxxxxxx",
                                               "xsxxssss", "xxxxxsxs", "xxxxxxss", "xxxxxxxs"};

static VOID CheckGrant(ULONG HeldKind, ULONG Kind, PFILE_OBJECT File, CHAR Outcome)
{
    PREQUEST Held = NULL, Request;
    BOOLEAN Good = TRUE;

    FsRtlInitializeOplock(&Oplock);
    if (HeldKind != NO_KIND)
        Held = Ask(&A, HeldKind);
    Request = Ask(File, Kind);
    if (Outcome == 'x')
        Good = Request->Status == STATUS_OPLOCK_NOT_GRANTED && Request->Done &&
               Request->Irp->IoStatus.Status == STATUS_OPLOCK_NOT_GRANTED && !Held->Done;
    else
        Good = Request->Status == STATUS_PENDING && !Request->Done;
    if (Held != NULL && Outcome == 's')
        Good = Good && Held->Done && Held->Irp->IoStatus.Status == STATUS_OPLOCK_SWITCHED_TO_NEW_HANDLE &&
               Held->Buffer.Output.Flags == 0;
    else if (Held != NULL)
        Good = Good && Held->Done == (Outcome == 'b');
    if (!FvCheck(Good))
        DbgPrint("# held %u, asked %u, expected %c: %X\n", HeldKind, Kind, Outcome, Request->Status);
    FsRtlUninitializeOplock(&Oplock);
    Free(Request);
    if (Held != NULL)
        Free(Held);
}

static VOID CheckGrants(VOID)
{
    for (ULONG Row = 0; Row <= KINDS; Row++)
        for (ULONG Kind = 0; Kind < KINDS; Kind++) {
            CheckGrant(Row == 0 ? NO_KIND : Row - 1, Kind, &C, Others[Row][Kind]);
            CheckGrant(Row == 0 ? NO_KIND : Row - 1, Kind, &B, SameKey[Row][Kind]);
        }
}

static NTSTATUS Refused(ULONG Kind, ULONG OpenCount, ULONG Flags)
{
    PREQUEST Request = AskCounted(&A, Kind, OpenCount, Flags);
    NTSTATUS Status = Request->Status;

    if (Status == STATUS_PENDING)
        IoCancelIrp(Request->Irp);
    FvCheck(Request->Done);
    Free(Request);
    return Status;
}

static NTSTATUS Malformed(USHORT Version, USHORT Length, ULONG Flags, ULONG Level, ULONG InputLength,
                          ULONG OutputLength)
{
    PREQUEST Request = Control(&A, FSCTL_REQUEST_OPLOCK, Flags, Level);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Request->Irp);
    NTSTATUS Status;

    Request->Buffer.Input.StructureVersion = Version;
    Request->Buffer.Input.StructureLength = Length;
    Stack->Parameters.FileSystemControl.InputBufferLength = InputLength;
    Stack->Parameters.FileSystemControl.OutputBufferLength = OutputLength;
    Status = FsRtlOplockFsctrl(&Oplock, Request->Irp, 0);
    FvCheck(Request->Done && Request->Irp->IoStatus.Status == Status);
    Free(Request);
    return Status;
}

static VOID CheckRefusals(VOID)
{
    const USHORT Length = sizeof(REQUEST_OPLOCK_INPUT_BUFFER);
    const ULONG Out = sizeof(REQUEST_OPLOCK_OUTPUT_BUFFER), Ask = REQUEST_OPLOCK_INPUT_FLAG_REQUEST;

    FsRtlInitializeOplock(&Oplock);
    /* Other handles, but of one key; byte-range locks. */
    FvCheck(Refused(L1, 2, 0) == STATUS_OPLOCK_NOT_GRANTED && Refused(BATCH, 2, 0) == STATUS_OPLOCK_NOT_GRANTED &&
            Refused(RWH, 2, 0) == STATUS_OPLOCK_NOT_GRANTED);
    FvCheck(Refused(RWH, 2, OPLOCK_FSCTRL_FLAG_ALL_KEYS_MATCH) == STATUS_PENDING &&
            Refused(L1, 2, OPLOCK_FSCTRL_FLAG_ALL_KEYS_MATCH) == STATUS_OPLOCK_NOT_GRANTED);
    FvCheck(Refused(L2, 1, 0) == STATUS_OPLOCK_NOT_GRANTED && Refused(R, 1, 0) == STATUS_OPLOCK_NOT_GRANTED &&
            Refused(RH, 1, 0) == STATUS_OPLOCK_NOT_GRANTED);
    /* A file that is read and written synchronously would wait for its own break. */
    A.Flags |= FO_SYNCHRONOUS_IO;
    for (ULONG Kind = 0; Kind < KINDS; Kind++)
        FvCheck(Refused(Kind, 0, 0) == STATUS_OPLOCK_NOT_GRANTED);
    A.Flags &= ~FO_SYNCHRONOUS_IO;
    /* No handle of what is to be deleted is cached. */
    A.DeletePending = TRUE;
    FvCheck(Refused(RH, 0, 0) == STATUS_OPLOCK_NOT_GRANTED && Refused(R, 0, 0) == STATUS_PENDING);
    A.DeletePending = FALSE;
    FvCheck(Malformed(2, Length, Ask, 1, Length, Out) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length - 1, Ask, 1, Length, Out) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length, Ask, 1, Length - 1, Out) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length, Ask, 1, Length, Out - 1) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length, 0, 1, Length, Out) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length, 3, 1, Length, Out) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length, Ask, OPLOCK_LEVEL_CACHE_WRITE, Length, Out) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length, Ask, OPLOCK_LEVEL_CACHE_HANDLE, Length, Out) == STATUS_INVALID_PARAMETER &&
            Malformed(1, Length, Ask, 9, Length, Out) == STATUS_INVALID_PARAMETER);
    FvCheck(Malformed(1, Length, Ask, 0, Length, Out) == STATUS_SUCCESS); /* nothing asked for */
    FvCheck(Acknowledge(&A, FSCTL_GET_REPARSE_POINT, 0, NULL) == STATUS_INVALID_PARAMETER);
    FsRtlUninitializeOplock(&Oplock);
}

static VOID CheckShared(VOID)
{
    for (ULONG Kind = 0; Kind < KINDS; Kind++) {
        PREQUEST Request = Control(&A, Kinds[Kind].Code, REQUEST_OPLOCK_INPUT_FLAG_REQUEST, Kinds[Kind].Level);

        FvCheck(FsRtlOplockIsSharedRequest(Request->Irp) == (Kind == L2 || Kind == R || Kind == RH));
        Free(Request);
    }
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(620);
    if (!Prepare(DriverObject))
        return STATUS_UNSUCCESSFUL;
    CheckOperations();
    CheckKeys();
    CheckGrants();
    CheckRefusals();
    CheckShared();
    FvCheck(Wrong == 0);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}
