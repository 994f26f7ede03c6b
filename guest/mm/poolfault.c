// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allocations that fail on purpose: by a rule that names a driver or a tag, and the one with a given number of all that
 * come of drivers under test.  A trace point tells of each of these, with the number of its stack: who counts them knows
 * which there are to fail.
 */
#include "mip.h"

static struct {
    MM_POOL_FAULT Rule;
    ULONG64 Matched, Failed;
} MiPoolFault; /* MiPoolLock */

static BOOLEAN MiPoolFaultActive; /* MiPoolLock, as below */
static ULONG64 MiChosen;          /* 0: none */
static ULONG64 MiCounted;
BOOLEAN MiFailsAny;

VOID MmSetPoolFault(PMM_POOL_FAULT Fault)
{
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);

    memset(&MiPoolFault, 0, sizeof(MiPoolFault));
    MiPoolFaultActive = FALSE;
    if (Fault != NULL) {
        MiPoolFault.Rule = *Fault;
        MiPoolFaultActive = TRUE;
    }
    MiFailsAny = MiPoolFaultActive || MiChosen != 0;
    MiReleaseLock(&MiPoolLock, OldIrql);
}

VOID MmFailAllocation(ULONG64 Number)
{
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);

    MiChosen = Number;
    MiCounted = 0;
    MiFailsAny = MiPoolFaultActive || MiChosen != 0;
    MiReleaseLock(&MiPoolLock, OldIrql);
}

static BOOLEAN MiIsFailedByRuleLocked(ULONG Owner, ULONG Tag)
{
    if (!MiPoolFaultActive || (MiPoolFault.Rule.Owner != MAXULONG && MiPoolFault.Rule.Owner != Owner) ||
        (MiPoolFault.Rule.Tag != 0 && MiPoolFault.Rule.Tag != Tag))
        return FALSE;
    MiPoolFault.Matched++;
    if (MiPoolFault.Matched <= MiPoolFault.Rule.Skip ||
        MiPoolFault.Matched - MiPoolFault.Rule.Skip > MiPoolFault.Rule.Fail)
        return FALSE;
    MiPoolFault.Failed++;
    return TRUE;
}

static VOID MiTellFailure(PMI_REQUEST Request)
{
    CHAR Text[64];

    _snprintf(Text, sizeof(Text), "allocation-made-to-fail=0x%I64x\n", (ULONG64)Request->Caller);
    FvReport(Text);
    DbgPrint("allocation %I64u fails, as told: %I64u bytes, tag '%.4s'\n", MiChosen, (ULONG64)Request->Size,
             (PCHAR)&Request->Tag);
}

BOOLEAN MiFailsThis(PMI_REQUEST Request, BOOLEAN Tested)
{
    BOOLEAN Fail, Chosen;
    KIRQL OldIrql = MiAcquireLock(&MiPoolLock);

    Fail = MiIsFailedByRuleLocked(Request->Owner, Request->Tag);
    Chosen = Tested && MiChosen != 0 && ++MiCounted == MiChosen;
    MiReleaseLock(&MiPoolLock, OldIrql);
    if (Chosen)
        MiTellFailure(Request);
    return Fail || Chosen;
}
