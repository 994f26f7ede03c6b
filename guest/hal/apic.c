/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apic: the local APIC (x2APIC where the processor has it), the I/O APIC, vectors, and the start of other
 * processors.  Local APIC ids are the processor numbers, as QEMU gives them to up to eight single-core
 * sockets.
 */
#include "halp.h"

#define MSR_APIC_BASE   0x1B
#define APIC_BASE_X2    0x400
#define APIC_BASE_ON    0x800
#define MSR_X2APIC(Reg) (0x800 + ((Reg) >> 4))

#define APIC_TPR           0x080
#define APIC_EOI           0x0B0
#define APIC_LDR           0x0D0
#define APIC_DFR           0x0E0
#define APIC_SVR           0x0F0
#define APIC_ICR_LOW       0x300
#define APIC_ICR_HIGH      0x310
#define APIC_LVT_TIMER     0x320
#define APIC_LVT_LINT0     0x350
#define APIC_LVT_LINT1     0x360
#define APIC_LVT_ERROR     0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE  0x3E0
#define APIC_SELF_IPI      0x3F0

#define LVT_MASKED     0x10000
#define LVT_PERIODIC   0x20000
#define LVT_NMI        0x400
#define SVR_ENABLE     0x100
#define DIVIDE_BY_1    0xB
#define ICR_BUSY       0x1000
#define ICR_INIT       0x4500
#define ICR_STARTUP    0x4600
#define ICR_NMI_OTHERS 0xC4400
#define ICR_SELF       0x44000
#define ICR_FIXED      0x4000

#define APIC_PHYSICAL      0xFEE00000
#define IOAPIC_PHYSICAL    0xFEC00000
#define IOAPIC_VERSION     1
#define IOAPIC_REDIRECT(n) (0x10 + 2 * (n))
#define IOAPIC_MASKED      0x10000
#define IOAPIC_LEVEL       0x8000
#define IOAPIC_LOW         0x2000

/* QEMU's and KVM's local APIC timers count at 1 GHz, whatever the machine. */
#define APIC_TIMER_FREQUENCY 1000000000ull
#define CLOCK_PERIOD         15625000
#define CALIBRATION_PERIOD   100000

struct fltvm_loader_block *HalLoaderBlock;
ULONG64 HalTscFrequency = 1000000000ull;

static BOOLEAN HalpX2Apic;
static KSPIN_LOCK HalpVectorLock;                        /* raw: taken by exchange, interrupts off */
static USHORT HalpVectorsUsed[FLTVM_MAX_PROCESSORS][16]; /* a bit for each vector of a level */

FORCEINLINE VOID HalpWrite(ULONG Register, ULONG Value)
{
    if (HalpX2Apic) {
        __writemsr(MSR_X2APIC(Register), Value);
    } else {
        *(volatile ULONG *)HAL_DIRECT(APIC_PHYSICAL + Register) = Value;
    }
}

FORCEINLINE ULONG HalpRead(ULONG Register)
{
    return HalpX2Apic ? (ULONG)__readmsr(MSR_X2APIC(Register))
                      : *(volatile ULONG *)HAL_DIRECT(APIC_PHYSICAL + Register);
}

static VOID HalpSendCommand(ULONG Target, ULONG Command)
{
    BOOLEAN Enabled = (__readeflags() & 0x200) != 0;

    _disable();
    if (HalpX2Apic) {
        __writemsr(MSR_X2APIC(APIC_ICR_LOW), (ULONG64)Target << 32 | Command);
    } else {
        HalpWrite(APIC_ICR_HIGH, Target << 24);
        HalpWrite(APIC_ICR_LOW, Command);
    }
    if (Enabled) {
        _enable();
    }
}

VOID HalEndOfInterrupt(VOID)
{
    HalpWrite(APIC_EOI, 0);
}

VOID HalRequestSelfInterrupt(ULONG Vector)
{
    if (HalpX2Apic) {
        __writemsr(MSR_X2APIC(APIC_SELF_IPI), Vector);
    } else {
        HalpWrite(APIC_ICR_LOW, ICR_SELF | Vector);
    }
}

VOID HalRequestIpi(KAFFINITY Targets, ULONG Vector)
{
    for (; Targets != 0; Targets &= Targets - 1) {
        HalpSendCommand((ULONG)__builtin_ctzll(Targets), ICR_FIXED | Vector);
    }
}

VOID HalSendNmiToOthers(VOID)
{
    HalpSendCommand(0, ICR_NMI_OTHERS);
}

/* ---- I/O APIC ---- */

static ULONG HalpIoApicRead(ULONG Register)
{
    *(volatile ULONG *)HAL_DIRECT(IOAPIC_PHYSICAL) = Register;
    return *(volatile ULONG *)HAL_DIRECT(IOAPIC_PHYSICAL + 0x10);
}

static VOID HalpIoApicWrite(ULONG Register, ULONG Value)
{
    *(volatile ULONG *)HAL_DIRECT(IOAPIC_PHYSICAL) = Register;
    *(volatile ULONG *)HAL_DIRECT(IOAPIC_PHYSICAL + 0x10) = Value;
}

static ULONG HalpIoApicInputs(VOID)
{
    return (HalpIoApicRead(IOAPIC_VERSION) >> 16 & 0xFF) + 1;
}

static VOID HalpInitializeBoard(VOID)
{
    /* The 8259 pair of q35, masked; nobody is there on microvm. */
    __outbyte(0x21, 0xFF);
    __outbyte(0xA1, 0xFF);
    for (ULONG Gsi = HalpIoApicInputs(); Gsi-- > 0;) {
        HalpIoApicWrite(IOAPIC_REDIRECT(Gsi), IOAPIC_MASKED);
    }
}

/* ---- vectors ---- */

BOOLEAN HalAllocateVector(KIRQL Irql, ULONG Number, PULONG Vector)
{
    BOOLEAN Enabled = (__readeflags() & 0x200) != 0;
    ULONG Bit = 0;

    if (Irql < HAL_DEVICE_LEVEL_MINIMUM || Irql > HAL_DEVICE_LEVEL_MAXIMUM || Number >= FLTVM_MAX_PROCESSORS) {
        return FALSE;
    }
    _disable();
    while (InterlockedExchange64((volatile LONG64 *)&HalpVectorLock, 1) != 0) {
        _mm_pause();
    }
    while (Bit < 16 && (HalpVectorsUsed[Number][Irql] >> Bit & 1)) {
        Bit++;
    }
    if (Bit < 16) {
        HalpVectorsUsed[Number][Irql] |= 1 << Bit;
        *Vector = Irql * 16u + Bit;
    }
    *(volatile KSPIN_LOCK *)&HalpVectorLock = 0;
    if (Enabled) {
        _enable();
    }
    return Bit < 16;
}

VOID HalGetMessageAddress(ULONG Number, ULONG Vector, PULONG64 Address, PULONG Data)
{
    *Address = APIC_PHYSICAL | (ULONG64)Number << 12;
    *Data = Vector;
}

/* ---- processors ---- */

static VOID HalpCalibrate(VOID)
{
    ULONG64 Start, Counts;
    ULONG First, Last;

    HalpWrite(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    HalpWrite(APIC_LVT_TIMER, LVT_MASKED | HAL_CLOCK_VECTOR);
    HalpWrite(APIC_TIMER_INITIAL, 0xFFFFFFFF);
    First = HalpRead(APIC_TIMER_CURRENT);
    Start = __rdtsc();
    do {
        Last = HalpRead(APIC_TIMER_CURRENT);
    } while (First - Last < CALIBRATION_PERIOD);
    Counts = __rdtsc() - Start;
    HalTscFrequency = Counts * APIC_TIMER_FREQUENCY / (First - Last);
    /* Under icount the counter is the virtual clock: exactly a GHz, but for the instructions in between. */
    if (HalTscFrequency > 995000000 && HalTscFrequency < 1005000000) {
        HalTscFrequency = 1000000000;
    }
    HalpWrite(APIC_TIMER_INITIAL, 0);
}

VOID HalInitializeProcessor(ULONG Number)
{
    int Registers[4];

    if (Number == 0) {
        __cpuid(Registers, 1);
        HalpX2Apic = (Registers[2] >> 21 & 1) != 0;
    }
    __writemsr(MSR_APIC_BASE, __readmsr(MSR_APIC_BASE) | APIC_BASE_ON);
    if (HalpX2Apic) {
        __writemsr(MSR_APIC_BASE, __readmsr(MSR_APIC_BASE) | APIC_BASE_X2);
    }
    HalpWrite(APIC_LVT_TIMER, LVT_MASKED);
    HalpWrite(APIC_LVT_LINT0, LVT_MASKED);
    HalpWrite(APIC_LVT_LINT1, LVT_NMI);
    HalpWrite(APIC_LVT_ERROR, LVT_MASKED);
    HalpWrite(APIC_SVR, SVR_ENABLE | HAL_SPURIOUS_VECTOR);
    if (Number == 0) {
        HalpInitializeBoard();
        HalpCalibrate();
    }
}

VOID HalStartClock(VOID)
{
    HalpWrite(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    HalpWrite(APIC_LVT_TIMER, LVT_PERIODIC | HAL_CLOCK_VECTOR);
    HalpWrite(APIC_TIMER_INITIAL, CLOCK_PERIOD);
}

/* The page that starts a processor is copied to the loader's trampoline page. */
VOID HalStartProcessors(ULONG Count, VOID (*Entry)(ULONG Number), PVOID *StackBase)
{
    PUCHAR Page = HAL_DIRECT(HalLoaderBlock->trampoline);
    HALP_TRAMPOLINE_DATA *Data = (HALP_TRAMPOLINE_DATA *)(Page + (HalpTrampolineData - HalpTrampoline));

    for (PCHAR Byte = HalpTrampoline; Byte < HalpTrampolineEnd; Byte++) {
        Page[Byte - HalpTrampoline] = *Byte;
    }
    Data->PageTable = (ULONG)HalLoaderBlock->start_page_table;
    Data->Entry = (ULONG64)Entry;
    for (ULONG Number = 1; Number < Count; Number++) {
        Data->Number = Number;
        Data->Stack = (ULONG64)StackBase[Number] - 0x28;
        Data->Started = 0;
        _ReadWriteBarrier();
        HalpSendCommand(Number, ICR_INIT);
        for (ULONG Spins = 0; !*(volatile ULONG *)&Data->Started; Spins++) {
            /* A processor that is still on its way to waiting loses the first. */
            if (Spins % 0x10000 == 0) {
                HalpSendCommand(Number, ICR_STARTUP | (ULONG)(HalLoaderBlock->trampoline >> 12));
            }
            _mm_pause();
        }
    }
}

DECLSPEC_NORETURN VOID HalPowerOff(VOID)
{
    struct {
        UCHAR Bytes[10];
    } Nothing = {{0}};

    /* A triple fault resets every machine; with -no-reboot that ends it. */
    _disable();
    __lidt(&Nothing);
    __debugbreak();
    for (;;) {
        __asm__ volatile("hlt");
    }
}
