/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initp: what init's files share. */
#ifndef FLTVM_INITP_H
#define FLTVM_INITP_H

#include <obevent.h>
#include <client.h>

struct fltvm_loader_block;

/* The linker's entry point. */
DECLSPEC_NORETURN VOID KiSystemStartup(struct fltvm_loader_block *LoaderBlock);

/* bootdrivers.c: loads every .sys of the initrd, fltmgr first.  PASSIVE_LEVEL, a thread of the System
 * process. */
NTSTATUS InitLoadBootDrivers(VOID);

#endif
