/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's power is cut: the device (docs/specs/fltvm-hba.rst) decides what is left on the disks, and tells all that the
 * guest has changed there.  That is kept in a nameless file for each disk, with which the next machine's disk begins.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "machinep.h"

/* A nameless file, open for both; -1 with errno. */
static int open_nameless(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "fltvm-medium-XXXXXX", NULL);
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd >= 0)
        unlink(path);
    return fltvm_fd_raise(fd);
}

/* The same file for reading only, as QEMU wants it; -1 with errno. */
static int open_for_reading(int fd)
{
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", fd);

    return fltvm_fd_raise(open(self, O_RDONLY | O_CLOEXEC));
}

void fltvm_machine_on_medium(FltvmMachine *machine, const guint8 *payload, gsize length)
{
    struct fltvm_medium head;
    int *fd;

    if (length < sizeof(head) || machine->cut_problem)
        return;
    memcpy(&head, payload, sizeof(head));
    if (head.disk >= machine->config->disks->len || head.length != length - sizeof(head)) {
        machine->cut_problem = g_strdup("the device told of a disk that is not there");
        return;
    }
    if (!machine->medium_fds)
        machine->medium_fds = g_new0(int, machine->config->disks->len);
    fd = &machine->medium_fds[head.disk];
    if (!*fd)
        *fd = MAX(open_nameless(), 0);
    if (!*fd || write(*fd, payload, length) != (gssize)length)
        machine->cut_problem =
            g_strdup_printf("what is left of a disk cannot be kept in %s: %s", g_get_tmp_dir(), g_strerror(errno));
}

void fltvm_machine_on_power_cut(FltvmMachine *machine, const char *problem)
{
    machine->cut = TRUE;
    if (*problem && !machine->cut_problem)
        machine->cut_problem = g_strdup(problem);
}

void fltvm_machine_free_media(FltvmMachine *machine)
{
    for (guint i = 0; machine->medium_fds && i < machine->config->disks->len; i++) {
        if (machine->medium_fds[i])
            close(machine->medium_fds[i]);
    }
    g_clear_pointer(&machine->medium_fds, g_free);
    g_clear_pointer(&machine->cut_problem, g_free);
}

gboolean fltvm_machine_was_cut(const FltvmMachine *machine)
{
    return machine->cut && !machine->cut_as_asked;
}

gboolean fltvm_machine_cut_power(FltvmMachine *machine, const struct fltvm_power_cut *cut, GError **error)
{
    g_autoptr(GError) end = NULL;
    struct fltvm_link_frame frame;
    const guint8 *payload;

    if (!fltvm_machine_be_running(machine, error))
        return FALSE;
    machine->cut_as_asked = TRUE;
    if (!fltvm_link_answer(machine->link, FLTVM_ANSWER_POWER_CUT, cut, sizeof(*cut)))
        return fltvm_machine_ended_badly(machine, error);
    /* The record is the last one, and dealt with in there: what ends is the machine. */
    fltvm_machine_until(machine, FLTVM_RECORD_COMMAND, machine->session->deadline, "the power is not cut", &frame,
                        &payload, &end);
    if (machine->cut && !machine->cut_problem)
        return TRUE;
    if (end)
        g_propagate_error(error, g_steal_pointer(&end));
    else
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "the device does not cut the power");
    return FALSE;
}

FltvmConfig *fltvm_machine_after_cut(FltvmMachine *machine, GError **error)
{
    g_autoptr(FltvmConfig) config = fltvm_config_copy(machine->config);

    config->choice = config->later = (FltvmChoice){0};
    for (guint i = 0; i < config->disks->len; i++) {
        FltvmDisk *disk = config->disks->pdata[i];
        if (disk->medium_fd)
            close(disk->medium_fd);
        disk->medium_fd = machine->medium_fds && machine->medium_fds[i] ? open_for_reading(machine->medium_fds[i]) : 0;
        if (disk->medium_fd < 0) {
            g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "what is left of disk %u: %s", i, g_strerror(errno));
            disk->medium_fd = 0;
            return NULL;
        }
    }
    return fltvm_config_renew_disks(config, error) ? g_steal_pointer(&config) : NULL;
}
