/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and whether they change: see inputs.h. */
#include "inputs.h"

#include <string.h>
#include <sys/stat.h>

struct FltvmInputs {
    GPtrArray *paths; /* char *, each once */
    GArray *states;   /* struct stat of each, when they were settled */
};

FltvmInputs *fltvm_inputs_new(void)
{
    FltvmInputs *inputs = g_new0(FltvmInputs, 1);

    inputs->paths = g_ptr_array_new_with_free_func(g_free);
    inputs->states = g_array_new(FALSE, TRUE, sizeof(struct stat));
    return inputs;
}

void fltvm_inputs_free(FltvmInputs *inputs)
{
    if (!inputs)
        return;
    g_ptr_array_unref(inputs->paths);
    g_array_unref(inputs->states);
    g_free(inputs);
}

void fltvm_inputs_add(FltvmInputs *inputs, const char *path)
{
    if (!g_ptr_array_find_with_equal_func(inputs->paths, path, g_str_equal, NULL))
        g_ptr_array_add(inputs->paths, g_strdup(path));
}

/* All zero if it is not there. */
static struct stat look(const char *path)
{
    struct stat state = {0};

    if (stat(path, &state) < 0)
        memset(&state, 0, sizeof(state));
    return state;
}

void fltvm_inputs_settle(FltvmInputs *inputs)
{
    g_array_set_size(inputs->states, 0);
    for (guint i = 0; i < inputs->paths->len; i++) {
        struct stat state = look(inputs->paths->pdata[i]);
        g_array_append_val(inputs->states, state);
    }
}

const char *fltvm_inputs_changed(const FltvmInputs *inputs)
{
    for (guint i = 0; i < inputs->states->len; i++) {
        const struct stat *then = &g_array_index(inputs->states, struct stat, i);
        struct stat now = look(inputs->paths->pdata[i]);
        if (now.st_dev != then->st_dev || now.st_ino != then->st_ino || now.st_size != then->st_size ||
            now.st_mtim.tv_sec != then->st_mtim.tv_sec || now.st_mtim.tv_nsec != then->st_mtim.tv_nsec)
            return inputs->paths->pdata[i];
    }
    return NULL;
}
