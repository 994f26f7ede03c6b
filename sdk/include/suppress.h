/* SPDX-License-Identifier: MIT */
/* suppress.h: part of the WDK's own build checks, included by many drivers; there is nothing in it for this toolchain. */
