/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs from the checkpoint against runs from the beginning: see verify.h. */
#include "verify.h"

#include <string.h>

#include "child.h"
#include "error.h"
#include "findings.h"

/* What a run was, as a text that is equal for equal runs. */
typedef struct {
    FltvmTask task;
    char *what;
} Run;

struct FltvmVerify {
    GPtrArray *runs; /* Run */
};

static void run_free(gpointer data)
{
    Run *run = data;

    g_free(run->what);
    g_free(run);
}

FltvmVerify *fltvm_verify_new(void)
{
    FltvmVerify *verify = g_new0(FltvmVerify, 1);

    verify->runs = g_ptr_array_new_with_free_func(run_free);
    return verify;
}

void fltvm_verify_free(FltvmVerify *verify)
{
    if (!verify)
        return;
    g_ptr_array_unref(verify->runs);
    g_free(verify);
}

static char *describe(const FltvmDone *done)
{
    const char *hash = done->json ? fltvm_json_text(fltvm_json_field(done->json, "trace")) : NULL;

    return g_strdup_printf("%s, %s, trace %s", fltvm_outcome_kind_name(done->outcome->kind), done->outcome->key,
                           hash ? hash : "unknown");
}

void fltvm_verify_note(FltvmVerify *verify, const FltvmDone *done)
{
    Run *run;

    if (!done->task.choice.at_checkpoint)
        return;
    run = g_new0(Run, 1);
    run->task = done->task;
    run->what = describe(done);
    g_ptr_array_add(verify->runs, run);
}

gboolean fltvm_verify_all(FltvmVerify *verify, FltvmRunner *runner, guint *count, GError **error)
{
    for (*count = 0; *count < verify->runs->len; ++*count) {
        const Run *run = verify->runs->pdata[*count];
        g_auto(FltvmDone) done = {0};
        g_autofree char *what = NULL, *text = NULL;
        g_auto(GStrv) command = fltvm_runner_command(runner, &run->task);
        if (!fltvm_runner_run(runner, &run->task, &done, error))
            return FALSE;
        what = describe(&done);
        if (strcmp(what, run->what) == 0 && !strstr(what, "trace unknown"))
            continue;
        text = fltvm_findings_quote(command);
        g_set_error(
            error, FLTVM_ERROR, FLTVM_ERROR_HOST,
            "--verify: %s: from the checkpoint it ended so: %s; from its beginning so: %s: a file that the script "
            "reads has changed, or fltvm is at fault",
            text, run->what, what);
        return FALSE;
    }
    return TRUE;
}
