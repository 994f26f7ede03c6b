/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link: what its files share.
 *
 * link.c is the device; link-trace.c knows the processor that comes to a trace point.
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

#endif
