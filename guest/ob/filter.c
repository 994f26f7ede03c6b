/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter: routines that drivers register for handles to processes and threads (ObRegisterCallbacks).
 *
 * Rules
 *  - Registrations stand in order of altitude, highest first; pre-operation routines run in that order, post-operation
 *    routines in the reverse one, all at PASSIVE_LEVEL without ob's locks.
 *  - An operation works on those that were there when it began, each held by a count that ObUnRegisterCallbacks waits for.
 *  - A routine may take rights away; one it adds is not granted.
 */
#include "obp.h"

#define OBP_FILTERS 32 /* registrations at a time */

typedef struct _OBP_FILTER {
    LIST_ENTRY Links; /* ObpFilterLock */
    volatile LONG Users;
    UNICODE_STRING Altitude; /* behind the operations */
    PVOID Context;
    USHORT Count;
    OB_OPERATION_REGISTRATION Operation[ANYSIZE_ARRAY]; /* ObjectType: the type's own address */
} OBP_FILTER, *POBP_FILTER;

typedef struct _OBP_FILTER_CALL {
    POBP_FILTER Filter;
    const OB_OPERATION_REGISTRATION *Operation;
    PVOID CallContext;
} OBP_FILTER_CALL, *POBP_FILTER_CALL;

static KSPIN_LOCK ObpFilterLock;
static LIST_ENTRY ObpFilters; /* ObpFilterLock */
static ULONG ObpFilterCount;  /* ObpFilterLock */

VOID ObpInitializeFilters(VOID)
{
    KeInitializeSpinLock(&ObpFilterLock);
    InitializeListHead(&ObpFilters);
}

VOID ObAllowFilters(POBJECT_TYPE ObjectType)
{
    ObjectType->MayBeFiltered = TRUE;
}

/* IRQL: any. */
USHORT NTAPI ObGetFilterVersion(VOID)
{
    return OB_FLT_REGISTRATION_VERSION;
}

/* ---- registration ---- */

static BOOLEAN ObpValidRegistration(const OB_CALLBACK_REGISTRATION *Registration)
{
    if (Registration->Version != OB_FLT_REGISTRATION_VERSION || Registration->OperationRegistrationCount == 0 ||
        !RtlIsAltitude(&Registration->Altitude)) {
        return FALSE;
    }
    for (ULONG i = 0; i < Registration->OperationRegistrationCount; i++) {
        const OB_OPERATION_REGISTRATION *Operation = &Registration->OperationRegistration[i];

        if (Operation->ObjectType == NULL || *Operation->ObjectType == NULL ||
            !(*Operation->ObjectType)->MayBeFiltered ||
            (Operation->PreOperation == NULL && Operation->PostOperation == NULL) ||
            (Operation->Operations & (OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE)) == 0 ||
            (Operation->Operations & ~(OB_OPERATION_HANDLE_CREATE | OB_OPERATION_HANDLE_DUPLICATE)) != 0) {
            return FALSE;
        }
    }
    return TRUE;
}

static POBP_FILTER ObpMakeFilter(const OB_CALLBACK_REGISTRATION *Registration, PVOID Caller)
{
    SIZE_T Size = FIELD_OFFSET(OBP_FILTER, Operation) +
                  (SIZE_T)Registration->OperationRegistrationCount * sizeof(OB_OPERATION_REGISTRATION);
    POBP_FILTER Filter =
        MmAllocatePoolForCaller(NonPagedPoolNx, Size + Registration->Altitude.Length, OBP_TAG_FILTER, Caller);

    if (Filter == NULL) {
        return NULL;
    }
    Filter->Users = 0;
    Filter->Context = Registration->RegistrationContext;
    Filter->Count = Registration->OperationRegistrationCount;
    for (ULONG i = 0; i < Filter->Count; i++) {
        Filter->Operation[i] = Registration->OperationRegistration[i];
        Filter->Operation[i].ObjectType = (POBJECT_TYPE *)*Filter->Operation[i].ObjectType;
        if (Filter->Operation[i].PreOperation != NULL) {
            KeCheckRoutine((PVOID)Filter->Operation[i].PreOperation, "handle pre-operation routine");
        }
        if (Filter->Operation[i].PostOperation != NULL) {
            KeCheckRoutine((PVOID)Filter->Operation[i].PostOperation, "handle post-operation routine");
        }
    }
    Filter->Altitude.Buffer = (PWCH)((PUCHAR)Filter + Size);
    Filter->Altitude.Length = Filter->Altitude.MaximumLength = Registration->Altitude.Length;
    RtlCopyMemory(Filter->Altitude.Buffer, Registration->Altitude.Buffer, Registration->Altitude.Length);
    return Filter;
}

static NTSTATUS ObpInsertFilter(POBP_FILTER Filter)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&ObpFilterLock);
    NTSTATUS Status = ObpFilterCount < OBP_FILTERS ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
    PLIST_ENTRY Link = ObpFilters.Flink;
    LONG Order = 1;

    while (Link != &ObpFilters) {
        Order = RtlCompareAltitudes(&CONTAINING_RECORD(Link, OBP_FILTER, Links)->Altitude, &Filter->Altitude);
        if (Order <= 0) {
            break;
        }
        Link = Link->Flink;
    }
    if (Order == 0) {
        Status = STATUS_FLT_INSTANCE_ALTITUDE_COLLISION;
    }
    if (NT_SUCCESS(Status)) {
        InsertTailList(Link, &Filter->Links);
        ObpFilterCount++;
        for (ULONG i = 0; i < Filter->Count; i++) {
            ((POBJECT_TYPE)Filter->Operation[i].ObjectType)->Filters++;
        }
    }
    KeReleaseSpinLock(&ObpFilterLock, Irql);
    return Status;
}

/*
 * IRQL: <= APC_LEVEL.  STATUS_INVALID_PARAMETER: the version, no operation, a type other than processes and threads, an
 * entry without a routine or an operation, an altitude that is no number.  STATUS_FLT_INSTANCE_ALTITUDE_COLLISION,
 * STATUS_INSUFFICIENT_RESOURCES.  STATUS_ACCESS_DENIED does not come: no image here is signed.
 */
NTSTATUS NTAPI ObRegisterCallbacks(POB_CALLBACK_REGISTRATION CallbackRegistration, PVOID *RegistrationHandle)
{
    POBP_FILTER Filter;
    NTSTATUS Status;

    PAGED_CODE();
    if (!ObpValidRegistration(CallbackRegistration)) {
        return STATUS_INVALID_PARAMETER;
    }
    Filter = ObpMakeFilter(CallbackRegistration, _ReturnAddress());
    if (Filter == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = ObpInsertFilter(Filter);
    if (NT_SUCCESS(Status)) {
        *RegistrationHandle = Filter;
    } else {
        ExFreePoolWithTag(Filter, OBP_TAG_FILTER);
    }
    return Status;
}

/* IRQL: <= APC_LEVEL.  No routine of the registration runs any more when this returns. */
VOID NTAPI ObUnRegisterCallbacks(PVOID RegistrationHandle)
{
    LARGE_INTEGER Tick = {.QuadPart = -10000};
    POBP_FILTER Filter = RegistrationHandle;
    KIRQL Irql;

    PAGED_CODE();
    Irql = KeAcquireSpinLockRaiseToDpc(&ObpFilterLock);
    RemoveEntryList(&Filter->Links);
    ObpFilterCount--;
    for (ULONG i = 0; i < Filter->Count; i++) {
        ((POBJECT_TYPE)Filter->Operation[i].ObjectType)->Filters--;
    }
    KeReleaseSpinLock(&ObpFilterLock, Irql);
    while (Filter->Users != 0) {
        KeDelayExecutionThread(KernelMode, FALSE, &Tick);
    }
    ExFreePoolWithTag(Filter, OBP_TAG_FILTER);
}

/* ---- an operation ---- */

/* The registrations that want this operation, each with a count. */
static ULONG ObpEnterFilters(POBJECT_TYPE Type, OB_OPERATION Operation, POBP_FILTER_CALL Calls)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&ObpFilterLock);
    ULONG Count = 0;

    for (PLIST_ENTRY Link = ObpFilters.Flink; Link != &ObpFilters; Link = Link->Flink) {
        POBP_FILTER Filter = CONTAINING_RECORD(Link, OBP_FILTER, Links);

        for (ULONG i = 0; i < Filter->Count; i++) {
            if ((POBJECT_TYPE)Filter->Operation[i].ObjectType == Type &&
                (Filter->Operation[i].Operations & Operation) != 0) {
                Filter->Users++;
                Calls[Count++] = (OBP_FILTER_CALL){Filter, &Filter->Operation[i], NULL};
                break;
            }
        }
    }
    KeReleaseSpinLock(&ObpFilterLock, Irql);
    return Count;
}

static VOID ObpPreOperation(POBP_FILTER_CALL Entry, PVOID Object, OB_OPERATION Operation, BOOLEAN KernelHandle,
                            ACCESS_MASK Original, PACCESS_MASK Access)
{
    OB_PRE_OPERATION_PARAMETERS Parameters = {.DuplicateHandleInformation = {*Access, Original, NULL, NULL}};
    OB_PRE_OPERATION_INFORMATION Information = {
        .Operation = Operation, .Object = Object, .ObjectType = ObpHeader(Object)->Type, .Parameters = &Parameters};
    FV_CALL Call;

    Information.KernelHandle = KernelHandle;
    if (Operation == OB_OPERATION_HANDLE_DUPLICATE) {
        Parameters.DuplicateHandleInformation.SourceProcess = (PVOID)KeGetCurrentThread()->ApcState.Process;
        Parameters.DuplicateHandleInformation.TargetProcess = (PVOID)KeGetCurrentThread()->ApcState.Process;
    }
    FvBeginCall(&Call);
    Entry->Operation->PreOperation(Entry->Filter->Context, &Information);
    FvEndCall(&Call, (PVOID)Entry->Operation->PreOperation, "handle pre-operation routine", (ULONG_PTR)Object);
    *Access &= Parameters.CreateHandleInformation.DesiredAccess;
    Entry->CallContext = Information.CallContext;
}

static VOID ObpPostOperation(POBP_FILTER_CALL Entry, PVOID Object, OB_OPERATION Operation, BOOLEAN KernelHandle,
                             ACCESS_MASK Granted, NTSTATUS Status)
{
    OB_POST_OPERATION_PARAMETERS Parameters = {.CreateHandleInformation = {Granted}};
    OB_POST_OPERATION_INFORMATION Information = {.Operation = Operation,
                                                 .Object = Object,
                                                 .ObjectType = ObpHeader(Object)->Type,
                                                 .CallContext = Entry->CallContext,
                                                 .ReturnStatus = Status,
                                                 .Parameters = &Parameters};
    FV_CALL Call;

    Information.KernelHandle = KernelHandle;
    FvBeginCall(&Call);
    Entry->Operation->PostOperation(Entry->Filter->Context, &Information);
    FvEndCall(&Call, (PVOID)Entry->Operation->PostOperation, "handle post-operation routine", (ULONG_PTR)Object);
}

NTSTATUS ObpFilterHandle(PVOID Object, ACCESS_MASK DesiredAccess, ULONG Attributes, OB_OPERATION Operation,
                         PHANDLE Handle)
{
    OBP_FILTER_CALL Calls[OBP_FILTERS];
    ULONG Count = ObpEnterFilters(ObpHeader(Object)->Type, Operation, Calls);
    BOOLEAN KernelHandle = (Attributes & OBJ_KERNEL_HANDLE) != 0;
    ACCESS_MASK Access = DesiredAccess;
    NTSTATUS Status;

    for (ULONG i = 0; i < Count; i++) {
        if (Calls[i].Operation->PreOperation != NULL) {
            ObpPreOperation(&Calls[i], Object, Operation, KernelHandle, DesiredAccess, &Access);
        }
    }
    Status = ObpInsertHandle(Object, Access, Attributes, Handle);
    for (ULONG i = Count; i-- > 0;) {
        if (Calls[i].Operation->PostOperation != NULL) {
            ObpPostOperation(&Calls[i], Object, Operation, KernelHandle, NT_SUCCESS(Status) ? Access : 0, Status);
        }
        InterlockedDecrement(&Calls[i].Filter->Users);
    }
    return Status;
}

VOID ObpCheckFilters(PVOID Base, SIZE_T Size)
{
    for (PLIST_ENTRY Link = ObpFilters.Flink; Link != &ObpFilters; Link = Link->Flink) {
        POBP_FILTER Filter = CONTAINING_RECORD(Link, OBP_FILTER, Links);

        for (ULONG i = 0; i < Filter->Count; i++) {
            PVOID Routine = Filter->Operation[i].PreOperation != NULL ? (PVOID)Filter->Operation[i].PreOperation
                                                                      : (PVOID)Filter->Operation[i].PostOperation;

            if ((ULONG_PTR)Routine - (ULONG_PTR)Base < Size) {
                KeReportLeft("handle operation routine", Filter, Routine);
            }
        }
    }
}
