// SPDX-License-Identifier: GPL-2.0-or-later
/* Breaks one of the kernel's rules; the value "Case" of its service says which.  See ke_bad.lua. */
#include <ntifs.h>
#include <fltvm.h>

static KSPIN_LOCK Lock;
static KEVENT Event;
static KMUTEX Mutex;
static KDPC Dpc;
static KTIMER Timer;
static ULONG Case;

static ULONG ReadCase(PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Case");
    UCHAR Buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PVOID)Buffer;
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Key;
    ULONG Length, Result = 0;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length))) {
            Result = *(ULONG *)Value->Data;
        }
        ZwClose(Key);
    }
    return Result;
}

static DECLSPEC_NOINLINE ULONG Overflow(ULONG Depth)
{
    volatile UCHAR Room[512];

    Room[0] = (UCHAR)Depth;
    return Overflow(Depth + 1) + Room[0]; /* [8] */
}

static VOID NTAPI BadDpc(PKDPC Object, PVOID Context, PVOID Argument1, PVOID Argument2)
{ /* [12] */
    volatile LONG Zero = 0;
    KIRQL Old;

    switch (Case) {
    case 10: Zero = 100 / Zero; break;             /* [10] */
    case 11: __asm__ volatile("1: jmp 1b"); break; /* [11] */
    case 12: KeRaiseIrql(HIGH_LEVEL, &Old); break;
    case 13: KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL); break; /* [13] */
    }
}

/* A callback of a driver that calls others' callbacks, as the filter manager does. */
static DECLSPEC_NOINLINE VOID LeavesRegion(VOID)
{ /* [27] */
    KeEnterCriticalRegion();
}

static VOID NTAPI BadThread(PVOID Context)
{ /* [18] [19] [26] */
    if (Case == 26) {
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL);
    } else if (Case == 18) {
        KeEnterCriticalRegion();
    } else {
        KeWaitForSingleObject(&Mutex, Executive, KernelMode, FALSE, NULL);
    }
}

static DECLSPEC_NOINLINE NTSTATUS Misbehave(VOID)
{
    static ULONG Data[4] = {0xC3C3C3C3};
    static const LARGE_INTEGER Later = {.QuadPart = -10000000};
    KIRQL Old;

    switch (Case) {
    case 1: KeLowerIrql(HIGH_LEVEL); break; /* [1] */
    case 2:
        KeRaiseIrql(DISPATCH_LEVEL, &Old);
        KeRaiseIrql(APC_LEVEL, &Old); /* [2] */
        break;
    case 3:
        KeAcquireSpinLock(&Lock, &Old);
        KeAcquireSpinLockAtDpcLevel(&Lock); /* [3] */
        break;
    case 4:
        KeRaiseIrql(DISPATCH_LEVEL, &Old);
        KeReleaseSpinLockFromDpcLevel(&Lock); /* [4] */
        break;
    case 5:
        KeRaiseIrql(DISPATCH_LEVEL, &Old);
        KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL); /* [5] */
        break;
    case 6:
        KeRaiseIrql(DISPATCH_LEVEL, &Old);
        *(volatile ULONG *)0x20 = 1; /* [6] */
        break;
    case 7: ((VOID(*)(VOID))(ULONG_PTR)0x30)(); break; /* [7] */
    case 8: Overflow(0); break;
    case 9: KeBugCheckEx(0xE2 /* MANUALLY_INITIATED_CRASH */, 1, 2, 3, 4); /* [9] */
    case 10:
    case 11:
    case 12:
    case 13: KeInsertQueueDpc(&Dpc, NULL, NULL); break;
    case 14: *(volatile UCHAR *)(ULONG_PTR)&Misbehave = 0xCC; break; /* [14] */
    case 15: ((VOID(*)(VOID))(ULONG_PTR)Data)(); break;
    case 16: KeLeaveCriticalRegion(); break; /* [16] */
    case 17:
        RtlZeroMemory(&Dpc, sizeof(Dpc));
        Dpc.Type = 77;
        KeInsertQueueDpc(&Dpc, NULL, NULL); /* [17] */
        break;
    case 18:
    case 19: {
        HANDLE Thread;

        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, BadThread, NULL);
        ZwWaitForSingleObject(Thread, FALSE, NULL);
        break;
    }
    case 28: KeBugCheck(0xE2);                                                 /* [28] */
    case 20: __asm__ volatile("movl $2, %%ecx; int $0x29" : : : "rcx"); break; /* [20] */
    case 21: __debugbreak(); break;                                            /* [21] */
    case 22: ExRaiseStatus(STATUS_NO_MEMORY);                                  /* [22] */
    case 23: KeSetTimer(&Timer, Later, NULL); return STATUS_UNSUCCESSFUL;      /* and the image goes */
    case 24: {
        PKTIMER Pool = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(KTIMER), 'daBk');

        KeInitializeTimer(Pool);
        KeSetTimer(Pool, Later, NULL);
        ExFreePoolWithTag(Pool, 'daBk'); /* [24] */
        break;
    }
    case 25: {
        PKDPC Pool = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(KDPC), 'daBk');

        KeInitializeDpc(Pool, BadDpc, NULL);
        KeRaiseIrql(DISPATCH_LEVEL, &Old);
        KeInsertQueueDpc(Pool, NULL, NULL);
        ExFreePoolWithTag(Pool, 'daBk'); /* [25] */
        break;
    }
    case 26: {
        HANDLE Thread;

        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, BadThread, NULL);
        ZwClose(Thread);
        return STATUS_UNSUCCESSFUL;
    }
    case 29: {
        KAPC_STATE State = {0};

        State.Process = (PKPROCESS)PsGetCurrentProcess();
        KeUnstackDetachProcess(&State); /* [29] */
        break;
    }
    case 27: {
        FV_CALL Call;

        FvBeginCall(&Call);
        FvReturnedBadly(&Call, (PVOID)(ULONG_PTR)LeavesRegion, "callback", 0); /* finds nothing */
        LeavesRegion();
        FvEndCall(&Call, (PVOID)(ULONG_PTR)LeavesRegion, "callback", 0);
        break;
    }
    }
    return STATUS_SUCCESS;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    KeInitializeMutex(&Mutex, 0);
    KeInitializeDpc(&Dpc, BadDpc, NULL);
    KeInitializeTimer(&Timer);
    Case = ReadCase(RegistryPath);
    return Misbehave() == STATUS_SUCCESS ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
