/* SPDX-License-Identifier: GPL-2.0-or-later */
/* halp: what hal's files share. */
#ifndef FLTVM_HALP_H
#define FLTVM_HALP_H

#include <ntifs.h>
#include <cpu.h>
#include <hal.h>

/* trampoline.S; copied as a whole below 1 MiB.  The data's layout is known there. */
extern CHAR HalpTrampoline[], HalpTrampolineData[], HalpTrampolineEnd[];

typedef struct _HALP_TRAMPOLINE_DATA {
    ULONG PageTable;
    ULONG Number;
    ULONG64 Entry;
    ULONG64 Stack;
    ULONG Started;
} HALP_TRAMPOLINE_DATA;

#endif
