/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c: contexts of streams, of files and of stream handles, which hang on the file system's stream as a per-stream
 * context of ours (FSRTL_ADVANCED_FCB_HEADER), and go with it.
 *
 * A file system with per-file contexts has those of files there.  For one without, whose files have a single stream, a
 * file's contexts are kept with its stream.
 */
#include <context.h>

#define FLTP_TAG_STREAM 'tStF'

typedef struct _FLTP_STREAM {
    FLTP_CONTEXT_LIST List;
    LIST_ENTRY Link; /* its volume's Streams: the volume's guard */
    PFSRTL_ADVANCED_FCB_HEADER Header;
    PVOID *File; /* the file's, not the stream's: NULL for a stream */
    union {
        FSRTL_PER_STREAM_CONTEXT PerStream;
        FSRTL_PER_FILE_CONTEXT PerFile;
    };
} FLTP_STREAM, *PFLTP_STREAM;

static PFSRTL_ADVANCED_FCB_HEADER FltpHeaderOf(PFILE_OBJECT FileObject)
{
    return FileObject != NULL && FsRtlSupportsPerStreamContexts(FileObject) ? FileObject->FsContext : NULL;
}

/* Where the file system keeps a file's contexts; NULL: it does not. */
static PVOID *FltpFileOf(PFILE_OBJECT FileObject)
{
    return FltpHeaderOf(FileObject) != NULL ? FsRtlGetPerFileContextPointer(FileObject) : NULL;
}

static PFLTP_STREAM FltpFindStream(PFLT_VOLUME Volume, PFSRTL_ADVANCED_FCB_HEADER Header, PVOID *File)
{
    PVOID Found = File != NULL ? (PVOID)FsRtlLookupPerFileContext(File, FltpDriverObject, Volume)
                               : (PVOID)FsRtlLookupPerStreamContext(Header, FltpDriverObject, Volume);

    return Found != NULL ? CONTAINING_RECORD(Found, FLTP_STREAM, PerStream) : NULL;
}

/* --- Its life --- */

/* The caller has taken it from the file system.  Who comes from a context or from the volume holds the guard. */
static VOID FltpFreeStream(PFLTP_STREAM Stream)
{
    PFAST_MUTEX Guard = FltpContextGuard(Stream->List.Volume);

    FltpEndContexts(&Stream->List, NULL);
    ExAcquireFastMutex(Guard);
    ExReleaseFastMutex(Guard);
    ExFreePoolWithTag(Stream, FLTP_TAG_STREAM);
}

/* The file system tears the stream, or the file, down. */
static VOID NTAPI FltpStreamGone(PVOID Buffer)
{
    PFLTP_STREAM Stream = CONTAINING_RECORD(Buffer, FLTP_STREAM, PerStream);
    PFAST_MUTEX Guard = FltpContextGuard(Stream->List.Volume);

    ExAcquireFastMutex(Guard);
    RemoveEntryList(&Stream->Link);
    ExReleaseFastMutex(Guard);
    FltpFreeStream(Stream);
}

static NTSTATUS FltpInsertStream(PFLTP_STREAM Stream, PFLT_VOLUME Volume)
{
    if (Stream->File != NULL) {
        FsRtlInitPerFileContext(&Stream->PerFile, FltpDriverObject, Volume, FltpStreamGone);
        return FsRtlInsertPerFileContext(Stream->File, &Stream->PerFile);
    }
    FsRtlInitPerStreamContext(&Stream->PerStream, FltpDriverObject, Volume, FltpStreamGone);
    return FsRtlInsertPerStreamContext(Stream->Header, &Stream->PerStream);
}

/* The first context of the volume's filters for it. */
static NTSTATUS FltpCreateStream(PFLT_VOLUME Volume, PFSRTL_ADVANCED_FCB_HEADER Header, PVOID *File,
                                 PFLTP_STREAM *Stream)
{
    PFLTP_STREAM New = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*New), FLTP_TAG_STREAM);
    PFAST_MUTEX Guard = FltpContextGuard(Volume);
    NTSTATUS Status = STATUS_SUCCESS;

    if (New == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    FltpInitializeContextList(&New->List, Volume);
    New->Header = Header;
    New->File = File;
    ExAcquireFastMutex(Guard);
    *Stream = FltpFindStream(Volume, Header, File);
    if (*Stream == NULL) {
        Status = FltpInsertStream(New, Volume);
        if (NT_SUCCESS(Status)) {
            InsertTailList(&Volume->Streams, &New->Link);
            *Stream = New;
            New = NULL;
        }
    }
    ExReleaseFastMutex(Guard);
    if (New != NULL)
        ExFreePoolWithTag(New, FLTP_TAG_STREAM);
    return Status;
}

/* Create: there is to be a list.  Without, it may be NULL. */
static NTSTATUS FltpStreamPlace(FLT_CONTEXT_TYPE Type, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, BOOLEAN Create,
                                PFLTP_CONTEXT_PLACE Place)
{
    PFSRTL_ADVANCED_FCB_HEADER Header = FltpHeaderOf(FileObject);
    PVOID *File = Type == FLT_FILE_CONTEXT ? FltpFileOf(FileObject) : NULL;
    NTSTATUS Status = STATUS_SUCCESS;
    PFLTP_STREAM Stream;

    if (Header == NULL)
        return STATUS_NOT_SUPPORTED;
    Stream = FltpFindStream(Instance->Volume, Header, File);
    if (Stream == NULL && Create)
        Status = FltpCreateStream(Instance->Volume, Header, File, &Stream);
    Place->List = Stream != NULL ? &Stream->List : NULL;
    Place->Type = Type;
    Place->Filter = Instance->Filter;
    Place->Rundown = &Instance->Object.Rundown;
    Place->FileObject = Type == FLT_STREAMHANDLE_CONTEXT ? FileObject : NULL;
    Place->Owner = Instance;
    return Status;
}

/* --- Sections --- */

NTSTATUS FltpSetSectionContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT NewContext, PVOID Caller)
{
    FLTP_CONTEXT_PLACE Place;
    NTSTATUS Status = FltpStreamPlace(FLT_SECTION_CONTEXT, Instance, FileObject, TRUE, &Place);

    return NT_SUCCESS(Status) ? FltpSetContext(&Place, FLT_SET_CONTEXT_KEEP_IF_EXISTS, NewContext, NULL, Caller)
                              : Status;
}

BOOLEAN FltpNextSection(PFLT_VOLUME Volume, PFILE_OBJECT FileObject, PFLT_INSTANCE *Instance, PFLT_CONTEXT *Context)
{
    PFSRTL_ADVANCED_FCB_HEADER Header = FltpHeaderOf(FileObject);
    PFLTP_STREAM Stream = Header != NULL ? FltpFindStream(Volume, Header, NULL) : NULL;
    PFLTP_CONTEXT Found = Stream != NULL ? FltpTakeNextSection(&Stream->List, *Instance, _ReturnAddress()) : NULL;

    if (Found == NULL)
        return FALSE;
    *Instance = Found->Owner;
    *Context = FltpContextData(Found);
    return TRUE;
}

/* --- Ends --- */

VOID FltpEndHandleContexts(PFLT_VOLUME Volume, PFILE_OBJECT FileObject)
{
    PFSRTL_ADVANCED_FCB_HEADER Header = FltpHeaderOf(FileObject);
    PFLTP_STREAM Stream = Header != NULL ? FltpFindStream(Volume, Header, NULL) : NULL;
    LIST_ENTRY Taken;

    if (Stream == NULL)
        return;
    InitializeListHead(&Taken);
    FltpTakeHandleContexts(&Stream->List, FileObject, &Taken);
    FltpEndTaken(&Taken);
}

VOID FltpTakeStreamsContexts(PFLT_INSTANCE Instance, PLIST_ENTRY Taken)
{
    PFAST_MUTEX Guard = FltpContextGuard(Instance->Volume);
    PLIST_ENTRY Head = &Instance->Volume->Streams;

    ExAcquireFastMutex(Guard);
    for (PLIST_ENTRY Link = Head->Flink; Link != Head; Link = Link->Flink)
        FltpTakeContexts(&CONTAINING_RECORD(Link, FLTP_STREAM, Link)->List, Instance, Taken);
    ExReleaseFastMutex(Guard);
}

static BOOLEAN FltpRemoveStream(PFLTP_STREAM Stream, PFLT_VOLUME Volume)
{
    return Stream->File != NULL
               ? FsRtlRemovePerFileContext(Stream->File, FltpDriverObject, Volume) == &Stream->PerFile
               : FsRtlRemovePerStreamContext(Stream->Header, FltpDriverObject, Volume) == &Stream->PerStream;
}

/* One whose stream is just being torn down is waited for: FltpStreamGone comes for it. */
VOID FltpForgetStreams(PFLT_VOLUME Volume)
{
    LARGE_INTEGER Moment = {.QuadPart = -10000};
    PFAST_MUTEX Guard = FltpContextGuard(Volume);
    PFLTP_STREAM Stream;

    for (;;) {
        ExAcquireFastMutex(Guard);
        if (IsListEmpty(&Volume->Streams))
            break;
        Stream = CONTAINING_RECORD(Volume->Streams.Flink, FLTP_STREAM, Link);
        if (FltpRemoveStream(Stream, Volume))
            RemoveEntryList(&Stream->Link);
        else
            Stream = NULL;
        ExReleaseFastMutex(Guard);
        if (Stream != NULL)
            FltpFreeStream(Stream);
        else
            KeDelayExecutionThread(KernelMode, FALSE, &Moment);
    }
    ExReleaseFastMutex(Guard);
}

/* --- The routines --- */

static NTSTATUS FltpSetStreamContext(FLT_CONTEXT_TYPE Type, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                     FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                                     PFLT_CONTEXT *OldContext, PVOID Caller)
{
    FLTP_CONTEXT_PLACE Place;
    NTSTATUS Status;

    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    Status = FltpStreamPlace(Type, Instance, FileObject, TRUE, &Place);
    return NT_SUCCESS(Status) ? FltpSetContext(&Place, Operation, NewContext, OldContext, Caller) : Status;
}

NTSTATUS FltpGetStreamContext(FLT_CONTEXT_TYPE Type, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                              PFLT_CONTEXT *Context, PVOID Caller)
{
    FLTP_CONTEXT_PLACE Place;
    NTSTATUS Status = FltpStreamPlace(Type, Instance, FileObject, FALSE, &Place);

    *Context = NULL_CONTEXT;
    return NT_SUCCESS(Status) ? FltpGetContext(&Place, Context, Caller) : Status;
}

static NTSTATUS FltpDeleteStreamContext(FLT_CONTEXT_TYPE Type, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                        PFLT_CONTEXT *OldContext, PVOID Caller)
{
    FLTP_CONTEXT_PLACE Place;
    NTSTATUS Status = FltpStreamPlace(Type, Instance, FileObject, FALSE, &Place);

    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    return NT_SUCCESS(Status) ? FltpDeleteContext(&Place, OldContext, Caller) : Status;
}

NTSTATUS FLTAPI FltSetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                    FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                                    PFLT_CONTEXT *OldContext)
{
    return FltpSetStreamContext(FLT_STREAM_CONTEXT, Instance, FileObject, Operation, NewContext, OldContext,
                                _ReturnAddress());
}

NTSTATUS FLTAPI FltGetStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *Context)
{
    return FltpGetStreamContext(FLT_STREAM_CONTEXT, Instance, FileObject, Context, _ReturnAddress());
}

NTSTATUS FLTAPI FltDeleteStreamContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *OldContext)
{
    return FltpDeleteStreamContext(FLT_STREAM_CONTEXT, Instance, FileObject, OldContext, _ReturnAddress());
}

NTSTATUS FLTAPI FltSetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                                          FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                                          PFLT_CONTEXT *OldContext)
{
    return FltpSetStreamContext(FLT_STREAMHANDLE_CONTEXT, Instance, FileObject, Operation, NewContext, OldContext,
                                _ReturnAddress());
}

NTSTATUS FLTAPI FltGetStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *Context)
{
    return FltpGetStreamContext(FLT_STREAMHANDLE_CONTEXT, Instance, FileObject, Context, _ReturnAddress());
}

NTSTATUS FLTAPI FltDeleteStreamHandleContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *OldContext)
{
    return FltpDeleteStreamContext(FLT_STREAMHANDLE_CONTEXT, Instance, FileObject, OldContext, _ReturnAddress());
}

NTSTATUS FLTAPI FltSetFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, FLT_SET_CONTEXT_OPERATION Operation,
                                  PFLT_CONTEXT NewContext, PFLT_CONTEXT *OldContext)
{
    return FltpSetStreamContext(FLT_FILE_CONTEXT, Instance, FileObject, Operation, NewContext, OldContext,
                                _ReturnAddress());
}

NTSTATUS FLTAPI FltGetFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *Context)
{
    return FltpGetStreamContext(FLT_FILE_CONTEXT, Instance, FileObject, Context, _ReturnAddress());
}

NTSTATUS FLTAPI FltDeleteFileContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT *OldContext)
{
    return FltpDeleteStreamContext(FLT_FILE_CONTEXT, Instance, FileObject, OldContext, _ReturnAddress());
}

BOOLEAN FLTAPI FltSupportsStreamContexts(PFILE_OBJECT FileObject)
{
    return FltpHeaderOf(FileObject) != NULL;
}

BOOLEAN FLTAPI FltSupportsStreamHandleContexts(PFILE_OBJECT FileObject)
{
    return FltpHeaderOf(FileObject) != NULL;
}

BOOLEAN FLTAPI FltSupportsFileContexts(PFILE_OBJECT FileObject)
{
    return FltpFileOf(FileObject) != NULL;
}

/* With an instance: also where we provide them. */
BOOLEAN FLTAPI FltSupportsFileContextsEx(PFILE_OBJECT FileObject, PFLT_INSTANCE Instance)
{
    return Instance != NULL ? FltpHeaderOf(FileObject) != NULL : FltpFileOf(FileObject) != NULL;
}
