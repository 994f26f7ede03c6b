/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The images that the guest has loaded, and what an address in one of them is called.
 * Names, files and lines come from llvm-symbolizer (symbolizer.h) on the unstripped images, which is asked only when a
 * report needs it, once for all addresses of the report.
 */
#ifndef FLTVM_HOST_SYMBOLS_H
#define FLTVM_HOST_SYMBOLS_H

#include <glib.h>

typedef struct FltvmSymbols FltvmSymbols;

FltvmSymbols *fltvm_symbols_new(void);
void fltvm_symbols_free(FltvmSymbols *symbols);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmSymbols, fltvm_symbols_free)

/* Say which unstripped file stands for an image of this name (a driver that the scenario loaded). */
void fltvm_symbols_set_file(FltvmSymbols *symbols, const char *image, const char *file);

/* The guest loaded or unloaded an image.  Unloaded ones stay known: reports name them. */
void fltvm_symbols_loaded(FltvmSymbols *symbols, const char *image, guint64 base, guint32 size, gboolean in_box);
void fltvm_symbols_unloaded(FltvmSymbols *symbols, const char *image, guint64 base);

/* The image that holds an address; NULL if none does. */
const char *fltvm_symbols_image(FltvmSymbols *symbols, guint64 address);

/* Whether that image came with the machine, as the kernel and fltmgr do. */
gboolean fltvm_symbols_in_box(FltvmSymbols *symbols, guint64 address);

/* What to look up.  `text` is filled in: "driver!Function+0x12 (file.c:34)", several lines for inlined calls. */
typedef struct {
    guint64 address;
    gboolean is_return; /* look up the call before this return address */
    char *text;
    char *function; /* "driver!Function", for short forms: the innermost that is not of a header */
    char *place;    /* "file.c:34" there, or NULL */
} FltvmSymbol;

void fltvm_symbols_resolve(FltvmSymbols *symbols, FltvmSymbol *list, guint count);
void fltvm_symbol_clear(FltvmSymbol *symbol);

#endif
