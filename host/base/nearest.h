/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the words that are known somebody meant who wrote one that is not. */
#ifndef FLTVM_HOST_NEAREST_H
#define FLTVM_HOST_NEAREST_H

#include <glib.h>

/* One of `candidates` (ended by NULL) that differs from `word` by few letters, or NULL. */
const char *fltvm_nearest(const char *word, const char *const *candidates);

/* " (did you mean 'X'?)", or an empty text; newly allocated. */
char *fltvm_nearest_hint(const char *word, const char *const *candidates);

#endif
