/* SPDX-License-Identifier: MIT */
/*
 * fltvm_ntddk_old.h: come before mingw-w64's ntddk.h, whose definitions of these structures are older than the target's:
 * each gets another name there, and its pointer type speaks of the one in fltvm_ntddk.h; so do prototypes that are wrong there.
 * Made by scripts/ddi-headers.py from sdk/ddi/types.tsv; do not edit.
 */
#define _PROCESS_EXTENDED_BASIC_INFORMATION _FvOld_PROCESS_EXTENDED_BASIC_INFORMATION
#define PROCESS_EXTENDED_BASIC_INFORMATION FvOld_PROCESS_EXTENDED_BASIC_INFORMATION; typedef struct _PROCESS_EXTENDED_BASIC_INFORMATION_19041 FvNew_PROCESS_EXTENDED_BASIC_INFORMATION
#define _PS_CREATE_NOTIFY_INFO _FvOld_PS_CREATE_NOTIFY_INFO
#define PS_CREATE_NOTIFY_INFO FvOld_PS_CREATE_NOTIFY_INFO; typedef struct _PS_CREATE_NOTIFY_INFO_19041 FvNew_PS_CREATE_NOTIFY_INFO
