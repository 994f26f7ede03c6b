/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest/rtl/inc/rtl.h, for code of the guest that is compiled for the host: ntifs.h has all that is needed. */
