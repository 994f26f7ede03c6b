/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was found, in words and as JUnit: see findings.h. */
#include "findings.h"
#include "output.h"
#include "text.h"

/* "312 runs: 1 default, 200 seeds, …" */
static void append_runs(GString *text, const FltvmFindings *findings)
{
    g_string_append_printf(text, "%" G_GUINT64_FORMAT " run%s", findings->runs, findings->runs == 1 ? "" : "s");
    for (guint i = 0; i < findings->parts->len; i++) {
        const FltvmPart *part = findings->parts->pdata[i];
        g_string_append_printf(text, "%s %" G_GUINT64_FORMAT " %s", i ? "," : ":", part->runs, part->name);
    }
}

/* A report's lines, indented; the first is the title, if it says no more. */
static void append_report(GString *text, const FltvmOutcome *outcome)
{
    g_auto(GStrv) lines = g_strsplit(outcome->text, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (**line && (line > lines || g_strcmp0(*line, outcome->title) != 0))
            g_string_append_printf(text, "     %s\n", *line);
    }
}

static void append_finding(GString *text, const FltvmFinding *finding, guint number)
{
    g_autofree char *command = fltvm_findings_quote(finding->command);
    g_autofree char *clean = fltvm_text_clean_line(command);

    g_string_append_printf(text, "\n%2u. %s\n", number, finding->outcome->title);
    append_report(text, finding->outcome);
    g_string_append_printf(text, "     in %" G_GUINT64_FORMAT " run%s, the first by %s\n", finding->count,
                           finding->count == 1 ? "" : "s", finding->strategy);
    if (!finding->repeats)
        g_string_append(text,
                        "     it did not show again with the same choice: the scenario is not the same each time\n");
    g_string_append_printf(text, "     %s\n", clean);
}

static void append_unjudged(GString *text, const FltvmFindings *findings)
{
    g_autofree char *command = NULL;

    if (!findings->unjudged)
        return;
    command = fltvm_text_clean_line(findings->unjudged_command);
    g_string_append_printf(text, "\n%" G_GUINT64_FORMAT " run%s could not be judged. The first: %s\n     %s\n",
                           findings->unjudged, findings->unjudged == 1 ? "" : "s", findings->unjudged_title, command);
}

char *fltvm_findings_describe(const FltvmFindings *findings)
{
    GString *text = g_string_new(NULL);
    g_autofree char *script = fltvm_text_clean_line(findings->script);
    guint count = findings->list->len;

    g_string_append_printf(text, "%s: ", script);
    if (count)
        g_string_append_printf(text, "%u finding%s in ", count, count == 1 ? "" : "s");
    else
        g_string_append(text, findings->unjudged || findings->incomplete ? "nothing found where it could be judged, in "
                                                                         : "nothing found in ");
    append_runs(text, findings);
    if (findings->shards > 1)
        g_string_append_printf(text, " (shard %u of %u)", findings->shard, findings->shards);
    if (findings->stopped)
        g_string_append_printf(text, "; %s", findings->stopped);
    g_string_append_c(text, '\n');
    if (findings->answered)
        g_string_append_printf(text,
                               "In %" G_GUINT64_FORMAT " of them what was made to fail ended the script, and was "
                               "answered with an error as it should.\n",
                               findings->answered);
    for (guint i = 0; i < count; i++)
        append_finding(text, findings->list->pdata[i], i + 1);
    append_unjudged(text, findings);
    return g_string_free(text, FALSE);
}

gboolean fltvm_findings_write_junit(const FltvmFindings *findings, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    g_autofree char *suite = fltvm_text_xml(findings->script);
    gboolean broken = findings->unjudged > 0;

    g_string_append_printf(text,
                           "  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\" errors=\"%d\" skipped=\"0\" "
                           "time=\"%.3f\">\n    <testcase classname=\"%s\" name=\"%" G_GUINT64_FORMAT " runs\"",
                           suite, findings->list->len + 1, findings->list->len, broken, findings->seconds, suite,
                           findings->runs);
    if (broken) {
        g_autofree char *title = fltvm_text_xml(findings->unjudged_title);
        g_autofree char *command = fltvm_text_xml(findings->unjudged_command);
        g_string_append_printf(text,
                               "><error message=\"%" G_GUINT64_FORMAT " could not be judged, the first: %s: %s\"/>"
                               "</testcase>\n",
                               findings->unjudged, command, title);
    } else {
        g_string_append(text, "/>\n");
    }
    for (guint i = 0; i < findings->list->len; i++) {
        const FltvmFinding *finding = findings->list->pdata[i];
        g_autofree char *quoted = fltvm_findings_quote(finding->command);
        g_autofree char *title = fltvm_text_xml(finding->outcome->title), *command = fltvm_text_xml(quoted);
        g_autofree char *report = fltvm_text_xml(finding->outcome->text);
        g_string_append_printf(text,
                               "    <testcase classname=\"%s\" name=\"%s\"><failure message=\"%s\">%s</failure>"
                               "</testcase>\n",
                               suite, title, command, report);
    }
    g_string_append(text, "  </testsuite>\n</testsuites>\n");
    return fltvm_output_write("--junit", path, text->str, text->len, error);
}
