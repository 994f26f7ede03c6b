/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * call: what a routine that is called must leave as it found it, and who is to blame when it does not.
 *
 * A thread keeps all of it in one word, CallState, beside the IRQL and the top-level IRP; so a call costs its caller a
 * few loads and comparisons (FvBeginCall and FvEndCall, in fltvm.h), and what is here is only reached to say what is wrong.
 */
#include "kep.h"

#define KI_APC_INDEX_MISMATCH          0x1
#define KI_IRQL_UNEXPECTED_VALUE       0xC8
#define KI_IMPERSONATING_WORKER_THREAD 0xDF
#define KI_WORKER_RETURNED_AT_BAD_IRQL 0xE1

C_ASSERT(FIELD_OFFSET(KTHREAD, CallState) == FV_CALL_STATE);
C_ASSERT(FIELD_OFFSET(FV_CALL, MayLeave) == FIELD_OFFSET(FV_CALL, Irql) + sizeof(ULONG));
C_ASSERT(sizeof(((PFV_CALL)NULL)->State) == sizeof(((PKTHREAD)NULL)->CallState));

VOID NTAPI FvBlame(const VOID *Address)
{
    KeGetCurrentThread()->Blamed = Address;
}

/* Kinds of routines for which Driver Verifier has codes of its own. */
typedef struct _KI_KIND {
    PCSTR What;
    ULONG IrqlCode, IrqlRule; /* P1 */
    ULONG ApcRule;            /* of 0xC4; 0: there is none */
} KI_KIND;

static const KI_KIND KiKinds[] = {
    {"dispatch routine", 0xC9, 0x5, 0xC5},
    {"fast I/O routine", 0xC9, 0x11, 0xC6},
    {"completion routine", 0xC4, 0xFA, 0xFB},
    {"interrupt service routine", 0xC4, 0x111, 0},
};

typedef struct _KI_RETURN {
    const FV_CALL *Call;
    KCALL_STATE Before;
    PKTHREAD Thread;
    KIRQL Irql;
    BOOLEAN Worker; /* a work routine: documented bugchecks, with the verifier or without it */
    const VOID *Routine;
    ULONG_PTR Object;
    PCSTR What;
    const KI_KIND *Kind; /* NULL: no codes of its own */
} KI_RETURN;

static VOID KiReportReturn(const KI_RETURN *Return, PCSTR Left)
{
    CHAR Text[256];

    _snprintf(Text, sizeof(Text), "rule=returned-badly\nwhat=%s\nroutine=0x%I64x\nobject=0x%I64x\nleft=%s\n",
              Return->What, (ULONG64)Return->Routine, (ULONG64)Return->Object, Left);
    Text[sizeof(Text) - 1] = 0;
    FvReport(Text);
    KiReportHeld(Return->Thread);
}

static VOID KiCheckReturnIrql(const KI_RETURN *Return)
{
    if (Return->Irql == Return->Call->Irql) {
        return;
    }
    KiReportReturn(Return, "the IRQL");
    if (Return->Worker) {
        KeBugCheckEx(KI_WORKER_RETURNED_AT_BAD_IRQL, (ULONG_PTR)Return->Routine, Return->Irql, Return->Call->Context,
                     Return->Object);
    }
    if (Return->Kind != NULL) {
        KeBugCheckEx(Return->Kind->IrqlCode, Return->Kind->IrqlRule,
                     Return->Kind->IrqlRule == 0x5 ? Return->Object : (ULONG_PTR)Return->Routine, Return->Call->Irql,
                     Return->Irql);
    }
    KeBugCheckEx(KI_IRQL_UNEXPECTED_VALUE, ((ULONG_PTR)Return->Irql << 16) | ((ULONG_PTR)Return->Call->Irql << 8),
                 (ULONG_PTR)Return->Routine, Return->Object, 0);
}

static VOID KiCheckReturnApcs(const KI_RETURN *Return)
{
    PKTHREAD Thread = Return->Thread;

    if (Thread->CombinedApcDisable == Return->Before.CombinedApcDisable ||
        (Return->Call->MayLeave & FV_MAY_LEAVE_APCS_DISABLED)) {
        return;
    }
    KiReportReturn(Return, Thread->SpecialApcDisable != Return->Before.SpecialApcDisable
                               ? "APCs disabled (a guarded region)"
                               : "APCs disabled (a critical region or a mutex)");
    if (Return->Kind != NULL && Return->Kind->ApcRule != 0) {
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, Return->Kind->ApcRule, (ULONG_PTR)Return->Routine,
                     (ULONG)Thread->CombinedApcDisable, (ULONG)Return->Before.CombinedApcDisable);
    }
    KeBugCheckEx(KI_APC_INDEX_MISMATCH, (ULONG_PTR)Return->Routine, 0, (ULONG)Thread->CombinedApcDisable,
                 Return->Worker);
}

static VOID KiCheckReturnLocks(const KI_RETURN *Return)
{
    PKTHREAD Thread = Return->Thread;

    if (Thread->Locks != Return->Before.Locks) {
        KiReportReturn(Return, "a spin lock, fast mutex or push lock");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_RETURNED_WITH_LOCK, (ULONG_PTR)Return->Routine,
                     Return->Object, (ULONG_PTR)(LONG_PTR)(CHAR)(Thread->Locks - Return->Before.Locks));
    }
    if (Thread->Resources != Return->Before.Resources && !(Return->Call->MayLeave & FV_MAY_LEAVE_RESOURCES)) {
        KiReportReturn(Return, "a resource or mutex");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_RETURNED_WITH_RESOURCE, (ULONG_PTR)Return->Routine,
                     Return->Object, (ULONG_PTR)(LONG_PTR)(CHAR)(Thread->Resources - Return->Before.Resources));
    }
}

static VOID KiCheckReturnThread(const KI_RETURN *Return)
{
    PKTHREAD Thread = Return->Thread;

    if (Thread->Impersonating != Return->Before.Impersonating) {
        KiReportReturn(Return, "impersonation");
        KeBugCheckEx(KI_IMPERSONATING_WORKER_THREAD, (ULONG_PTR)Return->Routine, Return->Call->Context, Return->Object,
                     0);
    }
    if (Thread->TopLevelIrp != Return->Call->TopLevelIrp && !(Return->Call->MayLeave & FV_MAY_LEAVE_TOP_LEVEL_IRP)) {
        KiReportReturn(Return, "another top-level IRP");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_RETURNED_WITH_TOP_LEVEL_IRP, (ULONG_PTR)Return->Routine,
                     Return->Object, Thread->TopLevelIrp);
    }
    if (Thread->Attached != Return->Before.Attached) {
        KiReportReturn(Return, "an attachment to a process");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_RETURNED_ATTACHED, (ULONG_PTR)Return->Routine,
                     Return->Object, (ULONG_PTR)Thread->ApcState.Process);
    }
    if (Thread->PriorityDrift != Return->Before.PriorityDrift) {
        KiReportReturn(Return, "another priority");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_RETURNED_WITH_PRIORITY, (ULONG_PTR)Return->Routine,
                     Return->Object, (ULONG_PTR)Thread->BasePriority);
    }
}

/* Without the verifier only a system worker cares, and not for all of it. */
VOID NTAPI FvReturnedBadly(const FV_CALL *Call, const VOID *Routine, PCSTR What, ULONG_PTR Object)
{
    KI_RETURN Return = {.Call = Call,
                        .Thread = KeGetCurrentThread(),
                        .Irql = (KIRQL)__readcr8(),
                        .Routine = Routine,
                        .Object = Object,
                        .What = What};
    SIZE_T Length = strlen(What), Suffix = sizeof("work routine") - 1;

    Return.Before.CallState = Call->State;
    Return.Worker = Length >= Suffix && strcmp(What + Length - Suffix, "work routine") == 0;
    if (!Return.Worker && !KiDriverVerifierOn) {
        return;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(KiKinds); Index++) {
        if (strcmp(What, KiKinds[Index].What) == 0) {
            Return.Kind = &KiKinds[Index];
        }
    }
    FvBlame(Routine);
    KiCheckReturnIrql(&Return);
    KiCheckReturnApcs(&Return);
    if (KiDriverVerifierOn) {
        KiCheckReturnLocks(&Return);
    }
    if (KiDriverVerifierOn || Return.Thread->Impersonating) {
        KiCheckReturnThread(&Return);
    }
    FvBlame(NULL);
}

/* ---- routines that are given ---- */

BOOLEAN(NTAPI *KeMmIsCode)(const VOID *Address);
const VOID *volatile KiKnownRoutine[1024] = {(PVOID)1}; /* what would be NULL's place must not be NULL */

BOOLEAN KiFindRoutine(const VOID *Routine)
{
    if ((ULONG_PTR)Routine < FLTVM_VA_DIRECT_MAP) {
        return FALSE;
    }
    if (KiDriverVerifierOn && KeMmIsCode != NULL && !KeMmIsCode(Routine)) {
        return FALSE;
    }
    KiKnownRoutine[KI_PLACE_OF_ROUTINE(Routine)] = Routine;
    return TRUE;
}

VOID KiCheckRoutine(const VOID *Routine, PCSTR What)
{
    CHAR Text[128];

    if (!KiDriverVerifierOn || KeIsRoutine(Routine)) {
        return;
    }
    _snprintf(Text, sizeof(Text), "rule=no-routine\nwhat=%s\naddress=0x%I64x\n", What, (ULONG64)Routine);
    Text[sizeof(Text) - 1] = 0;
    FvReport(Text);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ROUTINE, (ULONG_PTR)Routine, 0, 0);
}

VOID NTAPI FvCheckRoutine(const VOID *Routine, PCSTR What)
{
    KeCheckRoutine(Routine, What);
}

VOID KeForgetRoutines(VOID)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(KiKnownRoutine); Index++) {
        KiKnownRoutine[Index] = (PVOID)1;
    }
}
