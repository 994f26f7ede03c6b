/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Oplocks of NTFS's streams, as owners and those who break them see them through handles. */
#define INITGUID
#include <ntifs.h>

#include <fltvm.h>
#include "../inc/threads.h"

#define ALL_SHARES (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define R          OPLOCK_LEVEL_CACHE_READ
#define RH         (OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_HANDLE)
#define RW         (OPLOCK_LEVEL_CACHE_READ | OPLOCK_LEVEL_CACHE_WRITE)
#define RWH        (RW | OPLOCK_LEVEL_CACHE_HANDLE)

/* A control that may stay pending. */
typedef struct _OWNER {
    HANDLE File, Event;
    IO_STATUS_BLOCK IoStatus;
    REQUEST_OPLOCK_INPUT_BUFFER Input;
    REQUEST_OPLOCK_OUTPUT_BUFFER Output;
} OWNER, *POWNER;

static NTSTATUS Open(PCWSTR Name, ACCESS_MASK Access, ULONG Share, ULONG Disposition, ULONG Options, PHANDLE File,
                     PULONG_PTR Information)
{
    IO_STATUS_BLOCK IoStatus = {.Information = 99};
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING String;
    NTSTATUS Status;

    RtlInitUnicodeString(&String, Name);
    InitializeObjectAttributes(&Attributes, &String, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    Status = ZwCreateFile(File, Access, &Attributes, &IoStatus, NULL, FILE_ATTRIBUTE_NORMAL, Share, Disposition,
                          Options, NULL, 0);
    if (Information != NULL)
        *Information = IoStatus.Information;
    return Status;
}

#define FILE_NAME L"\\Device\\HarddiskVolume1\\file"

static NTSTATUS Send(POWNER Owner, ULONG Code, ULONG Flags, ULONG Level)
{
    Owner->Input = (REQUEST_OPLOCK_INPUT_BUFFER){REQUEST_OPLOCK_CURRENT_VERSION, sizeof(Owner->Input), Level, Flags};
    RtlZeroMemory(&Owner->Output, sizeof(Owner->Output));
    Owner->IoStatus.Status = STATUS_PENDING;
    return ZwFsControlFile(Owner->File, Owner->Event, NULL, NULL, &Owner->IoStatus, Code, &Owner->Input,
                           sizeof(Owner->Input), &Owner->Output, sizeof(Owner->Output));
}

static NTSTATUS Request(POWNER Owner, ULONG Level)
{
    return Send(Owner, FSCTL_REQUEST_OPLOCK, REQUEST_OPLOCK_INPUT_FLAG_REQUEST, Level);
}

static NTSTATUS Keep(POWNER Owner, ULONG Level)
{
    return Send(Owner, FSCTL_REQUEST_OPLOCK, REQUEST_OPLOCK_INPUT_FLAG_ACK, Level);
}

static VOID Begin(POWNER Owner, ACCESS_MASK Access, ULONG Share, ULONG Options)
{
    RtlZeroMemory(Owner, sizeof(*Owner));
    FvCheck(NT_SUCCESS(ZwCreateEvent(&Owner->Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)));
    FvCheck(NT_SUCCESS(Open(FILE_NAME, Access, Share, FILE_OPEN, Options, &Owner->File, NULL)));
}

static VOID End(POWNER Owner)
{
    if (Owner->File != NULL)
        ZwClose(Owner->File);
    ZwClose(Owner->Event);
}

/* The owner is told: waits for it. */
static BOOLEAN Told(POWNER Owner)
{
    LARGE_INTEGER Second = {.QuadPart = -10000000};

    return ZwWaitForSingleObject(Owner->Event, FALSE, &Second) == STATUS_SUCCESS;
}

/* ---- one who opens in a thread, and may have to wait ---- */

typedef struct _OPENER {
    ACCESS_MASK Access;
    ULONG Share, Disposition, Options;
    NTSTATUS Status;
    ULONG_PTR Information;
    HANDLE File;
    PVOID Thread;
    volatile LONG Done;
} OPENER, *POPENER;

static VOID NTAPI OpenThread(PVOID Context)
{
    POPENER Opener = Context;

    Opener->Status = Open(FILE_NAME, Opener->Access, Opener->Share, Opener->Disposition, Opener->Options, &Opener->File,
                          &Opener->Information);
    InterlockedExchange(&Opener->Done, 1);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID StartOpener(POPENER Opener)
{
    Opener->File = NULL;
    Opener->Done = 0;
    Opener->Thread = StartThread(OpenThread, Opener);
}

/* It waits, until the owner says that it may go on. */
static BOOLEAN IsHeldUp(POPENER Opener)
{
    Sleep(30);
    return !Opener->Done;
}

static NTSTATUS Opened(POPENER Opener)
{
    JoinThread(Opener->Thread);
    return Opener->Status;
}

static VOID Close(POPENER Opener)
{
    if (NT_SUCCESS(Opener->Status) && Opener->File != NULL)
        ZwClose(Opener->File);
}

static VOID CheckLegacy(VOID)
{
    OPENER Opener = {FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, ALL_SHARES, FILE_OPEN,
                     FILE_SYNCHRONOUS_IO_NONALERT};
    UCHAR Byte = 7;
    LARGE_INTEGER Place = {.QuadPart = 0};
    IO_STATUS_BLOCK IoStatus;
    OWNER Owner;

    Begin(&Owner, FILE_READ_DATA, ALL_SHARES, 0);
    FvCheck(Send(&Owner, FSCTL_REQUEST_BATCH_OPLOCK, 0, 0) == STATUS_PENDING);
    StartOpener(&Opener);
    FvCheck(Told(&Owner) && Owner.IoStatus.Information == FILE_OPLOCK_BROKEN_TO_LEVEL_2 && IsHeldUp(&Opener));
    FvCheck(Send(&Owner, FSCTL_OPLOCK_BREAK_ACKNOWLEDGE, 0, 0) == STATUS_PENDING);
    FvCheck(Opened(&Opener) == STATUS_SUCCESS && Opener.Information == FILE_OPENED);
    FvCheck(Owner.IoStatus.Status == STATUS_PENDING);
    FvCheck(ZwWriteFile(Opener.File, NULL, NULL, NULL, &IoStatus, &Byte, 1, &Place, NULL) == STATUS_SUCCESS);
    FvCheck(Told(&Owner) && Owner.IoStatus.Status == STATUS_SUCCESS &&
            Owner.IoStatus.Information == FILE_OPLOCK_BROKEN_TO_NONE);
    /* An exclusive one is for the only handle, and never for one that waits for itself. */
    FvCheck(Send(&Owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 0, 0) == STATUS_OPLOCK_NOT_GRANTED);
    ZwClose(Owner.File);
    Owner.File = Opener.File;
    FvCheck(Send(&Owner, FSCTL_REQUEST_OPLOCK_LEVEL_1, 0, 0) == STATUS_OPLOCK_NOT_GRANTED);
    End(&Owner);
}

static VOID CheckNotWaiting(VOID)
{
    ULONG_PTR Information;
    OWNER Owner;
    HANDLE File;

    Begin(&Owner, FILE_READ_DATA, FILE_SHARE_READ, 0);
    FvCheck(Send(&Owner, FSCTL_REQUEST_BATCH_OPLOCK, 0, 0) == STATUS_PENDING);
    FvCheck(Open(FILE_NAME, FILE_READ_ATTRIBUTES, ALL_SHARES, FILE_OPEN, 0, &File, NULL) == STATUS_SUCCESS &&
            Owner.IoStatus.Status == STATUS_PENDING);
    ZwClose(File);
    FvCheck(Open(FILE_NAME, FILE_WRITE_DATA, ALL_SHARES, FILE_OPEN, FILE_OPEN_REQUIRING_OPLOCK, &File, NULL) ==
                STATUS_CANNOT_BREAK_OPLOCK &&
            Owner.IoStatus.Status == STATUS_PENDING);
    /* The break begins before shares are looked at. */
    FvCheck(Open(FILE_NAME, FILE_WRITE_DATA, ALL_SHARES, FILE_OPEN, FILE_COMPLETE_IF_OPLOCKED, &File, &Information) ==
                STATUS_SHARING_VIOLATION &&
            Information == FILE_OPBATCH_BREAK_UNDERWAY);
    FvCheck(Told(&Owner));
    FvCheck(Open(FILE_NAME, FILE_READ_DATA, ALL_SHARES, FILE_OPEN, FILE_COMPLETE_IF_OPLOCKED, &File, &Information) ==
                STATUS_OPLOCK_BREAK_IN_PROGRESS &&
            Information == FILE_OPENED);
    ZwClose(File);
    End(&Owner);
}

/* A handle that stands in the way is closed by its owner, or not. */
static VOID CheckHandles(VOID)
{
    OPENER Opener = {FILE_WRITE_DATA, ALL_SHARES, FILE_OPEN, 0};
    OWNER Owner;
    HANDLE File;

    Begin(&Owner, FILE_READ_DATA, FILE_SHARE_READ, 0);
    FvCheck(Request(&Owner, RWH) == STATUS_PENDING);
    StartOpener(&Opener);
    FvCheck(Told(&Owner) && Owner.Output.OriginalOplockLevel == RWH && Owner.Output.NewOplockLevel == RW &&
            Owner.Output.Flags ==
                (REQUEST_OPLOCK_OUTPUT_FLAG_ACK_REQUIRED | REQUEST_OPLOCK_OUTPUT_FLAG_MODES_PROVIDED) &&
            Owner.Output.AccessMode == FILE_WRITE_DATA && Owner.Output.ShareMode == ALL_SHARES && IsHeldUp(&Opener));
    ZwClose(Owner.File);
    FvCheck(Opened(&Opener) == STATUS_SUCCESS && Opener.Information == FILE_OPENED);
    Close(&Opener);
    /* It is kept: the violation is the opener's. */
    FvCheck(Open(FILE_NAME, FILE_READ_DATA, FILE_SHARE_READ, FILE_OPEN, 0, &Owner.File, NULL) == STATUS_SUCCESS);
    FvCheck(Request(&Owner, RH) == STATUS_PENDING);
    StartOpener(&Opener);
    FvCheck(Told(&Owner) && Owner.Output.NewOplockLevel == R && IsHeldUp(&Opener));
    FvCheck(Keep(&Owner, RH) == STATUS_PENDING);
    FvCheck(Opened(&Opener) == STATUS_SHARING_VIOLATION && Owner.IoStatus.Status == STATUS_PENDING);
    /* One that it shares with breaks nothing. */
    FvCheck(Open(FILE_NAME, FILE_READ_DATA, ALL_SHARES, FILE_OPEN, 0, &File, NULL) == STATUS_SUCCESS &&
            Owner.IoStatus.Status == STATUS_PENDING);
    ZwClose(File);
    /* The end of the handle. */
    ZwClose(Owner.File);
    Owner.File = NULL;
    FvCheck(Told(&Owner) && Owner.IoStatus.Status == STATUS_OPLOCK_HANDLE_CLOSED);
    End(&Owner);
}

static HANDLE ToDelete;
static volatile LONG Deleted;
static NTSTATUS DeleteStatus;

static VOID NTAPI DeleteThread(PVOID Context)
{
    FILE_DISPOSITION_INFORMATION Disposition = {TRUE};
    IO_STATUS_BLOCK IoStatus;

    UNREFERENCED_PARAMETER(Context);
    DeleteStatus =
        ZwSetInformationFile(ToDelete, &IoStatus, &Disposition, sizeof(Disposition), FileDispositionInformation);
    InterlockedExchange(&Deleted, 1);
    Disposition.DeleteFile = FALSE;
    ZwSetInformationFile(ToDelete, &IoStatus, &Disposition, sizeof(Disposition), FileDispositionInformation);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* A second handle's operations. */
static VOID CheckOperations(VOID)
{
    LARGE_INTEGER Place = {.QuadPart = 0};
    FILE_END_OF_FILE_INFORMATION Size = {.EndOfFile.QuadPart = 100};
    IO_STATUS_BLOCK IoStatus;
    OWNER Owner, Other;
    UCHAR Byte = 9;
    PVOID Thread;

    Begin(&Owner, FILE_READ_DATA, ALL_SHARES, 0);
    Begin(&Other, FILE_READ_DATA | FILE_WRITE_DATA | DELETE | SYNCHRONIZE, ALL_SHARES, FILE_SYNCHRONOUS_IO_NONALERT);
    FvCheck(Request(&Owner, RW) == STATUS_OPLOCK_NOT_GRANTED && Request(&Owner, RH) == STATUS_PENDING);
    FvCheck(Request(&Other, R) == STATUS_OPLOCK_NOT_GRANTED); /* it waits for its own requests */
    FvCheck(ZwReadFile(Other.File, NULL, NULL, NULL, &IoStatus, &Byte, 1, &Place, NULL) == STATUS_SUCCESS &&
            Owner.IoStatus.Status == STATUS_PENDING);
    /* A deletion wants the handle gone, and waits. */
    ToDelete = Other.File;
    Thread = StartThread(DeleteThread, NULL);
    FvCheck(Told(&Owner) && Owner.Output.NewOplockLevel == R);
    Sleep(30);
    FvCheck(Deleted == 0);
    FvCheck(Keep(&Owner, R) == STATUS_PENDING);
    JoinThread(Thread);
    FvCheck(Deleted == 1 && DeleteStatus == STATUS_SUCCESS && Owner.IoStatus.Status == STATUS_PENDING);
    /* A reader's goes with a write or another size, and nobody waits. */
    FvCheck(ZwWriteFile(Other.File, NULL, NULL, NULL, &IoStatus, &Byte, 1, &Place, NULL) == STATUS_SUCCESS);
    FvCheck(Told(&Owner) && Owner.Output.NewOplockLevel == 0 && Owner.Output.Flags == 0);
    FvCheck(Request(&Owner, R) == STATUS_PENDING);
    FvCheck(ZwSetInformationFile(Other.File, &IoStatus, &Size, sizeof(Size), FileEndOfFileInformation) ==
            STATUS_SUCCESS);
    FvCheck(Told(&Owner) && Owner.Output.NewOplockLevel == 0);
    End(&Other);
    End(&Owner);
}

static VOID CheckReserved(VOID)
{
    OWNER Owner;
    HANDLE File;

    Begin(&Owner, FILE_READ_ATTRIBUTES, ALL_SHARES, FILE_RESERVE_OPFILTER);
    FvCheck(Send(&Owner, FSCTL_REQUEST_FILTER_OPLOCK, 0, 0) == STATUS_PENDING);
    FvCheck(Open(FILE_NAME, FILE_READ_ATTRIBUTES, ALL_SHARES, FILE_OPEN, FILE_RESERVE_OPFILTER, &File, NULL) ==
            STATUS_OPLOCK_NOT_GRANTED);
    End(&Owner);
    Begin(&Owner, FILE_READ_DATA, ALL_SHARES, FILE_OPEN_REQUIRING_OPLOCK);
    FvCheck(Request(&Owner, RWH) == STATUS_PENDING);
    End(&Owner);
}

static VOID CheckDirectory(VOID)
{
    OWNER Owner;

    RtlZeroMemory(&Owner, sizeof(Owner));
    FvCheck(NT_SUCCESS(ZwCreateEvent(&Owner.Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)));
    FvCheck(Open(L"\\Device\\HarddiskVolume1\\", FILE_READ_DATA, ALL_SHARES, FILE_OPEN, FILE_DIRECTORY_FILE,
                 &Owner.File, NULL) == STATUS_SUCCESS);
    FvCheck(Request(&Owner, R) == STATUS_INVALID_PARAMETER &&
            Send(&Owner, FSCTL_REQUEST_OPLOCK_LEVEL_2, 0, 0) == STATUS_INVALID_PARAMETER);
    End(&Owner);
}

/* Two handles of one key do not break each other's. */
static VOID CheckKeys(VOID)
{
    GUID Key = {1, 2, 3, {4}};
    IO_DRIVER_CREATE_CONTEXT Context;
    PDUAL_OPLOCK_KEY_ECP_CONTEXT Ecp;
    IO_STATUS_BLOCK IoStatus;
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(FILE_NAME);
    PECP_LIST List;
    OWNER Owner, Other;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    FvCheck(NT_SUCCESS(FsRtlAllocateExtraCreateParameterList(0, &List)) &&
            NT_SUCCESS(FsRtlAllocateExtraCreateParameter(&GUID_ECP_DUAL_OPLOCK_KEY, sizeof(*Ecp), 0, NULL, 'lpOT',
                                                         (PVOID *)&Ecp)));
    RtlZeroMemory(Ecp, sizeof(*Ecp));
    Ecp->TargetOplockKey = Key;
    Ecp->TargetOplockKeySet = TRUE;
    FsRtlInsertExtraCreateParameter(List, Ecp);
    IoInitializeDriverCreateContext(&Context);
    Context.ExtraCreateParameter = List;
    RtlZeroMemory(&Owner, sizeof(Owner));
    RtlZeroMemory(&Other, sizeof(Other));
    ZwCreateEvent(&Owner.Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    ZwCreateEvent(&Other.Event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE);
    FvCheck(IoCreateFileEx(&Owner.File, FILE_READ_DATA, &Attributes, &IoStatus, NULL, 0, ALL_SHARES, FILE_OPEN, 0, NULL,
                           0, CreateFileTypeNone, NULL, 0, &Context) == STATUS_SUCCESS);
    FvCheck(Request(&Owner, RWH) == STATUS_PENDING);
    FsRtlPrepareToReuseEcp(Ecp);
    FvCheck(IoCreateFileEx(&Other.File, FILE_READ_DATA, &Attributes, &IoStatus, NULL, 0, ALL_SHARES, FILE_OPEN, 0, NULL,
                           0, CreateFileTypeNone, NULL, 0, &Context) == STATUS_SUCCESS);
    FvCheck(Owner.IoStatus.Status == STATUS_PENDING && FsRtlIsEcpAcknowledged(Ecp));
    FsRtlFreeExtraCreateParameterList(List);
    End(&Other);
    End(&Owner);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(62);
    CheckLegacy();
    CheckNotWaiting();
    CheckHandles();
    CheckOperations();
    CheckReserved();
    CheckDirectory();
    CheckKeys();
    return STATUS_SUCCESS;
}
