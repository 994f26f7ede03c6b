/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an exploration has found: see findings.h. */
#include "findings.h"

#include <string.h>

#include "error.h"

/* What is kept of what a run printed. */
#define MOST_LOG (1u << 20)

static void finding_free(gpointer data)
{
    FltvmFinding *finding = data;

    fltvm_outcome_free(finding->outcome);
    g_free(finding->strategy);
    g_strfreev(finding->command);
    g_free(finding->log);
    g_free(finding);
}

static void part_free(gpointer data)
{
    g_free(((FltvmPart *)data)->name);
    g_free(data);
}

FltvmFindings *fltvm_findings_new(const char *script)
{
    FltvmFindings *findings = g_new0(FltvmFindings, 1);

    findings->script = g_strdup(script);
    findings->list = g_ptr_array_new_with_free_func(finding_free);
    findings->parts = g_ptr_array_new_with_free_func(part_free);
    findings->shard = findings->shards = 1;
    return findings;
}

void fltvm_findings_free(FltvmFindings *findings)
{
    if (!findings)
        return;
    g_free(findings->script);
    g_ptr_array_unref(findings->list);
    g_ptr_array_unref(findings->parts);
    g_free(findings->unjudged_title);
    g_free(findings->unjudged_command);
    g_free(findings->stopped);
    g_free(findings);
}

FltvmFinding *fltvm_findings_look(const FltvmFindings *findings, const char *key)
{
    for (guint i = 0; i < findings->list->len; i++) {
        FltvmFinding *finding = findings->list->pdata[i];
        if (strcmp(finding->outcome->key, key) == 0)
            return finding;
    }
    return NULL;
}

FltvmFinding *fltvm_findings_append(FltvmFindings *findings)
{
    FltvmFinding *finding = g_new0(FltvmFinding, 1);

    finding->repeats = TRUE;
    g_ptr_array_add(findings->list, finding);
    return finding;
}

FltvmPart *fltvm_findings_part(FltvmFindings *findings, const char *strategy)
{
    FltvmPart *part;

    for (guint i = 0; i < findings->parts->len; i++) {
        part = findings->parts->pdata[i];
        if (strcmp(part->name, strategy) == 0)
            return part;
    }
    part = g_new0(FltvmPart, 1);
    part->name = g_strdup(strategy);
    part->order = G_MAXUINT64;
    g_ptr_array_add(findings->parts, part);
    return part;
}

void fltvm_findings_unjudged(FltvmFindings *findings, guint64 order, const char *title, char *command)
{
    findings->unjudged++;
    if (findings->unjudged_command && findings->unjudged_order <= order) {
        g_free(command);
        return;
    }
    g_free(findings->unjudged_title);
    g_free(findings->unjudged_command);
    findings->unjudged_order = order;
    findings->unjudged_title = g_strdup(title);
    findings->unjudged_command = command;
}

void fltvm_findings_add(FltvmFindings *findings, const FltvmRunner *runner, const FltvmDone *done)
{
    FltvmPart *part = fltvm_findings_part(findings, done->task.strategy);
    FltvmFinding *finding;

    findings->runs++;
    part->runs++;
    part->order = MIN(part->order, done->task.order);
    findings->answered += done->outcome->kind == FLTVM_OUTCOME_ANSWERED;
    if (!fltvm_task_judges(&done->task, done->outcome)) {
        g_auto(GStrv) command = fltvm_runner_command(runner, &done->task);
        fltvm_findings_unjudged(findings, done->task.order, done->outcome->title, fltvm_findings_quote(command));
        return;
    }
    if (!fltvm_task_finds(&done->task, done->outcome))
        return;
    finding = fltvm_findings_look(findings, done->outcome->key);
    if (!finding)
        finding = fltvm_findings_append(findings);
    finding->count++;
    if (finding->outcome && finding->order <= done->task.order)
        return;
    fltvm_outcome_free(finding->outcome);
    g_strfreev(finding->command);
    g_free(finding->strategy);
    g_free(finding->log);
    finding->outcome = fltvm_outcome_copy(done->outcome);
    finding->order = done->task.order;
    finding->task = done->task;
    finding->strategy = g_strdup(done->task.strategy);
    finding->command = fltvm_runner_command(runner, &done->task);
    finding->log = fltvm_runner_log(done->log_fd, MOST_LOG);
}

static gint compare_findings(gconstpointer a, gconstpointer b)
{
    const FltvmFinding *x = *(FltvmFinding *const *)a, *y = *(FltvmFinding *const *)b;

    return x->order < y->order ? -1 : x->order > y->order;
}

static gint compare_parts(gconstpointer a, gconstpointer b)
{
    const FltvmPart *x = *(FltvmPart *const *)a, *y = *(FltvmPart *const *)b;

    return x->order < y->order ? -1 : x->order > y->order;
}

/* They came in the order in which runs ended. */
void fltvm_findings_sort(FltvmFindings *findings)
{
    g_ptr_array_sort(findings->list, compare_findings);
    g_ptr_array_sort(findings->parts, compare_parts);
}

int fltvm_findings_status(const FltvmFindings *findings)
{
    if (findings->list->len)
        return FLTVM_ERROR_CHECK;
    return findings->unjudged || findings->incomplete || !findings->runs ? FLTVM_ERROR_HOST : FLTVM_EXIT_OK;
}

char *fltvm_findings_quote(char **command)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (char **word = command; *word; word++) {
        g_autofree char *quoted = g_shell_quote(*word);
        gboolean plain = **word != '\0';
        for (const char *p = *word; *p; p++)
            plain = plain && (g_ascii_isalnum(*p) || strchr("-_./,=:+@%", *p));
        g_string_append_printf(text, "%s%s", text->len ? " " : "", plain ? *word : quoted);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
