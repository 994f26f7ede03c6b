/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "error.h"
#include "verbs.h"
#define S(n) int fltvm_verb_##n(int argc, char **argv, GError **error) { (void)argc, (void)argv; g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, #n ": not built yet"); return 4; }
S(boot) S(gdb) S(cc) S(image)
