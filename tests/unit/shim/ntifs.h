/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of ntifs.h as the guest's pure code needs to be compiled for the host, where the sanitizers are.  Types have
 * their Windows sizes; wide characters are 16 bits, so the host compiler is given -fshort-wchar.
 */
#ifndef TESTS_UNIT_NTIFS_H
#define TESTS_UNIT_NTIFS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NTAPI
#define VOID void
#define _In_
#define _Out_
#define _Inout_
#define _In_opt_
#ifndef TRUE
#define TRUE  1
#define FALSE 0
#endif

typedef uint8_t UCHAR, BOOLEAN, *PBOOLEAN;
typedef uint16_t USHORT, WCHAR, *PWCHAR;
typedef const uint16_t *PCWCH;
typedef uint32_t ULONG;
typedef void *PVOID;

typedef struct _UNICODE_STRING {
    USHORT Length, MaximumLength;
    WCHAR *Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

#define FSRTL_FAT_LEGAL      0x01
#define FSRTL_HPFS_LEGAL     0x02
#define FSRTL_NTFS_LEGAL     0x04
#define FSRTL_WILD_CHARACTER 0x08
#define FSRTL_OLE_LEGAL      0x10
#define DOS_STAR             '<'
#define DOS_QM               '>'
#define DOS_DOT              '"'

#define PagedPool                                 1
#define RtlZeroMemory(Buffer, Size)               memset(Buffer, 0, Size)
#define FsRtlAllocatePoolWithTag(Pool, Size, Tag) malloc(Size)
#define ExFreePoolWithTag(Block, Tag)             free(Block)

static inline WCHAR RtlUpcaseUnicodeChar(WCHAR Character)
{
    return Character >= 'a' && Character <= 'z' ? Character - 32 : Character;
}

#endif
