// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Executive timers: ke's timer with a callback, whose memory is the system's and goes when nothing is under way any more.
 *
 * A timer is armed from when it is set until the DPC of its expiry begins: one DPC comes for each arming, or a cancel that
 * succeeds takes its place.  Set anew while that DPC is on its way, it is armed by the DPC itself: so none is lost.
 *
 * All timers expire at ticks.  Those of high resolution never expire early, but the clock does not run faster for them.
 */
#include <ntifs.h>
#include <rtl.h>
#include <ke.h>
#include <mm.h>
#include <fltvm.h>

#define EXP_TIMER_TAG        'miTE'
#define EXP_TIMER_MAGIC      'miTE'
#define EXP_TIMER_ATTRIBUTES (EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE | EX_TIMER_NOTIFICATION)

struct _EX_TIMER {
    KTIMER Timer; /* first: drivers wait for it */
    ULONG Magic;
    ULONG Attributes;
    PEXT_CALLBACK Callback;
    PVOID Context;
    KDPC Dpc;

    KSPIN_LOCK Lock;
    ULONG Running; /* DPCs that have begun */
    BOOLEAN Armed;
    BOOLEAN Next;     /* the DPC on its way arms it, for NextTime */
    BOOLEAN Disabled; /* ExDeleteTimer was called */
    ULONG64 NextTime; /* interrupt time */
    LONGLONG Period;  /* 0: once */
    PKEVENT Deleter;  /* who waits in ExDeleteTimer, frees */
    PEXT_DELETE_CALLBACK DeleteCallback;
    PVOID DeleteContext;
};

DECLSPEC_NORETURN static VOID ExpRefuse(PCSTR Why, PEX_TIMER Timer, ULONG_PTR Value)
{
    FvReport(Why);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)Timer, Value, 0);
}

static VOID ExpCheckTimer(PEX_TIMER Timer)
{
    if (Timer->Magic != EXP_TIMER_MAGIC)
        ExpRefuse("rule=what ExAllocateTimer has not given is no EX_TIMER\n", Timer, Timer->Magic);
    if (KeGetCurrentIrql() > DISPATCH_LEVEL)
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Timer, KeGetCurrentIrql(), 1, (ULONG_PTR)_ReturnAddress());
}

static VOID ExpFreeTimer(PEX_TIMER Timer)
{
    PEXT_DELETE_CALLBACK Callback = Timer->DeleteCallback;
    PVOID Context = Timer->DeleteContext;
    FV_CALL Call;
    KIRQL Irql;

    Timer->Magic = 0;
    ExFreePoolWithTag(Timer, EXP_TIMER_TAG);
    if (Callback == NULL)
        return;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FvBeginCall(&Call);
    Callback(Context);
    FvEndCall(&Call, (PVOID)Callback, "timer delete callback", (ULONG_PTR)Context);
    KeLowerIrql(Irql);
}

/* The lock: nothing will come any more. */
static BOOLEAN ExpIsTimerAtRest(PEX_TIMER Timer)
{
    return Timer->Disabled && !Timer->Armed && Timer->Running == 0;
}

/* A DPC ends: what was deleted meanwhile goes, or whoever waits for that is told. */
static VOID ExpEndTimerDpc(PEX_TIMER Timer)
{
    PKEVENT Deleter;
    BOOLEAN Rest;

    KeAcquireSpinLockAtDpcLevel(&Timer->Lock);
    Timer->Running--;
    Rest = ExpIsTimerAtRest(Timer);
    Deleter = Timer->Deleter;
    KeReleaseSpinLockFromDpcLevel(&Timer->Lock);
    if (Rest && Deleter != NULL)
        KeSetEvent(Deleter, IO_NO_INCREMENT, FALSE);
    else if (Rest)
        ExpFreeTimer(Timer);
}

static VOID ExpArmTimer(PEX_TIMER Timer, ULONG64 Time, BOOLEAN NewPeriod)
{
    Timer->Armed = TRUE;
    Timer->NextTime = Time;
    KeSetTimerAt(&Timer->Timer, Time, &Timer->Dpc, NewPeriod);
}

static VOID ExpCallTimer(PEX_TIMER Timer)
{
    PEXT_CALLBACK Callback = Timer->Callback;
    FV_CALL Call;

    if (Callback == NULL)
        return;
    FvBeginCall(&Call);
    Callback(Timer, Timer->Context);
    FvEndCall(&Call, (PVOID)Callback, "timer callback", (ULONG_PTR)Timer);
}

/* The period begins where the last one ended, but the timer expires no more than once a tick. */
static VOID NTAPI ExpTimerDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    PEX_TIMER Timer = Context;
    ULONG64 Now = KeQueryInterruptTime();

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLockAtDpcLevel(&Timer->Lock);
    Timer->Running++;
    Timer->Armed = FALSE;
    if (Timer->Next)
        ExpArmTimer(Timer, Timer->NextTime, FALSE);
    else if (Timer->Period != 0)
        ExpArmTimer(Timer, max(Timer->NextTime + (ULONG64)Timer->Period, Now + 1), TRUE);
    Timer->Next = FALSE;
    KeReleaseSpinLockFromDpcLevel(&Timer->Lock);
    ExpCallTimer(Timer);
    ExpEndTimerDpc(Timer);
}

/* The lock.  TRUE: it was set, and will not expire for that; periodic ones are always set. */
static BOOLEAN ExpCancelTimer(PEX_TIMER Timer)
{
    BOOLEAN Was = Timer->Next || Timer->Period != 0;

    Timer->Next = FALSE;
    Timer->Period = 0;
    if (Timer->Armed && KeCancelTimer(&Timer->Timer)) {
        Timer->Armed = FALSE;
        Was = TRUE;
    }
    return Was;
}

/* System time, or from now: in interrupt time. */
static ULONG64 ExpDueTime(PEX_TIMER Timer, LONGLONG DueTime)
{
    LARGE_INTEGER System;
    ULONG64 Now = KeQueryInterruptTime();

    if (DueTime < 0)
        return (Timer->Attributes & EX_TIMER_HIGH_RESOLUTION ? KeQueryInterruptTimePrecise(NULL) : Now) - DueTime;
    KeQuerySystemTime(&System);
    return DueTime > System.QuadPart ? Now + (DueTime - System.QuadPart) : Now;
}

DECLSPEC_NOINLINE PEX_TIMER NTAPI ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
    PEX_TIMER Timer;

    if ((Attributes & ~EXP_TIMER_ATTRIBUTES) != 0 ||
        (Attributes & EX_TIMER_HIGH_RESOLUTION && Attributes & EX_TIMER_NO_WAKE))
        ExpRefuse("rule=a timer is of high resolution or does not wake, not both, and has no other attributes\n", NULL,
                  Attributes);
    if (Callback != NULL)
        KeCheckRoutine((PVOID)Callback, "timer callback");
    Timer = MmAllocatePoolForCaller(NonPagedPoolNx, sizeof(*Timer), EXP_TIMER_TAG, __builtin_return_address(0));
    if (Timer == NULL)
        return NULL;
    RtlZeroMemory(Timer, sizeof(*Timer));
    KeInitializeTimerEx(&Timer->Timer, Attributes & EX_TIMER_NOTIFICATION ? NotificationTimer : SynchronizationTimer);
    KeInitializeDpc(&Timer->Dpc, ExpTimerDpc, Timer);
    KeInitializeSpinLock(&Timer->Lock);
    Timer->Magic = EXP_TIMER_MAGIC;
    Timer->Attributes = Attributes;
    Timer->Callback = Callback;
    Timer->Context = CallbackContext;
    return Timer;
}

/* How much later a no-wake timer may expire need not be used. */
BOOLEAN NTAPI ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PEXT_SET_PARAMETERS Parameters)
{
    BOOLEAN Was = FALSE;
    KIRQL Irql;

    ExpCheckTimer(Timer);
    if (Period < 0 || Period > MAXLONG)
        ExpRefuse("rule=a timer's period is from 0 to MAXLONG\n", Timer, (ULONG_PTR)Period);
    if (Timer->Attributes & EX_TIMER_HIGH_RESOLUTION && DueTime >= 0)
        ExpRefuse("rule=a timer of high resolution takes relative times only\n", Timer, (ULONG_PTR)DueTime);
    if (Parameters != NULL && (Parameters->Version != 0 || Parameters->Reserved != 0))
        ExpRefuse("rule=parameters of a timer are initialized by ExInitializeSetTimerParameters\n", Timer,
                  Parameters->Version);
    KeAcquireSpinLock(&Timer->Lock, &Irql);
    if (!Timer->Disabled) {
        Was = ExpCancelTimer(Timer);
        Timer->Period = Period;
        if (Timer->Armed) {
            Timer->Next = TRUE;
            Timer->NextTime = ExpDueTime(Timer, DueTime);
        } else {
            ExpArmTimer(Timer, ExpDueTime(Timer, DueTime), FALSE);
        }
    }
    KeReleaseSpinLock(&Timer->Lock, Irql);
    return Was;
}

BOOLEAN NTAPI ExCancelTimer(PEX_TIMER Timer, PEXT_CANCEL_PARAMETERS Parameters)
{
    BOOLEAN Was = FALSE;
    KIRQL Irql;

    ExpCheckTimer(Timer);
    if (Parameters != NULL)
        ExpRefuse("rule=the parameters of ExCancelTimer are NULL\n", Timer, (ULONG_PTR)Parameters);
    KeAcquireSpinLock(&Timer->Lock, &Irql);
    if (!Timer->Disabled)
        Was = ExpCancelTimer(Timer);
    KeReleaseSpinLock(&Timer->Lock, Irql);
    return Was;
}

static VOID ExpCheckDelete(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters)
{
    ExpCheckTimer(Timer);
    if (Wait && !Cancel)
        ExpRefuse("rule=ExDeleteTimer waits only for a timer that it cancels\n", Timer, Wait);
    if (Wait && KeGetCurrentIrql() > APC_LEVEL)
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Timer, KeGetCurrentIrql(), 0, (ULONG_PTR)_ReturnAddress());
    if (Parameters != NULL && (Parameters->Version != 0 || Parameters->Reserved != 0))
        ExpRefuse("rule=parameters of a timer are initialized by ExInitializeDeleteTimerParameters\n", Timer,
                  Parameters->Version);
}

BOOLEAN NTAPI ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters)
{
    BOOLEAN Was = FALSE, Second, Rest;
    KEVENT Event;
    KIRQL Irql;

    ExpCheckDelete(Timer, Cancel, Wait, Parameters);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeAcquireSpinLock(&Timer->Lock, &Irql);
    Second = Timer->Disabled;
    if (!Second) {
        Timer->Disabled = TRUE;
        if (Parameters != NULL) {
            Timer->DeleteCallback = Parameters->DeleteCallback;
            Timer->DeleteContext = Parameters->DeleteContext;
        }
        if (Cancel)
            Was = ExpCancelTimer(Timer);
        Timer->Period = 0; /* a periodic one expires once more at most */
        Timer->Deleter = Wait ? &Event : NULL;
    }
    Rest = ExpIsTimerAtRest(Timer);
    KeReleaseSpinLock(&Timer->Lock, Irql);
    if (Second)
        return FALSE;
    if (!Rest && Wait)
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    if (Rest || Wait)
        ExpFreeTimer(Timer);
    return Was;
}
