/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work items and memory: many of them, none when nonpaged pool is short, and all of it given back. */
#include "../../inc/minifilter.h"

#define MANY  10000
#define CHUNK 8192
#define ITEM  184 /* bytes, about what an item has */

static PFLT_FILTER Filter;
static PVOID Items[MANY];
static PVOID Hoard[MANY];
static ULONG Case;
static LONG Runs;
static KEVENT AllRan;

static VOID NTAPI Work(PFLT_GENERIC_WORKITEM Item, PVOID Object, PVOID Context)
{
    FltFreeGenericWorkItem(Item);
    if (InterlockedIncrement(&Runs) == MANY)
        KeSetEvent(&AllRan, IO_NO_INCREMENT, FALSE);
}

/* How many of each kind can be had; all are freed again. */
static ULONG CountGeneric(ULONG Most)
{
    ULONG Count = 0;

    while (Count < Most && (Items[Count] = FltAllocateGenericWorkItem()) != NULL)
        Count++;
    for (ULONG Index = 0; Index < Count; Index++)
        FltFreeGenericWorkItem(Items[Index]);
    return Count;
}

static ULONG CountDeferred(ULONG Most)
{
    ULONG Count = 0;
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    while (Count < Most && (Items[Count] = FltAllocateDeferredIoWorkItem()) != NULL)
        Count++;
    for (ULONG Index = 0; Index < Count; Index++)
        FltFreeDeferredIoWorkItem(Items[Index]);
    KeLowerIrql(Irql);
    return Count;
}

static VOID CheckMany(VOID)
{
    BOOLEAN Queued = TRUE;

    FvCheck(CountGeneric(MANY) == MANY);
    FvCheck(CountDeferred(MANY) == MANY);
    for (ULONG Index = 0; Index < MANY; Index++)
        Queued = Queued && NT_SUCCESS(FltQueueGenericWorkItem(FltAllocateGenericWorkItem(), Filter, Work,
                                                              Index % 2 ? DelayedWorkQueue : CriticalWorkQueue, NULL));
    FvCheck(Queued);
    FvCheck(IsSet(&AllRan, 5000));
}

/* Blocks of Size until there are no more. */
static ULONG Exhaust(ULONG Count, ULONG Size)
{
    while (Count < MANY && (Hoard[Count] = ExAllocatePoolWithTag(NonPagedPoolNx, Size, 'draH')) != NULL)
        Count++;
    return Count;
}

static VOID CheckExhausted(VOID)
{
    PVOID First[100];
    ULONG Count, Had, Again;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(First); Index++)
        First[Index] = ExAllocatePoolWithTag(NonPagedPoolNx, ITEM, 'draH');
    Count = Exhaust(0, 16 * CHUNK);
    Count = Exhaust(Count, CHUNK);
    Count = Exhaust(Count, 512);
    Count = Exhaust(Count, ITEM);
    Count = Exhaust(Count, 64);
    FvCheck(CountGeneric(MANY) < MANY && Count > 10);
    FvCheck(CountDeferred(MANY) < MANY);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(First); Index++)
        ExFreePoolWithTag(First[Index], 'draH');
    Had = CountGeneric(MANY); /* with the verifier they rest now, and are given back when others need them */
    Again = Exhaust(Count, ITEM) - Count;
    FvCheck(Had > 10 && Again + 8 > Had);
    Count += Again;
    while (Count > 0)
        ExFreePoolWithTag(Hoard[--Count], 'draH');
    FvCheck(CountGeneric(100) == 100);
    FvCheck(CountDeferred(100) == 100);
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    KeInitializeEvent(&AllRan, NotificationEvent, FALSE);
    Case = ReadNumber(RegistryPath, L"Case");
    FvTestPlan(Case == 2 ? 5 : 4);
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    switch (Case) {
    case 1: CheckMany(); break;
    case 2: CheckExhausted(); break;
    case 3: /* the rule of the run: no memory for items */
        FvCheck(FltAllocateGenericWorkItem() == NULL);
        FvCheck(FltAllocateDeferredIoWorkItem() == NULL);
        FvCheck(FltAllocateGenericWorkItem() == NULL);
        FvCheck(FltAllocateDeferredIoWorkItem() == NULL);
        break;
    }
    return Status;
}
