/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock: the tick of 15.625 ms on every processor; time of day and interrupt time from processor 0's; quantum
 * and watchdog.  Between ticks the time-stamp counter tells the precise time.
 */
#include "kep.h"

/* 2020-01-01 00:00 UTC, the date the machine starts at unless the option time= says otherwise. */
#define KI_BOOT_TIME 132223104000000000ull

ULONG64 KiBootTime = KI_BOOT_TIME;
volatile LARGE_INTEGER KeTickCountValue __asm__("KeTickCount");
ULONG KiDpcTimeLimit = 64;       /* a second */
ULONG KiDpcWatchdogLimit = 7680; /* two minutes */
static ULONG64 KiBaseCounter;    /* time-stamp counter at interrupt time 0 */
static ULONG64 KiTickCounter;    /* counts of a tick */
static ULONG64 KiNextTick;       /* counter value at which the next tick is due */

static VOID KiStoreTime(volatile KSYSTEM_TIME *Time, ULONG64 Value)
{
    Time->High2Time = (LONG)(Value >> 32);
    *(volatile ULONG64 *)Time = Value; /* low and high1 in one store */
}

static VOID KiPublishTime(ULONG64 InterruptTime)
{
    KiStoreTime(&KiSharedData->InterruptTime, InterruptTime);
    KiStoreTime(&KiSharedData->SystemTime, KiBootTime + InterruptTime);
}

VOID KiInitializeTime(VOID)
{
    CHAR Text[32];

    if (FvOption("time", Text, sizeof(Text))) {
        ULONG64 Value = 0;

        for (PCHAR Digit = Text; *Digit >= '0' && *Digit <= '9'; Digit++) {
            Value = Value * 10 + (*Digit - '0');
        }
        KiBootTime = Value * 10000000 + 116444736000000000ull; /* seconds since 1970 */
    }
    KiTickCounter = HalTscFrequency / 64;
    KiBaseCounter = __rdtsc();
    KiNextTick = KiBaseCounter + KiTickCounter;
    KiSharedData->TickCountMultiplier = 0xFA00000; /* 15.625 ms in 8.24 fixed point */
    RtlCopyMemory(KiSharedData->NtSystemRoot, L"C:\\Windows", sizeof(L"C:\\Windows"));
    KiSharedData->NtMajorVersion = 10;
    KiSharedData->NtMinorVersion = 0;
    KiSharedData->NtProductType = NtProductWinNt;
    KiSharedData->ProductTypeIsValid = TRUE;
    KiSharedData->ActiveProcessorCount = 1;
    KiSharedData->SuiteMask = 0x110;
    *(PULONG)((PUCHAR)KiSharedData + 0x260) = 19041; /* NtBuildNumber */
    *(PUSHORT)((PUCHAR)KiSharedData + 0x26A) = 9 /* PROCESSOR_ARCHITECTURE_AMD64 */;
    *(PULONG64)((PUCHAR)KiSharedData + 0x300) = 10000000; /* QpcFrequency */
    KiPublishTime(0);
}

static VOID KiAdvanceTime(VOID)
{
    ULONG64 Counter = __rdtsc(), Time = *(volatile ULONG64 *)&KiSharedData->InterruptTime;
    ULONG Ticks = 1;

    /* Ticks may be lost where interrupts were off for long, or the host was late. */
    KiNextTick += KiTickCounter;
    while ((LONG64)(Counter - KiNextTick) >= (LONG64)KiTickCounter && Ticks < 1000) {
        KiNextTick += KiTickCounter;
        Ticks++;
    }
    Time += (ULONG64)Ticks * KI_CLOCK_INCREMENT;
    KiPublishTime(Time);
    KeTickCountValue.QuadPart += Ticks;
    KiStoreTime(&KiSharedData->TickCount, KeTickCountValue.QuadPart);
    if (KiTimerCheck(Time)) {
        PKPRCB Prcb = KeGetCurrentPrcb();

        Prcb->TimerRequest = TRUE;
        KiRequestDispatchInterrupt(Prcb);
    }
}

static VOID KiWatchdog(PKPRCB Prcb, PKTRAP_FRAME TrapFrame)
{
    if (TrapFrame->PreviousIrql < DISPATCH_LEVEL || Prcb->IdleActive) {
        Prcb->DispatchTicks = 0;
        if (TrapFrame->PreviousIrql < DISPATCH_LEVEL || Prcb->DpcRoutine == NULL) {
            return;
        }
    }
    if (Prcb->DpcRoutine != NULL && ++Prcb->DpcTicks > KiDpcTimeLimit) {
        KeBugCheckEx(DPC_WATCHDOG_VIOLATION, 0, Prcb->DpcTicks, KiDpcTimeLimit, (ULONG_PTR)Prcb->DpcRoutine);
    }
    if (++Prcb->DispatchTicks > KiDpcWatchdogLimit) {
        KeBugCheckEx(DPC_WATCHDOG_VIOLATION, 1, KiDpcWatchdogLimit, 0, 0);
    }
}

VOID KeHurryWatchdog(VOID)
{
    KiDpcWatchdogLimit = 7;
}

VOID KiClockInterrupt(PKTRAP_FRAME TrapFrame)
{
    PKPRCB Prcb = KeGetCurrentPrcb();
    PKTHREAD Thread = Prcb->CurrentThread;

    Prcb->ClockTicks++;
    if (Prcb->Number == 0) {
        KiAdvanceTime();
    }
    KiWatchdog(Prcb, TrapFrame);
    if (Prcb->IdleActive) {
        Prcb->IdleTicks++;
        return;
    }
    Thread->KernelTime++;
    if (Prcb->DpcQueueDepth != 0) {
        KiRequestDispatchInterrupt(Prcb); /* DPCs of low importance have waited long enough */
    }
    Thread->Quantum -= KI_QUANTUM_PER_TICK;
    if (Thread->Quantum <= 0 && !Prcb->QuantumEnd) {
        Prcb->QuantumEnd = TRUE;
        KiRequestDispatchInterrupt(Prcb);
    }
}

ULONG64 KiQueryInterruptTime(VOID)
{
    return *(volatile ULONG64 *)&KiSharedData->InterruptTime;
}

/* counter * 10^7 / frequency without overflow; exact for a counter of 1 GHz. */
static ULONG64 KiCounterToTime(ULONG64 Counter)
{
    ULONG64 Seconds = Counter / HalTscFrequency, Rest = Counter % HalTscFrequency;

    return Seconds * 10000000 + Rest * 10000000 / HalTscFrequency;
}

LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER Result;

    if (PerformanceFrequency != NULL) {
        PerformanceFrequency->QuadPart = 10000000;
    }
    Result.QuadPart = KiCounterToTime(__rdtsc() - KiBaseCounter);
    return Result;
}

ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    ULONG64 Time = KiCounterToTime(__rdtsc() - KiBaseCounter);

    if (QpcTimeStamp != NULL) {
        *QpcTimeStamp = Time;
    }
    return Time;
}

VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = KiBootTime + KiCounterToTime(__rdtsc() - KiBaseCounter);
}

ULONGLONG NTAPI KeQueryInterruptTime(VOID)
{
    return KiQueryInterruptTime();
}

VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = *(volatile LONG64 *)&KiSharedData->SystemTime;
}

VOID NTAPI KeQueryTickCount(PLARGE_INTEGER TickCount)
{
    TickCount->QuadPart = KeTickCountValue.QuadPart;
}

ULONG NTAPI KeQueryTimeIncrement(VOID)
{
    return KI_CLOCK_INCREMENT;
}

ULONGLONG NTAPI KeQueryUnbiasedInterruptTime(VOID)
{
    return KiQueryInterruptTime();
}

VOID NTAPI KeStallExecutionProcessor(ULONG MicroSeconds)
{
    ULONG64 End = __rdtsc() + HalTscFrequency / 1000000 * MicroSeconds;

    while ((LONG64)(__rdtsc() - End) < 0) {
        _mm_pause();
    }
}
