/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was found as JSON, and the files of several shards made into one: see findings.h. */
#include <string.h>

#include "error.h"
#include "findings.h"
#include "output.h"
#include "text.h"

#define MOST_FILE (256u << 20)

/* --- writing --------------------------------------------------------------------------------------------- */

static void append_text(GString *json, const char *name, const char *value)
{
    g_autofree char *quoted = fltvm_text_json(value);

    g_string_append_printf(json, ", \"%s\": %s", name, quoted);
}

static void append_finding(GString *json, const FltvmFinding *finding)
{
    const FltvmOutcome *outcome = finding->outcome;

    g_string_append_printf(json, "{\"count\": %" G_GUINT64_FORMAT ", \"order\": %" G_GUINT64_FORMAT ", \"repeats\": %s",
                           finding->count, finding->order, finding->repeats ? "true" : "false");
    append_text(json, "strategy", finding->strategy);
    append_text(json, "kind", fltvm_outcome_kind_name(outcome->kind));
    append_text(json, "title", outcome->title);
    append_text(json, "key", outcome->key);
    g_string_append(json, ", \"command\": [");
    for (char **word = finding->command; *word; word++) {
        g_autofree char *quoted = fltvm_text_json(*word);
        g_string_append_printf(json, "%s%s", word > finding->command ? ", " : "", quoted);
    }
    g_string_append_c(json, ']');
    append_text(json, "text", outcome->text);
    g_string_append_c(json, '}');
}

gboolean fltvm_findings_write_json(const FltvmFindings *findings, const char *path, GError **error)
{
    g_autoptr(GString) json = g_string_new("{\"format\": \"fltvm explore 1\"");

    append_text(json, "scenario", findings->script);
    g_string_append_printf(json,
                           ",\n \"runs\": %" G_GUINT64_FORMAT ", \"answered\": %" G_GUINT64_FORMAT
                           ", \"shard\": %u, \"shards\": %u, \"milliseconds\": %.0f",
                           findings->runs, findings->answered, findings->shard, findings->shards,
                           findings->seconds * 1e3);
    if (findings->stopped)
        append_text(json, "stopped", findings->stopped);
    if (findings->incomplete)
        g_string_append(json, ", \"incomplete\": true");
    g_string_append_printf(json, ",\n \"unjudged\": {\"runs\": %" G_GUINT64_FORMAT, findings->unjudged);
    if (findings->unjudged) {
        g_string_append_printf(json, ", \"order\": %" G_GUINT64_FORMAT, findings->unjudged_order);
        append_text(json, "title", findings->unjudged_title);
        append_text(json, "command", findings->unjudged_command);
    }
    g_string_append(json, "},\n \"strategies\": [");
    for (guint i = 0; i < findings->parts->len; i++) {
        const FltvmPart *part = findings->parts->pdata[i];
        g_string_append_printf(json, "%s{\"runs\": %" G_GUINT64_FORMAT, i ? ", " : "", part->runs);
        append_text(json, "name", part->name);
        g_string_append_c(json, '}');
    }
    g_string_append(json, "],\n \"findings\": [");
    for (guint i = 0; i < findings->list->len; i++) {
        g_string_append(json, i ? ",\n  " : "\n  ");
        append_finding(json, findings->list->pdata[i]);
    }
    g_string_append(json, "]}\n");
    return fltvm_output_write("--json", path, json->str, json->len, error);
}

/* --- reading --------------------------------------------------------------------------------------------- */

static guint64 number(const FltvmJson *json, const char *name)
{
    return fltvm_json_number(fltvm_json_field(json, name), 0);
}

static const char *text(const FltvmJson *json, const char *name)
{
    return fltvm_json_text(fltvm_json_field(json, name));
}

static char **read_command(const FltvmJson *json)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < fltvm_json_length(json); i++) {
        const char *word = fltvm_json_text(fltvm_json_item(json, i));
        g_ptr_array_add(words, fltvm_text_clean_line(word ? word : ""));
    }
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&words), FALSE);
}

/* One finding of a file joins what there is. */
static gboolean merge_finding(FltvmFindings *findings, const FltvmJson *json)
{
    g_autoptr(FltvmOutcome) outcome = fltvm_outcome_read(json);
    const char *strategy = text(json, "strategy");
    guint64 count;
    FltvmFinding *finding;

    if (!outcome || !strategy)
        return FALSE;
    finding = fltvm_findings_look(findings, outcome->key);
    count = number(json, "count");
    if (finding && finding->order <= number(json, "order")) {
        finding->count += count;
        return TRUE;
    }
    if (finding) {
        count += finding->count;
        g_ptr_array_remove(findings->list, finding);
    }
    finding = fltvm_findings_append(findings);
    finding->outcome = g_steal_pointer(&outcome);
    finding->count = count;
    finding->order = number(json, "order");
    finding->strategy = fltvm_text_clean_line(strategy);
    finding->repeats = fltvm_json_is_true(fltvm_json_field(json, "repeats"));
    finding->command = read_command(fltvm_json_field(json, "command"));
    return TRUE;
}

static void merge_numbers(FltvmFindings *findings, const FltvmJson *json)
{
    const FltvmJson *unjudged = fltvm_json_field(json, "unjudged"), *parts = fltvm_json_field(json, "strategies");
    guint64 count = number(unjudged, "runs");

    findings->runs += number(json, "runs");
    findings->incomplete |= fltvm_json_is_true(fltvm_json_field(json, "incomplete"));
    findings->answered += number(json, "answered");
    findings->seconds += (double)number(json, "milliseconds") / 1e3;
    if (count) {
        const char *title = text(unjudged, "title"), *command = text(unjudged, "command");
        g_autofree char *clean = fltvm_text_clean_line(title ? title : "");
        fltvm_findings_unjudged(findings, number(unjudged, "order"), clean, g_strdup(command ? command : ""));
        findings->unjudged += count - 1;
    }
    for (guint i = 0; i < fltvm_json_length(parts); i++) {
        const FltvmJson *part = fltvm_json_item(parts, i);
        g_autofree char *name = fltvm_text_clean_line(text(part, "name") ? text(part, "name") : "");
        fltvm_findings_part(findings, name)->runs += number(part, "runs");
    }
    if (text(json, "stopped") && !findings->stopped)
        findings->stopped = fltvm_text_clean_line(text(json, "stopped"));
}

static FltvmJson *read_file(const char *path, GError **error)
{
    g_autofree char *bytes = NULL;
    g_autoptr(GError) reason = NULL;
    FltvmJson *json = NULL;
    gsize length = 0;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        g_set_error(&reason, FLTVM_ERROR, FLTVM_ERROR_USAGE, "there is no such file");
    else if (g_file_get_contents(path, &bytes, &length, &reason) && length > MOST_FILE)
        g_set_error(&reason, FLTVM_ERROR, FLTVM_ERROR_USAGE, "more than %u MiB", MOST_FILE >> 20);
    else if (!reason)
        json = fltvm_json_parse(bytes, length, &reason);
    if (json && g_strcmp0(text(json, "format"), "fltvm explore 1") == 0 && text(json, "scenario"))
        return json;
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--merge: %s: %s", path,
                reason ? reason->message : "this is not what fltvm explore --json writes");
    fltvm_json_free(json);
    return NULL;
}

/* Whether the file belongs to those before it; the shards that were seen are marked. */
static gboolean check_file(const FltvmFindings *findings, const FltvmJson *json, GHashTable *seen, const char *path,
                           GError **error)
{
    guint64 shard = number(json, "shard"), shards = number(json, "shards");

    if (strcmp(findings->script, text(json, "scenario")) != 0)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--merge: %s: of another scenario, %s", path,
                    text(json, "scenario"));
    else if (!shard || shard > shards || shards > G_MAXINT32 || shards != findings->shards)
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    "--merge: %s: shard %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT ", not of %u", path, shard, shards,
                    findings->shards);
    else if (!g_hash_table_add(seen, GUINT_TO_POINTER((guint)shard)))
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--merge: %s: shard %u is there twice", path, (guint)shard);
    else
        return TRUE;
    return FALSE;
}

/* Shards without a file are runs that nobody judged. */
static void count_missing(FltvmFindings *findings, GHashTable *seen)
{
    guint missing = findings->shards - g_hash_table_size(seen), first = 1;

    if (!missing)
        return;
    while (g_hash_table_contains(seen, GUINT_TO_POINTER(first)))
        first++;
    g_free(findings->stopped);
    findings->stopped = g_strdup_printf("%u of %u shards missing, the first is %u", missing, findings->shards, first);
    findings->incomplete = TRUE;
}

FltvmFindings *fltvm_findings_merge(char **paths, GError **error)
{
    g_autoptr(FltvmFindings) findings = NULL;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (char **path = paths; *path; path++) {
        g_autoptr(FltvmJson) json = read_file(*path, error);
        const FltvmJson *list = fltvm_json_field(json, "findings");
        if (!json)
            return NULL;
        if (!findings) {
            findings = fltvm_findings_new(text(json, "scenario"));
            findings->shards = (guint)MIN(number(json, "shards"), G_MAXINT32);
        }
        if (!check_file(findings, json, seen, *path, error))
            return NULL;
        merge_numbers(findings, json);
        for (guint i = 0; i < fltvm_json_length(list); i++) {
            if (merge_finding(findings, fltvm_json_item(list, i)))
                continue;
            g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--merge: %s: finding %u lacks something", *path, i + 1);
            return NULL;
        }
    }
    count_missing(findings, seen);
    findings->shards = 1;
    fltvm_findings_sort(findings);
    return g_steal_pointer(&findings);
}
