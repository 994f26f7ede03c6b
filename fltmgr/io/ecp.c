/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ecp.c: extra create parameters as filters use them: the file system library's, with a filter in front,
 * which owns nothing of them.  IRQL: <= APC_LEVEL.
 */
#include "issue.h"

NTSTATUS FLTAPI FltAllocateExtraCreateParameterList(PFLT_FILTER Filter, FSRTL_ALLOCATE_ECPLIST_FLAGS Flags,
                                                    PECP_LIST *EcpList)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlAllocateExtraCreateParameterList(Flags, EcpList);
}

VOID FLTAPI FltFreeExtraCreateParameterList(PFLT_FILTER Filter, PECP_LIST EcpList)
{
    UNREFERENCED_PARAMETER(Filter);
    FsRtlFreeExtraCreateParameterList(EcpList);
}

NTSTATUS FLTAPI FltAllocateExtraCreateParameter(PFLT_FILTER Filter, LPCGUID EcpType, ULONG SizeOfContext,
                                                FSRTL_ALLOCATE_ECP_FLAGS Flags,
                                                PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback,
                                                ULONG PoolTag, PVOID *EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlAllocateExtraCreateParameter(EcpType, SizeOfContext, Flags, CleanupCallback, PoolTag, EcpContext);
}

VOID FLTAPI FltFreeExtraCreateParameter(PFLT_FILTER Filter, PVOID EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    FsRtlFreeExtraCreateParameter(EcpContext);
}

VOID FLTAPI FltInitExtraCreateParameterLookasideList(PFLT_FILTER Filter, PVOID Lookaside,
                                                     FSRTL_ECP_LOOKASIDE_FLAGS Flags, SIZE_T Size, ULONG Tag)
{
    UNREFERENCED_PARAMETER(Filter);
    FsRtlInitExtraCreateParameterLookasideList(Lookaside, Flags, Size, Tag);
}

VOID FLTAPI FltDeleteExtraCreateParameterLookasideList(PFLT_FILTER Filter, PVOID Lookaside,
                                                       FSRTL_ECP_LOOKASIDE_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Filter);
    FsRtlDeleteExtraCreateParameterLookasideList(Lookaside, Flags);
}

NTSTATUS FLTAPI FltAllocateExtraCreateParameterFromLookasideList(
    PFLT_FILTER Filter, LPCGUID EcpType, ULONG SizeOfContext, FSRTL_ALLOCATE_ECP_FLAGS Flags,
    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, PVOID LookasideList, PVOID *EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlAllocateExtraCreateParameterFromLookasideList(EcpType, SizeOfContext, Flags, CleanupCallback,
                                                              LookasideList, EcpContext);
}

NTSTATUS FLTAPI FltInsertExtraCreateParameter(PFLT_FILTER Filter, PECP_LIST EcpList, PVOID EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlInsertExtraCreateParameter(EcpList, EcpContext);
}

NTSTATUS FLTAPI FltFindExtraCreateParameter(PFLT_FILTER Filter, PECP_LIST EcpList, LPCGUID EcpType, PVOID *EcpContext,
                                            ULONG *EcpContextSize)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlFindExtraCreateParameter(EcpList, EcpType, EcpContext, EcpContextSize);
}

NTSTATUS FLTAPI FltRemoveExtraCreateParameter(PFLT_FILTER Filter, PECP_LIST EcpList, LPCGUID EcpType, PVOID *EcpContext,
                                              ULONG *EcpContextSize)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlRemoveExtraCreateParameter(EcpList, EcpType, EcpContext, EcpContextSize);
}

NTSTATUS FLTAPI FltGetNextExtraCreateParameter(PFLT_FILTER Filter, PECP_LIST EcpList, PVOID CurrentEcpContext,
                                               LPGUID NextEcpType, PVOID *NextEcpContext, ULONG *NextEcpContextSize)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlGetNextExtraCreateParameter(EcpList, CurrentEcpContext, NextEcpType, NextEcpContext,
                                            NextEcpContextSize);
}

/* The request of a create; NULL for what is none. */
static PIRP FltpIrpOfCreate(PFLT_CALLBACK_DATA Data, PCSTR Text)
{
    PFLTP_OPERATION Operation = FltpCheckData(Data, Text);

    return FLT_IS_IRP_OPERATION(Data) && Operation->Iopb.MajorFunction == IRP_MJ_CREATE ? Operation->Irp : NULL;
}

NTSTATUS FLTAPI FltGetEcpListFromCallbackData(PFLT_FILTER Filter, PFLT_CALLBACK_DATA CallbackData, PECP_LIST *EcpList)
{
    PIRP Irp = FltpIrpOfCreate(CallbackData, "rule=FltGetEcpListFromCallbackData was given no operation under way\n");

    UNREFERENCED_PARAMETER(Filter);
    *EcpList = NULL;
    return Irp != NULL ? FsRtlGetEcpListFromIrp(Irp, EcpList) : STATUS_INVALID_PARAMETER;
}

/* From then on it is the open's, and freed when that is over. */
NTSTATUS FLTAPI FltSetEcpListIntoCallbackData(PFLT_FILTER Filter, PFLT_CALLBACK_DATA CallbackData, PECP_LIST EcpList)
{
    PIRP Irp = FltpIrpOfCreate(CallbackData, "rule=FltSetEcpListIntoCallbackData was given no operation under way\n");

    UNREFERENCED_PARAMETER(Filter);
    return Irp != NULL ? FsRtlSetEcpListIntoIrp(Irp, EcpList) : STATUS_INVALID_PARAMETER_2;
}

VOID FLTAPI FltAcknowledgeEcp(PFLT_FILTER Filter, PVOID EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    FsRtlAcknowledgeEcp(EcpContext);
}

BOOLEAN FLTAPI FltIsEcpAcknowledged(PFLT_FILTER Filter, PVOID EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlIsEcpAcknowledged(EcpContext);
}

BOOLEAN FLTAPI FltIsEcpFromUserMode(PFLT_FILTER Filter, PVOID EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    return FsRtlIsEcpFromUserMode(EcpContext);
}

VOID FLTAPI FltPrepareToReuseEcp(PFLT_FILTER Filter, PVOID EcpContext)
{
    UNREFERENCED_PARAMETER(Filter);
    FsRtlPrepareToReuseEcp(EcpContext);
}
