/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rig's transport: QEMU's process, the qtest and QMP sockets, files.  See rig.h.
 */
#define _GNU_SOURCE
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define RIG_MACHINE                                                                                          \
    "microvm,x-option-roms=off,acpi=on,pcie=on,pit=off,pic=off,rtc=off,isa-serial=off,auto-kernel-cmdline="  \
    "off"
#define RIG_IOAPIC_LINES 24

/* A socket that is read by lines. */
typedef struct RigSocket {
    const char *name;
    int fd;
    GString *input;
} RigSocket;

struct Rig {
    pid_t pid;
    RigSocket qtest;
    RigSocket qmp;
    unsigned resets; /* RESET events seen */
    uint64_t now; /* virtual time, which only this program moves */
    bool level[RIG_IOAPIC_LINES];
};

static char *rig_qemu;
static char *rig_directory;

/* Files */

static void rig_cleanup(void)
{
    const char *name;
    GDir *directory = g_dir_open(rig_directory, 0, NULL);

    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(rig_directory, name, NULL);

        g_unlink(path);
    }
    if (directory) {
        g_dir_close(directory);
    }
    g_rmdir(rig_directory);
}

char *rig_file(const char *name)
{
    return g_build_filename(rig_directory, name, NULL);
}

/* Neither a period of a power of two nor a run of equal bytes. */
uint8_t rig_pattern(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 13 + (offset >> 16));
}

char *rig_image(const char *name, uint64_t size)
{
    char *path = rig_file(name);
    g_autofree char *data = g_malloc(size + 1);
    g_autoptr(GError) error = NULL;

    for (uint64_t i = 0; i < size; i++) {
        data[i] = (char)rig_pattern(i);
    }
    if (!g_file_set_contents(path, data, (gssize)size, &error)) {
        g_error("rig: %s", error->message);
    }
    return path;
}

char *rig_tool(const char *name)
{
    g_autofree char *directory = g_path_get_dirname(rig_qemu);
    g_autofree char *path = g_build_filename(directory, name, NULL);

    return g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&path) : NULL;
}

void rig_run(const char *const *arguments)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &text, &status,
                      &error) ||
        !g_spawn_check_wait_status(status, &error)) {
        g_error("rig: %s: %s\n%s", arguments[0], error->message, text ? text : "");
    }
}

void rig_init(int *argc, char ***argv)
{
    const char *qemu = g_getenv("FLTVM_QEMU");

    g_test_init(argc, argv, NULL);
    if (!qemu && *argc > 1) {
        qemu = (*argv)[*argc - 1];
    }
    if (!qemu) {
        g_error("rig: name QEMU in FLTVM_QEMU or as the argument");
    }
    /* For a QEMU built with sanitizers: undefined behaviour ends it; what it leaks at its end is its own affair. */
    g_setenv("ASAN_OPTIONS", "detect_leaks=0", false);
    g_setenv("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1", false);
    /* A subprocess of this program is found by it, too. */
    g_setenv("FLTVM_QEMU", qemu, true);
    rig_qemu = g_strdup(qemu);
    /* ... and shares its folder: one that aborts on purpose cannot clean up. */
    rig_directory = g_strdup(g_getenv("FLTVM_QTEST_DIRECTORY"));
    if (!rig_directory) {
        rig_directory = g_dir_make_tmp("fltvm-qtest-XXXXXX", NULL);
        g_assert_nonnull(rig_directory);
        g_setenv("FLTVM_QTEST_DIRECTORY", rig_directory, true);
        atexit(rig_cleanup);
    }
}

/* Process */

static void rig_set_timeout(int fd)
{
    struct timeval time = {.tv_sec = RIG_TIMEOUT_S};

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) < 0) {
        g_error("rig: SO_RCVTIMEO: %s", g_strerror(errno));
    }
}

static RigSocket rig_socket(const char *name, int *theirs)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        g_error("rig: socketpair: %s", g_strerror(errno));
    }
    rig_set_timeout(pair[0]);
    *theirs = pair[1];
    return (RigSocket){.name = name, .fd = pair[0], .input = g_string_new(NULL)};
}

static void rig_socket_free(RigSocket *socket)
{
    close(socket->fd);
    g_string_free(socket->input, true);
}

/* The child: keep its descriptors, die with us. */
static void rig_child(void *fds)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const int *fd = fds; *fd >= 0; fd++) {
        fcntl(*fd, F_SETFD, 0);
    }
}

/* No processor runs, so the firmware may hold anything; it has to be there. */
static char *rig_firmware(void)
{
    char *path = rig_file("firmware");

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        static const char zeros[0x10000];

        g_assert_true(g_file_set_contents(path, zeros, sizeof(zeros), NULL));
    }
    return path;
}

static GPtrArray *rig_command_line(const char *const *arguments)
{
    GPtrArray *line = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *ram = g_strdup_printf("%u", RIG_RAM_SIZE >> 20);
    g_autofree char *firmware = rig_firmware();
    const char *first[] = {
        rig_qemu, "-machine", RIG_MACHINE, "-accel",      "qtest", "-bios", firmware,
        "-m",     ram,        "-nodefaults", "-display", "none",  "-no-user-config",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(first); i++) {
        g_ptr_array_add(line, g_strdup(first[i]));
    }
    for (; arguments && *arguments; arguments++) {
        g_ptr_array_add(line, g_strdup(*arguments));
    }
    return line;
}

static void rig_add_chardev(GPtrArray *line, const char *name, int fd, const char *option, const char *value)
{
    g_ptr_array_add(line, g_strdup("-chardev"));
    g_ptr_array_add(line, g_strdup_printf("socket,id=%s,fd=%d", name, fd));
    g_ptr_array_add(line, g_strdup(option));
    g_ptr_array_add(line, g_strdup(value));
}

static void rig_qmp_start(Rig *rig);

Rig *rig_start(const char *const *arguments, const int *fds)
{
    Rig *rig = g_new0(Rig, 1);
    g_autoptr(GPtrArray) line = rig_command_line(arguments);
    g_autoptr(GArray) inherited = g_array_new(false, false, sizeof(int));
    g_autoptr(GError) error = NULL;
    int ours[2], end = -1;

    rig->qtest = rig_socket("qtest", &ours[0]);
    rig->qmp = rig_socket("QMP", &ours[1]);
    rig_add_chardev(line, "rig-qtest", ours[0], "-qtest", "chardev:rig-qtest");
    g_ptr_array_add(line, g_strdup("-qtest-log"));
    g_ptr_array_add(line, g_strdup("/dev/null"));
    rig_add_chardev(line, "rig-qmp", ours[1], "-mon", "chardev=rig-qmp,mode=control");
    g_ptr_array_add(line, NULL);
    g_array_append_vals(inherited, ours, 2);
    for (; fds && *fds >= 0; fds++) {
        g_array_append_val(inherited, *fds);
    }
    g_array_append_val(inherited, end);
    if (!g_spawn_async(NULL, (char **)line->pdata, NULL,
                       G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_LEAVE_DESCRIPTORS_OPEN, rig_child, inherited->data,
                       &rig->pid, &error)) {
        g_error("rig: %s", error->message);
    }
    for (guint i = 0; i + 1 < inherited->len; i++) {
        close(g_array_index(inherited, int, i));
    }
    rig_qmp_start(rig);
    return rig;
}

int rig_wait_exit(Rig *rig)
{
    int status = 0;

    for (int tries = 0; waitpid(rig->pid, &status, WNOHANG) == 0; tries++) {
        if (tries > RIG_TIMEOUT_S * 100) {
            kill(rig->pid, SIGKILL);
            waitpid(rig->pid, &status, 0);
            g_error("rig: QEMU did not end");
        }
        g_usleep(10000);
    }
    rig_socket_free(&rig->qtest);
    rig_socket_free(&rig->qmp);
    g_free(rig);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void rig_stop(Rig *rig)
{
    g_autofree char *reply = rig_qmp(rig, "{\"execute\":\"quit\"}");
    int status = rig_wait_exit(rig);

    if (status) {
        g_error("rig: QEMU ended with status %d", status);
    }
}

char *rig_start_refused(const char *const *arguments)
{
    g_autoptr(GPtrArray) line = rig_command_line(arguments);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    int status;

    g_ptr_array_add(line, NULL);
    if (!g_spawn_sync(NULL, (char **)line->pdata, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &text,
                      &status, &error)) {
        g_error("rig: %s", error->message);
    }
    g_test_message("QEMU: %s", text);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    return text;
}

/* Lines */

static void rig_send(RigSocket *socket, const char *text)
{
    size_t length = strlen(text), sent = 0;

    while (sent < length) {
        ssize_t n = send(socket->fd, text + sent, length - sent, MSG_NOSIGNAL);

        if (n < 0) {
            g_error("rig: %s: %s", socket->name, g_strerror(errno));
        }
        sent += (size_t)n;
    }
}

static char *rig_receive(RigSocket *socket)
{
    char buffer[4096], *end, *line;

    while (!(end = strchr(socket->input->str, '\n'))) {
        ssize_t n = recv(socket->fd, buffer, sizeof(buffer), 0);

        if (n == 0) {
            g_error("rig: %s: QEMU has closed the connection", socket->name);
        }
        if (n < 0) {
            g_error("rig: %s: %s", socket->name, errno == EAGAIN ? "no answer in time" : g_strerror(errno));
        }
        g_string_append_len(socket->input, buffer, n);
    }
    line = g_strndup(socket->input->str, (gsize)(end - socket->input->str));
    g_string_erase(socket->input, 0, end - socket->input->str + 1);
    return line;
}

/* qtest */

static void rig_interrupt(Rig *rig, const char *line)
{
    unsigned number;
    char what[8];

    g_assert_cmpint(sscanf(line, "IRQ %7s %u", what, &number), ==, 2);
    g_assert_cmpuint(number, <, RIG_IOAPIC_LINES);
    rig->level[number] = g_str_equal(what, "raise");
}

/* What follows "OK". */
static char *rig_answer(Rig *rig)
{
    for (;;) {
        g_autofree char *line = rig_receive(&rig->qtest);

        if (g_str_has_prefix(line, "IRQ ")) {
            rig_interrupt(rig, line);
        } else if (g_str_has_prefix(line, "OK")) {
            return g_strdup(line[2] ? line + 3 : "");
        } else {
            g_error("rig: qtest says: %s", line);
        }
    }
}

static char *rig_command(Rig *rig, const char *format, ...) G_GNUC_PRINTF(2, 3);

static char *rig_command(Rig *rig, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    rig_send(&rig->qtest, text);
    return rig_answer(rig);
}

static char rig_size_letter(unsigned size)
{
    switch (size) {
    case 1:
        return 'b';
    case 2:
        return 'w';
    case 4:
        return 'l';
    case 8:
        return 'q';
    default:
        g_assert_not_reached();
    }
}

static uint64_t rig_number(const char *text)
{
    char *end;
    uint64_t value = g_ascii_strtoull(text, &end, 0);

    g_assert_true(end != text);
    return value;
}

uint64_t rig_read(Rig *rig, uint64_t address, unsigned size)
{
    g_autofree char *answer = rig_command(rig, "read%c 0x%" PRIx64 "\n", rig_size_letter(size), address);
    uint64_t value = rig_number(answer);

    return size == 8 ? value : value & ((UINT64_C(1) << (8 * size)) - 1);
}

void rig_write(Rig *rig, uint64_t address, uint64_t value, unsigned size)
{
    g_free(rig_command(rig, "write%c 0x%" PRIx64 " 0x%" PRIx64 "\n", rig_size_letter(size), address, value));
}

void rig_read_block(Rig *rig, uint64_t address, void *data, size_t size)
{
    g_autofree char *answer = rig_command(rig, "b64read 0x%" PRIx64 " 0x%zx\n", address, size);
    gsize length = 0;
    g_autofree guchar *bytes = g_base64_decode(answer, &length);

    g_assert_cmpuint(length, ==, size);
    memcpy(data, bytes, size);
}

void rig_write_block(Rig *rig, uint64_t address, const void *data, size_t size)
{
    g_autofree char *text = g_base64_encode(data, size);

    g_free(rig_command(rig, "b64write 0x%" PRIx64 " 0x%zx %s\n", address, size, text));
}

uint64_t rig_in(Rig *rig, uint16_t port, unsigned size)
{
    g_autofree char *answer = rig_command(rig, "in%c 0x%x\n", rig_size_letter(size), port);

    return rig_number(answer);
}

void rig_out(Rig *rig, uint16_t port, uint64_t value, unsigned size)
{
    g_free(rig_command(rig, "out%c 0x%x 0x%" PRIx64 "\n", rig_size_letter(size), port, value));
}

void rig_out_begin(Rig *rig, uint16_t port, uint32_t value)
{
    g_autofree char *text = g_strdup_printf("outl 0x%x 0x%x\n", port, value);

    rig_send(&rig->qtest, text);
}

void rig_finish(Rig *rig)
{
    g_free(rig_answer(rig));
}

void rig_sync(Rig *rig)
{
    g_free(rig_command(rig, "endianness\n"));
}

uint64_t rig_clock(Rig *rig)
{
    return rig->now;
}

void rig_clock_step(Rig *rig, uint64_t ns)
{
    g_autofree char *answer = rig_command(rig, "clock_step %" PRIu64 "\n", ns);

    g_assert_cmpuint(rig_number(answer), ==, rig->now + ns);
    rig->now += ns;
}

void rig_watch_ioapic(Rig *rig)
{
    g_free(rig_command(rig, "irq_intercept_in ioapic\n"));
}

bool rig_ioapic_level(Rig *rig, unsigned line)
{
    rig_sync(rig); /* what was raised before has arrived with this answer */
    g_assert_cmpuint(line, <, RIG_IOAPIC_LINES);
    return rig->level[line];
}

/* QMP */

static char *rig_qmp_line(Rig *rig)
{
    char *line = rig_receive(&rig->qmp);

    if (strstr(line, "\"event\": \"RESET\"")) {
        rig->resets++;
    }
    return line;
}

static char *rig_qmp_reply(Rig *rig, const char *key)
{
    for (;;) {
        g_autofree char *line = rig_qmp_line(rig);

        if (g_str_has_prefix(line, "{\"return\"") || g_str_has_prefix(line, "{\"error\"")) {
            if (!strstr(line, key)) {
                g_error("rig: QMP says: %s", line);
            }
            return g_steal_pointer(&line);
        }
    }
}

static char *rig_qmp_execute(Rig *rig, const char *key, const char *format, va_list arguments)
{
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    rig_send(&rig->qmp, line);
    return rig_qmp_reply(rig, key);
}

char *rig_qmp(Rig *rig, const char *format, ...)
{
    va_list arguments;
    char *reply;

    va_start(arguments, format);
    reply = rig_qmp_execute(rig, "\"return\"", format, arguments);
    va_end(arguments);
    return reply;
}

char *rig_qmp_error(Rig *rig, const char *format, ...)
{
    va_list arguments;
    char *reply;

    va_start(arguments, format);
    reply = rig_qmp_execute(rig, "\"error\"", format, arguments);
    va_end(arguments);
    return reply;
}

void rig_monitor(Rig *rig, const char *command)
{
    g_autofree char *reply = rig_qmp(rig,
                                     "{\"execute\":\"human-monitor-command\","
                                     "\"arguments\":{\"command-line\":\"%s\"}}",
                                     command);

    if (!strstr(reply, "{\"return\": \"\"}")) {
        g_error("rig: %s: %s", command, reply);
    }
}

/* The reply may come before the reset or after it. */
void rig_reset(Rig *rig)
{
    unsigned before = rig->resets;

    g_free(rig_qmp(rig, "{\"execute\":\"system_reset\"}"));
    while (rig->resets == before) {
        g_free(rig_qmp_line(rig));
    }
}

static void rig_qmp_start(Rig *rig)
{
    g_free(rig_receive(&rig->qmp)); /* the greeting */
    g_free(rig_qmp(rig, "{\"execute\":\"qmp_capabilities\"}"));
}
