/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error domain: see error.h. */
#include "error.h"

G_DEFINE_QUARK(fltvm - error, fltvm_error)

int fltvm_error_exit_status(const GError *error)
{
    if (!error)
        return FLTVM_EXIT_OK;
    return error->domain == FLTVM_ERROR ? error->code : FLTVM_ERROR_HOST;
}
