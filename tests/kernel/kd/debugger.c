// SPDX-License-Identifier: GPL-2.0-or-later
/* What a driver asks of a debugger that is not there, and prints for one. */
#include <ntifs.h>
#include <ntddk.h>
#include <stdarg.h>

#include <fltvm.h>

NTSYSAPI VOID NTAPI DbgBreakPointWithStatus(ULONG Status);
NTSYSAPI ULONG __cdecl DbgPrintReturnControlC(PCCH Format, ...);
NTSYSAPI ULONG NTAPI vDbgPrintExWithPrefix(PCCH Prefix, ULONG Component, ULONG Level, PCCH Format, va_list List);

static ULONG Print(PCCH Prefix, ULONG Level, PCCH Format, ...)
{
    va_list List;
    ULONG Status;

    va_start(List, Format);
    Status = vDbgPrintExWithPrefix(Prefix, DPFLTR_IHVDRIVER_ID, Level, Format, List);
    va_end(List);
    return Status;
}

/* Nobody is there to stop for: it is an exception, which a driver may catch. */
static VOID CheckBreakPoints(VOID)
{
    volatile NTSTATUS Caught[2] = {0, 0};

    __try {
        DbgBreakPoint();
    } __except (Caught[0] = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
    }
    __try {
        DbgBreakPointWithStatus(DBG_STATUS_CONTROL_C);
    } __except (Caught[1] = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
    }
    FvCheck(Caught[0] == STATUS_BREAKPOINT);
    FvCheck(Caught[1] == STATUS_BREAKPOINT);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    BOOLEAN Option = TRUE;
    ULONG Needed = 7;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(11);
    FvCheck(!KdDebuggerEnabled);
    FvCheck(KdDebuggerNotPresent);
    FvCheck(KdRefreshDebuggerNotPresent());
    FvCheck(KdDisableDebugger() == STATUS_DEBUGGER_INACTIVE);
    FvCheck(KdEnableDebugger() == STATUS_DEBUGGER_INACTIVE);
    FvCheck(KdChangeOption(0, sizeof(Option), &Option, 0, NULL, &Needed) == STATUS_DEBUGGER_INACTIVE);
    CheckBreakPoints();
    FvCheck(Print("debugger: ", DPFLTR_ERROR_LEVEL, "printed %u\n", 42) == STATUS_SUCCESS);
    FvCheck(Print("debugger: ", DPFLTR_INFO_LEVEL, "masked %u\n", 43) == STATUS_SUCCESS);
    FvCheck(DbgPrintReturnControlC("debugger: returned %s\n", "well") == STATUS_SUCCESS);
    return STATUS_SUCCESS;
}
