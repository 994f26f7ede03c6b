// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * user: threads in ring 3.
 *
 * While a thread is in the kernel, KERNEL_GS_BASE is its TEB, and the exit's swapgs makes it the GS base.  It, the stack
 * that a trap from user mode is taken on and the x87 state are changed when a thread that has user mode is switched to:
 * such a thread has an address space of its own, so that switches between the kernel's threads never look.
 *
 * The way back to user mode looks at UserApcPending only; what else is to be done before has that set as well (upcall.c).
 */
#include "kep.h"
#include <usermode.h>

#define MSR_EFER           0xC0000080
#define MSR_STAR           0xC0000081
#define MSR_LSTAR          0xC0000082
#define MSR_FMASK          0xC0000084
#define MSR_KERNEL_GS_BASE 0xC0000102

#define EFER_SYSCALL 1

/* Of the kernel's code and, 16 below the user's code, what sysret counts from. */
#define STAR_SELECTORS (0x0010ull << 32 | 0x0023ull << 48)
/* TF, IF, DF, IOPL, NT, AC: the kernel begins without them. */
#define SYSCALL_FLAGS 0x47700

#define USER_EFLAGS 0x202

#define CR4_UMIP (1u << 11)
#define CR4_SMEP (1u << 20)

#define KI_MAXIMUM_STACK_ARGUMENTS 10

VOID (*KeUserExitRoutine)(VOID);
VOID (*KeUserExceptionRoutine)(NTSTATUS Status);
NTSTATUS (*KeMmGrowStack)(ULONG64 Address, ULONG64 Lowest);

static const KE_SERVICE *KiServices;
static ULONG KiServiceCount;

VOID KeSetServices(const KE_SERVICE *Services, ULONG Count)
{
    KiServices = Services;
    KiServiceCount = Count;
}

VOID KiEnableSystemCalls(VOID)
{
    ULONG Eax = 7, Ebx, Ecx = 0, Edx;
    ULONG64 Cr4 = __readcr4();

    __writemsr(MSR_EFER, __readmsr(MSR_EFER) | EFER_SYSCALL);
    __writemsr(MSR_STAR, STAR_SELECTORS);
    __writemsr(MSR_LSTAR, (ULONG64)KiSystemCall64);
    __writemsr(MSR_FMASK, SYSCALL_FLAGS);
    __writemsr(MSR_KERNEL_GS_BASE, 0);
    __asm__ volatile("cpuid" : "+a"(Eax), "=b"(Ebx), "+c"(Ecx), "=d"(Edx));
    if (Ebx >> 7 & 1) {
        Cr4 |= CR4_SMEP; /* the kernel never runs what a user wrote */
    }
    if (Ecx >> 2 & 1) {
        Cr4 |= CR4_UMIP; /* nor does a user learn where its tables are */
    }
    __writecr4(Cr4);
}

/* DISPATCH_LEVEL, or interrupts off. */
static VOID KiLoadUser(PKTHREAD Thread)
{
    PKPRCB Prcb = KeGetCurrentPrcb();

    Prcb->RspBase = (ULONG64)Thread->InitialStack;
    /* The task state's first stack, which is not aligned. */
    RtlCopyMemory(CONTAINING_RECORD(Prcb, KI_PROCESSOR, Prcb)->Tss + 4, &Prcb->RspBase, sizeof(ULONG64));
    __writemsr(MSR_KERNEL_GS_BASE, (ULONG64)Thread->Teb);
    __asm__ volatile("frstor %0" : : "m"(*(const UCHAR(*)[KE_FLOAT_STATE])Thread->UserFloat));
}

VOID KiSwitchSpace(PKTHREAD Old, PKTHREAD New)
{
    if (Old->UserFloat != NULL) {
        __asm__ volatile("fnsave %0" : "=m"(*(UCHAR(*)[KE_FLOAT_STATE])Old->UserFloat));
    }
    KiLoadSpace(New);
    if (New->UserFloat != NULL) {
        KiLoadUser(New);
    }
}

DECLSPEC_NORETURN VOID KeEnterUserMode(const KE_USER_START *Start)
{
    PKTHREAD Thread = KeGetCurrentThread();
    KTRAP_FRAME Frame = {.SegCs = USER_CODE, .SegSs = USER_DATA, .EFlags = USER_EFLAGS, .MxCsr = 0x1F80};
    PUSHORT Float = Start->FloatState;

    RtlZeroMemory(Float, KE_FLOAT_STATE);
    Float[0] = 0x27F;  /* control word */
    Float[4] = 0xFFFF; /* tags: all registers are empty */
    Thread->PreviousMode = UserMode;
    Thread->UserStackLow = Start->StackLow;
    Thread->UserStackHigh = Start->StackHigh;
    _disable();
    Thread->Teb = Start->Teb;
    Thread->UserFloat = Float;
    KiLoadUser(Thread);
    Frame.Rip = Start->Rip;
    Frame.Rsp = Start->Rsp;
    Frame.Rcx = Start->Rcx;
    Frame.Rdx = Start->Rdx;
    KiEnterUser(&Frame, Thread->InitialStack);
}

NTSTATUS KiCopyFromUser(PVOID To, const VOID *From, SIZE_T Size)
{
    if ((ULONG64)From > KI_HIGHEST_USER - Size) {
        return STATUS_ACCESS_VIOLATION;
    }
    __try {
        RtlCopyMemory(To, From, Size);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* The arguments on the user's stack, above the return address and the room for the first four. */
static NTSTATUS KiCopyArguments(ULONG64 Rsp, PULONG64 Arguments, ULONG64 Count)
{
    ULONG64 Place = Rsp + 5 * sizeof(ULONG64);

    return Place < Rsp ? STATUS_ACCESS_VIOLATION : KiCopyFromUser(Arguments, (PVOID)Place, Count * sizeof(ULONG64));
}

typedef NTSTATUS(NTAPI *KI_FEW)(ULONG64, ULONG64, ULONG64, ULONG64);
typedef NTSTATUS(NTAPI *KI_MANY)(ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64, ULONG64,
                                 ULONG64, ULONG64, ULONG64, ULONG64, ULONG64);

NTSTATUS KiSystemService(PKTRAP_FRAME TrapFrame)
{
    ULONG Number = (ULONG)TrapFrame->Rax;
    ULONG64 A[KI_MAXIMUM_STACK_ARGUMENTS] = {0};
    const KE_SERVICE *Service;
    NTSTATUS Status;

    if (Number >= KiServiceCount) {
        return STATUS_INVALID_SYSTEM_SERVICE;
    }
    Service = &KiServices[Number];
    KeGetCurrentThread()->TrapFrame = TrapFrame;
    if (Service->StackArguments == 0) {
        Status = ((KI_FEW)Service->Routine)(TrapFrame->Rcx, TrapFrame->Rdx, TrapFrame->R8, TrapFrame->R9);
    } else {
        Status = KiCopyArguments(TrapFrame->Rsp, A, Service->StackArguments);
        if (NT_SUCCESS(Status)) {
            Status = ((KI_MANY)Service->Routine)(TrapFrame->Rcx, TrapFrame->Rdx, TrapFrame->R8, TrapFrame->R9, A[0],
                                                 A[1], A[2], A[3], A[4], A[5], A[6], A[7], A[8], A[9]);
        }
    }
    KeAssert(__readcr8() == PASSIVE_LEVEL && KeGetCurrentThread()->CombinedApcDisable == 0);
    return Status;
}

VOID KeForceUserExit(PKTHREAD Thread)
{
    KIRQL OldIrql = KiAcquireDispatcher();

    Thread->Terminating = TRUE;
    Thread->ApcState.UserApcPending = TRUE;
    if (Thread->State == Waiting && Thread->WaitMode == UserMode) {
        KiUnwaitThread(Thread, STATUS_USER_APC, 2);
    }
    KiUnlockDispatcher(OldIrql);
}

VOID KeSignalProcess(PKPROCESS Process)
{
    KIRQL OldIrql = KiAcquireDispatcher();

    Process->Header.SignalState = TRUE;
    if (!IsListEmpty(&Process->Header.WaitListHead)) {
        KiWaitTest(Process, 0);
    }
    KiUnlockDispatcher(OldIrql);
}
