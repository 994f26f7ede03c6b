/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the parts of a build are, found from where this executable is: <build>/host/fltvm.
 * FLTVM_BUILD, FLTVM_QEMU, FLTVM_KERNEL and FLTVM_INITRD name others.
 */
#ifndef FLTVM_HOST_PATHS_H
#define FLTVM_HOST_PATHS_H

#include <glib.h>

/* Each returns a newly allocated path; whether it exists is for the caller to check. */
char *fltvm_path_build(void);
/* This command itself. */
char *fltvm_path_command(void);
char *fltvm_path_qemu(void);
char *fltvm_path_qemu_img(void);
/* The firmware directory beside QEMU; there need not be one. */
char *fltvm_path_firmware(void);
char *fltvm_path_kernel(void);
char *fltvm_path_initrd(void);
/* The unstripped file of an image the guest names. */
char *fltvm_path_symbols(const char *image);
/* A file of the source tree, by its path there. */
char *fltvm_path_source(const char *relative);

/* FALSE with FLTVM_ERROR_USAGE when the file cannot be read. `what` begins the message. */
gboolean fltvm_path_check(const char *what, const char *path, GError **error);

/* The first of the names found in PATH, or the first name itself. */
const char *fltvm_path_tool(const char *const *names);

#endif
