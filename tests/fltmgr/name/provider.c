/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A name provider.  Mode 1: it gives every name, that of those below with ".p" behind it.  Mode 2: it gives opened names
 * as they are, and puts "n-" before each component that is normalized, but for one that is "missing".
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static ULONG Mode, Loose; /* Loose: nobody counts its calls */
static LONG Generated, Normalized, Destinations, CleanedUp;
static LONG Marker;

static NTSTATUS AskBelow(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CALLBACK_DATA Data,
                         FLT_FILE_NAME_OPTIONS Options, PFLT_FILE_NAME_INFORMATION *Name)
{
    return Data != NULL ? FltGetFileNameInformation(Data, Options, Name)
                        : FltGetFileNameInformationUnsafe(FileObject, Instance, Options, Name);
}

static NTSTATUS NTAPI Generate(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CALLBACK_DATA Data,
                               FLT_FILE_NAME_OPTIONS Options, PBOOLEAN Cache, PFLT_NAME_CONTROL FileName)
{
    PFLT_FILE_NAME_INFORMATION Below;
    NTSTATUS Status;
    PWCH Before;

    Generated++;
    *Cache = TRUE;
    if (Mode == 2 && FltGetFileNameFormat(Options) == FLT_FILE_NAME_NORMALIZED)
        return STATUS_NOT_SUPPORTED;
    Status = AskBelow(Instance, FileObject, Data, Options, &Below);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltCheckAndGrowNameControl(FileName, Below->Name.Length);
    if (NT_SUCCESS(Status)) {
        RtlCopyUnicodeString(&FileName->Name, &Below->Name);
        Before = FileName->Name.Buffer;
        Status = FltCheckAndGrowNameControl(FileName, FileName->Name.MaximumLength); /* which it has */
        FvCheck(Status == STATUS_SUCCESS && FileName->Name.Buffer == Before);
        Status = FltCheckAndGrowNameControl(FileName, FileName->Name.MaximumLength + 8);
        FvCheck(Status == STATUS_SUCCESS && RtlEqualUnicodeString(&FileName->Name, &Below->Name, FALSE) &&
                FileName->Name.MaximumLength >= Below->Name.Length + 8);
    }
    FltReleaseFileNameInformation(Below);
    return NT_SUCCESS(Status) && Mode == 1 ? RtlAppendUnicodeToString(&FileName->Name, L".p") : Status;
}

static NTSTATUS NTAPI Normalize(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PCUNICODE_STRING Parent,
                                USHORT VolumeNameLength, PCUNICODE_STRING Component, PFILE_NAMES_INFORMATION Expanded,
                                ULONG Length, FLT_NORMALIZE_NAME_FLAGS Flags, PVOID *Context)
{
    static const UNICODE_STRING Missing = RTL_CONSTANT_STRING(L"missing");
    UNICODE_STRING Name = {0, 512, Expanded->FileName};
    BOOLEAN First = Parent->Length == VolumeNameLength + sizeof(WCHAR);

    FvCheck(First ? *Context == NULL : *Context == &Marker); /* what the call before left */
    *Context = &Marker;
    Normalized++;
    if (FlagOn(Flags, FLTFL_NORMALIZE_NAME_DESTINATION_FILE_NAME))
        Destinations++;
    if (RtlEqualUnicodeString(Component, &Missing, FALSE))
        return STATUS_NO_SUCH_FILE;
    RtlAppendUnicodeToString(&Name, L"n-");
    RtlAppendUnicodeStringToString(&Name, Component);
    Expanded->FileNameLength = Name.Length;
    return STATUS_SUCCESS;
}

static VOID NTAPI Cleanup(PVOID *Context)
{
    CleanedUp++;
    FvCheck(*Context == &Marker);
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    if (Loose)
        return STATUS_SUCCESS;
    FvCheck(Mode == 1 ? Generated == 3 && Normalized == 0 && CleanedUp == 0
                      : Generated == 4 && Normalized == 4 && Destinations == 2 && CleanedUp == 2);
    return STATUS_SUCCESS;
}

static FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
    .GenerateFileNameCallback = Generate,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    static const ULONG Checks[] = {0, 11, 16};
    NTSTATUS Status;

    Mode = ReadNumber(Key, L"Mode");
    if (Mode == 2) {
        Registration.NormalizeNameComponentExCallback = Normalize;
        Registration.NormalizeContextCleanupCallback = Cleanup;
    }
    Status = FltRegisterFilter(Driver, &Registration, &Filter);
    if (!NT_SUCCESS(Status))
        return Status;
    Loose = ReadNumber(Key, L"Loose");
    if (!Loose)
        FvTestPlan(Checks[Mode]); /* with those of paths.c */
    return FltStartFiltering(Filter);
}
