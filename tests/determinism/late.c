/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into QEMU by ending.py: brings the monitor's I/O thread and the main thread into an order that they have
 * once in a thousand runs.  It waits for what the other thread does, never for a time; 20 s are given up after.
 *
 * A command with the id "late" is handed to the monitor only when the main thread waits for the I/O thread's end.
 * The answer to the id "hold" is sent only when the id "next" is queued; then the process gets SIGTERM.
 * Each says on standard error that it holds, so that the test knows when to go on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_bool ending, queued;
static _Thread_local int has_read_next;
static _Thread_local char tail[7]; /* the last that this thread has read */

/* The monitor reads a byte at a time. */
static void remember(const char *bytes, size_t length)
{
    for (; length > 0; bytes++, length--) {
        memmove(tail, tail + 1, sizeof(tail) - 1);
        tail[sizeof(tail) - 1] = *bytes;
    }
}

static int has_read(const char *text)
{
    return memcmp(tail, text, sizeof(tail)) == 0;
}

static void wait_for(atomic_bool *what)
{
    (void)!write(2, "held\n", 5);
    for (int i = 0; i < 20000 && !atomic_load(what); i++)
        usleep(1000);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
    ssize_t length = real(fd, message, flags);

    if (length <= 0)
        return length;
    remember(message->msg_iov->iov_base, (size_t)length);
    if (has_read("\"late\"}"))
        wait_for(&ending);
    has_read_next |= has_read("\"next\"}");
    return length;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");

    if (memmem(message->msg_iov->iov_base, message->msg_iov->iov_len, "\"hold\"", 6)) {
        wait_for(&queued);
        kill(getpid(), SIGTERM);
    }
    return real(fd, message, flags);
}

/* The I/O thread looks for more: what it has read is queued. */
int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");

    if (has_read_next)
        atomic_store(&queued, 1);
    return real(fds, count, timeout);
}

int pthread_join(pthread_t thread, void **result)
{
    int (*real)(pthread_t, void **) = dlsym(RTLD_NEXT, "pthread_join");

    atomic_store(&ending, 1);
    return real(thread, result);
}
