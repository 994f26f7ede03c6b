/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtl: what the run-time library offers the rest of the kernel beyond its documented routines.
 *
 * The x64 unwinding types (the public exception-handling ABI) and the routines over them, the table of
 * images that have unwind data, and the compiler's support routines.
 *
 * Rules for unwinding
 *  - RtlLookupFunctionEntry and RtlVirtualUnwind may be called at any IRQL, from an NMI too: they take no
 *    lock and touch only the table, the images and the stack unwound.
 *  - RtlDispatchException runs on the stack of the code that raised, at its IRQL, and needs about 6 KiB of it.
 *  - Every assembly routine that calls or moves rsp has .seh_ directives; entries from hardware use
 *    .seh_pushframe.
 */
#ifndef FLTVM_GUEST_RTL_H
#define FLTVM_GUEST_RTL_H

#include <stdarg.h>
#include <ntifs.h>

/* ---- Unwind data, as it stands in .pdata and .xdata ---- */
typedef struct _RUNTIME_FUNCTION {
    ULONG BeginAddress;
    ULONG EndAddress;
    ULONG UnwindData;
} RUNTIME_FUNCTION, *PRUNTIME_FUNCTION;
C_ASSERT(sizeof(RUNTIME_FUNCTION) == 12);

#define RUNTIME_FUNCTION_INDIRECT 0x1

typedef union _UNWIND_CODE {
    struct {
        UCHAR CodeOffset;
        UCHAR OpAndInfo; /* operation in the low half, operand in the high one */
    };
    USHORT FrameOffset;
} UNWIND_CODE, *PUNWIND_CODE;
C_ASSERT(sizeof(UNWIND_CODE) == 2);

typedef struct _UNWIND_INFO {
    UCHAR VersionAndFlags; /* version: 3 bits, UNW_FLAG_*: 5 bits */
    UCHAR SizeOfProlog;
    UCHAR CountOfCodes;
    UCHAR FrameRegisterAndOffset; /* register: 4 bits, offset / 16: 4 bits */
    UNWIND_CODE UnwindCode[ANYSIZE_ARRAY];
} UNWIND_INFO, *PUNWIND_INFO;

#define UNW_FLAG_NHANDLER  0x0
#define UNW_FLAG_EHANDLER  0x1
#define UNW_FLAG_UHANDLER  0x2
#define UNW_FLAG_CHAININFO 0x4

#define UWOP_PUSH_NONVOL     0
#define UWOP_ALLOC_LARGE     1
#define UWOP_ALLOC_SMALL     2
#define UWOP_SET_FPREG       3
#define UWOP_SAVE_NONVOL     4
#define UWOP_SAVE_NONVOL_FAR 5
#define UWOP_EPILOG          6 /* version 2; in version 1 an obsolete 8-byte xmm save */
#define UWOP_SPARE           7
#define UWOP_SAVE_XMM128     8
#define UWOP_SAVE_XMM128_FAR 9
#define UWOP_PUSH_MACHFRAME  10

#define EXCEPTION_UNWIND_FLAGS                                                                                         \
    (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND | EXCEPTION_TARGET_UNWIND | EXCEPTION_COLLIDED_UNWIND)

typedef struct _UNWIND_HISTORY_TABLE *PUNWIND_HISTORY_TABLE; /* accepted and not used */

typedef struct _DISPATCHER_CONTEXT {
    ULONG64 ControlPc;
    ULONG64 ImageBase;
    PRUNTIME_FUNCTION FunctionEntry;
    ULONG64 EstablisherFrame;
    ULONG64 TargetIp;
    PCONTEXT ContextRecord;
    PEXCEPTION_ROUTINE LanguageHandler;
    PVOID HandlerData;
    PUNWIND_HISTORY_TABLE HistoryTable;
    ULONG ScopeIndex;
    ULONG Fill0;
} DISPATCHER_CONTEXT, *PDISPATCHER_CONTEXT;
C_ASSERT(FIELD_OFFSET(DISPATCHER_CONTEXT, LanguageHandler) == 0x30);

typedef struct _KNONVOLATILE_CONTEXT_POINTERS {
    PM128A FloatingContext[16];
    PULONG64 IntegerContext[16];
} KNONVOLATILE_CONTEXT_POINTERS, *PKNONVOLATILE_CONTEXT_POINTERS;

/* Scope table of __C_specific_handler. */
typedef struct _SCOPE_TABLE_AMD64 {
    ULONG Count;
    struct {
        ULONG BeginAddress;
        ULONG EndAddress;
        ULONG HandlerAddress; /* filter (1: always execute), or the __finally when JumpTarget is 0 */
        ULONG JumpTarget;
    } ScopeRecord[ANYSIZE_ARRAY];
} SCOPE_TABLE_AMD64, *PSCOPE_TABLE_AMD64;

/* ---- Images with unwind data ---- */

/* IRQL: any; interrupts may be on.  FALSE: table full, or the image's exception directory is malformed. */
BOOLEAN RtlInsertInvertedFunctionTable(PVOID ImageBase, ULONG SizeOfImage);
VOID RtlRemoveInvertedFunctionTable(PVOID ImageBase);

/* The base of the image that holds an address, also in *BaseOfImage; NULL when none does.  IRQL: any. */
PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage);

/* IRQL: any. */
PRUNTIME_FUNCTION NTAPI RtlLookupFunctionEntry(ULONG64 ControlPc, PULONG64 ImageBase,
                                               PUNWIND_HISTORY_TABLE HistoryTable);
PEXCEPTION_ROUTINE NTAPI RtlVirtualUnwind(ULONG HandlerType, ULONG64 ImageBase, ULONG64 ControlPc,
                                          PRUNTIME_FUNCTION FunctionEntry, PCONTEXT ContextRecord, PVOID *HandlerData,
                                          PULONG64 EstablisherFrame, PKNONVOLATILE_CONTEXT_POINTERS ContextPointers);

/*
 * Reads memory without ever faulting, what is pageable or discarded too; FALSE when nothing is there.  Set by mm; until
 * then the unwinder reads plainly.  IRQL: any.
 */
extern BOOLEAN (*RtlReadMemory)(PVOID To, ULONG64 From, SIZE_T Size);

/* What a frame is to the one inside it: the end of the stack, a caller, or code that a trap interrupted. */
typedef enum _RTL_FRAME { RtlFrameEnd, RtlFrameCaller, RtlFrameTrapped } RTL_FRAME;

/*
 * Unwinds Context to its caller (leaf functions too) and says what that is.  Inner: what Context itself is; code that
 * was trapped outside of all images was called or jumped to there, and is unwound as a leaf.  Whatever the registers
 * hold, it does not fault.  IRQL: any.
 */
RTL_FRAME RtlUnwindFrame(PCONTEXT Context, RTL_FRAME Inner);

/*
 * Stores the instruction addresses of Context and its callers, innermost first; returns how many.  A bit of *Trapped
 * (if given; the first 64) is set for an address that is an instruction's, not a return address: Context's own, and
 * that of code which a trap interrupted.  Context is consumed.  IRQL: any.
 */
ULONG RtlWalkStack(PCONTEXT Context, PVOID *Frames, ULONG Count, PULONG64 Trapped);

/* Is an address in an image that of an instruction behind a call?  FALSE at a function's begin and in leafs.  IRQL: any. */
BOOLEAN RtlIsReturnAddress(ULONG64 Address);

/*
 * For who keeps traces under numbers: the number of the current one, of at most RTL_NUMBERED_FRAMES frames; 0: none.  Number
 * gives it, and the same for the same trace, or 0; it is asked when the trace is not one of the last ones, at the caller's
 * IRQL.  The hash has 64 bits, good enough to tell traces apart.  All calls must pass the same Number.  IRQL: any.
 */
#define RTL_NUMBERED_FRAMES 8
typedef ULONG (*PRTL_NUMBER_STACK)(PVOID *Frames, ULONG Count, ULONG64 Hash);
ULONG RtlNumberStack(ULONG Skip, PRTL_NUMBER_STACK Number);

/* ---- Exceptions ---- */

/*
 * Finds a handler for the exception.  TRUE: continue execution with *ContextRecord.  FALSE: nobody handled it.
 * Does not return when a handler takes it.  IRQL: that of the code that raised.
 */
BOOLEAN RtlDispatchException(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);

/* Called when a software exception (RtlRaiseException, ExRaiseStatus) finds no handler; set by ke. */
extern VOID (*RtlUnhandledException)(PEXCEPTION_RECORD ExceptionRecord, PCONTEXT ContextRecord);

DECLSPEC_NORETURN VOID NTAPI RtlRestoreContext(PCONTEXT ContextRecord, PEXCEPTION_RECORD ExceptionRecord);
VOID NTAPI RtlUnwind(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord, PVOID ReturnValue);
VOID NTAPI RtlUnwindEx(PVOID TargetFrame, PVOID TargetIp, PEXCEPTION_RECORD ExceptionRecord, PVOID ReturnValue,
                       PCONTEXT ContextRecord, PUNWIND_HISTORY_TABLE HistoryTable);
VOID NTAPI RtlRaiseException(PEXCEPTION_RECORD ExceptionRecord);
DECLSPEC_NORETURN VOID NTAPI RtlRaiseStatus(NTSTATUS Status);

/* ---- Altitudes, as routines are registered with.  Compared: below 0, 0, above 0.  IRQL: any, for resident text ---- */
BOOLEAN RtlIsAltitude(PCUNICODE_STRING Text);
LONG RtlCompareAltitudes(PCUNICODE_STRING Left, PCUNICODE_STRING Right);

/* ---- C runtime that has no declaration in the public headers.  IRQL: any, for resident text ---- */
int _snprintf(char *Buffer, size_t Count, const char *Format, ...);
int _snwprintf(wchar_t *Buffer, size_t Count, const wchar_t *Format, ...);
unsigned long long _strtoui64(const char *Text, char **End, int Base);
int _vsnprintf(char *Buffer, size_t Count, const char *Format, va_list Arguments);

#endif
