/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, numbers and problems: what every part of the reader uses. */
#include <stdlib.h>
#include <string.h>

#include "infp.h"

#define PROBLEMS_MAX 1000

void fltvm_inf_problem(FltvmInf *inf, FltvmInfLevel level, guint line, const char *format, ...)
{
    FltvmInfProblem *problem;
    va_list arguments;

    inf->errors += level == FLTVM_INF_ERROR;
    if (inf->problems->len >= PROBLEMS_MAX) {
        inf->left_off++;
        return;
    }
    problem = g_new0(FltvmInfProblem, 1);
    problem->level = level;
    problem->line = line;
    va_start(arguments, format);
    problem->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(inf->problems, problem);
}

char *fltvm_inf_problem_text(const FltvmInf *inf, const FltvmInfProblem *problem)
{
    static const char *const words[] = {"note", "warning", "error"};
    g_autofree char *line = problem->line ? g_strdup_printf("%u:", problem->line) : g_strdup("");

    return g_strdup_printf("%s:%s %s: %s", inf->name, line, words[problem->level], problem->text);
}

char *fltvm_inf_fold(const char *text)
{
    g_autofree char *copy = g_strdup(text);

    return g_utf8_casefold(g_strstrip(copy), -1);
}

gboolean fltvm_inf_equal(const char *one, const char *other)
{
    g_autofree char *first = fltvm_inf_fold(one), *second = fltvm_inf_fold(other);

    return strcmp(first, second) == 0;
}

FltvmInfSection *fltvm_inf_section(FltvmInf *inf, const char *name)
{
    g_autofree char *folded = fltvm_inf_fold(name);

    return g_hash_table_lookup(inf->by_name, folded);
}

FltvmInfEntry *fltvm_inf_entry(const FltvmInfSection *section, const char *key)
{
    for (guint i = section->entries->len; i-- > 0;) {
        FltvmInfEntry *entry = section->entries->pdata[i];
        if (entry->key && g_ascii_strcasecmp(entry->key, key) == 0)
            return entry;
    }
    return NULL;
}

const char *fltvm_inf_value(const FltvmInfSection *section, const char *key)
{
    const FltvmInfEntry *entry = fltvm_inf_entry(section, key);

    return entry ? fltvm_inf_field(entry, 0) : NULL;
}

const char *fltvm_inf_field(const FltvmInfEntry *entry, guint index)
{
    return index < entry->fields->len ? entry->fields->pdata[index] : "";
}

gboolean fltvm_inf_number(const char *text, guint32 *number)
{
    gboolean minus = *text == '-';
    const char *digits = text + (minus || *text == '+');
    gboolean hexadecimal = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    guint64 value;
    char *end;

    digits += hexadecimal ? 2 : 0;
    if (!(hexadecimal ? g_ascii_isxdigit(*digits) : g_ascii_isdigit(*digits)))
        return FALSE;
    value = g_ascii_strtoull(digits, &end, hexadecimal ? 16 : 10);
    if (*end || value > G_MAXUINT32 || (minus && value > (guint64)G_MAXINT32 + 1))
        return FALSE;
    *number = minus ? (guint32)-value : (guint32)value;
    return TRUE;
}

FltvmInfSection *fltvm_inf_follow(FltvmInf *inf, const FltvmInfEntry *entry, const char *name)
{
    FltvmInfSection *section = fltvm_inf_section(inf, name);

    if (!section) {
        inf_error(inf, entry->line, "%s: there is no section [%s]", entry->key ? entry->key : "entry", name);
        return NULL;
    }
    section->used = TRUE;
    return section;
}
