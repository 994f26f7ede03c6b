// SPDX-License-Identifier: GPL-2.0-or-later
/* Raising exceptions, probing user buffers, and what the executive knows of the processor. */
#include <ntifs.h>
#include <rtl.h>
#include <ke.h>

#define EXP_USER_PROBE_ADDRESS 0x00007FFFFFFF0000ULL

VOID NTAPI ExRaiseStatus(NTSTATUS Status)
{
    RtlRaiseStatus(Status);
}

VOID NTAPI ExRaiseAccessViolation(VOID)
{
    RtlRaiseStatus(STATUS_ACCESS_VIOLATION);
}

VOID NTAPI ExRaiseDatatypeMisalignment(VOID)
{
    RtlRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
}

static VOID ExpCheckProbe(ULONG64 Address, SIZE_T Length, ULONG Alignment)
{
    if (Address & (Alignment - 1))
        RtlRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
    if (Address + Length < Address || Address + Length > EXP_USER_PROBE_ADDRESS)
        RtlRaiseStatus(STATUS_ACCESS_VIOLATION);
}

VOID NTAPI ProbeForRead(const VOID *Address, SIZE_T Length, ULONG Alignment)
{
    if (Length != 0)
        ExpCheckProbe((ULONG64)Address, Length, Alignment);
}

/* Touches each page, so that a page that is not there raises now. */
VOID NTAPI ProbeForWrite(PVOID Address, SIZE_T Length, ULONG Alignment)
{
    ULONG64 End = (ULONG64)Address + Length;

    if (Length == 0)
        return;
    ExpCheckProbe((ULONG64)Address, Length, Alignment);
    for (ULONG64 Byte = (ULONG64)Address; Byte < End; Byte = (Byte & ~(ULONG64)(PAGE_SIZE - 1)) + PAGE_SIZE) {
        volatile UCHAR *Place = (volatile UCHAR *)Byte;
        *Place = *Place;
    }
}

KPROCESSOR_MODE NTAPI ExGetPreviousMode(VOID)
{
    return KeGetCurrentThread()->PreviousMode;
}

BOOLEAN NTAPI ExIsProcessorFeaturePresent(ULONG ProcessorFeature)
{
    /* What every x64 processor has, and nothing more. */
    switch (ProcessorFeature) {
    case PF_COMPARE_EXCHANGE_DOUBLE:
    case PF_MMX_INSTRUCTIONS_AVAILABLE:
    case PF_XMMI_INSTRUCTIONS_AVAILABLE:
    case PF_RDTSC_INSTRUCTION_AVAILABLE:
    case PF_PAE_ENABLED:
    case PF_XMMI64_INSTRUCTIONS_AVAILABLE:
    case PF_NX_ENABLED:
    case PF_COMPARE_EXCHANGE128: return TRUE;
    default: return FALSE;
    }
}

/* The machine's zone is UTC. */
VOID NTAPI ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    *LocalTime = *SystemTime;
}

VOID NTAPI ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    *SystemTime = *LocalTime;
}
