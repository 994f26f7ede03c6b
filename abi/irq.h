/* SPDX-License-Identifier: MIT */
/*
 * fltvm-irq: registers of the interrupt source.
 *
 * A PCIe endpoint with one 32-bit memory BAR and MSI-X (table and pending bits inside the same BAR, where
 * the capability says).  Each source raises pulses of its MSI-X vector at programmed virtual times.
 * docs/specs/fltvm-irq.rst is the contract; all numbers are little-endian.
 */
#ifndef FLTVM_ABI_IRQ_H
#define FLTVM_ABI_IRQ_H

#include <stdint.h>

#define FLTVM_IRQ_BAR      0u
#define FLTVM_IRQ_BAR_SIZE 0x4000u

/*
 * Registers: aligned 32-bit accesses only.  Any other access reads as all ones, writes nothing, and sets
 * FLTVM_IRQ_ERROR_ACCESS.
 */
#define FLTVM_IRQ_REG_ID           0x000u /* RO: FLTVM_IRQ_ID */
#define FLTVM_IRQ_REG_VERSION      0x004u /* RO: FLTVM_IRQ_VERSION */
#define FLTVM_IRQ_REG_SOURCES      0x008u /* RO: number of sources, at most 32 */
#define FLTVM_IRQ_REG_VECTORS      0x00Cu /* RO: MSI-X vectors */
#define FLTVM_IRQ_REG_MIN_INTERVAL 0x010u /* RO: shortest INTERVAL in ns */
#define FLTVM_IRQ_REG_MAX_COUNT    0x014u /* RO: largest COUNT */
#define FLTVM_IRQ_REG_PENDING      0x018u /* RO: bit n: source n raised a pulse and was not acknowledged */
#define FLTVM_IRQ_REG_ARMED        0x01Cu /* RO: bit n: source n will raise more pulses */
#define FLTVM_IRQ_REG_ERROR        0x020u /* RO; write 1 to clear: FLTVM_IRQ_ERROR_* */
#define FLTVM_IRQ_REG_ERROR_INFO   0x024u /* RO: of the latest error: BAR offset, or source number */
#define FLTVM_IRQ_REG_TIME_LO      0x028u /* RO: virtual time in ns, low half; latches the high half */
#define FLTVM_IRQ_REG_TIME_HI      0x02Cu /* RO: the latched high half */

#define FLTVM_IRQ_ID      0x51524946u /* "FIRQ" */
#define FLTVM_IRQ_VERSION 1u

#define FLTVM_IRQ_ERROR_ACCESS 0x1u /* size, alignment or offset; info: offset in the BAR */
#define FLTVM_IRQ_ERROR_BUSY   0x2u /* a source was configured while it was armed; info: source */
#define FLTVM_IRQ_ERROR_CONFIG 0x4u /* a source could not be armed as configured; info: source */

/* A source's block, at FLTVM_IRQ_REG_SOURCE(n). */
#define FLTVM_IRQ_REG_SOURCE(n) (0x400u + (n) * 0x40u)

#define FLTVM_IRQ_SOURCE_MODE        0x00u /* RW: FLTVM_IRQ_MODE_* */
#define FLTVM_IRQ_SOURCE_VECTOR      0x04u /* RW: MSI-X vector, below VECTORS; reset: the source's number */
#define FLTVM_IRQ_SOURCE_START_LO    0x08u /* RW: ns from arming to the first pulse */
#define FLTVM_IRQ_SOURCE_START_HI    0x0Cu
#define FLTVM_IRQ_SOURCE_INTERVAL_LO 0x10u /* RW: ns from pulse to pulse (PERIODIC, BURST) */
#define FLTVM_IRQ_SOURCE_INTERVAL_HI 0x14u
#define FLTVM_IRQ_SOURCE_COUNT       0x18u /* RW: pulses (BURST) */
#define FLTVM_IRQ_SOURCE_COMMAND     0x1Cu /* WO: FLTVM_IRQ_COMMAND_* */
#define FLTVM_IRQ_SOURCE_STATE       0x20u /* RO: FLTVM_IRQ_STATE_* */
#define FLTVM_IRQ_SOURCE_RAISED      0x24u /* RO: pulses raised */
#define FLTVM_IRQ_SOURCE_ACKED       0x28u /* RO: ACKNOWLEDGE commands that found a pulse pending */
#define FLTVM_IRQ_SOURCE_OVERRUN     0x2Cu /* RO: pulses raised while one was pending */
#define FLTVM_IRQ_SOURCE_MISSED      0x30u /* RO: pulses skipped, their time having passed (not under icount) */
#define FLTVM_IRQ_SOURCE_LEFT        0x34u /* RO: pulses to come; all ones when there is no end */

#define FLTVM_IRQ_MODE_OFF      0u
#define FLTVM_IRQ_MODE_ONE_SHOT 1u /* one pulse at START */
#define FLTVM_IRQ_MODE_PERIODIC 2u /* a pulse at START and every INTERVAL after it, until disarmed */
#define FLTVM_IRQ_MODE_BURST    3u /* COUNT pulses, the first at START, INTERVAL apart */
#define FLTVM_IRQ_MODE_STORM    4u /* reserved: until acknowledged */
#define FLTVM_IRQ_MODE_RANDOM   5u /* reserved: seeded */

#define FLTVM_IRQ_COMMAND_ARM         1u /* start; START counts from now */
#define FLTVM_IRQ_COMMAND_DISARM      2u /* no more pulses; a pending one stays pending */
#define FLTVM_IRQ_COMMAND_ACKNOWLEDGE 3u /* clear pending */
#define FLTVM_IRQ_COMMAND_FIRE        4u /* a pulse now, whatever the mode */
#define FLTVM_IRQ_COMMAND_CLEAR       5u /* the four counters back to 0 */

#define FLTVM_IRQ_STATE_ARMED   0x1u
#define FLTVM_IRQ_STATE_PENDING 0x2u

#endif
