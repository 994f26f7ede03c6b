/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ldr: private declarations. */
#ifndef FLTVM_LDRP_H
#define FLTVM_LDRP_H

#include <ntifs.h>
#include <rtl.h>
#include <kd.h>
#include <ke.h>
#include <mm.h>
#include <ps.h>
#include "ldr.h"
#include "pe.h"

#define LDRP_TAG 'rdLF'

extern PLDR_IMAGE LdrpKernelImage;
extern LDRP_DIRECTORY LdrpKernelExports;

/* The export directory of an image that has been accepted. */
LDRP_DIRECTORY LdrpExportsOf(PLDR_IMAGE Image);

/*
 * The verifier's thunk for a routine with an IRQL rule: where an import is bound to instead of Target; Target itself
 * when there is no rule.  Thunks are written at *Cursor, which moves on; with Cursor NULL only counts: the
 * bytes needed are added to *Size.
 */
ULONG64 LdrpMakeThunk(PCSTR Name, ULONG64 Target, PUCHAR *Cursor, SIZE_T *Size);

/*
 * calls.c: whether drivers' calls are counted, and those of a routine, by its name (NULL: by ordinal) and address; and the thunk
 * that counts and goes on to Target, the routine or another thunk, made as by LdrpMakeThunk.
 */
BOOLEAN LdrpCountsCalls(VOID);
BOOLEAN LdrpIsCounted(PCSTR Name, ULONG64 Routine);
ULONG64 LdrpMakeCallThunk(ULONG64 Routine, ULONG64 Target, PUCHAR *Cursor, SIZE_T *Size);

/* How many arguments beyond the fourth a routine is called with whose return comes late; thunk.S has the number, too. */
#define LDRP_COPIED_ARGUMENTS 12

/* What the import of a routine is bound to that has a variant for some images; Target when it has none. */
ULONG64 LdrpVariantOf(PLDR_IMAGE Image, PCSTR Name, ULONG64 Target);

/* load.c: one load or unload at a time; a thread may lock again.  PASSIVE_LEVEL. */
VOID LdrpLock(VOID);
VOID LdrpUnlock(VOID);

typedef enum _LDRP_KIND {
    LdrpDriverImage,
    LdrpInBoxImage,   /* a driver that came with the machine */
    LdrpLibraryImage, /* an export driver: it may lack an entry point */
    LdrpInBoxLibraryImage,
} LDRP_KIND;

/* load.c: LdrLoadImage without the lock, which the caller holds, and without telling of it. */
NTSTATUS LdrpLoad(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, LDRP_KIND Kind, PLDR_IMAGE *Image);

/* import.c: where an export is, forwarders followed, and in which image (*Where, if wanted); 0 when there is none. */
ULONG64 LdrpResolve(PLDR_IMAGE Image, PCSTR Name, USHORT Ordinal, PLDR_IMAGE *Where);

/*
 * library.c, the lock held: the image of a library that was provided, loaded if there is such a file; NULL without one,
 * with STATUS_SUCCESS, or when it cannot be loaded, with the reason by LdrpFail.
 */
PLDR_IMAGE LdrpNeedLibrary(PCUNICODE_STRING Name, NTSTATUS *Status);

/* library.c, the lock held: whether a library that nobody needs may go, and its last call. */
BOOLEAN LdrpMayEndLibrary(PLDR_IMAGE Image);
VOID LdrpEndLibrary(PLDR_IMAGE Image);

/* load.c: adds to what the load that is under way fails with.  The caller holds LdrpMutex. */
VOID LdrpFail(PCSTR Format, ...);

/* Nothing has been said yet.  Takes LdrpMutex. */
VOID LdrpForgetFailure(VOID);

/*
 * import.c: binds every import, or says by LdrpFail what is missing.  Two passes when the verifier is on: the first counts
 * the thunks, the second binds.  PASSIVE_LEVEL, LdrpMutex held.
 */
NTSTATUS LdrpBindImports(PLDR_IMAGE Image, const LDRP_PE *Pe);

/* Bugchecks if a driver leaves anything behind. */
VOID LdrpCheckUnload(PLDR_IMAGE Image);

#endif
