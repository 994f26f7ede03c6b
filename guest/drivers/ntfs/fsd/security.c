/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors: IRP_MJ_QUERY_SECURITY and IRP_MJ_SET_SECURITY, who may open what, and what new files are given.
 *
 * The kernel's own opens are not asked, unless they say so (SL_FORCE_ACCESS_CHECK).
 */
#include "ntfs.h"

/* Self-relative, in pool that ExFreePool frees. */
static NTSTATUS NtfsReadSecurityLocked(PNTFS_VOLUME Volume, ULONG64 Id, PSECURITY_DESCRIPTOR *Descriptor)
{
    uint32_t Size = 0;
    NTSTATUS Status = NtfsLibraryReadPart(Volume->Library, Id, NtfsPartSecurity, NULL, &Size);

    *Descriptor = NULL;
    if (NT_SUCCESS(Status)) {
        return STATUS_FILE_CORRUPT_ERROR;
    }
    /* The library makes one up where there is none, also for a disk that errs: the next time it may be longer. */
    while (Status == STATUS_BUFFER_TOO_SMALL) {
        if (*Descriptor != NULL) {
            ExFreePool(*Descriptor);
        }
        *Descriptor = ExAllocatePoolWithTag(PagedPool, Size, NTFS_TAG_FILE);
        if (*Descriptor == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        Status = NtfsLibraryReadPart(Volume->Library, Id, NtfsPartSecurity, *Descriptor, &Size);
    }
    if (NT_SUCCESS(Status) && !RtlValidRelativeSecurityDescriptor(*Descriptor, Size, 0)) {
        Status = STATUS_FILE_CORRUPT_ERROR;
    }
    if (!NT_SUCCESS(Status) && *Descriptor != NULL) {
        ExFreePool(*Descriptor);
        *Descriptor = NULL;
    }
    return Status;
}

static NTSTATUS NtfsWriteSecurityLocked(PNTFS_VOLUME Volume, ULONG64 Id, PSECURITY_DESCRIPTOR Descriptor)
{
    return NtfsLibraryWritePart(Volume->Library, Id, NtfsPartSecurity, Descriptor,
                                RtlLengthSecurityDescriptor(Descriptor));
}

/* ---- opens ---- */

BOOLEAN NtfsIsChecked(PIRP Irp)
{
    return Irp->RequestorMode != KernelMode || (IoGetCurrentIrpStackLocation(Irp)->Flags & SL_FORCE_ACCESS_CHECK) != 0;
}

/*
 * What of Wanted the descriptor grants, all or nothing; for MAXIMUM_ALLOWED what it has.  STATUS_ACCESS_DENIED, or why the descriptor
 * cannot be read.
 */
static NTSTATUS NtfsAskLocked(PNTFS_VOLUME Volume, ULONG64 Id, PACCESS_STATE State, ACCESS_MASK Wanted,
                              PACCESS_MASK Granted)
{
    PSECURITY_DESCRIPTOR Descriptor;
    PPRIVILEGE_SET Privileges = NULL;
    NTSTATUS Status = NtfsReadSecurityLocked(Volume, Id, &Descriptor), Answer;

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (!SeAccessCheck(Descriptor, &State->SubjectSecurityContext, FALSE, Wanted, 0, &Privileges,
                       IoGetFileObjectGenericMapping(), UserMode, Granted, &Answer)) {
        Status = STATUS_ACCESS_DENIED;
    }
    if (Privileges != NULL) {
        SeFreePrivileges(Privileges);
    }
    ExFreePool(Descriptor);
    return Status;
}

static BOOLEAN NtfsGrantsLocked(PNTFS_VOLUME Volume, ULONG64 Id, PACCESS_STATE State, ACCESS_MASK Wanted)
{
    ACCESS_MASK Granted;

    return NT_SUCCESS(NtfsAskLocked(Volume, Id, State, Wanted, &Granted));
}

/* Who backs up may read all, who restores may write all, and says so with the open. */
static ACCESS_MASK NtfsBackupAccess(PIRP Irp, PACCESS_STATE State)
{
    static const struct {
        ULONG Privilege;
        ACCESS_MASK Access;
    } Rights[] = {
        {SE_BACKUP_PRIVILEGE, READ_CONTROL | ACCESS_SYSTEM_SECURITY | FILE_GENERIC_READ | FILE_TRAVERSE},
        {SE_RESTORE_PRIVILEGE, WRITE_DAC | WRITE_OWNER | ACCESS_SYSTEM_SECURITY | FILE_GENERIC_WRITE | FILE_ADD_FILE |
                                   FILE_ADD_SUBDIRECTORY | DELETE},
    };
    ACCESS_MASK Access = 0;

    if ((IoGetCurrentIrpStackLocation(Irp)->Parameters.Create.Options & FILE_OPEN_FOR_BACKUP_INTENT) == 0) {
        return 0;
    }
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Rights); Index++) {
        PRIVILEGE_SET Set = {.PrivilegeCount = 1, .Control = PRIVILEGE_SET_ALL_NECESSARY};

        Set.Privilege[0].Luid = RtlConvertUlongToLuid(Rights[Index].Privilege);
        if (SePrivilegeCheck(&Set, &State->SubjectSecurityContext, UserMode)) {
            Access |= Rights[Index].Access;
        }
    }
    return Access;
}

static BOOLEAN NtfsHasOfBackup(PIRP Irp, ACCESS_MASK Access)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);

    return !NtfsIsChecked(Irp) ||
           (NtfsBackupAccess(Irp, Stack->Parameters.Create.SecurityContext->AccessState) & Access) != 0;
}

/* DELETE among what backing up grants is the restorer's alone, and reading the other's. */
BOOLEAN NtfsMayRestore(PIRP Irp)
{
    return NtfsHasOfBackup(Irp, DELETE);
}

BOOLEAN NtfsMayBackup(PIRP Irp)
{
    return NtfsHasOfBackup(Irp, FILE_READ_DATA);
}

/* Notes what is granted: the I/O manager's handle has it. */
static VOID NtfsGrant(PIO_STACK_LOCATION Stack, PACCESS_STATE State, ACCESS_MASK Granted)
{
    State->PreviouslyGrantedAccess |= Granted;
    State->RemainingDesiredAccess &= ~Granted;
    Stack->Parameters.Create.SecurityContext->DesiredAccess =
        State->PreviouslyGrantedAccess | State->RemainingDesiredAccess;
}

/* A file that is there: by its descriptor; deletion and attributes also by its directory's. */
NTSTATUS NtfsCheckOpenLocked(PNTFS_VOLUME Volume, PIRP Irp, ULONG64 Id, ULONG64 Parent, ACCESS_MASK Besides)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PACCESS_STATE State = Stack->Parameters.Create.SecurityContext->AccessState;
    ACCESS_MASK Wanted, Backup;

    if (!NtfsIsChecked(Irp)) {
        return STATUS_SUCCESS;
    }
    Backup = NtfsBackupAccess(Irp, State);
    NtfsGrant(Stack, State, State->RemainingDesiredAccess & Backup);
    Wanted = State->RemainingDesiredAccess | (Besides & ~Backup);
    if (Wanted == 0) {
        return STATUS_SUCCESS;
    }
    if ((Wanted & DELETE) != 0 && !NtfsGrantsLocked(Volume, Id, State, DELETE) &&
        NtfsGrantsLocked(Volume, Parent, State, FILE_DELETE_CHILD)) {
        NtfsGrant(Stack, State, DELETE);
        Wanted &= ~DELETE;
    }
    if ((Wanted & FILE_READ_ATTRIBUTES) != 0 && !NtfsGrantsLocked(Volume, Id, State, FILE_READ_ATTRIBUTES) &&
        NtfsGrantsLocked(Volume, Parent, State, FILE_LIST_DIRECTORY)) {
        NtfsGrant(Stack, State, FILE_READ_ATTRIBUTES);
        Wanted &= ~FILE_READ_ATTRIBUTES;
    }
    if (Wanted != 0) {
        ACCESS_MASK Granted;
        NTSTATUS Status = NtfsAskLocked(Volume, Id, State, Wanted, &Granted);

        /* As much as possible may be what backing up grants. */
        if (Status == STATUS_ACCESS_DENIED && Wanted == MAXIMUM_ALLOWED && State->PreviouslyGrantedAccess != 0) {
            Granted = 0;
            Status = STATUS_SUCCESS;
        }
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
        Granted &= ~(Besides & ~State->RemainingDesiredAccess) |
                   (State->RemainingDesiredAccess & MAXIMUM_ALLOWED ? Besides : 0);
        State->RemainingDesiredAccess &= ~MAXIMUM_ALLOWED;
        NtfsGrant(Stack, State, Granted);
    }
    return STATUS_SUCCESS;
}

/* Whether something may come into the directory; its maker has all rights to it. */
NTSTATUS NtfsCheckCreateLocked(PNTFS_VOLUME Volume, PIRP Irp, ULONG64 Directory, BOOLEAN IsDirectory)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PACCESS_STATE State = Stack->Parameters.Create.SecurityContext->AccessState;
    ACCESS_MASK Wanted = IsDirectory ? FILE_ADD_SUBDIRECTORY : FILE_ADD_FILE, Granted;
    NTSTATUS Status;

    if (!NtfsIsChecked(Irp)) {
        return STATUS_SUCCESS;
    }
    if ((NtfsBackupAccess(Irp, State) & Wanted) == 0) {
        Status = NtfsAskLocked(Volume, Directory, State, Wanted, &Granted);
        if (!NT_SUCCESS(Status)) {
            return Status;
        }
    }
    Granted = (State->RemainingDesiredAccess & MAXIMUM_ALLOWED) != 0 ? FILE_ALL_ACCESS : State->RemainingDesiredAccess;
    State->RemainingDesiredAccess &= ~MAXIMUM_ALLOWED;
    NtfsGrant(Stack, State, Granted);
    return STATUS_SUCCESS;
}

/* Whether the way through a directory is open; who has the privilege to pass is not asked. */
NTSTATUS NtfsCheckTraverseLocked(PNTFS_VOLUME Volume, PACCESS_STATE State, ULONG64 Directory)
{
    PRIVILEGE_SET Set = {.PrivilegeCount = 1, .Control = PRIVILEGE_SET_ALL_NECESSARY};
    ACCESS_MASK Granted;

    Set.Privilege[0].Luid = SeExports->SeChangeNotifyPrivilege;
    if ((State->Flags & TOKEN_HAS_TRAVERSE_PRIVILEGE) != 0 ||
        SePrivilegeCheck(&Set, &State->SubjectSecurityContext, UserMode)) {
        return STATUS_SUCCESS;
    }
    return NtfsAskLocked(Volume, Directory, State, FILE_TRAVERSE, &Granted);
}

/* A new file's descriptor: what its maker asks for, and what it inherits. */
NTSTATUS NtfsAssignSecurityLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack, ULONG64 Directory, ULONG64 Id,
                                  BOOLEAN IsDirectory)
{
    PACCESS_STATE State = Stack->Parameters.Create.SecurityContext->AccessState;
    PSECURITY_DESCRIPTOR Parent, New = NULL;
    NTSTATUS Status = NtfsReadSecurityLocked(Volume, Directory, &Parent);

    if (!NT_SUCCESS(Status) || State == NULL) {
        return STATUS_SUCCESS; /* the library's own stays */
    }
    Status = SeAssignSecurity(Parent, State->SecurityDescriptor, &New, IsDirectory, &State->SubjectSecurityContext,
                              IoGetFileObjectGenericMapping(), PagedPool);
    if (NT_SUCCESS(Status)) {
        Status = NtfsWriteSecurityLocked(Volume, Id, New);
        SeDeassignSecurity(&New);
    }
    ExFreePool(Parent);
    return Status;
}

/* ---- requests ---- */

static NTSTATUS NtfsQuerySecurityLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PULONG Length)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    SECURITY_INFORMATION Information = Stack->Parameters.QuerySecurity.SecurityInformation;
    PSECURITY_DESCRIPTOR Descriptor;
    NTSTATUS Status = NtfsReadSecurityLocked(Volume, Stream->File->Id, &Descriptor);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    *Length = Stack->Parameters.QuerySecurity.Length;
    __try {
        Status = SeQuerySecurityDescriptorInfo(&Information, Irp->UserBuffer, Length, &Descriptor);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    ExFreePool(Descriptor);
    return Status == STATUS_BUFFER_TOO_SMALL ? STATUS_BUFFER_OVERFLOW : Status;
}

static NTSTATUS NtfsSetSecurityLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack)
{
    SECURITY_INFORMATION Information = Stack->Parameters.SetSecurity.SecurityInformation;
    PSECURITY_DESCRIPTOR Old, New;
    NTSTATUS Status;

    if (Volume->Facts.ReadOnly) {
        return STATUS_MEDIA_WRITE_PROTECTED;
    }
    Status = NtfsReadSecurityLocked(Volume, Stream->File->Id, &Old);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    New = Old;
    Status = SeSetSecurityDescriptorInfo(NULL, &Information, Stack->Parameters.SetSecurity.SecurityDescriptor, &New,
                                         PagedPool, IoGetFileObjectGenericMapping());
    if (NT_SUCCESS(Status)) {
        Status = NtfsWriteSecurityLocked(Volume, Stream->File->Id, New);
        ExFreePool(New);
    }
    if (NT_SUCCESS(Status)) {
        NtfsReportLocked(Volume, ((PNTFS_HANDLE)Stack->FileObject->FsContext2)->Link, NULL, FILE_NOTIFY_CHANGE_SECURITY,
                         FILE_ACTION_MODIFIED);
    }
    ExFreePool(Old);
    return Status;
}

/* PASSIVE_LEVEL, in the caller's context. */
NTSTATUS NTAPI NtfsSecurity(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Irp);
    PNTFS_VOLUME Volume = DeviceObject->DeviceExtension;
    PNTFS_STREAM Stream = Volume->IsVolume ? NtfsStreamOf(Stack->FileObject) : NULL;
    ULONG Length = 0;
    NTSTATUS Status;

    if (Stream == NULL) {
        return NtfsComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0); /* the volume's device has one of its own */
    }
    NtfsLockLibrary();
    Status = NtfsCheckUsable(Volume, Stream);
    if (!NT_SUCCESS(Status)) {
        Length = 0;
    } else if (Stack->MajorFunction == IRP_MJ_QUERY_SECURITY) {
        Status = NtfsQuerySecurityLocked(Volume, Stream, Irp, &Length);
    } else {
        Status = NtfsSetSecurityLocked(Volume, Stream, Stack);
    }
    NtfsUnlockLibrary();
    if (Stack->MajorFunction == IRP_MJ_SET_SECURITY) {
        Status = NtfsSettleFile(Volume, Stack->FileObject, Status);
    }
    return NtfsComplete(Irp, Status, NT_ERROR(Status) ? 0 : Length);
}
