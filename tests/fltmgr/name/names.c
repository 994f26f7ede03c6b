/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File names on a volume of RAW: what an operation's name is, its parts, and each refusal as documented.  The service's
 * value "Fault" lets it do one thing wrong; a line that is blamed says so in a comment.
 */
#include "../../inc/minifilter.h"

#define OPENED     (FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_DEFAULT)
#define NORMALIZED (FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_FILESYSTEM_ONLY)
#define VOLUME     L"\\Device\\HarddiskVolume1"

static PFLT_FILTER Filter;
static ULONG Fault;
static LONG Creates, Reads, Cleanups, Closes;

static BOOLEAN Same(const UNICODE_STRING *Part, PCWSTR Text)
{
    UNICODE_STRING Wanted;

    RtlInitUnicodeString(&Wanted, Text);
    return RtlEqualUnicodeString(Part, &Wanted, FALSE) && (Wanted.Length > 0 || Part->Buffer == NULL);
}

static NTSTATUS Ask(PFLT_CALLBACK_DATA Data, FLT_FILE_NAME_OPTIONS Options)
{
    PFLT_FILE_NAME_INFORMATION Name = (PFLT_FILE_NAME_INFORMATION)1;
    NTSTATUS Status = FltGetFileNameInformation(Data, Options, &Name);

    if (NT_SUCCESS(Status))
        FltReleaseFileNameInformation(Name);
    else
        FvCheck(Name == NULL);
    return Status;
}

static VOID CheckName(PFLT_CALLBACK_DATA Data, FLT_FILE_NAME_OPTIONS Options, PCWSTR Wanted, PCWSTR Parent,
                      PCWSTR Final, PCWSTR Extension, PCWSTR Stream)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;

    FvCheck(FltGetFileNameInformation(Data, Options, &Name) == STATUS_SUCCESS);
    FvCheck(Name->Size == sizeof(*Name) && Name->Format == FltGetFileNameFormat(Options));
    FvCheck(Same(&Name->Name, Wanted) && Same(&Name->Volume, VOLUME) && Name->NamesParsed == 0);
    FvCheck(FltParseFileNameInformation(Name) == STATUS_SUCCESS && Name->NamesParsed == 0xF);
    FvCheck(Same(&Name->ParentDir, Parent) && Same(&Name->FinalComponent, Final) && Same(&Name->Extension, Extension) &&
            Same(&Name->Stream, Stream) && Same(&Name->Share, L""));
    FltReferenceFileNameInformation(Name);
    FltReleaseFileNameInformation(Name);
    FltReleaseFileNameInformation(Name);
}

/* --- What is asked for where --- */

static VOID CheckOptions(PFLT_CALLBACK_DATA Data)
{
    FvCheck(FltGetFileNameInformation(Data, OPENED, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(Ask(NULL, OPENED) == STATUS_INVALID_PARAMETER);
    FvCheck(Ask(Data, FLT_FILE_NAME_QUERY_DEFAULT) == STATUS_INVALID_PARAMETER);
    FvCheck(Ask(Data, FLT_FILE_NAME_OPENED) == STATUS_INVALID_PARAMETER);
    FvCheck(Ask(Data, FLT_FILE_NAME_OPENED | 0x500) == STATUS_INVALID_PARAMETER);
    FvCheck(Ask(Data, 4 | FLT_FILE_NAME_QUERY_DEFAULT) == STATUS_INVALID_PARAMETER);
    FvCheck(Ask(Data, FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_CACHE_ONLY) == STATUS_SUCCESS);
    FvCheck(Ask(Data, FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_CACHE_ONLY) == STATUS_FLT_NAME_CACHE_MISS);
}

static VOID CheckRefusals(PFLT_CALLBACK_DATA Data)
{
    FLT_FILE_NAME_OPTIONS Allow = FLT_FILE_NAME_OPENED | FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP;
    FLT_FILE_NAME_OPTIONS Other = FLT_FILE_NAME_NORMALIZED | FLT_FILE_NAME_QUERY_ALWAYS_ALLOW_CACHE_LOOKUP;

    FvCheck(Ask(Data, Allow) == STATUS_SUCCESS);
    Data->Iopb->IrpFlags |= IRP_PAGING_IO;
    FvCheck(Ask(Data, OPENED) == STATUS_FLT_INVALID_NAME_REQUEST && Ask(Data, Allow) == STATUS_SUCCESS);
    FvCheck(Ask(Data, Other) == STATUS_FLT_NAME_CACHE_MISS); /* which is not kept */
    Data->Iopb->IrpFlags &= ~IRP_PAGING_IO;
    IoSetTopLevelIrp((PIRP)FSRTL_FSP_TOP_LEVEL_IRP);
    FvCheck(Ask(Data, OPENED) == STATUS_FLT_INVALID_NAME_REQUEST);
    IoSetTopLevelIrp(NULL);
    KeEnterGuardedRegion();
    FvCheck(Ask(Data, OPENED) == STATUS_FLT_INVALID_NAME_REQUEST);
    KeLeaveGuardedRegion();
    KeEnterCriticalRegion();
    FvCheck(Ask(Data, OPENED) == STATUS_SUCCESS); /* normal APCs only */
    KeLeaveCriticalRegion();
    for (UCHAR Major = IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION; Major >= IRP_MJ_RELEASE_FOR_CC_FLUSH; Major--) {
        Data->Iopb->MajorFunction = Major;
        FvCheck(
            Ask(Data, OPENED) ==
            (Major == IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION ? STATUS_SUCCESS : STATUS_FLT_INVALID_NAME_REQUEST));
    }
    Data->Iopb->MajorFunction = IRP_MJ_READ;
}

static VOID CheckUnsafe(PCFLT_RELATED_OBJECTS FltObjects)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;
    FILE_OBJECT Unopened = {0};

    FvCheck(FltGetFileNameInformationUnsafe(FltObjects->FileObject, FltObjects->Instance, OPENED, &Name) ==
            STATUS_SUCCESS);
    FvCheck(Same(&Name->Name, VOLUME));
    FltReleaseFileNameInformation(Name);
    FvCheck(FltGetFileNameInformationUnsafe(FltObjects->FileObject, NULL, NORMALIZED, &Name) == STATUS_SUCCESS);
    FvCheck(Same(&Name->Name, VOLUME));
    FltReleaseFileNameInformation(Name);
    FvCheck(FltGetFileNameInformationUnsafe(&Unopened, FltObjects->Instance, OPENED, &Name) ==
            STATUS_FLT_INVALID_NAME_REQUEST);
    FvCheck(FltGetFileNameInformationUnsafe(FltObjects->FileObject, NULL, OPENED, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(FltPurgeFileNameInformationCache(FltObjects->Instance, NULL) == STATUS_SUCCESS);
}

static VOID CheckParsing(PCWSTR Text, PCWSTR Final, PCWSTR Extension, PCWSTR Stream)
{
    UNICODE_STRING Name, Parts[3];

    RtlInitUnicodeString(&Name, Text);
    FvCheck(FltParseFileName(&Name, &Parts[0], &Parts[1], &Parts[2]) == STATUS_SUCCESS);
    FvCheck(Same(&Parts[0], Extension) && Same(&Parts[1], Stream) && Same(&Parts[2], Final));
    FvCheck(FltParseFileName(&Name, NULL, NULL, NULL) == STATUS_SUCCESS);
}

static VOID CheckParsings(VOID)
{
    CheckParsing(L"\\Device\\HarddiskVolume1\\Documents and Settings\\MyUser\\My Documents\\Test Results.txt:stream1",
                 L"Test Results.txt:stream1", L"txt", L":stream1");
    CheckParsing(L"TestRe~1.txt", L"TestRe~1.txt", L"txt", L"");
    CheckParsing(L"\\a.b\\plain", L"plain", L"", L"");
    CheckParsing(L"\\a\\", L"", L"", L"");
    CheckParsing(L"two.dots.c:s.t:$DATA", L"two.dots.c:s.t:$DATA", L"c", L":s.t:$DATA");
    CheckParsing(L"ends.", L"ends.", L"", L"");
    CheckParsing(L"", L"", L"", L"");
}

/* --- Callbacks --- */

static FLT_PREOP_CALLBACK_STATUS NTAPI PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                 PVOID *Context)
{
    if (Fault != 0)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Creates++ == 0) { /* the volume itself */
        CheckName(Data, OPENED, VOLUME, L"", L"", L"", L"");
        CheckName(Data, NORMALIZED, VOLUME, L"", L"", L"", L"");
        FvCheck(Ask(Data, FLT_FILE_NAME_SHORT | FLT_FILE_NAME_QUERY_DEFAULT) == STATUS_FLT_INVALID_NAME_REQUEST);
    } else { /* which need not exist */
        CheckName(Data, OPENED, VOLUME L"\\dir\\file.txt:s", L"\\dir\\", L"file.txt:s", L"txt", L":s");
        Data->Iopb->OperationFlags |= SL_OPEN_TARGET_DIRECTORY;
        CheckName(Data, OPENED, VOLUME L"\\dir", L"\\", L"dir", L"", L"");
        Data->Iopb->OperationFlags &= ~SL_OPEN_TARGET_DIRECTORY;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static DECLSPEC_NOINLINE VOID DoWrong(PFLT_CALLBACK_DATA Data)
{
    PFLT_FILE_NAME_INFORMATION Name = NULL;

    FltGetFileNameInformation(Data, OPENED, &Name); /* [1] */
    if (Fault == 2) {
        FltReferenceFileNameInformation(Name);
        FltReleaseFileNameInformation(Name);
        FltReleaseFileNameInformation(Name);
        FltReleaseFileNameInformation(Name); /* [2] */
    }
    if (Fault == 3)
        FltGetTunneledName(Data, Name, &Name); /* [3] */
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{
    Reads++;
    if (Fault != 0) {
        DoWrong(Data);
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    }
    CheckName(Data, OPENED, VOLUME, L"", L"", L"", L"");
    FvCheck(Ask(Data, FLT_FILE_NAME_SHORT | FLT_FILE_NAME_QUERY_DEFAULT) == STATUS_OBJECT_NAME_NOT_FOUND);
    CheckOptions(Data);
    CheckRefusals(Data);
    CheckUnsafe(FltObjects);
    CheckParsings();
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreCleanup(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                  PVOID *Context)
{
    if (Fault == 0 && Cleanups++ == 0)
        FvCheck(Ask(Data, OPENED) == STATUS_SUCCESS);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreClose(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                PVOID *Context)
{
    if (Fault == 0 && Closes++ == 0)
        FvCheck(Ask(Data, OPENED) == STATUS_FLT_INVALID_NAME_REQUEST); /* after cleanup */
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(Filter);
    if (Fault == 0)
        FvCheck(Creates == 2 && Reads == 1 && Cleanups == 1 && Closes == 1);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_CREATE, 0, PreCreate}, {IRP_MJ_READ, 0, PreRead}, {IRP_MJ_CLEANUP, 0, PreCleanup},
    {IRP_MJ_CLOSE, 0, PreClose},   {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Fault = ReadNumber(Key, L"Fault");
    if (Fault == 0)
        FvTestPlan(96);
    return FltStartFiltering(Filter);
}
