// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that misuses memory in the way that its registry value Fault says; see badpool.lua. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'dBtT'

static volatile PUCHAR Sink;
static PVOID Keep;

static ULONG Fault(PUNICODE_STRING RegistryPath)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Fault");
    UCHAR Buffer[64];
    PKEY_VALUE_PARTIAL_INFORMATION Value = (PVOID)Buffer;
    ULONG Length, Number = 0;
    HANDLE Key;

    InitializeObjectAttributes(&Attributes, RegistryPath, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (NT_SUCCESS(ZwOpenKey(&Key, KEY_READ, &Attributes))) {
        if (NT_SUCCESS(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Value, sizeof(Buffer), &Length)))
            Number = *(PULONG)Value->Data;
        ZwClose(Key);
    }
    return Number;
}

__declspec(code_seg("PAGE")) DECLSPEC_NOINLINE static VOID PagedRoutine(ULONG Value)
{
    Keep = (PVOID)(ULONG_PTR)(Value * 3 + 1); /* [21] */
}

/* A block of the ordinary pool: what is given when special pool, whose blocks end where their page ends, is full. */
static PUCHAR Ordinary(ULONG Size)
{
    for (;;) {
        PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, Size, TAG);

        if (Block == NULL || ((ULONG_PTR)Block + Size) % PAGE_SIZE != 0)
            return Block;
    }
}

static KTIMER Timer;
static KDPC Dpc;

static VOID NTAPI Nothing(PKDPC Ignored, PVOID Context, PVOID Argument1, PVOID Argument2)
{
}

/* 35: mapped for user mode at DISPATCH_LEVEL, 36: unmapped there, 37: what is no mapping, in user space. */
static VOID MisuseMapping(ULONG Number)
{
    PUCHAR Block = ExAllocatePoolWithTag(NonPagedPoolNx, 40, TAG);
    PMDL Mdl = IoAllocateMdl(Block, 40, FALSE, FALSE, NULL);
    PVOID Mapped = (PVOID)0x40000000;
    KIRQL OldIrql;

    MmProbeAndLockPages(Mdl, KernelMode, IoModifyAccess);
    if (Number == 36)
        Mapped = MmMapLockedPagesSpecifyCache(Mdl, UserMode, MmCached, NULL, FALSE, NormalPagePriority);
    if (Number != 37)
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
    if (Number == 35)
        MmMapLockedPagesSpecifyCache(Mdl, UserMode, MmCached, NULL, FALSE, NormalPagePriority); /* [35] */
    MmUnmapLockedPages(Mapped, Mdl);                                                            /* [36] [37] */
}

static VOID Misuse(ULONG Number)
{
    PUCHAR Block = ExAllocatePoolWithTag(Number == 20 || Number == 22 ? PagedPool : NonPagedPoolNx, 40, TAG); /* [30] */
    KIRQL OldIrql;

    switch (Number) {
    case 1: /* use after free */
        ExFreePoolWithTag(Block, TAG);
        Sink = Block;
        Block[4] = 1; /* [1] */
        break;
    case 2: /* read after free */
        ExFreePoolWithTag(Block, TAG);
        Sink = Block;
        Keep = (PVOID)(ULONG_PTR)Sink[7]; /* [2] */
        break;
    case 3: /* past the end, as far as the next page */ Block[48] = 1; break; /* [3] */
    case 4:                                                                   /* past the end, within the alignment */
        Block[41] = 1;
        ExFreePoolWithTag(Block, TAG); /* [4] */
        break;
    case 5: /* before the start */
        Block[-3] = 1;
        ExFreePoolWithTag(Block, TAG); /* [5] */
        break;
    case 6: /* freed twice */
        ExFreePoolWithTag(Block, TAG);
        ExFreePoolWithTag(Block, TAG); /* [6] */
        break;
    case 7: /* wrong tag */ ExFreePoolWithTag(Block, 'xxxx'); break;                /* [7] */
    case 8: /* not an allocation's start */ ExFreePool(Block + 16); break;          /* [8] */
    case 9: /* not pool at all */ ExFreePool(&Keep); break;                         /* [9] */
    case 10: /* a user address */ ExFreePool((PVOID)0x12340); break;                /* [10] */
    case 11: /* zero bytes */ ExAllocatePoolWithTag(NonPagedPoolNx, 0, TAG); break; /* [11] */
    case 12: /* tag zero */ ExAllocatePoolWithTag(NonPagedPoolNx, 8, 0); break;     /* [12] */
    case 13:                                                                        /* paged pool at DISPATCH_LEVEL */
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        ExAllocatePoolWithTag(PagedPool, 8, TAG); /* [13] */
        break;
    case 14: /* big allocation past its end */
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, 8192, TAG);
        Block[8192] = 1; /* [14] */
        break;
    case 15: /* big allocation freed twice */
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, 8192, TAG);
        ExFreePool(Block);
        ExFreePool(Block); /* [15] */
        break;
    case 16: /* a big allocation, past its end but on its page */
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, 5000, TAG);
        Block[5000] = 1;
        ExFreePoolWithTag(Block, TAG); /* [16] */
        break;
    case 17: /* a big allocation, the wrong tag */
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, 5000, TAG);
        ExFreePoolWithTag(Block, 'xxxx'); /* [17] */
        break;
    case 18: /* an ordinary block, past its end */
        Block = Ordinary(96);
        Block[96] = 1;
        ExFreePoolWithTag(Block, TAG); /* [18] */
        break;
    case 19: /* a timer in an ordinary block that is freed */
        Block = Ordinary(sizeof(KTIMER));
        KeInitializeTimer((PKTIMER)Block);
        KeSetTimer((PKTIMER)Block, (LARGE_INTEGER){.QuadPart = -100000000}, NULL);
        ExFreePoolWithTag(Block, TAG); /* [19] */
        break;
    case 20: /* paged pool touched at DISPATCH_LEVEL */
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        Block[0] = 1; /* [20] */
        break;
    case 21: /* pageable code called at DISPATCH_LEVEL */
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        PagedRoutine(3);
        break;
    case 22: /* a routine called at the wrong IRQL */
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        ZwClose(NULL); /* [22] */
        break;
    case 23: /* a null pointer at DISPATCH_LEVEL */
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        *(volatile ULONG *)8 = 1; /* [23] */
        break;
    case 24: /* an address where nothing is */ *(volatile ULONG *)0xFFFFC12345678000ULL = 1; break; /* [24] */
    case 25: /* writing code */ *(volatile ULONG *)(ULONG_PTR)Misuse = 1; break;                    /* [25] */
    case 26: /* executing data */ ((VOID(*)(VOID))Block)(); break;                                  /* [26] */
    case 27: /* unlocking what was never locked */ {
        PMDL Mdl = IoAllocateMdl(Block, 40, FALSE, FALSE, NULL);
        MmUnlockPages(Mdl); /* [27] */
        break;
    }
    case 28: /* freed while its pages are locked */ {
        PMDL Mdl = IoAllocateMdl(Block, 40, FALSE, FALSE, NULL);
        MmProbeAndLockPages(Mdl, KernelMode, IoModifyAccess);
        ExFreePool(Block); /* [28] */
        break;
    }
    case 31: /* a timer in a big allocation that is freed */
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, 9000, TAG);
        KeInitializeTimer((PKTIMER)(Block + 8000));
        KeSetTimer((PKTIMER)(Block + 8000), (LARGE_INTEGER){.QuadPart = -100000000}, NULL);
        ExFreePoolWithTag(Block, TAG); /* [31] */
        break;
    case 32: /* a queued DPC in memory that is freed */
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(KDPC), TAG);
        KeInitializeDpc((PKDPC)Block, Nothing, NULL);
        KeRaiseIrql(DISPATCH_LEVEL, &OldIrql);
        KeInsertQueueDpc((PKDPC)Block, NULL, NULL);
        ExFreePoolWithTag(Block, TAG); /* [32] */
        break;
    case 33: /* the DPC of a timer that is set and lies elsewhere */
        Block = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(KDPC), TAG);
        KeInitializeDpc((PKDPC)Block, Nothing, NULL);
        KeInitializeTimer(&Timer);
        KeSetTimer(&Timer, (LARGE_INTEGER){.QuadPart = -100000000}, (PKDPC)Block);
        ExFreePoolWithTag(Block, TAG); /* [33] */
        break;
    case 34: /* the routine of such a DPC */
        Block = ExAllocatePoolWithTag(NonPagedPool, 16, TAG);
        Block[0] = 0xC3;
        KeInitializeDpc(&Dpc, (PKDEFERRED_ROUTINE)(PVOID)Block, NULL);
        KeInitializeTimer(&Timer);
        KeSetTimer(&Timer, (LARGE_INTEGER){.QuadPart = -100000000}, &Dpc);
        ExFreePoolWithTag(Block, TAG); /* [34] */
        break;
    case 29: /* one processor reads, another frees, the first reads again */
        Block = ExAllocatePoolWithTag(NonPagedPool, 16, TAG);
        KeSetSystemAffinityThread(1);
        Keep = (PVOID)(ULONG_PTR) * (volatile UCHAR *)Block;
        KeSetSystemAffinityThread(2);
        ExFreePoolWithTag(Block, TAG);
        KeSetSystemAffinityThread(1);
        Keep = (PVOID)(ULONG_PTR) * (volatile UCHAR *)Block; /* [29] */
        break;
    case 30: /* leaks: reported when unloaded */
        Keep = Block;
        ExAllocatePoolWithTag(PagedPool, 6000, 'kaeL');
        break;
    default: ExFreePool(Block);
    }
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG Number;

    DriverObject->DriverUnload = Unload;
    Number = Fault(RegistryPath);
    if (Number >= 35)
        MisuseMapping(Number);
    else
        Misuse(Number);
    return STATUS_SUCCESS;
}
