/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main: the kernel's start-up, one flat list from the first instruction to the scenario client.
 *
 * KiSystemStartup runs on processor 0's boot stack, which becomes its idle thread; the phases run on threads.
 * A phase that fails ends the machine with its name, for nothing later could work.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <hal.h>
#include <kd.h>
#include <rtl.h>
#include <ke.h>
#include <mm.h>
#include <ob.h>
#include <ps.h>
#include <cm.h>
#include <ex.h>
#include <io.h>
#include <cc.h>
#include <se.h>
#include <ldr.h>
#include "initp.h"

typedef struct _INIT_PHASE {
    PCSTR Name;
    NTSTATUS (*Routine)(VOID);
} INIT_PHASE;

static DECLSPEC_ALIGN(16) UCHAR InitThreadObject[KE_THREAD_SIZE];

static NTSTATUS InitMemory(VOID)
{
    MmInitSystem(1);
    return STATUS_SUCCESS;
}

static NTSTATUS InitProcessors(VOID)
{
    KeStartProcessors();
    return STATUS_SUCCESS;
}

static NTSTATUS InitSecurity(VOID)
{
    PACCESS_TOKEN Token;
    NTSTATUS Status = SeInitSystem(&Token);

    if (NT_SUCCESS(Status)) {
        PsAssignPrimaryToken(PsInitialSystemProcess, Token);
        ObDereferenceObject(Token);
    }
    return Status;
}

static NTSTATUS InitIoObjects(VOID)
{
    NTSTATUS Status = IoInitSystem(0);

    if (NT_SUCCESS(Status))
        CcInitSystem();
    return Status;
}

static NTSTATUS InitIoDevices(VOID)
{
    return IoInitSystem(1);
}

static NTSTATUS InitCreateWorker(PCSTR Name, KPRIORITY Priority, PKSTART_ROUTINE StartRoutine, PVOID Context)
{
    PETHREAD Thread;
    NTSTATUS Status = PsCreateThreadInProcess(PsInitialSystemProcess, Name, StartRoutine, Context, &Thread);

    if (NT_SUCCESS(Status)) {
        KeSetPriorityThread(&Thread->Tcb, Priority);
        ObDereferenceObject(Thread);
    }
    return Status;
}

static NTSTATUS InitWorkers(VOID)
{
    InitSetServices();
    return ExInitWorkerThreads(InitCreateWorker);
}

/* Work routines get as long as an operation does by default; who is stuck in one then is a failure of the run. */
#define INIT_WORKERS_TIME_OUT (10 * 10000000ull)

static VOID InitAwaitWorkers(VOID)
{
    LARGE_INTEGER Tick = {.QuadPart = -(LONGLONG)KeQueryTimeIncrement()};
    ULONG64 End = KeQueryInterruptTime() + INIT_WORKERS_TIME_OUT;
    PCSTR Name;

    while (!ExWorkersRest(&Name)) {
        if (KeQueryInterruptTime() >= End) {
            KeReportStacks();
            KdReportFailure("every work routine has returned at the end: one of %s has not, 10 s later", Name);
            return;
        }
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    }
}

static VOID NTAPI InitReached(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    *(volatile BOOLEAN *)Context = TRUE;
}

/*
 * Each processor runs a DPC.  On one that a driver holds at DISPATCH_LEVEL the watchdog says whose it is, and in time; without this the
 * end would come before.  By a spinning wait: whoever holds processor 0 holds the timers.
 */
static VOID InitAwaitProcessors(VOID)
{
    static KDPC Dpcs[MAXIMUM_PROCESSORS];
    static volatile BOOLEAN Reached[MAXIMUM_PROCESSORS];

    KeHurryWatchdog();
    for (ULONG Number = 0; Number < (ULONG)KeNumberProcessors; Number++) {
        KeInitializeDpc(&Dpcs[Number], InitReached, (PVOID)&Reached[Number]);
        KeSetTargetProcessorDpc(&Dpcs[Number], (CCHAR)Number);
        KeSetImportanceDpc(&Dpcs[Number], HighImportance);
        KeInsertQueueDpc(&Dpcs[Number], NULL, NULL);
    }
    for (ULONG Number = 0; Number < (ULONG)KeNumberProcessors; Number++)
        while (!Reached[Number])
            ; /* without YieldProcessor, which would let the machine's time stand still where the other does it, too */
}

static NTSTATUS InitClient(VOID)
{
    BOOLEAN Done = ClientRun();

    if (Done && FvVerifierEnabled()) {
        InitAwaitProcessors();
        InitAwaitWorkers();
    }
    IoShutdownSystem();
    KdExit(Done ? FLTVM_EXIT_DONE : FLTVM_EXIT_LINK_LOST);
}

/* On a bare thread of the idle process, until there are objects. */
static const INIT_PHASE InitEarlyPhases[] = {
    {"memory", InitMemory},
    {"objects", ObInitSystem},
    {"processes", PsInitSystem},
};

/* On the first thread of the System process. */
static const INIT_PHASE InitPhases[] = {
    {"processors", InitProcessors},
    {"workers", InitWorkers},
    {"event objects", ObInitEventObjects},
    {"security", InitSecurity},
    {"registry", CmInitSystem},
    {"io objects", InitIoObjects},
    {"io devices", InitIoDevices},
    {"boot drivers", InitLoadBootDrivers},
    {"client", InitClient},
};

static VOID InitRunPhases(const INIT_PHASE *Phases, ULONG Count, ULONG Code)
{
    for (ULONG i = 0; i < Count; i++) {
        NTSTATUS Status = Phases[i].Routine();

        if (!NT_SUCCESS(Status)) {
            CHAR Report[96];

            _snprintf(Report, sizeof(Report), "reason=start-up: %s failed\nstatus=0x%08X\n", Phases[i].Name, Status);
            FvReport(Report);
            KeBugCheckEx(Code, (ULONG)Status, i, 0, 0);
        }
    }
}

static VOID NTAPI InitSystemThread(PVOID Context)
{
    InitRunPhases(InitPhases, RTL_NUMBER_OF(InitPhases), 0x32 /* PHASE1_INITIALIZATION_FAILED */);
}

static VOID NTAPI InitEarlyThread(PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    NTSTATUS Status;

    InitRunPhases(InitEarlyPhases, RTL_NUMBER_OF(InitEarlyPhases), 0x31 /* PHASE0_INITIALIZATION_FAILED */);
    Status = PsCreateThreadInProcess(PsInitialSystemProcess, "boot", InitSystemThread, NULL, NULL);
    if (!NT_SUCCESS(Status)) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG)Status, 0, 0, 0);
    }
    KeTerminateThread(0);
}

DECLSPEC_NORETURN VOID KiSystemStartup(struct fltvm_loader_block *LoaderBlock)
{
    PKTHREAD Thread = (PKTHREAD)InitThreadObject;

    KeInitSystem(LoaderBlock);
    KdInitSystem(LoaderBlock);
    MmInitSystem(0);
    KiCreateStack = MmCreateKernelStack;
    KiDeleteStack = MmDeleteKernelStack;
    LdrInitSystem(LoaderBlock);
    KeEnableInterrupts();
    KeInitThread(Thread, MmCreateKernelStack(KERNEL_STACK_SIZE), KERNEL_STACK_SIZE, InitEarlyThread, NULL, NULL,
                 KeGetCurrentThread()->Process);
    KeSetThreadName(Thread, "early");
    KeStartThread(Thread);
    KeIdle();
}
