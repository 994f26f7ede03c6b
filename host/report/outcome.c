/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run ended with: see outcome.h. */
#include "outcome.h"

#include <string.h>

#include "abi/hba.h"
#include "abi/trace.h"
#include "error.h"
#include "names.h"
#include "output.h"
#include "text.h"

static const char *const kind_names[FLTVM_OUTCOME_KINDS] = {
    [FLTVM_OUTCOME_PASSED] = "passed",     [FLTVM_OUTCOME_ANSWERED] = "answered", [FLTVM_OUTCOME_CHECK] = "check",
    [FLTVM_OUTCOME_BUGCHECK] = "bugcheck", [FLTVM_OUTCOME_HANG] = "hang",         [FLTVM_OUTCOME_STATUS] = "status",
    [FLTVM_OUTCOME_SCRIPT] = "script",     [FLTVM_OUTCOME_HOST] = "host"};

const char *fltvm_outcome_kind_name(FltvmOutcomeKind kind)
{
    return kind_names[kind];
}

void fltvm_outcome_free(FltvmOutcome *outcome)
{
    if (!outcome)
        return;
    g_free(outcome->title);
    g_free(outcome->key);
    g_free(outcome->text);
    g_free(outcome);
}

FltvmOutcome *fltvm_outcome_new(FltvmOutcomeKind kind, int status, const char *title)
{
    FltvmOutcome *outcome = g_new0(FltvmOutcome, 1);
    g_autofree char *line = g_strndup(title, strcspn(title, "\n"));

    outcome->kind = kind;
    outcome->status = status;
    outcome->title = fltvm_text_clean_line(line);
    outcome->key = g_strconcat(kind_names[kind], "|", outcome->title, NULL);
    outcome->text = fltvm_text_clean(title, -1);
    return outcome;
}

FltvmOutcome *fltvm_outcome_copy(const FltvmOutcome *outcome)
{
    FltvmOutcome *copy = g_memdup2(outcome, sizeof(*outcome));

    copy->title = g_strdup(outcome->title);
    copy->key = g_strdup(outcome->key);
    copy->text = g_strdup(outcome->text);
    return copy;
}

/* "x.lua:12", if the detail of a check begins with it. */
static char *place_of(const char *detail)
{
    g_autoptr(GRegex) place = g_regex_new("^[^\\s:]+:[0-9]+(?=: )", G_REGEX_RAW, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;

    return detail && g_regex_match(place, detail, 0, &match) ? g_match_info_fetch(match, 0) : g_strdup("");
}

FltvmOutcome *fltvm_outcome_new_check(const FltvmAccount *account)
{
    for (guint i = 0; i < account->checks->len; i++) {
        const FltvmCheck *check = account->checks->pdata[i];
        FltvmOutcome *outcome;
        g_autofree char *title = NULL, *place = NULL, *detail = NULL;
        if (check->verdict != FLTVM_CHECK_FAIL)
            continue;
        place = place_of(check->detail);
        title = g_strdup_printf("check failed: %s%s%s%s", check->name, *place ? " (" : "", place, *place ? ")" : "");
        outcome = fltvm_outcome_new(FLTVM_OUTCOME_CHECK, account->status, title);
        detail = fltvm_text_clean(check->detail ? check->detail : "", -1);
        g_free(outcome->text);
        outcome->text = g_strconcat(outcome->title, *detail ? "\n" : "", detail, NULL);
        return outcome;
    }
    return fltvm_outcome_new(FLTVM_OUTCOME_HOST, account->status, "a check failed that is not in the account");
}

/* --- bugchecks ------------------------------------------------------------------------------------------- */

/* Whether a parameter says what kind of fault it is, rather than where in memory, or how much. */
static gboolean tells_kind(const FltvmBugcheck *bugcheck, guint index)
{
    static const char *const amounts[] = {"bytes", "how many", "allocations", "count", "size", "thread", "pages"};
    guint64 value = bugcheck->header.parameters[index];
    const char *meaning = fltvm_bugcheck_parameter(bugcheck->header.code, bugcheck->header.parameters[0], index);

    if (value > G_MAXUINT32)
        return FALSE;
    for (gsize i = 0; index && meaning && i < G_N_ELEMENTS(amounts); i++) {
        if (strstr(meaning, amounts[i]))
            return FALSE;
    }
    return TRUE;
}

FltvmOutcome *fltvm_outcome_new_bugcheck(const FltvmBugcheck *bugcheck)
{
    g_autoptr(GString) title = g_string_new(NULL), key = g_string_new("bugcheck");
    const char *name = fltvm_bugcheck_name(bugcheck->header.code);
    const char *meaning = fltvm_bugcheck_parameter(bugcheck->header.code, bugcheck->header.parameters[0], 0);
    FltvmOutcome *outcome;

    if (bugcheck->header.code == FLTVM_TRIPLE_FAULT)
        g_string_append(title, "triple fault");
    else
        g_string_append_printf(title, "bugcheck 0x%X %s", bugcheck->header.code, name ? name : "(no name)");
    g_string_append_printf(key, "|%X", bugcheck->header.code);
    for (guint i = 0; i < 4; i++) {
        if (tells_kind(bugcheck, i))
            g_string_append_printf(key, "|%" G_GINT64_MODIFIER "X", bugcheck->header.parameters[i]);
        else
            g_string_append(key, "|*");
    }
    if (meaning && tells_kind(bugcheck, 0) && bugcheck->header.code != FLTVM_TRIPLE_FAULT)
        g_string_append_printf(title, ", 0x%" G_GINT64_MODIFIER "X %s", bugcheck->header.parameters[0], meaning);
    if (bugcheck->driver)
        g_string_append_printf(title, ": %s%s%s%s", bugcheck->routine ? bugcheck->routine : bugcheck->driver,
                               bugcheck->line ? " (" : "", bugcheck->line ? bugcheck->line : "",
                               bugcheck->line ? ")" : "");
    g_string_append_printf(key, "|%s|%s|%s", bugcheck->driver ? bugcheck->driver : "",
                           bugcheck->routine ? bugcheck->routine : "", bugcheck->line ? bugcheck->line : "");
    outcome = fltvm_outcome_new(FLTVM_OUTCOME_BUGCHECK, FLTVM_ERROR_BUGCHECK, title->str);
    g_free(outcome->key);
    outcome->key = fltvm_text_clean_line(key->str);
    g_free(outcome->text);
    outcome->text = fltvm_text_clean(bugcheck->text ? bugcheck->text : title->str, -1);
    return outcome;
}

/* --- JSON ------------------------------------------------------------------------------------------------ */

static void append_field(GString *json, const char *name, const char *value)
{
    g_autofree char *quoted = fltvm_text_json(value);

    g_string_append_printf(json, ",\n  \"%s\": %s", name, quoted);
}

static gboolean is_io(const struct fltvm_trace_record *record)
{
    return record->event == FLTVM_TRACE_HBA_SUBMIT &&
           (record->args[2] == FLTVM_HBA_OP_READ || record->args[2] == FLTVM_HBA_OP_WRITE ||
            record->args[2] == FLTVM_HBA_OP_FLUSH);
}

/* A command was begun or has completed: a disk that works on several has them reordered. */
static void count_in_flight(GString *crowded, GHashTable *in_flight, const struct fltvm_trace_record *record)
{
    gint64 disk = (gint64)record->args[0];
    gint64 *count = g_hash_table_lookup(in_flight, &disk);

    if (!count) {
        count = g_new0(gint64, 1);
        g_hash_table_insert(in_flight, g_memdup2(&disk, sizeof(disk)), count);
    }
    if (*count < 0)
        return; /* it is told already */
    *count = record->event == FLTVM_TRACE_HBA_SUBMIT ? *count + 1 : MAX(*count - 1, 0);
    if (*count < 2)
        return;
    *count = -1;
    g_string_append_printf(crowded, "%s%" G_GINT64_FORMAT, crowded->len ? ", " : "", disk);
}

/* The list of one machine, whose symbols tell it from others. */
static void append_machine(GString *json, const FltvmTrace *trace, const FltvmSymbols *machine)
{
    g_autoptr(GHashTable) in_flight = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    g_autoptr(GString) crowded = g_string_new(NULL);
    g_autoptr(GString) io = g_string_new(NULL), writes = g_string_new(NULL), calls = g_string_new(NULL);
    const struct fltvm_trace_record *record;
    FltvmSymbols *symbols;
    gboolean first = TRUE;

    g_string_append(json, "{\"allocations\": [");
    for (guint i = fltvm_trace_begin(trace); (record = fltvm_trace_get(trace, i, &symbols)); i++) {
        if (symbols == machine && record->event == FLTVM_TRACE_POOL_ALLOCATE) {
            g_string_append_printf(json, "%s%" G_GUINT64_FORMAT, first ? "" : ", ", (guint64)record->args[3]);
            first = FALSE;
        } else if (symbols == machine && is_io(record)) {
            g_string_append_printf(io, "%s%" G_GUINT64_FORMAT, io->len ? ", " : "", (guint64)record->args[0]);
            if (record->args[2] != FLTVM_HBA_OP_READ)
                g_string_append_printf(writes, "%s%" G_GUINT64_FORMAT, writes->len ? ", " : "",
                                       (guint64)record->args[0]);
        } else if (symbols == machine && record->event == FLTVM_TRACE_DRIVER_CALL) {
            /* Their order in the trace is not that of their numbers, which two processors may take at a time. */
            g_string_append_printf(calls, "%s[%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT "]", calls->len ? ", " : "",
                                   (guint64)record->args[2], (guint64)record->args[0]);
        }
        if (symbols == machine && (is_io(record) || record->event == FLTVM_TRACE_HBA_COMPLETE))
            count_in_flight(crowded, in_flight, record);
    }
    g_string_append_printf(json, "], \"io\": [%s], \"crowded\": [%s], \"writes\": [%s], \"calls\": [%s]}", io->str,
                           crowded->str, writes->str, calls->str);
}

static void append_machines(GString *json, const FltvmTrace *trace)
{
    g_autoptr(GPtrArray) told = g_ptr_array_new();
    FltvmSymbols *symbols;

    g_string_append(json, ",\n  \"machines\": [");
    for (guint i = fltvm_trace_begin(trace); fltvm_trace_get(trace, i, &symbols); i++) {
        if (told->len && (told->pdata[told->len - 1] == symbols || g_ptr_array_find(told, symbols, NULL)))
            continue;
        g_string_append(json, told->len ? ",\n    " : "\n    ");
        g_ptr_array_add(told, symbols);
        append_machine(json, trace, symbols);
    }
    g_string_append(json, "]");
}

gboolean fltvm_outcome_write(const FltvmOutcome *outcome, FltvmTrace *trace, const char *offers, const char *path,
                             GError **error)
{
    g_autoptr(GString) json = g_string_new(NULL);

    g_string_append_printf(json, "{\n  \"status\": %d", outcome->status);
    append_field(json, "kind", kind_names[outcome->kind]);
    append_field(json, "title", outcome->title);
    append_field(json, "key", outcome->key);
    append_field(json, "text", outcome->text);
    if (trace)
        append_field(json, "trace", fltvm_trace_hash(trace));
    if (trace && fltvm_trace_is_marked(trace))
        g_string_append(json, ",\n  \"checkpoint\": true");
    if (trace && fltvm_trace_keeps(trace))
        append_machines(json, trace);
    if (offers)
        g_string_append_printf(json, ",\n  \"offers\": %s", offers);
    g_string_append(json, "\n}\n");
    return fltvm_output_write("--json", path, json->str, json->len, error);
}

FltvmOutcome *fltvm_outcome_read(const FltvmJson *json)
{
    const char *kind = fltvm_json_text(fltvm_json_field(json, "kind"));
    const char *title = fltvm_json_text(fltvm_json_field(json, "title"));
    const char *key = fltvm_json_text(fltvm_json_field(json, "key"));
    const char *text = fltvm_json_text(fltvm_json_field(json, "text"));

    for (guint i = 0; kind && title && key && text && i < FLTVM_OUTCOME_KINDS; i++) {
        FltvmOutcome *outcome;
        if (strcmp(kind, kind_names[i]) != 0)
            continue;
        outcome = fltvm_outcome_new(i, (int)fltvm_json_number(fltvm_json_field(json, "status"), 0), title);
        g_free(outcome->key);
        outcome->key = fltvm_text_clean_line(key);
        g_free(outcome->text);
        outcome->text = fltvm_text_clean(text, -1);
        return outcome;
    }
    return NULL;
}
