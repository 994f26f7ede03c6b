// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * priority: the I/O priority hints of requests, files and threads.  They are kept and told; nothing here schedules by
 * them.  Each is stored as the hint plus one, zero for none.  IRQL: <= DISPATCH_LEVEL.
 */
#include "iop.h"

NTKERNELAPI NTSTATUS NTAPI IoSetIoPriorityHintIntoFileObject(PFILE_OBJECT FileObject, IO_PRIORITY_HINT PriorityHint);
NTKERNELAPI NTSTATUS NTAPI IoSetIoPriorityHintIntoThread(PETHREAD Thread, IO_PRIORITY_HINT PriorityHint);

#define IOP_PRIORITY_SHIFT 17 /* in IRP.Flags, three bits */
#define IOP_PRIORITY_MASK  (7u << IOP_PRIORITY_SHIFT)
#define IOP_KEEP           MAXULONG /* a priority that is not to be changed */
#define IOP_PAGE_NORMAL    5

IO_PRIORITY_HINT NTAPI IoGetIoPriorityHint(PIRP Irp)
{
    ULONG Stored = (Irp->Flags & IOP_PRIORITY_MASK) >> IOP_PRIORITY_SHIFT;

    return Stored != 0 ? (IO_PRIORITY_HINT)(Stored - 1) : IoPriorityNormal;
}

/* STATUS_INVALID_PARAMETER: no such priority. */
NTSTATUS NTAPI IoSetIoPriorityHint(PIRP Irp, IO_PRIORITY_HINT PriorityHint)
{
    if ((ULONG)PriorityHint >= MaxIoPriorityTypes) {
        return STATUS_INVALID_PARAMETER;
    }
    Irp->Flags = (Irp->Flags & ~IOP_PRIORITY_MASK) | ((ULONG)PriorityHint + 1) << IOP_PRIORITY_SHIFT;
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_PARAMETER: no such priority; without memory STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS NTAPI IoSetIoPriorityHintIntoFileObject(PFILE_OBJECT FileObject, IO_PRIORITY_HINT PriorityHint)
{
    PIOP_FILE_EXTENSION Extension;

    if ((ULONG)PriorityHint >= MaxIoPriorityTypes) {
        return STATUS_INVALID_PARAMETER;
    }
    Extension = IopGetFileExtension(FileObject, TRUE);
    if (Extension == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Extension->IoPriority = (UCHAR)(PriorityHint + 1);
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_PARAMETER: no such priority. */
NTSTATUS NTAPI IoSetIoPriorityHintIntoThread(PETHREAD Thread, IO_PRIORITY_HINT PriorityHint)
{
    if ((ULONG)PriorityHint >= MaxIoPriorityTypes) {
        return STATUS_INVALID_PARAMETER;
    }
    Thread->IoPriority = (UCHAR)(PriorityHint + 1);
    return STATUS_SUCCESS;
}

/*
 * STATUS_INVALID_PARAMETER: not the structure's size.  The request's hint, else the file's, else the thread's.  Without
 * a thread the two priorities of threads are such that applying them changes nothing.
 */
NTSTATUS NTAPI IoRetrievePriorityInfo(PIRP Irp, PFILE_OBJECT FileObject, PETHREAD Thread,
                                      PIO_PRIORITY_INFO PriorityInfo)
{
    PIOP_FILE_EXTENSION Extension = FileObject != NULL ? FileObject->FileObjectExtension : NULL;
    ULONG Stored = Irp != NULL ? (Irp->Flags & IOP_PRIORITY_MASK) >> IOP_PRIORITY_SHIFT : 0;

    if (PriorityInfo->Size != sizeof(*PriorityInfo)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Stored == 0 && Extension != NULL) {
        Stored = Extension->IoPriority;
    }
    if (Stored == 0 && Thread != NULL) {
        Stored = Thread->IoPriority;
    }
    PriorityInfo->IoPriority = Stored != 0 ? (IO_PRIORITY_HINT)(Stored - 1) : IoPriorityNormal;
    PriorityInfo->ThreadPriority = Thread != NULL ? (ULONG)KeQueryPriorityThread((PKTHREAD)Thread) : IOP_KEEP;
    PriorityInfo->PagePriority = Thread == NULL              ? IOP_KEEP
                                 : Thread->PagePriority != 0 ? Thread->PagePriority - 1u
                                                             : IOP_PAGE_NORMAL;
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_PARAMETER_1: a value that is no priority.  OutputPriorityInfo may be NULL or InputPriorityInfo: what
 * was before. */
NTSTATUS NTAPI IoApplyPriorityInfoThread(PIO_PRIORITY_INFO InputPriorityInfo, PIO_PRIORITY_INFO OutputPriorityInfo,
                                         PETHREAD Thread)
{
    IO_PRIORITY_INFO Input = *InputPriorityInfo;

    if (Input.Size != sizeof(Input) || (ULONG)Input.IoPriority >= MaxIoPriorityTypes ||
        (Input.PagePriority != IOP_KEEP && (Input.PagePriority == 0 || Input.PagePriority > IOP_PAGE_NORMAL)) ||
        (Input.ThreadPriority != IOP_KEEP && (Input.ThreadPriority == 0 || Input.ThreadPriority > HIGH_PRIORITY))) {
        return STATUS_INVALID_PARAMETER_1;
    }
    if (OutputPriorityInfo != NULL) {
        OutputPriorityInfo->Size = sizeof(*OutputPriorityInfo);
        IoRetrievePriorityInfo(NULL, NULL, Thread, OutputPriorityInfo);
    }
    Thread->IoPriority = (UCHAR)(Input.IoPriority + 1);
    if (Input.PagePriority != IOP_KEEP) {
        Thread->PagePriority = (UCHAR)(Input.PagePriority + 1);
    }
    if (Input.ThreadPriority != IOP_KEEP) {
        KeSetPriorityThread((PKTHREAD)Thread, (KPRIORITY)Input.ThreadPriority);
    }
    return STATUS_SUCCESS;
}
