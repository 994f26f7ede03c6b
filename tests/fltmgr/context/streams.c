/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contexts of streams, files and stream handles, on a volume of RAW, which is one stream: where they can be set, who
 * sees which, and when each ends.  The service's value "Case" says which.
 */
#include "../../inc/minifilter.h"

#define TAG 'xtCT'

enum { Kept = 1, Created, Detached };

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Instance;
static ULONG Case;

static LONG Cleanups;
static FLT_CONTEXT_TYPE Order[16];
static PFLT_CONTEXT Ended[16];
static BOOLEAN Created1, Created2; /* what the create callbacks saw */

static VOID NTAPI Cleanup(PFLT_CONTEXT Context, FLT_CONTEXT_TYPE Type)
{
    LONG Number = InterlockedIncrement(&Cleanups) - 1;

    if (Number < (LONG)RTL_NUMBER_OF(Order)) {
        Order[Number] = Type;
        Ended[Number] = Context;
    }
}

static const FLT_CONTEXT_REGISTRATION Contexts[] = {
    {FLT_VOLUME_CONTEXT, 0, Cleanup, 40, TAG},       {FLT_INSTANCE_CONTEXT, 0, Cleanup, 40, TAG},
    {FLT_FILE_CONTEXT, 0, Cleanup, 40, TAG},         {FLT_STREAM_CONTEXT, 0, Cleanup, 40, TAG},
    {FLT_STREAMHANDLE_CONTEXT, 0, Cleanup, 40, TAG}, {FLT_TRANSACTION_CONTEXT, 0, Cleanup, 40, TAG},
    {FLT_SECTION_CONTEXT, 0, Cleanup, 40, TAG},      {FLT_CONTEXT_END},
};

static PFLT_CONTEXT New(FLT_CONTEXT_TYPE Type)
{
    PFLT_CONTEXT Context = NULL;

    FvCheck(NT_SUCCESS(FltAllocateContext(Filter, Type, 40, PagedPool, &Context)));
    return Context;
}

static BOOLEAN Is(PFLT_CONTEXT Context, PFLT_CONTEXT Wanted)
{
    if (Context != NULL_CONTEXT)
        FltReleaseContext(Context);
    return Context == Wanted;
}

typedef NTSTATUS(FLTAPI *SET)(PFLT_INSTANCE, PFILE_OBJECT, FLT_SET_CONTEXT_OPERATION, PFLT_CONTEXT, PFLT_CONTEXT *);
typedef NTSTATUS(FLTAPI *GET)(PFLT_INSTANCE, PFILE_OBJECT, PFLT_CONTEXT *);

static const struct {
    FLT_CONTEXT_TYPE Type;
    SET Set;
    GET Get, Delete;
} Kinds[] = {
    {FLT_STREAM_CONTEXT, FltSetStreamContext, FltGetStreamContext, FltDeleteStreamContext},
    {FLT_STREAMHANDLE_CONTEXT, FltSetStreamHandleContext, FltGetStreamHandleContext, FltDeleteStreamHandleContext},
    {FLT_FILE_CONTEXT, FltSetFileContext, FltGetFileContext, FltDeleteFileContext},
};

static PFILE_OBJECT Open(PHANDLE Handle)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;
    PVOID File = NULL;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(ZwCreateFile(Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                                FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0)))
        ObReferenceObjectByHandle(*Handle, FILE_READ_DATA, *IoFileObjectType, KernelMode, &File, NULL);
    return File;
}

static VOID Close(PFILE_OBJECT File, HANDLE Handle)
{
    ZwClose(Handle);
    ObDereferenceObject(File);
}

/* --- Keeping and replacing, who shares what --- */

static VOID CheckKind(ULONG Kind, PFILE_OBJECT File, PFILE_OBJECT Other)
{
    FLT_CONTEXT_TYPE Type = Kinds[Kind].Type;
    PFLT_CONTEXT One = New(Type), Two = New(Type), Found = (PFLT_CONTEXT)1;
    BOOLEAN Shared = Type != FLT_STREAMHANDLE_CONTEXT;
    SET Set = Kinds[Kind].Set;
    GET Get = Kinds[Kind].Get, Delete = Kinds[Kind].Delete;

    Cleanups = 0;
    FvCheck(Get(Instance, File, &Found) == STATUS_NOT_FOUND && Found == NULL_CONTEXT);
    Found = (PFLT_CONTEXT)1;
    FvCheck(Delete(Instance, File, &Found) == STATUS_NOT_FOUND && Found == NULL_CONTEXT);
    FvCheck(Set(Instance, File, (FLT_SET_CONTEXT_OPERATION)2, One, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(Set(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, One, NULL) == STATUS_SUCCESS);
    FvCheck(Set(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, One, NULL) == STATUS_FLT_CONTEXT_ALREADY_LINKED);
    FvCheck(Set(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Two, &Found) == STATUS_FLT_CONTEXT_ALREADY_DEFINED &&
            Is(Found, One));
    FvCheck(Get(Instance, File, &Found) == STATUS_SUCCESS && Is(Found, One));
    FvCheck(Get(Instance, Other, &Found) == (Shared ? STATUS_SUCCESS : STATUS_NOT_FOUND) &&
            Is(Found, Shared ? One : NULL));
    FltReleaseContext(One);
    FvCheck(Cleanups == 0);
    FvCheck(Set(Instance, File, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Two, NULL) == STATUS_SUCCESS);
    FvCheck(Cleanups == 1 && Ended[0] == One && Order[0] == Type);
    FvCheck(Delete(Instance, File, &Found) == STATUS_SUCCESS && Is(Found, Two) && Cleanups == 1);
    FvCheck(Set(Instance, File, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, Two, &Found) == STATUS_SUCCESS &&
            Found == NULL_CONTEXT);
    FltDeleteContext(Two);
    FvCheck(Get(Instance, File, &Found) == STATUS_NOT_FOUND);
    FvCheck(Set(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Two, NULL) == STATUS_SUCCESS);
    FltReleaseContext(Two);
    FvCheck(Delete(Instance, File, NULL) == STATUS_SUCCESS && Cleanups == 2 && Ended[1] == Two);
}

static VOID CheckSupport(PFILE_OBJECT File)
{
    FILE_OBJECT Unopened = {0};
    PFLT_CONTEXT Found = (PFLT_CONTEXT)1;

    FvCheck(FltSupportsStreamContexts(File) && FltSupportsStreamHandleContexts(File));
    /* One stream a file: the filter manager's doing. */
    FvCheck(!FltSupportsFileContexts(File) && FltSupportsFileContextsEx(File, Instance) &&
            !FltSupportsFileContextsEx(File, NULL));
    FvCheck(!FltSupportsStreamContexts(&Unopened) && !FltSupportsStreamHandleContexts(&Unopened));
    FvCheck(!FltSupportsFileContexts(&Unopened) && !FltSupportsFileContextsEx(&Unopened, Instance));
    for (ULONG Kind = 0; Kind < RTL_NUMBER_OF(Kinds); Kind++) {
        PFLT_CONTEXT Context = New(Kinds[Kind].Type);

        FvCheck(Kinds[Kind].Set(Instance, &Unopened, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, &Found) ==
                    STATUS_NOT_SUPPORTED &&
                Found == NULL_CONTEXT);
        FvCheck(Kinds[Kind].Get(Instance, &Unopened, &Found) == STATUS_NOT_SUPPORTED && Found == NULL_CONTEXT);
        FvCheck(Kinds[Kind].Delete(Instance, &Unopened, &Found) == STATUS_NOT_SUPPORTED && Found == NULL_CONTEXT);
        Cleanups = 0;
        FltReleaseContext(Context); /* the failed set took nothing */
        FvCheck(Cleanups == 1);
    }
    FvCheck(FltSetStreamHandleContext(Instance, NULL, FLT_SET_CONTEXT_KEEP_IF_EXISTS, NULL, NULL) ==
            STATUS_NOT_SUPPORTED);
}

static VOID CheckAbsent(PFILE_OBJECT File)
{
    PFLT_CONTEXT Context = New(FLT_TRANSACTION_CONTEXT), Found = (PFLT_CONTEXT)1;

    FvCheck(FltSetTransactionContext(Instance, NULL, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Context, &Found) ==
                STATUS_NOT_SUPPORTED &&
            Found == NULL_CONTEXT);
    FltReleaseContext(Context);
    FvCheck(FltGetTransactionContext(Instance, NULL, &Found) == STATUS_NOT_FOUND && Found == NULL_CONTEXT);
    FvCheck(FltDeleteTransactionContext(Instance, NULL, &Found) == STATUS_NOT_FOUND && Found == NULL_CONTEXT);
    FvCheck(FltGetSectionContext(Instance, File, &Found) == STATUS_NOT_SUPPORTED && Found == NULL_CONTEXT);
}

static VOID SetAll(PFILE_OBJECT File, PFLT_CONTEXT *All)
{
    for (ULONG Kind = 0; Kind < RTL_NUMBER_OF(Kinds); Kind++) {
        All[Kind] = New(Kinds[Kind].Type);
        FvCheck(NT_SUCCESS(Kinds[Kind].Set(Instance, File, FLT_SET_CONTEXT_REPLACE_IF_EXISTS, All[Kind], NULL)));
        FltReleaseContext(All[Kind]);
    }
}

/* FltObjects as a callback has them. */
static VOID CheckRelated(PFILE_OBJECT File)
{
    FLT_RELATED_OBJECTS Objects = {sizeof(Objects), 0, Filter, Volume, Instance, File, NULL};
    PFLT_CONTEXT All[3], OfInstance = New(FLT_INSTANCE_CONTEXT);
    FLT_RELATED_CONTEXTS Got;
    FLT_RELATED_CONTEXTS_EX GotEx;

    SetAll(File, All);
    FvCheck(NT_SUCCESS(FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, OfInstance, NULL)));
    FltReleaseContext(OfInstance);
    RtlFillMemory(&Got, sizeof(Got), 0xEE);
    FltGetContexts(&Objects, FLT_ALL_CONTEXTS, &Got);
    FvCheck(Got.VolumeContext == NULL && Got.TransactionContext == NULL); /* there are none */
    FvCheck(Got.InstanceContext == OfInstance && Got.StreamContext == All[0] && Got.StreamHandleContext == All[1] &&
            Got.FileContext == All[2]);
    Cleanups = 0;
    FltDeleteContext(Got.StreamContext);
    FvCheck(Cleanups == 0); /* we have a reference */
    FltReleaseContexts(&Got);
    FvCheck(Cleanups == 1 && Got.InstanceContext == NULL && Got.StreamHandleContext == NULL && Got.FileContext == NULL);
    RtlFillMemory(&Got, sizeof(Got), 0xEE);
    FltGetContexts(&Objects, FLT_FILE_CONTEXT | FLT_STREAM_CONTEXT, &Got);
    FvCheck(Got.FileContext == All[2] && Got.StreamContext == NULL && Got.InstanceContext == NULL);
    FltReleaseContexts(&Got);
    RtlFillMemory(&GotEx, sizeof(GotEx), 0xEE);
    FvCheck(FltGetContextsEx(&Objects, FLT_ALL_CONTEXTS, sizeof(GotEx), &GotEx) == STATUS_SUCCESS);
    FvCheck(GotEx.InstanceContext == OfInstance && GotEx.SectionContext == NULL && GotEx.StreamHandleContext == All[1]);
    FltReleaseContextsEx(sizeof(GotEx), &GotEx);
    FvCheck(GotEx.InstanceContext == NULL && GotEx.FileContext == NULL && GotEx.StreamHandleContext == NULL);
    FvCheck(FltGetContextsEx(&Objects, 0x80, sizeof(GotEx), &GotEx) == STATUS_INVALID_PARAMETER);
    FvCheck(FltGetContextsEx(&Objects, FLT_SECTION_CONTEXT, sizeof(Got), &GotEx) == STATUS_INVALID_PARAMETER);
    FltDeleteInstanceContext(Instance, NULL);
}

/* A handle's contexts end with its close, the stream's and the file's with the last one. */
static VOID CheckClosing(PFILE_OBJECT First, HANDLE FirstHandle, PFILE_OBJECT Second, HANDLE SecondHandle)
{
    PFLT_CONTEXT OfFirst[3], OfSecond = New(FLT_STREAMHANDLE_CONTEXT);

    SetAll(First, OfFirst);
    FltSetStreamHandleContext(Instance, Second, FLT_SET_CONTEXT_KEEP_IF_EXISTS, OfSecond, NULL);
    FltReleaseContext(OfSecond);
    Cleanups = 0;
    Close(First, FirstHandle);
    FvCheck(Cleanups == 1 && Ended[0] == OfFirst[1]);
    Close(Second, SecondHandle);
    FvCheck(Cleanups == 4 && Ended[1] == OfSecond && Order[2] == FLT_STREAM_CONTEXT && Order[3] == FLT_FILE_CONTEXT);
    FvCheck(Ended[2] == OfFirst[0] && Ended[3] == OfFirst[2]);
}

/* A reference keeps the memory and delays the end, but nobody finds it. */
static VOID CheckReferenced(VOID)
{
    PFLT_CONTEXT Mine = New(FLT_STREAM_CONTEXT), Found;
    HANDLE Handle;
    PFILE_OBJECT File = Open(&Handle);

    FltSetStreamContext(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Mine, NULL);
    Cleanups = 0;
    Close(File, Handle);
    FvCheck(Cleanups == 0);
    File = Open(&Handle);
    FvCheck(FltGetStreamContext(Instance, File, &Found) == STATUS_NOT_FOUND);
    FvCheck(FltSetStreamContext(Instance, File, FLT_SET_CONTEXT_KEEP_IF_EXISTS, Mine, NULL) == STATUS_SUCCESS);
    FltReleaseContext(Mine);
    Close(File, Handle);
    FvCheck(Cleanups == 1);
}

/* Many handles of one stream. */
static VOID CheckMany(VOID)
{
    PFLT_CONTEXT Each[24], Found;
    PFILE_OBJECT Files[24];
    HANDLE Handles[24];
    ULONG Right = 0;

    for (ULONG Index = 0; Index < 24; Index++) {
        Files[Index] = Open(&Handles[Index]);
        FltAllocateContext(Filter, FLT_STREAMHANDLE_CONTEXT, 40, NonPagedPoolNx, &Each[Index]);
        FltSetStreamHandleContext(Instance, Files[Index], FLT_SET_CONTEXT_KEEP_IF_EXISTS, Each[Index], NULL);
        FltReleaseContext(Each[Index]);
    }
    for (ULONG Index = 0; Index < 24; Index++)
        Right += FltGetStreamHandleContext(Instance, Files[Index * 7 % 24], &Found) == STATUS_SUCCESS &&
                 Is(Found, Each[Index * 7 % 24]);
    FvCheck(Right == 24);
    Cleanups = 0;
    for (ULONG Index = 0; Index < 16; Index++)
        Close(Files[Index * 3 % 16], Handles[Index * 3 % 16]);
    FvCheck(Cleanups == 16);
    for (Right = 0; Right < 16 && Ended[Right] == Each[Right * 3 % 16]; Right++)
        ;
    FvCheck(Right == 16);
    for (ULONG Index = 16; Index < 24; Index++)
        Close(Files[Index], Handles[Index]);
    FvCheck(Cleanups == 24);
}

/* --- Creates --- */

static FLT_PREOP_CALLBACK_STATUS NTAPI PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                 PVOID *Context)
{
    PFLT_CONTEXT Found;

    if (Case != Created)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    FltAllocateContext(Filter, FLT_STREAMHANDLE_CONTEXT, 40, PagedPool, Context);
    Created1 = FltSetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
                                         *Context, NULL) == STATUS_NOT_SUPPORTED &&
               FltGetStreamContext(FltObjects->Instance, FltObjects->FileObject, &Found) == STATUS_NOT_SUPPORTED;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                   PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    Created2 = FltSetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject, FLT_SET_CONTEXT_KEEP_IF_EXISTS,
                                         Context, NULL) == STATUS_SUCCESS;
    FltReleaseContext(Context);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static BOOLEAN InPreClose, InPostClose;

static FLT_PREOP_CALLBACK_STATUS NTAPI PreClose(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID *Context)
{
    PFLT_CONTEXT Found;

    if (Case != Created)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    InPreClose = FltGetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject, &Found) == STATUS_SUCCESS;
    if (InPreClose)
        FltReleaseContext(Found);
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI PostClose(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID Context, FLT_POST_OPERATION_FLAGS Flags)
{
    PFLT_CONTEXT Found;

    InPostClose =
        FltGetStreamHandleContext(FltObjects->Instance, FltObjects->FileObject, &Found) == STATUS_NOT_SUPPORTED;
    return FLT_POSTOP_FINISHED_PROCESSING;
}

/* As the documentation's own example: allocated before, set after the create. */
static VOID CheckCreated(VOID)
{
    HANDLE Handle;
    PFILE_OBJECT File = Open(&Handle);

    FvCheck(Created1 && Created2);
    Cleanups = 0;
    Close(File, Handle);
    FvCheck(InPreClose && InPostClose && Cleanups == 1 && Order[0] == FLT_STREAMHANDLE_CONTEXT);
}

/* --- Detaching, with the stream still open --- */

static PFILE_OBJECT LeftOpen;
static HANDLE LeftHandle;

static VOID CheckDetaching(VOID)
{
    UNICODE_STRING Altitude = RTL_CONSTANT_STRING(L"55"), Name = RTL_CONSTANT_STRING(L"second");
    PFLT_CONTEXT All[3], OfInstance, Found = NULL;
    PFLT_INSTANCE First = Instance;

    LeftOpen = Open(&LeftHandle);
    SetAll(LeftOpen, All);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, &Altitude, &Name, &Instance) == STATUS_SUCCESS);
    SetAll(LeftOpen, All); /* the second instance's */
    OfInstance = New(FLT_INSTANCE_CONTEXT);
    FltSetInstanceContext(Instance, FLT_SET_CONTEXT_KEEP_IF_EXISTS, OfInstance, NULL);
    FltReleaseContext(OfInstance);
    FltObjectDereference(Instance);
    Cleanups = 0;
    FvCheck(FltDetachVolume(Filter, Volume, &Name) == STATUS_SUCCESS);
    FvCheck(Cleanups == 4 && Ended[0] == All[1] && Ended[1] == All[0] && Ended[2] == All[2] && Ended[3] == OfInstance);
    Instance = First;
    for (ULONG Kind = 0; Kind < RTL_NUMBER_OF(Kinds); Kind++) {
        FvCheck(Kinds[Kind].Get(Instance, LeftOpen, &Found) == STATUS_SUCCESS);
        FltReleaseContext(Found);
    }
    Cleanups = 0;
}

static NTSTATUS NTAPI MayDetach(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(Instance);
    FltObjectDereference(Volume);
    FltUnregisterFilter(Filter);
    if (Case == Detached) {
        FvCheck(Cleanups == 3 && Order[0] == FLT_STREAMHANDLE_CONTEXT && Order[1] == FLT_STREAM_CONTEXT &&
                Order[2] == FLT_FILE_CONTEXT);
        Close(LeftOpen, LeftHandle);
        FvCheck(Cleanups == 3);
    }
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_CREATE, 0, PreCreate, PostCreate},
    {IRP_MJ_CLOSE, 0, PreClose, PostClose},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .ContextRegistration = Contexts,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
    .InstanceQueryTeardownCallback = MayDetach,
};

static VOID CheckKept(VOID)
{
    HANDLE Handle, OtherHandle;
    PFILE_OBJECT File = Open(&Handle), Other = Open(&OtherHandle);

    for (ULONG Kind = 0; Kind < RTL_NUMBER_OF(Kinds); Kind++)
        CheckKind(Kind, File, Other);
    CheckSupport(File);
    CheckAbsent(File);
    CheckRelated(File);
    CheckClosing(File, Handle, Other, OtherHandle);
    CheckReferenced();
    CheckMany();
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    NTSTATUS Status;

    Case = ReadNumber(Key, L"Case");
    FvTestPlan(ReadNumber(Key, L"Plan"));
    Status = FltRegisterFilter(Driver, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    Status = FltGetVolumeInstanceFromName(Filter, Volume, NULL, &Instance);
    if (!NT_SUCCESS(Status)) {
        FltUnregisterFilter(Filter);
        return Status;
    }
    if (Case == Kept)
        CheckKept();
    else if (Case == Created)
        CheckCreated();
    else
        CheckDetaching();
    return STATUS_SUCCESS;
}
