/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections, entries and fields.
 *
 * A field ends at a comma, a semicolon (a comment) or the line's end, unless quotation marks or a %strkey%
 * hold them; blanks around it fall away.  A backslash that ends a line, before a comment or not, joins the
 * next line to it, and of two the first is ignored.  In [Strings] a comma is part of the text.
 */
#include <string.h>

#include "infp.h"

typedef struct {
    FltvmInf *inf;
    const char *at; /* in text that ends with an LF and a NUL */
    guint line;
    FltvmInfSection *section;
    gboolean lost; /* text before the first section has been told */
} Lexer;

static void entry_free(gpointer data)
{
    FltvmInfEntry *entry = data;

    g_free(entry->key);
    g_ptr_array_unref(entry->fields);
    g_free(entry);
}

static void section_free(gpointer data)
{
    FltvmInfSection *section = data;

    g_free(section->name);
    g_ptr_array_unref(section->entries);
    g_free(section);
}

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static void skip_blanks(Lexer *lexer)
{
    while (is_blank(*lexer->at))
        lexer->at++;
}

/* To the LF or NUL that ends the line. */
static const char *line_end(const char *at)
{
    return at + strcspn(at, "\n");
}

static void next_line(Lexer *lexer)
{
    lexer->at = line_end(lexer->at);
    if (*lexer->at) {
        lexer->at++;
        lexer->line++;
    }
}

/*
 * At a backslash: whether this and at most one more end the line, with nothing but a comment behind them.
 * Then we are on the next line.
 */
static gboolean continuation(Lexer *lexer)
{
    const char *behind = lexer->at + (lexer->at[1] == '\\' ? 2 : 1);

    while (is_blank(*behind))
        behind++;
    if (*behind != '\n' && *behind != '\0' && *behind != ';')
        return FALSE;
    if (!*line_end(behind) || !line_end(behind)[1])
        inf_warning(lexer->inf, lexer->line, "the file ends in a line that a backslash continues");
    next_line(lexer);
    skip_blanks(lexer);
    return TRUE;
}

/* %strkey%: how long it is with both signs; 0 if this '%' begins none. */
static gsize token_length(const char *at)
{
    gsize length = 1 + strcspn(at + 1, "%\",=\n");

    return at[length] == '%' ? length + 1 : 0;
}

/* A field that is all ""text"", which keeps one pair: the documentation's way to quote a quotation. */
static gsize doubly_quoted(const char *at)
{
    const char *end;

    if (strncmp(at, "\"\"", 2) != 0 || strchr("\",;\\ \t\n", at[2]))
        return 0;
    end = strstr(at + 2, "\"\"");
    if (!end || strcspn(at + 2, "\"\n") != (gsize)(end - at - 2) || end[2] == '"')
        return 0;
    return (gsize)(end - at) + 2;
}

/* Behind an opening quotation mark, up to and over the closing one; two of them are one that is meant. */
static void quoted(Lexer *lexer, GString *field)
{
    while (*lexer->at && *lexer->at != '\n') {
        if (*lexer->at == '"') {
            lexer->at++;
            if (*lexer->at != '"')
                return;
        }
        g_string_append_c(field, *lexer->at++);
    }
    inf_warning(lexer->inf, lexer->line, "a quotation mark is not closed on its line: the text ends there");
}

/*
 * One field, from after blanks to what ends it: one of `ends`, a comment or the line's end, which are left to
 * the caller.
 */
static char *read_field(Lexer *lexer, const char *ends)
{
    g_autoptr(GString) field = g_string_new(NULL);
    gsize kept = 0, length;
    guint line = lexer->line;

    skip_blanks(lexer);
    length = doubly_quoted(lexer->at);
    if (length) {
        g_string_append_len(field, lexer->at + 1, (gssize)length - 2);
        lexer->at += length;
        kept = field->len;
    }
    while (*lexer->at && *lexer->at != '\n' && *lexer->at != ';' && !strchr(ends, *lexer->at)) {
        if (*lexer->at == '"') {
            lexer->at++;
            quoted(lexer, field);
            kept = field->len;
        } else if (*lexer->at == '\\' && continuation(lexer)) {
            continue;
        } else if (*lexer->at == '%' && (length = token_length(lexer->at)) != 0) {
            g_string_append_len(field, lexer->at, (gssize)length);
            lexer->at += length;
            kept = field->len;
        } else {
            if (!is_blank(*lexer->at))
                kept = field->len + 1;
            else if (!field->len) { /* what follows a continuation, too, begins without blanks */
                lexer->at++;
                continue;
            }
            g_string_append_c(field, *lexer->at++);
        }
    }
    g_string_truncate(field, kept);
    if (field->len > INF_FIELD_MAX && g_utf8_strlen(field->str, -1) > INF_FIELD_MAX)
        inf_error(lexer->inf, line, "a field of more than %d characters", INF_FIELD_MAX);
    return g_string_free(g_steal_pointer(&field), FALSE);
}

static void read_entry(Lexer *lexer)
{
    FltvmInfEntry *entry = g_new0(FltvmInfEntry, 1);
    gboolean strings = lexer->section && g_ascii_strncasecmp(lexer->section->name, "Strings", 7) == 0;
    char *field;

    entry->line = lexer->line;
    entry->fields = g_ptr_array_new_with_free_func(g_free);
    field = read_field(lexer, "=,");
    if (*lexer->at == '=') {
        entry->key = field;
        lexer->at++;
        field = read_field(lexer, strings ? "" : ",");
    }
    g_ptr_array_add(entry->fields, field);
    while (*lexer->at == ',') {
        lexer->at++;
        g_ptr_array_add(entry->fields, read_field(lexer, ","));
    }
    next_line(lexer);
    while (entry->fields->len && !*(char *)entry->fields->pdata[entry->fields->len - 1])
        g_ptr_array_set_size(entry->fields, (gint)entry->fields->len - 1);
    if (lexer->section && (entry->key || entry->fields->len)) {
        g_ptr_array_add(lexer->section->entries, entry);
        return;
    }
    if (!lexer->section && !lexer->lost)
        inf_error(lexer->inf, entry->line, "text before the first section's name");
    lexer->lost = lexer->lost || !lexer->section;
    entry_free(entry);
}

/* Where entries go that stand under this name; the same name again means the same section. */
static FltvmInfSection *enter_section(FltvmInf *inf, const char *name, guint line)
{
    FltvmInfSection *section = fltvm_inf_section(inf, name);

    if (!section) {
        section = g_new0(FltvmInfSection, 1);
        section->name = g_strdup(name);
        section->line = line;
        section->entries = g_ptr_array_new_with_free_func(entry_free);
        g_ptr_array_add(inf->sections, section);
        g_hash_table_insert(inf->by_name, fltvm_inf_fold(name), section);
    }
    return section;
}

static void read_header(Lexer *lexer)
{
    const char *name = ++lexer->at;
    gsize length = strcspn(name, "]\n");
    g_autofree char *text = g_strstrip(g_strndup(name, length));
    guint line = lexer->line;

    lexer->at += length;
    lexer->section = NULL;
    lexer->lost = TRUE; /* what stands under a bad name has been told by it */
    if (*lexer->at != ']')
        inf_error(lexer->inf, line, "a section's name without its ']'");
    else if (!*text)
        inf_error(lexer->inf, line, "a section without a name");
    else if (g_utf8_strlen(text, -1) > INF_SECTION_MAX)
        inf_error(lexer->inf, line, "a section's name of more than %d characters", INF_SECTION_MAX);
    else
        lexer->section = enter_section(lexer->inf, text, line);
    if (*lexer->at == ']') {
        lexer->at++;
        skip_blanks(lexer);
        if (*lexer->at != '\n' && *lexer->at != ';')
            inf_warning(lexer->inf, line, "text behind a section's name is passed over");
    }
    next_line(lexer);
}

void fltvm_inf_lex(FltvmInf *inf, const char *text)
{
    Lexer lexer = {.inf = inf, .at = text, .line = 1};

    g_ptr_array_set_free_func(inf->sections, section_free);
    while (*lexer.at) {
        skip_blanks(&lexer);
        if (*lexer.at == '[')
            read_header(&lexer);
        else if (*lexer.at == '\n' || *lexer.at == ';')
            next_line(&lexer);
        else if (*lexer.at)
            read_entry(&lexer);
    }
    if (!inf->sections->len && !inf->errors)
        inf_error(inf, 0, "there is no section in it");
}
