/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O that a filter makes itself.  A flush of the scenario's makes the upper of two filters check what the value
 * "Part" says; the lower one ("Part" 0) logs what comes to it, and completes reads of 1024 bytes.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static ULONG Part;
static PFLT_INSTANCE Instance;
static PFILE_OBJECT File;
static volatile LONG Calls;
static NTSTATUS LastStatus;
static ULONG_PTR LastInformation;
static PVOID LastContext;
static KIRQL LastIrql;
static KEVENT Done;
static PUCHAR Buffer;

static VOID NTAPI Completed(PFLT_CALLBACK_DATA Data, PFLT_CONTEXT Context)
{
    LastStatus = Data->IoStatus.Status;
    LastInformation = Data->IoStatus.Information;
    LastContext = Context;
    LastIrql = KeGetCurrentIrql();
    InterlockedIncrement(&Calls);
    KeSetEvent(&Done, 0, FALSE);
}

static VOID Describe(PFLT_CALLBACK_DATA Data, UCHAR Major, LONGLONG Offset, ULONG Length)
{
    Data->Iopb->MajorFunction = Major;
    Data->Iopb->IrpFlags = IRP_NOCACHE | (Major == IRP_MJ_READ ? IRP_READ_OPERATION : IRP_WRITE_OPERATION);
    Data->Iopb->Parameters.Read.Length = Length;
    Data->Iopb->Parameters.Read.ByteOffset.QuadPart = Offset;
    Data->Iopb->Parameters.Read.ReadBuffer = Buffer;
}

static PFLT_CALLBACK_DATA Allocate(FLT_ALLOCATE_CALLBACK_DATA_FLAGS Flags)
{
    PFLT_CALLBACK_DATA Data = NULL;

    FvCheck(FltAllocateCallbackDataEx(Instance, File, Flags, &Data) == STATUS_SUCCESS);
    return Data;
}

/* --- Callback data of one's own --- */

static VOID CheckData(VOID)
{
    PFLT_CALLBACK_DATA Data = NULL;

    FvCheck(FltAllocateCallbackData(Instance, File, &Data) == STATUS_SUCCESS);
    FvCheck(FLT_IS_IRP_OPERATION(Data) && FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO));
    FvCheck(Data->Iopb->TargetInstance == Instance && Data->Iopb->TargetFileObject == File);
    FvCheck(Data->Thread == PsGetCurrentThread() && Data->RequestorMode == KernelMode);
    FvCheck(!FltIsIoCanceled(Data) && !FltCancelIo(Data)); /* nothing is under way */
    Describe(Data, IRP_MJ_READ, 4096, 512);
    FltPerformSynchronousIo(Data);
    FvCheck(Data->IoStatus.Status == STATUS_SUCCESS && Data->IoStatus.Information == 512);
    FvCheck(Buffer[0] == 'B' && Buffer[511] == 'B');
    FvCheck(Data->Iopb->Parameters.Read.MdlAddress == NULL); /* what was made for it is gone */
    FltSetCallbackDataDirty(Data);
    FvCheck(FltIsCallbackDataDirty(Data));
    FltClearCallbackDataDirty(Data);
    FvCheck(!FltIsCallbackDataDirty(Data));
    FltReuseCallbackData(Data);
    FvCheck(Data->Iopb->TargetInstance == Instance && Data->Iopb->TargetFileObject == File);
    FvCheck(Data->Iopb->MajorFunction == 0 && Data->Iopb->IrpFlags == 0 && Data->Iopb->Parameters.Read.Length == 0);
    RtlFillMemory(Buffer, 512, 'w');
    Describe(Data, IRP_MJ_WRITE, 8192, 512);
    FltPerformSynchronousIo(Data);
    FvCheck(Data->IoStatus.Status == STATUS_SUCCESS && Data->IoStatus.Information == 512);
    FltReuseCallbackData(Data);
    RtlZeroMemory(Buffer, 512);
    Describe(Data, IRP_MJ_READ, 8192, 512);
    FltPerformSynchronousIo(Data);
    FvCheck(Buffer[0] == 'w' && Buffer[511] == 'w');
    FltReuseCallbackData(Data);
    Describe(Data, IRP_MJ_READ, 0, 1024);
    FltPerformSynchronousIo(Data);
    FvCheck(Data->IoStatus.Status == STATUS_ACCESS_DENIED); /* the lower filter */
    FltFreeCallbackData(Data);
    Data = Allocate(FLT_ALLOCATE_CALLBACK_DATA_PREALLOCATE_ALL_MEMORY);
    for (ULONG Round = 0; Round < 3; Round++) {
        Describe(Data, IRP_MJ_READ, 4096, 512);
        FltPerformSynchronousIo(Data);
        FvCheck(Data->IoStatus.Status == STATUS_SUCCESS && Buffer[0] == 'B');
        FltReuseCallbackData(Data);
    }
    FltFreeCallbackData(Data);
}

/* --- Asynchronously --- */

static NTSTATUS Perform(PFLT_CALLBACK_DATA Data)
{
    NTSTATUS Status;

    Calls = 0;
    KeClearEvent(&Done);
    Status = FltPerformAsynchronousIo(Data, Completed, &Calls);
    FvCheck(IsSet(&Done, 1000) && Calls == 1 && LastContext == &Calls);
    return Status;
}

static VOID CheckAsynchronous(VOID)
{
    PFLT_CALLBACK_DATA Data = Allocate(0);

    Describe(Data, IRP_MJ_READ, 4096, 512);
    FvCheck(FltPerformAsynchronousIo(Data, NULL, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(Perform(Data) == STATUS_PENDING);
    FvCheck(LastStatus == STATUS_SUCCESS && LastInformation == 512 && Buffer[0] == 'B' && LastIrql == DISPATCH_LEVEL);
    FltReuseCallbackData(Data);
    Describe(Data, IRP_MJ_READ, 0, 1024);
    FvCheck(Perform(Data) == STATUS_FLT_IO_COMPLETE && LastStatus == STATUS_ACCESS_DENIED);
    FltReuseCallbackData(Data);
    Describe(Data, IRP_MJ_READ, 100, 512);
    FvCheck(Perform(Data) == STATUS_INVALID_PARAMETER && LastStatus == STATUS_INVALID_PARAMETER);
    FltReuseCallbackData(Data);
    Describe(Data, IRP_MJ_CREATE, 0, 0);
    FvCheck(Perform(Data) == STATUS_FLT_INVALID_ASYNCHRONOUS_REQUEST);
    FltReuseCallbackData(Data);
    Describe(Data, IRP_MJ_READ, 0, 512);
    SetFlag(Data->Iopb->IrpFlags, IRP_SYNCHRONOUS_API);
    FvCheck(Perform(Data) == STATUS_FLT_INVALID_ASYNCHRONOUS_REQUEST);
    FltReuseCallbackData(Data);
    /* It is never sent, and the callback is called all the same. */
    Describe(Data, IRP_MJ_READ, 0, 512);
    Data->Iopb->Parameters.Read.ReadBuffer = (PVOID)0x1000;
    FvCheck(!NT_SUCCESS(Perform(Data)) && !NT_SUCCESS(LastStatus) && LastInformation == 0);
    for (ULONG Round = 0; Round < 600; Round++) /* more than rests in lists of free ones */
        FltPerformAsynchronousIo(Data, Completed, &Calls);
    FvCheck(Calls == 601);
    FltReuseCallbackData(Data);
    FltFreeCallbackData(Data);
}

/* The scenario makes the disk keep reads at 64 KiB. */
static VOID CheckCancel(VOID)
{
    PFLT_CALLBACK_DATA Data = Allocate(0);

    Calls = 0;
    Describe(Data, IRP_MJ_READ, 65536, 512);
    FvCheck(FltPerformAsynchronousIo(Data, Completed, NULL) == STATUS_PENDING);
    FvCheck(!IsSet(&Done, 20) && !FltIsIoCanceled(Data));
    FvCheck(FltCancelIo(Data));
    FvCheck(IsSet(&Done, 1000) && Calls == 1 && LastStatus == STATUS_CANCELLED);
    FvCheck(!FltCancelIo(Data)); /* it is over */
    FltFreeCallbackData(Data);
}

/* --- FltReadFile and its like --- */

static VOID CheckTransfers(VOID)
{
    PMDL Mdl = IoAllocateMdl(Buffer, 512, FALSE, FALSE, NULL);
    LARGE_INTEGER Offset = {.QuadPart = 4096};
    ULONG Bytes = 7, Key = 0x1234;

    FvCheck(FltReadFile(Instance, File, &Offset, 512, Buffer, 0, &Bytes, NULL, NULL) == STATUS_SUCCESS);
    FvCheck(Bytes == 512 && Buffer[0] == 'B');
    FvCheck(FltReadFile(Instance, File, &Offset, 512, Buffer, 0, NULL, NULL, NULL) == STATUS_SUCCESS);
    RtlFillMemory(Buffer, 512, 'x');
    Offset.QuadPart = 12288;
    FvCheck(FltWriteFile(Instance, File, &Offset, 512, Buffer, 0, &Bytes, NULL, NULL) == STATUS_SUCCESS &&
            Bytes == 512);
    MmBuildMdlForNonPagedPool(Mdl);
    RtlZeroMemory(Buffer, 512);
    FvCheck(FltReadFileEx(Instance, File, &Offset, 512, NULL, 0, &Bytes, NULL, NULL, &Key, Mdl) == STATUS_SUCCESS);
    FvCheck(Bytes == 512 && Buffer[0] == 'x' && Buffer[511] == 'x');
    FvCheck(FltReadFileEx(Instance, File, &Offset, 512, Buffer, 0, NULL, NULL, NULL, NULL, Mdl) ==
            STATUS_INVALID_PARAMETER);
    Buffer[0] = 'y';
    FvCheck(FltWriteFileEx(Instance, File, &Offset, 512, NULL, 0, &Bytes, NULL, NULL, &Key, Mdl) == STATUS_SUCCESS);
    FvCheck(FltReadFile(Instance, File, &Offset, 1024, Buffer, 0, &Bytes, NULL, NULL) == STATUS_ACCESS_DENIED &&
            Bytes == 0);
    IoFreeMdl(Mdl); /* it was ours all the time */
    /* With a callback: it is called once, and BytesRead is left alone. */
    Calls = 0;
    Bytes = 7;
    KeClearEvent(&Done);
    FvCheck(FltReadFile(Instance, File, &Offset, 512, Buffer, 0, &Bytes, Completed, &Key) == STATUS_PENDING);
    FvCheck(IsSet(&Done, 1000) && Calls == 1 && LastContext == &Key && LastInformation == 512 && Bytes == 7);
    FvCheck(Buffer[0] == 'y' && Buffer[1] == 'x');
    FvCheck(FltFlushBuffers(Instance, File) == STATUS_SUCCESS);
}

/* ByteOffset: its value, NULL, or FILE_USE_FILE_POINTER_POSITION; with the flag the file stays where it stands. */
static VOID CheckOffsets(VOID)
{
    BOOLEAN Synchronous = FlagOn(File->Flags, FO_SYNCHRONOUS_IO) != 0;
    LARGE_INTEGER Saved = File->CurrentByteOffset;

    for (ULONG Case = 0; Case < 12; Case++) {
        BOOLEAN Write = Case >= 6, Stay = Case % 2, Moves = Synchronous && !Stay;
        LARGE_INTEGER Offset = {.QuadPart = 8192};
        PLARGE_INTEGER Where = Case % 6 < 2 ? NULL : &Offset;
        FLT_IO_OPERATION_FLAGS Flags = Stay ? FLTFL_IO_OPERATION_DO_NOT_UPDATE_BYTE_OFFSET : 0;
        LONGLONG At = 4096;
        NTSTATUS Status;

        if (Case % 6 >= 4) {
            Offset.LowPart = FILE_USE_FILE_POINTER_POSITION;
            Offset.HighPart = -1;
        } else if (Where != NULL) {
            At = 8192;
        }
        File->CurrentByteOffset.QuadPart = 4096;
        Status = Write ? FltWriteFile(Instance, File, Where, 512, Buffer, Flags, NULL, NULL, NULL)
                       : FltReadFile(Instance, File, Where, 512, Buffer, Flags, NULL, NULL, NULL);
        if (!Synchronous && At == 4096)
            FvCheck(Status == STATUS_INVALID_PARAMETER && File->CurrentByteOffset.QuadPart == 4096);
        else
            FvCheck(Status == STATUS_SUCCESS && File->CurrentByteOffset.QuadPart == (Moves ? At + 512 : 4096));
    }
    File->CurrentByteOffset = Saved;
}

/* --- What the parameters tell --- */

static VOID CheckParameters(VOID)
{
    static const struct {
        UCHAR Major;
        BOOLEAN Buffer, Mdl;
        LOCK_OPERATION Access;
    } Operations[] = {
        {IRP_MJ_READ, TRUE, TRUE, IoWriteAccess},
        {IRP_MJ_WRITE, TRUE, TRUE, IoReadAccess},
        {IRP_MJ_QUERY_INFORMATION, TRUE, FALSE, IoModifyAccess},
        {IRP_MJ_SET_INFORMATION, TRUE, FALSE, IoReadAccess},
        {IRP_MJ_QUERY_EA, TRUE, TRUE, IoWriteAccess},
        {IRP_MJ_SET_EA, TRUE, TRUE, IoReadAccess},
        {IRP_MJ_DIRECTORY_CONTROL, TRUE, TRUE, IoWriteAccess},
        {IRP_MJ_QUERY_SECURITY, TRUE, TRUE, IoWriteAccess},
        {IRP_MJ_CREATE, FALSE, FALSE, 0},
        {IRP_MJ_CLOSE, FALSE, FALSE, 0},
        {IRP_MJ_FLUSH_BUFFERS, FALSE, FALSE, 0},
    };
    PFLT_CALLBACK_DATA Data = Allocate(0);
    LOCK_OPERATION Access;
    PULONG Length;
    PVOID *Place;
    PMDL *Mdl;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Operations); Index++) {
        Data->Iopb->MajorFunction = Operations[Index].Major;
        FvCheck(FltDecodeParameters(Data, &Mdl, &Place, &Length, &Access) ==
                (Operations[Index].Buffer ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER));
        if (Operations[Index].Buffer)
            FvCheck(Place != NULL && Length != NULL && (Mdl != NULL) == Operations[Index].Mdl &&
                    Access == Operations[Index].Access);
    }
    Data->Iopb->MajorFunction = IRP_MJ_READ;
    FvCheck(FltDecodeParameters(Data, NULL, &Place, NULL, NULL) == STATUS_SUCCESS &&
            Place == &Data->Iopb->Parameters.Read.ReadBuffer);
    FltFreeCallbackData(Data);
}

static VOID CheckSynchronous(VOID)
{
    BOOLEAN Opened = FlagOn(File->Flags, FO_SYNCHRONOUS_IO) != 0;
    PFLT_CALLBACK_DATA Data = Allocate(0);

    Describe(Data, IRP_MJ_READ, 0, 512);
    FvCheck(FltIsOperationSynchronous(Data) == Opened);
    SetFlag(Data->Iopb->IrpFlags, IRP_SYNCHRONOUS_API);
    FvCheck(FltIsOperationSynchronous(Data));
    SetFlag(Data->Iopb->IrpFlags, IRP_PAGING_IO);
    FvCheck(!FltIsOperationSynchronous(Data)); /* asynchronous paging, whatever else is true */
    SetFlag(Data->Iopb->IrpFlags, IRP_SYNCHRONOUS_PAGING_IO);
    FvCheck(FltIsOperationSynchronous(Data));
    FltReuseCallbackData(Data);
    Data->Iopb->MajorFunction = IRP_MJ_DEVICE_CONTROL;
    Data->Iopb->Parameters.DeviceIoControl.Common.IoControlCode = CTL_CODE(1, 1, METHOD_NEITHER, 0);
    FvCheck(FltIsOperationSynchronous(Data) == Opened);
    Data->Iopb->Parameters.DeviceIoControl.Common.IoControlCode = CTL_CODE(1, 1, METHOD_BUFFERED, 0);
    FvCheck(FltIsOperationSynchronous(Data));
    FvCheck(FltGetRequestorProcess(Data) == PsGetCurrentProcess());
    FvCheck(FltGetRequestorProcessIdEx(Data) == PsGetCurrentProcessId());
    FvCheck(FltGetRequestorProcessId(Data) == HandleToUlong(PsGetCurrentProcessId()));
    FltFreeCallbackData(Data);
}

/* The lower filter locks the buffer of what these make. */
static VOID CheckLocking(VOID)
{
    static const UCHAR Majors[] = {IRP_MJ_QUERY_EA, IRP_MJ_QUERY_SECURITY, IRP_MJ_QUERY_INFORMATION, IRP_MJ_READ};
    PFLT_CALLBACK_DATA Data = Allocate(0);
    LOCK_OPERATION Access;
    PULONG Length;
    PVOID *Place;
    PMDL *Mdl;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Majors); Index++) {
        Data->Iopb->MajorFunction = Majors[Index];
        FltDecodeParameters(Data, &Mdl, &Place, &Length, &Access);
        *Place = Buffer;
        *Length = 512;
        FltPerformSynchronousIo(Data);
        FltReuseCallbackData(Data);
    }
    Data->Iopb->MajorFunction = IRP_MJ_QUERY_EA;
    Data->Iopb->Parameters.QueryEa.EaBuffer = (PVOID)0x1000; /* nothing is there */
    Data->Iopb->Parameters.QueryEa.Length = 512;
    FltPerformSynchronousIo(Data);
    FltFreeCallbackData(Data);
}

/* --- Without memory: the option pool-fail --- */

static VOID TryTransfers(VOID)
{
    LARGE_INTEGER Offset = {.QuadPart = 4096};

    for (ULONG Round = 0; Round < 4; Round++) {
        NTSTATUS Status = FltReadFile(Instance, File, &Offset, 512, Buffer, 0, NULL, NULL, NULL);

        DbgPrint("issuing: read 0x%08X\n", Status);
        Calls = 0;
        KeClearEvent(&Done);
        Status = FltReadFile(Instance, File, &Offset, 512, Buffer, 0, NULL, Completed, NULL);
        if (NT_SUCCESS(Status))
            IsSet(&Done, 1000);
        DbgPrint("issuing: callback 0x%08X calls %d\n", Status, Calls);
    }
}

static VOID (*const Parts[])(VOID) = {NULL,         CheckData,       CheckAsynchronous, CheckCancel,  CheckTransfers,
                                      CheckOffsets, CheckParameters, CheckSynchronous,  CheckLocking, TryTransfers};

static FLT_PREOP_CALLBACK_STATUS PreFlush(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (Part == 0) {
        DbgPrint("below: flush generated %u\n", FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO) != 0);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    Instance = FltObjects->Instance;
    File = FltObjects->FileObject;
    Buffer = FltAllocatePoolAlignedWithTag(Instance, NonPagedPoolNx, 4096, 'tseT');
    KeInitializeEvent(&Done, NotificationEvent, FALSE);
    Parts[Part]();
    FltFreePoolAlignedWithTag(Instance, Buffer, 'tseT');
    DbgPrint("issuing: part %u is done\n", Part);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS PreTransfer(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    if (Part != 0 || !FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    DbgPrint("below: %s length %u key 0x%x\n", Data->Iopb->MajorFunction == IRP_MJ_READ ? "read" : "write",
             Data->Iopb->Parameters.Read.Length, Data->Iopb->Parameters.Read.Key);
    if (Data->Iopb->MajorFunction == IRP_MJ_READ && Data->Iopb->Parameters.Read.Length == 1024) {
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        Data->IoStatus.Information = 0;
        return FLT_PREOP_COMPLETE;
    }
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS PostTransfer(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID Context,
                                               FLT_POST_OPERATION_FLAGS Flags)
{
    DbgPrint("below: at %u\n", FltObjects->FileObject->CurrentByteOffset.LowPart);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS PreQuery(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Context)
{
    PMDL *Mdl = NULL;
    PVOID *Place;
    NTSTATUS First, Second;

    if (Part != 0 || !FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_GENERATED_IO))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    First = FltLockUserBuffer(Data);
    Second = FltLockUserBuffer(Data);
    FltDecodeParameters(Data, &Mdl, &Place, NULL, NULL);
    DbgPrint("below: lock of %u 0x%08X 0x%08X mdl %u dirty %u\n", Data->Iopb->MajorFunction, First, Second,
             Mdl != NULL && *Mdl != NULL && MmGetMdlVirtualAddress(*Mdl) == *Place, FltIsCallbackDataDirty(Data));
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {.MajorFunction = IRP_MJ_FLUSH_BUFFERS, .PreOperation = PreFlush},
    {.MajorFunction = IRP_MJ_READ, .PreOperation = PreTransfer, .PostOperation = PostTransfer},
    {.MajorFunction = IRP_MJ_WRITE, .PreOperation = PreTransfer, .PostOperation = PostTransfer},
    {.MajorFunction = IRP_MJ_QUERY_EA, .PreOperation = PreQuery},
    {.MajorFunction = IRP_MJ_QUERY_SECURITY, .PreOperation = PreQuery},
    {.MajorFunction = IRP_MJ_QUERY_INFORMATION, .PreOperation = PreQuery},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    Part = ReadNumber(RegistryPath, L"Part");
    if (ReadNumber(RegistryPath, L"Plan") != 0)
        FvTestPlan(ReadNumber(RegistryPath, L"Plan"));
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
