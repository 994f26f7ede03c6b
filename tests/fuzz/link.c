// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes to the devices' ports what the registry's value Seed brings: requests that the kernel never made, records with any
 * kind, length and address.  For link.py.
 */
#include "../inc/minifilter.h"

#define LINK_PORTS 0x40

static ULONG64 State;

static ULONG Random(VOID)
{
    State = State * 6364136223846793005ULL + 1442695040888963407ULL;
    return (ULONG)(State >> 33);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const ULONG Values[] = {0, 1, 2, 16, 0x1000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    ULONG Base = ReadNumber(RegistryPath, L"Port");
    PULONG Record = MmAllocateContiguousMemory(PAGE_SIZE, (PHYSICAL_ADDRESS){.QuadPart = 0xFFFFFFFF});
    PHYSICAL_ADDRESS Address;

    UNREFERENCED_PARAMETER(DriverObject);
    State = ReadNumber(RegistryPath, L"Seed");
    if (Record == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Address = MmGetPhysicalAddress(Record);
    for (ULONG Step = 0; Step < 2000; Step++) {
        ULONG Value = Random() % 3 ? Values[Random() % RTL_NUMBER_OF(Values)] : Random();
        ULONG Port = Base + (Random() % LINK_PORTS & ~3u);

        for (ULONG Index = 0; Index < 16; Index++)
            Record[Index] = Random() % 2 ? Values[Random() % RTL_NUMBER_OF(Values)] : Random() % 32;
        if (Random() % 2)
            Value = (ULONG)Address.QuadPart;
        if (Random() % 4)
            WRITE_PORT_ULONG((PULONG)(ULONG_PTR)Port, Value);
        else
            READ_PORT_ULONG((PULONG)(ULONG_PTR)Port);
    }
    return STATUS_UNSUCCESSFUL;
}
