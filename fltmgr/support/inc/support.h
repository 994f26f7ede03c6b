/* SPDX-License-Identifier: GPL-2.0-or-later */
/* support.h: strings and the registry, for all rooms.  IRQL: PASSIVE_LEVEL unless said. */
#ifndef FLTMGR_SUPPORT_H
#define FLTMGR_SUPPORT_H

#include <ntifs.h>

#define FLTP_TAG_NAME      'mNtF'
#define FLTP_TAG_TEMPORARY 'mTtF'

/* string.c: counted strings on the heap. */
NTSTATUS FltpCopyString(PUNICODE_STRING To, PCUNICODE_STRING From);
VOID FltpFreeString(PUNICODE_STRING String);                           /* IRQL: <= DISPATCH_LEVEL */
int FltpCompareNames(PCUNICODE_STRING Left, PCUNICODE_STRING Right);   /* 0: equal; an order; IRQL: any */
ULONG FltpHashName(PCUNICODE_STRING Name);                             /* equal for equal names; IRQL: any */
BOOLEAN FltpEqualNames(PCUNICODE_STRING Left, PCUNICODE_STRING Right); /* IRQL: any */
NTSTATUS FltpNameOfObject(PVOID Object, PUNICODE_STRING Name);

/* A filter's string, which may be pageable, where it can be read with a spin lock held. */
typedef struct _FLTP_RESIDENT_NAME {
    UNICODE_STRING String;
    WCHAR Text[256];
} FLTP_RESIDENT_NAME, *PFLTP_RESIDENT_NAME;

/* IRQL: the string's.  FALSE: longer than any name of ours. */
BOOLEAN FltpCopyName(PFLTP_RESIDENT_NAME To, PCUNICODE_STRING From);

/* registry.c */
NTSTATUS FltpJoinKey(PUNICODE_STRING To, PCUNICODE_STRING Key, PCWSTR Middle, PCUNICODE_STRING Last);
NTSTATUS FltpReadString(PCUNICODE_STRING Key, PCWSTR ValueName, PUNICODE_STRING Value);
NTSTATUS FltpReadUlong(PCUNICODE_STRING Key, PCWSTR ValueName, PULONG Value);
NTSTATUS FltpEnumerateKey(PCUNICODE_STRING Key, ULONG Index, PUNICODE_STRING Name);

#endif
