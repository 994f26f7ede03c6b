/* SPDX-License-Identifier: GPL-2.0-or-later */
/* minifilter.h: what the filter manager's test drivers share: numbers from their key, threads, waits, the volume. */
#ifndef MINIFILTER_H
#define MINIFILTER_H

#include <fltKernel.h>
#include <fltvm.h>

DRIVER_INITIALIZE DriverEntry;

/* The service's value of that name, 0 without one.  IRQL: PASSIVE_LEVEL. */
static inline ULONG ReadNumber(PUNICODE_STRING Key, PCWSTR ValueName)
{
    UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ULONG Needed, Number = 0;
    HANDLE Handle;

    RtlInitUnicodeString(&Name, ValueName);
    InitializeObjectAttributes(&Attributes, Key, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Handle, KEY_READ, &Attributes))) {
        if (NT_SUCCESS(ZwQueryValueKey(Handle, &Name, KeyValuePartialInformation, Value, sizeof(Buffer), &Needed)))
            RtlCopyMemory(&Number, Value->Data, sizeof(Number));
        ZwClose(Handle);
    }
    return Number;
}

static inline VOID Sleep(ULONG Milliseconds)
{
    LARGE_INTEGER Interval = {.QuadPart = -10000LL * Milliseconds};

    KeDelayExecutionThread(KernelMode, FALSE, &Interval);
}

/* Whether the event is set within that time; 0 asks. */
static inline BOOLEAN IsSet(PKEVENT Event, ULONG Milliseconds)
{
    LARGE_INTEGER Timeout = {.QuadPart = -10000LL * Milliseconds};

    return KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, &Timeout) == STATUS_SUCCESS;
}

/* A system thread, referenced; JoinThread waits for its end. */
static inline PKTHREAD StartThread(PKSTART_ROUTINE Routine, PVOID Context)
{
    PVOID Thread = NULL;
    HANDLE Handle;

    if (NT_SUCCESS(PsCreateSystemThread(&Handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Routine, Context))) {
        ObReferenceObjectByHandle(Handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode, &Thread, NULL);
        ZwClose(Handle);
    }
    return Thread;
}

static inline BOOLEAN JoinThread(PKTHREAD Thread)
{
    LARGE_INTEGER Timeout = {.QuadPart = -50000000};
    NTSTATUS Status = KeWaitForSingleObject(Thread, Executive, KernelMode, FALSE, &Timeout);

    if (Status == STATUS_SUCCESS)
        ObDereferenceObject(Thread);
    return Status == STATUS_SUCCESS;
}

/* The first disk's volume, referenced. */
static inline PFLT_VOLUME OpenVolume(PFLT_FILTER Filter)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    PFLT_VOLUME Volume = NULL;

    return NT_SUCCESS(FltGetVolumeFromName(Filter, &Name, &Volume)) ? Volume : NULL;
}

#endif
