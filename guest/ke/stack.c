/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stack: calls on a larger stack.
 */
#include "kep.h"

PVOID (*KiCreateStack)(ULONG Size);
VOID (*KiDeleteStack)(PVOID Base, ULONG Size);

#define KI_STACK_RESERVE 0x1000 /* left to the system when a callout runs on the present stack */

typedef struct _KI_CALLOUT {
    PEXPAND_STACK_CALLOUT Callout;
    PVOID Parameter;
} KI_CALLOUT;

static ULONG_PTR KiRemainingStack(VOID)
{
    return (ULONG_PTR)__builtin_frame_address(0) - (ULONG_PTR)KeGetCurrentThread()->StackLimit;
}

static VOID KiRunCallout(PVOID Parameter)
{
    KI_CALLOUT *Call = Parameter;

    Call->Callout(Call->Parameter);
}

static VOID KiCallOnNewStack(KI_CALLOUT *Call, PVOID Base, ULONG Size)
{
    PKTHREAD Thread = KeGetCurrentThread();
    PVOID OldLimit = Thread->StackLimit, OldBase = Thread->StackBase;
    BOOLEAN Enabled = KiDisableInterrupts();

    Thread->StackLimit = (PUCHAR)Base - Size;
    Thread->StackBase = Base;
    KiRestoreInterrupts(Enabled);
    KiCallOnStack((PVOID)KiRunCallout, Call, Base);
    Enabled = KiDisableInterrupts();
    Thread->StackLimit = OldLimit;
    Thread->StackBase = OldBase;
    KiRestoreInterrupts(Enabled);
}

NTSTATUS NTAPI KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size,
                                               BOOLEAN Wait, PVOID Context)
{
    KI_CALLOUT Call = {Callout, Parameter};
    KIRQL Irql = (KIRQL)__readcr8();
    PVOID Base;

    KeCheckRoutine((PVOID)Callout, "callout");
    if (Irql > DISPATCH_LEVEL || (Wait && Irql > APC_LEVEL)) {
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Callout, Irql, 0, (ULONG_PTR)_ReturnAddress());
    }
    if (Size > MAXIMUM_EXPANSION_SIZE) {
        return STATUS_INVALID_PARAMETER_3;
    }
    if (KiRemainingStack() >= Size + KI_STACK_RESERVE) {
        Callout(Parameter);
        return STATUS_SUCCESS;
    }
    if (KiCreateStack == NULL || Irql == DISPATCH_LEVEL) {
        return STATUS_NO_MEMORY;
    }
    Base = KiCreateStack(KERNEL_LARGE_STACK_SIZE);
    if (Base == NULL) {
        return STATUS_NO_MEMORY;
    }
    KiCallOnNewStack(&Call, Base, KERNEL_LARGE_STACK_SIZE);
    KiDeleteStack(Base, KERNEL_LARGE_STACK_SIZE);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI KeExpandKernelStackAndCallout(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter, SIZE_T Size)
{
    return KeExpandKernelStackAndCalloutEx(Callout, Parameter, Size, FALSE, NULL);
}

ULONG NTAPI FvCaptureStackBackTrace(ULONG Skip, ULONG Count, PVOID *Frames)
{
    return RtlCaptureStackBackTrace(Skip + 1, Count, Frames, NULL);
}
