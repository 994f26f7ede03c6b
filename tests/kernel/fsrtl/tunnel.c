// SPDX-License-Identifier: GPL-2.0-or-later
/* The tunnel cache: what is found, by which name, how many there are, and for how long. */
#include <ntifs.h>

#include <fltvm.h>

static VOID CheckTunnel(VOID)
{
    static TUNNEL Cache;
    UNICODE_STRING Short = RTL_CONSTANT_STRING(L"LONGNA~1.TXT"), Long = RTL_CONSTANT_STRING(L"Long name.txt");
    UNICODE_STRING Other = RTL_CONSTANT_STRING(L"long NAME.txt");
    WCHAR ShortBuffer[12], LongBuffer[20], Little[2];
    UNICODE_STRING ItsShort = {0, sizeof(ShortBuffer), ShortBuffer}, ItsLong = {0, sizeof(LongBuffer), LongBuffer};
    UNICODE_STRING Small = {0, sizeof(Little), Little};
    LARGE_INTEGER Interval = {.QuadPart = -16LL * 10000000};
    ULONG Length = 8, Number = 4711;
    ULONG64 Data = 0;

    FsRtlInitializeTunnelCache(&Cache);
    FsRtlAddToTunnelCache(&Cache, 7, &Short, &Long, FALSE, sizeof(Number), &Number);
    FvCheck(!FsRtlFindInTunnelCache(&Cache, 8, &Other, &ItsShort, &ItsLong, &Length, &Data));
    FvCheck(
        !FsRtlFindInTunnelCache(&Cache, 7, &Short, &ItsShort, &ItsLong, &Length, &Data)); /* keyed by the long name */
    FvCheck(FsRtlFindInTunnelCache(&Cache, 7, &Other, &ItsShort, &ItsLong, &Length, &Data) && Length == 4 &&
            Data == 4711 && RtlEqualUnicodeString(&ItsShort, &Short, FALSE) &&
            RtlEqualUnicodeString(&ItsLong, &Long, FALSE));
    Length = 3;
    FvCheck(!FsRtlFindInTunnelCache(&Cache, 7, &Other, &ItsShort, &ItsLong, &Length, &Data));
    Length = 8;
    FvCheck(FsRtlFindInTunnelCache(&Cache, 7, &Other, &ItsShort, &Small, &Length, &Data) && Small.Buffer != Little &&
            RtlEqualUnicodeString(&Small, &Long, FALSE));
    ExFreePool(Small.Buffer);
    Number = 4712;
    FsRtlAddToTunnelCache(&Cache, 7, &Short, &Long, FALSE, sizeof(Number), &Number);
    FsRtlAddToTunnelCache(&Cache, 7, &Short, &Long, TRUE, sizeof(Number), &Number);
    FvCheck(Cache.NumEntries == 2); /* one keyed by each name */
    FvCheck(FsRtlFindInTunnelCache(&Cache, 7, &Long, &ItsShort, &ItsLong, &Length, &Data) && Data == 4712);
    FsRtlDeleteKeyFromTunnelCache(&Cache, 7);
    FvCheck(Cache.NumEntries == 0);
    for (ULONG Key = 0; Key < 300; Key++)
        FsRtlAddToTunnelCache(&Cache, Key, &Short, &Long, FALSE, sizeof(Number), &Number);
    Length = 8;
    FvCheck(Cache.NumEntries == 256 && !FsRtlFindInTunnelCache(&Cache, 0, &Long, &ItsShort, &ItsLong, &Length, &Data));
    Length = 8;
    FvCheck(FsRtlFindInTunnelCache(&Cache, 299, &Long, &ItsShort, &ItsLong, &Length, &Data));
    KeDelayExecutionThread(KernelMode, FALSE, &Interval); /* their time is over */
    Length = 8;
    FvCheck(!FsRtlFindInTunnelCache(&Cache, 299, &Long, &ItsShort, &ItsLong, &Length, &Data) && Cache.NumEntries == 0);
    FsRtlAddToTunnelCache(&Cache, 1, &Short, &Long, FALSE, sizeof(Number), &Number);
    FsRtlDeleteTunnelCache(&Cache);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(11);
    CheckTunnel();
    return STATUS_SUCCESS;
}
