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
/* IRQL: PASSIVE_LEVEL.  Sends a request with these functions, flags and parameters below the instance and waits for it.
 * LengthReturned may be NULL: how much came back. */
NTSTATUS FltpAsk(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, const FLT_IO_PARAMETER_BLOCK *Wanted,
                 PULONG LengthReturned);

/* IRQL: <= DISPATCH_LEVEL.  Calls it, and looks at what it leaves; it may free the data. */
VOID FltpCallCompleted(PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback, PFLT_CALLBACK_DATA Data, PVOID Context);

/* IRQL: PASSIVE_LEVEL.  Bugchecks when callback data is left that code in this range allocated. */
VOID FltpCheckIssuedAtUnload(PUCHAR Start, PUCHAR End, PVOID Name);

#endif
