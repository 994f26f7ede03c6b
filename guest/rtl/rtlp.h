/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtl: private declarations. */
#ifndef FLTVM_GUEST_RTLP_H
#define FLTVM_GUEST_RTLP_H

#include "rtl.h"
#include <fltvm.h>

/* FALSE in user mode: some of this is a part of ntdll.dll, too. */
FORCEINLINE BOOLEAN RtlpIsKernel(VOID)
{
    USHORT Segment;

    __asm__("mov %%cs, %0" : "=r"(Segment));
    return (Segment & 3) == 0;
}

/* RtlUpcaseUnicodeChar, ASCII without a call. */
FORCEINLINE WCHAR RtlpUpcase(WCHAR Character)
{
    if (Character < 'a')
        return Character;
    if (Character <= 'z')
        return (WCHAR)(Character - 32);
    return Character < 0x80 ? Character : RtlUpcaseUnicodeChar(Character);
}

/* errno_t, as the C runtime's routines return it. */
#define RTLP_EINVAL 22
#define RTLP_ERANGE 34

/* Tag of the strings that Rtl routines allocate. */
#define RTLP_STRING_TAG 'rtSR'

/* Call a language handler so that an exception or unwind that passes over the call is noticed (context.S). */
EXCEPTION_DISPOSITION RtlpExecuteHandlerForException(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                                     PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext);
EXCEPTION_DISPOSITION RtlpExecuteHandlerForUnwind(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                                  PCONTEXT ContextRecord, PDISPATCHER_CONTEXT DispatcherContext);

/* The function of an image that an address lies in.  A copy: the table may be pageable.  IRQL: any. */
typedef struct _RTLP_FUNCTION {
    ULONG64 ImageBase;
    RUNTIME_FUNCTION Entry;
    PRUNTIME_FUNCTION Address; /* of the entry in its table */
} RTLP_FUNCTION;
BOOLEAN RtlpFindFunction(ULONG64 Pc, RTLP_FUNCTION *Function);

/* Unwind data, copied out of the image: a header, codes, and what may follow them of a chained entry. */
typedef struct _RTLP_UNWIND {
    ULONG64 Address; /* in the image */
    union {
        UNWIND_INFO Info;
        UCHAR Bytes[FIELD_OFFSET(UNWIND_INFO, UnwindCode) + 256 * sizeof(UNWIND_CODE) + sizeof(RUNTIME_FUNCTION)];
    };
} RTLP_UNWIND;
BOOLEAN RtlpReadUnwind(ULONG64 ImageBase, ULONG UnwindData, RTLP_UNWIND *Unwind);

#define RTLP_FLAGS(Info)      ((ULONG)(Info)->VersionAndFlags >> 3)
#define RTLP_IS_CHAINED(Info) ((RTLP_FLAGS(Info) & UNW_FLAG_CHAININFO) != 0)
#define RTLP_MAXIMUM_CHAIN    32

/* Goes on to the entry that a chained one names, in place; *Entry becomes it. */
BOOLEAN RtlpNextUnwind(ULONG64 ImageBase, RTLP_UNWIND *Unwind, PRUNTIME_FUNCTION Entry);

/* RtlVirtualUnwind on a copy of the entry; Trapped: a machine frame was popped, so the code unwound to was trapped. */
PEXCEPTION_ROUTINE RtlpVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                     const RUNTIME_FUNCTION *Function, PCONTEXT Context, PVOID *HandlerData,
                                     PULONG64 EstablisherFrame, PKNONVOLATILE_CONTEXT_POINTERS Pointers,
                                     PBOOLEAN Trapped);

/* Through RtlReadMemory. */
BOOLEAN RtlpRead(PVOID To, ULONG64 From, SIZE_T Size);

/* What a table's maker gives it to call later.  A table that nothing is put into needs no Allocate and no Free. */
FORCEINLINE VOID RtlpCheckTable(PVOID Compare, PVOID Allocate, PVOID Free)
{
    FvCheckRoutine(Compare, "table's compare routine");
    if (Allocate != NULL)
        FvCheckRoutine(Allocate, "table's allocate routine");
    if (Free != NULL)
        FvCheckRoutine(Free, "table's free routine");
}

/* Drops what backtrace.c remembers of an image that goes. */
VOID RtlpForgetBackTraces(VOID);

#endif
