/* SPDX-License-Identifier: GPL-2.0-or-later */
/* altitude.h: the order of altitudes.  Pure code over UTF-16 units; the host's unit test compiles it too. */
#ifndef FLTMGR_ALTITUDE_H
#define FLTMGR_ALTITUDE_H

#include <stddef.h>
#include <stdint.h>

/* Whether the text is an altitude: digits, at most one point, at least one digit.  IRQL: any. */
int FltpAltitudeIsValid(const uint16_t *Text, size_t Length);

/* Less than, equal to or greater than zero as Left is below, at or above Right.  Both must be valid.  IRQL:
 * any. */
int FltpAltitudeCompare(const uint16_t *Left, size_t LeftLength, const uint16_t *Right, size_t RightLength);

#endif
