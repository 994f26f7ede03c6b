/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scenario client, as the kernel's start-up sees it. */
#ifndef FLTVM_CLIENT_H
#define FLTVM_CLIENT_H

#include <ntifs.h>

/*
 * Asks the host for commands and carries them out until it has no more, or the link is lost (FALSE).
 * PASSIVE_LEVEL, a system thread that has nothing else to do.
 */
BOOLEAN ClientRun(VOID);

#endif
