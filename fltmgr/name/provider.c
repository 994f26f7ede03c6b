/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * provider.c: filters that give names themselves.  Who asks gets the name that the next provider below makes, which asks
 * further down the same way.  IRQL: PASSIVE_LEVEL.
 */
#include <name.h>

#define FLTP_COMPONENT_SIZE (sizeof(FILE_NAMES_INFORMATION) + 256 * sizeof(WCHAR))

static BOOLEAN FltpProvides(PFLT_INSTANCE Instance)
{
    return Instance->State == FltpInstanceActive && Instance->Filter->Registration.GenerateFileNameCallback != NULL;
}

/* Referenced.  Below the asker, or from it on when it says so; from the top where nobody is the asker. */
PFLT_INSTANCE FltpFindProvider(const FLTP_NAME_QUERY *Query)
{
    PFLT_VOLUME Volume = Query->Volume;
    BOOLEAN Self = FlagOn(Query->Options, FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER) != 0;
    PFLT_INSTANCE Found = NULL;
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&Volume->Lock);
    PLIST_ENTRY Link = Query->Instance == NULL ? Volume->Instances.Flink
                       : Self                  ? &Query->Instance->Link
                                               : Query->Instance->Link.Flink;

    for (; Link != &Volume->Instances && Found == NULL; Link = Link->Flink) {
        PFLT_INSTANCE Instance = CONTAINING_RECORD(Link, FLT_INSTANCE, Link);

        if (FltpProvides(Instance) && FltpAcquireRundown(&Instance->Object.Rundown))
            Found = Instance;
    }
    KeReleaseSpinLock(&Volume->Lock, Irql);
    return Found;
}

/* While the callback runs, the operation is its instance's: what it asks by the same callback data is asked below it. */
static NTSTATUS FltpGenerate(const FLTP_NAME_QUERY *Query, PFLT_INSTANCE Provider, FLT_FILE_NAME_OPTIONS Options,
                             PFLT_NAME_CONTROL Name)
{
    PFLT_GENERATE_FILE_NAME Generate = Provider->Filter->Registration.GenerateFileNameCallback;
    PFLT_INSTANCE Asker = NULL;
    BOOLEAN Cache = FALSE;
    NTSTATUS Status;
    FV_CALL Call;

    if (Query->Data != NULL) {
        Asker = Query->Data->Iopb->TargetInstance;
        Query->Data->Iopb->TargetInstance = Provider;
    }
    Name->Name.Length = 0;
    ClearFlag(Options, FLT_FILE_NAME_REQUEST_FROM_CURRENT_PROVIDER);
    FvBeginCall(&Call);
    Status = Generate(Provider, Query->FileObject, Query->Data, Options, &Cache, Name);
    FvEndCall(&Call, (PVOID)Generate, "name provider's callback", (ULONG_PTR)Query->FileObject);
    if (!Cache && Query->NotKept != NULL)
        *Query->NotKept = TRUE;
    if (Query->Data != NULL)
        Query->Data->Iopb->TargetInstance = Asker;
    return Status;
}

BOOLEAN FltpNormalizes(PFLT_INSTANCE Provider)
{
    const FLT_REGISTRATION *Registration = &Provider->Filter->Registration;

    return Registration->NormalizeNameComponentCallback != NULL ||
           Registration->NormalizeNameComponentExCallback != NULL;
}

static NTSTATUS FltpCallNormalize(const FLTP_NAME_QUERY *Query, PFLT_INSTANCE Provider, PCUNICODE_STRING Parent,
                                  PCUNICODE_STRING Component, PFILE_NAMES_INFORMATION Entry, PVOID *Context)
{
    const FLT_REGISTRATION *Registration = &Provider->Filter->Registration;
    FLT_NORMALIZE_NAME_FLAGS Flags = Query->Destination ? FLTFL_NORMALIZE_NAME_DESTINATION_FILE_NAME : 0;
    PFLT_NORMALIZE_NAME_COMPONENT_EX Extended = Registration->NormalizeNameComponentExCallback;
    PFLT_NORMALIZE_NAME_COMPONENT Plain = Registration->NormalizeNameComponentCallback;
    USHORT VolumeLength = Query->Volume->Name.Length;
    NTSTATUS Status;
    FV_CALL Call;

    RtlZeroMemory(Entry, FLTP_COMPONENT_SIZE);
    FvBeginCall(&Call);
    if (Extended != NULL)
        Status = Extended(Provider, Query->FileObject, Parent, VolumeLength, Component, Entry, FLTP_COMPONENT_SIZE,
                          Flags, Context);
    else
        Status = Plain(Provider, Parent, VolumeLength, Component, Entry, FLTP_COMPONENT_SIZE, Flags, Context);
    FvEndCall(&Call, Extended != NULL ? (PVOID)Extended : (PVOID)Plain, "name provider's callback",
              (ULONG_PTR)Query->FileObject);
    return Status;
}

static VOID FltpCallCleanup(PFLT_INSTANCE Provider, PVOID *Context)
{
    PFLT_NORMALIZE_CONTEXT_CLEANUP Cleanup = Provider->Filter->Registration.NormalizeContextCleanupCallback;
    FV_CALL Call;

    if (*Context == NULL || Cleanup == NULL)
        return;
    FvBeginCall(&Call);
    Cleanup(Context);
    FvEndCall(&Call, (PVOID)Cleanup, "name provider's callback", (ULONG_PTR)Provider);
}

/* Component by component.  The last need not exist: then it is as it was given. */
static NTSTATUS FltpNormalizeComponents(const FLTP_NAME_QUERY *Query, PFLT_INSTANCE Provider, PCUNICODE_STRING Whole,
                                        PFILE_NAMES_INFORMATION Entry, PVOID *Context, PFLT_NAME_CONTROL Made)
{
    USHORT At = Query->Volume->Name.Length / sizeof(WCHAR), End = Whole->Length / sizeof(WCHAR);
    NTSTATUS Status = FltpAppendName(Made, &Query->Volume->Name);

    while (NT_SUCCESS(Status) && At < End) {
        UNICODE_STRING Component;
        USHORT Next;

        Status = FltpAppendSeparator(Made);
        for (Next = ++At; Next < End && Whole->Buffer[Next] != '\\'; Next++)
            continue;
        Component.Buffer = Whole->Buffer + At;
        Component.Length = Component.MaximumLength = (USHORT)((Next - At) * sizeof(WCHAR));
        At = Next;
        if (!NT_SUCCESS(Status) || Component.Length == 0)
            continue;
        Status = FltpCallNormalize(Query, Provider, &Made->Name, &Component, Entry, Context);
        if (NT_SUCCESS(Status) &&
            Entry->FileNameLength <= FLTP_COMPONENT_SIZE - FIELD_OFFSET(FILE_NAMES_INFORMATION, FileName)) {
            Component.Buffer = Entry->FileName;
            Component.Length = Component.MaximumLength = (USHORT)Entry->FileNameLength;
        } else if (Status == STATUS_NO_SUCH_FILE && At >= End) {
            Status = STATUS_SUCCESS;
        }
        if (NT_SUCCESS(Status))
            Status = FltpAppendName(Made, &Component);
    }
    return Status;
}

NTSTATUS FltpNormalizeByProvider(const FLTP_NAME_QUERY *Query, PFLT_INSTANCE Provider, PFLT_NAME_CONTROL Name)
{
    PFILE_NAMES_INFORMATION Entry = ExAllocatePoolWithTag(PagedPool, FLTP_COMPONENT_SIZE, FLTP_TAG_FILE_NAME);
    FLT_NAME_CONTROL Made = {0};
    PVOID Context = NULL;
    NTSTATUS Status;

    if (Entry == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = FltpNormalizeComponents(Query, Provider, &Name->Name, Entry, &Context, &Made);
    FltpCallCleanup(Provider, &Context);
    ExFreePoolWithTag(Entry, FLTP_TAG_FILE_NAME);
    FltpFreeNameControl(NT_SUCCESS(Status) ? Name : &Made);
    if (NT_SUCCESS(Status))
        *Name = Made;
    return Status;
}

/* Documented: a provider that does not generate a normalized name generates the opened one, which is normalized. */
NTSTATUS FltpAskProvider(const FLTP_NAME_QUERY *Query, PFLT_INSTANCE Provider, PFLT_NAME_CONTROL Name)
{
    FLT_FILE_NAME_OPTIONS Options = Query->Options;
    NTSTATUS Status = FltpGenerate(Query, Provider, Options, Name);

    if (NT_SUCCESS(Status) || FltGetFileNameFormat(Options) != FLT_FILE_NAME_NORMALIZED)
        return Status;
    Options = (Options & ~FLT_VALID_FILE_NAME_FORMATS) | FLT_FILE_NAME_OPENED;
    Status = FltpGenerate(Query, Provider, Options, Name);
    if (!NT_SUCCESS(Status) || !RtlPrefixUnicodeString(&Query->Volume->Name, &Name->Name, TRUE))
        return Status;
    return FltpNormalizes(Provider) ? FltpNormalizeByProvider(Query, Provider, Name)
                                    : FltpNormalizeByParent(Query, Name);
}
