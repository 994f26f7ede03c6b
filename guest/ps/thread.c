/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thread: system threads as objects.  A running thread holds a reference to itself, which the reaper drops
 * when it is off its stack.
 */
#include "psp.h"

static LIST_ENTRY PspReaperListHead = {&PspReaperListHead, &PspReaperListHead}; /* PspLock */
static WORK_QUEUE_ITEM PspReaperItem;
static BOOLEAN PspReaperQueued; /* PspLock */

/* ---- the end ---- */

static VOID NTAPI PspReapWorker(PVOID Context)
{
    for (;;) {
        KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
        PETHREAD Thread = NULL;

        if (IsListEmpty(&PspReaperListHead)) {
            PspReaperQueued = FALSE;
        } else {
            Thread = CONTAINING_RECORD(RemoveHeadList(&PspReaperListHead), ETHREAD, ReaperEntry);
        }
        KeReleaseSpinLock(&PspLock, OldIrql);
        if (Thread == NULL) {
            return;
        }
        ObUnpinObject(Thread);
    }
}

/* DISPATCH_LEVEL, in ke's DPC: the thread's stack is not in use any more. */
static VOID PspReapThread(PKTHREAD Tcb)
{
    PETHREAD Thread = CONTAINING_RECORD(Tcb, ETHREAD, Tcb);
    BOOLEAN Queue;
    KIRQL OldIrql;

    MmDeleteKernelStack(Tcb->InitialStack, KERNEL_STACK_SIZE);
    Tcb->InitialStack = Tcb->KernelStack = NULL;
    if (Tcb->Process != NULL && Thread->Cid.UniqueThread == NULL) {
        return; /* init's first thread is not an object */
    }
    OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    InsertTailList(&PspReaperListHead, &Thread->ReaperEntry);
    Queue = !PspReaperQueued;
    PspReaperQueued = TRUE;
    KeReleaseSpinLock(&PspLock, OldIrql);
    if (Queue) {
        ExQueueWorkItem(&PspReaperItem, DelayedWorkQueue);
    }
}

VOID PspInitializeReaper(VOID)
{
    ExInitializeWorkItem(&PspReaperItem, PspReapWorker, NULL);
    KiThreadReaper = PspReapThread;
}

DECLSPEC_NORETURN VOID PspExitThread(NTSTATUS ExitStatus)
{
    PETHREAD Thread = PsGetCurrentThread();
    PEPROCESS Process = PsGetThreadProcess(Thread);
    BOOLEAN Last;
    KIRQL OldIrql;

    KeCheckThreadExit();
    if (PsIoThreadExitRoutine != NULL) {
        PsIoThreadExitRoutine(Thread);
    }
    PspDropTokens(Thread);
    PspNotifyThread(Thread, FALSE, FALSE);
    Thread->ExitStatus = ExitStatus;
    KeQuerySystemTime(&Thread->ExitTime);
    OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    Thread->Terminated = TRUE;
    RemoveEntryList(&Thread->ThreadListEntry);
    Last = --Process->ActiveThreads == 0 && Process->User;
    if (Last && !Process->Exiting) {
        Process->Exiting = TRUE;
        Process->UserExitStatus = ExitStatus;
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    if (Last) {
        PspRundownProcess(Process, Process->UserExitStatus);
    }
    KeTerminateThread(0);
}

VOID PspDeleteThread(PVOID Object)
{
    PETHREAD Thread = Object;

    if (Thread->Tcb.InitialStack != NULL) {
        MmDeleteKernelStack(Thread->Tcb.InitialStack, KERNEL_STACK_SIZE); /* it never ran */
    }
    if (Thread->Tcb.Process != NULL) {
        ObDereferenceObject(PsGetThreadProcess(Thread));
    }
}

/* ---- the beginning ---- */

static VOID NTAPI PspSystemThreadStartup(PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    PspNotifyThread(PsGetCurrentThread(), TRUE, TRUE);
    StartRoutine(StartContext);
    FvBlame((PVOID)StartRoutine); /* it is not on the stack any more */
    KeCheckThreadExit();
    FvBlame(NULL);
    PspExitThread(STATUS_SUCCESS);
}

/* FALSE: the process ends, or has ended, with its threads. */
static BOOLEAN PspInsertThread(PETHREAD Thread, PEPROCESS Process)
{
    static ULONG64 LastPlace; /* PspLock */
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    BOOLEAN Lives = !Process->Exiting;

    if (Lives) {
        Thread->Place = ++LastPlace;
        InsertTailList(&Process->ThreadListHead, &Thread->ThreadListEntry);
        Process->ActiveThreads++;
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    return Lives;
}

/* Of one that never ran: the references that were taken for it. */
static NTSTATUS PspDropThread(PETHREAD Thread, BOOLEAN ForCaller, NTSTATUS Status)
{
    if (ForCaller) {
        ObDereferenceObject(Thread);
    }
    ObUnpinObject(Thread);
    return Status;
}

NTSTATUS PspCreateThread(PEPROCESS Process, PCSTR Name, POBJECT_ATTRIBUTES ObjectAttributes, ACCESS_MASK DesiredAccess,
                         PKSTART_ROUTINE StartRoutine, PVOID StartContext, BOOLEAN Suspended, PHANDLE Handle,
                         PCLIENT_ID ClientId, PETHREAD *Result)
{
    OBJECT_ATTRIBUTES Attributes;
    PETHREAD Thread;
    PVOID Stack;
    NTSTATUS Status;
    ULONG Count;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (ObjectAttributes != NULL) {
        Attributes = *ObjectAttributes;
    }
    Status = ObCreateObject(KernelMode, PsThreadTypeObject, &Attributes, KernelMode, NULL, sizeof(ETHREAD), 0, 0,
                            (PVOID *)&Thread);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(Thread, sizeof(*Thread));
    Stack = MmCreateKernelStack(KERNEL_STACK_SIZE);
    if (Stack == NULL) {
        ObDereferenceObject(Thread);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitThread(&Thread->Tcb, Stack, KERNEL_STACK_SIZE, PspSystemThreadStartup, StartRoutine, StartContext,
                 &Process->Pcb);
    ObReferenceObject(Process);
    KeSetThreadName(&Thread->Tcb, Name);
    PspPrepareSuspend(Thread);
    Thread->SystemThread = Process == PsInitialSystemProcess;
    Thread->StartAddress = StartRoutine;
    Thread->ExitStatus = STATUS_PENDING;
    KeQuerySystemTime(&Thread->CreateTime);
    InitializeListHead(&Thread->IrpList);
    KeInitializeSpinLock(&Thread->IrpListLock);
    Thread->Cid.UniqueProcess = Process->UniqueProcessId;
    Thread->Cid.UniqueThread = PspAllocateId();
    if (ClientId != NULL) {
        *ClientId = Thread->Cid;
    }
    ObReferenceObject(Thread); /* while it runs */
    ObPinObject(Thread);
    if (Result != NULL) {
        ObReferenceObject(Thread);
    }
    if (Handle != NULL) {
        Status = ObInsertObject(Thread, NULL, DesiredAccess, 0, NULL, Handle);
        if (!NT_SUCCESS(Status)) {
            return PspDropThread(Thread, Result != NULL, Status);
        }
    } else {
        ObDereferenceObject(Thread); /* the creation's reference: nobody has a handle */
    }
    if (!PspInsertThread(Thread, Process)) {
        if (Handle != NULL) {
            ObCloseHandle(*Handle, KernelMode);
        }
        return PspDropThread(Thread, Result != NULL, STATUS_PROCESS_IS_TERMINATING);
    }
    if (Result != NULL) {
        *Result = Thread;
    }
    PspNotifyThread(Thread, TRUE, FALSE);
    if (Suspended) {
        PspSuspendThread(Thread, &Count);
    }
    KeStartThread(&Thread->Tcb);
    return STATUS_SUCCESS;
}

NTSTATUS PsCreateThreadInProcess(PEPROCESS Process, PCSTR Name, PKSTART_ROUTINE StartRoutine, PVOID StartContext,
                                 PETHREAD *Thread)
{
    return PspCreateThread(Process, Name, NULL, 0, StartRoutine, StartContext, FALSE, NULL, NULL, Thread);
}

NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                                    HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                                    PVOID StartContext)
{
    PEPROCESS Process = PsInitialSystemProcess;
    NTSTATUS Status;

    KeCheckRoutine((PVOID)StartRoutine, "thread routine");
    if (ProcessHandle != NULL) {
        Status = ObReferenceObjectByHandle(ProcessHandle, 0x2 /* PROCESS_CREATE_THREAD */, PsProcessTypeObject,
                                           KernelMode, (PVOID *)&Process, NULL);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
    Status = PspCreateThread(Process, "system", ObjectAttributes, DesiredAccess, StartRoutine, StartContext, FALSE,
                             ThreadHandle, ClientId, NULL);
    if (ProcessHandle != NULL) {
        ObDereferenceObject(Process);
    }
    return Status;
}

/* Ends the calling thread only, and that must be one that PsCreateSystemThread made. */
NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    if (KeGetCurrentThread()->IdleThread || PsGetCurrentThread()->Cid.UniqueThread == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    PspExitThread(ExitStatus);
}

/* ---- finding and asking ---- */

PETHREAD PsGetNextProcessThread(PEPROCESS Process, PETHREAD Previous)
{
    PETHREAD Thread = NULL;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    PLIST_ENTRY Entry = Process->ThreadListHead.Flink;

    /* A thread that ended meanwhile has left the list: those that followed it are known by their places. */
    if (Previous != NULL && !Previous->Terminated) {
        Entry = Previous->ThreadListEntry.Flink;
    }
    for (; Entry != &Process->ThreadListHead; Entry = Entry->Flink) {
        PETHREAD Candidate = CONTAINING_RECORD(Entry, ETHREAD, ThreadListEntry);

        if ((Previous == NULL || Candidate->Place > Previous->Place) && ObReferenceObjectSafe(Candidate)) {
            Thread = Candidate;
            break;
        }
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    if (Previous != NULL) {
        ObDereferenceObject(Previous);
    }
    return Thread;
}

static PETHREAD PspFindThread(BOOLEAN (*Matches)(PETHREAD, ULONG64, ULONG64), ULONG64 First, ULONG64 Second)
{
    for (PLIST_ENTRY Entry = PspProcessListHead.Flink; Entry != &PspProcessListHead; Entry = Entry->Flink) {
        PEPROCESS Process = CONTAINING_RECORD(Entry, EPROCESS, ActiveProcessLinks);

        for (PLIST_ENTRY Link = Process->ThreadListHead.Flink; Link != &Process->ThreadListHead; Link = Link->Flink) {
            PETHREAD Thread = CONTAINING_RECORD(Link, ETHREAD, ThreadListEntry);

            if (Matches(Thread, First, Second)) {
                return Thread;
            }
        }
    }
    return NULL;
}

static BOOLEAN PspHasId(PETHREAD Thread, ULONG64 Id, ULONG64 Unused)
{
    return (ULONG64)Thread->Cid.UniqueThread == Id;
}

static BOOLEAN PspStartsIn(PETHREAD Thread, ULONG64 Base, ULONG64 Size)
{
    return (ULONG64)Thread->StartAddress - Base < Size;
}

DECLSPEC_NOINLINE NTSTATUS NTAPI PsLookupThreadByThreadId(HANDLE UniqueThreadId, PETHREAD *Result)
{
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    PETHREAD Thread = PspFindThread(PspHasId, (ULONG64)UniqueThreadId, 0);
    BOOLEAN Ok = Thread != NULL && ObReferenceObjectSafe(Thread);

    KeReleaseSpinLock(&PspLock, OldIrql);
    if (Ok)
        ObNoteReference(Thread, _ReturnAddress());
    *Result = Ok ? Thread : NULL;
    return Ok ? STATUS_SUCCESS : STATUS_INVALID_CID;
}

PETHREAD PsFindThreadOfImage(PVOID Base, SIZE_T Size)
{
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    PETHREAD Thread = PspFindThread(PspStartsIn, (ULONG64)Base, Size);

    KeReleaseSpinLock(&PspLock, OldIrql);
    return Thread;
}

PEPROCESS NTAPI PsGetThreadProcess(PETHREAD Thread)
{
    return CONTAINING_RECORD(Thread->Tcb.Process, EPROCESS, Pcb);
}

HANDLE NTAPI PsGetThreadId(PETHREAD Thread)
{
    return Thread->Cid.UniqueThread;
}

HANDLE NTAPI PsGetThreadProcessId(PETHREAD Thread)
{
    return Thread->Cid.UniqueProcess;
}

HANDLE NTAPI PsGetCurrentProcessId(VOID)
{
    return PsGetCurrentThread()->Cid.UniqueProcess;
}

HANDLE NTAPI PsGetCurrentThreadId(VOID)
{
    return PsGetCurrentThread()->Cid.UniqueThread;
}

BOOLEAN NTAPI PsIsSystemThread(PETHREAD Thread)
{
    return Thread->SystemThread;
}

BOOLEAN NTAPI PsIsThreadTerminating(PETHREAD Thread)
{
    return Thread->Terminated;
}

/* Disk counters are a client edition's feature that is off by default. */
BOOLEAN NTAPI PsIsDiskCountersEnabled(VOID)
{
    return FALSE;
}

VOID NTAPI PsUpdateDiskCounters(PEPROCESS Process, ULONG64 BytesRead, ULONG64 BytesWritten, ULONG ReadOperationCount,
                                ULONG WriteOperationCount, ULONG FlushOperationCount)
{
}
