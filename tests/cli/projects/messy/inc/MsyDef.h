/* SPDX-License-Identifier: MIT */
#ifndef __MSYDEF_H__
#define __MSYDEF_H__

#define MSY_TAG  'ysM '
#define MSY_MAXNAME 32

#define WPP_CONTROL_GUIDS \
    WPP_DEFINE_CONTROL_GUID(MsyGuid, (7a3c5d10, 0f4b, 4c8e, 9a51, 0b8e1d6f2c34), \
        WPP_DEFINE_BIT(MSY_FLAG_INIT) WPP_DEFINE_BIT(MSY_FLAG_OPS))

//
// begin_wpp config
// FUNC MsyTrace(LEVEL, FLAGS, MSG, ...);
// end_wpp
//

typedef enum _MSY_STATE MSY_STATE;
enum _MSY_STATE { MsyStateNone = 0, MsyStateRunning, MsyStateMax, };

typedef struct _MSY_GLOBALS {
    PFLT_FILTER    pFilter;
    volatile LONG  lReads, lBytes;
    ULONG          ulState;
    union { struct { ULONG ulLow; ULONG ulHigh; }; LONGLONG llAll; };
    WCHAR          wszName[MSY_MAXNAME];
} MSY_GLOBALS, *PMSY_GLOBALS;

typedef struct _MSY_RECORD {
    ULONG  cbNext;
    UCHAR  rgb[ANYSIZE_ARRAY];
} MSY_RECORD, *PMSY_RECORD;

extern MSY_GLOBALS g_Msy;

FLT_PREOP_CALLBACK_STATUS FLTAPI MsyPreRead(_Inout_ PFLT_CALLBACK_DATA pData, _In_ PCFLT_RELATED_OBJECTS pObjs,
    _Outptr_result_maybenull_ PVOID* ppvCtx);
FLT_POSTOP_CALLBACK_STATUS FLTAPI MsyPostRead(_Inout_ PFLT_CALLBACK_DATA pData, _In_ PCFLT_RELATED_OBJECTS pObjs,
    _In_opt_ PVOID pvCtx, _In_ FLT_POST_OPERATION_FLAGS fl);
ULONG MsySum(_In_reads_bytes_(cb) PVOID pv, ULONG cb);
NTSTATUS MsyProbe(PULONG pul, PULONG pulSteps);
#endif
