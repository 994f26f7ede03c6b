/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oplog.h: what the operation logger and its client say to each other. */
#ifndef OPLOG_H
#define OPLOG_H

#define OPLOG_PORT_NAME L"\\OplogPort"
#define OPLOG_NAME_MAX  96

typedef enum _OPLOG_COMMAND { OplogGetVersion, OplogGetRecords, OplogGetLost } OPLOG_COMMAND;

typedef struct _OPLOG_MESSAGE {
    OPLOG_COMMAND Command;
    ULONG Reserved;
} OPLOG_MESSAGE, *POPLOG_MESSAGE;

typedef struct _OPLOG_RECORD {
    ULONG Length; /* of the record, with its name, rounded up to 8 */
    ULONG Sequence;
    LARGE_INTEGER Started, Ended;
    ULONG_PTR FileObject;
    ULONG ProcessId;
    NTSTATUS Status;
    ULONG_PTR Information;
    ULONG IrpFlags;
    ULONG CallbackFlags;
    UCHAR Major, Minor, PostIrql, Truncated;
    ULONG NameLength; /* in bytes; no terminating zero */
    WCHAR Name[1];
} OPLOG_RECORD, *POPLOG_RECORD;

#endif
