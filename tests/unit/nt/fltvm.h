/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pure code asks of the kernel: on the host every address of a routine is one. */
#ifndef FLTVM_H
#define FLTVM_H

static inline void FvCheckRoutine(const VOID *Routine, PCSTR What)
{
    (void)Routine;
    (void)What;
}

#endif
