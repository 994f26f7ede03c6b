/* SPDX-License-Identifier: MIT */
/*
 * fltvm_wdm_old.h: come before mingw-w64's wdm.h, whose definitions of these structures are older than the target's:
 * each gets another name there, and its pointer type speaks of the one in fltvm_wdm.h; so do prototypes that are wrong there.
 * Made by scripts/ddi-headers.py from sdk/ddi/types.tsv; do not edit.
 */
#define _DEVICE_CAPABILITIES _FvOld_DEVICE_CAPABILITIES
#define DEVICE_CAPABILITIES FvOld_DEVICE_CAPABILITIES; typedef struct _DEVICE_CAPABILITIES_19041 FvNew_DEVICE_CAPABILITIES
#define _DEVICE_DESCRIPTION _FvOld_DEVICE_DESCRIPTION
#define DEVICE_DESCRIPTION FvOld_DEVICE_DESCRIPTION; typedef struct _DEVICE_DESCRIPTION_19041 FvNew_DEVICE_DESCRIPTION
#define _DMA_OPERATIONS _FvOld_DMA_OPERATIONS
#define DMA_OPERATIONS FvOld_DMA_OPERATIONS; typedef struct _DMA_OPERATIONS_19041 FvNew_DMA_OPERATIONS
#ifndef _NTOSKRNL_
#define ProbeForRead FvOld_ProbeForRead
#endif
#ifndef _NTOSKRNL_
#define ProbeForWrite FvOld_ProbeForWrite
#endif
#ifndef _NTOSKRNL_
#define MmMapLockedPagesSpecifyCache FvOld_MmMapLockedPagesSpecifyCache
#endif
