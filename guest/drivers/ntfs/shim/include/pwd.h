/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The library includes this one whatever configure found. */
#include "libc.h"
