/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's own files offer for putting a machine back in place: hw/patches/0009.  checkpoint.c is its user.
 *
 * All of it is for the processors' thread under a seeded schedule, with QEMU's big lock held and no processor in
 * execution.
 */

#ifndef HW_FLTVM_INPLACE_H
#define HW_FLTVM_INPLACE_H

#include "qemu/timer.h"

/* tcg-accel-ops-rr.c: called between two slices, and whenever a slice is interrupted; or NULL. */
extern bool (*rr_sched_boundary)(void);

/* cputlb.c: as it was when the processor was made. */
void tlb_renew(CPUState *cpu);

/* QEMU's cpu-system.c: loading a processor's state leaves TLBs and translated blocks alone. */
extern bool cpu_load_keeps_code;

/*
 * qemu-timer.c: what the main loop's timers of a clock wait for, and back.  Timers that are due at the same time run in
 * the order in which they were set, which no device's state tells.  The result is to be freed with g_array_unref().
 */
GArray *qemu_clock_save_timers(QEMUClockType type);
void qemu_clock_restore_timers(QEMUClockType type, const GArray *saved);

/* guest-random.c: this thread's generator, of which RDRAND takes: a copy (NULL: it has none); back; and begun again. */
GRand *qemu_guest_random_save(void);
void qemu_guest_random_restore(const GRand *saved);
void qemu_guest_random_renew(uint64_t seed);

#endif
