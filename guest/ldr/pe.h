/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ldr: reading PE files.  Pure: works on bytes in memory, allocates nothing, compiled for host tests too.
 *
 * First LdrpParseImage on the file; then, on the image laid out in memory (sections at their addresses), the others.
 * Every routine returns NULL, or the reason why the image is refused.
 */
#ifndef FLTVM_LDR_PE_H
#define FLTVM_LDR_PE_H

#include <ntifs.h>
#include <ntimage.h>

#define LDRP_MAXIMUM_SECTIONS 96
#define LDRP_MAXIMUM_IMAGE    (64u << 20)

typedef struct _LDRP_SECTION {
    CHAR Name[9];
    ULONG Rva, Size;          /* in memory, rounded up to pages */
    ULONG RawOffset, RawSize; /* what of it is in the file */
    ULONG Characteristics;
} LDRP_SECTION;

typedef struct _LDRP_DIRECTORY {
    ULONG Rva, Size;
} LDRP_DIRECTORY;

typedef struct _LDRP_PE {
    ULONG64 PreferredBase;
    ULONG SizeOfImage; /* rounded up to pages */
    ULONG SizeOfHeaders;
    ULONG EntryPoint;
    ULONG CheckSum, TimeDateStamp;
    USHORT Subsystem, Characteristics;
    ULONG Sections;
    LDRP_SECTION Section[LDRP_MAXIMUM_SECTIONS];
    LDRP_DIRECTORY Export, Import, Exception, Relocation, LoadConfig;
    ULONG ExceptionCount;
} LDRP_PE, *PLDRP_PE;

PCSTR LdrpParseImage(const VOID *Bytes, SIZE_T Size, PLDRP_PE Pe);

/* The same with the first Size bytes of a file of FileSize alone: the headers have to lie in them. */
PCSTR LdrpParseHeaders(const VOID *Bytes, SIZE_T Size, ULONG64 FileSize, PLDRP_PE Pe);

/* Copies headers and sections to their places; Base has SizeOfImage zeroed bytes. */
VOID LdrpLayOut(const VOID *Bytes, const LDRP_PE *Pe, PUCHAR Base);

/* Base is where the bytes are; Address where they will run. */
PCSTR LdrpRelocate(PUCHAR Base, const LDRP_PE *Pe, ULONG64 Address);

/* Entries sorted, within the image, their unwind data within it too. */
PCSTR LdrpCheckExceptions(PUCHAR Base, const LDRP_PE *Pe);

/* Whether the section of Size bytes at Rva holds the exception directory or the unwind data of one of its entries. */
BOOLEAN LdrpHoldsUnwindData(PUCHAR Base, ULONG SizeOfImage, LDRP_DIRECTORY Exception, ULONG Rva, ULONG Size);

/* Puts a fresh cookie where the load configuration says, if it holds the compiler's default. */
PCSTR LdrpSetCookie(PUCHAR Base, const LDRP_PE *Pe, ULONG64 Address, ULONG64 Cookie);

/*
 * Calls Bind for each import: Name, or NULL and Ordinal; *Slot gets the address.  FALSE from Bind goes on to the next
 * (the caller remembers).
 */
typedef BOOLEAN (*PLDRP_BIND)(PVOID Context, PCSTR Module, PCSTR Name, USHORT Ordinal, PULONG64 Slot);
PCSTR LdrpWalkImports(PUCHAR Base, const LDRP_PE *Pe, PLDRP_BIND Bind, PVOID Context);

/*
 * An export's RVA, by name or (Name NULL) by ordinal; 0 when there is none.  A forwarder: *Forwarder is its text
 * and the result is 0.
 */
ULONG LdrpFindExport(PUCHAR Base, ULONG SizeOfImage, LDRP_DIRECTORY Directory, PCSTR Name, USHORT Ordinal,
                     PCSTR *Forwarder);

#endif
