/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The account of a scenario: see account.h. */
#define _GNU_SOURCE
#include "account.h"

#include <string.h>

#include "error.h"
#include "names.h"
#include "output.h"
#include "text.h"

/* What a line or a check takes beside its text. */
#define LINE_COST 64

static void check_free(gpointer data)
{
    FltvmCheck *check = data;

    g_free(check->name);
    g_free(check->detail);
    g_free(check);
}

static void line_free(gpointer data)
{
    FltvmLine *line = data;

    g_free(line->text);
    g_free(line);
}

FltvmAccount *fltvm_account_new(const char *name, FILE *out, gboolean tap, gboolean verbose)
{
    FltvmAccount *account = g_new0(FltvmAccount, 1);

    account->name = g_strdup(name);
    account->out = out;
    account->tap = tap;
    account->verbose = verbose;
    account->show_log = TRUE;
    account->checks = g_ptr_array_new_with_free_func(check_free);
    account->lines = g_ptr_array_new_with_free_func(line_free);
    return account;
}

void fltvm_account_free(FltvmAccount *account)
{
    if (!account)
        return;
    g_free(account->name);
    g_ptr_array_unref(account->checks);
    g_ptr_array_unref(account->lines);
    g_free(account);
}

/* Print lines, as TAP comments where TAP is spoken.  Everything printed here may come from a guest: see text.h. */
static void print_lines(FltvmAccount *account, const char *indent, const char *lines)
{
    g_autofree char *clean = fltvm_text_clean(lines, -1);
    const char *text = clean;

    while (*text) {
        const char *end = strchrnul(text, '\n');
        fprintf(account->out, "%s%s%.*s\n", account->tap ? "# " : "", indent, (int)(end - text), text);
        text = *end ? end + 1 : end;
    }
}

/* Whether `bytes` more of a guest's text find room; the first that does not is told. */
static gboolean has_room(FltvmAccount *account, gsize bytes)
{
    if (!account->dropped && account->guest_bytes + bytes <= FLTVM_ACCOUNT_GUEST_LIMIT) {
        account->guest_bytes += bytes;
        return TRUE;
    }
    if (!account->dropped++)
        fltvm_account_note(account, "… the guest has logged more than %u MiB: the rest is dropped",
                           FLTVM_ACCOUNT_GUEST_LIMIT >> 20);
    return FALSE;
}

void fltvm_account_log(FltvmAccount *account, gconstpointer source, guint64 time_ns, guint cpu, guint irql,
                       const char *text)
{
    while (*text) {
        const char *end = strchrnul(text, '\n');
        gsize length = (gsize)(end - text);
        FltvmLine *line;

        if (length && text[length - 1] == '\r')
            length--;
        if (!has_room(account, length + LINE_COST)) {
            text = *end ? end + 1 : end;
            continue;
        }
        line = g_new(FltvmLine, 1);
        line->source = source;
        line->text = fltvm_text_clean(text, (gssize)length);
        if (account->show_log)
            fprintf(account->out, "%s%12.6f  cpu%u  %-8s  %s\n", account->tap ? "# " : "", (double)time_ns / 1e6, cpu,
                    fltvm_irql_name(irql), line->text);
        g_ptr_array_add(account->lines, line);
        text = *end ? end + 1 : end;
    }
    fflush(account->out);
}

void fltvm_account_note(FltvmAccount *account, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    print_lines(account, "", text);
    fflush(account->out);
}

void fltvm_account_guest_note(FltvmAccount *account, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (has_room(account, strlen(text) + LINE_COST))
        fltvm_account_note(account, "%s", text);
}

void fltvm_account_detail(FltvmAccount *account, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    if (!account->verbose)
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    print_lines(account, "", text);
    fflush(account->out);
}

void fltvm_account_block(FltvmAccount *account, const char *text)
{
    print_lines(account, "", text);
    fflush(account->out);
}

/* The line of a check. */
static void print_check(FltvmAccount *account, const FltvmCheck *check)
{
    static const char *const words[] = {"ok", "FAILED", "skipped"};

    if (account->tap) {
        g_autofree char *name = fltvm_text_tap(check->name);
        g_autofree char *reason = fltvm_text_tap(check->detail ? check->detail : "");
        gboolean skipped = check->verdict == FLTVM_CHECK_SKIP;
        fprintf(account->out, "%sok %u - %s%s%s\n", check->verdict == FLTVM_CHECK_FAIL ? "not " : "",
                account->checks->len, name, skipped ? " # SKIP " : "", skipped ? reason : "");
    } else {
        g_autofree char *name = fltvm_text_clean_line(check->name);
        fprintf(account->out, "%s: %s\n", words[check->verdict], name);
    }
}

void fltvm_account_check(FltvmAccount *account, FltvmVerdict verdict, const char *name, const char *detail)
{
    FltvmCheck *check = g_new0(FltvmCheck, 1);

    check->verdict = verdict;
    check->name = g_strdup(name);
    check->detail = g_strdup(detail);
    g_ptr_array_add(account->checks, check);
    account->skipped += verdict == FLTVM_CHECK_SKIP;
    if (verdict == FLTVM_CHECK_FAIL) {
        account->failed++;
        if (account->status == FLTVM_EXIT_OK)
            account->status = FLTVM_ERROR_CHECK;
    }
    print_check(account, check);
    if (detail && (!account->tap || verdict != FLTVM_CHECK_SKIP))
        print_lines(account, "  ", detail);
    fflush(account->out);
}

void fltvm_account_guest_check(FltvmAccount *account, FltvmVerdict verdict, const char *name, const char *detail)
{
    account->guest_made++;
    if (has_room(account, strlen(name) + (detail ? strlen(detail) : 0) + LINE_COST))
        fltvm_account_check(account, verdict, name, detail);
}

static void settle_plan(FltvmAccount *account)
{
    guint made = account->guest_made, planned = account->planned;

    account->planned = account->guest_made = 0;
    if (made != planned) {
        g_autofree char *detail = planned ? g_strdup_printf("%u announced, %u made", planned, made)
                                          : g_strdup_printf("none announced (FvTestPlan), %u made", made);
        fltvm_account_check(account, FLTVM_CHECK_FAIL, "the guest test makes the checks it announced", detail);
    }
}

void fltvm_account_settle(FltvmAccount *account)
{
    settle_plan(account);
    /* What was dropped may be what the scenario looks for. */
    if (account->dropped && !account->dropped_told) {
        g_autofree char *detail = g_strdup_printf("%u lines and checks were dropped", account->dropped);
        fltvm_account_check(account, FLTVM_CHECK_FAIL, "the guest says no more than is kept", detail);
        account->dropped_told = TRUE;
    }
}

void fltvm_account_plan(FltvmAccount *account, guint count)
{
    if (!has_room(account, LINE_COST))
        return;
    settle_plan(account);
    account->planned = count;
}

void fltvm_account_error(FltvmAccount *account, const GError *error)
{
    int status = fltvm_error_exit_status(error);

    /* A failed check says less than why the scenario ended. */
    account->status = MAX(account->status, status);
    if (status == FLTVM_ERROR_CHECK)
        return; /* already told as a check */
    if (account->tap)
        fltvm_account_check(account, FLTVM_CHECK_FAIL, "the scenario runs to its end", error->message);
    else
        fltvm_account_note(account, "%s: %s", status == FLTVM_ERROR_USAGE ? "error" : "failed", error->message);
    fflush(account->out);
}

gboolean fltvm_account_checked_nothing(const FltvmAccount *account)
{
    return account->status == FLTVM_EXIT_OK && account->checks->len == account->skipped;
}

static void print_sum(FltvmAccount *account)
{
    g_autofree char *name = fltvm_text_clean_line(account->name);
    guint total = account->checks->len;

    if (account->status != FLTVM_EXIT_OK)
        fprintf(account->out, "%s: FAILED (exit status %d), %u of %u check%s failed", name, account->status,
                account->failed, total, total == 1 ? "" : "s");
    else if (fltvm_account_checked_nothing(account))
        fprintf(account->out, "%s: skipped, %s", name, FLTVM_ACCOUNT_NO_CHECKS);
    else
        fprintf(account->out, "%s: passed, %u check%s", name, total, total == 1 ? "" : "s");
    if (account->skipped)
        fprintf(account->out, " (%u skipped)", account->skipped);
    fputc('\n', account->out);
}

void fltvm_account_finish(FltvmAccount *account)
{
    if (account->tap)
        fprintf(account->out, "1..%u%s\n", account->checks->len,
                account->checks->len ? "" : " # SKIP " FLTVM_ACCOUNT_NO_CHECKS);
    else
        print_sum(account);
    fflush(account->out);
}

GVariant *fltvm_account_pack(const FltvmAccount *account)
{
    g_auto(GVariantBuilder) builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(iayay)"));
    for (guint i = 0; i < account->checks->len; i++) {
        const FltvmCheck *check = account->checks->pdata[i];
        g_variant_builder_add(&builder, "(i^ay^ay)", check->verdict, check->name, check->detail ? check->detail : "");
    }
    return g_variant_ref_sink(g_variant_new("(ida(iayay))", account->status, account->seconds, &builder));
}

void fltvm_account_unpack(FltvmAccount *account, GVariant *packed)
{
    g_autoptr(GVariantIter) iter = NULL;
    const char *name, *detail;
    int verdict;

    g_variant_get(packed, "(ida(iayay))", &account->status, &account->seconds, &iter);
    while (g_variant_iter_next(iter, "(i^&ay^&ay)", &verdict, &name, &detail)) {
        FltvmCheck *check = g_new0(FltvmCheck, 1);
        check->verdict = (FltvmVerdict)verdict;
        check->name = g_strdup(name);
        check->detail = *detail ? g_strdup(detail) : NULL;
        account->failed += verdict == FLTVM_CHECK_FAIL;
        account->skipped += verdict == FLTVM_CHECK_SKIP;
        g_ptr_array_add(account->checks, check);
    }
}

gboolean fltvm_account_write_junit(GPtrArray *accounts, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");

    for (guint i = 0; i < accounts->len; i++) {
        const FltvmAccount *account = accounts->pdata[i];
        g_autofree char *suite = fltvm_text_xml(account->name);
        /* A scenario that ended badly without a failed check is an error of its own. */
        gboolean broken = account->status != FLTVM_EXIT_OK && !account->failed;
        gboolean empty = !account->checks->len && !broken;

        g_string_append_printf(text,
                               "  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" "
                               "time=\"%.3f\">\n",
                               suite, account->checks->len + broken + empty, account->failed, broken,
                               account->skipped + empty, account->seconds);
        for (guint j = 0; j < account->checks->len; j++) {
            const FltvmCheck *check = account->checks->pdata[j];
            g_autofree char *name = fltvm_text_xml(check->name);
            g_autofree char *detail = fltvm_text_xml(check->detail ? check->detail : "");
            g_string_append_printf(text, "    <testcase classname=\"%s\" name=\"%s\"", suite, name);
            if (check->verdict == FLTVM_CHECK_PASS)
                g_string_append(text, "/>\n");
            else
                g_string_append_printf(text, "><%s message=\"%s\"/></testcase>\n",
                                       check->verdict == FLTVM_CHECK_FAIL ? "failure" : "skipped", detail);
        }
        if (empty)
            g_string_append_printf(text,
                                   "    <testcase classname=\"%s\" name=\"the scenario checks something\"><skipped "
                                   "message=\"" FLTVM_ACCOUNT_NO_CHECKS "\"/></testcase>\n",
                                   suite);
        if (broken)
            g_string_append_printf(text,
                                   "    <testcase classname=\"%s\" name=\"the scenario runs to its end\"><error "
                                   "message=\"exit status %d\"/></testcase>\n",
                                   suite, account->status);
        g_string_append(text, "  </testsuite>\n");
    }
    g_string_append(text, "</testsuites>\n");
    return fltvm_output_write("--junit", path, text->str, text->len, error);
}
