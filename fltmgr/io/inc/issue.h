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

/* flight.c: one that has not come back. */
typedef struct _FLTP_FLIGHT {
    volatile LONG Taken;
    PFLT_INSTANCE volatile Instance; /* that sent it, and may be gone; NULL: nothing is told */
    const VOID *Data;                /* its callback data, which may be gone, too */
    PVOID Thread;                    /* that waits for it; NULL: its callback is to be called */
    UCHAR MajorFunction;
    ULONG64 Since;
    PVOID Caller[FLTP_STACK_DEPTH];
} FLTP_FLIGHT, *PFLTP_FLIGHT;

/* IRQL: <= DISPATCH_LEVEL.  NULL: not kept. */
PFLTP_FLIGHT FltpBeginFlight(PFLTP_ISSUED Issued, PVOID Thread);
VOID FltpEndFlight(PFLTP_FLIGHT Flight);
/* IRQL: any.  The instance's, one after the other; the first when Flight is NULL. */
const FLTP_FLIGHT *FltpNextFlight(const FLTP_FLIGHT *Flight, PFLT_INSTANCE Instance);

/* IRQL: <= DISPATCH_LEVEL.  Calls it, and looks at what it leaves; it may free the data. */
VOID FltpCallCompleted(PFLT_COMPLETED_ASYNC_IO_CALLBACK Callback, PFLT_CALLBACK_DATA Data, PVOID Context);

/* IRQL: PASSIVE_LEVEL.  Bugchecks when callback data is left that code in this range allocated. */
VOID FltpCheckIssuedAtUnload(PUCHAR Start, PUCHAR End, PVOID Name);

#endif
