/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * name.h: names of the files that operations are about.
 *
 * There is no cache yet: each query makes name information of its own, which lives as long as filters hold it.  What a
 * name is comes from the file object: the volume's name, and behind it what the file was opened by.  RAW has one name
 * for everything, so that is the normalized name too; another file system would have to be asked, which is not built.
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

VOID FltpInitializeNames(VOID);
/* The image goes: name information that its code asked for and never released is a bugcheck.  Verifier only. */
VOID FltpCheckNamesAtUnload(PUCHAR Start, PUCHAR End);

#endif
