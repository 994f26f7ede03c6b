/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * se: who acts.  One token exists, LocalSystem's, with every privilege; the structures have room for others.
 */
#ifndef FLTVM_SE_H
#define FLTVM_SE_H

/* Makes the system token and gives it to the system process.  After ob and ps; IRQL: PASSIVE_LEVEL. */
NTSTATUS SeInitSystem(VOID);

#endif
