/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which runs an exploration makes: see plan.h. */
#include "plan.h"

#include <string.h>

#include "abi/hba.h"
#include "error.h"
#include "nearest.h"

#define USUAL "allocations,faults,seeds"

/* A command to a disk. */
typedef struct {
    guint disk;
    guint64 number;
} Io;

struct FltvmPlan {
    FltvmTask start;
    GArray *allocations; /* guint64: numbers, the first of each stack first */
    GArray *io;          /* Io */
    GArray *crowded;     /* Io: those of disks that have several at a time */
    GArray *writes;      /* Io: writes and flushes, counted by themselves */
    GArray *cached;      /* Io: those of disks with a volatile cache */
    GArray *steps;       /* guint: what there is to act on before each step, as masks of 1 << FltvmStep */
    GArray *calls;       /* guint64, as allocations: by who calls */
    GArray *chosen;      /* guint: of the table */
    GArray *taken;       /* guint64: how far each of them is */
    guint turn;
    guint64 order;
};

void fltvm_task_set_seed(FltvmTask *task, guint64 seed)
{
    if (task->choice.at_checkpoint) {
        task->choice.has_seed = TRUE;
        task->choice.seed = seed;
    } else {
        task->has_seed = TRUE;
        task->seed = seed;
    }
}

gboolean fltvm_plan_begins_at_checkpoint(const FltvmPlan *plan)
{
    return plan->start.choice.at_checkpoint;
}

/* --- the strategies -------------------------------------------------------------------------------------- */

static gboolean next_seed(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    fltvm_task_set_seed(task, plan->start.seed + 1 + index);
    return TRUE;
}

static gboolean next_allocation(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    if (index >= plan->allocations->len)
        return FALSE;
    task->choice.allocation = g_array_index(plan->allocations, guint64, index);
    return TRUE;
}

/*
 * What a strategy does with commands.  Losing them is no part of it: the disk's driver aborts them only after 30 s, which is
 * more than most operations of scenarios wait.
 */
static const FltvmIoAct io_acts[] = {FLTVM_IO_FAIL, FLTVM_IO_DELAY, FLTVM_IO_TEAR};

/* What of unflushed writes is kept at a power cut. */
static const guint32 keeps[] = {FLTVM_HBA_KEEP_NONE, FLTVM_HBA_KEEP_LAST, FLTVM_HBA_KEEP_ALL, FLTVM_HBA_KEEP_SOME,
                                FLTVM_HBA_KEEP_SOME};

/* How many faults there are. */
static guint64 count_faults(const FltvmPlan *plan)
{
    return (guint64)plan->io->len * G_N_ELEMENTS(io_acts) + plan->crowded->len;
}

/* Each command fails, then each is late, then each is torn; then each completes behind a later one, where there may be one. */
static gboolean next_fault(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    guint64 usual = (guint64)plan->io->len * G_N_ELEMENTS(io_acts);
    FltvmIoAct act = FLTVM_IO_REORDER;
    const Io *io;

    if (index >= count_faults(plan))
        return FALSE;
    if (index < usual) {
        io = &g_array_index(plan->io, Io, index % plan->io->len);
        act = io_acts[index / plan->io->len];
    } else {
        io = &g_array_index(plan->crowded, Io, index - usual);
    }
    task->choice.io[act].disk = io->disk;
    task->choice.io[act].number = io->number;
    return TRUE;
}

/* Before each step of the script that has something of these kinds, a mask of 1 << FltvmStep: all kinds of a step in a row. */
static gboolean next_step(const FltvmPlan *plan, guint64 index, FltvmTask *task, guint kinds)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        for (guint step = 0; step < FLTVM_STEPS; step++) {
            if (!(g_array_index(plan->steps, guint, i) & kinds & (1u << step)) || index--)
                continue;
            task->choice.step[step] = i + 1;
            return TRUE;
        }
    }
    return FALSE;
}

/* How many steps there are to act before, kind by kind. */
static guint64 count_steps(const FltvmPlan *plan)
{
    guint64 count = 0;

    for (guint i = 0; i < plan->steps->len; i++)
        count += (guint)__builtin_popcount(g_array_index(plan->steps, guint, i));
    return count;
}

/* Another seed and something that fails, both chosen by the number. */
static gboolean next_mixed(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    guint64 offers = plan->allocations->len + count_faults(plan) + count_steps(plan);
    guint64 pick = (index + 1) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) >> 16;

    if (!offers)
        return FALSE;
    next_seed(plan, index, task);
    pick %= offers;
    if (pick < plan->allocations->len)
        return next_allocation(plan, pick, task);
    pick -= plan->allocations->len;
    return pick < count_faults(plan) ? next_fault(plan, pick, task)
                                     : next_step(plan, pick - count_faults(plan), task, ~0u);
}

/* Each call comes late, then its return. */
static gboolean next_call(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    if (index / 2 >= plan->calls->len)
        return FALSE;
    task->choice.at_checkpoint = FALSE;
    task->choice.call.counted = TRUE;
    task->choice.call.returns = index % 2 != 0;
    task->choice.call.number = g_array_index(plan->calls, guint64, index / 2);
    return TRUE;
}

/*
 * The power is cut after each write and flush, with one choice of what is lost, then with the next, where a cache can lose
 * something.
 */
static gboolean next_cut(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    guint64 keep = 0;
    const Io *io;

    if (index < plan->writes->len) {
        io = &g_array_index(plan->writes, Io, index);
    } else {
        index -= plan->writes->len;
        if (index >= (guint64)plan->cached->len * (G_N_ELEMENTS(keeps) - 1))
            return FALSE;
        io = &g_array_index(plan->cached, Io, index % plan->cached->len);
        keep = 1 + index / plan->cached->len;
    }
    task->choice.cut.disk = io->disk;
    task->choice.cut.number = io->number;
    task->choice.cut.keep = keeps[keep];
    task->choice.cut.seed = keeps[keep] == FLTVM_HBA_KEEP_SOME ? keep : 0;
    return TRUE;
}

static gboolean next_unload(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    return next_step(plan, index, task, 1u << FLTVM_STEP_UNLOAD);
}

static gboolean next_detach(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    return next_step(plan, index, task, 1u << FLTVM_STEP_DETACH);
}

static gboolean next_dismount(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    return next_step(plan, index, task, 1u << FLTVM_STEP_DISMOUNT);
}

static gboolean next_cancel(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    return next_step(plan, index, task, 1u << FLTVM_STEP_CANCEL);
}

static gboolean next_kill(const FltvmPlan *plan, guint64 index, FltvmTask *task)
{
    return next_step(plan, index, task, 1u << FLTVM_STEP_KILL);
}

static const struct {
    const char *name;
    gboolean (*next)(const FltvmPlan *plan, guint64 index, FltvmTask *task);
    const char *what;
} strategies[] = {
    {"seeds", next_seed, "another seed each, from the default's on: another schedule"},
    {"allocations", next_allocation, "each allocation that comes of the scenario's drivers fails, one a run"},
    {"faults", next_fault,
     "each command to a disk fails, is late, is torn, or completes behind a later one, one a run"},
    {"calls", next_call, "each call of the scenario's drivers comes late, or returns late, one a run"},
    {"power", next_cut, "the power is cut after each write or flush of a disk, one a run (machine:after_power_cut)"},
    {"unload", next_unload, "the scenario's drivers are unloaded between two of its operations, one place a run"},
    {"detach", next_detach, "their instances are detached there"},
    {"dismount", next_dismount, "the volumes are dismounted there"},
    {"cancel", next_cancel, "what the scenario's files have pending is canceled there"},
    {"kill", next_kill, "the scenario's processes end there"},
    {"mixed", next_mixed, "another seed, and one allocation or command that fails, or one of these steps"},
};

char *fltvm_plan_describe(void)
{
    GString *text = g_string_new("Strategies (default " USUAL "):\n");

    for (gsize i = 0; i < G_N_ELEMENTS(strategies); i++)
        g_string_append_printf(text, "  %-12s %s\n", strategies[i].name, strategies[i].what);
    return g_string_free(text, FALSE);
}

/* --- making ---------------------------------------------------------------------------------------------- */

static gboolean choose(FltvmPlan *plan, const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(strategies) + 1] = {NULL};
    g_autofree char *hint = NULL;
    guint64 none = 0;

    for (guint i = 0; i < G_N_ELEMENTS(strategies); i++) {
        names[i] = strategies[i].name;
        if (strcmp(name, names[i]) != 0)
            continue;
        for (guint j = 0; j < plan->chosen->len; j++) {
            if (g_array_index(plan->chosen, guint, j) == i) {
                g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--strategy: '%s' is there twice", name);
                return FALSE;
            }
        }
        g_array_append_val(plan->chosen, i);
        g_array_append_val(plan->taken, none);
        return TRUE;
    }
    hint = fltvm_nearest_hint(name, names);
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                "--strategy: there is no '%s'%s (fltvm explore --help lists them)", name, hint);
    return FALSE;
}

FltvmPlan *fltvm_plan_new(const char *names, GError **error)
{
    g_autoptr(FltvmPlan) plan = g_new0(FltvmPlan, 1);
    g_auto(GStrv) list = g_strsplit(!names ? USUAL : *names ? names : ",", ",", -1);

    plan->allocations = g_array_new(FALSE, FALSE, sizeof(guint64));
    plan->io = g_array_new(FALSE, FALSE, sizeof(Io));
    plan->crowded = g_array_new(FALSE, FALSE, sizeof(Io));
    plan->writes = g_array_new(FALSE, FALSE, sizeof(Io));
    plan->cached = g_array_new(FALSE, FALSE, sizeof(Io));
    plan->steps = g_array_new(FALSE, TRUE, sizeof(guint));
    plan->calls = g_array_new(FALSE, FALSE, sizeof(guint64));
    plan->chosen = g_array_new(FALSE, FALSE, sizeof(guint));
    plan->taken = g_array_new(FALSE, FALSE, sizeof(guint64));
    for (char **name = list; *name; name++) {
        if (!choose(plan, *name, error))
            return NULL;
    }
    return g_steal_pointer(&plan);
}

void fltvm_plan_free(FltvmPlan *plan)
{
    if (!plan)
        return;
    g_array_unref(plan->allocations);
    g_array_unref(plan->io);
    g_array_unref(plan->crowded);
    g_array_unref(plan->writes);
    g_array_unref(plan->cached);
    g_array_unref(plan->steps);
    g_array_unref(plan->calls);
    g_array_unref(plan->chosen);
    g_array_unref(plan->taken);
    g_free(plan);
}

/* --- what there is to fail ------------------------------------------------------------------------------- */

typedef struct {
    guint64 occurrence; /* of its place, before it */
    guint64 number;
} Event;

static gint compare_events(gconstpointer a, gconstpointer b)
{
    const Event *x = a, *y = b;

    if (x->occurrence != y->occurrence)
        return x->occurrence < y->occurrence ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/*
 * The first event of each place (a stack, or who calls), in the order of their numbers; then the second of each; and so on.
 * `places` has the place of each number from 1 on.  A number counts in every machine: of several machines the first adds its
 * own, the next what goes beyond.
 */
static void add_events(GArray *numbers, const GArray *places)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(Event));
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (guint i = 0; i < numbers->len; i++)
        g_hash_table_add(known, g_memdup2(&g_array_index(numbers, guint64, i), sizeof(guint64)));
    for (guint i = 0; i < places->len; i++) {
        gint64 place = g_array_index(places, gint64, i);
        gint64 *count = g_hash_table_lookup(seen, &place);
        Event event = {count ? (guint64)*count : 0, i + 1};
        if (count)
            ++*count;
        else
            g_hash_table_insert(seen, g_memdup2(&place, sizeof(place)), g_memdup2(&(gint64){1}, sizeof(gint64)));
        g_array_append_val(list, event);
    }
    g_array_sort(list, compare_events);
    for (guint i = 0; i < list->len; i++) {
        guint64 number = g_array_index(list, Event, i).number;
        if (!g_hash_table_contains(known, &number))
            g_array_append_val(numbers, number);
    }
}

static void add_allocations(FltvmPlan *plan, const FltvmJson *stacks)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(gint64));

    for (guint i = 0; i < fltvm_json_length(stacks); i++) {
        gint64 stack = (gint64)fltvm_json_number(fltvm_json_item(stacks, i), 0);
        g_array_append_val(places, stack);
    }
    add_events(plan->allocations, places);
}

/* Pairs of a call's number and who calls, of which some may be out of order. */
static void add_calls(FltvmPlan *plan, const FltvmJson *calls)
{
    guint count = fltvm_json_length(calls);
    g_autoptr(GArray) places = g_array_sized_new(FALSE, TRUE, sizeof(gint64), count);

    g_array_set_size(places, count);
    for (guint i = 0; i < count; i++) {
        const FltvmJson *call = fltvm_json_item(calls, i);
        guint64 number = fltvm_json_number(fltvm_json_item(call, 0), 0);
        if (number && number <= count)
            g_array_index(places, gint64, number - 1) = (gint64)fltvm_json_number(fltvm_json_item(call, 1), 0);
    }
    add_events(plan->calls, places);
}

static void add_io(GArray *list, const FltvmJson *disks)
{
    g_autoptr(GHashTable) counts = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < fltvm_json_length(disks); i++) {
        guint disk = (guint)fltvm_json_number(fltvm_json_item(disks, i), 0);
        guint number = GPOINTER_TO_UINT(g_hash_table_lookup(counts, GUINT_TO_POINTER(disk))) + 1;
        Io io = {disk, number};
        gboolean known = FALSE;
        g_hash_table_insert(counts, GUINT_TO_POINTER(disk), GUINT_TO_POINTER(number));
        for (guint j = 0; j < list->len && !known; j++) {
            const Io *other = &g_array_index(list, Io, j);
            known = other->disk == disk && other->number == number;
        }
        if (!known)
            g_array_append_val(list, io);
    }
}

/* Those of `all` whose disk is named by one of the machines' lists of that name. */
static void add_some(GArray *some, const GArray *all, const FltvmJson *machines, const char *name)
{
    g_autoptr(GHashTable) disks = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < fltvm_json_length(machines); i++) {
        const FltvmJson *list = fltvm_json_field(fltvm_json_item(machines, i), name);
        for (guint j = 0; j < fltvm_json_length(list); j++)
            g_hash_table_add(disks, GUINT_TO_POINTER((guint)fltvm_json_number(fltvm_json_item(list, j), 0)));
    }
    for (guint i = 0; i < all->len; i++) {
        const Io *io = &g_array_index(all, Io, i);
        if (g_hash_table_contains(disks, GUINT_TO_POINTER(io->disk)))
            g_array_append_val(some, *io);
    }
}

/* A number counts in each machine: what one of them offers there is offered. */
static void add_steps(GArray *steps, const char *masks)
{
    for (guint i = 0; masks && masks[i]; i++) {
        if (i >= steps->len)
            g_array_set_size(steps, i + 1);
        g_array_index(steps, guint, i) |= (guint)MAX(masks[i] - '0', 0);
    }
}

void fltvm_plan_begin(FltvmPlan *plan, const FltvmTask *start, const FltvmJson *outcome)
{
    const FltvmJson *machines = fltvm_json_field(outcome, "machines"), *offers = fltvm_json_field(outcome, "offers");

    plan->start = *start;
    plan->start.choice.at_checkpoint = fltvm_json_is_true(fltvm_json_field(outcome, "checkpoint"));
    for (guint i = 0; i < fltvm_json_length(machines); i++) {
        const FltvmJson *machine = fltvm_json_item(machines, i);
        add_allocations(plan, fltvm_json_field(machine, "allocations"));
        add_io(plan->io, fltvm_json_field(machine, "io"));
        add_io(plan->writes, fltvm_json_field(machine, "writes"));
    }
    for (guint i = 0; i < fltvm_json_length(offers); i++)
        add_steps(plan->steps, fltvm_json_text(fltvm_json_field(fltvm_json_item(offers, i), "steps")));
    add_some(plan->crowded, plan->io, machines, "crowded");
    add_some(plan->cached, plan->writes, offers, "caches");
}

gboolean fltvm_plan_counts_calls(FltvmPlan *plan, FltvmTask *task)
{
    for (guint i = 0; i < plan->chosen->len; i++) {
        const char *name = strategies[g_array_index(plan->chosen, guint, i)].name;
        if (strcmp(name, "calls") != 0)
            continue;
        *task = plan->start;
        task->choice.at_checkpoint = FALSE;
        task->choice.call.counted = TRUE;
        task->strategy = name;
        task->order = ++plan->order;
        return TRUE;
    }
    return FALSE;
}

void fltvm_plan_add_calls(FltvmPlan *plan, const FltvmJson *outcome)
{
    const FltvmJson *machines = fltvm_json_field(outcome, "machines");

    for (guint i = 0; i < fltvm_json_length(machines); i++)
        add_calls(plan, fltvm_json_field(fltvm_json_item(machines, i), "calls"));
}

/* --- taking ---------------------------------------------------------------------------------------------- */

gboolean fltvm_plan_next(FltvmPlan *plan, FltvmTask *task)
{
    for (guint tries = 0; tries < plan->chosen->len; tries++) {
        guint place = plan->turn++ % plan->chosen->len;
        guint64 *taken = &g_array_index(plan->taken, guint64, place);
        guint strategy = g_array_index(plan->chosen, guint, place);
        *task = plan->start;
        if (!strategies[strategy].next(plan, *taken, task))
            continue;
        ++*taken;
        task->strategy = strategies[strategy].name;
        task->order = ++plan->order;
        return TRUE;
    }
    return FALSE;
}
