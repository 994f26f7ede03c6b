/* SPDX-License-Identifier: MIT */
#include <FltKernel.h>
#include <dontuse.h>
#include <suppress.h>
#include "msydef.h"
#include "MsyInit.tmh"

#pragma prefast(disable:__WARNING_ENCODE_MEMBER_FUNCTION_POINTER, "Not valid for kernel mode drivers")
#if !defined(MSY_OPTION) || !MSY_RELEASE
#error the project's definitions are missing
#endif

MSY_GLOBALS g_Msy = { NULL };

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS FLTAPI MsyUnload(FLT_FILTER_UNLOAD_FLAGS fl);
static NTSTATUS MsyPrepare(PUNICODE_STRING pusPath);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(INIT, MsyPrepare)
#pragma alloc_text(PAGE, MsyUnload)
#endif

CONST FLT_OPERATION_REGISTRATION c_rgOps[] = {
    { IRP_MJ_READ, 0, MsyPreRead, MsyPostRead },
    { IRP_MJ_OPERATION_END }
};

CONST FLT_REGISTRATION c_Reg = {
    sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, NULL, c_rgOps, MsyUnload,
};

static NTSTATUS FLTAPI MsyUnload(FLT_FILTER_UNLOAD_FLAGS fl)
{
    UNREFERENCED_PARAMETER(fl);
    PAGED_CODE();
    MsyTrace(TRACE_LEVEL_INFORMATION, MSY_FLAG_INIT, "%!FUNC!: %d reads", g_Msy.lReads);
    FltUnregisterFilter(g_Msy.pFilter);
    DbgPrint("msyflt: %d reads, %d bytes\n", g_Msy.lReads, g_Msy.lBytes);
    return STATUS_SUCCESS;
}

static NTSTATUS MsyPrepare(PUNICODE_STRING pusPath)
{
    UCHAR       rgbBuf[24] = { 8, 0, 0, 0, 1, 2, 3, 4, 12, 0, 0, 0, 5, 6, 7, 8, 9 };
    ULONG       ulSum = 0, ulSteps = 0, i;
    PMSY_RECORD pRec = (PMSY_RECORD)rgbBuf;
    NTSTATUS    st;

    for (i = 0; i < 2; i++) {
        ulSum += pRec->rgb[0];
        (PUCHAR)pRec += pRec->cbNext;
    }
    st = MsyProbe(NULL, &ulSteps);
    DbgPrint("msyflt: sum %u, probe 0x%08X in %u steps, name of %u\n", ulSum, st, ulSteps, pusPath->Length);
    return ulSum == 6 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT pDrv, PUNICODE_STRING pusPath)
{
    NTSTATUS st;

    WPP_INIT_TRACING(pDrv, pusPath);
    MsyNote("starting %wZ", pusPath);
    if (!NT_SUCCESS(st = MsyPrepare(pusPath)))
        return st;
    st = FltRegisterFilter(pDrv, &c_Reg, &g_Msy.pFilter);
    if (!NT_SUCCESS(st)) goto Exit;
    g_Msy.ulState = MsyStateRunning;
    st = FltStartFiltering(g_Msy.pFilter);
    if (!NT_SUCCESS(st))
        FltUnregisterFilter(g_Msy.pFilter);
Exit:
    if (!NT_SUCCESS(st)) {
        WPP_CLEANUP(pDrv);
    }
    return st;
}
