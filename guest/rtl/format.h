/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtl: the formatter behind the printf family. */
#ifndef FLTVM_GUEST_RTL_FORMAT_H
#define FLTVM_GUEST_RTL_FORMAT_H

#include "rtlp.h"
#include <stdarg.h>

/*
 * Formats into Buffer, which has room for Capacity characters (bytes, or WCHARs when Wide).  Returns how many
 * characters the text has; those past Capacity are dropped and nothing is terminated.
 */
SIZE_T RtlpFormat(PVOID Buffer, SIZE_T Capacity, const VOID *Format, BOOLEAN Wide, va_list Arguments);

#endif
