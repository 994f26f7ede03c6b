/* SPDX-License-Identifier: MIT */
/*
 * crypt: what the volume holds of the files below \Vault is enciphered, what programs and the cache see is not.
 *
 * Cached reads and writes, fast I/O among them, pass: they end in the cache.  What goes between cache and volume (paging), and what passes the
 * cache by, is turned in a buffer of the filter's own that takes the other's place.  A write is enciphered into it, a read
 * deciphered from it, in the post-operation, wherever that is safe.
 */
#include <fltKernel.h>
#include <dontuse.h>
#include <suppress.h>

#define CRYPT_BUFFER_TAG  'bprC'
#define CRYPT_CONTEXT_TAG 'cprC'
#define CRYPT_P2P_TAG     'pprC'
#define CRYPT_VOLUME_TAG  'vprC'
#define MIN_SECTOR_SIZE   0x200

typedef struct _VOLUME_CONTEXT {
    UNICODE_STRING Name;
    ULONG SectorSize;
} VOLUME_CONTEXT, *PVOLUME_CONTEXT;

typedef struct _STREAM_CONTEXT {
    UCHAR Key;
    LONG Swaps;
} STREAM_CONTEXT, *PSTREAM_CONTEXT;

/* From a pre-operation to its post-operation. */
typedef struct _PRE_2_POST_CONTEXT {
    PSTREAM_CONTEXT Stream;
    PVOID SwappedBuffer;
    LARGE_INTEGER Offset;
} PRE_2_POST_CONTEXT, *PPRE_2_POST_CONTEXT;

static PFLT_FILTER gFilterHandle;
static NPAGED_LOOKASIDE_LIST Pre2PostContextList;
static LONG gSwaps;

DRIVER_INITIALIZE DriverEntry;
static NTSTATUS CryptUnload(_In_ FLT_FILTER_UNLOAD_FLAGS Flags);
static NTSTATUS CryptInstanceSetup(_In_ PCFLT_RELATED_OBJECTS FltObjects, _In_ FLT_INSTANCE_SETUP_FLAGS Flags,
                                   _In_ DEVICE_TYPE DeviceType, _In_ FLT_FILESYSTEM_TYPE FileSystemType);
static VOID CryptCleanupVolume(_In_ PFLT_CONTEXT Context, _In_ FLT_CONTEXT_TYPE ContextType);
static FLT_POSTOP_CALLBACK_STATUS CryptPostCreate(_Inout_ PFLT_CALLBACK_DATA Data,
                                                  _In_ PCFLT_RELATED_OBJECTS FltObjects, _In_opt_ PVOID Context,
                                                  _In_ FLT_POST_OPERATION_FLAGS Flags);

#ifdef ALLOC_PRAGMA
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, CryptUnload)
#pragma alloc_text(PAGE, CryptInstanceSetup)
#pragma alloc_text(PAGE, CryptCleanupVolume)
#pragma alloc_text(PAGE, CryptPostCreate)
#endif

/* The cipher depends on the place only, so that any part can be turned by itself. */
static VOID CryptTurn(_In_ PSTREAM_CONTEXT Stream, _Out_writes_bytes_(Length) PUCHAR To,
                      _In_reads_bytes_(Length) const UCHAR *From, _In_ LONGLONG Offset, _In_ SIZE_T Length)
{
    for (SIZE_T Index = 0; Index < Length; Index++)
        To[Index] = (UCHAR)(From[Index] ^ Stream->Key ^ (UCHAR)(((Offset + Index) * 7) >> 3));
}

static BOOLEAN CryptIsOurs(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PSTREAM_CONTEXT *Stream)
{
    if (!FlagOn(Data->Iopb->IrpFlags, IRP_NOCACHE))
        return FALSE;
    return NT_SUCCESS(FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, (PFLT_CONTEXT *)Stream));
}

static ULONG CryptSectorSize(PFLT_VOLUME Volume)
{
    PVOLUME_CONTEXT Context;
    ULONG Size = MIN_SECTOR_SIZE;

    if (NT_SUCCESS(FltGetVolumeContext(gFilterHandle, Volume, (PFLT_CONTEXT *)&Context))) {
        Size = Context->SectorSize;
        FltReleaseContext(Context);
    }
    return Size;
}

/* A buffer, and for an IRP its MDL, which the filter manager frees. */
static NTSTATUS CryptAllocate(PFLT_CALLBACK_DATA Data, PFLT_INSTANCE Instance, ULONG Length, PVOID *Buffer, PMDL *Mdl)
{
    *Mdl = NULL;
    *Buffer = FltAllocatePoolAlignedWithTag(Instance, NonPagedPoolNx, Length, CRYPT_BUFFER_TAG);
    if (*Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_IRP_OPERATION)) {
        *Mdl = IoAllocateMdl(*Buffer, Length, FALSE, FALSE, NULL);
        if (*Mdl == NULL) {
            FltFreePoolAlignedWithTag(Instance, *Buffer, CRYPT_BUFFER_TAG);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        MmBuildMdlForNonPagedPool(*Mdl);
    }
    return STATUS_SUCCESS;
}

static PPRE_2_POST_CONTEXT CryptNote(PSTREAM_CONTEXT Stream, PVOID Buffer, LARGE_INTEGER Offset)
{
    PPRE_2_POST_CONTEXT Context = ExAllocateFromNPagedLookasideList(&Pre2PostContextList);

    if (Context != NULL) {
        Context->Stream = Stream; /* with its reference */
        Context->SwappedBuffer = Buffer;
        Context->Offset = Offset;
        InterlockedIncrement(&gSwaps);
        InterlockedIncrement(&Stream->Swaps);
    }
    return Context;
}

static VOID CryptForget(PFLT_INSTANCE Instance, PPRE_2_POST_CONTEXT Context)
{
    FltFreePoolAlignedWithTag(Instance, Context->SwappedBuffer, CRYPT_BUFFER_TAG);
    FltReleaseContext(Context->Stream);
    ExFreeToNPagedLookasideList(&Pre2PostContextList, Context);
}

static FLT_PREOP_CALLBACK_STATUS CryptFail(PFLT_CALLBACK_DATA Data, PSTREAM_CONTEXT Stream, NTSTATUS Status)
{
    FltReleaseContext(Stream);
    Data->IoStatus.Status = Status;
    Data->IoStatus.Information = 0;
    return FLT_PREOP_COMPLETE;
}

static FLT_PREOP_CALLBACK_STATUS CryptPreRead(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                              _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    PFLT_IO_PARAMETER_BLOCK Iopb = Data->Iopb;
    ULONG Length = Iopb->Parameters.Read.Length;
    PSTREAM_CONTEXT Stream;
    PVOID Buffer;
    PMDL Mdl;

    if (Length == 0 || !CryptIsOurs(Data, FltObjects, &Stream))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Length = (ULONG)ROUND_TO_SIZE(Length, CryptSectorSize(FltObjects->Volume));
    if (!NT_SUCCESS(CryptAllocate(Data, FltObjects->Instance, Length, &Buffer, &Mdl)))
        return CryptFail(Data, Stream, STATUS_INSUFFICIENT_RESOURCES);
    *CompletionContext = CryptNote(Stream, Buffer, Iopb->Parameters.Read.ByteOffset);
    if (*CompletionContext == NULL) {
        if (Mdl != NULL)
            IoFreeMdl(Mdl);
        FltFreePoolAlignedWithTag(FltObjects->Instance, Buffer, CRYPT_BUFFER_TAG);
        return CryptFail(Data, Stream, STATUS_INSUFFICIENT_RESOURCES);
    }
    Iopb->Parameters.Read.ReadBuffer = Buffer;
    Iopb->Parameters.Read.MdlAddress = Mdl;
    FltSetCallbackDataDirty(Data);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

/* At most at DISPATCH_LEVEL's safe side: the requestor's pages are locked down first. */
static FLT_POSTOP_CALLBACK_STATUS CryptPostReadWhenSafe(_Inout_ PFLT_CALLBACK_DATA Data,
                                                        _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                        _In_opt_ PVOID CompletionContext,
                                                        _In_ FLT_POST_OPERATION_FLAGS Flags)
{
    PPRE_2_POST_CONTEXT Context = CompletionContext;
    PVOID Original = NULL;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(Flags);
    FLT_ASSERT(Data->IoStatus.Information != 0);
    Status = FltLockUserBuffer(Data);
    if (NT_SUCCESS(Status))
        Original = MmGetSystemAddressForMdlSafe(Data->Iopb->Parameters.Read.MdlAddress,
                                                NormalPagePriority | MdlMappingNoExecute);
    if (Original != NULL) {
        CryptTurn(Context->Stream, Original, Context->SwappedBuffer, Context->Offset.QuadPart,
                  Data->IoStatus.Information);
    } else {
        Data->IoStatus.Status = NT_SUCCESS(Status) ? STATUS_INSUFFICIENT_RESOURCES : Status;
        Data->IoStatus.Information = 0;
    }
    CryptForget(FltObjects->Instance, Context);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_POSTOP_CALLBACK_STATUS CryptPostRead(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                _In_opt_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags)
{
    FLT_POSTOP_CALLBACK_STATUS Result = FLT_POSTOP_FINISHED_PROCESSING;
    PFLT_IO_PARAMETER_BLOCK Iopb = Data->Iopb;
    PPRE_2_POST_CONTEXT Context = CompletionContext;
    PVOID Original;

    FLT_ASSERT(!FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING)); /* a swapped buffer is not drained */
    if (!NT_SUCCESS(Data->IoStatus.Status) || Data->IoStatus.Information == 0)
        goto Done;
    if (Iopb->Parameters.Read.MdlAddress != NULL) {
        Original =
            MmGetSystemAddressForMdlSafe(Iopb->Parameters.Read.MdlAddress, NormalPagePriority | MdlMappingNoExecute);
        if (Original == NULL) {
            Data->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
            Data->IoStatus.Information = 0;
            goto Done;
        }
    } else if (FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_SYSTEM_BUFFER) ||
               FlagOn(Data->Flags, FLTFL_CALLBACK_DATA_FAST_IO_OPERATION)) {
        Original = Iopb->Parameters.Read.ReadBuffer;
    } else {
        if (FltDoCompletionProcessingWhenSafe(Data, FltObjects, CompletionContext, Flags, CryptPostReadWhenSafe,
                                              &Result))
            return Result; /* the other has everything */
        Data->IoStatus.Status = STATUS_UNSUCCESSFUL;
        Data->IoStatus.Information = 0;
        goto Done;
    }
    __try {
        CryptTurn(Context->Stream, Original, Context->SwappedBuffer, Context->Offset.QuadPart,
                  Data->IoStatus.Information);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Data->IoStatus.Status = GetExceptionCode();
        Data->IoStatus.Information = 0;
    }

Done:
    CryptForget(FltObjects->Instance, Context);
    return Result;
}

static FLT_PREOP_CALLBACK_STATUS CryptPreWrite(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                               _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    PFLT_IO_PARAMETER_BLOCK Iopb = Data->Iopb;
    ULONG Length = Iopb->Parameters.Write.Length;
    PSTREAM_CONTEXT Stream;
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Original, Buffer;
    PMDL Mdl;

    if (Length == 0 || !CryptIsOurs(Data, FltObjects, &Stream))
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Length = (ULONG)ROUND_TO_SIZE(Length, CryptSectorSize(FltObjects->Volume));
    if (!NT_SUCCESS(CryptAllocate(Data, FltObjects->Instance, Length, &Buffer, &Mdl)))
        return CryptFail(Data, Stream, STATUS_INSUFFICIENT_RESOURCES);
    if (Iopb->Parameters.Write.MdlAddress != NULL)
        Original =
            MmGetSystemAddressForMdlSafe(Iopb->Parameters.Write.MdlAddress, NormalPagePriority | MdlMappingNoExecute);
    else
        Original = Iopb->Parameters.Write.WriteBuffer;
    if (Original == NULL)
        Status = STATUS_INSUFFICIENT_RESOURCES;
    else
        __try {
            CryptTurn(Stream, Buffer, Original, Iopb->Parameters.Write.ByteOffset.QuadPart,
                      Iopb->Parameters.Write.Length);
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            Status = GetExceptionCode();
        }
    if (NT_SUCCESS(Status)) {
        *CompletionContext = CryptNote(Stream, Buffer, Iopb->Parameters.Write.ByteOffset);
        if (*CompletionContext == NULL)
            Status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!NT_SUCCESS(Status)) {
        if (Mdl != NULL)
            IoFreeMdl(Mdl);
        FltFreePoolAlignedWithTag(FltObjects->Instance, Buffer, CRYPT_BUFFER_TAG);
        return CryptFail(Data, Stream, Status);
    }
    Iopb->Parameters.Write.WriteBuffer = Buffer;
    Iopb->Parameters.Write.MdlAddress = Mdl;
    FltSetCallbackDataDirty(Data);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS CryptPostWrite(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                                 _In_opt_ PVOID CompletionContext, _In_ FLT_POST_OPERATION_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Data);
    UNREFERENCED_PARAMETER(Flags);
    FLT_ASSERT(FltGetSwappedBufferMdlAddress(Data) == NULL ||
               MmGetMdlVirtualAddress(FltGetSwappedBufferMdlAddress(Data)) ==
                   ((PPRE_2_POST_CONTEXT)CompletionContext)->SwappedBuffer);
    CryptForget(FltObjects->Instance, CompletionContext);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* Memory that the cache gives away must be the plain text: it is.  From beyond the cache it would not be. */
static FLT_PREOP_CALLBACK_STATUS CryptPreMdl(_Inout_ PFLT_CALLBACK_DATA Data, _In_ PCFLT_RELATED_OBJECTS FltObjects,
                                             _Flt_CompletionContext_Outptr_ PVOID *CompletionContext)
{
    PSTREAM_CONTEXT Stream;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (CryptIsOurs(Data, FltObjects, &Stream)) {
        FltReleaseContext(Stream);
        return FLT_PREOP_DISALLOW_FASTIO;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS CryptPostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    static const UNICODE_STRING Vault = RTL_CONSTANT_STRING(L"\\Vault\\");
    PFLT_FILE_NAME_INFORMATION Name;
    PSTREAM_CONTEXT Stream;
    BOOLEAN Directory;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Context);
    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status) ||
        Data->IoStatus.Status == STATUS_REPARSE ||
        !NT_SUCCESS(FltIsDirectory(FltObjects->FileObject, FltObjects->Instance, &Directory)) || Directory ||
        !NT_SUCCESS(FltGetFileNameInformation(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_DEFAULT, &Name)))
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (NT_SUCCESS(FltParseFileNameInformation(Name)) && RtlPrefixUnicodeString(&Vault, &Name->ParentDir, TRUE) &&
        NT_SUCCESS(FltAllocateContext(gFilterHandle, FLT_STREAM_CONTEXT, sizeof(*Stream), NonPagedPoolNx,
                                      (PFLT_CONTEXT *)&Stream))) {
        Stream->Key = 0x5C;
        Stream->Swaps = 0;
        (VOID) FltSetStreamContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Stream,
                                   NULL);
        FltReleaseContext(Stream);
    }
    FltReleaseFileNameInformation(Name);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS CryptInstanceSetup(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_SETUP_FLAGS Flags,
                                   DEVICE_TYPE DeviceType, FLT_FILESYSTEM_TYPE FileSystemType)
{
    UCHAR Buffer[sizeof(FLT_VOLUME_PROPERTIES) + 512];
    PFLT_VOLUME_PROPERTIES Properties = (PFLT_VOLUME_PROPERTIES)Buffer;
    PVOLUME_CONTEXT Context = NULL;
    ULONG Returned, Needed = 0;
    NTSTATUS Status;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(DeviceType);
    if (FileSystemType == FLT_FSTYPE_RAW)
        return STATUS_FLT_DO_NOT_ATTACH;
    Status = FltAllocateContext(FltObjects->Filter, FLT_VOLUME_CONTEXT, sizeof(*Context), NonPagedPoolNx,
                                (PFLT_CONTEXT *)&Context);
    if (!NT_SUCCESS(Status))
        goto Exit;
    RtlZeroMemory(Context, sizeof(*Context));
    Status = FltGetVolumeProperties(FltObjects->Volume, Properties, sizeof(Buffer), &Returned);
    if (!NT_SUCCESS(Status))
        goto Exit;
    Context->SectorSize = max(Properties->SectorSize, MIN_SECTOR_SIZE);
    Status = FltGetVolumeName(FltObjects->Volume, NULL, &Needed);
    if (Status != STATUS_BUFFER_TOO_SMALL)
        goto Exit;
    Context->Name.Buffer = ExAllocatePoolZero(PagedPool, Needed, CRYPT_VOLUME_TAG);
    if (Context->Name.Buffer == NULL) {
        Status = STATUS_INSUFFICIENT_RESOURCES;
        goto Exit;
    }
    Context->Name.MaximumLength = (USHORT)Needed;
    Status = FltGetVolumeName(FltObjects->Volume, &Context->Name, NULL);
    if (!NT_SUCCESS(Status))
        goto Exit;
    Status = FltSetVolumeContext(FltObjects->Volume, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, NULL);
    if (Status == STATUS_FLT_CONTEXT_ALREADY_DEFINED)
        Status = STATUS_SUCCESS;
    DbgPrint("crypt: on %wZ, sectors of %u bytes\n", &Context->Name, Context->SectorSize);

Exit:
    if (Context != NULL)
        FltReleaseContext(Context);
    return Status;
}

static VOID CryptCleanupVolume(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE ContextType)
{
    PVOLUME_CONTEXT Volume = Context;

    PAGED_CODE();
    UNREFERENCED_PARAMETER(ContextType);
    if (Volume->Name.Buffer != NULL)
        ExFreePoolWithTag(Volume->Name.Buffer, CRYPT_VOLUME_TAG);
}

static NTSTATUS CryptUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PAGED_CODE();
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(gFilterHandle);
    ExDeleteNPagedLookasideList(&Pre2PostContextList);
    DbgPrint("crypt: %d transfers turned\n", gSwaps);
    return STATUS_SUCCESS;
}

static CONST FLT_OPERATION_REGISTRATION Callbacks[] = {
    {IRP_MJ_CREATE, 0, NULL, CryptPostCreate},        {IRP_MJ_READ, 0, CryptPreRead, CryptPostRead},
    {IRP_MJ_WRITE, 0, CryptPreWrite, CryptPostWrite}, {IRP_MJ_MDL_READ, 0, CryptPreMdl, NULL},
    {IRP_MJ_PREPARE_MDL_WRITE, 0, CryptPreMdl, NULL}, {IRP_MJ_OPERATION_END},
};

static CONST FLT_CONTEXT_REGISTRATION ContextNotifications[] = {
    {FLT_VOLUME_CONTEXT, 0, CryptCleanupVolume, sizeof(VOLUME_CONTEXT), CRYPT_CONTEXT_TAG},
    {FLT_STREAM_CONTEXT, 0, NULL, sizeof(STREAM_CONTEXT), CRYPT_CONTEXT_TAG},
    {FLT_CONTEXT_END},
};

static CONST FLT_REGISTRATION FilterRegistration = {
    sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, ContextNotifications, Callbacks, CryptUnload,
    CryptInstanceSetup,
};

NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    ExInitializeNPagedLookasideList(&Pre2PostContextList, NULL, NULL, POOL_NX_ALLOCATION, sizeof(PRE_2_POST_CONTEXT),
                                    CRYPT_P2P_TAG, 0);
    Status = FltRegisterFilter(DriverObject, &FilterRegistration, &gFilterHandle);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(gFilterHandle);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(gFilterHandle);
    }
    if (!NT_SUCCESS(Status))
        ExDeleteNPagedLookasideList(&Pre2PostContextList);
    return Status;
}
