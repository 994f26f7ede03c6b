/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uuid: identifiers that are unique in a run and the same in each run with its seed: version 4, random. */
#include <ntifs.h>
#include <fltvm.h>

#define EXP_MULTIPLIER 6364136223846793005ULL
#define EXP_INCREMENT  1442695040888963407ULL

static volatile LONG64 ExpUuidState;

/* The next number of the sequence, mixed: neighbours have nothing in common. */
static ULONG64 ExpNextRandom(VOID)
{
    LONG64 Old, New;
    ULONG64 Mixed;

    do {
        Old = ExpUuidState;
        New = (LONG64)((ULONG64)Old * EXP_MULTIPLIER + EXP_INCREMENT);
    } while (InterlockedCompareExchange64(&ExpUuidState, New, Old) != Old);
    Mixed = (ULONG64)New;
    Mixed = (Mixed ^ Mixed >> 30) * 0xBF58476D1CE4E5B9ULL;
    Mixed = (Mixed ^ Mixed >> 27) * 0x94D049BB133111EBULL;
    return Mixed ^ Mixed >> 31;
}

/* PASSIVE_LEVEL.  STATUS_SUCCESS always; the identifiers are the machine's own, as without a network they are
 * on Windows. */
NTSTATUS NTAPI ExUuidCreate(UUID *Uuid)
{
    ULONG64 Bits[2];
    CHAR Seed[24];

    C_ASSERT(sizeof(Bits) == sizeof(*Uuid));
    PAGED_CODE();
    if (ExpUuidState == 0) {
        FvOption("seed", Seed, sizeof(Seed));
        InterlockedCompareExchange64(&ExpUuidState, (LONG64)(_strtoui64(Seed, NULL, 0) * 2 + 1), 0);
    }
    Bits[0] = ExpNextRandom();
    Bits[1] = ExpNextRandom();
    RtlCopyMemory(Uuid, Bits, sizeof(*Uuid));
    Uuid->Data3 = (Uuid->Data3 & 0x0FFF) | 0x4000;
    Uuid->Data4[0] = (Uuid->Data4[0] & 0x3F) | 0x80;
    return STATUS_SUCCESS;
}
