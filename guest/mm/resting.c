/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks that rest: freed by those who had them, but kept as they are by their owner for a while, so that using them late
 * is found.  In every account they are free; when pool is short they really become so.
 */
#include "mip.h"

#define MI_RESTING_OWNERS 8

static PFV_RESTING MiResting[MI_RESTING_OWNERS];
static ULONG MiRestingOwners;

VOID NTAPI FvRegisterResting(PFV_RESTING Resting)
{
    KeAssert(MiRestingOwners < MI_RESTING_OWNERS);
    MiResting[MiRestingOwners++] = Resting;
}

/* Of one tag, or of all when that is 0: how many, and how many bytes. */
ULONG64 MiCountResting(ULONG Tag, PULONG64 Bytes)
{
    ULONG64 Blocks = 0;

    *Bytes = 0;
    for (ULONG Index = 0; Index < MiRestingOwners; Index++) {
        ULONG Count = *MiResting[Index]->Count;

        if (Tag != 0 && MiResting[Index]->Tag != Tag)
            continue;
        Blocks += Count;
        *Bytes += (ULONG64)Count * MiResting[Index]->Size;
    }
    return Blocks;
}

/* IRQL: <= DISPATCH_LEVEL, no lock of mm's is held.  FALSE: there was none. */
BOOLEAN MiGiveBackResting(VOID)
{
    BOOLEAN Any = FALSE;

    for (ULONG Index = 0; Index < MiRestingOwners; Index++) {
        if (*MiResting[Index]->Count == 0)
            continue;
        MiResting[Index]->GiveBack();
        Any = TRUE;
    }
    return Any;
}
