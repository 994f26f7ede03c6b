/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * name.h: names of the files that operations are about.
 *
 * What a name is comes from the next name provider below who asks, or else from the file object and the file system; names of
 * files that are open are kept (cache.c).  Name information lives as long as filters hold it, or the cache does.
 */
#ifndef FLTMGR_NAME_H
#define FLTMGR_NAME_H

#include <core.h>

#define FLTP_TAG_FILE_NAME   'nFtF'
#define FLTP_MAGIC_FILE_NAME 0x4E746C46u

typedef struct _FLTP_FILE_NAME {
    LIST_ENTRY Link; /* with the verifier, those that filters hold: FltpNameLock; else empty */
    ULONG Magic;
    volatile LONG References;
    PVOID TakenBy[FLTP_STACK_DEPTH]; /* with the verifier: the first */
    /* Of one that is kept. */
    LIST_ENTRY OfBucket;
    PFILE_OBJECT FileObject;
    PFLT_VOLUME Volume;
    PFLT_INSTANCE Provider; /* not held */
    LONG Generation;        /* its volume's NameGeneration, */
    BOOLEAN IsLast;         /* or it stays: its handle has ended, and the name goes */
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
    /* As it began; see cache.c. */
    PFLT_INSTANCE Provider;
    LONG Generation, Purges;
    PBOOLEAN NotKept; /* set where a provider says so; or NULL */
} FLTP_NAME_QUERY, *PFLTP_NAME_QUERY;

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

/*
 * cache.c.  IRQL: <= APC_LEVEL, but FltpChangesNames, which any may call: the request, of IRP_MJ_SET_INFORMATION or
 * IRP_MJ_CLEANUP, may change the names of files that are open.
 */
VOID FltpInitializeNameCache(VOID);
BOOLEAN FltpChangesNames(PIO_STACK_LOCATION Stack);
VOID FltpBeginNameQuery(PFLTP_NAME_QUERY Query);
/* Referenced; NULL: it is not kept. */
PFLTP_FILE_NAME FltpFindCachedName(const FLTP_NAME_QUERY *Query);
VOID FltpCacheName(const FLTP_NAME_QUERY *Query, PFLTP_FILE_NAME Name);
VOID FltpForgetNamesOfFile(PFILE_OBJECT FileObject);
VOID FltpForgetNamesOfVolume(PFLT_VOLUME Volume);
/* The handle's end is about to take the file's name away: the names that are kept for it stay what they are. */
VOID FltpKeepLastNames(PFILE_OBJECT FileObject);

/* information.c.  IRQL: <= APC_LEVEL. */
VOID FltpDropName(PFLTP_FILE_NAME Name); /* one reference less */
NTSTATUS FltpCheckNameOptions(FLT_FILE_NAME_OPTIONS Options);
NTSTATUS FltpPublishName(const FLTP_NAME_QUERY *Query, const FLT_NAME_CONTROL *Control,
                         PFLT_FILE_NAME_INFORMATION *Information, PVOID Caller);
VOID FltpInitializeNames(VOID);
/* The image goes: name information that its code asked for and never released is a bugcheck.  Verifier only. */
VOID FltpCheckNamesAtUnload(PUCHAR Start, PUCHAR End);

#endif
