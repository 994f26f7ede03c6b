/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends of fltvm-link for tests: see link-rig.h. */
#define _GNU_SOURCE
#include "link-rig.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

Link link_start_with(const char *const *extra)
{
    int pair[2];
    struct timeval time = {.tv_sec = RIG_TIMEOUT_S};
    g_autofree char *chardev = NULL;
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    Link link;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
    chardev = g_strdup_printf("socket,id=link,fd=%d", pair[1]);
    g_ptr_array_add(arguments, (char *)"-chardev");
    g_ptr_array_add(arguments, chardev);
    g_ptr_array_add(arguments, (char *)"-device");
    g_ptr_array_add(arguments, (char *)"fltvm-link,chardev=link");
    for (; extra && *extra; extra++) {
        g_ptr_array_add(arguments, (char *)*extra);
    }
    g_ptr_array_add(arguments, NULL);
    fds[0] = pair[1];
    fds[1] = -1;
    link.host = pair[0];
    link.rig = rig_start((const char *const *)arguments->pdata, fds);
    return link;
}

Link link_start(void)
{
    return link_start_with(NULL);
}

void link_stop(Link *link)
{
    rig_stop(link->rig);
    close(link->host);
}

uint32_t link_get(Link *link, uint16_t offset)
{
    return (uint32_t)rig_in(link->rig, (uint16_t)(LINK_BASE + offset), 4);
}

void link_set(Link *link, uint16_t offset, uint32_t value)
{
    rig_out(link->rig, (uint16_t)(LINK_BASE + offset), value, 4);
}

/* The host */

void host_receive(Link *link, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = recv(link->host, (char *)data + done, size - done, 0);

        if (n <= 0) {
            g_error("host: %s", n ? g_strerror(errno) : "closed");
        }
        done += (size_t)n;
    }
}

void host_assert_silent(Link *link)
{
    char byte;

    g_assert_cmpint(recv(link->host, &byte, 1, MSG_DONTWAIT), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
}

/* The next frame must be of this kind and hold @size bytes of the pattern from @seed on. */
struct fltvm_link_frame host_expect(Link *link, uint16_t kind, uint32_t size, uint64_t seed)
{
    struct fltvm_link_frame frame;
    g_autofree uint8_t *data = g_malloc(size + 1);

    host_receive(link, &frame, sizeof(frame));
    g_assert_cmpuint(GUINT16_FROM_LE(frame.kind), ==, kind);
    g_assert_cmpuint(GUINT32_FROM_LE(frame.length), ==, size);
    host_receive(link, data, size);
    for (uint32_t i = 0; i < size; i++) {
        g_assert_cmphex(data[i], ==, rig_pattern(seed + i));
    }
    return frame;
}

void host_send(Link *link, const void *data, size_t size)
{
    g_assert_cmpint(send(link->host, data, size, MSG_NOSIGNAL), ==, (ssize_t)size);
}

void host_answer(Link *link, uint16_t kind, uint32_t size, uint64_t seed)
{
    struct fltvm_link_frame frame = {.length = GUINT32_TO_LE(size), .kind = GUINT16_TO_LE(kind)};
    g_autofree uint8_t *data = g_malloc(size + 1);

    for (uint32_t i = 0; i < size; i++) {
        data[i] = rig_pattern(seed + i);
    }
    host_send(link, &frame, sizeof(frame));
    host_send(link, data, size);
}

/* The guest */

struct fltvm_link_request guest_request(uint16_t op, uint16_t kind, uint32_t out_len, uint32_t in_cap)
{
    return (struct fltvm_link_request){
        .op = GUINT16_TO_LE(op),
        .kind = GUINT16_TO_LE(kind),
        .cpu = GUINT32_TO_LE(3),
        .out_len = GUINT32_TO_LE(out_len),
        .in_cap = GUINT32_TO_LE(in_cap),
        .out_addr = GUINT64_TO_LE(LINK_OUT),
        .in_addr = GUINT64_TO_LE(LINK_IN),
        .in_len = GUINT32_TO_LE(0xAAAAAAAA),
        .status = (int32_t)0x55555555,
        .in_kind = GUINT32_TO_LE(0xBBBBBBBB),
    };
}

void guest_put(Link *link, const struct fltvm_link_request *request)
{
    rig_write_block(link->rig, LINK_REQUEST, request, sizeof(*request));
}

/* Put @size bytes of the pattern from @seed on where records come from. */
void guest_fill(Link *link, uint32_t size, uint64_t seed)
{
    g_autofree uint8_t *data = g_malloc(size + 1);

    for (uint32_t i = 0; i < size; i++) {
        data[i] = rig_pattern(seed + i);
    }
    if (size) {
        rig_write_block(link->rig, LINK_OUT, data, size);
    }
}

struct fltvm_link_request guest_result(Link *link)
{
    struct fltvm_link_request request;

    rig_read_block(link->rig, LINK_REQUEST, &request, sizeof(request));
    request.in_len = GUINT32_FROM_LE(request.in_len);
    request.status = (int32_t)GUINT32_FROM_LE((uint32_t)request.status);
    request.in_kind = GUINT32_FROM_LE(request.in_kind);
    return request;
}

struct fltvm_link_request guest_ring(Link *link, const struct fltvm_link_request *request)
{
    guest_put(link, request);
    link_set(link, FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    return guest_result(link);
}

int32_t guest_send(Link *link, uint16_t kind, uint32_t size, uint64_t seed)
{
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_SEND, kind, size, 0);

    guest_fill(link, size, seed);
    return guest_ring(link, &request).status;
}

void guest_assert_in(Link *link, uint32_t size, uint64_t seed)
{
    g_autofree uint8_t *data = g_malloc(size + 1);

    rig_read_block(link->rig, LINK_IN, data, size + 1);
    for (uint32_t i = 0; i < size; i++) {
        g_assert_cmphex(data[i], ==, rig_pattern(seed + i));
    }
    g_assert_cmphex(data[size], ==, 0);
}
