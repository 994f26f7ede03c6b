/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Minifilters from source, through sdk/toolchain/cc, with a cache.
 *
 * The cache's key covers the toolchain, the flags and the path, size and time of every file that went in, so an
 * unchanged source costs a few stat() calls.  Entries are made aside and renamed into place: any number of
 * processes may use the cache at once.
 */
#ifndef FLTVM_HOST_COMPILE_H
#define FLTVM_HOST_COMPILE_H

#include <glib.h>

typedef struct {
    char *image;   /* what the guest loads: without debug information */
    char *symbols; /* the same with it */
    char *library; /* what drivers that import from it are linked with; NULL unless it was asked for */
} FltvmCompiled;

void fltvm_compiled_clear(FltvmCompiled *compiled);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FltvmCompiled, fltvm_compiled_clear)

/*
 * Sources and flags end with NULL; `name` is the image's, with ".sys"; with `exports` an import library is made, and an
 * image without exports is an error.  Errors hold the compiler's words.
 */
gboolean fltvm_compile(const char *name, const char *const *sources, const char *const *flags, gboolean exports,
                       FltvmCompiled *compiled, GError **error);

/* Where unstripped images of compiled drivers are, for gdb. */
char *fltvm_compile_cache_dir(void);

#endif
