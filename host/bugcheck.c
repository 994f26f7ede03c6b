/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bugchecks, reports and stacks in words: see bugcheck.h. */
#include "bugcheck.h"

#include <string.h>

#include "names.h"

static void stack_free(gpointer data)
{
    FltvmStack *stack = data;

    g_free(stack->frames);
    g_free(stack);
}

GPtrArray *fltvm_stacks_decode(const guint8 *payload, gsize length)
{
    GPtrArray *stacks = g_ptr_array_new_with_free_func(stack_free);
    gsize offset = 0;

    while (length - offset >= sizeof(struct fltvm_stack)) {
        FltvmStack *stack = g_new0(FltvmStack, 1);
        gsize bytes;

        memcpy(&stack->header, payload + offset, sizeof(stack->header));
        offset += sizeof(stack->header);
        stack->header.name[sizeof(stack->header.name) - 1] = '\0';
        stack->header.frames = (guint32)MIN(stack->header.frames, (length - offset) / sizeof(guint64));
        bytes = stack->header.frames * sizeof(guint64);
        stack->frames = g_memdup2(payload + offset, bytes);
        offset += bytes;
        g_ptr_array_add(stacks, stack);
    }
    return stacks;
}

FltvmBugcheck *fltvm_bugcheck_decode(const guint8 *payload, gsize length)
{
    FltvmBugcheck *bugcheck = g_new0(FltvmBugcheck, 1);
    gsize size = MIN(length, sizeof(bugcheck->header));

    memcpy(&bugcheck->header, payload, size);
    bugcheck->stacks = fltvm_stacks_decode(payload + size, length - size);
    return bugcheck;
}

void fltvm_bugcheck_free(FltvmBugcheck *bugcheck)
{
    if (!bugcheck)
        return;
    g_ptr_array_unref(bugcheck->stacks);
    g_free(bugcheck->driver);
    g_free(bugcheck->report);
    g_free(bugcheck->text);
    g_free(bugcheck);
}

/* All frames of all stacks in one go: the symbolizer starts once. */
static FltvmSymbol *resolve_frames(const GPtrArray *stacks, FltvmSymbols *symbols, guint *total)
{
    FltvmSymbol *list;
    guint count = 0, next = 0;

    for (guint i = 0; i < stacks->len; i++)
        count += ((FltvmStack *)stacks->pdata[i])->header.frames;
    list = g_new0(FltvmSymbol, count + 1);
    for (guint i = 0; i < stacks->len; i++) {
        const FltvmStack *stack = stacks->pdata[i];
        for (guint frame = 0; frame < stack->header.frames; frame++) {
            list[next].address = stack->frames[frame];
            list[next++].is_return = frame > 0;
        }
    }
    fltvm_symbols_resolve(symbols, list, count);
    *total = count;
    return list;
}

static void describe_stack(GString *text, const FltvmStack *stack, const FltvmSymbol *symbols)
{
    const struct fltvm_stack *header = &stack->header;
    const char *name = header->name[0] ? header->name : header->thread ? "" : "idle";

    g_string_append_printf(text, "    thread 0x%" G_GINT64_MODIFIER "x%s%s%s, priority %u, ", header->thread,
                           *name ? " '" : "", name, *name ? "'" : "", header->priority);
    if (header->flags & FLTVM_STACK_RUNNING)
        g_string_append_printf(text, "running on cpu%u at %s\n", header->cpu, fltvm_irql_name(header->irql));
    else if (header->state == 5)
        g_string_append_printf(text, "waiting (%s), last on cpu%u\n",
                               fltvm_wait_reason_name(header->wait_reason), header->cpu);
    else
        g_string_append_printf(text, "%s, last on cpu%u\n", fltvm_thread_state_name(header->state), header->cpu);
    for (guint frame = 0; frame < header->frames; frame++) {
        g_auto(GStrv) lines = g_strsplit(symbols[frame].text, "\n", -1);
        for (guint line = 0; lines[line]; line++) {
            if (line == 0)
                g_string_append_printf(text, "      #%-2u %s", frame, lines[line]);
            else
                g_string_append_printf(text, "          %s", lines[line]);
            g_string_append(text, lines[line + 1] ? " [inlined]\n" : "\n");
        }
    }
}

static void describe_stacks(GString *text, const GPtrArray *stacks, FltvmSymbols *symbols, guint mask, guint want)
{
    guint count, first = 0;
    g_autofree FltvmSymbol *list = resolve_frames(stacks, symbols, &count);

    for (guint i = 0; i < stacks->len; i++) {
        const FltvmStack *stack = stacks->pdata[i];
        if ((stack->header.flags & mask) == want)
            describe_stack(text, stack, list + first);
        first += stack->header.frames;
    }
    for (guint i = 0; i < count; i++)
        fltvm_symbol_clear(&list[i]);
}

char *fltvm_stacks_describe(const GPtrArray *stacks, FltvmSymbols *symbols)
{
    GString *text = g_string_new(NULL);

    describe_stacks(text, stacks, symbols, 0, 0);
    return g_string_free(text, FALSE);
}

char *fltvm_report_describe(const char *report, FltvmSymbols *symbols)
{
    g_auto(GStrv) lines = g_strsplit(report, "\n", -1);
    guint count = g_strv_length(lines), width = 0;
    g_autofree FltvmSymbol *list = g_new0(FltvmSymbol, count + 1);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < count; i++) {
        const char *value = strchr(lines[i], '=');
        char *end = NULL;
        guint64 number = value && value[1] == '0' && value[2] == 'x' ? g_ascii_strtoull(value + 1, &end, 16) : 0;
        width = value ? MAX(width, (guint)(value - lines[i])) : width;
        if (end && *end == '\0' && fltvm_symbols_image(symbols, number)) {
            list[i].address = number;
            /* Reports name callers by return address, and a routine by its start. */
            list[i].is_return = !g_str_has_prefix(lines[i], "routine=");
        }
    }
    fltvm_symbols_resolve(symbols, list, count);
    for (guint i = 0; i < count; i++) {
        const char *value = strchr(lines[i], '=');
        if (value)
            g_string_append_printf(text, "    %-*.*s  %s\n", (int)width, (int)(value - lines[i]), lines[i],
                                   list[i].address ? list[i].text : value + 1);
        else if (*lines[i])
            g_string_append_printf(text, "    %s\n", lines[i]);
        fltvm_symbol_clear(&list[i]);
    }
    return g_string_free(text, FALSE);
}

static void describe_parameters(GString *text, const FltvmBugcheck *bugcheck, FltvmSymbols *symbols)
{
    FltvmSymbol list[4] = {0};

    for (guint i = 0; i < 4; i++)
        list[i].address = bugcheck->header.parameters[i];
    fltvm_symbols_resolve(symbols, list, 4);
    for (guint i = 0; i < 4; i++) {
        const char *meaning = fltvm_bugcheck_parameter(bugcheck->header.code, i);
        g_string_append_printf(text, "    %u: 0x%016" G_GINT64_MODIFIER "x", i + 1, bugcheck->header.parameters[i]);
        if (meaning)
            g_string_append_printf(text, "  %s", meaning);
        if (fltvm_symbols_image(symbols, list[i].address))
            g_string_append_printf(text, "  %s", list[i].text);
        g_string_append_c(text, '\n');
        fltvm_symbol_clear(&list[i]);
    }
}

const char *fltvm_bugcheck_describe(FltvmBugcheck *bugcheck, FltvmSymbols *symbols, const char *report,
                                    gboolean all_stacks)
{
    GString *text = g_string_new(NULL);
    const char *name = fltvm_bugcheck_name(bugcheck->header.code);
    const char *image = bugcheck->header.driver ? fltvm_symbols_image(symbols, bugcheck->header.driver) : NULL;

    g_free(bugcheck->driver);
    bugcheck->driver = g_strdup(image);
    g_free(bugcheck->report);
    bugcheck->report = report ? fltvm_report_describe(report, symbols) : NULL;
    g_string_append_printf(text, "*** bugcheck 0x%X %s at %.6f ms on cpu%u\n", bugcheck->header.code,
                           name ? name : "(no name)", (double)bugcheck->time_ns / 1e6, bugcheck->cpu);
    describe_parameters(text, bugcheck, symbols);
    if (image)
        g_string_append_printf(text, "  blamed: %s\n", image);
    if (bugcheck->report)
        g_string_append_printf(text, "  report:\n%s", bugcheck->report);
    g_string_append(text, "  stack:\n");
    describe_stacks(text, bugcheck->stacks, symbols, FLTVM_STACK_CULPRIT, FLTVM_STACK_CULPRIT);
    if (all_stacks && bugcheck->stacks->len > 1) {
        g_string_append(text, "  other threads:\n");
        describe_stacks(text, bugcheck->stacks, symbols, FLTVM_STACK_CULPRIT, 0);
    }
    g_free(bugcheck->text);
    bugcheck->text = g_string_free(text, FALSE);
    return bugcheck->text;
}
