// SPDX-License-Identifier: GPL-2.0-or-later
/* TraceLogging's provider: registered, asked and unregistered; fields of an event that nobody listens to are not evaluated. */
#include <ntifs.h>
#include <TraceLoggingProvider.h>
#include <winmeta.h>

#include <fltvm.h>

TRACELOGGING_DECLARE_PROVIDER(Provider);
TRACELOGGING_DEFINE_PROVIDER(Provider, "Fltvm.Test", (0xb3864c38, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));

static ULONG Evaluated;

static ULONG Evaluate(VOID)
{
    return ++Evaluated;
}

static VOID CheckWrites(VOID)
{
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    TraceLoggingWrite(Provider, "Event", TraceLoggingLevel(WINEVENT_LEVEL_ERROR),
                      TraceLoggingUInt32(Evaluate(), "Count"));
    TraceLoggingWriteActivity(Provider, "Event", NULL, NULL, TraceLoggingUInt32(Evaluate()));
    FvCheck(Evaluated == 0 && !TraceLoggingProviderEnabled(Provider, WINEVENT_LEVEL_ERROR, 0));
    KeLowerIrql(Irql);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    GUID Id = TraceLoggingProviderId(Provider);
    REGHANDLE First;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(9);
    FvCheck(Id.Data1 == 0xb3864c38 && Id.Data4[7] == 10);
    CheckWrites();
    TraceLoggingUnregister(Provider); /* nothing happens */
    FvCheck(TraceLoggingRegister(Provider) == STATUS_SUCCESS && Provider->Handle != 0);
    First = Provider->Handle;
    FvCheck(EtwWriteString(First, 0, 0, NULL, L"text") == STATUS_SUCCESS);
    CheckWrites();
    TraceLoggingUnregister(Provider);
    FvCheck(Provider->Handle == 0);
    FvCheck(EtwWriteString(First, 0, 0, NULL, L"text") == STATUS_INVALID_HANDLE);
    FvCheck(TraceLoggingRegisterEx(Provider, NULL, NULL) == STATUS_SUCCESS && Provider->Handle != First);
    TraceLoggingUnregister(Provider);
    CheckWrites();
    return STATUS_SUCCESS;
}
