/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mount points and symbolic links that a file system meets on the way of an open: the name that the open goes on with.
 *
 * The file system says STATUS_REPARSE with the tag, and hands the point's data over, with how much of the name is still behind it.  Another tag is somebody else's:
 * nobody having taken it, the open fails with STATUS_IO_REPARSE_TAG_NOT_HANDLED.
 */
#include "iop.h"

#define IOP_REPARSE_MAXIMUM  63
#define IOP_SYMLINK_RELATIVE 1

typedef struct _IOP_NEW_NAME {
    UNICODE_STRING Name; /* in pool */
    BOOLEAN Failed;      /* it would be too long */
} IOP_NEW_NAME, *PIOP_NEW_NAME;

static VOID IopAppendText(PIOP_NEW_NAME New, const WCHAR *Text, ULONG Length)
{
    if (Length > (ULONG)New->Name.MaximumLength - New->Name.Length) {
        New->Failed = TRUE;
        return;
    }
    RtlCopyMemory((PUCHAR)New->Name.Buffer + New->Name.Length, Text, Length);
    New->Name.Length += (USHORT)Length;
}

static VOID IopAppendComponents(PIOP_NEW_NAME New, USHORT Root, PCUNICODE_STRING Text)
{
    USHORT At = 0, End = Text->Length / sizeof(WCHAR);

    while (At < End) {
        USHORT Stop = At;

        while (Stop < End && Text->Buffer[Stop] != L'\\') {
            Stop++;
        }
        if (Stop - At == 2 && Text->Buffer[At] == L'.' && Text->Buffer[At + 1] == L'.') {
            while (New->Name.Length > Root && New->Name.Buffer[New->Name.Length / sizeof(WCHAR) - 1] != L'\\') {
                New->Name.Length -= sizeof(WCHAR);
            }
            if (New->Name.Length > Root) {
                New->Name.Length -= sizeof(WCHAR);
            }
        } else if (Stop > At && !(Stop - At == 1 && Text->Buffer[At] == L'.')) {
            IopAppendText(New, L"\\", sizeof(WCHAR));
            IopAppendText(New, Text->Buffer + At, (Stop - At) * sizeof(WCHAR));
        }
        At = Stop + 1;
    }
}

static NTSTATUS IopAppendDevice(PIOP_NEW_NAME New, PDEVICE_OBJECT DeviceObject)
{
    struct {
        OBJECT_NAME_INFORMATION Information;
        WCHAR Buffer[256];
    } Device;
    ULONG Length;
    NTSTATUS Status = ObQueryNameString(DeviceObject, &Device.Information, sizeof(Device), &Length);

    if (NT_SUCCESS(Status)) {
        IopAppendText(New, Device.Information.Name.Buffer, Device.Information.Name.Length);
    }
    return Status;
}

/* The path of the directory that the open began at. */
static NTSTATUS IopAppendRelated(PIOP_NEW_NAME New, USHORT Root, PFILE_OBJECT Related)
{
    ULONG Room = 0x10000, Length;
    PFILE_NAME_INFORMATION Path = ExAllocatePoolWithTag(NonPagedPoolNx, Room, IOP_TAG_NAME);
    UNICODE_STRING Text;
    NTSTATUS Status;

    if (Path == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = IopQueryUnlocked(Related, FileNameInformation, Room, Path, &Length);
    if (NT_SUCCESS(Status)) {
        Text = (UNICODE_STRING){(USHORT)Path->FileNameLength, (USHORT)Path->FileNameLength, Path->FileName};
        IopAppendComponents(New, Root, &Text);
    }
    ExFreePoolWithTag(Path, IOP_TAG_NAME);
    return Status;
}

/* A target that is told from where the link is: the link's directory, and the target's components. */
static NTSTATUS IopGraft(PIOP_NEW_NAME New, PFILE_OBJECT FileObject, PFILE_OBJECT Related, USHORT Unparsed,
                         PCUNICODE_STRING Target)
{
    UNICODE_STRING Link = FileObject->FileName;
    USHORT Root;
    NTSTATUS Status = IopAppendDevice(New, FileObject->DeviceObject);

    Root = New->Name.Length;
    if (NT_SUCCESS(Status) && Related != NULL) {
        Status = IopAppendRelated(New, Root, Related);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Link.Length -= Unparsed;
    while (Link.Length != 0 && Link.Buffer[Link.Length / sizeof(WCHAR) - 1] == L'\\') {
        Link.Length -= sizeof(WCHAR);
    }
    while (Link.Length != 0 && Link.Buffer[Link.Length / sizeof(WCHAR) - 1] != L'\\') {
        Link.Length -= sizeof(WCHAR);
    }
    IopAppendComponents(New, Root, &Link);
    IopAppendComponents(New, Root, Target);
    return STATUS_SUCCESS;
}

/* What the data has to say, as FsRtlValidateReparsePointBuffer asks it of who stores it; a damaged volume's may be anything. */
static BOOLEAN IopReparseTarget(PREPARSE_DATA_BUFFER Data, PUNICODE_STRING Target, PBOOLEAN Relative)
{
    BOOLEAN IsLink = Data->ReparseTag == IO_REPARSE_TAG_SYMLINK;
    ULONG Fixed = IsLink ? FIELD_OFFSET(REPARSE_DATA_BUFFER, SymbolicLinkReparseBuffer.PathBuffer)
                         : FIELD_OFFSET(REPARSE_DATA_BUFFER, MountPointReparseBuffer.PathBuffer);
    ULONG Length = FIELD_OFFSET(REPARSE_DATA_BUFFER, GenericReparseBuffer) + Data->ReparseDataLength;
    ULONG Start, Size;

    if (Length < Fixed) {
        return FALSE;
    }
    Start = Fixed + (IsLink ? Data->SymbolicLinkReparseBuffer.SubstituteNameOffset
                            : Data->MountPointReparseBuffer.SubstituteNameOffset);
    Size = IsLink ? Data->SymbolicLinkReparseBuffer.SubstituteNameLength
                  : Data->MountPointReparseBuffer.SubstituteNameLength;
    if (Size == 0 || Size % sizeof(WCHAR) != 0 || Start % sizeof(WCHAR) != 0 || Start > Length ||
        Size > Length - Start) {
        return FALSE;
    }
    *Target = (UNICODE_STRING){(USHORT)Size, (USHORT)Size, (PWCH)((PUCHAR)Data + Start)};
    *Relative = IsLink && (Data->SymbolicLinkReparseBuffer.Flags & IOP_SYMLINK_RELATIVE) != 0;
    return TRUE;
}

static NTSTATUS IopMakeNewName(PIOP_NEW_NAME New, PFILE_OBJECT FileObject, PFILE_OBJECT Related,
                               PREPARSE_DATA_BUFFER Data)
{
    USHORT Unparsed = Data->Reserved;
    UNICODE_STRING Target;
    BOOLEAN Relative;
    NTSTATUS Status = STATUS_SUCCESS;

    if (Unparsed > FileObject->FileName.Length || Unparsed % sizeof(WCHAR) != 0 ||
        !IopReparseTarget(Data, &Target, &Relative)) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    if (Relative) {
        Status = IopGraft(New, FileObject, Related, Unparsed, &Target);
    } else {
        if (Target.Length > sizeof(WCHAR) && Target.Buffer[Target.Length / sizeof(WCHAR) - 1] == L'\\') {
            Target.Length -= sizeof(WCHAR); /* the rest begins with one */
        }
        IopAppendText(New, Target.Buffer, Target.Length);
    }
    IopAppendText(New, FileObject->FileName.Buffer + (FileObject->FileName.Length - Unparsed) / sizeof(WCHAR),
                  Unparsed);
    return New->Failed ? STATUS_OBJECT_NAME_INVALID : Status;
}

/*
 * STATUS_REPARSE: CompleteName is what the open goes on with.  STATUS_REPARSE_POINT_NOT_RESOLVED: there were too many on the way.
 * PASSIVE_LEVEL.
 */
NTSTATUS IopFollowReparsePoint(PIOP_OPEN_PACKET Packet, PFILE_OBJECT FileObject, PREPARSE_DATA_BUFFER Data,
                               PUNICODE_STRING CompleteName)
{
    IOP_NEW_NAME New = {.Name = {0, 0xFFFE, NULL}};
    NTSTATUS Status;

    if (Data == NULL ||
        (Data->ReparseTag != IO_REPARSE_TAG_MOUNT_POINT && Data->ReparseTag != IO_REPARSE_TAG_SYMLINK)) {
        return STATUS_IO_REPARSE_TAG_NOT_HANDLED;
    }
    if (++Packet->Reparses > IOP_REPARSE_MAXIMUM) {
        return STATUS_REPARSE_POINT_NOT_RESOLVED;
    }
    New.Name.Buffer = ExAllocatePoolWithTag(PagedPool, New.Name.MaximumLength, 'mNbO'); /* the object manager's then */
    if (New.Name.Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Status = IopMakeNewName(&New, FileObject, Packet->RelatedFileObject, Data);
    if (!NT_SUCCESS(Status)) {
        ExFreePool(New.Name.Buffer);
        return Status;
    }
    if (CompleteName->Buffer != NULL) {
        ExFreePool(CompleteName->Buffer);
    }
    *CompleteName = New.Name;
    Packet->RelatedFileObject = NULL; /* the new name begins at the root */
    return STATUS_REPARSE;
}
