/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRP_MJ_CREATE.
 */
#include "ntfs.h"

#define NTFS_DATA_CHANGES (FILE_WRITE_DATA | FILE_APPEND_DATA)

/* What the file is against what is wanted. */
static NTSTATUS NtfsCheckKind(PIO_STACK_LOCATION Stack, PNTFS_TARGET Target, const NTFS_FILE_FACTS *Facts)
{
    BOOLEAN IsDirectory = (Facts->Attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    ULONG Options = Stack->Parameters.Create.Options;
    ACCESS_MASK Access = Stack->Parameters.Create.SecurityContext->DesiredAccess;

    if (!IsDirectory && (Facts->Attributes & FILE_ATTRIBUTE_READONLY) != 0 && (Access & NTFS_DATA_CHANGES) != 0) {
        return STATUS_ACCESS_DENIED;
    }
    if (Target->Stream.Length != 0) {
        return (Options & FILE_DIRECTORY_FILE) != 0 ? STATUS_NOT_A_DIRECTORY : STATUS_SUCCESS;
    }
    if (IsDirectory && (Options & FILE_NON_DIRECTORY_FILE) != 0) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    if (!IsDirectory && (Options & FILE_DIRECTORY_FILE) != 0) {
        return STATUS_NOT_A_DIRECTORY;
    }
    if (!IsDirectory && Target->DirectoryWanted) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    return STATUS_SUCCESS;
}

/* What is there already. */
static NTSTATUS NtfsCheckDisposition(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack, PNTFS_TARGET Target,
                                     const NTFS_FILE_FACTS *Facts)
{
    ULONG Options = Stack->Parameters.Create.Options, Disposition = Options >> 24;
    ULONG Kept = Facts->Attributes & (FILE_ATTRIBUTE_HIDDEN | FILE_ATTRIBUTE_SYSTEM);

    if ((Options & FILE_DELETE_ON_CLOSE) != 0 &&
        (Volume->Facts.ReadOnly || (Target->Id == NTFS_ROOT_ID && Target->Stream.Length == 0) ||
         (Facts->Attributes & FILE_ATTRIBUTE_READONLY) != 0)) {
        return STATUS_CANNOT_DELETE;
    }
    if (Disposition == FILE_OPEN || Disposition == FILE_OPEN_IF) {
        return STATUS_SUCCESS;
    }
    if (Disposition == FILE_CREATE) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    if ((Facts->Attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 && Target->Stream.Length == 0) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    /* Who overwrites a file says that it is hidden or the system's where it is. */
    if ((Facts->Attributes & FILE_ATTRIBUTE_READONLY) != 0 ||
        (Target->Stream.Length == 0 && (Kept & ~Stack->Parameters.Create.FileAttributes) != 0)) {
        return STATUS_ACCESS_DENIED;
    }
    return STATUS_SUCCESS;
}

/* A new file's descriptor and extended attributes; one that cannot have them is not made. */
static NTSTATUS NtfsFurnishLocked(PNTFS_VOLUME Volume, PIRP Irp, PNTFS_TARGET Target, BOOLEAN IsDirectory)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS Status = NtfsAssignSecurityLocked(Volume, Stack, Target->Parent, Target->Id, IsDirectory);

    if (NT_SUCCESS(Status) && Stack->Parameters.Create.EaLength != 0) {
        Status = NtfsSetEasLocked(Volume, Target->Id, Irp->AssociatedIrp.SystemBuffer, TRUE);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsAppendComponent(Target, Target->Missing.Buffer, Target->Missing.Length / sizeof(WCHAR));
    }
    if (!NT_SUCCESS(Status)) {
        NtfsLibraryDelete(Volume->Library, Target->Id, Target->Parent, (const uint16_t *)Target->Missing.Buffer,
                          Target->Missing.Length / sizeof(WCHAR));
    }
    return Status;
}

/* A file whose name the tunnel knows was made when the one was that had it; by a short name it gets its long one. */
static NTSTATUS NtfsMakeLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack, PNTFS_TARGET Target, BOOLEAN IsDirectory)
{
    UNICODE_STRING Name = Target->Missing;
    NTFS_TUNNELED Tunneled;
    BOOLEAN IsTunneled = !IsDirectory && NtfsFindTunneledLocked(Volume, Target->Id, &Name, &Tunneled);
    NTSTATUS Status;

    if (IsTunneled && Tunneled.ByShort) {
        Name = Tunneled.Long;
    }
    Target->Parent = Target->Id;
    Status =
        NtfsLibraryCreate(Volume->Library, Target->Parent, (const uint16_t *)Name.Buffer, Name.Length / sizeof(WCHAR),
                          IsDirectory, Stack->Parameters.Create.FileAttributes, &Target->Id);
    if (!NT_SUCCESS(Status) || !IsTunneled) {
        return Status;
    }
    Status = NtfsApplyTunneledLocked(Volume, Target->Id, Target->Parent, &Tunneled);
    if (!NT_SUCCESS(Status)) {
        NtfsLibraryDelete(Volume->Library, Target->Id, Target->Parent, (const uint16_t *)Name.Buffer,
                          Name.Length / sizeof(WCHAR));
    }
    return Status;
}

/* What was made and cannot be opened goes again. */
static VOID NtfsUnmakeLocked(PNTFS_VOLUME Volume, ULONG64 Id)
{
    WCHAR Name[NTFS_NAME_MAX];
    uint32_t Length;
    uint64_t Parent;

    if (NT_SUCCESS(NtfsLibraryParent(Volume->Library, Id, &Parent, (uint16_t *)Name, &Length))) {
        NtfsLibraryDelete(Volume->Library, Id, Parent, (const uint16_t *)Name, Length);
    }
}

/* What is not there yet is made, if that is wanted; Target is then the new file.  Its stream, if it is named, comes with its open. */
static NTSTATUS NtfsCreateMissingLocked(PNTFS_VOLUME Volume, PIRP Irp, PNTFS_TARGET Target)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Options = Stack->Parameters.Create.Options, Disposition = Options >> 24;
    BOOLEAN IsDirectory = (Options & FILE_DIRECTORY_FILE) != 0;
    NTSTATUS Status;

    if (Disposition == FILE_OPEN || Disposition == FILE_OVERWRITE) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    if (Target->DirectoryWanted && !IsDirectory) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (Target->Stream.Length != 0 && IsDirectory) {
        return STATUS_NOT_A_DIRECTORY;
    }
    if ((Options & FILE_DELETE_ON_CLOSE) != 0 &&
        (Stack->Parameters.Create.FileAttributes & FILE_ATTRIBUTE_READONLY) != 0) {
        return STATUS_CANNOT_DELETE;
    }
    if (IsDirectory && (Stack->Parameters.Create.FileAttributes & FILE_ATTRIBUTE_TEMPORARY) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = NtfsCheckCreateLocked(Volume, Irp, Target->Id, IsDirectory);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NtfsMakeLocked(Volume, Stack, Target, IsDirectory);
    if (NT_SUCCESS(Status)) {
        Status = NtfsFurnishLocked(Volume, Irp, Target, IsDirectory);
        if (!NT_SUCCESS(Status)) {
            NtfsUnmakeLocked(Volume, Target->Id);
        }
    }
    return Status;
}

#define NTFS_SHARED_ACCESS (FILE_EXECUTE | FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE)

/* With the unnamed stream, or the directory, all streams go: its deletion is shared with who has any of them open. */
static NTSTATUS NtfsShareDeletion(PNTFS_STREAM Stream, ACCESS_MASK Access, ULONG Share)
{
    PNTFS_FILE File = Stream->File;

    for (PLIST_ENTRY Entry = File->Streams.Flink; Entry != &File->Streams; Entry = Entry->Flink) {
        PNTFS_STREAM Other = CONTAINING_RECORD(Entry, NTFS_STREAM, Link);

        if (Other->Name.Length == 0 && Other->ShareAccess.Deleters != 0 && (Share & FILE_SHARE_DELETE) == 0 &&
            (Access & NTFS_SHARED_ACCESS) != 0) {
            return STATUS_SHARING_VIOLATION;
        }
        if (Stream->Name.Length == 0 && (Access & DELETE) != 0 &&
            Other->ShareAccess.OpenCount != Other->ShareAccess.SharedDelete) {
            return STATUS_SHARING_VIOLATION;
        }
    }
    return STATUS_SUCCESS;
}

/* Update: the file object is one of those that share it from now on. */
NTSTATUS NtfsShareStream(PIO_STACK_LOCATION Stack, PNTFS_STREAM Stream, BOOLEAN Update)
{
    ACCESS_MASK Access = Stack->Parameters.Create.SecurityContext->DesiredAccess;
    NTSTATUS Status = NtfsShareDeletion(Stream, Access, Stack->Parameters.Create.ShareAccess);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if ((Stack->Parameters.Create.Options & FILE_DELETE_ON_CLOSE) != 0 &&
        !MmFlushImageSection(&Stream->Sections, MmFlushForDelete)) {
        return STATUS_CANNOT_DELETE;
    }
    if ((Access & FILE_WRITE_DATA) != 0 && !MmFlushImageSection(&Stream->Sections, MmFlushForWrite)) {
        return STATUS_SHARING_VIOLATION; /* it runs somewhere */
    }
    return IoCheckShareAccess(Access, Stack->Parameters.Create.ShareAccess, Stack->FileObject, &Stream->ShareAccess,
                              Update);
}

/* The stream, and the name by which it is opened, each with a reference; on failure *Free is for NtfsFreeStream. */
static NTSTATUS NtfsReferenceTargetLocked(PNTFS_VOLUME Volume, PNTFS_TARGET Target, const NTFS_FILE_FACTS *Facts,
                                          PNTFS_HANDLE Handle, PNTFS_STREAM *Stream, PNTFS_STREAM *Free)
{
    NTSTATUS Status = NtfsReferenceStreamLocked(Volume, Facts, &Target->Stream, Stream);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NtfsReferenceLinkLocked((*Stream)->File, Target->Parent, &Target->Path, &Handle->Link);
    if (!NT_SUCCESS(Status)) {
        *Free = NtfsDereferenceStreamLocked(*Stream);
    }
    return Status;
}

/* An open on its way. */
typedef struct _NTFS_OPENING {
    PIRP Irp;
    BOOLEAN HandleBroken; /* an owner was asked to close a handle that it caches */
    BOOLEAN InProgress;   /* an oplock breaks, and the open does not wait for it */
    BOOLEAN Waits;        /* for an acknowledgement: the request is not ours */
    PNTFS_STREAM Free;    /* a stream that nobody has any more, for NtfsFreeStream */
} NTFS_OPENING, *PNTFS_OPENING;

static NTSTATUS NtfsOpenTargetLocked(PNTFS_VOLUME Volume, PNTFS_OPENING Opening, PNTFS_TARGET Target,
                                     const NTFS_FILE_FACTS *Facts)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Opening->Irp);
    PFILE_OBJECT FileObject = Stack->FileObject;
    PNTFS_HANDLE Handle = ExAllocatePoolWithTag(PagedPool, sizeof(*Handle), NTFS_TAG_HANDLE);
    PNTFS_STREAM Stream;
    NTSTATUS Status;

    if (Handle == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Handle, sizeof(*Handle));
    Status = NtfsReferenceTargetLocked(Volume, Target, Facts, Handle, &Stream, &Opening->Free);
    if (!NT_SUCCESS(Status)) {
        NtfsFreeHandle(Handle);
        return Status;
    }
    Status = NtfsIsDoomed(Stream, Handle)
                 ? STATUS_DELETE_PENDING
                 : NtfsAdmitLocked(Stream, Opening->Irp, Opening->HandleBroken, &Opening->InProgress);
    Opening->Waits = Status == STATUS_PENDING;
    if (!NT_SUCCESS(Status) || Opening->Waits) {
        NtfsDereferenceLinkLocked(Handle->Link);
        Opening->Free = NtfsDereferenceStreamLocked(Stream);
        NtfsFreeHandle(Handle);
        return Status;
    }
    NtfsShareStream(Stack, Stream, TRUE);
    Handle->MayRestore = NtfsMayRestore(Opening->Irp);
    Handle->MayBackup = NtfsMayBackup(Opening->Irp);
    Handle->Access = Stack->Parameters.Create.SecurityContext->DesiredAccess;
    if ((Handle->Access & MAXIMUM_ALLOWED) != 0) {
        Handle->Access |= FILE_ALL_ACCESS; /* the kernel's, who is not asked: of others it is what they were granted */
    }
    Handle->DeleteOnClose = (Stack->Parameters.Create.Options & FILE_DELETE_ON_CLOSE) != 0;
    Handle->Link->Handles++;
    Stream->Handles++;
    FileObject->FsContext = Stream;
    FileObject->FsContext2 = Handle;
    if (!Stream->File->IsDirectory || Stream->Name.Length != 0) {
        FileObject->SectionObjectPointer = &Stream->Sections;
        FileObject->Flags |= FO_CACHE_SUPPORTED;
    }
    FileObject->Vpb = Volume->Vpb;
    return STATUS_SUCCESS;
}

/* A named stream of a file that is there, or has just been made. */
static NTSTATUS NtfsCreateStreamLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack, PNTFS_TARGET Target,
                                       PULONG_PTR Done)
{
    ULONG Disposition = Stack->Parameters.Create.Options >> 24;
    NTFS_STREAM_FACTS Facts;
    NTSTATUS Status;

    Status = NtfsLibraryStreamFacts(Volume->Library, Target->Id, (const uint16_t *)Target->Stream.Buffer,
                                    Target->Stream.Length / sizeof(WCHAR), &Facts);
    if (Status != STATUS_OBJECT_NAME_NOT_FOUND || Disposition == FILE_OPEN || Disposition == FILE_OVERWRITE) {
        return Status;
    }
    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    Status = NtfsLibraryAddStream(Volume->Library, Target->Id, (const uint16_t *)Target->Stream.Buffer,
                                  Target->Stream.Length / sizeof(WCHAR));
    *Done = FILE_CREATED;
    return Status;
}

/* Who overwrites needs the right to write, or to delete, also where the handle is not to have it. */
static NTSTATUS NtfsCheckRightsLocked(PNTFS_VOLUME Volume, PIRP Irp, PNTFS_TARGET Target)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Options = Stack->Parameters.Create.Options, Disposition = Options >> 24;
    ACCESS_MASK Besides = 0;

    if (Disposition == FILE_SUPERSEDE) {
        Besides = DELETE;
    } else if (Disposition == FILE_OVERWRITE || Disposition == FILE_OVERWRITE_IF) {
        Besides = FILE_WRITE_DATA;
    }
    if (Besides != 0 && Target->Stream.Length == 0) {
        Besides |= FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES;
    }
    if ((Options & FILE_NO_EA_KNOWLEDGE) != 0 && NtfsNeedsEasLocked(Volume, Target->Id)) {
        return STATUS_ACCESS_DENIED;
    }
    return NtfsCheckOpenLocked(Volume, Irp, Target->Id, Target->Parent, Besides);
}

static NTSTATUS NtfsOpenExistingLocked(PNTFS_VOLUME Volume, PNTFS_OPENING Opening, PNTFS_TARGET Target)
{
    PIRP Irp = Opening->Irp;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    NTFS_FILE_FACTS Facts;
    NTSTATUS Status;

    Status = NtfsLibraryFileFacts(Volume->Library, Target->Id, &Facts);
    if (NT_SUCCESS(Status) && Irp->IoStatus.Information == FILE_OPENED) {
        Status = NtfsCheckKind(Stack, Target, &Facts);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Facts.ReparseTag != 0 && (Stack->Parameters.Create.Options & FILE_OPEN_REPARSE_POINT) == 0) {
        return NtfsMeetReparsePointLocked(Volume, Irp, Target->Id, Target->Unparsed);
    }
    if (Irp->IoStatus.Information == FILE_OPENED) {
        Status = NtfsCheckRightsLocked(Volume, Irp, Target);
    }
    if (NT_SUCCESS(Status) && Target->Stream.Length != 0) {
        Status = NtfsCreateStreamLocked(Volume, Stack, Target, &Irp->IoStatus.Information);
    }
    if (NT_SUCCESS(Status) && Irp->IoStatus.Information == FILE_OPENED) {
        Status = NtfsCheckDisposition(Volume, Stack, Target, &Facts);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    return NtfsOpenTargetLocked(Volume, Opening, Target, &Facts);
}

/*
 * The directory that the name is in, for a rename or a link: the last component need not be there, and
 * Information tells whether it is.
 */
static NTSTATUS NtfsOpenParentLocked(PNTFS_VOLUME Volume, PNTFS_OPENING Opening, PNTFS_TARGET Target, NTSTATUS Found)
{
    PIRP Irp = Opening->Irp;
    ULONG64 Directory = NT_SUCCESS(Found) ? Target->Parent : Target->Id;
    NTFS_FILE_FACTS Facts;
    NTSTATUS Status;

    if (Target->Stream.Length != 0 || (NT_SUCCESS(Found) && Target->Id == NTFS_ROOT_ID)) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    Irp->IoStatus.Information = NT_SUCCESS(Found) ? FILE_EXISTS : FILE_DOES_NOT_EXIST;
    Target->DirectoryWanted = FALSE; /* the backslash is the last component's */
    Status = NtfsLibraryFileFacts(Volume->Library, Directory, &Facts);
    if (NT_SUCCESS(Status)) {
        Status = NtfsPathOfIdLocked(Volume, Directory, Target);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsCheckOpenLocked(Volume, Opening->Irp, Directory, Target->Parent, 0);
    }
    return NT_SUCCESS(Status) ? NtfsOpenTargetLocked(Volume, Opening, Target, &Facts) : Status;
}

static VOID NtfsReportOpenLocked(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject, BOOLEAN Made, ULONG_PTR Done)
{
    PNTFS_LINK Link = ((PNTFS_HANDLE)FileObject->FsContext2)->Link;
    PNTFS_STREAM Stream = FileObject->FsContext;

    if (Made) {
        NtfsReportLocked(Volume, Link, NULL, NtfsNameFilter(Stream->File), FILE_ACTION_ADDED);
    }
    if (Done == FILE_CREATED && Stream->Name.Length != 0) {
        NtfsReportLocked(Volume, Link, Stream, FILE_NOTIFY_CHANGE_STREAM_NAME, FILE_ACTION_ADDED_STREAM);
    } else if (Done == FILE_OVERWRITTEN || Done == FILE_SUPERSEDED) {
        NtfsReportLocked(Volume, Link, Stream,
                         Stream->Name.Length != 0
                             ? FILE_NOTIFY_CHANGE_STREAM_SIZE | FILE_NOTIFY_CHANGE_STREAM_WRITE
                             : FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE,
                         Stream->Name.Length != 0 ? FILE_ACTION_MODIFIED_STREAM : FILE_ACTION_MODIFIED);
    }
}

/* The extended attributes that come with an open have to be a list of them. */
static NTSTATUS NtfsTakeEasOfOpen(PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG Wrong;

    if (Stack->Parameters.Create.EaLength == 0) {
        return STATUS_SUCCESS;
    }
    if ((Stack->Parameters.Create.Options & FILE_NO_EA_KNOWLEDGE) != 0) {
        return STATUS_ACCESS_DENIED;
    }
    return IoCheckEaBufferValidity(Irp->AssociatedIrp.SystemBuffer, Stack->Parameters.Create.EaLength, &Wrong);
}

/* The request's Information tells what was done. */
static NTSTATUS NtfsOpenFileLocked(PNTFS_VOLUME Volume, PNTFS_OPENING Opening)
{
    PIRP Irp = Opening->Irp;
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    BOOLEAN Made = FALSE;
    NTFS_TARGET Target;
    NTSTATUS Status;

    Status = NtfsTakeEasOfOpen(Irp);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = NtfsFindTargetLocked(Volume, Irp, &Target);
    if (Status == STATUS_REPARSE) {
        Status = NtfsMeetReparsePointLocked(Volume, Irp, Target.Id, Target.Unparsed);
        NtfsFreeTarget(&Target);
        return Status;
    }
    if ((Stack->Flags & SL_OPEN_TARGET_DIRECTORY) != 0 &&
        (NT_SUCCESS(Status) || (Status == STATUS_OBJECT_NAME_NOT_FOUND && Target.LastIsMissing))) {
        Status = NtfsOpenParentLocked(Volume, Opening, &Target, Status);
        NtfsFreeTarget(&Target);
        return Status;
    }
    if (Status == STATUS_OBJECT_NAME_NOT_FOUND && Target.LastIsMissing) {
        Status = NtfsCreateMissingLocked(Volume, Irp, &Target);
        Irp->IoStatus.Information = FILE_CREATED;
        Made = NT_SUCCESS(Status);
    }
    if (NT_SUCCESS(Status)) {
        Status = NtfsOpenExistingLocked(Volume, Opening, &Target);
        if (Made && !NT_SUCCESS(Status)) {
            NtfsUnmakeLocked(Volume, Target.Id);
        }
    }
    if (Status == STATUS_SUCCESS) {
        NtfsReportOpenLocked(Volume, Stack->FileObject, Made, Irp->IoStatus.Information);
    }
    NtfsFreeTarget(&Target);
    return Status;
}

static NTSTATUS NtfsCreateLocked(PNTFS_VOLUME Volume, PNTFS_OPENING Opening)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Opening->Irp);
    PFILE_OBJECT FileObject = Stack->FileObject;

    if (Volume->Dismounted) {
        return STATUS_VOLUME_DISMOUNTED;
    }
    if (Volume->LockHolder != NULL || Volume->RemovalPending) {
        return STATUS_ACCESS_DENIED;
    }
    if (FileObject->FileName.Length == 0 &&
        (FileObject->RelatedFileObject == NULL || NtfsStreamOf(FileObject->RelatedFileObject) == NULL)) {
        return NtfsOpenVolumeLocked(Volume, Stack);
    }
    return NtfsOpenFileLocked(Volume, Opening);
}

/* An open that was made and could not be carried through.  Without the lock. */
static VOID NtfsUndoOpen(PNTFS_STREAM Stream, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PNTFS_HANDLE Handle = FileObject->FsContext2;
    PNTFS_STREAM Free;

    NtfsLockLibrary();
    NtfsBackOutLocked(Stream, Irp);
    IoRemoveShareAccess(FileObject, &Stream->ShareAccess);
    Stream->Handles--;
    Handle->Link->Handles--;
    NtfsDereferenceLinkLocked(Handle->Link);
    NtfsFreeHandle(Handle);
    FileObject->FsContext = NULL;
    FileObject->FsContext2 = NULL;
    FileObject->SectionObjectPointer = NULL;
    Free = NtfsDereferenceStreamLocked(Stream);
    NtfsUnlockLibrary();
    if (Free != NULL) {
        NtfsFreeStream(Free);
    }
}

/* The request's Information tells what was done. */
static NTSTATUS NtfsCreateOverwriting(PNTFS_VOLUME Volume, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_STREAM Stream = NtfsStreamOf(Stack->FileObject);
    NTSTATUS Status;

    if (Stream == NULL || Irp->IoStatus.Information != FILE_OPENED || !NtfsIsOverwriting(Stack)) {
        return STATUS_SUCCESS;
    }
    Status = NtfsOverwrite(Volume, Stream, Irp);
    if (NT_SUCCESS(Status)) {
        Irp->IoStatus.Information =
            Stack->Parameters.Create.Options >> 24 == FILE_SUPERSEDE ? FILE_SUPERSEDED : FILE_OVERWRITTEN;
        NtfsLockLibrary();
        NtfsReportOpenLocked(Volume, Stack->FileObject, FALSE, Irp->IoStatus.Information);
        NtfsUnlockLibrary();
    } else {
        NtfsUndoOpen(Stream, Irp);
    }
    return Status;
}

/* What an open for writing through has made or overwritten is on the medium; else nobody has it open. */
static NTSTATUS NtfsSettleOpen(PNTFS_VOLUME Volume, PIRP Irp)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;
    PNTFS_STREAM Stream = NtfsStreamOf(FileObject);
    NTSTATUS Status;

    if (Stream == NULL || Irp->IoStatus.Information == FILE_OPENED) {
        return STATUS_SUCCESS;
    }
    Status = NtfsSettleFile(Volume, FileObject, STATUS_SUCCESS);
    if (!NT_SUCCESS(Status)) {
        NtfsUndoOpen(Stream, Irp);
    }
    return Status;
}

/* PASSIVE_LEVEL. */
NTSTATUS NtfsOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp, BOOLEAN HandleBroken)
{
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    NTFS_OPENING Opening = {.Irp = Irp, .HandleBroken = HandleBroken};
    NTSTATUS Status;

    Irp->IoStatus.Information = FILE_OPENED;
    NtfsLockLibrary();
    Status = NtfsCreateLocked(Volume, &Opening);
    NtfsUnlockLibrary();
    if (Opening.Free != NULL) {
        NtfsFreeStream(Opening.Free);
    }
    if (Opening.Waits) {
        return STATUS_PENDING;
    }
    if (Status == STATUS_SUCCESS) {
        Status = NtfsCreateOverwriting(Volume, Irp);
    }
    if (Status == STATUS_SUCCESS) {
        Status = NtfsSettleOpen(Volume, Irp);
    }
    if (Status == STATUS_VOLUME_DISMOUNTED) {
        NtfsDeleteVolumeIfUnused(Volume, 1); /* this open held it */
    }
    if (Opening.InProgress && NT_SUCCESS(Status)) {
        Status = STATUS_OPLOCK_BREAK_IN_PROGRESS;
    }
    return NtfsComplete(Irp, Status, NT_SUCCESS(Status) || Opening.InProgress ? Irp->IoStatus.Information : 0);
}

/* PASSIVE_LEVEL. */
NTSTATUS NTAPI NtfsCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    if (!((PNTFS_VOLUME)DeviceObject->DeviceExtension)->IsVolume) {
        return NtfsComplete(Irp, STATUS_SUCCESS, FILE_OPENED); /* the file system itself, as filters do */
    }
    return NtfsOpen(DeviceObject, Irp, FALSE);
}
