// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel has a program do: exceptions that it handles, user APCs in alertable waits, more threads.  Its status is
 * 0x600D, or how many checks failed.
 */
#include <ntifs.h>

typedef VOID(NTAPI *PUSER_APC)(PVOID First, PVOID Second, PVOID Third);
typedef NTSTATUS(NTAPI *PUSER_ENTRY)(PVOID Argument);

NTSTATUS NTAPI NtAlertThread(HANDLE Thread);
NTSTATUS NTAPI NtContinue(PCONTEXT Context, BOOLEAN TestAlert);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval);
NTSTATUS NTAPI NtQueueApcThread(HANDLE Thread, PVOID Routine, PVOID First, PVOID Second, PVOID Third);
NTSTATUS NTAPI NtRaiseException(PEXCEPTION_RECORD Record, PCONTEXT Context, BOOLEAN FirstChance);
NTSTATUS NTAPI NtTerminateThread(HANDLE Thread, NTSTATUS ExitStatus);
NTSTATUS NTAPI NtTestAlert(VOID);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);
VOID NTAPI RtlRaiseStatus(NTSTATUS Status);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Suspended, ULONG ZeroBits,
                                   SIZE_T Reserve, SIZE_T Commit, PUSER_ENTRY Start, PVOID Argument, PHANDLE Thread,
                                   PCLIENT_ID ClientId);
__declspec(dllimport) VOID NTAPI KiUserApcDispatcher(VOID);
PVOID NTAPI RtlLookupFunctionEntry(ULONG64 Pc, PULONG64 Base, PVOID History);
__declspec(dllimport) VOID NTAPI KiUserExceptionDispatcher(VOID);
VOID NTAPI RtlExitUserThread(NTSTATUS Status);
NTSTATUS Main(PVOID Peb);

#define SELF_PROCESS ((HANDLE) - 1)
#define SELF         ((HANDLE) - 2)

static ULONG Failed;

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static NTSTATUS Sleep(BOOLEAN Alertable, ULONG Milliseconds)
{
    LARGE_INTEGER Interval = {.QuadPart = -10000LL * Milliseconds};

    return NtDelayExecution(Alertable, &Interval);
}

/* ---- exceptions ---- */

/* Apart: to the compiler an instruction of the processor's cannot fault. */
static __attribute__((noinline)) void Halt(void)
{
    __asm__ volatile("hlt");
}

static __attribute__((noinline)) void Undefined(void)
{
    __asm__ volatile("ud2");
}

static __attribute__((noinline)) void Break(void)
{
    __asm__ volatile("int3");
}

static __attribute__((noinline)) void Store(PULONG64 Place)
{
    __asm__ volatile("mov $0x18, %%rax\n\tmovq $77, (%%rax)\n\tmov %%rax, %0" : "=m"(*Place) : : "rax", "memory");
}

/* Called by address, so that the compiler does not know that they "cannot" raise. */
static void (*volatile Instruction[])(void) = {Halt, Undefined, Break};
static void (*volatile StoreAt)(PULONG64) = Store;

/* The code that a handler is told, and that the one outside was not asked. */
static ULONG Caught(ULONG Which)
{
    volatile ULONG Zero = 0, Finally = 0;
    ULONG Code = 0;

    __try {
        __try {
            switch (Which) {
            case 0: *(volatile ULONG *)8 = 1; break;
            case 1: Zero = 7 / Zero; break;
            case 2:
            case 3:
            case 4: Instruction[Which - 2](); break;
            case 5: RtlRaiseStatus(STATUS_DISK_FULL); break;
            case 6: *(volatile ULONG *)0xFFFFF80000200000 = 1; break;
            case 7: ((void (*)(void))(ULONG_PTR)0x10)(); break;
            case 8: *(volatile ULONG *)0x8000000000000000 = 1; break;
            }
        } __finally {
            Finally++;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Code = (ULONG)GetExceptionCode();
    }
    return Finally == 1 ? Code : 1;
}

/* Lets the write go on with what is there. */
static LONG Repair(PEXCEPTION_POINTERS Pointers, PVOID Place, PULONG64 Address)
{
    *Address = Pointers->ExceptionRecord->ExceptionInformation[1];
    if (Pointers->ExceptionRecord->ExceptionInformation[0] != 1)
        return EXCEPTION_CONTINUE_SEARCH;
    Pointers->ContextRecord->Rax = (ULONG64)Place;
    return EXCEPTION_CONTINUE_EXECUTION;
}

static void CheckRepair(void)
{
    ULONG64 Place = 0, Address = 0, Used = 0;

    __try {
        StoreAt(&Used);
    } __except (Repair(GetExceptionInformation(), &Place, &Address)) {
        Failed += 100;
    }
    Check(Place == 77 && Address == 0x18 && Used == (ULONG64)&Place,
          "a filter repairs the context, and the instruction is tried again");
}

static ULONG64 Kept[2];

/* What is left in registers over an exception and its handler: a caller's are what they were. */
static __attribute__((noinline)) void CheckRegisters(void)
{
    register ULONG64 Rbx __asm__("rbx") = 0x1111, R12 __asm__("r12") = 0x2222;

    __asm__ volatile("" : "+r"(Rbx), "+r"(R12));
    Check(Caught(0) == (ULONG)STATUS_ACCESS_VIOLATION, "within a frame of registers");
    __asm__ volatile("" : "+r"(Rbx), "+r"(R12));
    Kept[0] = Rbx;
    Kept[1] = R12;
    Check(Kept[0] == 0x1111 && Kept[1] == 0x2222, "registers of callers are what they were");
}

static void CheckExceptions(void)
{
    static const ULONG Codes[] = {STATUS_ACCESS_VIOLATION,
                                  STATUS_INTEGER_DIVIDE_BY_ZERO,
                                  STATUS_PRIVILEGED_INSTRUCTION,
                                  STATUS_ILLEGAL_INSTRUCTION,
                                  STATUS_BREAKPOINT,
                                  STATUS_DISK_FULL,
                                  STATUS_ACCESS_VIOLATION,
                                  STATUS_ACCESS_VIOLATION,
                                  STATUS_ACCESS_VIOLATION};

    for (ULONG Which = 0; Which < RTL_NUMBER_OF(Codes); Which++) {
        if (Caught(Which) != Codes[Which]) {
            Failed++;
            DbgPrint("exception %u: 0x%x\n", Which, Caught(Which));
        }
    }
    CheckRepair();
    CheckRegisters();
}

#pragma clang diagnostic ignored "-Winfinite-recursion"
static __attribute__((noinline)) ULONG Endless(volatile UCHAR *Above)
{
    volatile UCHAR Room[1000];

    Room[0] = *Above;
    return Endless(Room) + Room[0];
}

static void CheckOverflow(void)
{
    volatile UCHAR First = 0;
    ULONG Code = 0;

    __try {
        Endless(&First);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Code = (ULONG)GetExceptionCode();
    }
    Check(Code == (ULONG)STATUS_STACK_OVERFLOW, "a stack that has run out is told to a handler");
}

/* Both dispatchers can be walked through. */
static void CheckDispatchers(void)
{
    ULONG64 Base = 0, Other = 0;

    Check(RtlLookupFunctionEntry((ULONG64)KiUserExceptionDispatcher, &Base, NULL) != NULL &&
              RtlLookupFunctionEntry((ULONG64)KiUserApcDispatcher, &Other, NULL) != NULL && Base == Other && Base != 0,
          "the dispatchers have unwind data");
}

/* A context that asks for more than user mode may have. */
static void CheckContinue(void)
{
    static volatile ULONG Times;
    static CONTEXT Context;
    USHORT Segment;
    ULONG64 Flags;

    Times = 0;
    RtlCaptureContext(&Context);
    __asm__ volatile("mov %%cs, %0" : "=r"(Segment));
    __asm__ volatile("pushfq; pop %0" : "=r"(Flags));
    if (Times++ == 0) {
        Context.SegCs = 0x10;
        Context.SegSs = 0x18;
        Context.EFlags = 0x3000; /* IOPL 3, interrupts off */
        NtContinue(&Context, FALSE);
        Check(FALSE, "NtContinue does not return");
    }
    Check(Segment == 0x33 && (Flags & 0x3200) == 0x200, "a context brings neither the kernel's ring nor its flags");
    Check(NtContinue((PCONTEXT)8, FALSE) == STATUS_ACCESS_VIOLATION, "a context that is not there");
    Check(NtContinue((PCONTEXT)0xFFFFF80000200000, FALSE) == STATUS_ACCESS_VIOLATION, "nor is the kernel's");
    Check(NtRaiseException((PEXCEPTION_RECORD)8, &Context, TRUE) == STATUS_ACCESS_VIOLATION, "an exception's record");
}

/* ---- APCs ---- */

static ULONG64 Order, Arguments[3];
static BOOLEAN Dispatched = TRUE;

static VOID NTAPI Note(PVOID First, PVOID Second, PVOID Third)
{
    Dispatched = Dispatched && (ULONG64)_ReturnAddress() - (ULONG64)KiUserApcDispatcher < 0x40;
    Order = Order * 10 + (ULONG64)First;
    Arguments[0] = (ULONG64)First;
    Arguments[1] = (ULONG64)Second;
    Arguments[2] = (ULONG64)Third;
}

static VOID NTAPI Again(PVOID First, PVOID Second, PVOID Third)
{
    Note(First, Second, Third);
    if ((ULONG64)Second != 0)
        NtQueueApcThread(SELF, (PVOID)Again, First, (PVOID)((ULONG64)Second - 1), NULL);
}

static VOID NTAPI Faults(PVOID First, PVOID Second, PVOID Third)
{
    __try {
        *(volatile ULONG *)First = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Order = Order * 10 + 9;
    }
}

static void Queue(PUSER_APC Routine, ULONG64 First, ULONG64 Second)
{
    Check(NtQueueApcThread(SELF, (PVOID)Routine, (PVOID)First, (PVOID)Second, (PVOID)33) == STATUS_SUCCESS, "queue");
}

static void CheckApcs(void)
{
    Queue(Note, 1, 22);
    Queue(Note, 2, 0);
    Check(Sleep(FALSE, 1) == STATUS_SUCCESS && Order == 0, "a wait that is not alertable brings none");
    Check(Sleep(TRUE, 1000) == STATUS_USER_APC && Order == 12, "one that is brings all, in their order, and ends");
    Check(Dispatched, "called by KiUserApcDispatcher");
    Check(Arguments[0] == 2 && Arguments[1] == 0 && Arguments[2] == 33, "with their arguments");
    Order = 0;
    Queue(Note, 3, 0);
    Check(NtTestAlert() == STATUS_SUCCESS && Order == 3, "NtTestAlert brings them");
    Order = 0;
    Queue(Again, 4, 2);
    Check(Sleep(TRUE, 1) == STATUS_USER_APC && Order == 444, "one may queue the next");
    Order = 0;
    Queue(Faults, 8, 0);
    Queue(Note, 5, 0);
    Check(Sleep(TRUE, 1) == STATUS_USER_APC && Order == 95, "one that handles an exception of its own goes on");
    Check(Sleep(TRUE, 1) == STATUS_SUCCESS, "when there are none the time goes by");
    NtAlertThread(SELF);
    Check(Sleep(TRUE, 1000) == STATUS_ALERTED, "an alert ends an alertable wait");
    Check(NtTestAlert() == STATUS_SUCCESS, "once");
    NtAlertThread(SELF);
    Check(NtTestAlert() == STATUS_ALERTED, "NtTestAlert takes it away");
    Check(NtQueueApcThread(SELF, NULL, NULL, NULL, NULL) == STATUS_INVALID_PARAMETER, "no routine");
    Check(NtQueueApcThread((HANDLE)0x5000, (PVOID)Note, NULL, NULL, NULL) == STATUS_INVALID_HANDLE, "no thread");
}

/* ---- I/O that tells by an APC ---- */

static UCHAR Buffer[4096] __attribute__((aligned(4096)));
static IO_STATUS_BLOCK ReadStatus;

static VOID NTAPI WasRead(PVOID Context, PIO_STATUS_BLOCK IoStatus, ULONG Reserved)
{
    Order = IoStatus == &ReadStatus && IoStatus->Status == 0 && IoStatus->Information == 4096 ? (ULONG64)Context : 1;
}

static void CheckIo(void)
{
    static WCHAR Text[] = L"\\Device\\HarddiskVolume1";
    UNICODE_STRING Name = {sizeof(Text) - 2, sizeof(Text), Text};
    LARGE_INTEGER Offset = {.QuadPart = 0};
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE File = NULL;
    NTSTATUS Status;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = NtCreateFile(&File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                          FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0);
    Check(Status == 0, "an asynchronous open");
    Order = 0;
    Status =
        NtReadFile(File, NULL, (PIO_APC_ROUTINE)(PVOID)WasRead, (PVOID)0x77, &ReadStatus, Buffer, 4096, &Offset, NULL);
    Check(Status == STATUS_PENDING || Status == 0, "a read with an APC");
    while (Order == 0 && NT_SUCCESS(Status))
        Status = Sleep(TRUE, 1000) == STATUS_USER_APC ? Status : STATUS_UNSUCCESSFUL;
    Check(Order == 0x77, "its APC tells that it is done, with its context and status");
    NtReadFile(File, NULL, (PIO_APC_ROUTINE)(PVOID)WasRead, (PVOID)0x78, &ReadStatus, Buffer, 4096, &Offset, NULL);
    NtClose(File); /* the APC outlives the handle */
    Sleep(FALSE, 5);
    Order = 0;
    NtTestAlert();
    Check(Order == 0x78, "one that comes late comes");
}

/* ---- threads ---- */

static volatile LONG Running;

static NTSTATUS NTAPI Second(PVOID Argument)
{
    ULONG64 Here = (ULONG64)&Argument;

    if (Here < __readgsqword(0x08) && Here >= __readgsqword(0x1478) && Caught(0) == (ULONG)STATUS_ACCESS_VIOLATION)
        __sync_fetch_and_add(&Running, (LONG)(ULONG_PTR)Argument);
    RtlExitUserThread(STATUS_SUCCESS);
    return STATUS_UNSUCCESSFUL;
}

static NTSTATUS NTAPI Waits(PVOID Argument)
{
    while (Sleep(TRUE, 100000) != STATUS_ALERTED)
        __sync_fetch_and_add(&Running, 1);
    return STATUS_SUCCESS;
}

static VOID NTAPI Remote(PVOID First, PVOID Other, PVOID Third)
{
    __sync_fetch_and_add(&Running, 100);
}

static BOOLEAN Join(HANDLE Thread)
{
    NTSTATUS Status = NtWaitForSingleObject(Thread, FALSE, NULL);

    return NtClose(Thread) == 0 && Status == 0;
}

static void CheckThreads(void)
{
    HANDLE Threads[8], Thread;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Threads); Index++)
        Check(RtlCreateUserThread(SELF_PROCESS, NULL, FALSE, 0, 0, 0, Second, (PVOID)1, &Threads[Index], NULL) == 0,
              "a thread");
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Threads); Index++)
        Check(Join(Threads[Index]), "it is waited for");
    Check(Running == RTL_NUMBER_OF(Threads), "each ran on a stack of its own, with exceptions of its own");
    Running = 0;
    Check(RtlCreateUserThread(SELF_PROCESS, NULL, FALSE, 0, 0, 0, Waits, NULL, &Thread, NULL) == 0, "one that waits");
    Check(NtQueueApcThread(Thread, (PVOID)Remote, NULL, NULL, NULL) == 0, "an APC for another thread");
    while (Running < 101)
        Sleep(FALSE, 1);
    Check(Running == 101, "runs there, and ends its wait");
    Check(NtAlertThread(Thread) == 0 && Join(Thread), "an alert wakes another thread");
    Check(RtlCreateUserThread(SELF_PROCESS, NULL, FALSE, 0, 0, 0, Waits, NULL, &Thread, NULL) == 0, "another");
    NtQueueApcThread(Thread, (PVOID)Remote, NULL, NULL, NULL);
    Check(NtTerminateThread(Thread, STATUS_CANCELLED) == 0 && Join(Thread), "a thread is ended from outside");
    Check(RtlCreateUserThread(SELF_PROCESS, NULL, FALSE, 0, 0, 0, Waits, NULL, &Thread, &Failed) ==
              STATUS_NOT_IMPLEMENTED,
          "no client id is told");
    Check(RtlCreateUserThread((HANDLE)0x5000, NULL, FALSE, 0, 0, 0, Waits, NULL, &Thread, NULL) ==
              STATUS_INVALID_HANDLE,
          "no process");
    /* Left waiting: the process's end takes it along, with an APC that it never gets. */
    RtlCreateUserThread(SELF_PROCESS, NULL, FALSE, 0, 0, 0, Waits, NULL, &Thread, NULL);
}

NTSTATUS Main(PVOID Peb)
{
    UNREFERENCED_PARAMETER(Peb);
    CheckExceptions();
    CheckOverflow();
    CheckDispatchers();
    CheckContinue();
    CheckApcs();
    CheckIo();
    CheckThreads();
    Queue(Note, 1, 0);
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}
