/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock: byte-range locks of a file; see lock.c. */
#ifndef FLTVM_FSRTL_LOCK_H
#define FLTVM_FSRTL_LOCK_H

#include <ntifs.h>
#include <fltvm.h>

#define FSRTLP_LOCK_TAG 'LrsF'

/* A range that is locked, or with Irp one that somebody waits for. */
typedef struct _FSRTLP_RANGE {
    LIST_ENTRY Link;
    ULONG64 Sequence; /* in the order in which they were granted */
    FILE_LOCK_INFO Info;
    PEPROCESS Process;
    PIRP Irp;
    PVOID Context;
    struct _FSRTLP_LOCKS *Locks;
} FSRTLP_RANGE, *PFSRTLP_RANGE;

/* What FILE_LOCK.LockInformation points at. */
typedef struct _FSRTLP_LOCKS {
    KSPIN_LOCK Lock;
    LIST_ENTRY Granted, Waiting;
    ULONG64 LastSequence;
    PFILE_LOCK File;
} FSRTLP_LOCKS, *PFSRTLP_LOCKS;

/* Whose locks are meant. */
typedef enum _FSRTLP_WHOSE {
    FsRtlpOfProcess, /* the process's, through the file object */
    FsRtlpOfKey      /* of these, those with the key */
} FSRTLP_WHOSE;

/* Completes the request, through the file system's routine if it has one: what became of it.  <= DISPATCH_LEVEL. */
NTSTATUS FsRtlpCompleteLockIrp(PFILE_LOCK FileLock, PIRP Irp, PVOID Context, NTSTATUS Status);
BOOLEAN FsRtlpMayRead(PFILE_LOCK FileLock, ULONG64 Offset, ULONG64 Length, ULONG Key, PFILE_OBJECT File, PVOID Process);
BOOLEAN FsRtlpMayWrite(PFILE_LOCK FileLock, ULONG64 Offset, ULONG64 Length, ULONG Key, PFILE_OBJECT File,
                       PVOID Process);

#endif
