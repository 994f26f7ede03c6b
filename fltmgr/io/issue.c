/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * issue.c: I/O that a filter starts itself.  It goes to the instances below the one that starts it and then
 * to the file system: a request is made for the volume's stack and enters our own dispatch in the middle.
 *
 * The callback data that FltAllocateCallbackData gives is the filter's; those below see one of their own,
 * with FLTFL_CALLBACK_DATA_GENERATED_IO.  A request is sent or it is not: what fails before that leaves nothing
 * behind, and what is sent comes back once.  IRQL: as annotated in fltKernel.h.
 */
#include "issue.h"

static KSPIN_LOCK FltpIssuedLock;
static LIST_ENTRY FltpLiveIssued = {&FltpLiveIssued, &FltpLiveIssued}; /* those that filters allocated */

#define FLTP_SPARE_MDL 0x10000 /* what a preallocated MDL describes at most */

/* --- Callback data of a filter --- */

static VOID FltpFreeSpares(PFLTP_ISSUED Issued)
{
    if (Issued->SpareIrp != NULL)
        IoFreeIrp(Issued->SpareIrp);
    if (Issued->SpareMdl != NULL)
        IoFreeMdl(Issued->SpareMdl);
    if (Issued->Spare != NULL)
        ExFreePoolWithTag(Issued->Spare, FLTP_TAG_OPERATION);
}

/* One location more than the stack has, for our completion routine. */
static CCHAR FltpStackSize(PFLTP_ISSUED Issued)
{
    return (CCHAR)(Issued->Operation.Volume->Device->StackSize + 1);
}

/* FALSE without memory. */
static BOOLEAN FltpPreallocate(PFLTP_ISSUED Issued)
{
    ULONG Nodes = Issued->Operation.Volume->InstanceCount + 2;

    if (Issued->SpareIrp == NULL)
        Issued->SpareIrp = IoAllocateIrp(FltpStackSize(Issued), FALSE);
    if (Issued->SpareMdl == NULL)
        Issued->SpareMdl = IoAllocateMdl((PVOID)(ULONG_PTR)(PAGE_SIZE - 1), FLTP_SPARE_MDL, FALSE, FALSE, NULL);
    if (Issued->Spare == NULL)
        Issued->Spare = FltpNewOperation(max(Nodes, FLTP_NODES_DEFAULT));
    return Issued->SpareIrp != NULL && Issued->SpareMdl != NULL && Issued->Spare != NULL;
}

NTSTATUS FltpAllocateIssued(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, FLT_ALLOCATE_CALLBACK_DATA_FLAGS Flags,
                            PFLTP_ISSUED *NewIssued)
{
    PFLTP_ISSUED Issued = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Issued), FLTP_TAG_ISSUED);
    PFLTP_OPERATION Operation;

    if (Issued == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Issued, sizeof(*Issued));
    Operation = &Issued->Operation;
    InitializeListHead(&Issued->Link);
    Issued->Initiator = Instance;
    Operation->Magic = FLTP_MAGIC_ISSUED;
    Operation->Volume = Instance->Volume;
    Operation->Iopb.TargetFileObject = FileObject;
    Operation->Iopb.TargetInstance = Instance;
    Operation->Data.Flags = FLTFL_CALLBACK_DATA_GENERATED_IO | FLTFL_CALLBACK_DATA_IRP_OPERATION;
    *(PFLT_IO_PARAMETER_BLOCK *)&Operation->Data.Iopb = &Operation->Iopb;
    *(PETHREAD *)&Operation->Data.Thread = PsGetCurrentThread();
    Operation->Data.RequestorMode = KernelMode;
    Issued->Preallocated = BooleanFlagOn(Flags, FLT_ALLOCATE_CALLBACK_DATA_PREALLOCATE_ALL_MEMORY);
    if (Issued->Preallocated && !FltpPreallocate(Issued)) {
        FltpFreeSpares(Issued);
        ExFreePoolWithTag(Issued, FLTP_TAG_ISSUED);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *NewIssued = Issued;
    return STATUS_SUCCESS;
}

/* With the verifier on: whose it is, should it be left.  Stack: of the filter's call. */
static VOID FltpNoteIssued(PFLTP_ISSUED Issued, PVOID const *Stack)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpIssuedLock);

    RtlCopyMemory(Issued->AllocatedBy, Stack, sizeof(Issued->AllocatedBy));
    InsertTailList(&FltpLiveIssued, &Issued->Link);
    KeReleaseSpinLock(&FltpIssuedLock, Irql);
}

/* In the frame of the routine that the filter calls, whose caller is noted. */
static FORCEINLINE NTSTATUS FltpAllocateForFilter(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                                  FLT_ALLOCATE_CALLBACK_DATA_FLAGS Flags, PFLT_CALLBACK_DATA *NewData)
{
    PFLTP_ISSUED Issued;
    NTSTATUS Status = FltpAllocateIssued(Instance, FileObject, Flags, &Issued);
    PVOID Stack[FLTP_STACK_DEPTH];

    if (!NT_SUCCESS(Status))
        return Status;
    if (FltpVerify) {
        FltpCaptureStack(1, Stack);
        FltpNoteIssued(Issued, Stack);
    }
    *NewData = &Issued->Operation.Data;
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltAllocateCallbackDataEx(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                                            FLT_ALLOCATE_CALLBACK_DATA_FLAGS Flags,
                                                            PFLT_CALLBACK_DATA *RetNewCallbackData)
{
    return FltpAllocateForFilter(Instance, FileObject, Flags, RetNewCallbackData);
}

DECLSPEC_NOINLINE NTSTATUS FLTAPI FltAllocateCallbackData(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                                          PFLT_CALLBACK_DATA *RetNewCallbackData)
{
    return FltpAllocateForFilter(Instance, FileObject, 0, RetNewCallbackData);
}

/* A driver's code goes: callback data that it allocated and that still exists was forgotten. */
VOID FltpCheckIssuedAtUnload(PUCHAR Start, PUCHAR End, PVOID Name)
{
    PFLTP_ISSUED Leaked = NULL;
    ULONG Count = 0;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&FltpIssuedLock);

    for (PLIST_ENTRY Link = FltpLiveIssued.Flink; Link != &FltpLiveIssued; Link = Link->Flink) {
        PFLTP_ISSUED Issued = CONTAINING_RECORD(Link, FLTP_ISSUED, Link);

        if ((PUCHAR)Issued->AllocatedBy[0] >= Start && (PUCHAR)Issued->AllocatedBy[0] < End) {
            Leaked = Issued;
            Count++;
        }
    }
    KeReleaseSpinLock(&FltpIssuedLock, Irql);
    if (Count == 0)
        return;
    FvReport("rule=Callback data was allocated and never freed, and its driver is unloaded\n");
    FltpReportStack("allocated", Leaked->AllocatedBy);
    FvBlame(Leaked->AllocatedBy[0]);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0x62, (ULONG_PTR)Name, (ULONG_PTR)Leaked, Count);
}

/* A request that is still under way would write into what is freed or reused. */
static PFLTP_ISSUED FltpCheckIdle(PFLT_CALLBACK_DATA CallbackData, PCSTR Text)
{
    PFLTP_ISSUED Issued = FltpCheckIssued(CallbackData, Text);

    if (Issued->Operation.Irp != NULL)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_CALLBACK_DATA, (ULONG_PTR)CallbackData, 1, 0,
                      "rule=Callback data was freed, reused or sent while its request is under way\n");
    return Issued;
}

VOID FLTAPI FltFreeCallbackData(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_ISSUED Issued =
        FltpCheckIdle(CallbackData, "rule=FltFreeCallbackData was given no callback data of FltAllocateCallbackData\n");
    KIRQL Irql;

    Irql = KeAcquireSpinLockRaiseToDpc(&FltpIssuedLock);
    RemoveEntryList(&Issued->Link);
    KeReleaseSpinLock(&FltpIssuedLock, Irql);
    Issued->Operation.Magic = FLTP_MAGIC_FREE;
    FltpFreeSpares(Issued);
    ExFreePoolWithTag(Issued, FLTP_TAG_ISSUED);
}

VOID FLTAPI FltReuseCallbackData(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_ISSUED Issued = FltpCheckIdle(
        CallbackData, "rule=FltReuseCallbackData was given no callback data of FltAllocateCallbackData\n");
    PFLT_IO_PARAMETER_BLOCK Iopb = &Issued->Operation.Iopb;

    RtlZeroMemory(&Iopb->Parameters, sizeof(Iopb->Parameters));
    Iopb->MajorFunction = Iopb->MinorFunction = 0;
    Iopb->IrpFlags = 0;
    Iopb->OperationFlags = 0;
    CallbackData->Flags = FLTFL_CALLBACK_DATA_GENERATED_IO | FLTFL_CALLBACK_DATA_IRP_OPERATION;
    CallbackData->IoStatus.Status = STATUS_SUCCESS;
    CallbackData->IoStatus.Information = 0;
    CallbackData->TagData = NULL;
    Issued->Performed = FALSE;
    if (Issued->Preallocated)
        FltpPreallocate(Issued); /* the block below may have become the volume's */
}

/* --- Its request --- */

static VOID FltpFreeRequest(PFLTP_ISSUED Issued, PIRP Irp)
{
    PMDL Mdl = Irp->MdlAddress;

    if (Mdl != NULL && Mdl != Issued->GivenMdl) { /* ours, or one that a driver below made */
        if (FlagOn(Mdl->MdlFlags, MDL_PAGES_LOCKED))
            MmUnlockPages(Mdl);
        if (Mdl != Issued->SpareMdl)
            IoFreeMdl(Mdl);
    }
    if (Issued->DescribedMdl != NULL)
        *Issued->DescribedMdl = NULL;
    Issued->DescribedMdl = NULL;
    if (Irp == Issued->SpareIrp)
        IoReuseIrp(Irp, STATUS_SUCCESS);
    else
        IoFreeIrp(Irp);
}

VOID FltpCallCompleted(PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback, PFLT_CALLBACK_DATA Data, PVOID Context)
{
    FV_CALL Call;

    FvBeginCall(&Call);
    Callback(Data, Context);
    FvEndCall(&Call, (PVOID)Callback, "asynchronous completion callback", (ULONG_PTR)Data);
}

/* A filter's request has come back: nobody else owns its IRP or its MDL. */
static NTSTATUS NTAPI FltpIssuedCompletion(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PFLTP_ISSUED Issued = Context;
    PFLT_CALLBACK_DATA Data = &Issued->Operation.Data;

    UNREFERENCED_PARAMETER(Device);
    Data->IoStatus = Irp->IoStatus;
    FltpFreeRequest(Issued, Irp);
    Issued->Operation.Irp = NULL;
    FltpEndFlight(Issued->Flight);
    Issued->Flight = NULL;
    if (Issued->Callback != NULL)
        FltpCallCompleted(Issued->Callback, Data, Issued->Context);
    else
        KeSetEvent(&Issued->Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Where the request's parameters have an MDL, if it travels with one: data that is read or written, and a control code's
 * output that is direct.  Whatever else has a buffer has it in kernel memory, where the file system finds it. */
static PMDL *FltpPlaceOfMdl(PFLTP_ISSUED Issued, PVOID *Buffer, PULONG Length, LOCK_OPERATION *Access)
{
    PFLT_IO_PARAMETER_BLOCK Iopb = &Issued->Operation.Iopb;
    PVOID *BufferPlace;
    PMDL *Place;
    PULONG LengthPlace;
    ULONG Method;

    if (!FltpLocateBuffer(Iopb, &Place, &BufferPlace, &LengthPlace, Access) || Place == NULL)
        return NULL;
    Issued->GivenMdl = *Place;
    *Buffer = *BufferPlace;
    *Length = *LengthPlace;
    switch (Iopb->MajorFunction) {
    case IRP_MJ_READ:
    case IRP_MJ_WRITE: return Place;
    case IRP_MJ_FILE_SYSTEM_CONTROL:
    case IRP_MJ_DEVICE_CONTROL:
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        Method = Iopb->Parameters.DeviceIoControl.Common.IoControlCode & 3;
        return Method == METHOD_IN_DIRECT || Method == METHOD_OUT_DIRECT ? Place : NULL;
    default: return NULL;
    }
}

/* Kernel memory that is read or written directly needs an MDL, which goes with the request. */
static NTSTATUS FltpDescribeBuffer(PFLTP_ISSUED Issued)
{
    NTSTATUS Status = STATUS_SUCCESS;
    LOCK_OPERATION Access;
    PVOID Buffer;
    ULONG Length;
    PMDL Mdl, *Place;

    Issued->GivenMdl = NULL;
    Place = FltpPlaceOfMdl(Issued, &Buffer, &Length, &Access);
    if (Place == NULL || *Place != NULL || Length == 0)
        return STATUS_SUCCESS;
    if (Issued->SpareMdl != NULL && Length <= FLTP_SPARE_MDL) {
        Mdl = Issued->SpareMdl;
        MmInitializeMdl(Mdl, Buffer, Length);
    } else {
        Mdl = IoAllocateMdl(Buffer, Length, FALSE, FALSE, NULL);
        if (Mdl == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    __try {
        MmProbeAndLockPages(Mdl, KernelMode, Access);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (!NT_SUCCESS(Status)) {
        if (Mdl != Issued->SpareMdl)
            IoFreeMdl(Mdl);
        return Status;
    }
    *Place = Mdl;
    Issued->DescribedMdl = Place;
    return STATUS_SUCCESS;
}

/* Which parameters travel in the system buffer rather than the user's. */
static BOOLEAN FltpUsesSystemBuffer(const FLT_IO_PARAMETER_BLOCK *Iopb)
{
    switch (Iopb->MajorFunction) {
    case IRP_MJ_QUERY_INFORMATION:
    case IRP_MJ_SET_INFORMATION:
    case IRP_MJ_QUERY_VOLUME_INFORMATION:
    case IRP_MJ_SET_VOLUME_INFORMATION: return TRUE;
    default: return FALSE;
    }
}

/* The request in the volume's own location, as it is when it comes to our dispatch. */
static VOID FltpFillRequest(PFLTP_ISSUED Issued, PIRP Irp)
{
    PFLTP_OPERATION Operation = &Issued->Operation;
    PDEVICE_OBJECT Device = Operation->Volume->Device;
    PIO_STACK_LOCATION Stack;

    Irp->RequestorMode = KernelMode;
    Irp->Tail.Overlay.Thread = Operation->Data.Thread;
    Irp->Tail.Overlay.OriginalFileObject = Operation->Iopb.TargetFileObject;
    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Device;
    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = Operation->Iopb.MajorFunction;
    Stack->DeviceObject = Device;
    if (FltpUsesSystemBuffer(&Operation->Iopb))
        Irp->AssociatedIrp.SystemBuffer = Operation->Iopb.Parameters.QueryFileInformation.InfoBuffer;
    FltpParametersToIrp(&Operation->Iopb, Irp, Stack);
    IoSetCompletionRoutine(Irp, FltpIssuedCompletion, Issued, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
}

/*
 * IRQL: as the request's.  FALSE: it was not sent, *Status says why, and nothing of it is left.  TRUE: it was, and
 * comes back once: Callback is called, or without one Issued->Event set; *Status is what the dispatch returned, and
 * Issued may be gone.
 */
static BOOLEAN FltpIssue(PFLTP_ISSUED Issued, PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback, PVOID Context,
                         NTSTATUS *Status)
{
    PFLTP_OPERATION Operation = &Issued->Operation;
    PIRP Irp = Issued->SpareIrp != NULL ? Issued->SpareIrp : IoAllocateIrp(FltpStackSize(Issued), FALSE);

    *Status = STATUS_INSUFFICIENT_RESOURCES;
    if (Irp == NULL)
        return FALSE;
    *Status = FltpDescribeBuffer(Issued);
    if (!NT_SUCCESS(*Status)) {
        if (Irp != Issued->SpareIrp)
            IoFreeIrp(Irp);
        return FALSE;
    }
    Issued->Callback = Callback;
    Issued->Context = Context;
    if (Callback != NULL) {
        Issued->Performed = FALSE;
        Issued->Flight = FltpBeginFlight(Issued, NULL);
    }
    *(PETHREAD *)&Operation->Data.Thread = PsGetCurrentThread();
    FltpFillRequest(Issued, Irp);
    Operation->Irp = Irp;
    *Status = FltpDispatchVolume(Operation->Volume, Irp, Issued);
    return TRUE;
}

static VOID FltpNotSent(PFLT_CALLBACK_DATA Data, NTSTATUS Status)
{
    Data->IoStatus.Status = Status;
    Data->IoStatus.Information = 0;
}

static VOID FltpAwaitRequest(PFLTP_ISSUED Issued)
{
    PFLTP_FLIGHT Flight = KeReadStateEvent(&Issued->Event) ? NULL : FltpBeginFlight(Issued, KeGetCurrentThread());

    KeWaitForSingleObject(&Issued->Event, Executive, KernelMode, FALSE, NULL);
    FltpEndFlight(Flight);
}

static VOID FltpPerform(PFLTP_ISSUED Issued)
{
    NTSTATUS Status;

    KeInitializeEvent(&Issued->Event, NotificationEvent, FALSE);
    SetFlag(Issued->Operation.Iopb.IrpFlags, IRP_SYNCHRONOUS_API);
    Issued->Performed = TRUE;
    if (FltpVerify)
        Issued->Sent = Issued->Operation.Iopb;
    if (FltpIssue(Issued, NULL, NULL, &Status))
        FltpAwaitRequest(Issued);
    else
        FltpNotSent(&Issued->Operation.Data, Status);
}

VOID FLTAPI FltPerformSynchronousIo(PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_ISSUED Issued = FltpCheckIdle(
        CallbackData, "rule=FltPerformSynchronousIo was given no callback data of FltAllocateCallbackData\n");

    ClearFlag(CallbackData->Flags, FLTFL_CALLBACK_DATA_REISSUED_IO);
    FltpPerform(Issued);
}

/* A filter's own, in whatever context: once more what was performed synchronously, by the instance that did. */
static VOID FltpReissueIssued(PFLTP_ISSUED Issued, PFLT_INSTANCE Initiator)
{
    PFLT_CALLBACK_DATA Data = &Issued->Operation.Data;

    FltpCheckIdle(Data, "rule=FltReissueSynchronousIo was given no callback data\n");
    if (!Issued->Performed)
        FltpViolation(
            FLTMGR_FILE_SYSTEM, FLTP_BAD_REISSUE, (ULONG_PTR)Data, FLTP_REISSUE_NOT_SYNCHRONIZED, 0,
            "rule=FltReissueSynchronousIo was given callback data that no FltPerformSynchronousIo has sent\n");
    if (Initiator != Issued->Initiator)
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_REISSUE, (ULONG_PTR)Data, FLTP_REISSUE_INSTANCE,
                      (ULONG_PTR)Initiator,
                      "rule=FltReissueSynchronousIo was given another instance than the request's initiator\n");
    if (FltpVerify)
        FltpCheckReissue(Data, &Issued->Sent, Data->IoStatus.Status);
    ClearFlag(Data->Flags, FLTFL_CALLBACK_DATA_DIRTY);
    SetFlag(Data->Flags, FLTFL_CALLBACK_DATA_REISSUED_IO);
    FltpPerform(Issued);
}

VOID FLTAPI FltReissueSynchronousIo(PFLT_INSTANCE InitiatingInstance, PFLT_CALLBACK_DATA CallbackData)
{
    PFLTP_OPERATION Operation =
        FltpCheckAnyData(CallbackData, "rule=FltReissueSynchronousIo was given no callback data\n");

    if (Operation->Magic == FLTP_MAGIC_ISSUED)
        FltpReissueIssued(CONTAINING_RECORD(Operation, FLTP_ISSUED, Operation), InitiatingInstance);
    else
        FltpReissue(Operation, InitiatingInstance);
}

/* The callback is always called, also when this fails: who gives one may free the data there. */
NTSTATUS FLTAPI FltPerformAsynchronousIo(PFLT_CALLBACK_DATA CallbackData,
                                         PFLT_COMPLETED_ASYNC_IO_CALLBACK CallbackRoutine, PVOID CallbackContext)
{
    PFLTP_ISSUED Issued = FltpCheckIdle(
        CallbackData, "rule=FltPerformAsynchronousIo was given no callback data of FltAllocateCallbackData\n");
    NTSTATUS Status = STATUS_FLT_INVALID_ASYNCHRONOUS_REQUEST;

    if (CallbackRoutine == NULL)
        return STATUS_INVALID_PARAMETER;
    FvCheckRoutine((PVOID)CallbackRoutine, "asynchronous completion callback");
    ClearFlag(CallbackData->Flags, FLTFL_CALLBACK_DATA_REISSUED_IO);
    if (!FlagOn(CallbackData->Iopb->IrpFlags, IRP_SYNCHRONOUS_API | IRP_SYNCHRONOUS_PAGING_IO) &&
        CallbackData->Iopb->MajorFunction != IRP_MJ_CREATE &&
        FltpIssue(Issued, CallbackRoutine, CallbackContext, &Status))
        return Status;
    FltpNotSent(CallbackData, Status);
    FltpCallCompleted(CallbackRoutine, CallbackData, CallbackContext);
    return Status;
}

NTSTATUS FltpAsk(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, const FLT_IO_PARAMETER_BLOCK *Wanted,
                 PULONG LengthReturned)
{
    PFLT_IO_PARAMETER_BLOCK Iopb;
    PFLT_CALLBACK_DATA Data;
    PFLTP_ISSUED Issued;
    NTSTATUS Status = FltpAllocateIssued(Instance, FileObject, 0, &Issued);

    if (!NT_SUCCESS(Status))
        return Status;
    Data = &Issued->Operation.Data;
    Iopb = &Issued->Operation.Iopb;
    Iopb->MajorFunction = Wanted->MajorFunction;
    Iopb->MinorFunction = Wanted->MinorFunction;
    Iopb->OperationFlags = Wanted->OperationFlags;
    Iopb->Parameters = Wanted->Parameters;
    FltPerformSynchronousIo(Data);
    Status = Data->IoStatus.Status;
    if (LengthReturned != NULL)
        *LengthReturned = (ULONG)Data->IoStatus.Information;
    FltFreeCallbackData(Data);
    return Status;
}
