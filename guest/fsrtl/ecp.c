/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extra create parameters: a list of contexts, each of a type that a GUID names, that goes with an open to
 * every driver below.  What they are and how long they live is in io's ecp.h.  IRQL <= APC_LEVEL.
 */
#include <ntifs.h>
#include <fltvm.h>
#include <ecp.h>

#define FSRTL_TAG_ECP_LIST 'LEoI'

NTSTATUS NTAPI FsRtlAllocateExtraCreateParameterList(_In_ FSRTL_ALLOCATE_ECPLIST_FLAGS Flags, _Out_ PECP_LIST *EcpList)
{
    *EcpList = (Flags & FSRTL_ALLOCATE_ECPLIST_FLAG_CHARGE_QUOTA)
                   ? ExAllocatePoolWithQuotaTag(PagedPool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, sizeof(**EcpList),
                                                FSRTL_TAG_ECP_LIST)
                   : ExAllocatePoolWithTag(PagedPool, sizeof(**EcpList), FSRTL_TAG_ECP_LIST);
    if (!*EcpList)
        return STATUS_INSUFFICIENT_RESOURCES;
    (*EcpList)->Magic = ECP_LIST_MAGIC;
    (*EcpList)->Creates = 0;
    InitializeListHead(&(*EcpList)->Parameters);
    return STATUS_SUCCESS;
}

/* With the verifier on: what is in use is not to be freed. */
static VOID FsRtlpBadEcp(_In_ const VOID *Given, _In_ ULONG_PTR Detail, _In_ PCSTR Rule)
{
    FvReport(Rule);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)Given, Detail, 0);
}

/* With all that is in it. */
VOID NTAPI FsRtlFreeExtraCreateParameterList(_In_ PECP_LIST EcpList)
{
    if (FvVerifierEnabled()) {
        if (EcpList->Magic != ECP_LIST_MAGIC)
            FsRtlpBadEcp(EcpList, EcpList->Magic,
                         "rule=What was freed is no list of extra create parameters, or was freed already\n");
        if (EcpList->Creates != 0)
            FsRtlpBadEcp(EcpList, EcpList->Creates,
                         "rule=A list of extra create parameters was freed that goes with an open\n");
    }
    IopFreeEcpList(EcpList);
}

static VOID FsRtlpFillEcp(_In_ PECP_HEADER Ecp, _In_ LPCGUID Type, _In_ ULONG Size, _In_ FSRTL_ALLOCATE_ECP_FLAGS Flags,
                          _In_opt_ PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK Cleanup, _In_ ULONG Tag)
{
    RtlZeroMemory(Ecp, sizeof(*Ecp) + Size);
    InitializeListHead(&Ecp->Link);
    Ecp->Magic = ECP_MAGIC;
    Ecp->Flags = (Flags & FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL) ? ECP_FLAG_NONPAGED : 0;
    Ecp->Size = Size;
    Ecp->Tag = Tag;
    Ecp->Type = *Type;
    Ecp->Cleanup = Cleanup;
}

NTSTATUS NTAPI
FsRtlAllocateExtraCreateParameter(_In_ LPCGUID EcpType, _In_ ULONG SizeOfContext, _In_ FSRTL_ALLOCATE_ECP_FLAGS Flags,
                                  _In_opt_ PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback,
                                  _In_ ULONG PoolTag, _Out_ PVOID *EcpContext)
{
    POOL_TYPE Pool = (Flags & FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL) ? NonPagedPoolNx : PagedPool;
    PECP_HEADER Ecp = NULL;

    if (SizeOfContext <= MAXULONG - sizeof(*Ecp))
        Ecp = (Flags & FSRTL_ALLOCATE_ECP_FLAG_CHARGE_QUOTA)
                  ? ExAllocatePoolWithQuotaTag(Pool | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, sizeof(*Ecp) + SizeOfContext,
                                               PoolTag)
                  : ExAllocatePoolWithTag(Pool, sizeof(*Ecp) + SizeOfContext, PoolTag);
    *EcpContext = Ecp ? Ecp + 1 : NULL;
    if (!Ecp)
        return STATUS_INSUFFICIENT_RESOURCES;
    FsRtlpFillEcp(Ecp, EcpType, SizeOfContext, Flags, CleanupCallback, PoolTag);
    return STATUS_SUCCESS;
}

/* It must have left its list. */
VOID NTAPI FsRtlFreeExtraCreateParameter(_In_ PVOID EcpContext)
{
    PECP_HEADER Ecp = ECP_OF(EcpContext);

    if (FvVerifierEnabled()) {
        if (Ecp->Magic != ECP_MAGIC)
            FsRtlpBadEcp(EcpContext, Ecp->Magic,
                         "rule=What was freed is no extra create parameter, or was freed already\n");
        if (!IsListEmpty(&Ecp->Link))
            FsRtlpBadEcp(EcpContext, 0, "rule=An extra create parameter was freed that is in a list still\n");
    }
    IopFreeEcp(Ecp);
}

/* Size: of the contexts. */
VOID NTAPI FsRtlInitExtraCreateParameterLookasideList(_Inout_ PVOID Lookaside, _In_ FSRTL_ECP_LOOKASIDE_FLAGS Flags,
                                                      _In_ SIZE_T Size, _In_ ULONG Tag)
{
    if (Flags & FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL)
        ExInitializeNPagedLookasideList(Lookaside, NULL, NULL, POOL_NX_ALLOCATION, sizeof(ECP_HEADER) + Size, Tag, 0);
    else
        ExInitializePagedLookasideList(Lookaside, NULL, NULL, 0, sizeof(ECP_HEADER) + Size, Tag, 0);
}

VOID NTAPI FsRtlDeleteExtraCreateParameterLookasideList(_Inout_ PVOID Lookaside, _In_ FSRTL_ECP_LOOKASIDE_FLAGS Flags)
{
    if (Flags & FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL)
        ExDeleteNPagedLookasideList(Lookaside);
    else
        ExDeletePagedLookasideList(Lookaside);
}

/* One that is too large for the look-aside list comes from pool. */
NTSTATUS NTAPI FsRtlAllocateExtraCreateParameterFromLookasideList(
    _In_ LPCGUID EcpType, _In_ ULONG SizeOfContext, _In_ FSRTL_ALLOCATE_ECP_FLAGS Flags,
    _In_opt_ PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK CleanupCallback, _Inout_ PVOID LookasideList,
    _Outptr_ PVOID *EcpContext)
{
    PGENERAL_LOOKASIDE General = LookasideList;
    PECP_HEADER Ecp;

    if (SizeOfContext > General->Size - sizeof(ECP_HEADER))
        return FsRtlAllocateExtraCreateParameter(EcpType, SizeOfContext, Flags, CleanupCallback, General->Tag,
                                                 EcpContext);
    Ecp = (Flags & FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL) ? ExAllocateFromNPagedLookasideList(LookasideList)
                                                          : ExAllocateFromPagedLookasideList(LookasideList);
    *EcpContext = Ecp ? Ecp + 1 : NULL;
    if (!Ecp)
        return STATUS_INSUFFICIENT_RESOURCES;
    FsRtlpFillEcp(Ecp, EcpType, SizeOfContext, Flags, CleanupCallback, General->Tag);
    Ecp->Lookaside = LookasideList;
    return STATUS_SUCCESS;
}

static PECP_HEADER FsRtlpFindEcp(_In_ PECP_LIST List, _In_ LPCGUID Type)
{
    for (PLIST_ENTRY Entry = List->Parameters.Flink; Entry != &List->Parameters; Entry = Entry->Flink) {
        PECP_HEADER Ecp = CONTAINING_RECORD(Entry, ECP_HEADER, Link);

        if (RtlEqualMemory(&Ecp->Type, Type, sizeof(*Type)))
            return Ecp;
    }
    return NULL;
}

static NTSTATUS FsRtlpTellEcp(_In_opt_ PECP_HEADER Ecp, _Out_opt_ PVOID *Context, _Out_opt_ ULONG *Size)
{
    if (Context)
        *Context = Ecp ? Ecp + 1 : NULL;
    if (Size)
        *Size = Ecp ? Ecp->Size : 0;
    return Ecp ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* A list has one of each type.  What is inserted while an open is under way with the list goes when that is
 * over. */
NTSTATUS NTAPI FsRtlInsertExtraCreateParameter(_Inout_ PECP_LIST EcpList, _Inout_ PVOID EcpContext)
{
    PECP_HEADER Ecp = ECP_OF(EcpContext);

    if (FsRtlpFindEcp(EcpList, &Ecp->Type))
        return STATUS_INVALID_PARAMETER;
    if (!IsListEmpty(&Ecp->Link) && FvVerifierEnabled())
        FsRtlpBadEcp(EcpContext, (ULONG_PTR)EcpList,
                     "rule=An extra create parameter was put into a list while it is in another\n");
    Ecp->Depth = EcpList->Creates;
    InsertTailList(&EcpList->Parameters, &Ecp->Link);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FsRtlFindExtraCreateParameter(_In_ PECP_LIST EcpList, _In_ LPCGUID EcpType,
                                             _Outptr_opt_ PVOID *EcpContext, _Out_opt_ ULONG *EcpContextSize)
{
    return FsRtlpTellEcp(FsRtlpFindEcp(EcpList, EcpType), EcpContext, EcpContextSize);
}

/* It is the caller's to free, then. */
NTSTATUS NTAPI FsRtlRemoveExtraCreateParameter(_Inout_ PECP_LIST EcpList, _In_ LPCGUID EcpType,
                                               _Outptr_ PVOID *EcpContext, _Out_opt_ ULONG *EcpContextSize)
{
    PECP_HEADER Ecp = FsRtlpFindEcp(EcpList, EcpType);

    if (Ecp) {
        RemoveEntryList(&Ecp->Link);
        InitializeListHead(&Ecp->Link);
    }
    return FsRtlpTellEcp(Ecp, EcpContext, EcpContextSize);
}

NTSTATUS NTAPI FsRtlGetNextExtraCreateParameter(_In_ PECP_LIST EcpList, _In_opt_ PVOID CurrentEcpContext,
                                                _Out_opt_ LPGUID NextEcpType, _Outptr_opt_ PVOID *NextEcpContext,
                                                _Out_opt_ ULONG *NextEcpContextSize)
{
    PLIST_ENTRY Entry;
    PECP_HEADER Next;

    if (!EcpList)
        return STATUS_INVALID_PARAMETER;
    Entry = CurrentEcpContext ? ECP_OF(CurrentEcpContext)->Link.Flink : EcpList->Parameters.Flink;
    Next = Entry != &EcpList->Parameters ? CONTAINING_RECORD(Entry, ECP_HEADER, Link) : NULL;
    if (Next && NextEcpType)
        *NextEcpType = Next->Type;
    return FsRtlpTellEcp(Next, NextEcpContext, NextEcpContextSize);
}

NTSTATUS NTAPI FsRtlGetEcpListFromIrp(_In_ PIRP Irp, _Outptr_result_maybenull_ PECP_LIST *EcpList)
{
    return IoGetIrpExtraCreateParameter(Irp, EcpList);
}

NTSTATUS NTAPI FsRtlSetEcpListIntoIrp(_Inout_ PIRP Irp, _In_ PECP_LIST EcpList)
{
    NTSTATUS Status = IoSetIrpExtraCreateParameter(Irp, EcpList);

    return Status == STATUS_INVALID_PARAMETER_1   ? STATUS_INVALID_PARAMETER_2
           : Status == STATUS_INVALID_PARAMETER_2 ? STATUS_INVALID_PARAMETER_3
                                                  : Status;
}

VOID NTAPI FsRtlAcknowledgeEcp(_In_ PVOID EcpContext)
{
    ECP_OF(EcpContext)->Flags |= ECP_FLAG_ACKNOWLEDGED;
}

VOID NTAPI FsRtlPrepareToReuseEcp(_In_ PVOID EcpContext)
{
    ECP_OF(EcpContext)->Flags &= ~ECP_FLAG_ACKNOWLEDGED;
}

BOOLEAN NTAPI FsRtlIsEcpAcknowledged(_In_ PVOID EcpContext)
{
    return (ECP_OF(EcpContext)->Flags & ECP_FLAG_ACKNOWLEDGED) != 0;
}

/* What kernel code makes comes from the kernel, also in a user's thread; nobody else makes any. */
BOOLEAN NTAPI FsRtlIsEcpFromUserMode(_In_ PVOID EcpContext)
{
    return (ECP_OF(EcpContext)->Flags & ECP_FLAG_USER_MODE) != 0;
}
