// SPDX-License-Identifier: GPL-2.0-or-later
/* Executive timers: set, set anew, cancelled, periodic, waited for, deleted in every way, from the callback too. */
#include <ntifs.h>

#include <fltvm.h>

#define MILLISECOND 10000ll
#define TICK        156250ll

typedef struct _SEEN {
    PEX_TIMER Timer;
    ULONG Calls;
    ULONG DeleteAt; /* the call that deletes the timer; 0: none */
    ULONG SetAt;    /* the call that sets it anew */
    BOOLEAN Cancel; /* as an argument of that deletion */
    BOOLEAN Result;
    KIRQL Irql;
    ULONG64 Time; /* of the last call */
    ULONG Deleted;
    KIRQL DeletedIrql;
} SEEN;

static VOID NTAPI OnDeleted(PVOID Context)
{
    SEEN *Seen = Context;

    Seen->Deleted++;
    Seen->DeletedIrql = KeGetCurrentIrql();
}

static VOID NTAPI OnTimer(PEX_TIMER Timer, PVOID Context)
{
    EXT_DELETE_PARAMETERS Parameters;
    SEEN *Seen = Context;

    Seen->Timer = Timer;
    Seen->Irql = KeGetCurrentIrql();
    Seen->Time = KeQueryInterruptTime();
    Seen->Calls++;
    if (Seen->Calls == Seen->SetAt)
        Seen->Result = ExSetTimer(Timer, -30 * MILLISECOND, 0, NULL);
    if (Seen->Calls == Seen->DeleteAt) {
        ExInitializeDeleteTimerParameters(&Parameters);
        Parameters.DeleteCallback = OnDeleted;
        Parameters.DeleteContext = Seen;
        Seen->Result = ExDeleteTimer(Timer, Seen->Cancel, FALSE, &Parameters);
    }
}

static VOID Sleep(LONGLONG Milliseconds)
{
    LARGE_INTEGER Time = {.QuadPart = -Milliseconds * MILLISECOND};

    KeDelayExecutionThread(KernelMode, FALSE, &Time);
}

static NTSTATUS WaitFor(PEX_TIMER Timer, LONGLONG Milliseconds)
{
    LARGE_INTEGER Time = {.QuadPart = -Milliseconds * MILLISECOND};

    return KeWaitForSingleObject(Timer, Executive, KernelMode, FALSE, &Time);
}

static VOID CheckOnce(VOID)
{
    SEEN Seen = {0};
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, 0);
    ULONG64 Start = KeQueryInterruptTime();
    EXT_SET_PARAMETERS Parameters;
    LARGE_INTEGER Now;

    ExInitializeSetTimerParameters(&Parameters);
    FvCheck(Timer != NULL);
    FvCheck(!ExCancelTimer(Timer, NULL)); /* was never set */
    FvCheck(!ExSetTimer(Timer, -40 * MILLISECOND, 0, &Parameters));
    FvCheck(ExSetTimer(Timer, -50 * MILLISECOND, 0, NULL)); /* in the first one's place */
    Sleep(120);
    FvCheck(Seen.Calls == 1 && Seen.Timer == Timer && Seen.Irql == DISPATCH_LEVEL);
    FvCheck(Seen.Time - Start >= 50 * MILLISECOND && Seen.Time - Start <= 50 * MILLISECOND + 2 * TICK);
    FvCheck(!ExCancelTimer(Timer, NULL)); /* has expired */
    FvCheck(!ExSetTimer(Timer, -40 * MILLISECOND, 0, NULL) && ExCancelTimer(Timer, NULL) &&
            !ExCancelTimer(Timer, NULL));
    Sleep(80);
    FvCheck(Seen.Calls == 1);
    KeQuerySystemTime(&Now);
    FvCheck(!ExSetTimer(Timer, Now.QuadPart + 30 * MILLISECOND, 0, NULL)); /* by system time */
    Sleep(80);
    FvCheck(Seen.Calls == 2);
    ExSetTimer(Timer, Now.QuadPart, 0, NULL); /* past already */
    FvCheck(WaitFor(Timer, 0) == STATUS_SUCCESS && Seen.Calls == 3);
    FvCheck(!ExDeleteTimer(Timer, FALSE, FALSE, NULL));
}

/* A synchronization timer releases one wait, a notification timer stays signalled until it is set again. */
static VOID CheckWaits(VOID)
{
    PEX_TIMER One = ExAllocateTimer(NULL, NULL, 0);
    PEX_TIMER All = ExAllocateTimer(NULL, NULL, EX_TIMER_NOTIFICATION | EX_TIMER_NO_WAKE);

    ExSetTimer(One, -20 * MILLISECOND, 0, NULL);
    FvCheck(WaitFor(One, 200) == STATUS_SUCCESS && WaitFor(One, 0) == STATUS_TIMEOUT);
    ExSetTimer(All, -20 * MILLISECOND, 0, NULL);
    FvCheck(WaitFor(All, 200) == STATUS_SUCCESS && WaitFor(All, 0) == STATUS_SUCCESS);
    ExSetTimer(All, -20 * MILLISECOND, 0, NULL);
    FvCheck(WaitFor(All, 0) == STATUS_TIMEOUT);
    FvCheck(ExCancelTimer(All, NULL) && WaitFor(All, 60) == STATUS_TIMEOUT);
    ExSetTimer(All, -20 * MILLISECOND, 20 * MILLISECOND, NULL);
    FvCheck(WaitFor(All, 200) == STATUS_SUCCESS && WaitFor(All, 0) == STATUS_SUCCESS); /* periodic or not */
    ExSetTimer(One, -20 * MILLISECOND, 20 * MILLISECOND, NULL);
    Sleep(80);
    FvCheck(WaitFor(One, 0) == STATUS_SUCCESS && WaitFor(One, 0) == STATUS_TIMEOUT &&
            WaitFor(One, 60) == STATUS_SUCCESS);
    FvCheck(ExDeleteTimer(One, TRUE, TRUE, NULL) && ExDeleteTimer(All, TRUE, TRUE, NULL));
}

static VOID CheckPeriods(VOID)
{
    SEEN Seen = {0}, Fast = {0};
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, 0), Quick = ExAllocateTimer(OnTimer, &Fast, 0);
    ULONG64 Start = KeQueryInterruptTime();

    ExSetTimer(Timer, -1, 40 * MILLISECOND, NULL);
    ExSetTimer(Quick, -1, 1, NULL); /* no more than once a tick */
    Sleep(1000);
    FvCheck(ExCancelTimer(Timer, NULL) && ExCancelTimer(Quick, NULL));
    FvCheck(Seen.Calls >= 24 && Seen.Calls <= 27); /* no drift by ticks */
    FvCheck(Fast.Calls >= 50 && Fast.Calls <= (KeQueryInterruptTime() - Start) / TICK + 1);
    Start = Seen.Calls;
    Sleep(100);
    FvCheck(Seen.Calls == Start && !ExCancelTimer(Timer, NULL));
    ExDeleteTimer(Timer, TRUE, FALSE, NULL);
    ExDeleteTimer(Quick, TRUE, TRUE, NULL);
}

/* A timer of high resolution never expires early. */
static VOID CheckResolution(VOID)
{
    PEX_TIMER Timer = ExAllocateTimer(NULL, NULL, EX_TIMER_HIGH_RESOLUTION);

    for (ULONG I = 1; I < 5; I++) {
        ULONG64 Start = KeQueryInterruptTimePrecise(NULL), Due = I * 7 * MILLISECOND;

        ExSetTimer(Timer, -(LONGLONG)Due, 0, NULL);
        FvCheck(WaitFor(Timer, 200) == STATUS_SUCCESS && KeQueryInterruptTimePrecise(NULL) - Start >= Due);
    }
    ExDeleteTimer(Timer, TRUE, TRUE, NULL);
}

static BOOLEAN DeleteTold(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, SEEN *Seen)
{
    EXT_DELETE_PARAMETERS Parameters;

    ExInitializeDeleteTimerParameters(&Parameters);
    Parameters.DeleteCallback = OnDeleted;
    Parameters.DeleteContext = Seen;
    return ExDeleteTimer(Timer, Cancel, Wait, &Parameters);
}

static VOID CheckDeletion(VOID)
{
    SEEN Seen = {0};
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, 0);

    ExSetTimer(Timer, -30 * MILLISECOND, 0, NULL);
    FvCheck(DeleteTold(Timer, TRUE, TRUE, &Seen)); /* cancelled */
    FvCheck(Seen.Deleted == 1 && Seen.DeletedIrql == DISPATCH_LEVEL && KeGetCurrentIrql() == PASSIVE_LEVEL);
    Sleep(80);
    FvCheck(Seen.Calls == 0);

    Timer = ExAllocateTimer(OnTimer, &Seen, 0);
    ExSetTimer(Timer, -40 * MILLISECOND, 40 * MILLISECOND, NULL);
    FvCheck(!DeleteTold(Timer, FALSE, FALSE, &Seen)); /* expires once more, then goes */
    FvCheck(Seen.Deleted == 1);
    FvCheck(!ExSetTimer(Timer, -10, 0, NULL) && !ExCancelTimer(Timer, NULL) &&
            !ExDeleteTimer(Timer, TRUE, FALSE, NULL));
    Sleep(200);
    FvCheck(Seen.Calls == 1 && Seen.Deleted == 2);
}

static VOID CheckFromCallback(VOID)
{
    SEEN Seen = {.SetAt = 1, .DeleteAt = 2, .Cancel = TRUE}, Periodic = {.DeleteAt = 3, .Cancel = TRUE};

    ExSetTimer(ExAllocateTimer(OnTimer, &Seen, 0), -10, 0, NULL);
    ExSetTimer(ExAllocateTimer(OnTimer, &Periodic, 0), -10, 20 * MILLISECOND, NULL);
    Sleep(300);
    FvCheck(Seen.Calls == 2 && !Seen.Result && Seen.Deleted == 1);
    FvCheck(Periodic.Calls == 3 && Periodic.Result && Periodic.Deleted == 1);
}

/* Two processors: one sets and cancels while the callbacks run on any. */
static VOID CheckRaces(VOID)
{
    SEEN Seen = {0};
    PEX_TIMER Timer = ExAllocateTimer(OnTimer, &Seen, 0);
    ULONG Cancelled = 0, Set = 0;

    for (ULONG I = 0; I < 400; I++, Set++) {
        Cancelled += ExSetTimer(Timer, I % 3 == 0 ? 0 : -(LONGLONG)(I % 7) * MILLISECOND, 0, NULL);
        if (I % 16 == 0)
            Sleep(1);
    }
    Cancelled += DeleteTold(Timer, TRUE, TRUE, &Seen);
    FvCheck(Seen.Deleted == 1);
    FvCheck(Seen.Calls + Cancelled == Set); /* each was called for, or cancelled */
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(14 + 7 + 4 + 4 + 6 + 2 + 2);
    CheckOnce();
    CheckWaits();
    CheckPeriods();
    CheckResolution();
    CheckDeletion();
    CheckFromCallback();
    CheckRaces();
    return STATUS_SUCCESS;
}
