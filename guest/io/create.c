/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening: from a name to a device, to a mounted volume, to IRP_MJ_CREATE, to a file object.
 *
 * The object manager walks the name to a device object and calls IopParseDevice with the rest; an open
 * relative to a file comes through IopParseFile.  What the opener wants travels in an IOP_OPEN_PACKET, the
 * parse context.
 */
#include "iop.h"

#define IOP_DIRECT_ACCESS                                                                                              \
    (SYNCHRONIZE | READ_CONTROL | WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY | FILE_READ_ATTRIBUTES)

/* Opening the device itself for its attributes only does not mount anything. */
static BOOLEAN IopIsDirectOpen(PIOP_OPEN_PACKET Packet, PUNICODE_STRING RemainingName, ACCESS_MASK Access)
{
    return Packet->RelatedFileObject == NULL && RemainingName->Length == 0 && (Access & ~IOP_DIRECT_ACCESS) == 0 &&
           Access != 0;
}

static ULONG IopFlagsFromOptions(PIOP_OPEN_PACKET Packet, ULONG Attributes)
{
    static const struct {
        ULONG Option;
        ULONG Flag;
    } Table[] = {
        {FILE_SYNCHRONOUS_IO_ALERT, FO_SYNCHRONOUS_IO | FO_ALERTABLE_IO},
        {FILE_SYNCHRONOUS_IO_NONALERT, FO_SYNCHRONOUS_IO},
        {FILE_NO_INTERMEDIATE_BUFFERING, FO_NO_INTERMEDIATE_BUFFERING},
        {FILE_WRITE_THROUGH, FO_WRITE_THROUGH},
        {FILE_SEQUENTIAL_ONLY, FO_SEQUENTIAL_ONLY},
        {FILE_RANDOM_ACCESS, FO_RANDOM_ACCESS},
        {FILE_DELETE_ON_CLOSE, FO_DELETE_ON_CLOSE},
    };
    ULONG Flags = 0;
    ULONG Index;

    for (Index = 0; Index < RTL_NUMBER_OF(Table); Index++) {
        if ((Packet->CreateOptions & Table[Index].Option) != 0) {
            Flags |= Table[Index].Flag;
        }
    }
    if ((Attributes & OBJ_CASE_INSENSITIVE) == 0) {
        Flags |= FO_OPENED_CASE_SENSITIVE;
    }
    return Flags;
}

static NTSTATUS IopMakeFileObject(PIOP_OPEN_PACKET Packet, PDEVICE_OBJECT DeviceObject, PVPB Vpb, ULONG Attributes,
                                  KPROCESSOR_MODE AccessMode, BOOLEAN Direct, PUNICODE_STRING RemainingName,
                                  PFILE_OBJECT *Result)
{
    OBJECT_ATTRIBUTES ObjectAttributes;
    PFILE_OBJECT FileObject;
    NTSTATUS Status;

    InitializeObjectAttributes(&ObjectAttributes, NULL, Attributes & ~OBJ_PERMANENT, NULL, NULL);
    Status = ObCreateObject(KernelMode, *IoFileObjectType, &ObjectAttributes, AccessMode, NULL, sizeof(FILE_OBJECT), 0,
                            0, (PVOID *)&FileObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    FileObject->Type = IO_TYPE_FILE;
    FileObject->Size = sizeof(*FileObject);
    FileObject->Flags = IopFlagsFromOptions(Packet, Attributes) | (Direct ? FO_DIRECT_DEVICE_OPEN : 0);
    KeInitializeEvent(&FileObject->Lock, SynchronizationEvent, FALSE);
    /* Who opens for asynchronous I/O may wait for the file at once: nothing is under way. */
    KeInitializeEvent(&FileObject->Event, NotificationEvent, !IopIsSynchronous(FileObject));
    KeInitializeSpinLock(&FileObject->IrpListLock);
    InitializeListHead(&FileObject->IrpList);
    if (Packet->DeviceObjectHint != NULL || Packet->TxnParameters != NULL || Packet->EcpList != NULL ||
        Packet->IgnoreSharing) {
        PIOP_FILE_EXTENSION Extension = IopGetFileExtension(FileObject, TRUE);

        if (Extension == NULL) {
            ObDereferenceObject(FileObject);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Extension->DeviceObjectHint = Packet->DeviceObjectHint;
        Extension->TxnParameters = Packet->TxnParameters;
        Extension->EcpList = Packet->EcpList;
        Extension->IgnoreSharing = Packet->IgnoreSharing;
    }
    if (RemainingName->Length != 0) {
        USHORT Size = RemainingName->Length + sizeof(WCHAR);

        FileObject->FileName.Buffer = ExAllocatePoolWithTag(PagedPool, Size, IOP_TAG_NAME);
        if (FileObject->FileName.Buffer == NULL) {
            ObDereferenceObject(FileObject);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        FileObject->FileName.MaximumLength = Size;
        RtlCopyUnicodeString(&FileObject->FileName, RemainingName);
    }
    FileObject->RelatedFileObject = Packet->RelatedFileObject;
    /* From here on the file object's end undoes the device's and the volume's references. */
    FileObject->DeviceObject = DeviceObject;
    FileObject->Vpb = Vpb;
    *Result = FileObject;
    return STATUS_SUCCESS;
}

/* Who opens what, and how. */
typedef struct _IOP_OPENING {
    PIOP_OPEN_PACKET Packet;
    PFILE_OBJECT FileObject;
    PDEVICE_OBJECT Target;
    KPROCESSOR_MODE AccessMode;
    ULONG Attributes;
    IO_SECURITY_CONTEXT SecurityContext;
    PIO_STATUS_BLOCK IoStatus;
    KEVENT Event;
} IOP_OPENING, *PIOP_OPENING;

/* The request of IRP_MJ_CREATE; NULL without memory. */
static PIRP IopMakeCreate(PIOP_OPENING Opening)
{
    PIRP Irp = IoAllocateIrp(Opening->Target->StackSize, FALSE);
    PIOP_OPEN_PACKET Packet = Opening->Packet;
    PIO_STACK_LOCATION Stack;

    if (Irp == NULL) {
        return NULL;
    }
    Irp->Flags = IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API | IRP_DEFER_IO_COMPLETION;
    Irp->RequestorMode = Opening->AccessMode;
    Irp->UserIosb = Opening->IoStatus;
    Irp->UserEvent = &Opening->Event;
    Irp->Overlay.AllocationSize = Packet->AllocationSize;
    Irp->AssociatedIrp.SystemBuffer = Packet->EaBuffer;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->Tail.Overlay.OriginalFileObject = Opening->FileObject;

    Stack = IoGetNextIrpStackLocation(Irp);
    Stack->MajorFunction = Packet->CreateFileType == CreateFileTypeNamedPipe  ? IRP_MJ_CREATE_NAMED_PIPE
                           : Packet->CreateFileType == CreateFileTypeMailslot ? IRP_MJ_CREATE_MAILSLOT
                                                                              : IRP_MJ_CREATE;
    Stack->Flags = (UCHAR)Packet->Options | ((Opening->Attributes & OBJ_CASE_INSENSITIVE) == 0 ? SL_CASE_SENSITIVE : 0);
    Stack->FileObject = Opening->FileObject;
    Stack->Parameters.Create.SecurityContext = &Opening->SecurityContext;
    Stack->Parameters.Create.Options = (Packet->Disposition << 24) | (Packet->CreateOptions & 0x00FFFFFF);
    Stack->Parameters.Create.FileAttributes = Packet->FileAttributes;
    Stack->Parameters.Create.ShareAccess = Packet->ShareAccess;
    Stack->Parameters.Create.EaLength = Packet->EaLength;
    return Irp;
}

/* Sends IRP_MJ_CREATE.  The status is the file system's. */
static NTSTATUS IopSendCreate(PIOP_OPEN_PACKET Packet, PFILE_OBJECT FileObject, PDEVICE_OBJECT Target,
                              PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode, ACCESS_MASK Access,
                              PSECURITY_QUALITY_OF_SERVICE SecurityQos, ULONG Attributes, PIOP_CREATE_RESULT Result)
{
    IOP_OPENING Opening = {Packet,           FileObject, Target,
                           AccessMode,       Attributes, {SecurityQos, AccessState, Access, Packet->CreateOptions},
                           &Result->IoStatus};
    NTSTATUS Status;
    KIRQL Irql;
    PIRP Irp;

    KeInitializeEvent(&Opening.Event, SynchronizationEvent, FALSE);
    Result->IoStatus.Status = STATUS_SUCCESS;
    Result->IoStatus.Information = 0;
    Result->ReparseData = NULL;
    Irp = IopMakeCreate(&Opening);
    if (Irp != NULL && Packet->Query != NULL && FileObject->Vpb != NULL) {
        IopTryQueryOpen(Packet, FileObject, Target, Irp);
        IoFreeIrp(Irp);
        if (Packet->QueryDone) {
            return STATUS_OBJECT_TYPE_MISMATCH; /* no file comes of it */
        }
        Irp = IopMakeCreate(&Opening);
    }
    if (Irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    IopQueueThreadIrp(Irp);
    Status = IofCallDriver(Target, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Opening.Event, Executive, KernelMode, FALSE, NULL);
        Status = Result->IoStatus.Status;
    } else {
        KeRaiseIrql(APC_LEVEL, &Irql);
        IopCompleteInThread(Irp, FileObject);
        KeLowerIrql(Irql);
    }
    return Status;
}

/* The file system wants the open to go on under another name: IoReplaceFileObjectName has set it. */
static NTSTATUS IopReparse(PIOP_OPEN_PACKET Packet, PFILE_OBJECT FileObject, PIOP_CREATE_RESULT Result,
                           PUNICODE_STRING CompleteName)
{
    ULONG_PTR Information = Result->IoStatus.Information;

    if (Information > IO_REMOUNT) {
        return IopFollowReparsePoint(Packet, FileObject, Result->ReparseData, CompleteName);
    }
    if (Information == IO_REPARSE) {
        if (CompleteName->MaximumLength < FileObject->FileName.Length) {
            PWCH Buffer = ExAllocatePoolWithTag(PagedPool, FileObject->FileName.Length, 'mNbO');

            if (Buffer == NULL) {
                return STATUS_INSUFFICIENT_RESOURCES;
            }
            if (CompleteName->Buffer != NULL) {
                ExFreePool(CompleteName->Buffer);
            }
            CompleteName->Buffer = Buffer;
            CompleteName->MaximumLength = FileObject->FileName.Length;
        }
        RtlCopyUnicodeString(CompleteName, &FileObject->FileName);
        Packet->RelatedFileObject = NULL; /* the new name begins at the root */
    }
    return STATUS_REPARSE; /* IO_REMOUNT: the same name once more */
}

/* The list of extra create parameters stays with the open, which may go on elsewhere. */
static VOID IopTakeEcps(PIOP_OPEN_PACKET Packet, PFILE_OBJECT FileObject)
{
    PIOP_FILE_EXTENSION Extension = FileObject->FileObjectExtension;

    if (Extension != NULL) {
        Packet->EcpList = Extension->EcpList;
        Extension->EcpList = NULL;
    }
}

static NTSTATUS IopFindTarget(PIOP_OPEN_PACKET Packet, PDEVICE_OBJECT DeviceObject, PVPB Vpb, PDEVICE_OBJECT *Target)
{
    PDEVICE_OBJECT Base = Vpb != NULL ? Vpb->DeviceObject : DeviceObject;
    PDEVICE_OBJECT Device;
    KIRQL Irql;

    KeAcquireSpinLock(&IopDatabaseLock, &Irql);
    Device = IopTopDeviceLocked(Base);
    if (Packet->DeviceObjectHint != NULL) {
        PDEVICE_OBJECT Walk = Base;

        while (Walk != NULL && Walk != Packet->DeviceObjectHint) {
            Walk = Walk->AttachedDevice;
        }
        Device = Walk;
    }
    KeReleaseSpinLock(&IopDatabaseLock, Irql);
    *Target = Device;
    return Device != NULL ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_OBJECT_PARAMETER;
}

static NTSTATUS IopOpenOnDevice(PDEVICE_OBJECT DeviceObject, PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode,
                                ULONG Attributes, PUNICODE_STRING CompleteName, PUNICODE_STRING RemainingName,
                                PIOP_OPEN_PACKET Packet, PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object)
{
    ACCESS_MASK Access = AccessState != NULL
                             ? AccessState->PreviouslyGrantedAccess | AccessState->RemainingDesiredAccess
                             : Packet->DesiredAccess;
    BOOLEAN Direct = IopIsDirectOpen(Packet, RemainingName, Access);
    PFILE_OBJECT FileObject = NULL;
    IOP_CREATE_RESULT Result;
    PDEVICE_OBJECT Target;
    PVPB Vpb = NULL;
    NTSTATUS Status;

    Status = IopReferenceDeviceForOpen(DeviceObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Packet->RelatedFileObject != NULL && Packet->RelatedFileObject->Vpb != NULL) {
        KIRQL Irql;

        Vpb = Packet->RelatedFileObject->Vpb;
        KeAcquireSpinLock(&IopDatabaseLock, &Irql);
        Vpb->ReferenceCount++;
        KeReleaseSpinLock(&IopDatabaseLock, Irql);
    } else if (DeviceObject->Vpb != NULL && !Direct) {
        Status = IopReferenceMountedVpb(DeviceObject, RemainingName->Length == 0, &Vpb);
        if (!NT_SUCCESS(Status)) {
            IopDereferenceDevice(DeviceObject);
            return Status;
        }
    }
    Status = IopFindTarget(Packet, DeviceObject, Vpb, &Target);
    if (NT_SUCCESS(Status)) {
        Status =
            IopMakeFileObject(Packet, DeviceObject, Vpb, Attributes, AccessMode, Direct, RemainingName, &FileObject);
    }
    if (!NT_SUCCESS(Status)) {
        if (Vpb != NULL) {
            IopDereferenceVpb(Vpb);
        }
        IopDereferenceDevice(DeviceObject);
        return Status;
    }
    if (Vpb != NULL && RemainingName->Length == 0 && Packet->RelatedFileObject == NULL) {
        FileObject->Flags |= FO_VOLUME_OPEN;
    }

    Packet->FileObject = FileObject;
    Status =
        IopSendCreate(Packet, FileObject, Target, AccessState, AccessMode, Access, SecurityQos, Attributes, &Result);
    IopTakeEcps(Packet, FileObject);
    Packet->Information = Result.IoStatus.Information;
    Packet->FinalStatus = Status;
    FileObject->RelatedFileObject = NULL;
    if (NT_SUCCESS(Status) && Status != STATUS_REPARSE) {
        FileObject->Flags |= FO_FILE_OPEN;
        Packet->ParseCheck = IOP_OPEN_PACKET_CHECK;
        *Object = FileObject;
        return Status;
    }
    if (Status == STATUS_REPARSE) {
        Status = IopReparse(Packet, FileObject, &Result, CompleteName);
        Packet->FinalStatus = Status;
        if (Result.ReparseData != NULL) {
            ExFreePool(Result.ReparseData);
        }
    }
    /* The file system holds nothing of a failed open: no cleanup, no close. */
    FileObject->DeviceObject = NULL;
    FileObject->Vpb = NULL;
    ObDereferenceObject(FileObject);
    Packet->FileObject = NULL;
    if (Vpb != NULL) {
        IopDereferenceVpb(Vpb);
    }
    IopDereferenceDevice(DeviceObject);
    return Status;
}

/* Who is to be checked is; what is granted becomes the state's. */
static NTSTATUS IopCheckOpen(PDEVICE_OBJECT DeviceObject, PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode,
                             ULONG Attributes, PUNICODE_STRING RemainingName, PIOP_OPEN_PACKET Packet)
{
    ACCESS_MASK Access;

    if ((Attributes & OBJ_FORCE_ACCESS_CHECK) != 0) {
        Packet->Options |= IO_FORCE_ACCESS_CHECK; /* the file system's to see: SL_FORCE_ACCESS_CHECK */
        if (AccessState != NULL) {                /* what the kernel's mode has granted is to be asked for */
            AccessState->RemainingDesiredAccess |= AccessState->PreviouslyGrantedAccess;
            AccessState->PreviouslyGrantedAccess = 0;
        }
    }
    if (AccessState == NULL || Packet->RelatedFileObject != NULL ||
        (AccessMode == KernelMode && !(Packet->Options & IO_FORCE_ACCESS_CHECK))) {
        return STATUS_SUCCESS;
    }
    Access = AccessState->PreviouslyGrantedAccess | AccessState->RemainingDesiredAccess;
    return IopCheckDeviceAccess(DeviceObject, AccessState, RemainingName->Length != 0, &Access);
}

/* The open with the state of its subject, who a file system and its filters may ask about. */
static NTSTATUS IopOpenAsSubject(PDEVICE_OBJECT DeviceObject, PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode,
                                 ULONG Attributes, PUNICODE_STRING CompleteName, PUNICODE_STRING RemainingName,
                                 PIOP_OPEN_PACKET Packet, PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object)
{
    BOOLEAN Captured = AccessState != NULL && AccessState->SubjectSecurityContext.PrimaryToken == NULL;
    NTSTATUS Status;

    if (Captured) {
        SeCaptureSubjectContext(&AccessState->SubjectSecurityContext);
    }
    Status = IopCheckOpen(DeviceObject, AccessState, AccessMode, Attributes, RemainingName, Packet);
    if (NT_SUCCESS(Status)) {
        Status = IopOpenOnDevice(DeviceObject, AccessState, AccessMode, Attributes, CompleteName, RemainingName, Packet,
                                 SecurityQos, Object);
    }
    if (Captured) {
        SeReleaseSubjectContext(&AccessState->SubjectSecurityContext);
    }
    return Status;
}

/* Object-manager parse procedure of devices.  PASSIVE_LEVEL. */
NTSTATUS IopParseDevice(PVOID ParseObject, PVOID ObjectType, PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode,
                        ULONG Attributes, PUNICODE_STRING CompleteName, PUNICODE_STRING RemainingName, PVOID Context,
                        PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object)
{
    PIOP_OPEN_PACKET Packet = Context;

    UNREFERENCED_PARAMETER(ObjectType);
    *Object = NULL;
    if (Packet == NULL) {
        /* A reference to the device object itself, by the kernel only. */
        if (ObjectType == (PVOID)IopDeviceObjectType && RemainingName->Length == 0 && AccessMode == KernelMode) {
            ObReferenceObject(ParseObject);
            *Object = ParseObject;
            return STATUS_SUCCESS;
        }
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (Packet->Type != IO_TYPE_OPEN_PACKET || Packet->Size != sizeof(*Packet)) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    return IopOpenAsSubject(ParseObject, AccessState, AccessMode, Attributes, CompleteName, RemainingName, Packet,
                            SecurityQos, Object);
}

/* Object-manager parse procedure of files: an open relative to a file that is open. */
NTSTATUS IopParseFile(PVOID ParseObject, PVOID ObjectType, PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode,
                      ULONG Attributes, PUNICODE_STRING CompleteName, PUNICODE_STRING RemainingName, PVOID Context,
                      PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object)
{
    PIOP_OPEN_PACKET Packet = Context;
    PFILE_OBJECT Related = ParseObject;

    UNREFERENCED_PARAMETER(ObjectType);
    *Object = NULL;
    if (Packet == NULL || Packet->Type != IO_TYPE_OPEN_PACKET || Packet->Size != sizeof(*Packet)) {
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    Packet->RelatedFileObject = Related;
    return IopOpenAsSubject(Related->DeviceObject, AccessState, AccessMode, Attributes, CompleteName, RemainingName,
                            Packet, SecurityQos, Object);
}

/* ---- services --------------------------------------------------------------------------------------------
 */

static NTSTATUS IopCheckOpenParameters(ACCESS_MASK Access, ULONG Disposition, ULONG CreateOptions, ULONG ShareAccess,
                                       ULONG FileAttributes)
{
    if ((FileAttributes & ~FILE_ATTRIBUTE_VALID_FLAGS) != 0 || (ShareAccess & ~FILE_SHARE_VALID_FLAGS) != 0 ||
        Disposition > FILE_MAXIMUM_DISPOSITION) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)) != 0 &&
        (Access & SYNCHRONIZE) == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & FILE_DELETE_ON_CLOSE) != 0 && (Access & DELETE) == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)) ==
        (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & (FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE)) ==
        (FILE_DIRECTORY_FILE | FILE_NON_DIRECTORY_FILE)) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & FILE_DIRECTORY_FILE) != 0 &&
        (Disposition == FILE_SUPERSEDE || Disposition == FILE_OVERWRITE || Disposition == FILE_OVERWRITE_IF)) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & FILE_COMPLETE_IF_OPLOCKED) != 0 && (CreateOptions & FILE_RESERVE_OPFILTER) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if ((CreateOptions & FILE_NO_INTERMEDIATE_BUFFERING) != 0 && (Access & FILE_APPEND_DATA) != 0 &&
        (Access & FILE_WRITE_DATA) == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS IopCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                              ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
                              CREATE_FILE_TYPE CreateFileType, PVOID ExtraCreateParameters, ULONG Options,
                              PIO_DRIVER_CREATE_CONTEXT DriverContext, PDEVICE_OBJECT DeviceObjectHint)
{
    KPROCESSOR_MODE Mode = (Options & IO_NO_PARAMETER_CHECKING) != 0 ? KernelMode : ExGetPreviousMode();
    IOP_OPEN_PACKET Packet;
    HANDLE Handle = NULL;
    NTSTATUS Status;

    if ((Options & IO_NO_PARAMETER_CHECKING) == 0 || (Options & IO_CHECK_CREATE_PARAMETERS) != 0) {
        Status = IopCheckOpenParameters(DesiredAccess, Disposition, CreateOptions, ShareAccess, FileAttributes);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
    RtlZeroMemory(&Packet, sizeof(Packet));
    Packet.Type = IO_TYPE_OPEN_PACKET;
    Packet.Size = sizeof(Packet);
    Packet.CreateOptions = CreateOptions;
    Packet.FileAttributes = (USHORT)FileAttributes;
    Packet.ShareAccess = (USHORT)ShareAccess;
    Packet.Disposition = Disposition;
    Packet.CreateFileType = CreateFileType;
    Packet.ExtraCreateParameters = ExtraCreateParameters;
    Packet.Options = Options & 0xFF;
    Packet.IgnoreSharing = (Options & IO_IGNORE_SHARE_ACCESS_CHECK) != 0;
    Packet.DesiredAccess = DesiredAccess;
    Packet.DeviceObjectHint = DeviceObjectHint;
    if (DriverContext != NULL) {
        if (DriverContext->DeviceObjectHint != NULL) {
            Packet.DeviceObjectHint = DriverContext->DeviceObjectHint;
        }
        Packet.EcpList = DriverContext->ExtraCreateParameter;
        Packet.TxnParameters = DriverContext->TxnParameters;
    }
    if (AllocationSize != NULL) {
        Packet.AllocationSize = *AllocationSize;
    }
    Status = IopCaptureEa(&Packet, EaBuffer, EaLength);
    IopBeginEcps(&Packet);
    if (NT_SUCCESS(Status)) {
        Status = ObOpenObjectByName(ObjectAttributes, NULL, Mode, NULL, DesiredAccess, &Packet, &Handle);
    }
    IopEndEcps(&Packet);
    if (Packet.EaBuffer != NULL) {
        ExFreePoolWithTag(Packet.EaBuffer, IOP_TAG_BUFFER);
    }
    if (NT_SUCCESS(Status) && Packet.ParseCheck != IOP_OPEN_PACKET_CHECK) {
        ZwClose(Handle); /* the name led to something that is no file */
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (!NT_SUCCESS(Status)) {
        /* An open that the file system refused says so in the block too. */
        if (NT_WARNING(Packet.FinalStatus) || (Packet.ParseCheck == 0 && Packet.FinalStatus != STATUS_SUCCESS)) {
            Status = NT_SUCCESS(Packet.FinalStatus) ? Status : Packet.FinalStatus;
            IoStatusBlock->Status = Status;
            IoStatusBlock->Information = Packet.Information;
        }
        return Status;
    }
    Packet.FileObject->Flags |= FO_HANDLE_CREATED;
    *FileHandle = Handle;
    IoStatusBlock->Status = Packet.FinalStatus;
    IoStatusBlock->Information = Packet.Information;
    return Packet.FinalStatus;
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                            PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
                            CREATE_FILE_TYPE CreateFileType, PVOID InternalParameters, ULONG Options)
{
    return IopCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes,
                         ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength, CreateFileType,
                         InternalParameters, Options, NULL, NULL);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI IoCreateFileEx(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                              ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength,
                              CREATE_FILE_TYPE CreateFileType, PVOID InternalParameters, ULONG Options,
                              PIO_DRIVER_CREATE_CONTEXT DriverContext)
{
    if (DriverContext != NULL && DriverContext->Size != sizeof(*DriverContext)) {
        return STATUS_INVALID_PARAMETER;
    }
    return IopCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes,
                         ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength, CreateFileType,
                         InternalParameters, Options, DriverContext, NULL);
}

/* PASSIVE_LEVEL.  The create and everything after it go to DeviceObject and what is below it. */
NTSTATUS NTAPI IoCreateFileSpecifyDeviceObjectHint(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                                                   POBJECT_ATTRIBUTES ObjectAttributes, PIO_STATUS_BLOCK IoStatusBlock,
                                                   PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                                                   ULONG ShareAccess, ULONG Disposition, ULONG CreateOptions,
                                                   PVOID EaBuffer, ULONG EaLength, CREATE_FILE_TYPE CreateFileType,
                                                   PVOID InternalParameters, ULONG Options, PVOID DeviceObject)
{
    return IopCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes,
                         ShareAccess, Disposition, CreateOptions, EaBuffer, EaLength, CreateFileType,
                         InternalParameters, Options, NULL, DeviceObject);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                            PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer,
                            ULONG EaLength)
{
    if (ExGetPreviousMode() != KernelMode) {
        return IopOpenForUser(&(IOP_USER_OPEN){FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock,
                                               AllocationSize, FileAttributes, ShareAccess, CreateDisposition,
                                               CreateOptions, EaBuffer, EaLength});
    }
    return IopCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes,
                         ShareAccess, CreateDisposition, CreateOptions, EaBuffer, EaLength, CreateFileTypeNone, NULL, 0,
                         NULL, NULL);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                          PIO_STATUS_BLOCK IoStatusBlock, ULONG ShareAccess, ULONG OpenOptions)
{
    if (ExGetPreviousMode() != KernelMode) {
        return IopOpenForUser(&(IOP_USER_OPEN){FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, NULL, 0,
                                               ShareAccess, FILE_OPEN, OpenOptions, NULL, 0});
    }
    return IopCreateFile(FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, NULL, 0, ShareAccess, FILE_OPEN,
                         OpenOptions, NULL, 0, CreateFileTypeNone, NULL, 0, NULL, NULL);
}
