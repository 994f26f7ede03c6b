/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one llvm-symbolizer of this process.  It is started by the first question and stays, since starting it takes longer
 * than most answers do; it is started again when a file that it knows has changed, or when it failed.
 */
#ifndef FLTVM_HOST_SYMBOLIZER_H
#define FLTVM_HOST_SYMBOLIZER_H

#include <glib.h>

/*
 * The answers to `count` questions, a line each in `questions`, in their order: function and place in turn, a line each, the
 * innermost of inlined calls first.  Fewer if it cannot, or takes longer than 10 s.  `files` are those that the questions
 * name.  Free with g_strfreev().
 */
char **fltvm_symbolizer_ask(const GString *questions, guint count, GHashTable *files);

#endif
