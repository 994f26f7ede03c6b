/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one llvm-symbolizer of this process: see symbolizer.h. */
#define _GNU_SOURCE
#include "symbolizer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "paths.h"

/* Microseconds that it gets for the questions of one report, and what it may say to them. */
#define MOST_TIME   (10 * G_USEC_PER_SEC)
#define MOST_ANSWER (256u << 20)

static struct {
    pid_t pid;         /* 0: none runs */
    pid_t owner;       /* who started it: a process forked from that has none yet */
    int input, output; /* what it reads, and what it writes */
    GHashTable *known; /* file to what it was when it was asked about, as a text */
} tool;

static void stop(void)
{
    if (!tool.known)
        return;
    if (tool.owner == getpid())
        fltvm_child_kill(tool.pid);
    close(tool.input);
    close(tool.output);
    g_clear_pointer(&tool.known, g_hash_table_unref);
    tool.pid = 0;
}

static gboolean start(void)
{
    static const char *const tools[] = {"llvm-symbolizer-19", "llvm-symbolizer", NULL};
    const char *argv[] = {fltvm_path_tool(tools), "--relative-address", "--demangle", "--inlining", NULL};
    int in[2], out[2] = {-1, -1}, null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        return FALSE; /* out of descriptors: there will be more to be said of that */
    tool.pid =
        fltvm_child_spawn(argv, (FltvmFd[]){{in[0], 0}, {out[1], 1}, {null, 2}, {-1, -1}}, FLTVM_CHILD_DEFAULT, NULL);
    close(in[0]);
    close(out[1]);
    close(null);
    tool.owner = getpid();
    tool.input = in[1];
    tool.output = out[0];
    tool.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    fcntl(tool.input, F_SETFL, O_NONBLOCK);
    if (tool.pid > 0)
        return TRUE;
    tool.owner = 0;
    stop();
    return FALSE;
}

static char *identify(const char *file)
{
    struct stat status;

    if (stat(file, &status) < 0)
        return g_strdup("");
    return g_strdup_printf("%ju:%ju:%jd:%jd.%09ld", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino,
                           (intmax_t)status.st_size, (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

/* It keeps what it has read of a file: whether these are all as they were.  Those that are new are noted. */
static gboolean are_as_known(GHashTable *files)
{
    GHashTableIter iter;
    gpointer file;

    g_hash_table_iter_init(&iter, files);
    while (g_hash_table_iter_next(&iter, &file, NULL)) {
        g_autofree char *now = identify(file);
        const char *then = g_hash_table_lookup(tool.known, file);
        if (then && strcmp(then, now) != 0)
            return FALSE;
        g_hash_table_replace(tool.known, g_strdup(file), g_steal_pointer(&now));
    }
    return TRUE;
}

/* Each answer ends with an empty line; how many are whole, from *seen on, where the last one ended. */
static guint count_answers(const GString *text, gsize *seen)
{
    guint count = 0;

    for (const char *end; (end = strstr(text->str + *seen, "\n\n")); count++)
        *seen = (gsize)(end - text->str) + 2;
    return count;
}

/* Writes the questions and reads the answers, whichever is possible; FALSE if not all came. */
static gboolean talk(const GString *questions, guint count, GString *answers)
{
    gint64 deadline = g_get_monotonic_time() + MOST_TIME;
    gsize written = 0, seen = 0;
    guint came = 0;

    while (came < count && !fltvm_child_interrupted() && g_get_monotonic_time() < deadline &&
           answers->len < MOST_ANSWER) {
        struct pollfd polls[2] = {{.fd = tool.output, .events = POLLIN},
                                  {.fd = written < questions->len ? tool.input : -1, .events = POLLOUT}};
        char buffer[65536];
        ssize_t length;
        if (poll(polls, 2, 100) <= 0)
            continue;
        if (polls[1].revents) {
            length = write(tool.input, questions->str + written, questions->len - written);
            if (length < 0 && errno != EAGAIN && errno != EINTR)
                return FALSE;
            written += length > 0 ? (gsize)length : 0;
        }
        if (!polls[0].revents)
            continue;
        length = read(tool.output, buffer, sizeof(buffer));
        if (length <= 0)
            return FALSE;
        g_string_append_len(answers, buffer, length);
        came += count_answers(answers, &seen);
    }
    return came >= count;
}

char **fltvm_symbolizer_ask(const GString *questions, guint count, GHashTable *files)
{
    g_autoptr(GString) answers = g_string_new(NULL);

    if (!count)
        return g_new0(char *, 1);
    if (tool.known && (tool.owner != getpid() || !are_as_known(files)))
        stop();
    for (int tries = 0; tries < 2; tries++) {
        gboolean fresh = !tool.known;
        if (fresh && (!start() || !are_as_known(files)))
            break;
        g_string_truncate(answers, 0);
        if (talk(questions, count, answers))
            break;
        stop();
        /* One that was there may have been killed since; a fresh one would fail again. */
        if (fresh || fltvm_child_interrupted())
            break;
    }
    return g_strsplit(answers->str, "\n\n", -1);
}
