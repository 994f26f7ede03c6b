/* SPDX-License-Identifier: MIT */
#include <fltKernel.h>
#include "..\Inc\MSYDEF.H"
#include "msyops.tmh"

#ifndef MSY_OPS
#error the definition of this file alone is missing
#endif

#pragma code_seg("PAGE")
NTSTATUS MsyProbe(PULONG pul, PULONG pulSteps)
{
    NTSTATUS st = STATUS_UNSUCCESSFUL;

    __try {
        __try {
            (*pulSteps)++;
            if (pul == pulSteps)
                __leave;
            *pul = 1;
        } __finally {
            if (AbnormalTermination())
                (*pulSteps) += 10;
        }
        (*pulSteps) += 100;
    } __except (GetExceptionCode() == STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
        st = GetExceptionCode();
        __try {
            (*pulSteps)++;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return STATUS_INTERNAL_ERROR;
        }
    }
    return st;
}
#pragma code_seg()

ULONG MsySum(PVOID pv, ULONG cb)
{
    ULONG ul = 0;

    while (cb >= sizeof(USHORT)) {
        ul += *((PUSHORT)pv)++;
        cb -= sizeof(USHORT);
    }
    return ul;
}

FLT_PREOP_CALLBACK_STATUS FLTAPI MsyPreRead(PFLT_CALLBACK_DATA pData, PCFLT_RELATED_OBJECTS pObjs, PVOID* ppvCtx)
{
    UNREFERENCED_PARAMETER(pObjs);
    *ppvCtx = NULL;
    InterlockedIncrement(&g_Msy.lReads);
    MsyTrace(TRACE_LEVEL_VERBOSE, MSY_FLAG_OPS, "%!FUNC! %p", pData);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

FLT_POSTOP_CALLBACK_STATUS FLTAPI MsyPostRead(PFLT_CALLBACK_DATA pData, PCFLT_RELATED_OBJECTS pObjs, PVOID pvCtx,
    FLT_POST_OPERATION_FLAGS fl)
{
    UCHAR rgb[8] = { 1, 0, 2, 0, 3, 0, 4, 0 };

    UNREFERENCED_PARAMETER(pObjs); UNREFERENCED_PARAMETER(pvCtx);
    if (!FlagOn(fl, FLTFL_POST_OPERATION_DRAINING) && NT_SUCCESS(pData->IoStatus.Status)) {
        InterlockedExchangeAdd(&g_Msy.lBytes, (LONG)pData->IoStatus.Information);
#if MSY_DEBUG
        DbgPrint("msyflt: debug build, sum %u\n", MsySum(rgb, sizeof(rgb)));
#else
        DbgPrint("msyflt: sum %u\n", MsySum(rgb, sizeof(rgb)));
#endif
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}
