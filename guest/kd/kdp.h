/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kdp: what kd's files share. */
#ifndef FLTVM_KDP_H
#define FLTVM_KDP_H

#include <ntifs.h>
#include <boot.h>
#include <cpu.h>
#include <kd.h>
#include <rtl.h>

/* Text without a host: QEMU's debug console, when it is there. */
VOID KdpPutText(const CHAR *Text, ULONG Length);

/* The host's "name=value\n" lines. */
VOID KdpParseOptions(ULONG Length);
extern CHAR KdpOptionText[0x1000];

#endif
