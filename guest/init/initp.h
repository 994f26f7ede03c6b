/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initp: what init's files share. */
#ifndef FLTVM_INITP_H
#define FLTVM_INITP_H

#include <obevent.h>
#include <client.h>

struct fltvm_loader_block;

/* The linker's entry point. */
DECLSPEC_NORETURN VOID KiSystemStartup(struct fltvm_loader_block *LoaderBlock);

/* bootdrivers.c: loads the boot drivers of the initrd.  PASSIVE_LEVEL, a thread of the System process. */
NTSTATUS InitLoadBootDrivers(VOID);

/* Made by the build from guest/user/services.txt.  Any IRQL. */
VOID InitSetServices(VOID);

/*
 * services.c.  PASSIVE_LEVEL.  What the registry says of the machine's own boot drivers; and where in the order of all a driver
 * stands, a lower rank first: INIT_NOT_AT_BOOT when its service says that it is not started at boot.
 */
#define INIT_NOT_AT_BOOT MAXULONG64
VOID InitDescribeServices(VOID);
ULONG64 InitRankOfService(const CHAR *Name, ULONG Length);

#endif
