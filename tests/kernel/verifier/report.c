/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that goes wrong in one way, chosen by CASE, in a section chosen by SECTION.  The line to blame has a comment
 * "guilty N"; report.lua looks for it.
 */
#include <fltKernel.h>

DRIVER_INITIALIZE DriverEntry;
DRIVER_UNLOAD Unload;

#pragma pack(push, 1)
typedef struct _TABLE_REGISTER {
    USHORT Limit;
    ULONG64 Base;
} TABLE_REGISTER;
#pragma pack(pop)

#ifdef DISCARD
#pragma comment(linker, "/section:.pdata,RD") /* the table of functions goes with INIT */
#endif

static KEVENT Event;
static KBUGCHECK_CALLBACK_RECORD Record;
static volatile LONG *volatile Nowhere;

VOID NTAPI Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
}

static VOID NTAPI BadCallback(PVOID Buffer, ULONG Length)
{
    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(Length);
    *Nowhere = 1;
}

static RTL_GENERIC_COMPARE_RESULTS NTAPI Compare(PRTL_GENERIC_TABLE Table, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(Table);
    UNREFERENCED_PARAMETER(First);
    UNREFERENCED_PARAMETER(Second);
    return GenericLessThan;
}

__declspec(noinline) static LONG Recurse(volatile LONG *Depth)
{
    volatile LONG Here = *Depth + 1;

    return Recurse(&Here) + Here; /* guilty 30 */
}

__declspec(noinline) static LONG UseMuch(VOID)
{ /* guilty 31 */
    volatile CHAR Space[200000];

    for (LONG Index = sizeof(Space) - 1; Index >= 0; Index -= 64)
        Space[Index] = 1;
    return Space[0];
}

static VOID NTAPI RecursiveCallback(PVOID Buffer, ULONG Length)
{
    volatile LONG Depth = 0;

    UNREFERENCED_PARAMETER(Buffer);
    UNREFERENCED_PARAMETER(Length);
    Recurse(&Depth);
}

static VOID NTAPI OverrunDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
    volatile LONG Depth = 0;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    if (Context != NULL)
        Recurse(&Depth);
    UseMuch();
}

/* On the last processor, which is idle when there are more than one. */
static VOID QueueOverrun(PVOID Context)
{
    static KDPC Dpc;
    LARGE_INTEGER Soon = {.QuadPart = -100000};

    KeInitializeDpc(&Dpc, OverrunDpc, Context);
    KeSetTargetProcessorDpc(&Dpc, (CCHAR)(KeQueryActiveProcessorCount(NULL) - 1));
    KeInsertQueueDpc(&Dpc, NULL, NULL);
    KeDelayExecutionThread(KernelMode, FALSE, &Soon);
}

#pragma code_seg(SECTION)

__declspec(noinline) static VOID NTAPI WaitForEver(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KeWaitForSingleObject(&Event, Executive, KernelMode, FALSE, NULL); /* guilty 20 */
    DbgPrint("woken\n");
}

/* When DriverEntry has returned: in INIT there is no code any more. */
__declspec(noinline) static VOID NTAPI FaultLate(PVOID Context)
{ /* guilty 25 */
    LARGE_INTEGER Soon = {.QuadPart = -100000};

    UNREFERENCED_PARAMETER(Context);
    KeDelayExecutionThread(KernelMode, FALSE, &Soon), *(volatile LONG *)8 = 1; /* guilty 24 */
}

/* Its first instruction faults: one byte before it is another function. */
__declspec(noinline) static LONG FaultAtOnce(volatile LONG *Address)
{
    return *Address; /* guilty 4 */
}

/* Its last instruction is the int 29h: what follows is another function. */
__declspec(noinline) static VOID FailFast(VOID)
{
    DbgPrint("failing\n");
    __fastfail(5); /* guilty 5 */
}

/* A compiler likes to make one call of these two. */
__declspec(noinline) static VOID FreeInBranches(volatile LONG *Which)
{
    if (*Which == 1) {
        Record.Length = 1;
        ExFreePoolWithTag((PVOID)0xFFFF900000001230, 0);
    } else {
        Record.Length = 2;
        ExFreePoolWithTag((PVOID)0xFFFF900000001230, 0); /* guilty 26 */
    }
    DbgPrint("freed\n");
}

__declspec(noinline) static VOID FaultInKernel(VOID)
{
    UNICODE_STRING Name, Other;

    RtlInitUnicodeString(&Name, L"a");
    Other.Buffer = (PWCH)0xFFFFF00000000000;
    Other.Length = Other.MaximumLength = 2;
    RtlCompareUnicodeString(&Name, &Other, TRUE); /* guilty 11 */
    DbgPrint("compared\n");
}

__declspec(noinline) static VOID FaultInFilterManager(VOID)
{
    FltObjectReference((PVOID)0xFFFFF00000000000); /* guilty 12 */
    DbgPrint("referenced\n");
}

__declspec(noinline) static VOID InsertWithoutAllocate(VOID)
{
    static RTL_GENERIC_TABLE Table;
    LONG Element = 1;

    RtlInitializeGenericTable(&Table, Compare, NULL, NULL, NULL);
    RtlInsertElementGenericTable(&Table, &Element, sizeof(Element), NULL); /* guilty 13 */
    DbgPrint("inserted\n");
}

__declspec(noinline) static VOID Misbehave(VOID)
{
    TABLE_REGISTER Table;
    PVOID Pool;
    KIRQL Irql;
    HANDLE Thread;

    switch (CASE) {
    case 1:
        ((VOID(NTAPI *)(VOID))0)(); /* guilty 1 */
        break;
    case 2:
        ((VOID(NTAPI *)(VOID))0xFFFFF80010000000)(); /* guilty 2 */
        break;
    case 3:
        ((VOID(NTAPI *)(VOID))0x4141414141414141)(); /* guilty 3 */
        break;
    case 4: FaultAtOnce((volatile LONG *)8); break;
    case 5: FailFast(); break;
    case 6:
        *(volatile LONG *)8 = 1; /* guilty 6 */
        break;
    case 7:
        KeRaiseIrql(DISPATCH_LEVEL, &Irql); /* guilty 7 */
        DbgPrint("raised\n");
        KeLowerIrql(Irql);
        break;
    case 8:
        ExFreePoolWithTag((PVOID)0xFFFF900000001230, 0); /* guilty 8 */
        break;
    case 9:
        ExAllocatePoolWithTag(NonPagedPoolNx, 64, 'kaeL'); /* guilty 9 */
        break;
    case 10:
        ExAllocatePoolZero(NonPagedPoolNx, 64, 'kaeL'); /* guilty 10 */
        break;
    case 11: FaultInKernel(); break;
    case 12: FaultInFilterManager(); break;
    case 13: InsertWithoutAllocate(); break;
    case 14:
        KeInitializeCallbackRecord((&Record));
        KeRegisterBugCheckCallback(&Record, BadCallback, NULL, 0, (PUCHAR) "bad");
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 1, 2, 3, 4); /* guilty 14 */
    case 15:
        __writemsr(0xC0000101, 0x4141); /* the GS base */
        PsGetCurrentThread();           /* guilty 15 */
        break;
    case 16:
        KeInitializeCallbackRecord((&Record));
        KeRegisterBugCheckCallback(&Record, RecursiveCallback, NULL, 0, (PUCHAR) "bad");
        KeBugCheckEx(MANUALLY_INITIATED_CRASH, 1, 2, 3, 4); /* guilty 16 */
    case 17:
        __asm__ volatile("mov %0, %%cr3; nop" : : "r"(0ULL)); /* guilty 17 */
        break;
    case 18:
        __asm__ volatile("sgdt %0" : "=m"(Table));
        for (ULONG Index = 0; Index < 8; Index++)
            ((volatile ULONG64 *)Table.Base)[Index] = 0;
        __asm__ volatile("mov %0, %%ds" : : "r"(0x10)); /* guilty 18 */
        break;
    case 19:
        __asm__ volatile("sidt %0" : "=m"(Table));
        *(volatile ULONG64 *)Table.Base = 0; /* guilty 19 */
        break;
    case 22:
        RtlZeroMemory(&Table, sizeof(Table));
        __asm__ volatile("lidt %0; int3" : : "m"(Table)); /* guilty 22 */
        break;
    case 23:
        Pool = ExAllocatePoolWithTag(NonPagedPoolNx, 20000, 'gibR');
        ExFreePoolWithTag(Pool, 'gibR');
        ExFreePoolWithTag(Pool, 'gibR'); /* guilty 23 */
        break;
    case 24:
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, FaultLate, NULL);
        ZwClose(Thread);
        break;
    case 26: FreeInBranches(&(volatile LONG){2}); break;
    case 30: Recurse(&(volatile LONG){0}); break;
    case 31: UseMuch(); break;
    case 32: QueueOverrun(&Event); break;
    case 33: QueueOverrun(NULL); break;
    case 20:
        PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, WaitForEver, NULL);
        ZwClose(Thread);
        break;
    }
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(Path);
    Driver->DriverUnload = Unload;
    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    Misbehave();
    DbgPrint("loaded\n");
    return STATUS_SUCCESS;
}
