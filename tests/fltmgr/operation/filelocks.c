/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Byte-range locks of a filter's own: its lower instance keeps them, its higher one asks for ranges, waits for one,
 * cancels one and refuses one in its callback.
 */
#include "../../inc/minifilter.h"

static PFLT_FILTER Filter;
static PFLT_INSTANCE High, Low;
static PFILE_LOCK Lock; /* FltAllocateFileLock's */
static FILE_LOCK Plain; /* FltInitializeFileLock's */
static BOOLEAN UsePlain, Refuse;
static LONG Completed, Unlocked;
static PVOID LastContext;
static KEVENT Event;

static NTSTATUS NTAPI CompleteLock(PVOID Context, PFLT_CALLBACK_DATA Data)
{
    Completed++;
    LastContext = Context;
    FvCheck(Data->Iopb->MajorFunction == IRP_MJ_LOCK_CONTROL);
    return Refuse ? STATUS_ACCESS_DENIED : Data->IoStatus.Status;
}

static VOID NTAPI TellUnlocked(PVOID Context, PFILE_LOCK_INFO Info)
{
    Unlocked++;
    FvCheck(Context == &Completed);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreLock(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{
    if (FltObjects->Instance != Low)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    return FltProcessFileLock(UsePlain ? &Plain : Lock, Data, &Completed);
}

static VOID NTAPI Done(PFLT_CALLBACK_DATA Data, PFLT_CONTEXT Context)
{
    KeSetEvent(&Event, IO_NO_INCREMENT, FALSE);
}

/* A request for the range of 10 bytes at Start.  The data is the caller's to free. */
static PFLT_CALLBACK_DATA Ask(PFILE_OBJECT File, UCHAR Minor, LONGLONG Start, ULONG Key, UCHAR Flags,
                              PLARGE_INTEGER Length)
{
    PFLT_CALLBACK_DATA Data = NULL;

    FltAllocateCallbackData(High, File, &Data);
    Data->Iopb->MajorFunction = IRP_MJ_LOCK_CONTROL;
    Data->Iopb->MinorFunction = Minor;
    Data->Iopb->OperationFlags = Flags;
    Length->QuadPart = 10;
    Data->Iopb->Parameters.LockControl.Length = Length;
    Data->Iopb->Parameters.LockControl.Key = Key;
    Data->Iopb->Parameters.LockControl.ByteOffset.QuadPart = Start;
    return Data;
}

static NTSTATUS AskNow(PFILE_OBJECT File, UCHAR Minor, LONGLONG Start, ULONG Key, UCHAR Flags)
{
    LARGE_INTEGER Length;
    PFLT_CALLBACK_DATA Data = Ask(File, Minor, Start, Key, Flags, &Length);
    NTSTATUS Status;

    FltPerformSynchronousIo(Data);
    Status = Data->IoStatus.Status;
    FltFreeCallbackData(Data);
    return Status;
}

static VOID CheckNow(PFILE_OBJECT File)
{
    FvCheck(AskNow(File, IRP_MN_LOCK, 0, 1, SL_EXCLUSIVE_LOCK | SL_FAIL_IMMEDIATELY) == STATUS_SUCCESS);
    FvCheck(Completed == 1 && LastContext == &Completed);
    FvCheck(AskNow(File, IRP_MN_LOCK, 5, 2, SL_EXCLUSIVE_LOCK | SL_FAIL_IMMEDIATELY) == STATUS_LOCK_NOT_GRANTED);
    Refuse = TRUE;
    FvCheck(AskNow(File, IRP_MN_LOCK, 100, 1, SL_EXCLUSIVE_LOCK | SL_FAIL_IMMEDIATELY) == STATUS_ACCESS_DENIED);
    Refuse = FALSE;
    FvCheck(AskNow(File, IRP_MN_LOCK, 100, 2, SL_EXCLUSIVE_LOCK | SL_FAIL_IMMEDIATELY) == STATUS_SUCCESS);
    FvCheck(Unlocked == 1); /* the one that was refused */
    FvCheck(AskNow(File, IRP_MN_UNLOCK_SINGLE, 100, 2, 0) == STATUS_SUCCESS && Unlocked == 2);
    FvCheck(AskNow(File, IRP_MN_UNLOCK_SINGLE, 100, 2, 0) == STATUS_RANGE_NOT_LOCKED && Unlocked == 2);
    FvCheck(AskNow(File, IRP_MN_UNLOCK_ALL_BY_KEY, 0, 9, 0) == STATUS_RANGE_NOT_LOCKED && Unlocked == 2);
    FvCheck(AskNow(File, 99, 0, 9, 0) == STATUS_INVALID_DEVICE_REQUEST);
}

/* A range is held with key 1 at 0. */
static VOID CheckWaiting(PFILE_OBJECT File)
{
    LARGE_INTEGER Length;
    PFLT_CALLBACK_DATA Data = Ask(File, IRP_MN_LOCK, 5, 2, SL_EXCLUSIVE_LOCK, &Length);
    LONG Before = Completed;

    KeInitializeEvent(&Event, SynchronizationEvent, FALSE);
    FvCheck(FltPerformAsynchronousIo(Data, Done, NULL) == STATUS_PENDING && !IsSet(&Event, 0) && Completed == Before);
    FvCheck(AskNow(File, IRP_MN_UNLOCK_SINGLE, 0, 1, 0) == STATUS_SUCCESS);
    FvCheck(IsSet(&Event, 1000) && Data->IoStatus.Status == STATUS_SUCCESS && Completed == Before + 2);
    FltFreeCallbackData(Data);
    Data = Ask(File, IRP_MN_LOCK, 5, 3, SL_EXCLUSIVE_LOCK, &Length);
    FvCheck(FltPerformAsynchronousIo(Data, Done, NULL) == STATUS_PENDING && !IsSet(&Event, 0));
    FvCheck(FltCancelIo(Data) && IsSet(&Event, 1000) && Data->IoStatus.Status == STATUS_CANCELLED);
    FltFreeCallbackData(Data);
}

static FLT_PREOP_CALLBACK_STATUS NTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                               PVOID *Context)
{
    PFILE_OBJECT File = FltObjects->FileObject;
    LONGLONG Place = Data->Iopb->Parameters.Read.ByteOffset.QuadPart;

    if (FltObjects->Instance != High)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    CheckNow(File);
    CheckWaiting(File); /* which leaves the range at 5, with key 2 */
    Data->Iopb->Parameters.Read.ByteOffset.QuadPart = 0;
    FvCheck(!FltCheckLockForReadAccess(Lock, Data) && !FltCheckLockForWriteAccess(Lock, Data));
    Data->Iopb->Parameters.Read.Key = 2; /* its owner's */
    FvCheck(FltCheckLockForReadAccess(Lock, Data) && FltCheckLockForWriteAccess(Lock, Data));
    Data->Iopb->Parameters.Read.Key = 0;
    Data->Iopb->Parameters.Read.ByteOffset.QuadPart = Place;
    FvCheck(AskNow(File, IRP_MN_UNLOCK_ALL, 0, 0, 0) == STATUS_SUCCESS);
    FvCheck(FltCheckLockForReadAccess(Lock, Data) && FltCheckLockForWriteAccess(Lock, Data));
    UsePlain = TRUE;
    Completed = 0;
    FvCheck(AskNow(File, IRP_MN_LOCK, 0, 1, SL_FAIL_IMMEDIATELY) == STATUS_SUCCESS && Completed == 0);
    FvCheck(AskNow(File, IRP_MN_UNLOCK_ALL, 0, 1, 0) == STATUS_SUCCESS);
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS NTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltObjectDereference(High);
    FltObjectDereference(Low);
    FltUnregisterFilter(Filter);
    FltFreeFileLock(Lock);
    FltUninitializeFileLock(&Plain);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_READ, 0, PreRead},
    {IRP_MJ_LOCK_CONTROL, 0, PreLock},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Key)
{
    UNICODE_STRING HighName = RTL_CONSTANT_STRING(L"high"), LowName = RTL_CONSTANT_STRING(L"low");
    PFLT_VOLUME Volume;
    NTSTATUS Status = FltRegisterFilter(Driver, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    FvTestPlan(37);
    Lock = FltAllocateFileLock(CompleteLock, TellUnlocked);
    FltInitializeFileLock(&Plain);
    FltStartFiltering(Filter);
    Volume = OpenVolume(Filter);
    FltGetVolumeInstanceFromName(Filter, Volume, &HighName, &High);
    FltGetVolumeInstanceFromName(Filter, Volume, &LowName, &Low);
    FltObjectDereference(Volume);
    return STATUS_SUCCESS;
}
