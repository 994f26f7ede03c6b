/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slurm: see slurm.h.  Two scripts are written into the folder and given to sbatch: the array's, whose task I explores
 * shard I, and the one that depends on all of them, however they end, and merges the files that are there.  A task that
 * is lost has left what it had found until then, or nothing: the account says so either way.
 */
#include "slurm.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "error.h"
#include "output.h"

#define OPTION "--slurm"

static void add_quoted(GString *text, const char *word)
{
    g_autofree char *quoted = g_shell_quote(word);

    g_string_append_printf(text, " %s", quoted);
}

/* What a task does, or with --merge the last job. */
static char *task_text(const FltvmSlurm *slurm, const char *program, const char *directory)
{
    GString *text = g_string_new("#!/bin/sh\nexec");
    g_autofree char *json = g_strconcat(directory, "/shard-", NULL);

    add_quoted(text, program);
    g_string_append(text, " explore");
    for (char **option = slurm->options; *option; option++)
        add_quoted(text, *option);
    g_string_append_printf(text, " --shard \"$SLURM_ARRAY_TASK_ID/%u\" --json", slurm->tasks);
    add_quoted(text, json);
    g_string_append(text, "\"$SLURM_ARRAY_TASK_ID.json\" --");
    add_quoted(text, slurm->script);
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

static char *merge_text(const char *program, const char *directory)
{
    g_autofree char *quoted = g_shell_quote(directory), *name = g_shell_quote(program);

    return g_strdup_printf(
        "#!/bin/sh\n"
        "cd %s || exit 4\n"
        "set --\n"
        "for file in shard-*.json; do\n"
        "    [ -e \"$file\" ] && set -- \"$@\" \"$file\"\n"
        "done\n"
        "[ $# -gt 0 ] || { echo 'fltvm: no task has left a result: nothing is known'; echo 4 >status; exit 4; }\n"
        "%s explore --merge --json found.json --junit found.xml \"$@\"\n"
        "echo $? >status.new && mv status.new status\n",
        quoted, name);
}

/* Write a script and submit it with some options of sbatch; the job's number, newly allocated. */
static char *submit(const char *directory, const char *name, const char *text, const char *const *options,
                    GError **error)
{
    g_autofree char *path = g_build_filename(directory, name, NULL), *out = NULL, *err = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    int status = 0;

    if (!fltvm_output_write(OPTION, path, text, strlen(text), error))
        return NULL;
    g_ptr_array_add(argv, "sbatch");
    g_ptr_array_add(argv, "--parsable");
    for (; *options; options++)
        g_ptr_array_add(argv, (char *)*options);
    g_ptr_array_add(argv, path);
    g_ptr_array_add(argv, NULL);
    if (!fltvm_child_run((const char *const *)argv->pdata, NULL, &out, &err, &status, error)) {
        g_prefix_error(error, OPTION ": sbatch: ");
        return NULL;
    }
    /* "12" or "12;cluster" */
    g_strstrip(out);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && g_ascii_isdigit(*out)) {
        out[strcspn(out, ";")] = '\0';
        return g_steal_pointer(&out);
    }
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, OPTION ": sbatch: %s", *err ? g_strstrip(err) : "no job number");
    return NULL;
}

/* Away with a job that nothing comes of. */
static void cancel(const char *job)
{
    const char *argv[] = {"scancel", job, NULL};
    g_autofree char *out = NULL, *err = NULL;

    fltvm_child_run(argv, NULL, &out, &err, NULL, NULL);
}

static gboolean is_queued(const char *job, GError **error)
{
    const char *argv[] = {"squeue", "--noheader", "--jobs", job, NULL};
    g_autofree char *out = NULL, *err = NULL;
    int status = 0;

    /* A job that is over and forgotten is no error of ours: "Invalid job id". */
    return fltvm_child_run(argv, NULL, &out, &err, &status, error) && *g_strstrip(out);
}

/* When the last job is over: what it printed, and its status, which the account has as well. */
static int await(const char *directory, const char *job, GError **error)
{
    g_autofree char *log = g_build_filename(directory, "merge.log", NULL), *text = NULL;
    g_autofree char *found = g_build_filename(directory, "status", NULL), *number = NULL;

    while (!fltvm_child_interrupted() && is_queued(job, error))
        g_usleep(G_USEC_PER_SEC / 2);
    if (*error)
        return -1;
    if (fltvm_child_interrupted()) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST,
                    OPTION ": interrupted; the jobs go on, and the result will be in %s", directory);
        return -1;
    }
    if (g_file_get_contents(log, &text, NULL, NULL))
        fputs(text, stdout);
    if (g_file_get_contents(found, &number, NULL, NULL) && g_ascii_isdigit(*number))
        return (int)g_ascii_strtoll(number, NULL, 10);
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, OPTION ": job %s, which merges, has not come to its end: see %s",
                job, directory);
    return -1;
}

int fltvm_slurm_submit(const FltvmSlurm *slurm, GError **error)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", error);
    g_autofree char *directory = g_canonicalize_filename(slurm->directory, NULL);
    g_autofree char *array = g_strdup_printf("--array=1-%u", slurm->tasks);
    g_autofree char *log = g_strdup_printf("--output=%s/task-%%a.log", directory);
    g_autofree char *merge_log = g_strdup_printf("--output=%s/merge.log", directory);
    const char *task_options[] = {array, log, "--job-name=fltvm-explore", "--no-requeue", NULL};
    const char *merge_options[] = {NULL, merge_log, "--job-name=fltvm-merge", NULL};
    g_autofree char *task = NULL, *merge = NULL, *job = NULL, *last = NULL, *dependency = NULL;

    if (!program)
        return -1;
    task = task_text(slurm, program, directory);
    merge = merge_text(program, directory);
    job = submit(directory, "task.sh", task, task_options, error);
    if (!job)
        return -1;
    merge_options[0] = dependency = g_strdup_printf("--dependency=afterany:%s", job);
    last = submit(directory, "merge.sh", merge, merge_options, error);
    if (!last) {
        cancel(job);
        return -1;
    }
    printf("job %s: %u tasks; job %s merges what they find into %s/found.json\n", job, slurm->tasks, last, directory);
    fflush(stdout);
    return slurm->waits ? await(directory, last, error) : 0;
}
