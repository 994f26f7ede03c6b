/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link: what its files share.
 *
 * link.c is the device, link-host.c its end of the character device; link-trace.c knows the processor that comes to a
 * trace point, link-crash.c the one whose triple fault ends the machine.
 */

#ifndef HW_FLTVM_LINK_H
#define HW_FLTVM_LINK_H

#include "fltvm/link.h"

/* From now on trace points write to this I/O port; 0: they do nothing. */
void fltvm_link_trace_points(uint16_t port);

/*
 * What the processor that executes is at: fills the record but for its time and
 * sequence.  False when no processor executes, or when POINT is none.
 */
bool fltvm_link_trace_record(uint32_t point, struct fltvm_trace_record *record);

/* From now on be called for a triple fault, where it happens, with the big lock held; NULL: no more. */
typedef void FltvmCrashFunc(void *opaque, const struct fltvm_crash *record);
void fltvm_link_watch_crash(FltvmCrashFunc *crashed, void *opaque);

#endif
