/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ex: the executive's support routines, for the components to its right.
 *
 * What the public headers declare (ExQueueWorkItem, resources, lookaside lists…) is implemented here and not
 * repeated; here is what the kernel itself needs to start ex and to ask about work items.
 */
#ifndef FLTVM_EX_H
#define FLTVM_EX_H

#include <ntifs.h>

/* Starts a thread of the system process.  Name: for reports; is copied.  PASSIVE_LEVEL. */
typedef NTSTATUS EX_CREATE_THREAD(PCSTR Name, KPRIORITY Priority, PKSTART_ROUTINE StartRoutine, PVOID Context);

/* Starts the system worker threads, with ps's routine for it; ps is up.  PASSIVE_LEVEL, once. */
NTSTATUS ExInitWorkerThreads(EX_CREATE_THREAD *CreateThread);

/* ExQueueWorkItem for those who do it for a driver: Caller is blamed for what is wrong.  IRQL <= DISPATCH_LEVEL. */
VOID ExQueueWorkItemFor(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType, PVOID Caller);

/*
 * Bugchecks WORKER_INVALID when a queued work item, or the routine of one, lies in memory that is about to be freed.
 * IRQL <= DISPATCH_LEVEL.
 */
VOID ExCheckWorkItemsInRange(PVOID Base, SIZE_T Bytes);

/* An event provider of the image's that is registered is a bugcheck.  PASSIVE_LEVEL. */
VOID ExCheckLeft(PVOID Base, SIZE_T Size);
/* So is a run-down reference that is out, of protection that lies in the image. */
VOID ExCheckRundownsLeft(PVOID Base, SIZE_T Size);

/* TRUE when no work routine runs, waits or is queued; otherwise Name is a queue that is not at rest.  IRQL <= DISPATCH_LEVEL. */
BOOLEAN ExWorkersRest(PCSTR *Name);

#endif
