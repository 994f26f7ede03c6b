/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run may be made to do otherwise: see choice.h. */
#include "choice.h"

#include <errno.h>
#include <string.h>

#include "abi/hba.h"
#include "error.h"

#define MOST_DISKS 64u

static const struct {
    const char *option;
    const char *action; /* as the property "faults" has it */
} acts[FLTVM_IO_ACTS] = {
    [FLTVM_IO_FAIL] = {"fail-io", "error"},         [FLTVM_IO_DELAY] = {"delay-io", "delay"},
    [FLTVM_IO_TEAR] = {"tear-io", "torn"},          [FLTVM_IO_LOSE] = {"lose-io", "never"},
    [FLTVM_IO_REORDER] = {"reorder-io", "reorder"},
};

const char *fltvm_choice_io_option(FltvmIoAct act)
{
    return acts[act].option;
}

static const char *const step_options[FLTVM_STEPS] = {
    [FLTVM_STEP_UNLOAD] = "unload", [FLTVM_STEP_DETACH] = "detach", [FLTVM_STEP_DISMOUNT] = "dismount",
    [FLTVM_STEP_KILL] = "kill",     [FLTVM_STEP_CANCEL] = "cancel",
};

const char *fltvm_choice_step_option(FltvmStep step)
{
    return step_options[step];
}

/* Digits, then `end`; leaves *text behind them. */
static gboolean take_number(const char **text, char end, guint64 most, guint64 *value)
{
    char *rest = NULL;

    if (!g_ascii_isdigit(**text))
        return FALSE;
    errno = 0;
    *value = g_ascii_strtoull(*text, &rest, 10);
    *text = rest + 1;
    return !errno && *rest == end && *value <= most;
}

/* A '+' before the number: from the checkpoint on.  All of a choice is counted from one place. */
static gboolean take_origin(FltvmChoice *choice, const char **text, const char *option, GError **error)
{
    gboolean plus = **text == '+';

    *text += plus;
    choice->at_checkpoint |= plus;
    choice->at_start |= !plus;
    if (!choice->at_checkpoint || !choice->at_start)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                "--%s: with --checkpoint-seed, or a '+' before a number, all numbers count from the checkpoint: "
                "put a '+' before each",
                option);
    return FALSE;
}

gboolean fltvm_choice_parse_allocation(FltvmChoice *choice, const char *text, GError **error)
{
    const char *rest = text;

    if (!take_origin(choice, &rest, "fail-allocation", error))
        return FALSE;
    if (take_number(&rest, '\0', G_MAXINT64, &choice->allocation) && choice->allocation)
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--fail-allocation: '%s' is not a number from 1 on", text);
    return FALSE;
}

gboolean fltvm_choice_parse_seed(FltvmChoice *choice, const char *text, GError **error)
{
    const char *rest = text;

    choice->has_seed = choice->at_checkpoint = TRUE;
    if (take_number(&rest, '\0', G_MAXUINT64, &choice->seed))
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--checkpoint-seed: '%s' is not a number", text);
    return FALSE;
}

gboolean fltvm_choice_parse_io(FltvmChoice *choice, FltvmIoAct act, const char *text, GError **error)
{
    const char *rest = text;
    guint64 disk = 0, number = 0;

    if (strchr(text, ':') && !take_number(&rest, ':', MOST_DISKS - 1, &disk))
        rest = "";
    if (*rest && !take_origin(choice, &rest, acts[act].option, error))
        return FALSE;
    if (take_number(&rest, '\0', G_MAXUINT32, &number) && number) {
        choice->io[act].disk = (guint)disk;
        choice->io[act].number = number;
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--%s: '%s' is neither N nor DISK:N, N counting from 1",
                acts[act].option, text);
    return FALSE;
}

gboolean fltvm_choice_parse_step(FltvmChoice *choice, FltvmStep step, const char *text, GError **error)
{
    const char *rest = text;

    if (*rest && !take_origin(choice, &rest, step_options[step], error))
        return FALSE;
    if (take_number(&rest, '\0', G_MAXINT64, &choice->step[step]) && choice->step[step])
        return TRUE;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--%s: '%s' is not a number from 1 on", step_options[step],
                text);
    return FALSE;
}

static const char *const keep_names[] = {
    [FLTVM_HBA_KEEP_NONE] = "none",
    [FLTVM_HBA_KEEP_ALL] = "all",
    [FLTVM_HBA_KEEP_LAST] = "last",
};

static gboolean parse_keep(FltvmChoice *choice, const char *text)
{
    choice->cut.keep = FLTVM_HBA_KEEP_SOME;
    choice->cut.seed = 1;
    if (!text)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(keep_names); i++) {
        if (keep_names[i] && strcmp(text, keep_names[i]) == 0) {
            choice->cut.keep = i;
            return TRUE;
        }
    }
    return take_number(&text, '\0', G_MAXUINT64, &choice->cut.seed);
}

gboolean fltvm_choice_parse_cut(FltvmChoice *choice, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    const char *rest = parts[0] ? parts[0] : "";
    guint64 disk = 0, number = 0;

    if (strchr(rest, ':') && !take_number(&rest, ':', MOST_DISKS - 1, &disk))
        rest = "";
    if (*rest && !take_origin(choice, &rest, "power-cut", error))
        return FALSE;
    if (take_number(&rest, '\0', G_MAXUINT32, &number) && number && parse_keep(choice, parts[1])) {
        choice->cut.disk = (guint)disk;
        choice->cut.number = number;
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                "--power-cut: '%s' is not [DISK:]N[/KEEP], N counting writes and flushes from 1, KEEP none, all, last "
                "or a seed",
                text);
    return FALSE;
}

gboolean fltvm_choice_parse_call(FltvmChoice *choice, gboolean returns, const char *text, GError **error)
{
    const char *option = returns ? "--delay-return" : "--delay-call", *rest = text;

    if (choice->call.counted) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    "%s: one call of a run is late, and there is another already", option);
        return FALSE;
    }
    if (*rest == '+' || choice->at_checkpoint) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    "%s: calls are counted from the machine's start only, and so is then everything else", option);
        return FALSE;
    }
    choice->at_start = TRUE;
    if (take_number(&rest, '\0', G_MAXINT64, &choice->call.number)) {
        choice->call.counted = TRUE;
        choice->call.returns = returns;
        return TRUE;
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s: '%s' is not a number from 0 on", option, text);
    return FALSE;
}

gboolean fltvm_choice_injects(const FltvmChoice *choice)
{
    for (guint act = 0; act < FLTVM_IO_ACTS; act++) {
        if (choice->io[act].number)
            return TRUE;
    }
    for (guint step = 0; step < FLTVM_STEPS; step++) {
        if (choice->step[step])
            return TRUE;
    }
    return choice->allocation != 0 || choice->cut.number != 0;
}

/* What is kept, as the command line and the property "faults" say it. */
static char *keep_text(const FltvmChoice *choice)
{
    if (choice->cut.keep == FLTVM_HBA_KEEP_SOME)
        return g_strdup_printf("%" G_GUINT64_FORMAT, choice->cut.seed);
    return g_strdup(keep_names[choice->cut.keep]);
}

void fltvm_choice_arguments(const FltvmChoice *choice, GPtrArray *argv)
{
    const char *plus = choice->at_checkpoint ? "+" : "";

    if (choice->has_seed) {
        g_ptr_array_add(argv, g_strdup("--checkpoint-seed"));
        g_ptr_array_add(argv, g_strdup_printf("%" G_GUINT64_FORMAT, choice->seed));
    }
    if (choice->allocation) {
        g_ptr_array_add(argv, g_strdup("--fail-allocation"));
        g_ptr_array_add(argv, g_strdup_printf("%s%" G_GUINT64_FORMAT, plus, choice->allocation));
    }
    if (choice->call.counted) {
        g_ptr_array_add(argv, g_strdup(choice->call.returns ? "--delay-return" : "--delay-call"));
        g_ptr_array_add(argv, g_strdup_printf("%" G_GUINT64_FORMAT, choice->call.number));
    }
    if (choice->cut.number) {
        g_autofree char *keep = keep_text(choice);
        g_ptr_array_add(argv, g_strdup("--power-cut"));
        g_ptr_array_add(argv, choice->cut.disk
                                  ? g_strdup_printf("%u:%s%" G_GUINT64_FORMAT "/%s", choice->cut.disk, plus,
                                                    choice->cut.number, keep)
                                  : g_strdup_printf("%s%" G_GUINT64_FORMAT "/%s", plus, choice->cut.number, keep));
    }
    for (guint step = 0; step < FLTVM_STEPS; step++) {
        if (!choice->step[step])
            continue;
        g_ptr_array_add(argv, g_strconcat("--", step_options[step], NULL));
        g_ptr_array_add(argv, g_strdup_printf("%s%" G_GUINT64_FORMAT, plus, choice->step[step]));
    }
    for (guint act = 0; act < FLTVM_IO_ACTS; act++) {
        if (!choice->io[act].number)
            continue;
        g_ptr_array_add(argv, g_strconcat("--", acts[act].option, NULL));
        if (choice->io[act].disk)
            g_ptr_array_add(
                argv, g_strdup_printf("%u:%s%" G_GUINT64_FORMAT, choice->io[act].disk, plus, choice->io[act].number));
        else
            g_ptr_array_add(argv, g_strdup_printf("%s%" G_GUINT64_FORMAT, plus, choice->io[act].number));
    }
}

char *fltvm_choice_faults(const FltvmChoice *choice, guint disk, guint *count)
{
    g_autoptr(GString) text = g_string_new(NULL);

    *count = 0;
    for (guint act = 0; act < FLTVM_IO_ACTS; act++) {
        if (!choice->io[act].number || choice->io[act].disk != disk)
            continue;
        g_string_append_printf(text, "%sop=read+write+flush:nth=%" G_GUINT64_FORMAT ":count=1:do=%s",
                               (*count)++ ? ";" : "", choice->io[act].number, acts[act].action);
        if (act == FLTVM_IO_FAIL || act == FLTVM_IO_TEAR)
            g_string_append_printf(text, ":status=%u", FLTVM_HBA_S_DEVICE_FAULT);
        if (act == FLTVM_IO_DELAY || act == FLTVM_IO_REORDER)
            g_string_append_printf(text, ":delay-ns=%u", FLTVM_IO_DELAY_NS);
    }
    if (choice->cut.number && choice->cut.disk == disk) {
        g_autofree char *keep = keep_text(choice);
        g_string_append_printf(text, "%sop=write+flush:nth=%" G_GUINT64_FORMAT ":count=1:do=power-cut:keep=%s",
                               (*count)++ ? ";" : "", choice->cut.number, keep);
    }
    return *count ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}
