/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON that is read: what this command wrote itself, or a file that somebody says it did.  Strict (RFC 8259), bounded in
 * depth; of two fields of one name the last counts.  Numbers stay the text that they are, so that 64 bits survive.
 */
#ifndef FLTVM_HOST_JSON_H
#define FLTVM_HOST_JSON_H

#include <glib.h>

typedef struct FltvmJson FltvmJson;

/* The error is FLTVM_ERROR_USAGE and names the line. */
FltvmJson *fltvm_json_parse(const char *text, gsize length, GError **error);
void fltvm_json_free(FltvmJson *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmJson, fltvm_json_free)

/* A field of an object; NULL if it has none, or `json` is NULL or no object. */
const FltvmJson *fltvm_json_field(const FltvmJson *json, const char *name);

/* A list's length, 0 for anything else, and its items. */
guint fltvm_json_length(const FltvmJson *json);
const FltvmJson *fltvm_json_item(const FltvmJson *json, guint index);

/* A text, or NULL; a whole number, or the fallback, also for one that has no place in 64 bits. */
const char *fltvm_json_text(const FltvmJson *json);
guint64 fltvm_json_number(const FltvmJson *json, guint64 fallback);
gboolean fltvm_json_is_true(const FltvmJson *json);

#endif
