/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * irql: the exported routines that move the IRQL and, with the verifier, check the direction.  mingw-w64's
 * headers define inline ones of the same names, which check nothing; the kernel itself uses those, drivers import
 * these.
 */
#include "kep.h"

KIRQL NTAPI KiExportGetCurrentIrql(VOID) __asm__("KeGetCurrentIrql");
KIRQL NTAPI KiExportRaiseIrql(KIRQL NewIrql) __asm__("KfRaiseIrql");
VOID NTAPI KiExportLowerIrql(KIRQL NewIrql) __asm__("KeLowerIrql");
VOID NTAPI KiExportLowerIrqlOld(KIRQL NewIrql) __asm__("KfLowerIrql");
KIRQL NTAPI KiExportRaiseIrqlToDpcLevel(VOID) __asm__("KeRaiseIrqlToDpcLevel");
KIRQL NTAPI KiExportRaiseIrqlToSynchLevel(VOID) __asm__("KeRaiseIrqlToSynchLevel");
PKTHREAD NTAPI KiExportGetCurrentThread(VOID) __asm__("KeGetCurrentThread");
ULONG NTAPI KiExportGetCurrentProcessorNumber(VOID) __asm__("KeGetCurrentProcessorNumber");

static KIRQL KiRaise(KIRQL NewIrql)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    KiVerify(OldIrql <= NewIrql && NewIrql <= HIGH_LEVEL, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x30, OldIrql, NewIrql,
             0);
    __writecr8(NewIrql);
    return OldIrql;
}

static VOID KiLower(KIRQL NewIrql)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    KiVerify(OldIrql >= NewIrql, DRIVER_VERIFIER_DETECTED_VIOLATION, 0x31, OldIrql, NewIrql, 0);
    __writecr8(NewIrql);
}

KIRQL NTAPI KiExportGetCurrentIrql(VOID)
{
    return (KIRQL)__readcr8();
}

KIRQL NTAPI KiExportRaiseIrql(KIRQL NewIrql)
{
    return KiRaise(NewIrql);
}

VOID NTAPI KiExportLowerIrql(KIRQL NewIrql)
{
    KiLower(NewIrql);
}

VOID NTAPI KiExportLowerIrqlOld(KIRQL NewIrql)
{
    KiLower(NewIrql);
}

KIRQL NTAPI KiExportRaiseIrqlToDpcLevel(VOID)
{
    return KiRaise(DISPATCH_LEVEL);
}

KIRQL NTAPI KiExportRaiseIrqlToSynchLevel(VOID)
{
    return KiRaise(12);
}

PKTHREAD NTAPI KiExportGetCurrentThread(VOID)
{
    return (PKTHREAD)__readgsqword(0x188);
}

ULONG NTAPI KiExportGetCurrentProcessorNumber(VOID)
{
    return (UCHAR)__readgsbyte(0x184);
}
