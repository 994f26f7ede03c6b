// SPDX-License-Identifier: GPL-2.0-or-later
/* APCs, alerts and queues: what the kernel's own parts and file systems rely on. */
#include <ntifs.h>

#include <fltvm.h>

typedef enum { OriginalApcEnvironment } KAPC_ENVIRONMENT;
NTKERNELAPI VOID NTAPI KeInitializeApc(PKAPC Apc, PKTHREAD Thread, ULONG Environment, PKKERNEL_ROUTINE KernelRoutine,
                                       PKRUNDOWN_ROUTINE RundownRoutine, PKNORMAL_ROUTINE NormalRoutine,
                                       KPROCESSOR_MODE Mode, PVOID NormalContext);
NTKERNELAPI BOOLEAN NTAPI KeInsertQueueApc(PKAPC Apc, PVOID SystemArgument1, PVOID SystemArgument2,
                                           KPRIORITY Increment);
NTKERNELAPI BOOLEAN NTAPI KeAlertThread(PKTHREAD Thread, KPROCESSOR_MODE Mode);

static volatile LONG Kernels, Normals;
static KIRQL KernelIrql, NormalIrql;
static PVOID SeenArguments[3];
static KEVENT Started, Release, Done;
static KQUEUE Queue;
static volatile LONG Running, Most, Served;

static PETHREAD Start(PKSTART_ROUTINE Routine, PVOID Context)
{
    PVOID Thread = NULL;
    HANDLE Handle;

    if (NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context))) {
        ObReferenceObjectByHandle(Handle, SYNCHRONIZE, *PsThreadType, KernelMode, &Thread, NULL);
        ZwClose(Handle);
    }
    return Thread;
}

static VOID Join(PETHREAD Thread)
{
    KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, NULL);
    ObDereferenceObject(Thread);
}

static VOID NTAPI Kernel(PKAPC Apc, PKNORMAL_ROUTINE *Normal, PVOID *Context, PVOID *Argument1, PVOID *Argument2)
{
    KernelIrql = KeGetCurrentIrql();
    InterlockedIncrement(&Kernels);
}

static VOID NTAPI Normal(PVOID Context, PVOID Argument1, PVOID Argument2)
{
    NormalIrql = KeGetCurrentIrql();
    SeenArguments[0] = Context;
    SeenArguments[1] = Argument1;
    SeenArguments[2] = Argument2;
    InterlockedIncrement(&Normals);
}

static VOID CheckSelf(VOID)
{
    KAPC Special, Ordinary;
    KIRQL Old;

    KeInitializeApc(&Special, KeGetCurrentThread(), OriginalApcEnvironment, Kernel, NULL, NULL, KernelMode, NULL);
    KeInitializeApc(&Ordinary, KeGetCurrentThread(), OriginalApcEnvironment, Kernel, NULL, Normal, KernelMode,
                    (PVOID)7);
    FvCheck(KeInsertQueueApc(&Special, NULL, NULL, 0));
    FvCheck(Kernels == 1 && KernelIrql == APC_LEVEL); /* at once, at APC_LEVEL */
    KeRaiseIrql(APC_LEVEL, &Old);
    FvCheck(KeInsertQueueApc(&Special, NULL, NULL, 0));
    FvCheck(!KeInsertQueueApc(&Special, NULL, NULL, 0)); /* queued already */
    FvCheck(Kernels == 1);
    KeLowerIrql(Old);
    FvCheck(Kernels == 2);
    KeEnterCriticalRegion();
    KeInsertQueueApc(&Ordinary, (PVOID)8, (PVOID)9, 0);
    FvCheck(Normals == 0); /* a critical region holds normal ones off */
    KeInsertQueueApc(&Special, NULL, NULL, 0);
    FvCheck(Kernels == 3); /* but not special ones */
    KeLeaveCriticalRegion();
    FvCheck(Normals == 1 && NormalIrql == PASSIVE_LEVEL);
    FvCheck(SeenArguments[0] == (PVOID)7 && SeenArguments[1] == (PVOID)8 && SeenArguments[2] == (PVOID)9);
    KeEnterGuardedRegion();
    KeInsertQueueApc(&Special, NULL, NULL, 0);
    FvCheck(Kernels == 4); /* a guarded region holds all off; four: Ordinary's own kernel routine ran too */
    KeLeaveGuardedRegion();
    FvCheck(Kernels == 5);
}

static VOID NTAPI Sleep(PVOID Context)
{
    KeSetEvent(&Started, IO_NO_INCREMENT, FALSE);
    *(NTSTATUS *)Context = KeWaitForSingleObject(&Release, Executive, KernelMode, TRUE, NULL);
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
}

static VOID CheckOther(VOID)
{
    LARGE_INTEGER Delay = {.QuadPart = -300000};
    NTSTATUS Status = STATUS_PENDING;
    PETHREAD Thread = Start(Sleep, &Status);
    KAPC Special;

    KeWaitForSingleObject(&Started, Executive, KernelMode, FALSE, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, &Delay);
    Kernels = 0;
    KeInitializeApc(&Special, (PKTHREAD)Thread, OriginalApcEnvironment, Kernel, NULL, NULL, KernelMode, NULL);
    KeInsertQueueApc(&Special, NULL, NULL, 0);
    KeDelayExecutionThread(KernelMode, FALSE, &Delay);
    FvCheck(Kernels == 1 && Status == STATUS_PENDING); /* ran in the waiting thread, whose wait goes on */
    FvCheck(!KeAlertThread((PKTHREAD)Thread, KernelMode));
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    FvCheck(Status == STATUS_ALERTED);
    Join(Thread);
    Status = STATUS_PENDING;
    Thread = Start(Sleep, &Status);
    KeWaitForSingleObject(&Started, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&Release, IO_NO_INCREMENT, FALSE);
    Join(Thread);
    KeClearEvent(&Done);
    FvCheck(Status == STATUS_SUCCESS);
}

static VOID NTAPI Serve(PVOID Context)
{
    LARGE_INTEGER Delay = {.QuadPart = -10000};

    for (;;) {
        PLIST_ENTRY Entry = KeRemoveQueue(&Queue, KernelMode, NULL);
        LONG Now = InterlockedIncrement(&Running);

        if (Now > Most) {
            Most = Now;
        }
        if (Entry == (PLIST_ENTRY)Context) {
            InterlockedDecrement(&Running);
            KeInsertQueue(&Queue, Entry); /* for the next to end */
            return;
        }
        if (InterlockedIncrement(&Served) % 5 == 0) {
            InterlockedDecrement(&Running);
            KeDelayExecutionThread(KernelMode, FALSE, &Delay); /* meanwhile another may run */
        } else {
            InterlockedDecrement(&Running);
        }
    }
}

static VOID CheckQueues(VOID)
{
    LARGE_INTEGER None = {.QuadPart = 0};
    LIST_ENTRY Entries[40], End;
    PETHREAD Threads[4];

    KeInitializeQueue(&Queue, 1);
    FvCheck(KeReadStateQueue(&Queue) == 0);
    FvCheck(KeInsertQueue(&Queue, &Entries[0]) == 0);
    FvCheck(KeInsertHeadQueue(&Queue, &Entries[1]) == 1); /* the state before */
    FvCheck(KeRemoveQueue(&Queue, KernelMode, &None) == &Entries[1]);
    FvCheck(KeRemoveQueue(&Queue, KernelMode, &None) == &Entries[0]);
    FvCheck((NTSTATUS)(LONG_PTR)KeRemoveQueue(&Queue, KernelMode, &None) == STATUS_TIMEOUT);
    FvCheck(KeRundownQueue(&Queue) == NULL);
    KeInitializeQueue(&Queue, 2);
    for (ULONG i = 0; i < 4; i++) {
        Threads[i] = Start(Serve, &End);
    }
    for (ULONG i = 0; i < 40; i++) {
        KeInsertQueue(&Queue, &Entries[i]);
    }
    KeInsertQueue(&Queue, &End);
    for (ULONG i = 0; i < 4; i++) {
        Join(Threads[i]);
    }
    FvCheck(Served == 40);
    FvCheck(Most <= 3); /* two at most, and those that come back from a wait of another kind */
    FvCheck(KeRemoveQueue(&Queue, KernelMode, &None) == &End);
    KeRundownQueue(&Queue);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(26);
    KeInitializeEvent(&Started, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Release, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    CheckSelf();
    CheckOther();
    CheckQueues();
    return STATUS_SUCCESS;
}
