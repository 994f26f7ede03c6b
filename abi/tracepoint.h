/* SPDX-License-Identifier: MIT */
/*
 * A trace point: one instruction that does nothing, nopl disp32(%rax) (0F 1F 80 and four bytes), whose displacement names an event of
 * abi/trace.h and the registers that hold its arguments.
 *
 * The guest executes it whether or not anybody looks, so that looking does not change a run.  A machine that traces takes it, in
 * 64-bit mode at privilege 0, for a write of the displacement to fltvm-link's TRACE register.
 */
#ifndef FLTVM_ABI_TRACEPOINT_H
#define FLTVM_ABI_TRACEPOINT_H

#include <stdint.h>

#define FLTVM_TRACEPOINT_MODRM 0x80u
#define FLTVM_TRACEPOINT_MASK  0xF0000000u
#define FLTVM_TRACEPOINT_MAGIC 0x60000000u

/* Bits 0-7: the event.  Bits 8-27: five registers, four bits each, as instructions encode them. */
#define FLTVM_TRACEPOINT_EVENT(point)       ((point) & 0xFFu)
#define FLTVM_TRACEPOINT_REGISTER(point, i) ((point) >> (8 + 4 * (i)) & 0xFu)
#define FLTVM_TRACEPOINT_NONE               4u /* RSP, which holds no argument: the argument is 0 */

/* Where the kernel keeps what a record says about its sender, from GS. */
#define FLTVM_TRACEPOINT_GS_THREAD    0x188u /* uint64_t: the running KTHREAD */
#define FLTVM_TRACEPOINT_GS_PROCESSOR 0x1A4u /* uint32_t: the processor's number */

#endif
