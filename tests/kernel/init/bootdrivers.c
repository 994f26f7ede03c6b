// SPDX-License-Identifier: GPL-2.0-or-later
/* Boot drivers are loaded in the registry's order: Start, the group's place in ServiceGroupOrder, Tag. */
#include <ntifs.h>

#include <fltvm.h>

#define CONTROL  L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\ServiceGroupOrder"
#define SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

/* The beginning of what the list's entries are, as debuggers know it. */
typedef struct _MODULE {
    LIST_ENTRY Links;
    PVOID ExceptionTable;
    ULONG ExceptionTableSize;
    PVOID GpValue, NonPagedDebugInfo, Base, EntryPoint;
    ULONG SizeOfImage;
    UNICODE_STRING FullName, Name;
} MODULE;

__declspec(dllimport) extern LIST_ENTRY PsLoadedModuleList;

static union {
    KEY_VALUE_PARTIAL_INFORMATION Value;
    UCHAR Room[4096];
} Read;

static BOOLEAN ReadValue(PCWSTR Path, PCWSTR ValueName, ULONG Type)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    NTSTATUS Status;
    ULONG Length;
    HANDLE Key;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (!NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes)))
        return FALSE;
    RtlInitUnicodeString(&Name, ValueName);
    Status = ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, &Read, sizeof(Read), &Length);
    ZwClose(Key);
    return NT_SUCCESS(Status) && Read.Value.Type == Type;
}

/* Where a group stands in the list. */
static ULONG Place(PCWSTR Group)
{
    PCWSTR Text = (PCWSTR)Read.Value.Data, End;

    if (!ReadValue(CONTROL, L"List", REG_MULTI_SZ))
        return MAXULONG;
    End = Text + Read.Value.DataLength / sizeof(WCHAR);
    for (ULONG Place = 0; Text < End && *Text != 0; Place++, Text += wcslen(Text) + 1) {
        if (wcscmp(Text, Group) == 0)
            return Place;
    }
    return MAXULONG;
}

static ULONG PlaceInMemory(PCWSTR File)
{
    UNICODE_STRING Name;
    ULONG Place = 0;

    RtlInitUnicodeString(&Name, File);
    for (PLIST_ENTRY Link = PsLoadedModuleList.Flink; Link != &PsLoadedModuleList; Link = Link->Flink, Place++) {
        if (RtlEqualUnicodeString(&((MODULE *)Link)->Name, &Name, TRUE))
            return Place;
    }
    return MAXULONG;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const struct {
        PCWSTR Key, File, Group;
    } Drivers[] = {
        {SERVICES L"raw", L"raw.sys", L"System Reserved"},
        {SERVICES L"fltmgr", L"fltmgr.sys", L"FSFilter Infrastructure"},
        {SERVICES L"fltvmhba", L"fltvmhba.sys", L"SCSI Miniport"},
        {SERVICES L"volume", L"volume.sys", L"System Bus Extender"},
    };

    FvTestPlan(RTL_NUMBER_OF(Drivers) * 5 - 2);
    for (ULONG I = 0; I < RTL_NUMBER_OF(Drivers); I++) {
        FvCheck(ReadValue(Drivers[I].Key, L"Start", REG_DWORD) && *(PULONG)Read.Value.Data == SERVICE_BOOT_START);
        FvCheck(ReadValue(Drivers[I].Key, L"Group", REG_SZ) && wcscmp((PCWSTR)Read.Value.Data, Drivers[I].Group) == 0);
        FvCheck(ReadValue(Drivers[I].Key, L"Tag", REG_DWORD) && ReadValue(Drivers[I].Key, L"Type", REG_DWORD));
        if (I == 0)
            continue;
        FvCheck(Place(Drivers[I - 1].Group) < Place(Drivers[I].Group));
        FvCheck(PlaceInMemory(Drivers[I - 1].File) < PlaceInMemory(Drivers[I].File));
    }
    return STATUS_SUCCESS;
}
