/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder for each finding: its report, what its run printed, and the command that replays it. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "findings.h"
#include "output.h"

#define OPTION "--output"

static gboolean refuse(const char *directory, const char *why, GError **error)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, OPTION ": %s: %s", directory, why);
    return FALSE;
}

gboolean fltvm_findings_check_output(const char *directory, GError **error)
{
    g_autoptr(GDir) dir = NULL;

    if (g_mkdir(directory, 0777) == 0)
        return TRUE;
    if (errno != EEXIST)
        return refuse(directory, g_strerror(errno), error);
    dir = g_dir_open(directory, 0, NULL);
    if (!dir)
        return refuse(directory, "it is no folder that can be read", error);
    if (g_dir_read_name(dir))
        return refuse(directory, "it is not empty", error);
    if (g_access(directory, W_OK | X_OK) < 0)
        return refuse(directory, g_strerror(errno), error);
    return TRUE;
}

static gboolean write_file(const char *folder, const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *whole = g_strconcat(text, g_str_has_suffix(text, "\n") ? "" : "\n", NULL);

    return fltvm_output_write(OPTION, path, whole, strlen(whole), error);
}

gboolean fltvm_findings_write_output(const FltvmFindings *findings, const char *directory, GError **error)
{
    for (guint i = 0; i < findings->list->len; i++) {
        const FltvmFinding *finding = findings->list->pdata[i];
        g_autofree char *name = g_strdup_printf("finding-%u", i + 1);
        g_autofree char *folder = g_build_filename(directory, name, NULL);
        g_autofree char *command = fltvm_findings_quote(finding->command);
        if (g_mkdir(folder, 0777) < 0) {
            g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, OPTION ": %s: %s", folder, g_strerror(errno));
            return FALSE;
        }
        if (!write_file(folder, "report.txt", finding->outcome->text, error) ||
            !write_file(folder, "command", command, error) ||
            (finding->log && !write_file(folder, "log.txt", finding->log, error)))
            return FALSE;
    }
    return TRUE;
}
