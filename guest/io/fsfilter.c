/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FS-filter operations: before the memory and cache managers use a file, its file system and those above it are asked, from the
 * top of the stack down, by the callbacks that they have registered.
 *
 * A pre-callback that returns STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY, or an error, ends the way down; the post-callbacks of those
 * above are called on the way back.  A file system without a callback is asked by its fast I/O routine, and one without that
 * has its stream's resources acquired as its header says.
 */
#include "iop.h"

#define IOP_FAST_IO(Device, Routine)                                                                                   \
    ((Device)->DriverObject->FastIoDispatch != NULL && (Device)->DriverObject->FastIoDispatch->SizeOfFastIoDispatch >= \
                                                           FIELD_OFFSET(FAST_IO_DISPATCH, Routine) + sizeof(PVOID)     \
         ? (Device)->DriverObject->FastIoDispatch->Routine                                                             \
         : NULL)

/* ---- what a file system does that has no callback for it ---- */

static PFSRTL_COMMON_FCB_HEADER IopHeader(PFILE_OBJECT FileObject)
{
    PFSRTL_COMMON_FCB_HEADER Header = FileObject->FsContext;

    return Header != NULL && Header->Resource != NULL ? Header : NULL;
}

static NTSTATUS IopAcquireForSectionByDefault(PFS_FILTER_CALLBACK_DATA Data)
{
    PFAST_IO_ACQUIRE_FILE Routine = IOP_FAST_IO(Data->DeviceObject, AcquireFileForNtCreateSection);

    if (Routine != NULL) {
        Routine(Data->FileObject);
    } else if (IopHeader(Data->FileObject) != NULL) {
        ExAcquireResourceExclusiveLite(IopHeader(Data->FileObject)->Resource, TRUE);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS IopReleaseForSectionByDefault(PFS_FILTER_CALLBACK_DATA Data)
{
    PFAST_IO_RELEASE_FILE Routine = IOP_FAST_IO(Data->DeviceObject, ReleaseFileForNtCreateSection);

    if (Routine != NULL) {
        Routine(Data->FileObject);
    } else if (IopHeader(Data->FileObject) != NULL) {
        ExReleaseResourceLite(IopHeader(Data->FileObject)->Resource);
    }
    return STATUS_SUCCESS;
}

/* The main resource as the caller has it already, or exclusive; the paging one shared. */
static NTSTATUS IopAcquireForCcFlushByDefault(PFS_FILTER_CALLBACK_DATA Data)
{
    PFAST_IO_ACQUIRE_FOR_CCFLUSH Routine = IOP_FAST_IO(Data->DeviceObject, AcquireForCcFlush);
    PFSRTL_COMMON_FCB_HEADER Header = IopHeader(Data->FileObject);
    NTSTATUS Status = Routine != NULL ? Routine(Data->FileObject, Data->DeviceObject) : STATUS_INVALID_DEVICE_REQUEST;

    if (Status != STATUS_INVALID_DEVICE_REQUEST || Header == NULL) {
        return Status == STATUS_INVALID_DEVICE_REQUEST ? STATUS_SUCCESS : Status;
    }
    if (ExIsResourceAcquiredSharedLite(Header->Resource) != 0 && !ExIsResourceAcquiredExclusiveLite(Header->Resource)) {
        ExAcquireResourceSharedLite(Header->Resource, TRUE);
    } else {
        ExAcquireResourceExclusiveLite(Header->Resource, TRUE);
    }
    if (Header->PagingIoResource != NULL) {
        ExAcquireResourceSharedLite(Header->PagingIoResource, TRUE);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS IopReleaseForCcFlushByDefault(PFS_FILTER_CALLBACK_DATA Data)
{
    PFAST_IO_RELEASE_FOR_CCFLUSH Routine = IOP_FAST_IO(Data->DeviceObject, ReleaseForCcFlush);
    PFSRTL_COMMON_FCB_HEADER Header = IopHeader(Data->FileObject);
    NTSTATUS Status = Routine != NULL ? Routine(Data->FileObject, Data->DeviceObject) : STATUS_INVALID_DEVICE_REQUEST;

    if (Status != STATUS_INVALID_DEVICE_REQUEST || Header == NULL) {
        return STATUS_SUCCESS;
    }
    if (Header->PagingIoResource != NULL) {
        ExReleaseResourceLite(Header->PagingIoResource);
    }
    ExReleaseResourceLite(Header->Resource);
    return STATUS_SUCCESS;
}

static PERESOURCE IopWriterResource(PFSRTL_COMMON_FCB_HEADER Header)
{
    if ((Header->Flags & (FSRTL_FLAG_ACQUIRE_MAIN_RSRC_EX | FSRTL_FLAG_ACQUIRE_MAIN_RSRC_SH)) != 0 ||
        Header->PagingIoResource == NULL) {
        return Header->Resource;
    }
    return Header->PagingIoResource;
}

/* Without waiting: STATUS_CANT_WAIT. */
static NTSTATUS IopAcquireForModWriteByDefault(PFS_FILTER_CALLBACK_DATA Data)
{
    PFAST_IO_ACQUIRE_FOR_MOD_WRITE Routine = IOP_FAST_IO(Data->DeviceObject, AcquireForModWrite);
    PERESOURCE *Resource = Data->Parameters.AcquireForModifiedPageWriter.ResourceToRelease;
    PFSRTL_COMMON_FCB_HEADER Header = IopHeader(Data->FileObject);
    BOOLEAN Acquired;

    if (Routine != NULL) {
        NTSTATUS Status = Routine(Data->FileObject, Data->Parameters.AcquireForModifiedPageWriter.EndingOffset,
                                  Resource, Data->DeviceObject);

        if (Status != STATUS_INVALID_DEVICE_REQUEST) {
            return Status;
        }
    }
    if (Header == NULL) {
        return STATUS_SUCCESS;
    }
    *Resource = IopWriterResource(Header);
    Acquired = (Header->Flags & FSRTL_FLAG_ACQUIRE_MAIN_RSRC_EX) != 0 ? ExAcquireResourceExclusiveLite(*Resource, FALSE)
                                                                      : ExAcquireResourceSharedLite(*Resource, FALSE);
    return Acquired ? STATUS_SUCCESS : STATUS_CANT_WAIT;
}

static NTSTATUS IopReleaseForModWriteByDefault(PFS_FILTER_CALLBACK_DATA Data)
{
    PFAST_IO_RELEASE_FOR_MOD_WRITE Routine = IOP_FAST_IO(Data->DeviceObject, ReleaseForModWrite);
    PERESOURCE Resource = Data->Parameters.ReleaseForModifiedPageWriter.ResourceToRelease;

    if (Routine != NULL && Routine(Data->FileObject, Resource, Data->DeviceObject) != STATUS_INVALID_DEVICE_REQUEST) {
        return STATUS_SUCCESS;
    }
    if (Resource != NULL) {
        ExReleaseResourceLite(Resource);
    }
    return STATUS_SUCCESS;
}

/* ---- down the stack ---- */

#define IOP_CALLBACK(Name) FIELD_OFFSET(FS_FILTER_CALLBACKS, Pre##Name), FIELD_OFFSET(FS_FILTER_CALLBACKS, Post##Name)

typedef struct _IOP_FILTER_OPERATION {
    UCHAR Operation;
    ULONG Pre, Post;
    NTSTATUS (*Default)(PFS_FILTER_CALLBACK_DATA Data);
} IOP_FILTER_OPERATION;

static const IOP_FILTER_OPERATION IopAcquireSection = {FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION,
                                                       IOP_CALLBACK(AcquireForSectionSynchronization),
                                                       IopAcquireForSectionByDefault};
static const IOP_FILTER_OPERATION IopReleaseSection = {FS_FILTER_RELEASE_FOR_SECTION_SYNCHRONIZATION,
                                                       IOP_CALLBACK(ReleaseForSectionSynchronization),
                                                       IopReleaseForSectionByDefault};
static const IOP_FILTER_OPERATION IopAcquireCcFlush = {FS_FILTER_ACQUIRE_FOR_CC_FLUSH, IOP_CALLBACK(AcquireForCcFlush),
                                                       IopAcquireForCcFlushByDefault};
static const IOP_FILTER_OPERATION IopReleaseCcFlush = {FS_FILTER_RELEASE_FOR_CC_FLUSH, IOP_CALLBACK(ReleaseForCcFlush),
                                                       IopReleaseForCcFlushByDefault};
static const IOP_FILTER_OPERATION IopAcquireModWrite = {
    FS_FILTER_ACQUIRE_FOR_MOD_WRITE, IOP_CALLBACK(AcquireForModifiedPageWriter), IopAcquireForModWriteByDefault};
static const IOP_FILTER_OPERATION IopReleaseModWrite = {
    FS_FILTER_RELEASE_FOR_MOD_WRITE, IOP_CALLBACK(ReleaseForModifiedPageWriter), IopReleaseForModWriteByDefault};

static PVOID IopFilterRoutine(PDEVICE_OBJECT DeviceObject, ULONG Offset)
{
    PFS_FILTER_CALLBACKS Callbacks = IopDrvExt(DeviceObject->DriverObject)->FsFilterCallbacks;

    return Callbacks != NULL ? *(PVOID *)((PUCHAR)Callbacks + Offset) : NULL;
}

/* The device is referenced by the caller, and so each below it while it is asked. */
static NTSTATUS IopFilterDown(PDEVICE_OBJECT DeviceObject, PFS_FILTER_CALLBACK_DATA Data,
                              const IOP_FILTER_OPERATION *Operation)
{
    PFS_FILTER_CALLBACK Pre = (PFS_FILTER_CALLBACK)IopFilterRoutine(DeviceObject, Operation->Pre);
    PFS_FILTER_COMPLETION_CALLBACK Post =
        (PFS_FILTER_COMPLETION_CALLBACK)IopFilterRoutine(DeviceObject, Operation->Post);
    PDEVICE_OBJECT Lower = IoGetLowerDeviceObject(DeviceObject);
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Context = NULL;
    FV_CALL Call;

    Data->DeviceObject = DeviceObject;
    if (Pre != NULL) {
        FvBeginCall(&Call);
        Status = Pre(Data, &Context);
        Call.MayLeave = FV_MAY_LEAVE_RESOURCES | FV_MAY_LEAVE_APCS_DISABLED | FV_MAY_LEAVE_TOP_LEVEL_IRP;
        FvEndCall(&Call, (PVOID)Pre, "file-system filter callback", (ULONG_PTR)DeviceObject);
    }
    if (Status == STATUS_SUCCESS && Lower != NULL) {
        Status = IopFilterDown(Lower, Data, Operation);
    } else if (Status == STATUS_SUCCESS && Pre == NULL) {
        Status = Operation->Default(Data);
    }
    if (Status == STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY) {
        Status = STATUS_SUCCESS;
    }
    if (Post != NULL) {
        Data->DeviceObject = DeviceObject;
        FvBeginCall(&Call);
        Post(Data, Status, Context);
        Call.MayLeave = FV_MAY_LEAVE_RESOURCES | FV_MAY_LEAVE_APCS_DISABLED | FV_MAY_LEAVE_TOP_LEVEL_IRP;
        FvEndCall(&Call, (PVOID)Post, "file-system filter callback", (ULONG_PTR)DeviceObject);
    }
    if (Lower != NULL) {
        ObDereferenceObject(Lower);
    }
    return Status;
}

/* Without its reference a device of the stack may be detached: the top one is held. */
static NTSTATUS IopFilterOperation(PFILE_OBJECT FileObject, PFS_FILTER_CALLBACK_DATA Data,
                                   const IOP_FILTER_OPERATION *Operation)
{
    PDEVICE_OBJECT Top = IoGetAttachedDeviceReference(IoGetBaseFileSystemDeviceObject(FileObject));
    NTSTATUS Status;

    Data->SizeOfFsFilterCallbackData = sizeof(*Data);
    Data->Operation = Operation->Operation;
    Data->FileObject = FileObject;
    Status = IopFilterDown(Top, Data, Operation);
    ObDereferenceObject(Top);
    return Status;
}

/* ---- the operations.  IRQL: <= APC_LEVEL ---- */

NTSTATUS IoAcquireFileForSection(PFILE_OBJECT FileObject, ULONG Protection)
{
    FS_FILTER_CALLBACK_DATA Data = {0};
    NTSTATUS Status;

    Data.Parameters.AcquireForSectionSynchronization.SyncType = SyncTypeCreateSection;
    Data.Parameters.AcquireForSectionSynchronization.PageProtection = Protection;
    KeEnterCriticalRegion();
    Status = IopFilterOperation(FileObject, &Data, &IopAcquireSection);
    if (!NT_SUCCESS(Status)) {
        KeLeaveCriticalRegion();
    }
    return Status;
}

VOID IoReleaseFileForSection(PFILE_OBJECT FileObject)
{
    FS_FILTER_CALLBACK_DATA Data = {0};

    IopFilterOperation(FileObject, &Data, &IopReleaseSection);
    KeLeaveCriticalRegion();
}

NTSTATUS IoAcquireFileForCcFlush(PFILE_OBJECT FileObject)
{
    FS_FILTER_CALLBACK_DATA Data = {0};
    NTSTATUS Status;

    KeEnterCriticalRegion();
    Status = IopFilterOperation(FileObject, &Data, &IopAcquireCcFlush);
    if (!NT_SUCCESS(Status)) {
        KeLeaveCriticalRegion();
    }
    return Status;
}

VOID IoReleaseFileForCcFlush(PFILE_OBJECT FileObject)
{
    FS_FILTER_CALLBACK_DATA Data = {0};

    IopFilterOperation(FileObject, &Data, &IopReleaseCcFlush);
    KeLeaveCriticalRegion();
}

BOOLEAN IopAcquireForWriter(PFILE_OBJECT FileObject, ULONG64 End, PVOID *Context)
{
    LARGE_INTEGER EndingOffset = {.QuadPart = (LONGLONG)End};
    FS_FILTER_CALLBACK_DATA Data = {0};
    PERESOURCE Resource = NULL;
    NTSTATUS Status;

    Data.Parameters.AcquireForModifiedPageWriter.EndingOffset = &EndingOffset;
    Data.Parameters.AcquireForModifiedPageWriter.ResourceToRelease = &Resource;
    KeEnterCriticalRegion();
    Status = IopFilterOperation(FileObject, &Data, &IopAcquireModWrite);
    if (!NT_SUCCESS(Status)) {
        KeLeaveCriticalRegion();
        return FALSE;
    }
    *Context = Resource;
    return TRUE;
}

VOID IopReleaseFromWriter(PFILE_OBJECT FileObject, PVOID Context)
{
    FS_FILTER_CALLBACK_DATA Data = {0};

    Data.Parameters.ReleaseForModifiedPageWriter.ResourceToRelease = Context;
    IopFilterOperation(FileObject, &Data, &IopReleaseModWrite);
    KeLeaveCriticalRegion();
}
