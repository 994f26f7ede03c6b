/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * services: what the registry says of boot drivers, and the order that follows from it.
 *
 * Here the filter manager's group stands before the disks': it has to see file systems register and volumes appear, and raw,
 * which it attaches to by name, is no part of the kernel as on Windows.
 */
#include <ntifs.h>
#include "initp.h"

#define INIT_SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
#define INIT_ORDER    L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\ServiceGroupOrder"
#define INIT_LAST     MAXULONG /* the place of a group that is not listed, and of no tag */

static const WCHAR InitGroups[] =
    L"System Reserved\0FSFilter Infrastructure\0SCSI Miniport\0System Bus Extender\0"
    L"Boot Bus Extender\0Port\0Primary Disk\0SCSI Class\0FSFilter System\0FSFilter Bottom\0"
    L"FSFilter Top\0Filter\0Boot File System\0Base\0File System\0";

static const struct {
    PCWSTR Name, Group;
    ULONG Type, Tag, Start;
} InitServices[] = {
    {L"raw", L"System Reserved", SERVICE_FILE_SYSTEM_DRIVER, 1, SERVICE_BOOT_START},
    {L"fltmgr", L"FSFilter Infrastructure", SERVICE_FILE_SYSTEM_DRIVER, 1, SERVICE_BOOT_START},
    {L"fltvmhba", L"SCSI Miniport", SERVICE_KERNEL_DRIVER, 1, SERVICE_BOOT_START},
    {L"volume", L"System Bus Extender", SERVICE_KERNEL_DRIVER, 1, SERVICE_BOOT_START},
    /* volume makes it a boot driver where a disk may hold NTFS: the others need not pay for it */
    {L"ntfs", L"Boot File System", SERVICE_FILE_SYSTEM_DRIVER, 1, SERVICE_DEMAND_START},
};

VOID InitDescribeServices(VOID)
{
    RtlCreateRegistryKey(RTL_REGISTRY_CONTROL, (PWSTR)L"ServiceGroupOrder");
    RtlWriteRegistryValue(RTL_REGISTRY_CONTROL, L"ServiceGroupOrder", L"List", REG_MULTI_SZ, (PVOID)InitGroups,
                          sizeof(InitGroups));
    for (ULONG i = 0; i < RTL_NUMBER_OF(InitServices); i++) {
        PCWSTR Name = InitServices[i].Name, Group = InitServices[i].Group;
        ULONG Type = InitServices[i].Type, Tag = InitServices[i].Tag, Start = InitServices[i].Start,
              ErrorControl = SERVICE_ERROR_NORMAL;

        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, Name, L"Type", REG_DWORD, &Type, sizeof(Type));
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, Name, L"Start", REG_DWORD, &Start, sizeof(Start));
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, Name, L"ErrorControl", REG_DWORD, &ErrorControl,
                              sizeof(ErrorControl));
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, Name, L"Group", REG_SZ, (PVOID)Group,
                              (ULONG)(wcslen(Group) + 1) * sizeof(WCHAR));
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, Name, L"Tag", REG_DWORD, &Tag, sizeof(Tag));
    }
}

/* The bytes of a value of that type, which are how many; 0: there is no such value, or it does not fit. */
static ULONG InitReadValue(PWSTR Path, PCWSTR ValueName, ULONG Type, PKEY_VALUE_PARTIAL_INFORMATION Value, ULONG Size)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    NTSTATUS Status;
    HANDLE Key;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        return 0;
    }
    RtlInitUnicodeString(&Name, ValueName);
    Status = ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, Size, &Size);
    ZwClose(Key);
    return NT_SUCCESS(Status) && Value->Type == Type ? Value->DataLength : 0;
}

/* Where the group stands in the list. */
static ULONG InitPlaceOfGroup(PCWSTR Group)
{
    static union {
        KEY_VALUE_PARTIAL_INFORMATION Value;
        UCHAR Room[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 2048];
    } List;
    ULONG Length = InitReadValue((PWSTR)INIT_ORDER, L"List", REG_MULTI_SZ, &List.Value, sizeof(List)) / sizeof(WCHAR);
    PCWSTR Text = (PCWSTR)List.Value.Data, End = Text + Length;

    for (ULONG Place = 0; Text < End && *Text != 0; Place++) {
        if (_wcsicmp(Text, Group) == 0) {
            return Place;
        }
        Text += wcslen(Text) + 1;
    }
    return INIT_LAST;
}

/* A driver without a service of its own is a boot driver without a group, else it would not be in the initrd. */
ULONG64 InitRankOfService(const CHAR *Name, ULONG Length)
{
    static union {
        KEY_VALUE_PARTIAL_INFORMATION Value;
        UCHAR Room[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + 256];
    } Room;
    PKEY_VALUE_PARTIAL_INFORMATION Value = &Room.Value;
    WCHAR Path[RTL_NUMBER_OF(INIT_SERVICES) + 40] = INIT_SERVICES;
    ULONG Place = INIT_LAST, Tag = INIT_LAST, Bytes;

    for (ULONG i = 0; i < Length; i++) {
        Path[RTL_NUMBER_OF(INIT_SERVICES) - 1 + i] = (UCHAR)Name[i];
    }
    if (InitReadValue(Path, L"Start", REG_DWORD, Value, sizeof(Room)) == sizeof(ULONG) &&
        *(PULONG)Value->Data != SERVICE_BOOT_START) {
        return INIT_NOT_AT_BOOT;
    }
    if (InitReadValue(Path, L"Tag", REG_DWORD, Value, sizeof(Room)) == sizeof(ULONG)) {
        Tag = *(PULONG)Value->Data;
    }
    Bytes = InitReadValue(Path, L"Group", REG_SZ, Value, sizeof(Room) - sizeof(WCHAR));
    if (Bytes != 0) {
        ((PWCH)Value->Data)[Bytes / sizeof(WCHAR)] = 0;
        Place = InitPlaceOfGroup((PCWSTR)Value->Data);
    }
    /* Below INIT_NOT_AT_BOOT also for a driver with neither. */
    return ((ULONG64)Place << 32 | Tag) - (Place == INIT_LAST && Tag == INIT_LAST);
}
