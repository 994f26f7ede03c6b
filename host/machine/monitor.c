/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QMP in three lines: see monitor.h. */
#include "monitor.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read until a line holds `word`: QMP sends one object a line. */
static gboolean expect(int fd, const char *word, gint64 deadline)
{
    g_autoptr(GString) text = g_string_new(NULL);

    while (!strstr(text->str, word)) {
        gint64 left = deadline - g_get_monotonic_time();
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        char buffer[512];
        ssize_t count;

        if (left <= 0 || strstr(text->str, "\"error\""))
            return FALSE;
        if (poll(&poll_fd, 1, (int)(left / 1000) + 1) <= 0)
            continue;
        count = read(fd, buffer, sizeof(buffer));
        if (count <= 0)
            return FALSE;
        g_string_append_len(text, buffer, count);
    }
    return TRUE;
}

static gboolean say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

gboolean fltvm_monitor_inject_nmi(int fd, gint64 deadline)
{
    return expect(fd, "\"QMP\"", deadline) && say(fd, "{\"execute\":\"qmp_capabilities\"}\n") &&
           expect(fd, "\"return\"", deadline) && say(fd, "{\"execute\":\"inject-nmi\"}\n") &&
           expect(fd, "\"return\"", deadline);
}
