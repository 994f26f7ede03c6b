// SPDX-License-Identifier: GPL-2.0-or-later
/* What the system tells: modules by ZwQuerySystemInformation and by aux_klib, processes, processors, time; and processor groups. */
#include <ntifs.h>
#include <aux_klib.h>
#include <procgrp.h>

#include <fltvm.h>

NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG Class, PVOID Information, ULONG Length, PULONG ReturnLength);
NTSYSAPI NTSTATUS NTAPI NtQuerySystemInformation(ULONG Class, PVOID Information, ULONG Length, PULONG ReturnLength);
extern __declspec(dllimport) ULONG_PTR KiBugCheckData[5];

static UCHAR Buffer[0x8000];

static VOID CheckAux(PDRIVER_OBJECT DriverObject)
{
    PAUX_MODULE_EXTENDED_INFO Modules = (PAUX_MODULE_EXTENDED_INFO)Buffer;
    KBUGCHECK_DATA Data = {.BugCheckDataSize = sizeof(Data) - 1};
    ULONG Size = 0, Basic = 0, Own = MAXULONG, Kernel = MAXULONG, Returned;
    PIMAGE_EXPORT_DIRECTORY Exports;
    PUCHAR Base;

    FvCheck(AuxKlibQueryModuleInformation(&Size, sizeof(*Modules), NULL) == STATUS_UNSUCCESSFUL);
    FvCheck(AuxKlibGetBugCheckData(&Data) == STATUS_UNSUCCESSFUL);
    FvCheck(AuxKlibInitialize() == STATUS_SUCCESS);
    FvCheck(AuxKlibQueryModuleInformation(&Size, 17, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(AuxKlibQueryModuleInformation(&Size, sizeof(*Modules), NULL) == STATUS_SUCCESS &&
            Size >= 3 * sizeof(*Modules));
    FvCheck(AuxKlibQueryModuleInformation(&Basic, sizeof(AUX_MODULE_BASIC_INFO), NULL) == STATUS_SUCCESS &&
            Basic / sizeof(AUX_MODULE_BASIC_INFO) == Size / sizeof(*Modules));
    Basic = Size - 1;
    FvCheck(AuxKlibQueryModuleInformation(&Basic, sizeof(*Modules), Modules) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(AuxKlibQueryModuleInformation(&Size, sizeof(*Modules), Modules) == STATUS_SUCCESS);
    for (ULONG I = 0; I < Size / sizeof(*Modules); I++) {
        PCSTR Name = (PCSTR)Modules[I].FullPathName + Modules[I].FileNameOffset;

        if (strcmp(Name, "ntoskrnl.exe") == 0)
            Kernel = I;
        if (Modules[I].BasicInfo.ImageBase == DriverObject->DriverStart &&
            Modules[I].ImageSize == DriverObject->DriverSize && strstr(Name, ".sys") != NULL)
            Own = I;
    }
    FvCheck(Kernel == 0 && Own != MAXULONG);
    Base = Modules[0].BasicInfo.ImageBase;
    Exports = AuxKlibGetImageExportDirectory(Base);
    FvCheck(Exports != NULL && strcmp((PCSTR)Base + Exports->Name, "ntoskrnl.exe") == 0 &&
            Exports->NumberOfNames > 1000);
    FvCheck(AuxKlibGetImageExportDirectory(DriverObject->DriverStart) == NULL); /* exports nothing */
    FvCheck(AuxKlibGetImageExportDirectory(Buffer) == NULL);                    /* no image */
    FvCheck(AuxKlibGetBugCheckData(&Data) == STATUS_INFO_LENGTH_MISMATCH);
    Data.BugCheckDataSize = sizeof(Data);
    FvCheck(AuxKlibGetBugCheckData(&Data) == STATUS_SUCCESS && Data.BugCheckCode == 0 && KiBugCheckData[0] == 0);
    FvCheck(AuxKlibEnumerateSystemFirmwareTables('ACPI', NULL, 0, &Returned) == STATUS_NOT_IMPLEMENTED &&
            Returned == 0);
    FvCheck(AuxKlibGetSystemFirmwareTable('ACPI', 'FACP', NULL, 0, NULL) == STATUS_NOT_IMPLEMENTED);
}

static VOID CheckFixed(VOID)
{
    PULONG Basic = (PULONG)Buffer;
    LARGE_INTEGER Now;
    ULONG Length = 0;

    FvCheck(ZwQuerySystemInformation(0, Buffer, 0x3f, &Length) == STATUS_INFO_LENGTH_MISMATCH && Length == 0x40);
    FvCheck(NtQuerySystemInformation(0, Buffer, 0x40, &Length) == STATUS_SUCCESS && Length == 0x40);
    FvCheck(Basic[1] == 156250 && Basic[2] == PAGE_SIZE && Basic[3] > 1000 && Basic[5] >= Basic[3] &&
            Basic[6] == 0x10000);
    FvCheck(*(PULONG_PTR)(Buffer + 0x28) == (ULONG_PTR)MmHighestUserAddress);
    FvCheck(*(PULONG_PTR)(Buffer + 0x30) == KeQueryActiveProcessors() &&
            Buffer[0x38] == KeQueryActiveProcessorCount(NULL));
    FvCheck(ZwQuerySystemInformation(1, Buffer, 12, NULL) == STATUS_SUCCESS &&
            *(PUSHORT)Buffer == 9 /* PROCESSOR_ARCHITECTURE_AMD64 */);
    KeQuerySystemTime(&Now);
    FvCheck(ZwQuerySystemInformation(3, Buffer, 48, NULL) == STATUS_SUCCESS && ((PLONG64)Buffer)[0] <= Now.QuadPart &&
            ((PLONG64)Buffer)[1] >= Now.QuadPart);
    FvCheck(ZwQuerySystemInformation(35, Buffer, 2, &Length) == STATUS_SUCCESS && Length == 2 && !Buffer[0] &&
            Buffer[1]);
    FvCheck(ZwQuerySystemInformation(76, Buffer, sizeof(Buffer), &Length) == STATUS_NOT_IMPLEMENTED && Length == 0);
    FvCheck(ZwQuerySystemInformation(9999, Buffer, sizeof(Buffer), NULL) == STATUS_INVALID_INFO_CLASS);
}

/* The processes: the System process, with this thread in it. */
static VOID CheckProcesses(VOID)
{
    ULONG Needed = 0, At = 0, Processes = 0, Threads = 0;
    BOOLEAN System = FALSE, Self = FALSE;

    FvCheck(ZwQuerySystemInformation(5, NULL, 0, &Needed) == STATUS_INFO_LENGTH_MISMATCH && Needed > 0x150);
    FvCheck(ZwQuerySystemInformation(5, Buffer, sizeof(Buffer), &Needed) == STATUS_SUCCESS);
    for (;;) {
        PUCHAR Process = Buffer + At;
        PUNICODE_STRING Name = (PUNICODE_STRING)(Process + 0x38);
        static const UNICODE_STRING Expected = RTL_CONSTANT_STRING(L"System");

        Processes++;
        for (ULONG I = 0; I < *(PULONG)(Process + 4); I++, Threads++) {
            PCLIENT_ID Id = (PCLIENT_ID)(Process + 0x100 + I * 0x50 + 0x28);

            Self = Self || (Id->UniqueThread == PsGetCurrentThreadId() && Id->UniqueProcess == PsGetCurrentProcessId());
        }
        System = System || (*(PHANDLE)(Process + 0x50) == PsGetProcessId(PsInitialSystemProcess) &&
                            RtlEqualUnicodeString(Name, &Expected, FALSE));
        if (*(PULONG)Process == 0)
            break;
        At += *(PULONG)Process;
    }
    FvCheck(System && Self && Threads >= 3 && At < Needed);
    FvCheck(Processes >= 1);
}

static VOID CheckGroups(VOID)
{
    GROUP_AFFINITY Affinity = {.Mask = 1}, Before;
    PROCESSOR_NUMBER Number;
    KAFFINITY Old;
    KDPC Dpc;

    WdmlibProcgrpInitialize();
    FvCheck(WdmlibKeQueryActiveGroupCount() == 1 && WdmlibKeQueryMaximumGroupCount() == 1);
    FvCheck(WdmlibKeQueryActiveProcessorCountEx(0) == KeQueryActiveProcessorCount(NULL));
    FvCheck(WdmlibKeQueryMaximumProcessorCountEx(0) == WdmlibKeQueryMaximumProcessorCount());
    FvCheck(WdmlibKeQueryGroupAffinity(0) == KeQueryActiveProcessors() && WdmlibKeQueryGroupAffinity(1) == 0);
    FvCheck(WdmlibKeGetProcessorNumberFromIndex(0, &Number) == STATUS_SUCCESS && Number.Group == 0 &&
            Number.Number == 0);
    FvCheck(WdmlibKeGetProcessorIndexFromNumber(&Number) == 0);
    WdmlibKeSetSystemGroupAffinityThread(&Affinity, &Before);
    FvCheck(WdmlibKeGetCurrentProcessorNumberEx(&Number) == 0 && Number.Number == 0);
    WdmlibKeRevertToUserGroupAffinityThread(&Before);
    Old = WdmlibKeSetSystemAffinityThreadEx(1);
    FvCheck(KeGetCurrentProcessorNumberEx(NULL) == 0);
    WdmlibKeRevertToUserAffinityThreadEx(Old);
    KeInitializeDpc(&Dpc, (PKDEFERRED_ROUTINE)CheckGroups, NULL);
    FvCheck(WdmlibKeSetTargetProcessorDpcEx(&Dpc, &Number) == STATUS_SUCCESS);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(16 + 10 + 4 + 9);
    CheckAux(DriverObject);
    CheckFixed();
    CheckProcesses();
    CheckGroups();
    return STATUS_SUCCESS;
}
