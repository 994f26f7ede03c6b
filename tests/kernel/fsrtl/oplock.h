/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oplock.h: an oplock, three files, and the requests that the tests of oplocks make of it.  INITGUID is the includer's to define.
 */
#ifndef TESTS_KERNEL_OPLOCK_H
#define TESTS_KERNEL_OPLOCK_H

#include <ntifs.h>

#include <fltvm.h>
#include "../../inc/threads.h"

#define TAG        'lpOT'
#define KINDS      8
#define NO_KIND    KINDS
#define ALL_SHARES (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* In the order of the tables below. */
static const struct {
    ULONG Code, Level;
} Kinds[KINDS] = {
    {FSCTL_REQUEST_OPLOCK_LEVEL_1, 0},
    {FSCTL_REQUEST_OPLOCK_LEVEL_2, 0},
    {FSCTL_REQUEST_BATCH_OPLOCK, 0},
    {FSCTL_REQUEST_FILTER_OPLOCK, 0},
    {FSCTL_REQUEST_OPLOCK, OPLOCK_LEVEL_CACHE_READ},
    {FSCTL_REQUEST_OPLOCK, OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_HANDLE},
    {FSCTL_REQUEST_OPLOCK, OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_WRITE},
    {FSCTL_REQUEST_OPLOCK, OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_WRITE | OPLOCK_LEVEL_CACHE_HANDLE},
};
enum { L1, L2, BATCH, FILTER, R, RH, RW, RWH };

typedef struct _REQUEST {
    PIRP Irp;
    NTSTATUS Status; /* what the routine returned */
    BOOLEAN Done;
    union {
        REQUEST_OPLOCK_INPUT_BUFFER Input;
        REQUEST_OPLOCK_OUTPUT_BUFFER Output;
        FILE_DISPOSITION_INFORMATION Disposition;
    } Buffer;
    IO_SECURITY_CONTEXT Security;
} REQUEST, *PREQUEST;

static OPLOCK Oplock;
static FILE_OBJECT A, B, C; /* B has A's key, C its own */
static PDEVICE_OBJECT Device;
static ULONG Posted, Resumed, Wrong;
static NTSTATUS ResumedWith;

static NTSTATUS NTAPI Keep(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    ((PREQUEST)Context)->Done = TRUE;
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PREQUEST New(UCHAR Major, PFILE_OBJECT File)
{
    PREQUEST Request = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Request), TAG);
    PIO_STACK_LOCATION Stack;

    RtlZeroMemory(Request, sizeof(*Request));
    Request->Irp = IoAllocateIrp(2, FALSE);
    IoSetNextIrpStackLocation(Request->Irp);
    IoGetCurrentIrpStackLocation(Request->Irp)->DeviceObject = Device;
    IoSetCompletionRoutine(Request->Irp, Keep, Request, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Request->Irp);
    Stack = IoGetCurrentIrpStackLocation(Request->Irp);
    Stack->MajorFunction = Major;
    Stack->DeviceObject = Device;
    Stack->FileObject = File;
    Request->Irp->AssociatedIrp.SystemBuffer = &Request->Buffer;
    Request->Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    return Request;
}

static VOID Free(PREQUEST Request)
{
    IoFreeIrp(Request->Irp);
    ExFreePoolWithTag(Request, TAG);
}

static PREQUEST Control(PFILE_OBJECT File, ULONG Code, ULONG InputFlags, ULONG Level)
{
    PREQUEST Request = New(IRP_MJ_FILE_SYSTEM_CONTROL, File);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Request->Irp);

    Stack->MinorFunction = IRP_MN_USER_FS_REQUEST;
    Stack->Parameters.FileSystemControl.FsControlCode = Code;
    Stack->Parameters.FileSystemControl.InputBufferLength = sizeof(Request->Buffer.Input);
    Stack->Parameters.FileSystemControl.OutputBufferLength = sizeof(Request->Buffer.Output);
    Request->Buffer.Input.StructureVersion = REQUEST_OPLOCK_CURRENT_VERSION;
    Request->Buffer.Input.StructureLength = sizeof(Request->Buffer.Input);
    Request->Buffer.Input.Flags = InputFlags;
    Request->Buffer.Input.RequestedOplockLevel = Level;
    return Request;
}

static PREQUEST AskCounted(PFILE_OBJECT File, ULONG Kind, ULONG OpenCount, ULONG Flags)
{
    PREQUEST Request = Control(File, Kinds[Kind].Code, REQUEST_OPLOCK_INPUT_FLAG_REQUEST, Kinds[Kind].Level);

    Request->Status = FsRtlOplockFsctrlEx(&Oplock, Request->Irp, OpenCount, Flags);
    return Request;
}

/* As the only handle, and without byte-range locks. */
static PREQUEST Ask(PFILE_OBJECT File, ULONG Kind)
{
    return AskCounted(File, Kind, Kind == L2 || Kind == R || Kind == RH ? 0 : 1, 0);
}

/* What came of an acknowledgement; a request that stays pending is *Held's. */
static NTSTATUS Acknowledge(PFILE_OBJECT File, ULONG Code, ULONG Level, PREQUEST *Held)
{
    PREQUEST Request = Control(File, Code, REQUEST_OPLOCK_INPUT_FLAG_ACK, Level);
    NTSTATUS Status = FsRtlOplockFsctrl(&Oplock, Request->Irp, 0);

    if (Held != NULL)
        *Held = Request;
    else
        Free(Request);
    return Status;
}

static VOID NTAPI OnPost(PVOID Context, PIRP Irp)
{
    Posted++;
    FvCheck(Context == &Posted && Irp != NULL && Resumed == 0);
}

static VOID NTAPI OnResume(PVOID Context, PIRP Irp)
{
    Resumed++;
    ResumedWith = Irp->IoStatus.Status;
    if (Context != &Posted)
        Wrong++;
}

static PREQUEST Open(PFILE_OBJECT File, ACCESS_MASK Access, USHORT Share, ULONG Options, ULONG Disposition)
{
    PREQUEST Request = New(IRP_MJ_CREATE, File);
    PIO_STACK_LOCATION Stack = IoGetCurrentIrpStackLocation(Request->Irp);

    Request->Security.DesiredAccess = Access;
    Stack->Parameters.Create.SecurityContext = &Request->Security;
    Stack->Parameters.Create.Options = Options | Disposition << 24;
    Stack->Parameters.Create.ShareAccess = Share;
    return Request;
}

static PREQUEST Set(PFILE_OBJECT File, FILE_INFORMATION_CLASS Class)
{
    PREQUEST Request = New(IRP_MJ_SET_INFORMATION, File);

    IoGetCurrentIrpStackLocation(Request->Irp)->Parameters.SetFile.FileInformationClass = Class;
    Request->Buffer.Disposition.DeleteFile = TRUE;
    return Request;
}

/* ---- operations ------------------------------------------------------------------------------------------
 */

static PREQUEST Operation(ULONG Which, PFILE_OBJECT File)
{
    switch (Which) {
    case 0: return Open(File, FILE_READ_DATA, ALL_SHARES, 0, FILE_OPEN);
    case 1: return Open(File, FILE_WRITE_DATA, ALL_SHARES, 0, FILE_OVERWRITE_IF);
    case 2: return Open(File, FILE_READ_ATTRIBUTES | SYNCHRONIZE, ALL_SHARES, 0, FILE_OPEN);
    case 3: return Open(File, FILE_WRITE_DATA, 0, 0, FILE_OPEN);
    case 4: return Open(File, FILE_READ_ATTRIBUTES, ALL_SHARES, FILE_RESERVE_OPFILTER, FILE_OPEN);
    case 5: return Open(File, READ_CONTROL, ALL_SHARES, 0, FILE_OPEN);
    case 6: return New(IRP_MJ_READ, File);
    case 7: return New(IRP_MJ_WRITE, File);
    case 8: return New(IRP_MJ_LOCK_CONTROL, File);
    case 9: return Set(File, FileEndOfFileInformation);
    case 10: return Set(File, FileRenameInformation);
    case 11: return Set(File, FileDispositionInformation);
    case 12: return Control(File, FSCTL_SET_ZERO_DATA, 0, 0);
    case 13: return New(IRP_MJ_FLUSH_BUFFERS, File);
    case 14:
    case 15: return New(IRP_MJ_READ, File);
    case 16: return New(IRP_MJ_SET_SECURITY, File);
    case 17: return Set(File, FileBasicInformation);
    case 18: return Control(File, FSCTL_GET_REPARSE_POINT, 0, 0);
    case 19: return New(IRP_MJ_WRITE, File); /* the parent's oplock */
    default: return NULL;
    }
}

/*
 * What becomes of level 1, level 2, batch, filter, R, RH, RW, RWH:
 *   .  nothing                               n  none, and no acknowledgement
 *   k  none, acknowledged but not waited for N  none     2  level 2     R  R     H  RH     W  RW: all waited for
 */
static const CHAR *const Effects[] = {
    "2.2...RH", /* opened for reading */
    "NnNNnkNN", /* overwritten */
    "........", /* opened for its attributes */
    "2.2N..RH", /* opened for writing, readers not let in */
    "NnNNnkNN", /* a filter oplock reserved */
    "2.2.....", /* opened for its security */
    "2.2...RH", /* read */
    "NnNNnkNN", /* written */
    "NnN.nkNk", /* bytes locked */
    "NnNNnkNN", /* another size */
    "..NN.R.W", /* renamed */
    ".....R.W", /* deleted */
    "NnNNnkNN", /* zeroed */
    "2.2...RH", /* flushed */
    ".....R.W", /* FsRtlOplockBreakH */
    "NnNNnNNN", /* FsRtlOplockBreakToNoneEx */
    ".....R.W", /* another security descriptor */
    "........", /* other information */
    "........", /* another control */
    "....nkNN", /* something in the directory */
};

static NTSTATUS Operate(ULONG Which, PREQUEST Request, ULONG Flags, BOOLEAN Waits)
{
    POPLOCK_WAIT_COMPLETE_ROUTINE Resume = Waits ? OnResume : NULL;
    POPLOCK_FS_PREPOST_IRP Post = Waits ? OnPost : NULL;

    if (Which == 14)
        return FsRtlOplockBreakH(&Oplock, Request->Irp, Flags, &Posted, Resume, Post);
    if (Which == 15)
        return FsRtlOplockBreakToNoneEx(&Oplock, Request->Irp, Flags, &Posted, Resume, Post);
    if (Which == 19)
        Flags |= OPLOCK_FLAG_PARENT_OBJECT;
    return FsRtlCheckOplockEx(&Oplock, Request->Irp, Flags, &Posted, Resume, Post);
}

/* The file's open brings a key. */
static VOID GiveKey(PFILE_OBJECT File, UCHAR Byte)
{
    GUID Key = {Byte, 0, 0, {0}};
    PREQUEST Request = Open(File, FILE_READ_DATA, ALL_SHARES, 0, FILE_OPEN);
    PDUAL_OPLOCK_KEY_ECP_CONTEXT Dual = NULL;
    POPLOCK_KEY_ECP_CONTEXT Single = NULL;
    PECP_LIST List = NULL;
    PVOID Context;

    FsRtlAllocateExtraCreateParameterList(0, &List);
    if (File == &A) {
        FsRtlAllocateExtraCreateParameter(&GUID_ECP_DUAL_OPLOCK_KEY, sizeof(*Dual), 0, NULL, TAG, (PVOID *)&Dual);
        RtlZeroMemory(Dual, sizeof(*Dual));
        Dual->TargetOplockKey = Key;
        Dual->TargetOplockKeySet = TRUE;
        Context = Dual;
    } else {
        FsRtlAllocateExtraCreateParameter(&GUID_ECP_OPLOCK_KEY, sizeof(*Single), 0, NULL, TAG, (PVOID *)&Single);
        RtlZeroMemory(Single, sizeof(*Single));
        Single->OplockKey = Key;
        Context = Single;
    }
    FsRtlInsertExtraCreateParameter(List, Context);
    FvCheck(NT_SUCCESS(FsRtlSetEcpListIntoIrp(Request->Irp, List)));
    FvCheck(IoGetOplockKeyContextEx(File) == NULL && IoGetOplockKeyContext(File) == NULL);
    FvCheck(FsRtlCheckOplockEx(&Oplock, Request->Irp, OPLOCK_FLAG_OPLOCK_KEY_CHECK_ONLY, NULL, NULL, NULL) ==
            STATUS_SUCCESS);
    FvCheck(FsRtlIsEcpAcknowledged(Context) && IoGetOplockKeyContextEx(File) != NULL &&
            IoGetOplockKeyContextEx(File)->Flags == OPLOCK_KEY_FLAG_TARGET_KEY &&
            IoGetOplockKeyContextEx(File)->Version ==
                (File == &A ? OPLOCK_KEY_VERSION_WIN8 : OPLOCK_KEY_VERSION_WIN7) &&
            IsEqualGUID(&IoGetOplockKeyContext(File)->OplockKey, &Key));
    IoClearIrpExtraCreateParameter(Request->Irp);
    FsRtlFreeExtraCreateParameterList(List);
    Free(Request);
}

/* The device that requests belong to, and the files' keys. */
static BOOLEAN Prepare(PDRIVER_OBJECT DriverObject)
{
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return FALSE;
    GiveKey(&A, 7);
    GiveKey(&B, 7);
    GiveKey(&C, 8);
    return TRUE;
}

#endif
