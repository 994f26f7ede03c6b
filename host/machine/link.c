/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames over the link's socket: see link.h. */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "error.h"

/* Milliseconds between two looks at the clock while an answer waits. */
#define ANSWER_INTERVAL 100

#define BUFFER_SIZE (4 * FLTVM_LINK_MAX_PAYLOAD)

struct FltvmLink {
    int fd;
    gsize start;  /* first unread byte */
    gsize end;    /* behind the last byte read */
    guint8 saved; /* the byte that the payload's terminating NUL replaced */
    gboolean has_saved;
    gint64 deadline; /* of the last read: answers wait no longer */
    guint8 buffer[BUFFER_SIZE + 1];
};

FltvmLink *fltvm_link_new(int fd)
{
    FltvmLink *link = g_malloc(sizeof(*link));

    link->fd = fd;
    link->start = link->end = 0;
    link->has_saved = FALSE;
    link->deadline = 0;
    return link;
}

void fltvm_link_free(FltvmLink *link)
{
    if (!link)
        return;
    close(link->fd);
    g_free(link);
}

static FltvmLinkResult interrupted(GError **error)
{
    g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "interrupted");
    return FLTVM_LINK_FAILED;
}

/* Wait until the socket is readable. */
static FltvmLinkResult wait_readable(FltvmLink *link, gint64 deadline, int wake_fd, GError **error)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = link->fd, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
        gint64 left = deadline ? deadline - g_get_monotonic_time() : 0;
        int ready;

        if (fltvm_child_interrupted())
            return interrupted(error);
        if (deadline && left <= 0)
            return FLTVM_LINK_TIMEOUT;
        ready = poll(fds, 2, deadline ? (int)MIN(left / 1000 + 1, 3600000) : -1);
        if (ready > 0 && fds[0].revents)
            return FLTVM_LINK_FRAME;
        if (ready > 0 && fds[1].revents)
            return FLTVM_LINK_WOKEN;
    }
}

/* Have at least `need` bytes from `start` on. */
static FltvmLinkResult fill(FltvmLink *link, gsize need, gint64 deadline, int wake_fd, GError **error)
{
    if (BUFFER_SIZE - link->start < need) {
        memmove(link->buffer, link->buffer + link->start, link->end - link->start);
        link->end -= link->start;
        link->start = 0;
    }
    while (link->end - link->start < need) {
        /* Bytes are usually there already while the guest logs: try before asking poll(). */
        ssize_t count = recv(link->fd, link->buffer + link->end, BUFFER_SIZE - link->end, MSG_DONTWAIT);
        if (count > 0) {
            link->end += (gsize)count;
            continue;
        }
        if (count == 0 || (count < 0 && errno == ECONNRESET))
            return fltvm_child_interrupted() ? interrupted(error) : FLTVM_LINK_CLOSED;
        if (errno == EAGAIN || errno == EINTR) {
            FltvmLinkResult result = wait_readable(link, deadline, wake_fd, error);
            if (result != FLTVM_LINK_FRAME)
                return result;
            continue;
        }
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "link: %s", g_strerror(errno));
        return FLTVM_LINK_FAILED;
    }
    return FLTVM_LINK_FRAME;
}

FltvmLinkResult fltvm_link_read(FltvmLink *link, gint64 deadline, int wake_fd, struct fltvm_link_frame *frame,
                                const guint8 **payload, GError **error)
{
    FltvmLinkResult result;

    /* Also when bytes are there: a guest may send faster than they are dealt with. */
    link->deadline = deadline;
    if (fltvm_child_interrupted())
        return interrupted(error);
    if (deadline && g_get_monotonic_time() >= deadline)
        return FLTVM_LINK_TIMEOUT;
    if (link->has_saved) {
        link->buffer[link->start] = link->saved;
        link->has_saved = FALSE;
    }
    result = fill(link, sizeof(*frame), deadline, wake_fd, error);
    if (result != FLTVM_LINK_FRAME)
        return result;
    memcpy(frame, link->buffer + link->start, sizeof(*frame));
    if (frame->length > FLTVM_LINK_MAX_PAYLOAD) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_HOST, "link: a record of %u bytes (the most is %u)", frame->length,
                    FLTVM_LINK_MAX_PAYLOAD);
        return FLTVM_LINK_FAILED;
    }
    result = fill(link, sizeof(*frame) + frame->length, deadline, -1, error);
    if (result != FLTVM_LINK_FRAME)
        return result;
    *payload = link->buffer + link->start + sizeof(*frame);
    link->start += sizeof(*frame) + frame->length;
    link->saved = link->buffer[link->start];
    link->has_saved = TRUE;
    link->buffer[link->start] = 0;
    return FLTVM_LINK_FRAME;
}

/* Wait until the guest's end takes bytes; FALSE when that is too long. */
static gboolean wait_writable(FltvmLink *link)
{
    while (!fltvm_child_interrupted() && (!link->deadline || g_get_monotonic_time() < link->deadline)) {
        struct pollfd fd = {.fd = link->fd, .events = POLLOUT};
        if (poll(&fd, 1, ANSWER_INTERVAL) > 0)
            return TRUE;
    }
    return FALSE;
}

gboolean fltvm_link_answer(FltvmLink *link, guint16 kind, gconstpointer data, gsize length)
{
    struct fltvm_link_frame frame = {.length = (guint32)length, .kind = kind};
    g_autofree guint8 *message = g_malloc(sizeof(frame) + length);
    gsize total = sizeof(frame) + length, done = 0;

    g_assert(length <= FLTVM_LINK_MAX_PAYLOAD);
    memcpy(message, &frame, sizeof(frame));
    if (length)
        memcpy(message + sizeof(frame), data, length);
    while (done < total) {
        ssize_t count = send(link->fd, message + done, total - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0)
            done += (gsize)count;
        else if (count == 0 || (errno != EINTR && errno != EAGAIN) || !wait_writable(link))
            return FALSE;
    }
    return TRUE;
}
