/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * print: DbgPrint and its kind.  Each call is one LOG record; the host breaks it into lines.  DbgPrintEx
 * obeys the component's level mask as Windows does: by default errors only (DPFLTR_ERROR_LEVEL), DbgPrint
 * always shows here.
 */
#include "kdp.h"

#define KD_MESSAGE_SIZE 512 /* Windows's own limit of one call */
#define KD_COMPONENTS   160
#define KD_DEFAULT_MASK 0x1 /* bit DPFLTR_ERROR_LEVEL */

static ULONG KdpFilterMask[KD_COMPONENTS];
static ULONG KdpGlobalMask = KD_DEFAULT_MASK;

static BOOLEAN KdpPasses(ULONG ComponentId, ULONG Level)
{
    ULONG Bit = Level < 32 ? 1u << Level : Level;
    ULONG Mask = ComponentId < KD_COMPONENTS ? KdpFilterMask[ComponentId] : 0;

    return ((Mask | KdpGlobalMask) & Bit) != 0;
}

static VOID KdpSendText(PCSTR Text, ULONG Length, ULONG ComponentId, ULONG Level, PVOID Caller)
{
    struct fltvm_log_header Header;
    KD_SEGMENT Segments[2] = {{&Header, sizeof(Header)}, {Text, Length}};

    Header.thread = __readgsqword(FLTVM_TRACEPOINT_GS_THREAD);
    Header.caller = (ULONG64)Caller;
    Header.irql = (UCHAR)__readcr8();
    Header.level = (UCHAR)Level;
    Header.component = (USHORT)ComponentId;
    Header.reserved = 0;
    if (!KdLinkSend(FLTVM_RECORD_LOG, 2, Segments)) {
        KdpPutText(Text, Length);
    }
}

static ULONG KdpPrint(PCSTR Prefix, ULONG ComponentId, ULONG Level, PCSTR Format, va_list Arguments, PVOID Caller)
{
    CHAR Text[KD_MESSAGE_SIZE];
    ULONG Length = (ULONG)strlen(Prefix);
    int Written;

    if (Length > sizeof(Text) / 2) {
        Length = sizeof(Text) / 2;
    }
    RtlCopyMemory(Text, Prefix, Length);
    Written = _vsnprintf(Text + Length, sizeof(Text) - Length, Format, Arguments);
    if (Written < 0 || Written > (int)(sizeof(Text) - Length)) {
        Written = (int)(sizeof(Text) - Length);
        Text[sizeof(Text) - 1] = '\n';
    }
    KdpSendText(Text, Length + (ULONG)Written, ComponentId, Level, Caller);
    return STATUS_SUCCESS;
}

ULONG __cdecl DbgPrint(PCSTR Format, ...)
{
    va_list Arguments;
    ULONG Status;

    va_start(Arguments, Format);
    Status = KdpPrint("", DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, Arguments, _ReturnAddress());
    va_end(Arguments);
    return Status;
}

ULONG __cdecl DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list Arguments;
    ULONG Status = STATUS_SUCCESS;

    if (KdpPasses(ComponentId, Level)) {
        va_start(Arguments, Format);
        Status = KdpPrint("", ComponentId, Level, Format, Arguments, _ReturnAddress());
        va_end(Arguments);
    }
    return Status;
}

ULONG NTAPI vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format, va_list ArgList)
{
    if (!KdpPasses(ComponentId, Level)) {
        return STATUS_SUCCESS;
    }
    return KdpPrint(Prefix, ComponentId, Level, Format, ArgList, _ReturnAddress());
}

ULONG NTAPI vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list ArgList)
{
    if (!KdpPasses(ComponentId, Level)) {
        return STATUS_SUCCESS;
    }
    return KdpPrint("", ComponentId, Level, Format, ArgList, _ReturnAddress());
}

ULONG __cdecl DbgPrintReturnControlC(PCCH Format, ...)
{
    va_list Arguments;
    ULONG Status;

    va_start(Arguments, Format);
    Status = KdpPrint("", DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, Arguments, _ReturnAddress());
    va_end(Arguments);
    return Status;
}

NTSTATUS NTAPI DbgQueryDebugFilterState(ULONG ComponentId, ULONG Level)
{
    return KdpPasses(ComponentId, Level);
}

NTSTATUS NTAPI DbgSetDebugFilterState(ULONG ComponentId, ULONG Level, BOOLEAN State)
{
    ULONG Bit = Level < 32 ? 1u << Level : Level;

    if (ComponentId >= KD_COMPONENTS) {
        return STATUS_INVALID_PARAMETER_1;
    }
    if (State) {
        KdpFilterMask[ComponentId] |= Bit;
    } else {
        KdpFilterMask[ComponentId] &= ~Bit;
    }
    return STATUS_SUCCESS;
}

/* ---- the debugger that is not there (gdb is beneath the machine, not in it) ---- */

BOOLEAN KdDebuggerEnabledValue __asm__("KdDebuggerEnabled") = FALSE;
BOOLEAN KdDebuggerNotPresentValue __asm__("KdDebuggerNotPresent") = TRUE;

BOOLEAN NTAPI KdRefreshDebuggerNotPresent(VOID)
{
    return TRUE;
}

NTSTATUS NTAPI KdDisableDebugger(VOID)
{
    return STATUS_DEBUGGER_INACTIVE;
}

NTSTATUS NTAPI KdEnableDebugger(VOID)
{
    return STATUS_DEBUGGER_INACTIVE;
}

NTSTATUS NTAPI KdChangeOption(KD_OPTION Option, ULONG InBufferBytes, PVOID InBuffer, ULONG OutBufferBytes,
                              PVOID OutBuffer, PULONG OutBufferNeeded)
{
    return STATUS_DEBUGGER_INACTIVE;
}

#undef DbgBreakPoint
VOID NTAPI DbgBreakPoint(VOID)
{
    __debugbreak();
}

VOID NTAPI DbgBreakPointWithStatus(ULONG Status)
{
    __debugbreak();
}
