/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * issue.h: what the routines by which a filter makes I/O share.
 */
#ifndef FLTMGR_ISSUE_H
#define FLTMGR_ISSUE_H

#include <operation.h>

/* IRQL: <= APC_LEVEL.  Callback data of our own use, freed by FltFreeCallbackData. */
NTSTATUS FltpAllocateIssued(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, FLT_ALLOCATE_CALLBACK_DATA_FLAGS Flags,
                            PFLTP_ISSUED *NewIssued);
/* IRQL: PASSIVE_LEVEL.  Bugchecks when callback data is left that code in this range allocated. */
VOID FltpCheckIssuedAtUnload(PUCHAR Start, PUCHAR End, PVOID Name);
/*
 * IRQL: as the request's.  FALSE: it was not sent, *Status says why, and nothing of it is left.  TRUE: it was, and
 * comes back once: Callback is called, or without one Issued->Event set; *Status is what the dispatch returned, and
 * Issued may be gone.
 */
BOOLEAN FltpIssue(PFLTP_ISSUED Issued, PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback, PVOID Context, NTSTATUS *Status);

#endif
