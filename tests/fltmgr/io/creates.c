/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that a filter opens itself: who below and above sees what of them, shares, parameters, and what is left open.  The
 * filter has two instances, "upper" and "lower".  The service's value "Case" says which.
 */
#include "../../inc/minifilter.h"

enum {
    Opens = 1,
    LeavesHandle,
    LeavesObject,
    CancelsElsewhere,
    FreesInList,
    FreesTwice,
    InsertsTwice,
    FreesListTwice,
    FreesAttachedList,
    ClosesTwice
};

#define TAG 'erCT'

static PFLT_FILTER Filter;
static PFLT_VOLUME Volume;
static PFLT_INSTANCE Upper, Lower;
static ULONG Case;
static UNICODE_STRING VolumeName = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1");

static const GUID First = {0x11111111, 1, 2, {1}}, Second = {0x22222222, 1, 2, {2}}, Third = {0x33333333, 1, 2, {3}};

/* What each instance saw since the last look: creates, reads, cleanups, closes. */
typedef struct {
    LONG Creates, Reads, Cleanups, Closes;
} SEEN;

static SEEN Seen[2]; /* upper, lower */
static BOOLEAN Refuse, Attach;
static NTSTATUS EcpStatus, SecondStatus, AttachStatus;
static ULONG EcpValue, EcpSize;
static BOOLEAN EcpUser;
static LONG Cleanups;
static GUID CleanedType;

static BOOLEAN Saw(ULONG Which, LONG Creates, LONG Reads, LONG Ends, LONG Closes)
{
    SEEN Then = Seen[Which];

    RtlZeroMemory(&Seen[Which], sizeof(SEEN));
    if (Then.Creates == Creates && Then.Reads == Reads && Then.Cleanups == Ends && Then.Closes == Closes)
        return TRUE;
    DbgPrint("creates: instance %u saw %d %d %d %d\n", Which, Then.Creates, Then.Reads, Then.Cleanups, Then.Closes);
    return FALSE;
}

static VOID NTAPI CleanUp(PVOID Context, LPCGUID Type)
{
    Cleanups++;
    CleanedType = *Type;
}

/* In the lower instance's pre-create: what came along, and one of its own. */
static VOID LookAtParameters(PFLT_CALLBACK_DATA Data)
{
    PECP_LIST List = (PECP_LIST)1;
    PVOID Context = NULL;

    EcpStatus = FltGetEcpListFromCallbackData(Filter, Data, &List);
    if (List != NULL) {
        EcpStatus = FltFindExtraCreateParameter(Filter, List, &First, &Context, &EcpSize);
        if (NT_SUCCESS(EcpStatus)) {
            EcpValue = *(PULONG)Context;
            EcpUser = FltIsEcpFromUserMode(Filter, Context) || FltIsEcpAcknowledged(Filter, Context);
            FltAcknowledgeEcp(Filter, Context);
        }
        SecondStatus = FltFindExtraCreateParameter(Filter, List, &Second, NULL, NULL);
        if (NT_SUCCESS(FltAllocateExtraCreateParameter(Filter, &Third, 8, 0, CleanUp, TAG, &Context)))
            FltInsertExtraCreateParameter(Filter, List, Context); /* goes when the open is over */
    } else if (Attach) {
        FvCheck(NT_SUCCESS(FltAllocateExtraCreateParameterList(Filter, 0, &List)));
        FvCheck(NT_SUCCESS(FltAllocateExtraCreateParameter(Filter, &Third, 8, 0, CleanUp, TAG, &Context)));
        FvCheck(NT_SUCCESS(FltInsertExtraCreateParameter(Filter, List, Context)));
        AttachStatus = FltSetEcpListIntoCallbackData(Filter, Data, List);
        FvCheck(FltSetEcpListIntoCallbackData(Filter, Data, List) == STATUS_INVALID_PARAMETER_3);
    }
}

/* With an open from then on, and freed when that is over. */
static DECLSPEC_NOINLINE VOID FreeAttached(PFLT_CALLBACK_DATA Data)
{
    PECP_LIST List;

    FltAllocateExtraCreateParameterList(Filter, 0, &List);
    FltSetEcpListIntoCallbackData(Filter, Data, List);
    FltFreeExtraCreateParameterList(Filter, List); /* [5] */
}

static FLT_PREOP_CALLBACK_STATUS NTAPI Pre(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects, PVOID *Completion)
{
    SEEN *Mine = &Seen[FltObjects->Instance == Upper ? 0 : 1];

    switch (Data->Iopb->MajorFunction) {
    case IRP_MJ_CREATE:
        if (Case == FreesAttachedList)
            FreeAttached(Data);
        Mine->Creates++;
        if (FltObjects->Instance == Lower)
            LookAtParameters(Data);
        return FLT_PREOP_SYNCHRONIZE;
    case IRP_MJ_READ:
        Mine->Reads++;
        if (Case == CancelsElsewhere)
            FltCancelFileOpen(FltObjects->Instance, FltObjects->FileObject); /* [cancel] */
        break;
    case IRP_MJ_CLEANUP: Mine->Cleanups++; break;
    case IRP_MJ_CLOSE: Mine->Closes++; break;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_POSTOP_CALLBACK_STATUS NTAPI PostCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                   PVOID Completion, FLT_POST_OPERATION_FLAGS Flags)
{
    if (Refuse && FltObjects->Instance == Upper && NT_SUCCESS(Data->IoStatus.Status)) {
        FltCancelFileOpen(FltObjects->Instance, FltObjects->FileObject);
        FvCheck(FltObjects->FileObject->Flags & FO_FILE_OPEN_CANCELLED);
        Data->IoStatus.Status = STATUS_ACCESS_DENIED;
        Data->IoStatus.Information = 0;
    }
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS Create(PFLT_INSTANCE Instance, PHANDLE Handle, PFILE_OBJECT *File, ULONG Share, ULONG Flags,
                       PIO_DRIVER_CREATE_CONTEXT Context)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK IoStatus;

    InitializeObjectAttributes(&Attributes, &VolumeName, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    if (Context != NULL)
        return FltCreateFileEx2(Filter, Instance, Handle, File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus,
                                NULL, 0, Share, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, Flags, Context);
    if (File != NULL)
        return FltCreateFileEx(Filter, Instance, Handle, File, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus,
                               NULL, 0, Share, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, Flags);
    return FltCreateFile(/* [handle] */ Filter, Instance, Handle, FILE_READ_DATA | SYNCHRONIZE, &Attributes, &IoStatus,
                         NULL, 0, Share, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0, Flags);
}

static BOOLEAN Read(HANDLE Handle)
{
    static UCHAR Buffer[512];
    LARGE_INTEGER Offset = {.QuadPart = 0};
    IO_STATUS_BLOCK IoStatus;

    return ZwReadFile(Handle, NULL, NULL, NULL, &IoStatus, Buffer, sizeof(Buffer), &Offset, NULL) == STATUS_SUCCESS &&
           IoStatus.Information == sizeof(Buffer);
}

#define ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* Who sees what is opened from where, and what is done with it by its handle. */
static VOID CheckWhoSees(PFLT_INSTANCE From, LONG UpperSees, LONG LowerSees)
{
    HANDLE Handle = NULL;

    FvCheck(Create(From, &Handle, NULL, ALL, 0, NULL) == STATUS_SUCCESS && Handle != NULL);
    FvCheck(Saw(0, UpperSees, 0, 0, 0) && Saw(1, LowerSees, 0, 0, 0));
    FvCheck(Read(Handle));
    FvCheck(Saw(0, 0, UpperSees, 0, 0) && Saw(1, 0, LowerSees, 0, 0));
    FvCheck(FltClose(Handle) == STATUS_SUCCESS);
    FvCheck(Saw(0, 0, 0, UpperSees, UpperSees) && Saw(1, 0, 0, LowerSees, LowerSees));
}

static VOID CheckFileObject(VOID)
{
    HANDLE Handle = NULL;
    PFILE_OBJECT File = NULL;
    ULONG BytesRead = 0;
    LARGE_INTEGER Offset = {.QuadPart = 0};
    static UCHAR Buffer[512];

    FvCheck(Create(Upper, &Handle, &File, ALL, 0, NULL) == STATUS_SUCCESS && File != NULL &&
            File->DeviceObject != NULL);
    FvCheck(FltReadFile(Upper, File, &Offset, sizeof(Buffer), Buffer, 0, &BytesRead, NULL, NULL) == STATUS_SUCCESS &&
            BytesRead == sizeof(Buffer));
    FvCheck(Saw(0, 0, 0, 0, 0) && Saw(1, 1, 1, 0, 0));
    FltClose(Handle);
    FvCheck(Saw(1, 0, 0, 1, 0)); /* the reference is the caller's: no close yet */
    ObDereferenceObject(File);
    FvCheck(Saw(0, 0, 0, 0, 0) && Saw(1, 0, 0, 0, 1));

    Handle = NULL;
    File = NULL;
    FvCheck(FltOpenVolume(Upper, &Handle, &File) == STATUS_SUCCESS && File != NULL);
    FvCheck(Saw(0, 0, 0, 0, 0) && Saw(1, 1, 0, 0, 0) && Read(Handle));
    FltClose(Handle);
    ObDereferenceObject(File);
    FvCheck(Saw(0, 0, 0, 0, 0) && Saw(1, 0, 1, 1, 1));
    FvCheck(FltOpenVolume(Lower, &Handle, NULL) == STATUS_SUCCESS && FltClose(Handle) == STATUS_SUCCESS);
    FvCheck(Saw(0, 0, 0, 0, 0) && Saw(1, 0, 0, 0, 0));
}

static VOID CheckRefusals(VOID)
{
    UNICODE_STRING Absent = RTL_CONSTANT_STRING(L"\\Device\\NoSuchVolume");
    OBJECT_ATTRIBUTES Attributes;
    IO_DRIVER_CREATE_CONTEXT Context;
    IO_STATUS_BLOCK IoStatus;
    HANDLE Handle = NULL, Other = NULL;

    IoInitializeDriverCreateContext(&Context);
    Context.Size++;
    FvCheck(Create(Upper, &Handle, NULL, ALL, 0, &Context) == STATUS_INVALID_PARAMETER);
    FvCheck(Create(Upper, &Handle, NULL, 0x100, 0, NULL) == STATUS_INVALID_PARAMETER);
    InitializeObjectAttributes(&Attributes, &Absent, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(FltCreateFile(Filter, NULL, &Handle, FILE_READ_DATA, &Attributes, &IoStatus, NULL, 0, ALL, FILE_OPEN, 0,
                          NULL, 0, 0) == STATUS_OBJECT_NAME_NOT_FOUND);
    FvCheck(FltClose((HANDLE)(LONG_PTR)-0x7654320) == STATUS_INVALID_HANDLE);
    FvCheck(Saw(0, 0, 0, 0, 0) && Saw(1, 0, 0, 0, 0));

    /* Nobody else, until somebody does not ask. */
    FvCheck(Create(Upper, &Handle, NULL, 0, 0, NULL) == STATUS_SUCCESS);
    FvCheck(Create(Upper, &Other, NULL, ALL, 0, NULL) == STATUS_SHARING_VIOLATION);
    FvCheck(Create(Upper, &Other, NULL, ALL, IO_IGNORE_SHARE_ACCESS_CHECK, NULL) == STATUS_SUCCESS);
    FltClose(Other);
    FltClose(Handle);
    RtlZeroMemory(Seen, sizeof(Seen));

    Refuse = TRUE;
    FvCheck(Create(NULL, &Handle, NULL, ALL, 0, NULL) == STATUS_ACCESS_DENIED);
    Refuse = FALSE;
    FvCheck(Saw(0, 1, 0, 0, 0) && Saw(1, 1, 0, 1, 1)); /* for those below it was opened and closed */
}

/* A file of an instance that goes is from then on one of the next higher. */
static VOID CheckInstanceGoes(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"middle"), Altitude = RTL_CONSTANT_STRING(L"370060");
    UNICODE_STRING NextName = RTL_CONSTANT_STRING(L"next"), NextAltitude = RTL_CONSTANT_STRING(L"370065");
    PFLT_INSTANCE Middle = NULL, Next = NULL;
    HANDLE Handle = NULL;

    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, &Altitude, &Name, &Middle) == STATUS_SUCCESS);
    FvCheck(Create(Middle, &Handle, NULL, ALL, 0, NULL) == STATUS_SUCCESS);
    FltObjectDereference(Middle);
    FvCheck(FltAttachVolumeAtAltitude(Filter, Volume, &NextAltitude, &NextName, &Next) == STATUS_SUCCESS);
    FltObjectDereference(Next);
    FvCheck(FltDetachVolume(Filter, Volume, &Name) == STATUS_SUCCESS);
    RtlZeroMemory(Seen, sizeof(Seen));
    FvCheck(Read(Handle) && Saw(0, 0, 0, 0, 0) && Saw(1, 0, 1, 0, 0));
    FvCheck(FltDetachVolume(Filter, Volume, &NextName) == STATUS_SUCCESS); /* and of the next after that */
    FvCheck(Read(Handle) && Saw(0, 0, 0, 0, 0) && Saw(1, 0, 1, 0, 0));
    FvCheck(FltClose(Handle) == STATUS_SUCCESS && Saw(0, 0, 0, 0, 0) && Saw(1, 0, 0, 1, 1));
}

static VOID CheckList(VOID)
{
    PECP_LIST List = NULL;
    PVOID One = NULL, Two = NULL, Again = NULL, Found = NULL;
    GUID Type;
    ULONG Size = 1;

    Cleanups = 0;
    FvCheck(FltAllocateExtraCreateParameterList(Filter, 0, &List) == STATUS_SUCCESS && List != NULL);
    FvCheck(FltGetNextExtraCreateParameter(Filter, List, NULL, NULL, &Found, &Size) == STATUS_NOT_FOUND &&
            Found == NULL);
    FvCheck(FltAllocateExtraCreateParameter(Filter, &First, 4, 0, CleanUp, TAG, &One) == STATUS_SUCCESS);
    FvCheck(*(PULONG)One == 0 && !FltIsEcpAcknowledged(Filter, One) && !FltIsEcpFromUserMode(Filter, One));
    FvCheck(FltAllocateExtraCreateParameter(Filter, &First, 4, 0, NULL, TAG, &Again) == STATUS_SUCCESS);
    FvCheck(FltAllocateExtraCreateParameter(Filter, &Second, 12, FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL, CleanUp, TAG,
                                            &Two) == STATUS_SUCCESS);
    FvCheck(FltInsertExtraCreateParameter(Filter, List, One) == STATUS_SUCCESS);
    FvCheck(FltInsertExtraCreateParameter(Filter, List, Again) == STATUS_INVALID_PARAMETER); /* one of a type */
    FltFreeExtraCreateParameter(Filter, Again);
    FvCheck(FltInsertExtraCreateParameter(Filter, List, Two) == STATUS_SUCCESS);
    FvCheck(FltGetNextExtraCreateParameter(Filter, List, NULL, &Type, &Found, &Size) == STATUS_SUCCESS &&
            Found == One && Size == 4 && RtlEqualMemory(&Type, &First, sizeof(Type)));
    FvCheck(FltGetNextExtraCreateParameter(Filter, List, One, &Type, &Found, &Size) == STATUS_SUCCESS && Found == Two &&
            Size == 12 && RtlEqualMemory(&Type, &Second, sizeof(Type)));
    FvCheck(FltGetNextExtraCreateParameter(Filter, List, Two, NULL, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(FltFindExtraCreateParameter(Filter, List, &Third, &Found, &Size) == STATUS_NOT_FOUND && Found == NULL &&
            Size == 0);
    FltAcknowledgeEcp(Filter, Two);
    FvCheck(FltIsEcpAcknowledged(Filter, Two) && !FltIsEcpAcknowledged(Filter, One));
    FltPrepareToReuseEcp(Filter, Two);
    FvCheck(!FltIsEcpAcknowledged(Filter, Two));
    FvCheck(FltRemoveExtraCreateParameter(Filter, List, &Second, &Found, &Size) == STATUS_SUCCESS && Found == Two &&
            Size == 12);
    FvCheck(FltRemoveExtraCreateParameter(Filter, List, &Second, &Found, NULL) == STATUS_NOT_FOUND && Cleanups == 0);
    FltFreeExtraCreateParameter(Filter, Two);
    FvCheck(Cleanups == 1 && RtlEqualMemory(&CleanedType, &Second, sizeof(GUID)));
    FltFreeExtraCreateParameterList(Filter, List); /* with what is in it */
    FvCheck(Cleanups == 2 && RtlEqualMemory(&CleanedType, &First, sizeof(GUID)));
    Cleanups = 0;
}

static VOID CheckLookaside(VOID)
{
    static NPAGED_LOOKASIDE_LIST Nonpaged;
    static PAGED_LOOKASIDE_LIST Paged;
    PVOID One = NULL, Two = NULL, Large = NULL;

    FltInitExtraCreateParameterLookasideList(Filter, &Nonpaged, FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL, 32, TAG);
    FltInitExtraCreateParameterLookasideList(Filter, &Paged, 0, 32, TAG);
    FvCheck(FltAllocateExtraCreateParameterFromLookasideList(Filter, &First, 32, FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL,
                                                             CleanUp, &Nonpaged, &One) == STATUS_SUCCESS);
    FvCheck(FltAllocateExtraCreateParameterFromLookasideList(Filter, &Second, 8, 0, NULL, &Paged, &Two) ==
            STATUS_SUCCESS);
    FvCheck(FltAllocateExtraCreateParameterFromLookasideList(Filter, &Third, 400, 0, NULL, &Paged, &Large) ==
            STATUS_SUCCESS);
    RtlFillMemory(One, 32, 1);
    RtlFillMemory(Large, 400, 1);
    FltFreeExtraCreateParameter(Filter, One);
    FltFreeExtraCreateParameter(Filter, Two);
    FltFreeExtraCreateParameter(Filter, Large);
    FvCheck(Cleanups == 1);
    Cleanups = 0;
    FltDeleteExtraCreateParameterLookasideList(Filter, &Nonpaged, FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL);
    FltDeleteExtraCreateParameterLookasideList(Filter, &Paged, 0);
}

/* Parameters go with the open to those below, and the caller's list comes back as it was. */
static VOID CheckCarried(VOID)
{
    IO_DRIVER_CREATE_CONTEXT Context;
    PECP_LIST List = NULL;
    PVOID One = NULL, Found;
    HANDLE Handle = NULL;

    FvCheck(NT_SUCCESS(FltAllocateExtraCreateParameterList(Filter, 0, &List)));
    FvCheck(NT_SUCCESS(FltAllocateExtraCreateParameter(Filter, &First, 4, 0, CleanUp, TAG, &One)));
    *(PULONG)One = 42;
    FvCheck(NT_SUCCESS(FltInsertExtraCreateParameter(Filter, List, One)));
    for (ULONG Index = 0; Index < 2; Index++) {
        IoInitializeDriverCreateContext(&Context);
        Context.ExtraCreateParameter = List;
        EcpValue = EcpSize = 0;
        FvCheck(Create(Index == 0 ? Upper : NULL, &Handle, NULL, ALL, 0, &Context) == STATUS_SUCCESS);
        FvCheck(EcpStatus == STATUS_SUCCESS && EcpValue == 42 && EcpSize == 4 && !EcpUser &&
                SecondStatus == STATUS_NOT_FOUND);
        FvCheck(FltIsEcpAcknowledged(Filter, One));
        FltPrepareToReuseEcp(Filter, One);
        FvCheck(Cleanups == 1 && RtlEqualMemory(&CleanedType, &Third, sizeof(GUID))); /* what the lower one inserted */
        FvCheck(FltGetNextExtraCreateParameter(Filter, List, NULL, NULL, &Found, NULL) == STATUS_SUCCESS &&
                Found == One);
        FvCheck(FltGetNextExtraCreateParameter(Filter, List, One, NULL, NULL, NULL) == STATUS_NOT_FOUND);
        FltClose(Handle);
        Cleanups = 0;
    }
    FltFreeExtraCreateParameterList(Filter, List);
    FvCheck(Cleanups == 1);
    Cleanups = 0;

    Attach = TRUE; /* an open without parameters gets a list from a filter */
    FvCheck(Create(NULL, &Handle, NULL, ALL, 0, NULL) == STATUS_SUCCESS);
    Attach = FALSE;
    FvCheck(AttachStatus == STATUS_SUCCESS && Cleanups == 1);
    FltClose(Handle);
    Cleanups = 0;
}

/* FltClose is for files' handles. */
static VOID CheckClose(VOID)
{
    OBJECT_ATTRIBUTES Attributes;
    HANDLE Event = NULL;
    PVOID Object;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    FvCheck(NT_SUCCESS(ZwCreateEvent(&Event, EVENT_ALL_ACCESS, &Attributes, NotificationEvent, FALSE)));
    FvCheck(FltClose(Event) == STATUS_INVALID_HANDLE); /* and it is open still */
    FvCheck(NT_SUCCESS(ObReferenceObjectByHandle(Event, 0, *ExEventObjectType, KernelMode, &Object, NULL)));
    ObDereferenceObject(Object);
    FvCheck(NT_SUCCESS(ZwClose(Event)));
    /* One that was FltClose's before is told by the verifier: CloseTwice. */
    FvCheck((FvVerifierEnabled() || FltClose(Event) == STATUS_INVALID_HANDLE) &&
            FltClose(NULL) == STATUS_INVALID_HANDLE);
}

static VOID CheckAll(VOID)
{
    FvTestPlan(97);
    CheckWhoSees(NULL, 1, 1);
    CheckWhoSees(Upper, 0, 1);
    CheckWhoSees(Lower, 0, 0);
    CheckFileObject();
    CheckRefusals();
    CheckInstanceGoes();
    CheckList();
    CheckLookaside();
    CheckCarried();
    CheckClose();
}

/* Each frees what is in use, or what is free. */
static DECLSPEC_NOINLINE VOID MisuseEcps(VOID)
{
    PECP_LIST List = NULL, Other = NULL;
    PVOID One = NULL;

    FltAllocateExtraCreateParameterList(Filter, 0, &List);
    FltAllocateExtraCreateParameterList(Filter, 0, &Other);
    FltAllocateExtraCreateParameter(Filter, &First, 4, FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL, NULL, TAG, &One);
    if (Case != FreesTwice)
        FltInsertExtraCreateParameter(Filter, List, One);
    if (Case == FreesInList || Case == FreesTwice)
        FltFreeExtraCreateParameter(Filter, One); /* [1] */
    if (Case == FreesTwice)
        FltFreeExtraCreateParameter(Filter, One); /* [2] */
    if (Case == InsertsTwice)
        FltInsertExtraCreateParameter(Filter, Other, One); /* [3] */
    if (Case == FreesListTwice) {
        FltFreeExtraCreateParameterList(Filter, List);
        FltFreeExtraCreateParameterList(Filter, List); /* [4] */
    }
}

static VOID LeaveOpen(VOID)
{
    PFILE_OBJECT File;
    HANDLE Handle;

    if (Case == LeavesHandle)
        Create(Upper, &Handle, NULL, ALL, 0, NULL);
    if (Case == LeavesObject && NT_SUCCESS(FltOpenVolume(Upper, &Handle, &File))) /* [file] */
        FltClose(Handle);
}

static DECLSPEC_NOINLINE VOID CloseTwice(VOID)
{
    HANDLE Handle = NULL;

    Create(Upper, &Handle, NULL, ALL, 0, NULL);
    FltClose(Handle); /* [first] */
    FltClose(Handle); /* [second] */
}

static NTSTATUS NTAPI MayDetach(PCFLT_RELATED_OBJECTS FltObjects, FLT_INSTANCE_QUERY_TEARDOWN_FLAGS Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_CREATE, 0, Pre, PostCreate}, {IRP_MJ_READ, 0, Pre, NULL}, {IRP_MJ_CLEANUP, 0, Pre, NULL},
    {IRP_MJ_CLOSE, 0, Pre, NULL},        {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {.Size = sizeof(FLT_REGISTRATION),
                                              .Version = FLT_REGISTRATION_VERSION,
                                              .OperationRegistration = Operations,
                                              .FilterUnloadCallback = Unload,
                                              .InstanceQueryTeardownCallback = MayDetach};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNICODE_STRING UpperName = RTL_CONSTANT_STRING(L"upper"), LowerName = RTL_CONSTANT_STRING(L"lower");
    NTSTATUS Status;

    Case = ReadNumber(RegistryPath, L"Case");
    Status = FltRegisterFilter(DriverObject, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    if (!NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, Volume, &UpperName, &Upper)) ||
        !NT_SUCCESS(FltGetVolumeInstanceFromName(Filter, Volume, &LowerName, &Lower)))
        return STATUS_UNSUCCESSFUL;
    if (Case == Opens)
        CheckAll();
    else if (Case == ClosesTwice)
        CloseTwice();
    else if (Case >= FreesInList && Case != FreesAttachedList)
        MisuseEcps();
    else
        LeaveOpen();
    FltObjectDereference(Lower);
    FltObjectDereference(Upper);
    FltObjectDereference(Volume);
    return Status;
}
