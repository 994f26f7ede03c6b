/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * name.h: names of the files that operations are about.
 *
 * There is no cache yet: each query makes name information of its own, which lives as long as filters hold it.  What a
 * name is comes from the next name provider below who asks, or else from the file object and the file system.
 */
#ifndef FLTMGR_NAME_H
#define FLTMGR_NAME_H

#include <core.h>

#define FLTP_TAG_FILE_NAME   'nFtF'
#define FLTP_MAGIC_FILE_NAME 0x4E746C46u

typedef struct _FLTP_FILE_NAME {
    LIST_ENTRY Link; /* FltpNameLock */
    ULONG Magic;
    volatile LONG References;
    PVOID TakenBy[FLTP_STACK_DEPTH]; /* with the verifier: the first */
    FLT_FILE_NAME_INFORMATION Information;
    WCHAR Text[];
} FLTP_FILE_NAME, *PFLTP_FILE_NAME;

/* What is asked. */
typedef struct _FLTP_NAME_QUERY {
    PFLT_VOLUME Volume;
    PFLT_INSTANCE Instance; /* the asker's; NULL: the file system is asked from the top */
    PFILE_OBJECT FileObject;
    PFLT_CALLBACK_DATA Data; /* NULL outside a callback */
    FLT_FILE_NAME_OPTIONS Options;
    BOOLEAN Unopened;    /* before its create */
    BOOLEAN Destination; /* a name that the file has not yet */
} FLTP_NAME_QUERY;

/* control.c.  IRQL: <= APC_LEVEL.  A control that is all zero is empty. */
VOID FltpFreeNameControl(PFLT_NAME_CONTROL Control);
NTSTATUS FltpAppendName(PFLT_NAME_CONTROL Control, PCUNICODE_STRING Part);
NTSTATUS FltpAppendSeparator(PFLT_NAME_CONTROL Control); /* unless it ends with one */

/* make.c.  IRQL: PASSIVE_LEVEL.  Into an empty control. */
NTSTATUS FltpMakeName(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name);
/* Name: opened, with the volume in front; it is replaced. */
NTSTATUS FltpNormalizeByParent(const FLTP_NAME_QUERY *Query, PFLT_NAME_CONTROL Name);

/* provider.c.  IRQL: PASSIVE_LEVEL; FltpFindProvider: <= DISPATCH_LEVEL. */
PFLT_INSTANCE FltpFindProvider(const FLTP_NAME_QUERY *Query);
NTSTATUS FltpAskProvider(const FLTP_NAME_QUERY *Query, PFLT_INSTANCE Provider, PFLT_NAME_CONTROL Name);
BOOLEAN FltpNormalizes(PFLT_INSTANCE Provider);
NTSTATUS FltpNormalizeByProvider(const FLTP_NAME_QUERY *Query, PFLT_INSTANCE Provider, PFLT_NAME_CONTROL Name);

/* information.c.  IRQL: <= APC_LEVEL. */
NTSTATUS FltpCheckNameOptions(FLT_FILE_NAME_OPTIONS Options);
NTSTATUS FltpPublishName(const FLTP_NAME_QUERY *Query, const FLT_NAME_CONTROL *Control,
                         PFLT_FILE_NAME_INFORMATION *Information, PVOID Caller);
VOID FltpInitializeNames(VOID);
/* The image goes: name information that its code asked for and never released is a bugcheck.  Verifier only. */
VOID FltpCheckNamesAtUnload(PUCHAR Start, PUCHAR End);

#endif
