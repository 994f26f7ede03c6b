// SPDX-License-Identifier: GPL-2.0-or-later
/* Events, semaphores, mutexes, waits on one and on several objects, as the documentation states them. */
#include <ntifs.h>

#include <fltvm.h>

#define MILLISECONDS(n) ((LONGLONG)(n) * -10000)

static KEVENT Go, Went;

static NTSTATUS WaitFor(PVOID Object, LONGLONG Timeout)
{
    LARGE_INTEGER Time = {.QuadPart = Timeout};

    return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &Time);
}

static PKTHREAD Start(PKSTART_ROUTINE Routine, PVOID Context)
{
    PVOID Thread = NULL;
    HANDLE Handle;

    if (NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context))) {
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, NULL);
        ZwClose(Handle);
    }
    return Thread;
}

static VOID Join(PKTHREAD Thread)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

static VOID CheckEvents(VOID)
{
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    FvCheck(KeReadStateEvent(&Event) == 0);
    FvCheck(WaitFor(&Event, 0) == STATUS_TIMEOUT);
    FvCheck(KeSetEvent(&Event, IO_NO_INCREMENT, FALSE) == 0);
    FvCheck(KeSetEvent(&Event, IO_NO_INCREMENT, FALSE) == 1); /* the previous state */
    FvCheck(WaitFor(&Event, 0) == STATUS_SUCCESS);
    FvCheck(KeReadStateEvent(&Event) == 1); /* a notification event stays */
    FvCheck(KeResetEvent(&Event) == 1 && KeReadStateEvent(&Event) == 0);
    KeInitializeEvent(&Event, SynchronizationEvent, TRUE);
    FvCheck(WaitFor(&Event, 0) == STATUS_SUCCESS);
    FvCheck(KeReadStateEvent(&Event) == 0); /* a synchronization event is taken */
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
    KeClearEvent(&Event);
    FvCheck(KeReadStateEvent(&Event) == 0);
    FvCheck(KePulseEvent(&Event, IO_NO_INCREMENT, FALSE) == 0 && KeReadStateEvent(&Event) == 0);
}

static VOID CheckSemaphores(VOID)
{
    KSEMAPHORE Semaphore;
    NTSTATUS Raised = STATUS_SUCCESS;

    KeInitializeSemaphore(&Semaphore, 1, 3);
    FvCheck(WaitFor(&Semaphore, 0) == STATUS_SUCCESS);
    FvCheck(WaitFor(&Semaphore, 0) == STATUS_TIMEOUT);
    FvCheck(KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 2, FALSE) == 0);
    FvCheck(KeReadStateSemaphore(&Semaphore) == 2);
    __try {
        KeReleaseSemaphore(&Semaphore, IO_NO_INCREMENT, 2, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Raised = GetExceptionCode();
    }
    FvCheck(Raised == STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    FvCheck(KeReadStateSemaphore(&Semaphore) == 2);
}

static VOID NTAPI TakeMutex(PVOID Context)
{
    KeWaitForSingleObject(Context, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&Went, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    KeReleaseMutex(Context, FALSE);
}

static VOID CheckMutexes(VOID)
{
    KMUTEX Mutex;
    NTSTATUS Raised = STATUS_SUCCESS;
    PKTHREAD Thread;

    KeInitializeMutex(&Mutex, 0);
    FvCheck(KeReadStateMutex(&Mutex) == 1);
    FvCheck(WaitFor(&Mutex, 0) == STATUS_SUCCESS);
    FvCheck(WaitFor(&Mutex, 0) == STATUS_SUCCESS); /* its owner may take it again */
    FvCheck(KeReadStateMutex(&Mutex) == -1);
    FvCheck(KeAreApcsDisabled()); /* a mutex holds normal kernel APCs off */
    FvCheck(KeReleaseMutex(&Mutex, FALSE) == -1);
    FvCheck(KeReleaseMutex(&Mutex, FALSE) == 0);
    FvCheck(!KeAreApcsDisabled());
    __try {
        KeReleaseMutex(&Mutex, FALSE);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Raised = GetExceptionCode();
    }
    FvCheck(Raised == STATUS_MUTANT_NOT_OWNED);
    Thread = Start(TakeMutex, &Mutex);
    KeWaitForSingleObject(&Went, Executive, KernelMode, FALSE, NULL);
    FvCheck(WaitFor(&Mutex, MILLISECONDS(20)) == STATUS_TIMEOUT);
    KeSetEvent(&Go, IO_NO_INCREMENT, FALSE);
    FvCheck(WaitFor(&Mutex, MILLISECONDS(1000)) == STATUS_SUCCESS);
    KeReleaseMutex(&Mutex, FALSE);
    Join(Thread);
}

static VOID CheckMultiple(VOID)
{
    KEVENT First, Second;
    PVOID Objects[2] = {&First, &Second};
    LARGE_INTEGER None = {.QuadPart = 0}, Short = {.QuadPart = MILLISECONDS(20)};

    KeInitializeEvent(&First, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Second, SynchronizationEvent, TRUE);
    FvCheck(KeWaitForMultipleObjects(2, Objects, WaitAll, Executive, KernelMode, FALSE, &None, NULL) == STATUS_TIMEOUT);
    FvCheck(KeReadStateEvent(&Second) == 1); /* an unsatisfied wait for all takes nothing */
    FvCheck(KeWaitForMultipleObjects(2, Objects, WaitAny, Executive, KernelMode, FALSE, &None, NULL) == STATUS_WAIT_1);
    FvCheck(KeReadStateEvent(&Second) == 0);
    FvCheck(KeWaitForMultipleObjects(2, Objects, WaitAny, Executive, KernelMode, FALSE, &Short, NULL) ==
            STATUS_TIMEOUT);
    KeSetEvent(&First, IO_NO_INCREMENT, FALSE);
    KeSetEvent(&Second, IO_NO_INCREMENT, FALSE);
    FvCheck(KeWaitForMultipleObjects(2, Objects, WaitAll, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_SUCCESS);
    FvCheck(KeReadStateEvent(&First) == 0 && KeReadStateEvent(&Second) == 0);
}

/* KeSetEvent with Wait: the wait follows without a moment in which others run. */
static VOID NTAPI Answer(PVOID Context)
{
    KeWaitForSingleObject(&Go, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&Went, IO_NO_INCREMENT, FALSE);
}

static VOID CheckSignalAndWait(VOID)
{
    PKTHREAD Thread = Start(Answer, NULL);

    KeSetEvent(&Go, IO_NO_INCREMENT, TRUE);
    FvCheck(KeWaitForSingleObject(&Went, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL);
    Join(Thread);
}

static VOID CheckTimeouts(VOID)
{
    KEVENT Never;
    LARGE_INTEGER Before, After, Absolute;
    ULONGLONG Elapsed;

    KeInitializeEvent(&Never, NotificationEvent, FALSE);
    Before = KeQueryPerformanceCounter(NULL);
    FvCheck(WaitFor(&Never, MILLISECONDS(50)) == STATUS_TIMEOUT);
    After = KeQueryPerformanceCounter(NULL);
    Elapsed = After.QuadPart - Before.QuadPart;
    FvCheck(Elapsed >= 34000 * 10 && Elapsed <= 90000 * 10); /* to the tick */
    KeQuerySystemTime(&Absolute);
    Absolute.QuadPart += 500000;
    FvCheck(WaitFor(&Never, Absolute.QuadPart) == STATUS_TIMEOUT);
    KeQuerySystemTime(&After);
    FvCheck(After.QuadPart >= Absolute.QuadPart);
    FvCheck(WaitFor(&Never, 1) == STATUS_TIMEOUT); /* long past */
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(42);
    KeInitializeEvent(&Go, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Went, SynchronizationEvent, FALSE);
    CheckEvents();
    CheckSemaphores();
    CheckMutexes();
    CheckMultiple();
    CheckSignalAndWait();
    CheckTimeouts();
    return STATUS_SUCCESS;
}
