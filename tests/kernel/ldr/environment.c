// SPDX-License-Identifier: GPL-2.0-or-later
/* What a driver finds when it starts: its driver object, its strings, the shared page, version and process. */
#include <ntifs.h>

#include <fltvm.h>

NTSYSAPI PVOID NTAPI RtlPcToFileHeader(PVOID PcValue, PVOID *BaseOfImage);

static BOOLEAN Equals(PCUNICODE_STRING String, PCWSTR Text)
{
    UNICODE_STRING Other;

    RtlInitUnicodeString(&Other, Text);
    return RtlEqualUnicodeString(String, &Other, TRUE);
}

/* Counted, and only counted: who takes the buffer for a C string must not get away with it. */
static BOOLEAN IsCounted(PCUNICODE_STRING String)
{
    return String->Length != 0 && String->MaximumLength == String->Length &&
           String->Buffer[String->Length / sizeof(WCHAR)] != 0;
}

static VOID CheckDriverObject(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    PVOID Image;

    FvCheck(Driver->Type == 4 /* IO_TYPE_DRIVER */ && Driver->Size == sizeof(DRIVER_OBJECT));
    FvCheck(Driver->Flags == 2 /* DRVO_LEGACY_DRIVER */);
    FvCheck(IsCounted(&Driver->DriverName) && Equals(&Driver->DriverName, L"\\Driver\\environment"));
    FvCheck(IsCounted(RegistryPath) &&
            Equals(RegistryPath, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\environment"));
    FvCheck(Driver->HardwareDatabase != NULL &&
            Equals(Driver->HardwareDatabase, L"\\REGISTRY\\MACHINE\\HARDWARE\\DESCRIPTION\\SYSTEM"));
    FvCheck(Driver->DriverStart == RtlPcToFileHeader((PVOID)(ULONG_PTR)CheckDriverObject, &Image));
    FvCheck((ULONG_PTR)CheckDriverObject - (ULONG_PTR)Driver->DriverStart < Driver->DriverSize);
    FvCheck(Driver->DeviceObject == NULL && Driver->FastIoDispatch == NULL && Driver->DriverStartIo == NULL &&
            Driver->DriverUnload == NULL);
    FvCheck(Driver->DriverExtension->DriverObject == Driver && Driver->DriverExtension->AddDevice == NULL &&
            Equals(&Driver->DriverExtension->ServiceKeyName, L"environment"));
    for (ULONG Major = 1; Major <= IRP_MJ_MAXIMUM_FUNCTION; Major++) {
        if (Driver->MajorFunction[Major] != Driver->MajorFunction[0])
            FvCheck(!"every major function has the same default");
    }
}

static VOID CheckVersion(VOID)
{
    RTL_OSVERSIONINFOEXW Version = {.dwOSVersionInfoSize = sizeof(Version)};
    ULONG Major = 0, Minor = 99, Build = 0;
    WCHAR Text[8];
    UNICODE_STRING Service = {0, sizeof(Text), Text};

    FvCheck(RtlGetVersion((PRTL_OSVERSIONINFOW)&Version) == STATUS_SUCCESS);
    FvCheck(Version.dwMajorVersion == 10 && Version.dwMinorVersion == 0 && Version.dwPlatformId == 2);
    FvCheck(!PsGetVersion(&Major, &Minor, &Build, &Service)); /* FALSE: a free build */
    FvCheck(Major == 10 && Minor == 0 && Build == Version.dwBuildNumber);
    FvCheck(!PsGetVersion(NULL, NULL, NULL, NULL)); /* all of them optional */
    FvCheck(SharedUserData->NtMajorVersion == 10 && SharedUserData->NtMinorVersion == 0);
    FvCheck(SharedUserData->NtSystemRoot[1] == L':' && SharedUserData->NtSystemRoot[2] == L'\\');
    FvCheck(!KD_DEBUGGER_ENABLED || KD_DEBUGGER_NOT_PRESENT);
}

static VOID CheckProcess(VOID)
{
    PEPROCESS Process = NULL;

    FvCheck(KeGetCurrentIrql() == PASSIVE_LEVEL && !KeAreApcsDisabled() && IoGetTopLevelIrp() == NULL);
    FvCheck(ExGetPreviousMode() == KernelMode && PsIsSystemThread(PsGetCurrentThread()));
    FvCheck(PsGetCurrentProcess() == PsInitialSystemProcess && IoGetCurrentProcess() == PsInitialSystemProcess);
    FvCheck(PsGetCurrentProcessId() == PsGetProcessId(PsInitialSystemProcess));
    FvCheck(PsLookupProcessByProcessId(PsGetCurrentProcessId(), &Process) == STATUS_SUCCESS &&
            Process == PsInitialSystemProcess);
    ObDereferenceObject(Process);
    FvCheck(PsLookupProcessByProcessId((HANDLE)0x7FF0, &Process) == STATUS_INVALID_CID);
    FvCheck(PsGetProcessExitStatus(PsInitialSystemProcess) == STATUS_PENDING);
    FvCheck(IoThreadToProcess(PsGetCurrentThread()) == PsInitialSystemProcess);
}

static VOID NTAPI OnProcess(HANDLE Parent, HANDLE Process, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(Parent);
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Create);
}

static VOID NTAPI OnThread(HANDLE Process, HANDLE Thread, BOOLEAN Create)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Thread);
    UNREFERENCED_PARAMETER(Create);
}

static VOID CheckNotify(VOID)
{
    FvCheck(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsSetCreateProcessNotifyRoutine(NULL, TRUE) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsSetCreateProcessNotifyRoutine(OnProcess, FALSE) == STATUS_SUCCESS);
    FvCheck(PsSetCreateProcessNotifyRoutine(OnProcess, FALSE) == STATUS_INVALID_PARAMETER); /* registered already */
    FvCheck(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE) == STATUS_SUCCESS);
    FvCheck(PsSetCreateProcessNotifyRoutine(OnProcess, TRUE) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsRemoveCreateThreadNotifyRoutine(OnThread) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsRemoveCreateThreadNotifyRoutine(NULL) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsSetCreateThreadNotifyRoutine(OnThread) == STATUS_SUCCESS);
    FvCheck(PsRemoveCreateThreadNotifyRoutine(OnThread) == STATUS_SUCCESS);
    FvCheck(PsRemoveCreateThreadNotifyRoutine(OnThread) == STATUS_PROCEDURE_NOT_FOUND);
}

/* The hash is the sum of the frames' low halves; nothing captured, nothing written. */
static VOID CheckBackTrace(VOID)
{
    PVOID Frames[16];
    ULONG Hash = 0x5A5A, Sum = 0;
    USHORT Count;

    FvCheck(RtlCaptureStackBackTrace(0, 0, Frames, &Hash) == 0 && Hash == 0x5A5A);
    Count = RtlCaptureStackBackTrace(0, RTL_NUMBER_OF(Frames), Frames, &Hash);
    for (ULONG Index = 0; Index < Count; Index++)
        Sum += (ULONG)(ULONG_PTR)Frames[Index];
    FvCheck(Count >= 2 && Hash == Sum);
    FvCheck(RtlWalkFrameChain(Frames, RTL_NUMBER_OF(Frames), 0) >= 2);
    FvCheck(RtlWalkFrameChain(NULL, RTL_NUMBER_OF(Frames), 0) == 0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(40);
    CheckDriverObject(DriverObject, RegistryPath);
    CheckVersion();
    CheckProcess();
    CheckNotify();
    CheckBackTrace();
    return STATUS_SUCCESS;
}
