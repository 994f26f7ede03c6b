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

/* The first of these addresses in a driver that did not come with the machine; its index, or -1. */
static int find_driver(const guint64 *addresses, guint count, FltvmSymbols *symbols)
{
    for (guint i = 0; i < count; i++) {
        if (fltvm_symbols_image(symbols, addresses[i]) && !fltvm_symbols_in_box(symbols, addresses[i]))
            return (int)i;
    }
    return -1;
}

FltvmBugcheck *fltvm_last_words_decode(const guint8 *payload, gsize length, FltvmSymbols *symbols)
{
    FltvmBugcheck *bugcheck;
    struct fltvm_exit words = {0};
    int driver;

    memcpy(&words, payload, MIN(length, sizeof(words)));
    if (words.code == 0)
        return NULL;
    bugcheck = g_new0(FltvmBugcheck, 1);
    bugcheck->header.code = words.code;
    memcpy(bugcheck->header.parameters, words.parameters, sizeof(words.parameters));
    driver = find_driver(words.parameters, G_N_ELEMENTS(words.parameters), symbols);
    bugcheck->header.driver = driver < 0 ? 0 : words.parameters[driver];
    bugcheck->stacks = g_ptr_array_new_with_free_func(stack_free);
    return bugcheck;
}

/* Of an image whose lines are known, code has lines and what else it holds has none. */
static gboolean is_code(const FltvmSymbol *list, guint count, guint index, FltvmSymbols *symbols)
{
    const char *image = fltvm_symbols_image(symbols, list[index].address);

    for (guint i = 0; i < count && !list[index].place; i++) {
        if (list[i].place && g_str_equal(fltvm_symbols_image(symbols, list[i].address), image))
            return FALSE;
    }
    return TRUE;
}

/* The addresses of code on the stack of a triple fault. */
static void collect_frames(FltvmStack *stack, const struct fltvm_crash *crash, FltvmSymbols *symbols)
{
    guint count = MIN(crash->words, FLTVM_CRASH_WORDS), found = 0;
    g_autofree FltvmSymbol *list = g_new0(FltvmSymbol, count + 1);

    for (guint i = 0; i < count; i++) {
        list[found].is_return = TRUE;
        if (fltvm_symbols_image(symbols, crash->stack[i]))
            list[found++].address = crash->stack[i];
    }
    fltvm_symbols_resolve(symbols, list, found);
    stack->frames = g_new(guint64, found + 1);
    stack->frames[stack->header.frames++] = crash->rip;
    for (guint i = 0; i < found; i++) {
        if (is_code(list, found, i, symbols))
            stack->frames[stack->header.frames++] = list[i].address;
    }
    for (guint i = 0; i < found; i++)
        fltvm_symbol_clear(&list[i]);
}

FltvmBugcheck *fltvm_crash_decode(const guint8 *payload, gsize length, FltvmSymbols *symbols)
{
    FltvmBugcheck *bugcheck = g_new0(FltvmBugcheck, 1);
    FltvmStack *stack = g_new0(FltvmStack, 1);
    struct fltvm_crash crash = {0};
    int driver;

    memcpy(&crash, payload, MIN(length, sizeof(crash)));
    bugcheck->header.parameters[0] = crash.rip;
    bugcheck->header.parameters[1] = crash.rsp;
    bugcheck->header.parameters[2] = crash.cr2;
    bugcheck->header.parameters[3] = crash.cr3;
    stack->header.cpu = crash.cpu;
    stack->header.flags = FLTVM_STACK_CULPRIT | FLTVM_STACK_SCANNED;
    stack->header.trapped = 1;
    collect_frames(stack, &crash, symbols);
    bugcheck->stacks = g_ptr_array_new_with_free_func(stack_free);
    g_ptr_array_add(bugcheck->stacks, stack);
    bugcheck->header.stacks = 1;
    driver = find_driver(stack->frames, stack->header.frames, symbols);
    bugcheck->header.driver = driver < 0 ? 0 : stack->frames[driver];
    bugcheck->header.flags = driver > 0 ? FLTVM_BUGCHECK_BLAMES_RETURN : 0;
    return bugcheck;
}

void fltvm_bugcheck_free(FltvmBugcheck *bugcheck)
{
    if (!bugcheck)
        return;
    g_ptr_array_unref(bugcheck->stacks);
    g_free(bugcheck->driver);
    g_free(bugcheck->routine);
    g_free(bugcheck->line);
    g_free(bugcheck->report);
    g_free(bugcheck->text);
    g_free(bugcheck);
}

/* --- symbols in text ----------------------------------------------------------------------------------- */

/* Append what an address is called.  Calls that are inlined take a line each, all in the column of the first. */
static void append_symbol(GString *text, const FltvmSymbol *symbol)
{
    const char *start = strrchr(text->str, '\n');
    int column = (int)(text->str + text->len - (start ? start + 1 : text->str));
    g_auto(GStrv) lines = g_strsplit(symbol->text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        if (i > 0)
            g_string_append_printf(text, "\n%*s", column, "");
        g_string_append_printf(text, "%s%s", lines[i], lines[i + 1] ? " [inlined]" : "");
    }
}

static void clear_symbols(GArray *list)
{
    for (guint i = 0; i < list->len; i++)
        fltvm_symbol_clear(&g_array_index(list, FltvmSymbol, i));
    g_array_unref(list);
}

/* --- stacks -------------------------------------------------------------------------------------------- */

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
            list[next++].is_return = frame >= 64 || !(stack->header.trapped >> frame & 1);
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

    if (!(header->flags & FLTVM_STACK_SCANNED))
        g_string_append_printf(text, "    thread 0x%" G_GINT64_MODIFIER "x%s%s%s, priority %u, ", header->thread,
                               *name ? " '" : "", name, *name ? "'" : "", header->priority);
    if (header->flags & FLTVM_STACK_SCANNED)
        g_string_append_printf(text, "    cpu%u; addresses of code that its stack holds:\n", header->cpu);
    else if (header->flags & FLTVM_STACK_RUNNING)
        g_string_append_printf(text, "running on cpu%u at %s\n", header->cpu, fltvm_irql_name(header->irql));
    else if (header->state == 5)
        g_string_append_printf(text, "waiting (%s), last on cpu%u\n", fltvm_wait_reason_name(header->wait_reason),
                               header->cpu);
    else
        g_string_append_printf(text, "%s, last on cpu%u\n", fltvm_thread_state_name(header->state), header->cpu);
    for (guint frame = 0; frame < header->frames; frame++) {
        g_string_append_printf(text, "      #%-2u ", frame);
        append_symbol(text, &symbols[frame]);
        g_string_append_c(text, '\n');
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

/* --- verifier reports ---------------------------------------------------------------------------------- */

/* Most fields name a caller by its return address; these name a routine by its start. */
static gboolean names_routine(const char *line)
{
    g_autofree char *name = g_strndup(line, strcspn(line, "="));

    return g_str_has_suffix(name, "routine") || g_str_has_suffix(name, "callback");
}

/* A field's value as addresses of code: the words of the value, if one of them at least is in an image; or NULL. */
static GArray *parse_addresses(const char *line, FltvmSymbols *symbols)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(FltvmSymbol));
    const char *value = strchr(line, '=');
    g_auto(GStrv) words = g_strsplit(value ? value + 1 : "", " ", -1);
    gboolean code = FALSE;

    for (guint i = 0; words[i]; i++) {
        char *end = NULL;
        FltvmSymbol symbol = {.is_return = !names_routine(line)};

        symbol.address = g_str_has_prefix(words[i], "0x") ? g_ascii_strtoull(words[i], &end, 16) : 0;
        if (!end || *end) {
            code = FALSE;
            break;
        }
        code = code || fltvm_symbols_image(symbols, symbol.address);
        g_array_append_val(list, symbol);
    }
    if (code)
        return list;
    g_array_unref(list);
    return NULL;
}

static void describe_field(GString *text, const char *line, guint width, const GArray *addresses,
                           const FltvmSymbol *resolved)
{
    const char *value = strchr(line, '=');

    if (!value) {
        g_string_append_printf(text, "    %s\n", line);
        return;
    }
    g_string_append_printf(text, "    %-*.*s  ", (int)width, (int)(value - line), line);
    if (!addresses)
        g_string_append_printf(text, "%s\n", value + 1);
    for (guint i = 0; addresses && i < addresses->len; i++) {
        if (i > 0)
            g_string_append_printf(text, "%*s", (int)width + 6, "");
        append_symbol(text, &resolved[i]);
        g_string_append_c(text, '\n');
    }
}

char *fltvm_report_describe(const char *report, FltvmSymbols *symbols)
{
    g_auto(GStrv) lines = g_strsplit(report, "\n", -1);
    guint count = g_strv_length(lines), width = 0, next = 0;
    g_autofree GArray **addresses = g_new0(GArray *, count + 1);
    GArray *all = g_array_new(FALSE, TRUE, sizeof(FltvmSymbol));
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < count; i++) {
        const char *value = strchr(lines[i], '=');
        width = value ? MAX(width, (guint)(value - lines[i])) : width;
        addresses[i] = parse_addresses(lines[i], symbols);
        if (addresses[i])
            g_array_append_vals(all, addresses[i]->data, addresses[i]->len);
    }
    fltvm_symbols_resolve(symbols, (FltvmSymbol *)(void *)all->data, all->len);
    for (guint i = 0; i < count; i++) {
        if (*lines[i])
            describe_field(text, lines[i], width, addresses[i], (FltvmSymbol *)(void *)all->data + next);
        if (addresses[i]) {
            next += addresses[i]->len;
            g_array_unref(addresses[i]);
        }
    }
    clear_symbols(all);
    return g_string_free(text, FALSE);
}

/* --- bugchecks ----------------------------------------------------------------------------------------- */

static void describe_parameters(GString *text, const FltvmBugcheck *bugcheck, FltvmSymbols *symbols)
{
    FltvmSymbol list[4] = {0};

    for (guint i = 0; i < 4; i++)
        list[i].address = bugcheck->header.parameters[i];
    fltvm_symbols_resolve(symbols, list, 4);
    for (guint i = 0; i < 4; i++) {
        const char *meaning = fltvm_bugcheck_parameter(bugcheck->header.code, bugcheck->header.parameters[0], i);
        g_string_append_printf(text, "    %u: 0x%016" G_GINT64_MODIFIER "x", i + 1, bugcheck->header.parameters[i]);
        if (meaning)
            g_string_append_printf(text, "  %s", meaning);
        if (fltvm_symbols_image(symbols, list[i].address)) {
            g_string_append(text, "  ");
            append_symbol(text, &list[i]);
        }
        g_string_append_c(text, '\n');
        fltvm_symbol_clear(&list[i]);
    }
}

/* Who is to blame: the image, the routine and the line. */
static void describe_blame(GString *text, FltvmBugcheck *bugcheck, FltvmSymbols *symbols)
{
    const char *image = bugcheck->header.driver ? fltvm_symbols_image(symbols, bugcheck->header.driver) : NULL;
    FltvmSymbol symbol = {.address = bugcheck->header.driver,
                          .is_return = (bugcheck->header.flags & FLTVM_BUGCHECK_BLAMES_RETURN) != 0};

    g_clear_pointer(&bugcheck->driver, g_free);
    g_clear_pointer(&bugcheck->routine, g_free);
    g_clear_pointer(&bugcheck->line, g_free);
    if (!image)
        return;
    fltvm_symbols_resolve(symbols, &symbol, 1);
    bugcheck->driver = g_strdup(image);
    bugcheck->routine = g_strdup(symbol.function);
    bugcheck->line = g_strdup(symbol.place);
    g_string_append_printf(text, "  blamed: %s, %s", image, symbol.function);
    if (symbol.place)
        g_string_append_printf(text, " (%s)", symbol.place);
    g_string_append_c(text, '\n');
    fltvm_symbol_clear(&symbol);
}

const char *fltvm_bugcheck_describe(FltvmBugcheck *bugcheck, FltvmSymbols *symbols, const char *report,
                                    gboolean all_stacks)
{
    GString *text = g_string_new(NULL);
    const char *name = fltvm_bugcheck_name(bugcheck->header.code);

    g_free(bugcheck->report);
    bugcheck->report = report ? fltvm_report_describe(report, symbols) : NULL;
    if (bugcheck->header.code == FLTVM_TRIPLE_FAULT)
        g_string_append_printf(text, "*** triple fault at %.6f ms on cpu%u: the processor could not deliver a fault\n",
                               (double)bugcheck->time_ns / 1e6, bugcheck->cpu);
    else
        g_string_append_printf(text, "*** bugcheck 0x%X %s at %.6f ms on cpu%u\n", bugcheck->header.code,
                               name ? name : "(no name)", (double)bugcheck->time_ns / 1e6, bugcheck->cpu);
    describe_parameters(text, bugcheck, symbols);
    describe_blame(text, bugcheck, symbols);
    if (bugcheck->report)
        g_string_append_printf(text, "  report:\n%s", bugcheck->report);
    g_string_append(text, bugcheck->stacks->len ? "  stack:\n" : "  its report and stacks were lost\n");
    describe_stacks(text, bugcheck->stacks, symbols, FLTVM_STACK_CULPRIT, FLTVM_STACK_CULPRIT);
    if (all_stacks && bugcheck->stacks->len > 1) {
        g_string_append(text, "  other threads:\n");
        describe_stacks(text, bugcheck->stacks, symbols, FLTVM_STACK_CULPRIT, 0);
    }
    g_free(bugcheck->text);
    bugcheck->text = g_string_free(text, FALSE);
    return bugcheck->text;
}
