// SPDX-License-Identifier: GPL-2.0-or-later
/* Event tracing without sessions: registrations are real, and nobody listens. */
#include <ntifs.h>

#include <fltvm.h>

static const GUID Provider = {0x1d6a5f1e, 0x7e4c, 0x4a55, {0x80, 0x11, 0x5a, 0x2b, 0x3c, 0x4d, 0x5e, 0x6f}};
static ULONG Called;

static VOID NTAPI Enable(LPCGUID SourceId, ULONG ControlCode, UCHAR Level, ULONGLONG Any, ULONGLONG All,
                         PEVENT_FILTER_DESCRIPTOR Filter, PVOID Context)
{
    UNREFERENCED_PARAMETER(SourceId);
    UNREFERENCED_PARAMETER(ControlCode);
    UNREFERENCED_PARAMETER(Level);
    UNREFERENCED_PARAMETER(Any);
    UNREFERENCED_PARAMETER(All);
    UNREFERENCED_PARAMETER(Filter);
    UNREFERENCED_PARAMETER(Context);
    Called++;
}

static VOID CheckWrites(REGHANDLE Handle, NTSTATUS Expected)
{
    EVENT_DESCRIPTOR Event = {.Id = 1, .Level = 4, .Keyword = 1};
    EVENT_DATA_DESCRIPTOR Data = {.Ptr = (ULONG_PTR)&Provider, .Size = sizeof(Provider)};

    FvCheck(EtwWrite(Handle, &Event, NULL, 1, &Data) == Expected);
    FvCheck(EtwWriteTransfer(Handle, &Event, NULL, &Provider, 1, &Data) == Expected);
    FvCheck(EtwWriteEx(Handle, &Event, 0, 0, NULL, NULL, 1, &Data) == Expected);
    FvCheck(EtwWriteString(Handle, 4, 1, NULL, L"text") == Expected);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    EVENT_DESCRIPTOR Event = {.Id = 1};
    REGHANDLE First = 0, Second = 0, Again = 0;
    KIRQL OldIrql;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(29);
    FvCheck(EtwRegister(NULL, Enable, NULL, &First) == STATUS_INVALID_PARAMETER);
    FvCheck(EtwRegister(&Provider, Enable, NULL, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(EtwRegister(&Provider, Enable, NULL, &First) == STATUS_SUCCESS && First != 0);
    FvCheck(EtwRegister(&Provider, NULL, NULL, &Second) == STATUS_SUCCESS && Second != First);
    FvCheck(!EtwProviderEnabled(First, 0, 0) && !EtwEventEnabled(First, &Event));
    CheckWrites(First, STATUS_SUCCESS);
    KeRaiseIrql(HIGH_LEVEL, &OldIrql);
    CheckWrites(Second, STATUS_SUCCESS);
    KeLowerIrql(OldIrql);
    FvCheck(EtwWrite(First, NULL, NULL, 0, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(EtwWrite(First, &Event, NULL, 1, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(EtwWriteString(First, 4, 1, NULL, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(EtwUnregister(First) == STATUS_SUCCESS);
    FvCheck(EtwUnregister(First) == STATUS_INVALID_HANDLE);
    CheckWrites(First, STATUS_INVALID_HANDLE);
    FvCheck(EtwRegister(&Provider, Enable, NULL, &Again) == STATUS_SUCCESS && Again != First);
    FvCheck(EtwUnregister(0) == STATUS_INVALID_HANDLE && EtwUnregister(~0ULL) == STATUS_INVALID_HANDLE);
    FvCheck(EtwWrite(0xffffffff00000000, &Event, NULL, 0, NULL) == STATUS_INVALID_HANDLE);
    FvCheck(EtwUnregister(Second) == STATUS_SUCCESS);
    FvCheck(EtwUnregister(Again) == STATUS_SUCCESS);
    FvCheck(EtwEventEnabled(Again, &Event) == FALSE);
    FvCheck(Called == 0);
    return STATUS_SUCCESS;
}
