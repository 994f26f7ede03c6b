/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU as a process: see qemu.h. */
#define _GNU_SOURCE
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "child.h"
#include "error.h"

/* What QEMU finds its sockets under; other descriptors keep their numbers, which are higher. */
#define CHILD_LINK_FD    3
#define CHILD_MONITOR_FD 4

/* How it ends, as waitpid() says, when it cannot make the machine. */
#define REFUSED (1 << 8)

char *fltvm_qemu_command_line(const FltvmConfig *config, GError **error)
{
    FltvmWiring wiring = {.link_fd = -1, .link_path = "fltvm.sock", .monitor_fd = -1};
    g_autoptr(GPtrArray) argv = fltvm_config_arguments(config, &wiring, error);
    GString *text;

    if (!argv)
        return NULL;
    text = g_string_new(NULL);
    for (guint i = 0; i + 1 < argv->len; i++) {
        const char *argument = argv->pdata[i];
        gboolean plain = *argument != '\0';
        g_autofree char *quoted = g_shell_quote(argument);
        for (const char *p = argument; *p; p++)
            plain = plain && (g_ascii_isalnum(*p) || strchr("-_./,=:+@%", *p));
        g_string_append_printf(text, "%s%s", i ? " " : "", plain ? argument : quoted);
    }
    return g_string_free(text, FALSE);
}

int fltvm_qemu_connect(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--connect: the path is too long: %s", path);
        close(fd);
        return -1;
    }
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "--connect: %s: %s", path, g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* --- starting ------------------------------------------------------------------------------------------ */

/* What QEMU inherits, as fltvm_child_spawn() takes it. */
static GArray *descriptors(const FltvmConfig *config, int output, int link, int monitor, int gdb)
{
    const FltvmFd own[] = {{output, 1}, {output, 2}, {link, CHILD_LINK_FD}, {monitor, CHILD_MONITOR_FD}};
    const FltvmFd end = {-1, -1};
    GArray *fds = g_array_new(FALSE, FALSE, sizeof(FltvmFd));
    g_autoptr(GArray) same = fltvm_config_image_fds(config);

    g_array_append_vals(fds, own, G_N_ELEMENTS(own));
    if (gdb)
        g_array_append_val(same, gdb);
    for (guint i = 0; i < same->len; i++) {
        FltvmFd fd = {g_array_index(same, int, i), g_array_index(same, int, i)};
        g_array_append_val(fds, fd);
    }
    g_array_append_val(fds, end);
    return fds;
}

/* A pair of connected sockets, the child's end out of the way of the numbers that it takes there. */
static gboolean make_pair(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return FALSE;
    pair[1] = fltvm_fd_raise(pair[1]);
    return pair[1] >= 0;
}

static void close_all(const int *fds, gsize count)
{
    for (gsize i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

/* Start what `argv` says, with all that it inherits. */
static int spawn(FltvmQemu *qemu, FltvmConfig *config, const GPtrArray *argv, int gdb_fd, GError **error)
{
    int link[2] = {-1, -1}, monitor[2] = {-1, -1};
    int output = (int)syscall(SYS_memfd_create, "qemu-output", 1u /* MFD_CLOEXEC */);
    g_autoptr(GArray) fds = NULL;

    if (output < 0 || !make_pair(link) || !make_pair(monitor)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "socketpair: %s", g_strerror(errno));
        close_all((int[]){output, link[0], link[1], monitor[0], monitor[1]}, 5);
        return -1;
    }
    fds = descriptors(config, output, link[1], monitor[1], gdb_fd);
    qemu->pid = fltvm_child_spawn((const char *const *)argv->pdata, (const FltvmFd *)(const void *)fds->data,
                                  FLTVM_CHILD_DEFAULT, error);
    fltvm_config_close_images(config);
    close_all((int[]){link[1], monitor[1]}, 2);
    qemu->output_fd = output;
    qemu->monitor_fd = monitor[0];
    if (qemu->pid > 0)
        return link[0];
    qemu->pid = 0;
    close(link[0]);
    return -1;
}

int fltvm_qemu_start(FltvmQemu *qemu, FltvmConfig *config, int gdb_fd, GError **error)
{
    FltvmWiring wiring = {.link_fd = CHILD_LINK_FD, .monitor_fd = CHILD_MONITOR_FD, .gdb_fd = gdb_fd};
    g_autoptr(GPtrArray) argv = NULL;

    if (!fltvm_config_make_blanks(config, error) || !(argv = fltvm_config_arguments(config, &wiring, error)))
        return -1;
    if (access(argv->pdata[0], X_OK) == 0)
        return spawn(qemu, config, argv, gdb_fd, error);
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "QEMU (is the project built?): %s: %s", (char *)argv->pdata[0],
                g_strerror(errno));
    return -1;
}

/* --- ending -------------------------------------------------------------------------------------------- */

gboolean fltvm_qemu_wait(FltvmQemu *qemu, gint64 deadline, int *status)
{
    if (qemu->pid <= 0 || !fltvm_child_wait_until(qemu->pid, deadline, status))
        return FALSE;
    qemu->pid = 0;
    return TRUE;
}

void fltvm_qemu_end(FltvmQemu *qemu)
{
    if (qemu->monitor_fd >= 0)
        close(qemu->monitor_fd);
    qemu->monitor_fd = -1;
    if (qemu->pid > 0)
        fltvm_child_kill(qemu->pid);
    qemu->pid = 0;
}

void fltvm_qemu_clear(FltvmQemu *qemu)
{
    fltvm_qemu_end(qemu);
    if (qemu->output_fd >= 0)
        close(qemu->output_fd);
    qemu->output_fd = -1;
}

/* QEMU knows its images by the numbers of their descriptors: say their names. */
static char *name_images(const FltvmConfig *config, const char *text)
{
    g_autoptr(GString) named = g_string_new(text);

    for (guint i = 0; i < config->disks->len; i++) {
        const FltvmDisk *disk = config->disks->pdata[i];
        for (guint n = 0; fltvm_disk_medium(disk, n); n++) {
            for (const FltvmImage *image = fltvm_disk_medium(disk, n); image; image = image->backing) {
                g_autofree char *set = g_strdup_printf("/dev/fdset/%d", image->set);
                g_string_replace(named, set, image->path ? image->path : "a blank disk", 0);
            }
        }
    }
    return g_string_free(g_steal_pointer(&named), FALSE);
}

char *fltvm_qemu_output(const FltvmQemu *qemu, const FltvmConfig *config)
{
    g_autofree char *text = NULL;
    char buffer[2048];
    off_t end = qemu->output_fd >= 0 ? lseek(qemu->output_fd, 0, SEEK_END) : 0;
    off_t from = end > (off_t)sizeof(buffer) ? end - (off_t)sizeof(buffer) : 0;
    ssize_t count = end > 0 ? pread(qemu->output_fd, buffer, (gsize)(end - from), from) : 0;

    text = g_strstrip(g_strndup(buffer, count > 0 ? (gsize)count : 0));
    return name_images(config, text);
}

gboolean fltvm_qemu_refused(int status, const char *output)
{
    static const int lacks[] = {ENOMEM, ENOSPC, EMFILE, ENFILE, EDQUOT, EIO}; /* the host's fault */

    if (status != REFUSED || !*output)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(lacks); i++) {
        if (strstr(output, g_strerror(lacks[i])))
            return FALSE;
    }
    return TRUE;
}
