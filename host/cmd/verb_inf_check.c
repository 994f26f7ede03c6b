/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fltvm inf-check: what Windows would refuse in INF files or warn of, and what they install. */
#include <stdio.h>

#include "abi/command.h"
#include "error.h"
#include "inf.h"
#include "text.h"
#include "verbs.h"

static gboolean opt_strict;
static gboolean opt_quiet;
static gboolean opt_registry;

static void print_line(const char *text)
{
    g_autofree char *clean = fltvm_text_clean_line(text);

    puts(clean);
}

static gint by_line(gconstpointer one, gconstpointer other)
{
    const FltvmInfProblem *first = *(FltvmInfProblem *const *)one, *second = *(FltvmInfProblem *const *)other;

    return first->line < second->line ? -1 : first->line > second->line;
}

static void print_services(const FltvmInf *inf)
{
    for (guint i = 0; i < inf->services->len; i++) {
        const FltvmInfService *service = inf->services->pdata[i];
        g_autofree char *text = g_strdup_printf("%s:%u: service %s: %s, %u values from [%s]", inf->name, service->line,
                                                service->name, service->image_path ? service->image_path : "no image",
                                                service->behind - service->first, inf->chosen);
        print_line(text);
    }
}

/* A value's texts, each in quotation marks. */
static void append_texts(GString *line, const GByteArray *data)
{
    for (guint at = 0; at + 2 < data->len;) {
        g_autofree char *text = NULL;
        guint end = at;
        while (end + 1 < data->len && (data->data[end] || data->data[end + 1]))
            end += 2;
        text = g_convert((const char *)data->data + at, end - at, "UTF-8", "UTF-16LE", NULL, NULL, NULL);
        g_string_append_printf(line, "%s\"%s\"", at ? ", " : "", text ? text : "?");
        at = end + 2;
    }
    if (data->len <= 2)
        g_string_append(line, "\"\"");
}

static void append_data(GString *line, const FltvmInfOperation *operation)
{
    static const char *const names[] = {"REG_NONE", "REG_SZ",   "REG_EXPAND_SZ", "REG_BINARY", "REG_DWORD",
                                        "5",        "6",        "REG_MULTI_SZ",  "8",          "9",
                                        "10",       "REG_QWORD"};
    const guint8 *bytes = operation->data->data;

    if (operation->type < G_N_ELEMENTS(names))
        g_string_append_printf(line, " %s", names[operation->type]);
    else
        g_string_append_printf(line, " 0x%x", operation->type);
    g_string_append_c(line, ' ');
    if (operation->type == 1 || operation->type == 2 || operation->type == 7)
        append_texts(line, operation->data);
    else if (operation->type == 4 && operation->data->len == 4)
        g_string_append_printf(line, "0x%08x",
                               bytes[0] | (guint)bytes[1] << 8 | (guint)bytes[2] << 16 | (guint)bytes[3] << 24);
    else
        for (guint i = 0; i < operation->data->len; i++)
            g_string_append_printf(line, "%s%02x", i ? " " : "", bytes[i]);
}

/* What is written, line by line, in its order. */
static void print_registry(const FltvmInf *inf)
{
    for (guint i = 0; i < inf->operations->len; i++) {
        const FltvmInfOperation *operation = inf->operations->pdata[i];
        g_autoptr(GString) line = g_string_new("  ");
        guint32 flags = operation->flags;
        if (flags & (FLTVM_REGISTRY_DELETE_VALUE | FLTVM_REGISTRY_DELETE_KEY))
            g_string_append(line, "delete ");
        g_string_append(line, operation->key);
        if (!(flags & (FLTVM_REGISTRY_KEY_ONLY | FLTVM_REGISTRY_DELETE_KEY)))
            g_string_append_printf(line, " \"%s\"", operation->value);
        if (!(flags & (FLTVM_REGISTRY_KEY_ONLY | FLTVM_REGISTRY_DELETE_KEY | FLTVM_REGISTRY_DELETE_VALUE)))
            append_data(line, operation);
        if (flags & FLTVM_REGISTRY_NO_CLOBBER)
            g_string_append(line, " (unless it is there)");
        if (flags & FLTVM_REGISTRY_OVERWRITE_ONLY)
            g_string_append(line, " (if it is there)");
        if (flags & FLTVM_REGISTRY_APPEND)
            g_string_append(line, " (appended)");
        print_line(line->str);
    }
}

/* FALSE: there is an error in it, or with --strict a warning. */
static gboolean check_file(const char *path, gboolean *good, GError **error)
{
    g_autoptr(FltvmInf) inf = fltvm_inf_read(path, error);

    if (!inf)
        return FALSE;
    fltvm_inf_check(inf);
    g_ptr_array_sort(inf->problems, by_line);
    for (guint i = 0; i < inf->problems->len; i++) {
        const FltvmInfProblem *problem = inf->problems->pdata[i];
        g_autofree char *text = fltvm_inf_problem_text(inf, problem);
        print_line(text);
        *good = *good && problem->level < (opt_strict ? FLTVM_INF_WARNING : FLTVM_INF_ERROR);
    }
    if (inf->left_off) {
        g_autofree char *text = g_strdup_printf("%s: and %u more", inf->name, inf->left_off);
        print_line(text);
    }
    *good = *good && !inf->errors;
    if (!opt_quiet)
        print_services(inf);
    if (opt_registry)
        print_registry(inf);
    return TRUE;
}

int fltvm_verb_inf_check(int argc, char **argv, GError **error)
{
    static const GOptionEntry entries[] = {
        {"strict", 0, 0, G_OPTION_ARG_NONE, &opt_strict, "A warning fails the check, too", NULL},
        {"registry", 0, 0, G_OPTION_ARG_NONE, &opt_registry, "Show what is written into the registry", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &opt_quiet, "Say nothing of what is installed", NULL},
        G_OPTION_ENTRY_NULL};
    gboolean good = TRUE;
    int status =
        fltvm_verb_options(&argc, &argv, entries, "FILE.inf…",
                           "Reports what Windows 10 build 19041 on amd64 would refuse in INF files or warn of.\n"
                           "Exit status: 0 no errors; 1 errors, or warnings with --strict; 2 not to be read.",
                           error);

    if (status >= 0)
        return status;
    fltvm_verb_drop_separator(&argc, argv);
    if (argc < 2) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "no file named (try 'fltvm inf-check --help')");
        return FLTVM_ERROR_USAGE;
    }
    for (int i = 1; i < argc; i++) {
        if (!check_file(argv[i], &good, error))
            return FLTVM_ERROR_USAGE;
    }
    return good ? FLTVM_EXIT_OK : FLTVM_ERROR_CHECK;
}
