/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * se: who acts.  One token exists, LocalSystem's, with every privilege; the structures have room for others.
 */
#ifndef FLTVM_SE_H
#define FLTVM_SE_H

/* Makes the system token, with one reference, which init gives to the system process.  After ob; IRQL: PASSIVE_LEVEL. */
NTSTATUS SeInitSystem(PACCESS_TOKEN *SystemToken);

#endif
