/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cm: the registry, in memory only.  Its routines are the documented Zw*Key; this is what init calls. */
#ifndef FLTVM_CM_H
#define FLTVM_CM_H

/* Stands behind a counted string that a driver is given, where a C string would have its zero. */
#define CM_NO_TERMINATOR 0xF5F5

/* Makes \Registry and the keys that drivers rely on.  After ob; IRQL: PASSIVE_LEVEL. */
NTSTATUS CmInitSystem(VOID);

/* Bugchecks when a registry callback is left in code that goes.  IRQL <= DISPATCH_LEVEL. */
VOID CmCheckLeft(PVOID Base, SIZE_T Size);

#endif
