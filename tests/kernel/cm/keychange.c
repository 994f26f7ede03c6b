// SPDX-License-Identifier: GPL-2.0-or-later
/* ZwNotifyChangeKey: what is a change, for whom, how it is told, and what ends the wait. */
#include <ntifs.h>

#include <fltvm.h>

#include "../../inc/threads.h"

#define KEY L"\\Registry\\Machine\\Software\\FltvmChange"

static HANDLE Event;
static IO_STATUS_BLOCK IoStatus;
static UNICODE_STRING ValueName = RTL_CONSTANT_STRING(L"Value");

static HANDLE Create(PCWSTR Path, ACCESS_MASK Access)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    HANDLE Key = NULL;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(NT_SUCCESS(ZwCreateKey(&Key, Access, &Attributes, 0, NULL, REG_OPTION_VOLATILE, NULL)));
    return Key;
}

static NTSTATUS Watch(HANDLE Key, ULONG Filter, BOOLEAN Tree)
{
    IoStatus.Status = STATUS_PENDING;
    return ZwNotifyChangeKey(Key, Event, NULL, NULL, &IoStatus, Filter, Tree, NULL, 0, TRUE);
}

/* Whether the event is set: everything happens in the call that makes the change. */
static BOOLEAN Told(VOID)
{
    LARGE_INTEGER None = {0};

    return ZwWaitForSingleObject(Event, FALSE, &None) == STATUS_SUCCESS && IoStatus.Status != STATUS_PENDING;
}

static VOID Set(HANDLE Key, ULONG Number)
{
    ZwSetValueKey(Key, &ValueName, 0, REG_DWORD, &Number, sizeof(Number));
}

static VOID CheckValues(HANDLE Key, HANDLE Child)
{
    FvCheck(Watch(Key, REG_NOTIFY_CHANGE_LAST_SET, FALSE) == STATUS_PENDING && !Told());
    Set(Child, 1);
    FvCheck(!Told()); /* not the key's own */
    Set(Key, 1);
    FvCheck(Told() && IoStatus.Status == STATUS_SUCCESS);
    FvCheck(Watch(Key, REG_NOTIFY_CHANGE_LAST_SET, FALSE) == STATUS_PENDING && !Told()); /* the event is cleared */
    Set(Key, 1);
    FvCheck(!Told()); /* what it was */
    Set(Key, 2);
    FvCheck(Told());
    Watch(Key, REG_NOTIFY_CHANGE_LAST_SET, FALSE);
    ZwDeleteValueKey(Key, &ValueName);
    FvCheck(Told());
    Watch(Key, REG_NOTIFY_CHANGE_LAST_SET, TRUE);
    Set(Child, 2);
    FvCheck(Told()); /* the whole tree */
    Watch(Key, REG_NOTIFY_CHANGE_NAME, TRUE);
    Set(Child, 3);
    FvCheck(!Told()); /* another filter */
}

static VOID CheckNames(HANDLE Key)
{
    HANDLE New;

    FvCheck(!Told()); /* that of CheckValues still waits */
    New = Create(KEY L"\\New", KEY_ALL_ACCESS);
    FvCheck(Told());
    Watch(Key, REG_NOTIFY_CHANGE_NAME, FALSE);
    ZwDeleteKey(New);
    FvCheck(Told() && IoStatus.Status == STATUS_SUCCESS);
    ZwClose(New);
}

static VOID CheckEnds(VOID)
{
    HANDLE Key = Create(KEY L"\\Short", KEY_ALL_ACCESS), Other = Create(KEY L"\\Short", KEY_ALL_ACCESS);

    Watch(Key, REG_NOTIFY_CHANGE_NAME, FALSE);
    ZwClose(Other);
    FvCheck(!Told()); /* another object's handle */
    ZwClose(Key);
    FvCheck(Told() && IoStatus.Status == STATUS_NOTIFY_CLEANUP);
    Key = Create(KEY L"\\Short", KEY_ALL_ACCESS);
    Watch(Key, REG_NOTIFY_CHANGE_NAME, FALSE);
    ZwDeleteKey(Key);
    FvCheck(Told() && IoStatus.Status == STATUS_NOTIFY_CLEANUP);
    FvCheck(Watch(Key, REG_NOTIFY_CHANGE_NAME, FALSE) == STATUS_KEY_DELETED);
    ZwClose(Key);
}

static KEVENT Ran;

static VOID NTAPI Work(PVOID Context)
{
    KeSetEvent(&Ran, 0, FALSE);
}

static VOID NTAPI SetSoon(PVOID Key)
{
    Sleep(50);
    Set(Key, 99);
}

static VOID CheckWays(HANDLE Key)
{
    LARGE_INTEGER Second = {.QuadPart = -10000000};
    WORK_QUEUE_ITEM Item;
    PVOID Thread;

    KeInitializeEvent(&Ran, NotificationEvent, FALSE);
    ExInitializeWorkItem(&Item, Work, NULL);
    FvCheck(ZwNotifyChangeKey(Key, NULL, (PIO_APC_ROUTINE)(PVOID)&Item, (PVOID)(ULONG_PTR)DelayedWorkQueue, &IoStatus,
                              REG_NOTIFY_CHANGE_LAST_SET, FALSE, NULL, 0, TRUE) == STATUS_PENDING);
    Set(Key, 7);
    FvCheck(KeWaitForSingleObject(&Ran, Executive, KernelMode, FALSE, &Second) == STATUS_SUCCESS &&
            IoStatus.Status == STATUS_SUCCESS);
    Thread = StartThread(SetSoon, Key);
    FvCheck(ZwNotifyChangeKey(Key, NULL, NULL, NULL, &IoStatus, REG_NOTIFY_CHANGE_LAST_SET, FALSE, NULL, 0, FALSE) ==
            STATUS_SUCCESS); /* it waits */
    JoinThread(Thread);
}

static VOID CheckRefusals(HANDLE Key)
{
    HANDLE Poor = Create(KEY, KEY_QUERY_VALUE);
    UCHAR Byte;

    FvCheck(Watch(Key, 0, FALSE) == STATUS_INVALID_PARAMETER && Watch(Key, 0x100, FALSE) == STATUS_INVALID_PARAMETER);
    FvCheck(ZwNotifyChangeKey(Key, NULL, NULL, NULL, &IoStatus, REG_NOTIFY_CHANGE_NAME, FALSE, &Byte, 1, TRUE) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(ZwNotifyChangeKey(Key, Key, NULL, NULL, &IoStatus, REG_NOTIFY_CHANGE_NAME, FALSE, NULL, 0, TRUE) ==
            STATUS_OBJECT_TYPE_MISMATCH);
    FvCheck(Watch(Event, REG_NOTIFY_CHANGE_NAME, FALSE) == STATUS_OBJECT_TYPE_MISMATCH);
    ZwClose(Poor);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Key, Child;

    FvTestPlan(31);
    FvCheck(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)));
    Key = Create(KEY, KEY_ALL_ACCESS);
    Child = Create(KEY L"\\Child", KEY_ALL_ACCESS);
    CheckValues(Key, Child);
    CheckNames(Key);
    CheckEnds();
    CheckWays(Key);
    CheckRefusals(Key);
    ZwClose(Child), ZwClose(Key), ZwClose(Event);
    return STATUS_SUCCESS;
}
