/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * processor: descriptor tables, the block at gs, idle threads, and starting the other processors.
 *
 * Blocks of all processors are taken from the memory map before mm sees it.  Every stack that a driver's code may run
 * on, an idle thread's and a trap's too, comes from mm and has an unmapped page below it.
 */
#include "kep.h"

#define SELECTOR_CODE 0x10
#define SELECTOR_TSS  0x40

#define IST_NMI           1
#define IST_DOUBLE_FAULT  2
#define IST_MACHINE_CHECK 3

#define MSR_GS_BASE 0xC0000101

#define IST_STACK_SIZE 0x4000

typedef struct _KI_GATE {
    USHORT OffsetLow;
    USHORT Selector;
    UCHAR Ist;
    UCHAR Type;
    USHORT OffsetMiddle;
    ULONG OffsetHigh;
    ULONG Reserved;
} KI_GATE;
C_ASSERT(sizeof(KI_GATE) == 16);

#pragma pack(push, 1)
typedef struct _KI_DESCRIPTOR {
    USHORT Limit;
    PVOID Base;
} KI_DESCRIPTOR;

typedef struct _KI_TSS {
    ULONG Reserved0;
    ULONG64 Rsp[3];
    ULONG64 Ist[8]; /* [0] is reserved */
    ULONG64 Reserved1;
    USHORT Reserved2;
    USHORT IoMapBase;
} KI_TSS;
#pragma pack(pop)
C_ASSERT(sizeof(KI_TSS) == 104);

PKPRCB KiProcessorBlock[FLTVM_MAX_PROCESSORS];
ULONG KiProcessorCount;
KAFFINITY KeActiveSet;
struct _KI_INITIAL_PROCESS KiInitialProcess;
volatile CCHAR KeNumberProcessors;
PKUSER_SHARED_DATA KiSharedData;
BOOLEAN KiDriverVerifierOn;

/* Read-only, so that a wild write is found where it is made; it is filled through the direct map. */
#pragma section(".idt", read)
static __declspec(allocate(".idt")) DECLSPEC_ALIGN(PAGE_SIZE) volatile KI_GATE KiIdt[256] = {{0}};
static PVOID KiStartStack[FLTVM_MAX_PROCESSORS]; /* until the idle stack can be seen */

/* Pages from the end of the highest free range below 4 GiB, before mm owns memory. */
static PVOID KiAllocateBootMemory(struct fltvm_loader_block *Block, ULONG64 Size)
{
    Size = (Size + 0xFFF) & ~0xFFFull;
    for (ULONG i = Block->ranges; i-- > 0;) {
        struct fltvm_memory_range *Range = &Block->range[i];
        ULONG64 Base = Range->base + Range->size - Size;

        if (Range->type != FLTVM_MEMORY_FREE || Range->size < Size || Base + Size > 0x100000000ull) {
            continue;
        }
        Range->size -= Size;
        if (i + 1 < Block->ranges && Block->range[i + 1].type == FLTVM_MEMORY_KERNEL &&
            Block->range[i + 1].base == Base + Size) {
            Block->range[i + 1].base = Base;
            Block->range[i + 1].size += Size;
        } else if (Block->ranges < FLTVM_BOOT_MAX_RANGES) {
            for (ULONG j = Block->ranges++; j > i + 1; j--) {
                Block->range[j] = Block->range[j - 1];
            }
            Block->range[i + 1] = (struct fltvm_memory_range){Base, Size, FLTVM_MEMORY_KERNEL, 0};
        }
        RtlZeroMemory(HAL_DIRECT(Base), Size);
        return HAL_DIRECT(Base);
    }
    KeBugCheckEx(UNSUPPORTED_PROCESSOR, Size, 0, 0, 0);
}

static VOID KiSetGate(ULONG Vector, PVOID Handler, UCHAR Ist)
{
    ULONG64 Physical = (ULONG64)&KiIdt[Vector] - HalLoaderBlock->kernel_base + HalLoaderBlock->kernel_physical;
    KI_GATE *Gate = HAL_DIRECT(Physical);
    ULONG64 Offset = (ULONG64)Handler;

    Gate->OffsetLow = (USHORT)Offset;
    Gate->OffsetMiddle = (USHORT)(Offset >> 16);
    Gate->OffsetHigh = (ULONG)(Offset >> 32);
    Gate->Selector = SELECTOR_CODE;
    Gate->Ist = Ist;
    /* Present, interrupt gate; int 3, int 29h, int 2Ch and int 2Dh are user mode's as well. */
    Gate->Type = Vector == 0x03 || Vector == 0x29 || Vector == 0x2C || Vector == 0x2D ? 0xEE : 0x8E;
}

static VOID KiInitializeIdt(VOID)
{
    for (ULONG Vector = 0x20; Vector < 0x100; Vector++) {
        KiSetGate(Vector, KiInterruptStubs + (Vector - 0x20) * 8, 0);
    }
    for (ULONG Vector = 0; Vector < RTL_NUMBER_OF(KiTrapTable); Vector++) {
        if (KiTrapTable[Vector] != NULL) {
            KiSetGate(Vector, KiTrapTable[Vector],
                      Vector == 2    ? IST_NMI
                      : Vector == 8  ? IST_DOUBLE_FAULT
                      : Vector == 18 ? IST_MACHINE_CHECK
                                     : 0);
        }
    }
    KiSetGate(HAL_APC_VECTOR, KiInterruptStubs - 8, 0); /* 1Fh has a stub of its own, before the others */
}

static VOID KiInitializeGdt(PKI_PROCESSOR Processor)
{
    KI_TSS *Tss = (KI_TSS *)Processor->Tss;
    ULONG64 Base = (ULONG64)Tss;

    Processor->Gdt[2] = 0x00AF9B000000FFFF; /* 10h: kernel code */
    Processor->Gdt[3] = 0x00CF93000000FFFF; /* 18h: kernel data */
    Processor->Gdt[5] = 0x00CFF3000000FFFF; /* 28h: user data */
    Processor->Gdt[6] = 0x00AFFB000000FFFF; /* 30h: user code */
    Processor->Gdt[8] = 0x0000890000000000 | (sizeof(KI_TSS) - 1) | (Base & 0xFFFFFF) << 16 | (Base >> 24 & 0xFF) << 56;
    Processor->Gdt[9] = Base >> 32;
    Tss->IoMapBase = sizeof(KI_TSS);
    Tss->Ist[IST_NMI] = (ULONG64)(Processor->NmiStack + sizeof(Processor->NmiStack));
    Tss->Ist[IST_DOUBLE_FAULT] = (ULONG64)(Processor->DoubleFaultStack + sizeof(Processor->DoubleFaultStack));
    Tss->Ist[IST_MACHINE_CHECK] = (ULONG64)(Processor->MachineCheckStack + sizeof(Processor->MachineCheckStack));
}

static VOID KiInitializeIdleThread(PKI_PROCESSOR Processor, ULONG Number, PVOID StackBase, SIZE_T StackSize)
{
    PKTHREAD Thread = &Processor->IdleThread;
    CHAR Name[8] = "idle 0";

    KeInitThread(Thread, StackBase, StackSize, NULL, NULL, NULL, &KiInitialProcess.Pcb);
    Thread->Priority = Thread->BasePriority = 0;
    Thread->Affinity = Thread->UserAffinity = (KAFFINITY)1 << Number;
    Thread->NextProcessor = Thread->IdealProcessor = Number;
    Thread->IdleThread = TRUE;
    Thread->State = Running;
    Name[5] = (CHAR)('0' + Number);
    KeSetThreadName(Thread, Name);
}

static VOID KiInitializeBlock(ULONG Number, PKI_PROCESSOR Processor)
{
    PKPRCB Prcb = &Processor->Prcb;

    KiProcessorBlock[Number] = Prcb;
    KiInitializeGdt(Processor);
    *(PVOID *)((PUCHAR)Processor + 0x00) = Processor->Gdt;
    *(PVOID *)((PUCHAR)Processor + 0x08) = Processor->Tss;
    *(PVOID *)((PUCHAR)Processor + 0x18) = Processor; /* Self */
    *(PVOID *)((PUCHAR)Processor + 0x20) = Prcb;
    *(PVOID *)((PUCHAR)Processor + 0x38) = (PVOID)KiIdt;
    Prcb->Number = Number;
    Prcb->LegacyNumber = (UCHAR)Number;
    Prcb->SetMember = (KAFFINITY)1 << Number;
    Prcb->MxCsr = 0x1F80;
    InitializeListHead(&Prcb->DpcListHead);
    Prcb->IdleThread = &Processor->IdleThread;
    Prcb->CurrentThread = &Processor->IdleThread;
    Prcb->IdleActive = TRUE;
}

/* The descriptor table is each processor's own. */
PKPRCB KiRepairProcessor(VOID)
{
    PKI_PROCESSOR Processor = CONTAINING_RECORD(KiProcessorBlock[0], KI_PROCESSOR, Prcb);
    KI_DESCRIPTOR Gdt;

    __asm__ volatile("sgdt %0" : "=m"(Gdt));
    for (ULONG Number = 0; Number < HalLoaderBlock->processors; Number++) {
        PKI_PROCESSOR Each = CONTAINING_RECORD(KiProcessorBlock[Number], KI_PROCESSOR, Prcb);

        if (Gdt.Base == (PVOID)Each->Gdt) {
            Processor = Each;
        }
    }
    if (__readmsr(MSR_GS_BASE) != (ULONG64)Processor) {
        __writemsr(MSR_GS_BASE, (ULONG64)Processor);
    }
    return &Processor->Prcb;
}

/* Everything the running processor needs before it may take a trap. */
static VOID KiLoadProcessor(ULONG Number)
{
    PKI_PROCESSOR Processor = CONTAINING_RECORD(KiProcessorBlock[Number], KI_PROCESSOR, Prcb);
    KI_DESCRIPTOR Gdt = {sizeof(Processor->Gdt) - 1, Processor->Gdt};
    KI_DESCRIPTOR Idt = {sizeof(KiIdt) - 1, (PVOID)KiIdt};

    Processor->Gdt[8] &= ~0x0000020000000000ull; /* not busy */
    KiLoadSegments(&Gdt);
    __lidt(&Idt);
    __writemsr(MSR_GS_BASE, (ULONG64)Processor);
    __writecr8(HIGH_LEVEL);
    __writecr3(HalLoaderBlock->page_table);
    KiEnableSystemCalls();
}

/* Guarded stacks for what must not run on the interrupted one, in place of those that were there before mm. */
static VOID KiGuardTrapStacks(PKI_PROCESSOR Processor)
{
    static const UCHAR Stacks[] = {IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK};
    KI_TSS *Tss = (KI_TSS *)Processor->Tss;

    for (ULONG i = 0; i < RTL_NUMBER_OF(Stacks); i++) {
        PVOID Base = KiCreateStack(IST_STACK_SIZE);

        if (Base != NULL) {
            Tss->Ist[Stacks[i]] = (ULONG64)Base;
        }
    }
}

/* On its idle stack, interrupts off. */
static VOID KiStartProcessor(PVOID Parameter)
{
    ULONG Number = (ULONG)(ULONG_PTR)Parameter;

    HalInitializeProcessor(Number);
    HalStartClock();
    (VOID) KiLockDispatcher();
    KeActiveSet |= (KAFFINITY)1 << Number;
    KiIdleSummary |= (KAFFINITY)1 << Number;
    KiProcessorCount++;
    KeNumberProcessors = (CCHAR)KiProcessorCount;
    KiSharedData->ActiveProcessorCount = KiProcessorCount;
    KiReleaseSpinLock(&KiDispatcherLock);
    __writecr8(DISPATCH_LEVEL);
    _enable();
    KiIdleLoop();
}

/* Another processor's first C code: interrupts off, on the start tables, which do not show stacks of mm's. */
static VOID KiProcessorEntry(ULONG Number)
{
    KiLoadProcessor(Number);
    KiCallOnStack((PVOID)KiStartProcessor, (PVOID)(ULONG_PTR)Number, KeGetCurrentThread()->StackBase);
}

VOID KeInitSystem(struct fltvm_loader_block *LoaderBlock)
{
    HalLoaderBlock = LoaderBlock;
    KdPowerOff = HalPowerOff;
    KiSharedData = HAL_DIRECT(LoaderBlock->shared_data_physical);
    KiInitializeIdt();
    KiInitializeBugCheck();
    RtlInsertInvertedFunctionTable((PVOID)LoaderBlock->kernel_base, (ULONG)LoaderBlock->kernel_size);
    KeInitializeProcess(&KiInitialProcess.Pcb, 8, ~(KAFFINITY)0 >> (64 - LoaderBlock->processors),
                        LoaderBlock->page_table);
    KiInitializeScheduler();
    for (ULONG Number = 0; Number < LoaderBlock->processors; Number++) {
        PKI_PROCESSOR Processor = KiAllocateBootMemory(LoaderBlock, sizeof(KI_PROCESSOR));

        KiInitializeBlock(Number, Processor);
        if (Number == 0) {
            KiLoadProcessor(0);
            KiInitializeIdleThread(Processor, 0, (PVOID)LoaderBlock->stack_base, LoaderBlock->stack_size);
        }
    }
    KeActiveSet = 1;
    KiProcessorCount = 1;
    KeNumberProcessors = 1;
    KiInitializeTimers();
}

VOID KeEnableInterrupts(VOID)
{
    KiDriverVerifierOn = FvVerifierEnabled();
    if (KiDriverVerifierOn) {
        KiDpcWatchdogLimit = KI_VERIFIER_DISPATCH_LIMIT;
    }
    HalInitializeProcessor(0);
    KiInitializeTime();
    HalStartClock();
    __writecr8(DISPATCH_LEVEL);
    _enable();
}

DECLSPEC_NORETURN VOID KeIdle(VOID)
{
    PKTHREAD Thread = KeGetCurrentThread();
    PVOID Stack = KiCreateStack(KERNEL_STACK_SIZE);

    if (Stack != NULL) {
        Thread->InitialStack = Thread->StackBase = Stack;
        Thread->StackLimit = (PUCHAR)Stack - KERNEL_STACK_SIZE;
        KiGuardTrapStacks(CONTAINING_RECORD(KeGetCurrentPrcb(), KI_PROCESSOR, Prcb));
        KiCallOnStack((PVOID)KiIdleLoop, NULL, Stack);
    }
    KiIdleLoop();
}

VOID KeStartProcessors(VOID)
{
    ULONG Count = HalLoaderBlock->processors;

    for (ULONG Number = 1; Number < Count; Number++) {
        PKI_PROCESSOR Processor = CONTAINING_RECORD(KiProcessorBlock[Number], KI_PROCESSOR, Prcb);

        PVOID Stack = KiCreateStack(KERNEL_STACK_SIZE);

        if (Stack == NULL) {
            KeBugCheckEx(PHASE1_INITIALIZATION_FAILED, (ULONG)STATUS_INSUFFICIENT_RESOURCES, Number, 0, 0);
        }
        KiInitializeIdleThread(Processor, Number, Stack, KERNEL_STACK_SIZE);
        KiGuardTrapStacks(Processor);
        KiStartStack[Number] = Processor->NmiStack + sizeof(Processor->NmiStack);
    }
    if (Count > 1) {
        HalStartProcessors(Count, KiProcessorEntry, KiStartStack);
    }
}

KAFFINITY NTAPI KeQueryActiveProcessors(VOID)
{
    return KeActiveSet;
}

ULONG NTAPI KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    if (ActiveProcessors != NULL) {
        *ActiveProcessors = KeActiveSet;
    }
    return KiProcessorCount;
}

ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS ? KiProcessorCount : 0;
}

ULONG NTAPI KeQueryMaximumProcessorCount(VOID)
{
    return HalLoaderBlock->processors;
}

ULONG NTAPI KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return GroupNumber == 0 || GroupNumber == ALL_PROCESSOR_GROUPS ? HalLoaderBlock->processors : 0;
}

USHORT NTAPI KeQueryActiveGroupCount(VOID)
{
    return 1;
}

USHORT NTAPI KeQueryMaximumGroupCount(VOID)
{
    return 1;
}

KAFFINITY NTAPI KeQueryGroupAffinity(USHORT GroupNumber)
{
    return GroupNumber == 0 ? KeActiveSet : 0;
}

ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    ULONG Number = KeGetCurrentPrcb()->Number;

    if (ProcNumber != NULL) {
        ProcNumber->Group = 0;
        ProcNumber->Number = (UCHAR)Number;
        ProcNumber->Reserved = 0;
    }
    return Number;
}

NTSTATUS NTAPI KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcIndex >= HalLoaderBlock->processors) {
        return STATUS_INVALID_PARAMETER;
    }
    ProcNumber->Group = 0;
    ProcNumber->Number = (UCHAR)ProcIndex;
    ProcNumber->Reserved = 0;
    return STATUS_SUCCESS;
}

ULONG NTAPI KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber->Group != 0 || ProcNumber->Number >= HalLoaderBlock->processors || ProcNumber->Reserved != 0) {
        return INVALID_PROCESSOR_INDEX;
    }
    return ProcNumber->Number;
}

USHORT NTAPI KeGetCurrentNodeNumber(VOID)
{
    return 0;
}

USHORT NTAPI KeQueryHighestNodeNumber(VOID)
{
    return 0;
}

/* One node. */
ULONG NTAPI KeQueryNodeActiveProcessorCount(USHORT NodeNumber)
{
    return NodeNumber == 0 ? KiProcessorCount : 0;
}

USHORT NTAPI KeQueryNodeMaximumProcessorCount(USHORT NodeNumber)
{
    return NodeNumber == 0 ? (USHORT)HalLoaderBlock->processors : 0;
}

VOID NTAPI KeQueryNodeActiveAffinity(USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count)
{
    if (Affinity != NULL) {
        RtlZeroMemory(Affinity, sizeof(*Affinity));
        Affinity->Mask = NodeNumber == 0 ? KeActiveSet : 0;
    }
    if (Count != NULL) {
        *Count = NodeNumber == 0 ? (USHORT)KiProcessorCount : 0;
    }
}

/* A cache line. */
ULONG NTAPI KeGetRecommendedSharedDataAlignment(VOID)
{
    return 64;
}
