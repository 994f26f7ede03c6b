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

/* Starts the system worker threads; ps is up.  PASSIVE_LEVEL, once. */
NTSTATUS ExInitWorkerThreads(VOID);

/*
 * Bugchecks WORKER_INVALID when a queued work item lies in memory that is about to be freed.
 * IRQL <= DISPATCH_LEVEL.
 */
VOID ExCheckWorkItemsInRange(PVOID Base, SIZE_T Bytes);

/* Worker threads that a queue has, and entries that wait in it.  IRQL <= DISPATCH_LEVEL. */
VOID ExQueryWorkQueue(WORK_QUEUE_TYPE Type, PULONG Threads, PULONG Depth);

#endif
