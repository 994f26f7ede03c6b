/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fltvm command: a table of verbs, and one way out. */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "nearest.h"
#include "paths.h"
#include "text.h"
#include "verbs.h"

static const struct {
    const char *name;
    FltvmVerb function;
    const char *summary;
} verbs[] = {
    {"run", fltvm_verb_run, "run scenarios"},
    {"explore", fltvm_verb_explore, "run a scenario for many choices, and tell each fault once"},
    {"boot", fltvm_verb_boot, "a running machine behind a Lua prompt"},
    {"gdb", fltvm_verb_gdb, "a scenario under gdb, stopped before the kernel's first instruction"},
    {"image", fltvm_verb_image, "create and convert disk images"},
    {"inf-check", fltvm_verb_inf_check, "what Windows would refuse in an INF file"},
};

static void print_usage(FILE *out)
{
    fputs("Usage: fltvm VERB [OPTION...] [ARGUMENT...]\n\n"
          "Runs, tests and debugs Windows file-system minifilters.\n\nVerbs:\n",
          out);
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\n'fltvm VERB --help' tells about a verb.\n\n"
          "Exit status: 0 every check held; 1 a check failed; 2 usage or bad input; 3 the guest bugchecked;\n"
          "4 time-out or host failure.\n",
          out);
}

void fltvm_verb_drop_separator(int *argc, char **argv)
{
    int at = 1;

    while (at < *argc && strcmp(argv[at], "--") != 0)
        at++;
    if (at == *argc)
        return;
    memmove(&argv[at], &argv[at + 1], sizeof(*argv) * (gsize)(*argc - at)); /* with the NULL at the end */
    --*argc;
}

void fltvm_verb_split_jobs(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "-j", 2) == 0 && g_ascii_isdigit(argv[i][2]))
            argv[i] = g_strdup_printf("--jobs=%s", argv[i] + 2);
    }
}

/* What somebody may have meant by an option that there is not. */
static char *option_hint(const GError *reason, const GOptionEntry *entries)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *word = strstr(reason->message, "--");

    if (!g_error_matches(reason, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) || !word)
        return g_strdup("");
    for (; entries->long_name; entries++)
        g_ptr_array_add(names, (gpointer)entries->long_name);
    g_ptr_array_add(names, (gpointer) "help");
    g_ptr_array_add(names, NULL);
    return fltvm_nearest_hint(word + 2, (const char *const *)names->pdata);
}

int fltvm_verb_options(int *argc, char ***argv, const GOptionEntry *entries, const char *parameters,
                       const char *summary, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(parameters);
    gboolean help = FALSE;
    const GOptionEntry help_entry[] = {{"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Show this help", NULL},
                                       G_OPTION_ENTRY_NULL};
    GError *reason = NULL;

    g_option_context_set_help_enabled(context, FALSE); /* it would call exit() */
    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_add_main_entries(context, help_entry, NULL);
    if (!g_option_context_parse(context, argc, argv, &reason)) {
        g_autofree char *hint = option_hint(reason, entries);
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s%s (try '%s --help')", reason->message, hint, (*argv)[0]);
        g_error_free(reason);
        return FLTVM_ERROR_USAGE;
    }
    if (help) {
        g_autofree char *text = g_option_context_get_help(context, TRUE, NULL);
        fputs(text, stdout);
        return FLTVM_EXIT_OK;
    }
    return -1;
}

static FltvmVerb find_verb(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].function;
    }
    return NULL;
}

/*
 * What is opened later must not become standard input or output.  A stream that is closed gets a descriptor that
 * fails: reading ends, and writing is an error that is told.
 */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(FLTVM_ERROR_HOST);
    }
}

/* What was written to standard output has to have arrived. */
static int check_output(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "fltvm: standard output: %s\n", errno ? g_strerror(errno) : "not everything was written");
    return MAX(status, FLTVM_ERROR_HOST);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    FltvmVerb verb;
    int status;

    hold_standard_streams();
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)) {
        print_usage(stdout);
        return check_output(FLTVM_EXIT_OK);
    }
    if (argc < 2) {
        print_usage(stderr);
        return FLTVM_ERROR_USAGE;
    }
    verb = find_verb(argv[1]);
    if (!verb) {
        g_autofree char *word = fltvm_text_clean_line(argv[1]);
        const char *names[G_N_ELEMENTS(verbs) + 1] = {NULL};
        for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
            names[i] = verbs[i].name;
        g_autofree char *hint = fltvm_nearest_hint(word, names);
        fprintf(stderr, "fltvm: '%s' is not a verb%s (try 'fltvm --help')\n", word, hint);
        return FLTVM_ERROR_USAGE;
    }
    fltvm_child_init();
    g_autofree char *build = fltvm_path_build();
    g_setenv("FLTVM_BUILD", build, TRUE); /* for scripts, and for the tools that they start */
    g_autofree char *name = g_strconcat("fltvm ", argv[1], NULL);
    argv[1] = name;
    g_set_prgname(name);
    status = verb(argc - 1, argv + 1, &error);
    fltvm_child_cleanup();
    fltvm_child_reraise();
    if (error) {
        g_autofree char *message = fltvm_text_clean(error->message, -1);
        fprintf(stderr, "fltvm: %s\n", message);
        status = fltvm_error_exit_status(error);
    }
    return check_output(status);
}
