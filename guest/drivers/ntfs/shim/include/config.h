/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h: what libntfs-3g's configure would have found out about the C library of shim/.
 *
 * Nearly everything is said by leaving it out: the library includes a header of the C library only where HAVE_…_H tells that it is
 * there, so libc.h stands for all of them.
 */
#ifndef FLTVM_NTFS_CONFIG_H
#define FLTVM_NTFS_CONFIG_H

#include "libc.h"

#define HAVE_CLOCK_GETTIME 1
#define HAVE_FFS           1
#define HAVE_DAEMON        1 /* not declared, not called */
#define HAVE_STRSEP        1
#define HAVE_STDINT_H      1
#define NO_NTFS_DEVICE_DEFAULT_IO_OPS

#endif
