/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest has told of itself: see heard.h. */
#include "heard.h"

#include <string.h>

#include "bugcheck.h"

/* A guest of the largest size has a few hundred threads, each with a few dozen frames. */
#define MOST_STACKS 4096u
#define MOST_FRAMES 32768u
#define MOST_REPORT (256u << 10)
#define MOST_HELD   (64u << 10)

struct FltvmHeard {
    GPtrArray *stacks; /* FltvmStack */
    guint frames;
    guint dropped; /* stacks */
    char *text;    /* of the stacks */
    GString *held; /* NULL: nothing */
    gboolean held_dropped;
    GString *report;
    gboolean report_dropped;
};

FltvmHeard *fltvm_heard_new(void)
{
    FltvmHeard *heard = g_new0(FltvmHeard, 1);

    heard->report = g_string_new(NULL);
    return heard;
}

void fltvm_heard_forget_stacks(FltvmHeard *heard)
{
    g_clear_pointer(&heard->stacks, g_ptr_array_unref);
    g_clear_pointer(&heard->text, g_free);
    heard->frames = heard->dropped = 0;
    if (heard->held)
        g_string_free(heard->held, TRUE);
    heard->held = NULL;
    heard->held_dropped = FALSE;
}

void fltvm_heard_free(FltvmHeard *heard)
{
    if (!heard)
        return;
    fltvm_heard_forget_stacks(heard);
    g_string_free(heard->report, TRUE);
    g_free(heard);
}

/* Whole lines, as many as there is room for. */
static void append_lines(GString *to, const char *text, gsize length, gsize most, gboolean *dropped)
{
    if (*dropped)
        return;
    if (to->len + length > most) {
        *dropped = TRUE;
        g_string_append(to, "… the rest is dropped\n");
        return;
    }
    g_string_append_len(to, text, (gssize)length);
    if (to->len && to->str[to->len - 1] != '\n')
        g_string_append_c(to, '\n');
}

/* --- stacks -------------------------------------------------------------------------------------------- */

void fltvm_heard_stacks(FltvmHeard *heard, const guint8 *payload, gsize length)
{
    g_autoptr(GPtrArray) stacks = fltvm_stacks_decode(payload, length);

    g_clear_pointer(&heard->text, g_free);
    if (!heard->stacks)
        heard->stacks = fltvm_stacks_decode(NULL, 0); /* an empty list */
    while (stacks->len) {
        const FltvmStack *stack = stacks->pdata[0];
        guint frames = stack->header.frames;
        if (heard->stacks->len >= MOST_STACKS || heard->frames + frames > MOST_FRAMES)
            break;
        heard->frames += frames;
        g_ptr_array_add(heard->stacks, g_ptr_array_steal_index(stacks, 0));
    }
    heard->dropped += stacks->len;
}

void fltvm_heard_held(FltvmHeard *heard, const char *text, gsize length)
{
    g_clear_pointer(&heard->text, g_free);
    if (!heard->held)
        heard->held = g_string_new(NULL);
    append_lines(heard->held, text, length, MOST_HELD, &heard->held_dropped);
}

const char *fltvm_heard_stacks_text(FltvmHeard *heard, FltvmSymbols *symbols)
{
    g_autofree char *text = NULL, *more = NULL, *held = NULL;

    if (heard->text || !heard->stacks)
        return heard->text;
    text = fltvm_stacks_describe(heard->stacks, symbols);
    if (heard->dropped)
        more = g_strdup_printf("    … %u more stacks dropped\n", heard->dropped);
    if (heard->held)
        held = fltvm_report_describe(heard->held->str, symbols);
    heard->text = g_strconcat(text, more ? more : "", held ? "  what is held:\n" : "", held, NULL);
    return heard->text;
}

/* --- reports ------------------------------------------------------------------------------------------- */

void fltvm_heard_report(FltvmHeard *heard, const char *text, gsize length)
{
    append_lines(heard->report, text, length, MOST_REPORT, &heard->report_dropped);
}

const char *fltvm_heard_report_text(FltvmHeard *heard)
{
    return heard->report->len ? heard->report->str : NULL;
}
