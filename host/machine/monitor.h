/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The little of QEMU's monitor protocol (QMP) that is needed, and only when something went wrong. */
#ifndef FLTVM_HOST_MONITOR_H
#define FLTVM_HOST_MONITOR_H

#include <glib.h>

/* Interrupt every processor with an NMI.  FALSE when QEMU does not answer in time. */
gboolean fltvm_monitor_inject_nmi(int fd, gint64 deadline);

#endif
