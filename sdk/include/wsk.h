/* SPDX-License-Identifier: MIT */
/* wsk.h: the Winsock Kernel's interface: types and constants; no provider is built. */
#ifndef FLTVM_WSK_H
#define FLTVM_WSK_H

#include <wdm.h>
#include <fltvm_wsk.h>

#define MAKE_WSK_VERSION(Major, Minor) ((USHORT)((USHORT)((Major) << 8) | (USHORT)((Minor) & 0xff)))
#define WSK_MAJOR_VERSION(Version)     ((UCHAR)((Version) >> 8))
#define WSK_MINOR_VERSION(Version)     ((UCHAR)(Version))

#endif
