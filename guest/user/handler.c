// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * handler: exceptions of programs.  Handlers are found and unwound to by the kernel's own code (guest/rtl), which is compiled
 * into this library, too; here is what that needs of its surroundings: the two images' tables, and memory that may be read.
 */
#include "ntdllp.h"
#include <rtlp.h>

#define TEB_STACK_BASE         0x0008
#define TEB_DEALLOCATION_STACK 0x1478
#define PEB_IMAGE_BASE         0x0010

extern IMAGE_DOS_HEADER __ImageBase;

NTSTATUS NTAPI NtContinue(PCONTEXT ContextRecord, BOOLEAN TestAlert);
NTSTATUS NTAPI NtRaiseException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord, BOOLEAN FirstChance);
VOID NtdllDispatchException(PEXCEPTION_RECORD Record, PCONTEXT Context);

static ULONG64 NtdllImages[2][2]; /* base and size */

/* A stack that is not one must not make another exception of each that is dispatched. */
static BOOLEAN NtdllRead(PVOID To, ULONG64 From, SIZE_T Size)
{
    ULONG64 Low = __readgsqword(TEB_DEALLOCATION_STACK), High = __readgsqword(TEB_STACK_BASE);
    BOOLEAN Good = From >= Low && From <= High - Size;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(NtdllImages); Index++)
        Good = Good || From - NtdllImages[Index][0] <= NtdllImages[Index][1] - Size;
    if (Good)
        RtlCopyMemory(To, (PVOID)From, Size);
    return Good;
}

static VOID NtdllAddImage(ULONG Index, PVOID Base)
{
    PIMAGE_NT_HEADERS64 Headers = (PIMAGE_NT_HEADERS64)((PUCHAR)Base + ((PIMAGE_DOS_HEADER)Base)->e_lfanew);

    NtdllImages[Index][0] = (ULONG64)Base;
    NtdllImages[Index][1] = Headers->OptionalHeader.SizeOfImage;
    RtlInsertInvertedFunctionTable(Base, Headers->OptionalHeader.SizeOfImage);
}

static VOID NtdllUnhandled(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    NtRaiseException(Record, Context, FALSE);
}

VOID NtdllInitializeExceptions(PVOID Peb)
{
    NtdllAddImage(0, &__ImageBase);
    NtdllAddImage(1, *(PVOID *)((PUCHAR)Peb + PEB_IMAGE_BASE));
    RtlReadMemory = NtdllRead;
    RtlUnhandledException = NtdllUnhandled;
}

/* From KiUserExceptionDispatcher.  Does not return. */
VOID NtdllDispatchException(PEXCEPTION_RECORD Record, PCONTEXT Context)
{
    NTSTATUS Status =
        RtlDispatchException(Record, Context) ? NtContinue(Context, FALSE) : NtRaiseException(Record, Context, FALSE);

    RtlExitUserProcess(Status);
}

/* What guest/rtl asks for when there is nothing else to do: a program has no bugcheck, and no stacks are kept of it. */
DECLSPEC_NORETURN VOID NTAPI KeBugCheckEx(ULONG Code, ULONG_PTR First, ULONG_PTR Second, ULONG_PTR Third,
                                          ULONG_PTR Fourth)
{
    for (;;)
        RtlExitUserProcess((NTSTATUS)First);
}

VOID RtlpForgetBackTraces(VOID)
{
}
