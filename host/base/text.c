/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text of strangers: see text.h. */
#include "text.h"

#include <string.h>

static gboolean disturbs(gunichar c)
{
    if (c == '\n' || c == '\t')
        return FALSE;
    if (c < 0x7F)
        return c < 0x20;
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT: /* direction overrides, zero-width marks, tags */
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR: return TRUE;
    default: return (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF); /* no characters */
    }
}

char *fltvm_text_clean(const char *text, gssize length)
{
    g_autofree char *valid = NULL;
    GString *clean = g_string_new(NULL);

    if (length < 0)
        length = (gssize)strlen(text);
    valid = g_utf8_make_valid(text, length);
    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (disturbs(c))
            g_string_append_c(clean, '?');
        else
            g_string_append_unichar(clean, c);
    }
    return g_string_free(clean, FALSE);
}

char *fltvm_text_clean_line(const char *text)
{
    return g_strdelimit(fltvm_text_clean(text, -1), "\n", ' ');
}

char *fltvm_text_tap(const char *text)
{
    g_autofree char *line = fltvm_text_clean_line(text);
    GString *tap = g_string_new(NULL);

    for (const char *p = line; *p; p++) {
        if (*p == '#' || *p == '\\')
            g_string_append_c(tap, '\\');
        g_string_append_c(tap, *p);
    }
    return g_string_free(tap, FALSE);
}

char *fltvm_text_xml(const char *text)
{
    g_autofree char *clean = fltvm_text_clean(text, -1);
    g_autofree char *escaped = g_markup_escape_text(clean, -1);
    GString *xml = g_string_new(NULL);

    /* A bare newline or tab in an attribute would be read as a space. */
    for (const char *p = escaped; *p; p++) {
        if (*p == '\n' || *p == '\t')
            g_string_append_printf(xml, "&#%d;", *p);
        else
            g_string_append_c(xml, *p);
    }
    return g_string_free(xml, FALSE);
}

/* As JSON escapes it: UTF-16. */
static void append_escape(GString *json, gunichar c)
{
    if (c > 0xFFFF) {
        g_string_append_printf(json, "\\u%04x", 0xD800 + ((c - 0x10000) >> 10));
        c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    g_string_append_printf(json, "\\u%04x", c);
}

char *fltvm_text_json(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *json = g_string_new("\"");

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '\n' || c == '\t' || disturbs(c))
            append_escape(json, c);
        else if (c == '"' || c == '\\')
            g_string_append_printf(json, "\\%c", (char)c);
        else
            g_string_append_unichar(json, c);
    }
    g_string_append_c(json, '"');
    return g_string_free(json, FALSE);
}
