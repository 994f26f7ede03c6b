// SPDX-License-Identifier: GPL-2.0-or-later
/* Directory notification: what is told to whom, what is kept, what ends a request that waits. */
#include <ntifs.h>

#include <fltvm.h>

static PNOTIFY_SYNC Sync;
static LIST_ENTRY List;
static PDEVICE_OBJECT Device;
static FILE_OBJECT File;
static UCHAR Buffer[256];
static ULONG Traversed, Asked;
static BOOLEAN TraverseAnswer, ReportAnswer;

static NTSTATUS NTAPI Keep(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* A notify request as a file system gets it, with a system buffer. */
static PIRP MakeIrp(ULONG Length)
{
    PIRP Irp = IoAllocateIrp(2, FALSE);
    PIO_STACK_LOCATION Stack;

    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->DeviceObject = Device;
    IoSetCompletionRoutine(Irp, Keep, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(Irp);
    Stack = IoGetCurrentIrpStackLocation(Irp);
    Stack->MajorFunction = IRP_MJ_DIRECTORY_CONTROL;
    Stack->MinorFunction = IRP_MN_NOTIFY_CHANGE_DIRECTORY;
    Stack->DeviceObject = Device;
    Stack->FileObject = &File;
    Stack->Parameters.NotifyDirectory.Length = Length;
    Irp->AssociatedIrp.SystemBuffer = Buffer;
    Irp->Tail.Overlay.Thread = PsGetCurrentThread();
    Irp->IoStatus.Status = STATUS_PENDING;
    RtlZeroMemory(Buffer, sizeof(Buffer));
    return Irp;
}

static PIRP Watch(PVOID FsContext, PSTRING Directory, BOOLEAN Tree, ULONG Filter, ULONG Length)
{
    PIRP Irp = MakeIrp(Length);

    FsRtlNotifyFullChangeDirectory(Sync, &List, FsContext, Directory, Tree, FALSE, Filter, Irp, NULL, NULL);
    return Irp;
}

/* Whether the request ended so; it is freed. */
static BOOLEAN Ended(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    BOOLEAN So =
        Irp->IoStatus.Status == Status && (Status == STATUS_PENDING || Irp->IoStatus.Information == Information);

    if (Status != STATUS_PENDING)
        IoFreeIrp(Irp);
    return So;
}

static BOOLEAN Tells(ULONG Offset, ULONG Next, ULONG Action, PCWSTR Name)
{
    PFILE_NOTIFY_INFORMATION Entry = (PFILE_NOTIFY_INFORMATION)(Buffer + Offset);

    return Entry->NextEntryOffset == Next && Entry->Action == Action &&
           Entry->FileNameLength == wcslen(Name) * sizeof(WCHAR) &&
           RtlEqualMemory(Entry->FileName, Name, Entry->FileNameLength);
}

#define WIDE(Name, Text) static STRING Name = {sizeof(Text) - sizeof(WCHAR), sizeof(Text), (PCHAR)Text}
WIDE(Root, L"\\");
WIDE(Folder, L"\\dir");
WIDE(InFolder, L"\\dir\\a.txt");
WIDE(Beside, L"\\dirt\\a.txt");
WIDE(Deep, L"\\dir\\sub\\b");
WIDE(Top, L"\\top");
WIDE(Stream, L"data");
WIDE(Normal, L"\\dir\\SUBLONG");

static VOID Report(PSTRING Name, ULONG Offset, ULONG Match, ULONG Action)
{
    FsRtlNotifyFullReportChange(Sync, &List, Name, (USHORT)(Offset * sizeof(WCHAR)), NULL, NULL, Match, Action, NULL);
}

static VOID CheckMatching(VOID)
{
    PIRP Irp = Watch((PVOID)1, &Folder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100), Other;

    FvCheck(Ended(Irp, STATUS_PENDING, 0));
    Report(&InFolder, 5, FILE_NOTIFY_CHANGE_SIZE, FILE_ACTION_MODIFIED); /* another kind */
    Report(&Beside, 6, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED); /* another directory */
    Report(&Deep, 9, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);   /* below, and no tree is watched */
    Report(&Top, 1, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    FvCheck(Ended(Irp, STATUS_PENDING, 0));
    Report(&InFolder, 5, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    FvCheck(Tells(0, 0, FILE_ACTION_ADDED, L"a.txt") && Ended(Irp, STATUS_SUCCESS, 12 + 10));
    FsRtlNotifyCleanup(Sync, &List, (PVOID)1);

    /* A tree, and two watchers of one change. */
    Other = Watch((PVOID)2, &Root, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    Irp = Watch((PVOID)3, &Root, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    Report(&Deep, 9, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_REMOVED);
    FvCheck(Tells(0, 0, FILE_ACTION_REMOVED, L"dir\\sub\\b") && Ended(Other, STATUS_SUCCESS, 12 + 18) &&
            Ended(Irp, STATUS_PENDING, 0));
    Report(&Top, 1, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    FvCheck(Tells(0, 0, FILE_ACTION_ADDED, L"top") && Ended(Irp, STATUS_SUCCESS, 12 + 6));
    FsRtlNotifyCleanup(Sync, &List, (PVOID)2);
    FsRtlNotifyCleanup(Sync, &List, (PVOID)3);
    FvCheck(IsListEmpty(&List));
}

static VOID CheckKeeping(VOID)
{
    PIRP Irp = Watch((PVOID)1, &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_STREAM_NAME, 100);

    Report(&InFolder, 5, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    FvCheck(Ended(Irp, STATUS_SUCCESS, 22));
    /* Nobody waits: kept, and told to the next at once, one after the other. */
    Report(&InFolder, 5, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_REMOVED);
    FsRtlNotifyFullReportChange(Sync, &List, &Deep, 9 * sizeof(WCHAR), &Stream, NULL, FILE_NOTIFY_CHANGE_STREAM_NAME,
                                FILE_ACTION_ADDED_STREAM, NULL);
    Irp = Watch((PVOID)1, &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    FvCheck(Tells(0, 24, FILE_ACTION_REMOVED, L"a.txt") && Tells(24, 0, FILE_ACTION_ADDED_STREAM, L"sub\\b:data") &&
            Ended(Irp, STATUS_SUCCESS, 24 + 12 + 20));
    /* The parent as it should be read. */
    Irp = Watch((PVOID)1, &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    FsRtlNotifyFullReportChange(Sync, &List, &Deep, 9 * sizeof(WCHAR), NULL, &Normal, FILE_NOTIFY_CHANGE_FILE_NAME,
                                FILE_ACTION_ADDED, NULL);
    FvCheck(Tells(0, 0, FILE_ACTION_ADDED, L"SUBLONG\\b") && Ended(Irp, STATUS_SUCCESS, 12 + 18));
    /* What does not fit: look for yourself. */
    for (ULONG Index = 0; Index < 6; Index++)
        Report(&InFolder, 5, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    Irp = Watch((PVOID)1, &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    FvCheck(Ended(Irp, STATUS_NOTIFY_ENUM_DIR, 0));
    Report(&InFolder, 5, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED);
    Irp = Watch((PVOID)1, &Folder, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME, 21); /* smaller than what is kept */
    FvCheck(Ended(Irp, STATUS_NOTIFY_ENUM_DIR, 0));
    FsRtlNotifyCleanup(Sync, &List, (PVOID)1);
    Irp = MakeIrp(100);
    FsRtlNotifyFullChangeDirectory(Sync, &List, (PVOID)1, &Folder, FALSE, TRUE, FILE_NOTIFY_CHANGE_FILE_NAME, Irp, NULL,
                                   NULL);
    Report(&InFolder, 5, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED); /* IgnoreBuffer */
    FvCheck(Ended(Irp, STATUS_NOTIFY_ENUM_DIR, 0));
    FsRtlNotifyCleanup(Sync, &List, (PVOID)1);
}

static VOID CheckEnds(VOID)
{
    PIRP Irp = Watch((PVOID)1, &Folder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100), Other;

    FvCheck(IoCancelIrp(Irp) && Ended(Irp, STATUS_CANCELLED, 0));
    Irp = Watch((PVOID)1, &Folder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    FsRtlNotifyFullChangeDirectory(Sync, &List, (PVOID)1, NULL, FALSE, FALSE, 0, NULL, NULL, NULL);
    FvCheck(Ended(Irp, STATUS_DELETE_PENDING, 0));
    Irp = Watch((PVOID)1, &Folder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    FsRtlNotifyCleanup(Sync, &List, (PVOID)1);
    FvCheck(Ended(Irp, STATUS_NOTIFY_CLEANUP, 0) && IsListEmpty(&List));
    File.Flags |= FO_CLEANUP_COMPLETE;
    Irp = Watch((PVOID)1, &Folder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    FvCheck(Ended(Irp, STATUS_NOTIFY_CLEANUP, 0) && IsListEmpty(&List));
    File.Flags = 0;
    Irp = Watch((PVOID)1, &Folder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    Other = Watch((PVOID)2, &Folder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);
    FsRtlNotifyCleanupAll(Sync, &List);
    FvCheck(Ended(Irp, STATUS_NOTIFY_CLEANUP, 0) && Ended(Other, STATUS_NOTIFY_CLEANUP, 0) && IsListEmpty(&List));
}

static BOOLEAN NTAPI OnTraverse(PVOID NotifyContext, PVOID TargetContext, PSECURITY_SUBJECT_CONTEXT Subject)
{
    Traversed++;
    FvCheck(NotifyContext == (PVOID)1 && TargetContext == (PVOID)77 && Subject != NULL);
    return TraverseAnswer;
}

static BOOLEAN NTAPI OnReport(PVOID NotifyContext, PVOID FilterContext)
{
    Asked++;
    FvCheck(NotifyContext == (PVOID)1 && FilterContext == (PVOID)78);
    return ReportAnswer;
}

static VOID CheckRoutines(VOID)
{
    PSECURITY_SUBJECT_CONTEXT Subject = ExAllocatePoolWithTag(PagedPool, sizeof(*Subject), 'tseT');
    PIRP Irp = MakeIrp(100);

    SeCaptureSubjectContext(Subject);
    FsRtlNotifyFilterChangeDirectory(Sync, &List, (PVOID)1, &Folder, TRUE, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, Irp,
                                     OnTraverse, Subject, OnReport);
    FsRtlNotifyFullReportChange(Sync, &List, &Deep, 9 * sizeof(WCHAR), NULL, NULL, FILE_NOTIFY_CHANGE_FILE_NAME,
                                FILE_ACTION_ADDED, (PVOID)77);
    FvCheck(Traversed == 1);
    FvCheck(Asked == 0);
    FvCheck(Ended(Irp, STATUS_PENDING, 0));
    FsRtlNotifyFilterReportChange(Sync, &List, &InFolder, 5 * sizeof(WCHAR), NULL, NULL, FILE_NOTIFY_CHANGE_FILE_NAME,
                                  FILE_ACTION_ADDED, (PVOID)77, (PVOID)78);
    FvCheck(Traversed == 1 && Asked == 1 && Ended(Irp, STATUS_PENDING, 0)); /* not deeper; filtered out */
    ReportAnswer = TRUE;
    TraverseAnswer = TRUE;
    FsRtlNotifyFilterReportChange(Sync, &List, &Deep, 9 * sizeof(WCHAR), NULL, NULL, FILE_NOTIFY_CHANGE_FILE_NAME,
                                  FILE_ACTION_ADDED, (PVOID)77, (PVOID)78);
    FvCheck(Traversed == 2 && Asked == 2 && Tells(0, 0, FILE_ACTION_ADDED, L"sub\\b") &&
            Ended(Irp, STATUS_SUCCESS, 12 + 10));
    FsRtlNotifyCleanup(Sync, &List, (PVOID)1); /* and the subject's context is given back */
}

static VOID CheckOem(VOID)
{
    static STRING OemFolder = {4, 4, "\\dir"}, OemName = {10, 10, "\\dir\\a.txt"};
    PIRP Irp = Watch((PVOID)1, &OemFolder, FALSE, FILE_NOTIFY_CHANGE_FILE_NAME, 100);

    FsRtlNotifyFullReportChange(Sync, &List, &OemName, 5, NULL, NULL, FILE_NOTIFY_CHANGE_FILE_NAME, FILE_ACTION_ADDED,
                                NULL);
    FvCheck(Tells(0, 0, FILE_ACTION_ADDED, L"a.txt") && Ended(Irp, STATUS_SUCCESS, 22));
    FsRtlNotifyCleanup(Sync, &List, (PVOID)1);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(30);
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    InitializeListHead(&List);
    FsRtlNotifyInitializeSync(&Sync);
    FvCheck(Sync != NULL);
    CheckMatching();
    CheckKeeping();
    CheckEnds();
    CheckRoutines();
    CheckOem();
    FsRtlNotifyUninitializeSync(&Sync);
    FvCheck(Sync == NULL);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}
