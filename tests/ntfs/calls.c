/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls: byte ranges and extended attributes by the routines that a driver calls, on a file that is synchronous and on one that
 * is not: what they return, that a lock that waits is granted, and what they say of a list that is none.
 */
#include <ntifs.h>

#include <fltvm.h>

static HANDLE CallsOpen(ULONG Options)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\calls");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    HANDLE File = NULL;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(NT_SUCCESS(ZwCreateFile(&File, FILE_GENERIC_READ | FILE_GENERIC_WRITE, &Attributes, &IoStatus, NULL,
                                    FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN_IF, Options,
                                    NULL, 0)));
    return File;
}

static VOID CallsLocks(HANDLE Synchronous, HANDLE Asynchronous)
{
    LARGE_INTEGER Offset = {.QuadPart = 10}, Length = {.QuadPart = 20}, Wait = {.QuadPart = -10000000};
    IO_STATUS_BLOCK IoStatus = {0}, Waiting = {.Status = STATUS_PENDING};
    HANDLE Event;

    FvCheck(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)));
    FvCheck(ZwLockFile(Synchronous, NULL, NULL, NULL, &IoStatus, &Offset, &Length, 0, TRUE, TRUE) == STATUS_SUCCESS);
    FvCheck(IoStatus.Status == STATUS_SUCCESS);
    FvCheck(ZwLockFile(Asynchronous, Event, NULL, NULL, &IoStatus, &Offset, &Length, 0, TRUE, FALSE) ==
            STATUS_LOCK_NOT_GRANTED);
    FvCheck(NtLockFile(Asynchronous, Event, NULL, NULL, &Waiting, &Offset, &Length, 0, FALSE, FALSE) == STATUS_PENDING);
    FvCheck(ZwUnlockFile(Synchronous, &IoStatus, &Offset, &Offset, 0) == STATUS_RANGE_NOT_LOCKED);
    FvCheck(IoStatus.Status == STATUS_RANGE_NOT_LOCKED);
    FvCheck(ZwUnlockFile(Synchronous, &IoStatus, &Offset, &Length, 0) == STATUS_SUCCESS);
    FvCheck(ZwWaitForSingleObject(Event, FALSE, &Wait) == STATUS_SUCCESS);
    FvCheck(Waiting.Status == STATUS_SUCCESS);
    FvCheck(NtUnlockFile(Asynchronous, &IoStatus, &Offset, &Length, 0) == STATUS_SUCCESS);
    FvCheck(NtUnlockFile(Asynchronous, &IoStatus, &Offset, &Length, 0) == STATUS_RANGE_NOT_LOCKED);
    FvCheck(ZwLockFile(NULL, NULL, NULL, NULL, &IoStatus, &Offset, &Length, 0, TRUE, TRUE) == STATUS_INVALID_HANDLE);
    ZwClose(Event);
}

static VOID CallsEas(HANDLE File)
{
    struct {
        FILE_FULL_EA_INFORMATION Ea;
        CHAR Rest[32];
    } Buffer = {.Ea = {.EaNameLength = 4, .EaValueLength = 5}};
    struct {
        FILE_GET_EA_INFORMATION Wanted;
        CHAR Rest[8];
    } List = {.Wanted = {.EaNameLength = 4}};
    IO_STATUS_BLOCK IoStatus = {0};
    ULONG Index = 2;

    FvCheck(ZwQueryEaFile(File, &IoStatus, &Buffer, sizeof(Buffer), FALSE, NULL, 0, NULL, TRUE) ==
            STATUS_NO_EAS_ON_FILE);
    RtlCopyMemory(Buffer.Ea.EaName, "NAME\0value", 10);
    RtlCopyMemory(List.Wanted.EaName, "NAME", 5);
    FvCheck(ZwSetEaFile(File, &IoStatus, &Buffer, sizeof(Buffer)) == STATUS_SUCCESS);
    RtlZeroMemory(&Buffer, sizeof(Buffer));
    FvCheck(ZwQueryEaFile(File, &IoStatus, &Buffer, sizeof(Buffer), TRUE, &List, sizeof(List), NULL, FALSE) ==
            STATUS_SUCCESS);
    FvCheck(IoStatus.Information == FIELD_OFFSET(FILE_FULL_EA_INFORMATION, EaName) + 10);
    FvCheck(RtlCompareMemory(Buffer.Ea.EaName, "NAME\0value", 10) == 10);
    FvCheck(ZwQueryEaFile(File, &IoStatus, &Buffer, 4, FALSE, NULL, 0, NULL, TRUE) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(ZwQueryEaFile(File, &IoStatus, &Buffer, sizeof(Buffer), FALSE, NULL, 0, &Index, FALSE) ==
            STATUS_NO_MORE_EAS);
    Index = 3;
    FvCheck(ZwQueryEaFile(File, &IoStatus, &Buffer, sizeof(Buffer), FALSE, NULL, 0, &Index, FALSE) ==
            STATUS_NONEXISTENT_EA_ENTRY);
    List.Wanted.EaNameLength = 200;
    FvCheck(ZwQueryEaFile(File, &IoStatus, &Buffer, sizeof(Buffer), FALSE, &List, sizeof(List), NULL, TRUE) ==
            STATUS_EA_LIST_INCONSISTENT);
    Buffer.Ea.EaNameLength = 200;
    FvCheck(ZwSetEaFile(File, &IoStatus, &Buffer, sizeof(Buffer)) == STATUS_EA_LIST_INCONSISTENT);
}

static DRIVER_UNLOAD CallsUnload;
static VOID NTAPI CallsUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Synchronous, Asynchronous;

    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = CallsUnload;
    FvTestPlan(25);
    Synchronous = CallsOpen(FILE_SYNCHRONOUS_IO_NONALERT);
    Asynchronous = CallsOpen(0);
    CallsLocks(Synchronous, Asynchronous);
    CallsEas(Synchronous);
    ZwClose(Asynchronous);
    ZwClose(Synchronous);
    return STATUS_SUCCESS;
}
