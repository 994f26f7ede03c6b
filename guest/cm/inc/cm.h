/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cm: the registry, in memory only.  Its routines are the documented Zw*Key; this is what init calls. */
#ifndef FLTVM_CM_H
#define FLTVM_CM_H

/* Makes \Registry and the keys that drivers rely on.  After ob; IRQL: PASSIVE_LEVEL. */
NTSTATUS CmInitSystem(VOID);

/* Bugchecks when a registry callback is left in code that goes.  IRQL <= DISPATCH_LEVEL. */
VOID CmCheckLeft(PVOID Base, SIZE_T Size);

#endif
