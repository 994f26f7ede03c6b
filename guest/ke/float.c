/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * float: floating-point state.  On x64 the kernel keeps SSE state across every switch; what these routines
 * save is MXCSR and, for the extended ones, the legacy area, so that a driver finds what it saved.
 */
#include "kep.h"

#define KI_LEGACY_FEATURES 3 /* x87 and SSE */

NTSTATUS NTAPI KeSaveFloatingPointState(PKFLOATING_SAVE FloatSave)
{
    KiVerify(__readcr8() <= DISPATCH_LEVEL, IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)FloatSave, __readcr8(), 1,
             (ULONG_PTR)_ReturnAddress());
    FloatSave->Dummy = _mm_getcsr();
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI KeRestoreFloatingPointState(PKFLOATING_SAVE FloatSave)
{
    _mm_setcsr(FloatSave->Dummy);
    return STATUS_SUCCESS;
}

/* Memory for the area: set by ex, whose pool is to the right of here. */
PVOID (*KiAllocateState)(SIZE_T Size);
VOID (*KiFreeState)(PVOID State);

NTSTATUS NTAPI KeSaveExtendedProcessorState(ULONG64 Mask, PXSTATE_SAVE XStateSave)
{
    PVOID Area;

    RtlZeroMemory(XStateSave, sizeof(*XStateSave));
    if ((Mask & ~(ULONG64)KI_LEGACY_FEATURES) == 0) {
        /* The kernel keeps x87 and SSE state across switches by itself. */
        return STATUS_SUCCESS;
    }
    if (KiAllocateState == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Area = KiAllocateState(512 + 16);
    if (Area == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    XStateSave->XStateContext.Buffer = Area;
    XStateSave->XStateContext.Area = (PVOID)(((ULONG_PTR)Area + 15) & ~(ULONG_PTR)15);
    XStateSave->Thread = KeGetCurrentThread();
    __builtin_ia32_fxsave64((PVOID)XStateSave->XStateContext.Area);
    return STATUS_SUCCESS;
}

VOID NTAPI KeRestoreExtendedProcessorState(PXSTATE_SAVE XStateSave)
{
    if (XStateSave->XStateContext.Buffer == NULL) {
        return;
    }
    __builtin_ia32_fxrstor64((PVOID)XStateSave->XStateContext.Area);
    KiFreeState(XStateSave->XStateContext.Buffer);
    XStateSave->XStateContext.Buffer = NULL;
}
