// SPDX-License-Identifier: GPL-2.0-or-later
/* Watches images being loaded; imagenotify.lua loads one.  The checks are made at unload. */
#include <ntifs.h>

#include <fltvm.h>

static ULONG Calls;
static BOOLEAN Named, NoProcess, Sized, Passive, Disabled, Extended;

static VOID NTAPI OnImage(PUNICODE_STRING Name, HANDLE Process, PIMAGE_INFO Info)
{
    UNICODE_STRING Wanted = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\drivers\\failpool.sys");

    Calls++;
    Named = RtlEqualUnicodeString(Name, &Wanted, TRUE);
    NoProcess = Process == NULL;
    Sized = Info->ImageBase != NULL && *(PUSHORT)Info->ImageBase == 0x5A4D && Info->ImageSize >= PAGE_SIZE &&
            Info->SystemModeImage && Info->ImageAddressingMode == IMAGE_ADDRESSING_MODE_32BIT;
    Extended = !Info->ExtendedInfoPresent;
    Passive = KeGetCurrentIrql() == PASSIVE_LEVEL;
    Disabled = KeAreApcsDisabled();
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    FvCheck(Calls == 1);
    FvCheck(Named);
    FvCheck(NoProcess);
    FvCheck(Sized);
    FvCheck(Extended);
    FvCheck(Passive && Disabled);
    FvCheck(PsRemoveLoadImageNotifyRoutine(OnImage) == STATUS_SUCCESS);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    FvTestPlan(7);
    return PsSetLoadImageNotifyRoutine(OnImage);
}
