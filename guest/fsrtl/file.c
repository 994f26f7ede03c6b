// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked about a file object, waits that end with their thread or request, work on another stack,
 * reparse data. */
#include <ntifs.h>
#include <fltvm.h>
#include <io.h>

NTKERNELAPI LOGICAL NTAPI FsRtlIsSystemPagingFile(PFILE_OBJECT FileObject);

#define FSRTLP_FILE_TAG 'frsF'
#define FSRTLP_TICK     (-156250LL) /* how often a wait looks whether it was cancelled */

/* IRQL: <= DISPATCH_LEVEL.  No paging file exists: nothing is ever paged out. */
LOGICAL NTAPI FsRtlIsPagingFile(PFILE_OBJECT FileObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    return FALSE;
}

/* IRQL: <= DISPATCH_LEVEL. */
LOGICAL NTAPI FsRtlIsSystemPagingFile(PFILE_OBJECT FileObject)
{
    UNREFERENCED_PARAMETER(FileObject);
    return FALSE;
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_FILE_IS_A_DIRECTORY; else what the file system says.  Filters and file systems ask from inside of a request,
 * in a pre-cleanup callback say: the file object's lock is not taken.
 */
NTSTATUS NTAPI FsRtlGetFileSize(PFILE_OBJECT FileObject, PLARGE_INTEGER FileSize)
{
    FILE_STANDARD_INFORMATION Information;
    ULONG Length;
    NTSTATUS Status;

    PAGED_CODE();
    FileSize->QuadPart = 0;
    Status = IopQueryUnlocked(FileObject, FileStandardInformation, sizeof(Information), &Information, &Length);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Information.Directory) {
        return STATUS_FILE_IS_A_DIRECTORY;
    }
    *FileSize = Information.EndOfFile;
    return STATUS_SUCCESS;
}

/* How long the next wait lasts: what is left, a tick at most.  FALSE: no time is left. */
static BOOLEAN FsRtlpSlice(PLARGE_INTEGER Deadline, PLARGE_INTEGER Slice)
{
    LARGE_INTEGER Now;

    Slice->QuadPart = FSRTLP_TICK;
    if (Deadline == NULL) {
        return TRUE;
    }
    KeQuerySystemTime(&Now);
    if (Deadline->QuadPart <= Now.QuadPart) {
        Slice->QuadPart = 0;
        return FALSE;
    }
    Slice->QuadPart = max(Slice->QuadPart, Now.QuadPart - Deadline->QuadPart);
    return TRUE;
}

/*
 * IRQL: PASSIVE_LEVEL, as of KeWaitForMultipleObjects.  STATUS_CANCELLED: the request was;
 * STATUS_THREAD_IS_TERMINATING: the caller's thread is to end; both are noticed within a tick of the clock
 * (15.625 ms).
 */
NTSTATUS NTAPI FsRtlCancellableWaitForMultipleObjects(ULONG Count, PVOID ObjectArray[], WAIT_TYPE WaitType,
                                                      PLARGE_INTEGER Timeout, PKWAIT_BLOCK WaitBlockArray, PIRP Irp)
{
    LARGE_INTEGER Deadline, Slice;
    NTSTATUS Status;
    BOOLEAN Left;

    PAGED_CODE();
    if (Timeout != NULL) {
        KeQuerySystemTime(&Deadline);
        Deadline.QuadPart = Timeout->QuadPart <= 0 ? Deadline.QuadPart - Timeout->QuadPart : Timeout->QuadPart;
    }
    do {
        Left = FsRtlpSlice(Timeout != NULL ? &Deadline : NULL, &Slice);
        Status = KeWaitForMultipleObjects(Count, ObjectArray, WaitType, Executive, KernelMode, FALSE, &Slice,
                                          WaitBlockArray);
        if (Status != STATUS_TIMEOUT) {
            return Status;
        }
        if (Irp != NULL && Irp->Cancel) {
            return STATUS_CANCELLED;
        }
        if (PsIsThreadTerminating(PsGetCurrentThread())) {
            return STATUS_THREAD_IS_TERMINATING;
        }
    } while (Left);
    return STATUS_TIMEOUT;
}

/* IRQL: PASSIVE_LEVEL.  As FsRtlCancellableWaitForMultipleObjects. */
NTSTATUS NTAPI FsRtlCancellableWaitForSingleObject(PVOID Object, PLARGE_INTEGER Timeout, PIRP Irp)
{
    return FsRtlCancellableWaitForMultipleObjects(1, &Object, WaitAny, Timeout, NULL, Irp);
}

/* ---- work on another stack ---- */

typedef struct _FSRTLP_POSTED {
    WORK_QUEUE_ITEM Item;
    PVOID Context;
    PKEVENT Event;
    PFSRTL_STACK_OVERFLOW_ROUTINE Routine;
} FSRTLP_POSTED, *PFSRTLP_POSTED;

static VOID NTAPI FsRtlpRunPosted(PVOID Context)
{
    FSRTLP_POSTED Posted = *(PFSRTLP_POSTED)Context;
    FV_CALL Call;

    ExFreePoolWithTag(Context, FSRTLP_FILE_TAG);
    FvBeginCall(&Call);
    Call.Context = (ULONG_PTR)Posted.Context;
    Posted.Routine(Posted.Context, Posted.Event);
    FvEndCall(&Call, (PVOID)Posted.Routine, "stack overflow work routine", (ULONG_PTR)Posted.Event);
}

/* IRQL: PASSIVE_LEVEL.  The routine runs in a system thread; the caller waits for what it makes of Event.
 * Without memory STATUS_INSUFFICIENT_RESOURCES is raised. */
VOID NTAPI FsRtlPostStackOverflow(PVOID Context, PKEVENT Event, PFSRTL_STACK_OVERFLOW_ROUTINE StackOverflowRoutine)
{
    PFSRTLP_POSTED Posted = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Posted), FSRTLP_FILE_TAG);

    if (Posted == NULL) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    Posted->Context = Context;
    Posted->Event = Event;
    Posted->Routine = StackOverflowRoutine;
    ExInitializeWorkItem(&Posted->Item, FsRtlpRunPosted, Posted);
    ExQueueWorkItem(&Posted->Item, CriticalWorkQueue);
}

/* IRQL: PASSIVE_LEVEL.  As there is no paging file, the same. */
VOID NTAPI FsRtlPostPagingFileStackOverflow(PVOID Context, PKEVENT Event,
                                            PFSRTL_STACK_OVERFLOW_ROUTINE StackOverflowRoutine)
{
    FsRtlPostStackOverflow(Context, Event, StackOverflowRoutine);
}

/* ---- reparse points ---- */

/* Whether two names lie, whole characters, within the bytes that follow Fixed. */
static BOOLEAN FsRtlpNamesFit(ULONG DataLength, ULONG Fixed, USHORT Offset1, USHORT Length1, USHORT Offset2,
                              USHORT Length2)
{
    return DataLength >= Fixed && ((Offset1 | Length1 | Offset2 | Length2) & 1) == 0 &&
           (ULONG)Offset1 + Length1 <= DataLength - Fixed && (ULONG)Offset2 + Length2 <= DataLength - Fixed;
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_IO_REPARSE_DATA_INVALID: lengths that contradict each other, over 16 KiB, or
 * names of a link or mount point that are not within it; STATUS_IO_REPARSE_TAG_INVALID: a tag that is
 * reserved.
 */
NTSTATUS NTAPI FsRtlValidateReparsePointBuffer(ULONG BufferLength, PREPARSE_DATA_BUFFER ReparseBuffer)
{
    ULONG Header = REPARSE_DATA_BUFFER_HEADER_SIZE, Length;

    if (BufferLength < Header || BufferLength > MAXIMUM_REPARSE_DATA_BUFFER_SIZE) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    Length = ReparseBuffer->ReparseDataLength;
    if (!IsReparseTagMicrosoft(ReparseBuffer->ReparseTag)) {
        Header = REPARSE_GUID_DATA_BUFFER_HEADER_SIZE;
    }
    if (BufferLength != Header + Length) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    if (!IsReparseTagValid(ReparseBuffer->ReparseTag) || ReparseBuffer->ReparseTag == IO_REPARSE_TAG_RESERVED_ZERO ||
        ReparseBuffer->ReparseTag == IO_REPARSE_TAG_RESERVED_ONE) {
        return STATUS_IO_REPARSE_TAG_INVALID;
    }
    if (ReparseBuffer->ReparseTag == IO_REPARSE_TAG_MOUNT_POINT &&
        !FsRtlpNamesFit(Length, FIELD_OFFSET(REPARSE_DATA_BUFFER, MountPointReparseBuffer.PathBuffer) - Header,
                        ReparseBuffer->MountPointReparseBuffer.SubstituteNameOffset,
                        ReparseBuffer->MountPointReparseBuffer.SubstituteNameLength,
                        ReparseBuffer->MountPointReparseBuffer.PrintNameOffset,
                        ReparseBuffer->MountPointReparseBuffer.PrintNameLength)) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    if (ReparseBuffer->ReparseTag == IO_REPARSE_TAG_SYMLINK &&
        !FsRtlpNamesFit(Length, FIELD_OFFSET(REPARSE_DATA_BUFFER, SymbolicLinkReparseBuffer.PathBuffer) - Header,
                        ReparseBuffer->SymbolicLinkReparseBuffer.SubstituteNameOffset,
                        ReparseBuffer->SymbolicLinkReparseBuffer.SubstituteNameLength,
                        ReparseBuffer->SymbolicLinkReparseBuffer.PrintNameOffset,
                        ReparseBuffer->SymbolicLinkReparseBuffer.PrintNameLength)) {
        return STATUS_IO_REPARSE_DATA_INVALID;
    }
    return STATUS_SUCCESS;
}
