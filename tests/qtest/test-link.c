/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link against docs/specs/fltvm-link.rst.  The test is both the guest, through qtest, and the host.
 */
#define _GNU_SOURCE
#include "link-rig.h"
#include "abi/tracepoint.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_identity(void)
{
    Link link = link_start();

    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_ID), ==, FLTVM_LINK_ID);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_VERSION), ==, FLTVM_LINK_VERSION);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, FLTVM_LINK_STATUS_CONNECTED);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_STATUS), ==, 0);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_ENABLE), ==, 0);
    link_stop(&link);
}

static void test_time(void)
{
    Link link = link_start();
    uint64_t now;

    rig_clock_step(link.rig, UINT64_C(0x312345678));
    now = link_get(&link, FLTVM_LINK_REG_TIME_LO);
    now |= (uint64_t)link_get(&link, FLTVM_LINK_REG_TIME_HI) << 32;
    g_assert_cmpuint(now, ==, UINT64_C(0x312345678));
    link_stop(&link);
}

static void test_bad_access(void)
{
    static const struct {
        uint16_t offset;
        unsigned size;
        bool read, write;
    } bad[] = {
        {FLTVM_LINK_REG_ID, 1, true, true},          {FLTVM_LINK_REG_ID, 2, true, true},
        {FLTVM_LINK_REG_ID + 1, 4, true, true},      {FLTVM_LINK_REG_STATUS, 1, true, true},
        {FLTVM_LINK_REG_IRQ_ENABLE, 1, true, true},  {FLTVM_LINK_REG_DOORBELL, 2, true, true},
        {FLTVM_LINK_REG_DOORBELL, 4, true, false},   {FLTVM_LINK_REG_ID, 4, false, true},
        {FLTVM_LINK_REG_VERSION, 4, false, true},    {FLTVM_LINK_REG_TIME_LO, 4, false, true},
        {FLTVM_LINK_REG_TIME_HI, 4, false, true},    {FLTVM_LINK_REG_DOORBELL + 2, 4, true, true},
        {FLTVM_LINK_REG_TRACE, 4, true, false},      {FLTVM_LINK_REG_TRACE, 2, true, true},
        {FLTVM_LINK_REG_TRACE + 4, 4, true, true},
    };
    const uint32_t status = FLTVM_LINK_STATUS_CONNECTED | FLTVM_LINK_STATUS_BAD_ACCESS;
    Link link = link_start();

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint16_t port = (uint16_t)(LINK_BASE + bad[i].offset);

        if (bad[i].read) {
            uint64_t ones = UINT64_MAX >> (64 - 8 * bad[i].size);

            g_assert_cmphex(rig_in(link.rig, port, bad[i].size), ==, ones);
            g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, status);
            link_set(&link, FLTVM_LINK_REG_STATUS, FLTVM_LINK_STATUS_BAD_ACCESS);
        }
        if (bad[i].write) {
            rig_out(link.rig, port, 0xFF, bad[i].size);
            g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, status);
            link_set(&link, FLTVM_LINK_REG_STATUS, FLTVM_LINK_STATUS_BAD_ACCESS);
        }
        g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, FLTVM_LINK_STATUS_CONNECTED);
    }
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_ENABLE), ==, 0);
    host_assert_silent(&link);
    link_stop(&link);
}

static void test_send(void)
{
    static const uint32_t sizes[] = {0, 1, 100, 4096, FLTVM_LINK_MAX_PAYLOAD};
    Link link = link_start();

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct fltvm_link_frame frame;

        rig_clock_step(link.rig, 1000);
        g_assert_cmpint(guest_send(&link, FLTVM_RECORD_LOG, sizes[i], i), ==, FLTVM_LINK_S_OK);
        frame = host_expect(&link, FLTVM_RECORD_LOG, sizes[i], i);
        g_assert_cmpuint(GUINT64_FROM_LE(frame.time_ns), ==, 1000 * (i + 1));
        g_assert_cmpuint(GUINT16_FROM_LE(frame.cpu), ==, 3);
    }
    host_assert_silent(&link);
    link_stop(&link);
}

/* The device writes in_len, status and in_kind, and nothing else. */
static void test_request_untouched(void)
{
    Link link = link_start();
    struct fltvm_link_request before = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 100), after;

    memset(before.reserved, 0xCC, sizeof(before.reserved));
    host_answer(&link, FLTVM_ANSWER_DATA, 10, 0);
    guest_put(&link, &before);
    link_set(&link, FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    rig_read_block(link.rig, LINK_REQUEST, &after, sizeof(after));
    before.in_len = GUINT32_TO_LE(10);
    before.status = FLTVM_LINK_S_OK;
    before.in_kind = GUINT32_TO_LE(FLTVM_ANSWER_DATA);
    g_assert_cmpmem(&before, sizeof(before), &after, sizeof(after));
    link_stop(&link);
}

static void test_call(void)
{
    static const uint32_t sizes[] = {0, 1, 77, FLTVM_LINK_MAX_PAYLOAD};
    static const uint8_t zeros[FLTVM_LINK_MAX_PAYLOAD];
    Link link = link_start();

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        struct fltvm_link_request request =
            guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 50, FLTVM_LINK_MAX_PAYLOAD);

        rig_write_block(link.rig, LINK_IN, zeros, sizeof(zeros));
        guest_fill(&link, 50, 9);
        host_answer(&link, FLTVM_ANSWER_END, sizes[i], i);
        request = guest_ring(&link, &request);
        g_assert_cmpint(request.status, ==, FLTVM_LINK_S_OK);
        g_assert_cmpuint(request.in_len, ==, sizes[i]);
        g_assert_cmpuint(request.in_kind, ==, FLTVM_ANSWER_END);
        host_expect(&link, FLTVM_RECORD_COMMAND, 50, 9);
        guest_assert_in(&link, sizes[i], i);
    }
    link_stop(&link);
}

/* The guest is held until the answer is whole, and virtual time stands still. */
static void test_call_waits(void)
{
    Link link = link_start();
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 8, 100);
    struct fltvm_link_frame frame = {.length = GUINT32_TO_LE(3)};

    guest_fill(&link, 8, 0);
    guest_put(&link, &request);
    rig_out_begin(link.rig, LINK_BASE + FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    host_expect(&link, FLTVM_RECORD_COMMAND, 8, 0);
    host_send(&link, &frame, 7);
    g_usleep(20000);
    host_send(&link, (char *)&frame + 7, sizeof(frame) - 7);
    g_usleep(20000);
    host_send(&link, "abc", 3);
    rig_finish(link.rig);
    g_assert_cmpint(guest_result(&link).status, ==, FLTVM_LINK_S_OK);
    g_assert_cmpuint(guest_result(&link).in_len, ==, 3);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_TIME_LO), ==, 0);
    link_stop(&link);
}

static void test_truncated(void)
{
    Link link = link_start();
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 10), result;

    host_answer(&link, FLTVM_ANSWER_DATA, 11, 4);
    result = guest_ring(&link, &request);
    g_assert_cmpint(result.status, ==, FLTVM_LINK_S_TRUNCATED);
    g_assert_cmpuint(result.in_len, ==, 11);
    guest_assert_in(&link, 10, 4);
    /* The rest is gone, the next answer is whole. */
    host_answer(&link, FLTVM_ANSWER_DATA, 10, 5);
    g_assert_cmpint(guest_ring(&link, &request).status, ==, FLTVM_LINK_S_OK);
    guest_assert_in(&link, 10, 5);
    link_stop(&link);
}

static void test_bad_request(void)
{
    struct fltvm_link_request bad[] = {
        guest_request(0, FLTVM_RECORD_LOG, 0, 0),
        guest_request(4, FLTVM_RECORD_LOG, 0, 0),
        guest_request(UINT16_MAX, FLTVM_RECORD_LOG, 0, 0),
        guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_LOG, FLTVM_LINK_MAX_PAYLOAD + 1, 0),
        guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_LOG, UINT32_MAX, 0),
        guest_request(FLTVM_LINK_OP_EXIT, FLTVM_RECORD_EXIT, FLTVM_LINK_MAX_PAYLOAD + 1, 0),
        guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_LOG, 0, FLTVM_LINK_MAX_PAYLOAD + 1),
        guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_MEDIUM, 0, 0),
        guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_POWER_CUT, 0, 0),
        guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_LOG, 0, 0),
    };
    Link link = link_start();

    bad[G_N_ELEMENTS(bad) - 1].cpu = GUINT32_TO_LE(0x10000);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct fltvm_link_request result = guest_ring(&link, &bad[i]);

        g_assert_cmpint(result.status, ==, FLTVM_LINK_S_BAD_REQUEST);
        g_assert_cmpuint(result.in_len, ==, 0);
    }
    host_assert_silent(&link);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, FLTVM_LINK_STATUS_CONNECTED);
    link_stop(&link);
}

static void test_bad_address(void)
{
    static const uint64_t bad[] = {
        RIG_NOWHERE, RIG_LAPIC, RIG_RAM_SIZE - 4, UINT64_MAX - 3, UINT64_C(1) << 52, 0xFFFFFFFC,
    };
    Link link = link_start();

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_LOG, 8, 0);

        request.out_addr = GUINT64_TO_LE(bad[i]);
        g_assert_cmpint(guest_ring(&link, &request).status, ==, FLTVM_LINK_S_BAD_ADDRESS);
        request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_LOG, 8, 8);
        request.in_addr = GUINT64_TO_LE(bad[i]);
        g_assert_cmpint(guest_ring(&link, &request).status, ==, FLTVM_LINK_S_BAD_ADDRESS);
        /* Refused before the record went out: the host owes no answer. */
        host_assert_silent(&link);
    }
    link_stop(&link);
}

static void test_bad_doorbell(void)
{
    static const uint32_t bad[] = {LINK_REQUEST + 1, LINK_REQUEST + 32, RIG_NOWHERE, RIG_LAPIC, RIG_RAM_SIZE, 0xFEC00000};
    const uint32_t error = FLTVM_LINK_STATUS_BAD_REQUEST;
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_LOG, 0, 0);
    Link link = link_start();

    guest_put(&link, &request);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        link_set(&link, FLTVM_LINK_REG_DOORBELL, bad[i]);
        g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, FLTVM_LINK_STATUS_CONNECTED | error);
        link_set(&link, FLTVM_LINK_REG_STATUS, error);
    }
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, FLTVM_LINK_STATUS_CONNECTED);
    host_assert_silent(&link);
    link_stop(&link);
}

/* Trace records wait in the device; whatever follows takes them along, in order. */
static void test_trace_order(void)
{
    Link link = link_start();

    for (uint64_t i = 0; i < 20; i++) {
        g_assert_cmpint(guest_send(&link, FLTVM_RECORD_TRACE, 64, i), ==, FLTVM_LINK_S_OK);
    }
    host_assert_silent(&link);
    g_assert_cmpint(guest_send(&link, FLTVM_RECORD_LOG, 5, 99), ==, FLTVM_LINK_S_OK);
    for (uint64_t i = 0; i < 20; i++) {
        host_expect(&link, FLTVM_RECORD_TRACE, 64, i);
    }
    host_expect(&link, FLTVM_RECORD_LOG, 5, 99);
    host_assert_silent(&link);
    link_stop(&link);
}

/* More than the device holds: it goes out by itself, whole and in order. */
static void test_trace_overflow(void)
{
    Link link = link_start();
    struct fltvm_link_request request;

    for (uint64_t i = 0; i < 4; i++) {
        g_assert_cmpint(guest_send(&link, FLTVM_RECORD_TRACE, FLTVM_LINK_MAX_PAYLOAD, i), ==, FLTVM_LINK_S_OK);
    }
    host_assert_silent(&link);
    request = guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_TRACE, FLTVM_LINK_MAX_PAYLOAD, 0);
    guest_fill(&link, FLTVM_LINK_MAX_PAYLOAD, 4);
    guest_put(&link, &request);
    rig_out_begin(link.rig, LINK_BASE + FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    for (uint64_t i = 0; i < 4; i++) {
        host_expect(&link, FLTVM_RECORD_TRACE, FLTVM_LINK_MAX_PAYLOAD, i);
    }
    rig_finish(link.rig);
    host_assert_silent(&link);
    g_free(rig_qmp(link.rig, "{\"execute\":\"stop\"}"));
    host_expect(&link, FLTVM_RECORD_TRACE, FLTVM_LINK_MAX_PAYLOAD, 4);
    link_stop(&link);
}

/* A machine that ends in another way leaves no record behind. */
static void test_trace_at_end(void)
{
    Link link = link_start();

    g_assert_cmpint(guest_send(&link, FLTVM_RECORD_TRACE, 64, 7), ==, FLTVM_LINK_S_OK);
    rig_stop(link.rig);
    host_expect(&link, FLTVM_RECORD_TRACE, 64, 7);
    close(link.host);
}

/* TRACE is for trace points only: what comes from no processor, or with tracing off, is nothing, and no error. */
static void test_trace_no_point(void)
{
    static const char *const traced[] = {"-global", "fltvm-link.trace=on", NULL};
    const uint32_t point = FLTVM_TRACEPOINT_MAGIC | 1;

    for (int on = 0; on < 2; on++) {
        Link link = link_start_with(on ? traced : NULL);

        link_set(&link, FLTVM_LINK_REG_TRACE, point);
        link_set(&link, FLTVM_LINK_REG_TRACE, ~point);
        g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, FLTVM_LINK_STATUS_CONNECTED);
        g_assert_cmpint(guest_send(&link, FLTVM_RECORD_LOG, 5, 99), ==, FLTVM_LINK_S_OK);
        host_expect(&link, FLTVM_RECORD_LOG, 5, 99);
        host_assert_silent(&link);
        link_stop(&link);
    }
}

static void test_exit(void)
{
    Link link = link_start();
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_EXIT, FLTVM_RECORD_EXIT, 4, 0);

    g_assert_cmpint(guest_send(&link, FLTVM_RECORD_TRACE, 64, 7), ==, FLTVM_LINK_S_OK);
    guest_fill(&link, 4, 1);
    guest_put(&link, &request);
    rig_out_begin(link.rig, LINK_BASE + FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    g_assert_cmpint(rig_wait_exit(link.rig), ==, 0);
    host_expect(&link, FLTVM_RECORD_TRACE, 64, 7);
    host_expect(&link, FLTVM_RECORD_EXIT, 4, 1);
    close(link.host);
}

/* The host goes away while nobody calls. */
static void test_closed_idle(void)
{
    Link link = link_start();

    close(link.host);
    g_assert_cmpint(rig_wait_exit(link.rig), ==, 1);
}

/* The host goes away instead of answering. */
static void test_closed_in_call(void)
{
    const char *stay[] = {"-no-shutdown", NULL};
    Link link = link_start_with(stay);
    struct fltvm_link_request call = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 8);
    struct fltvm_link_request record = guest_request(FLTVM_LINK_OP_SEND, FLTVM_RECORD_LOG, 0, 0);

    guest_put(&link, &call);
    rig_out_begin(link.rig, LINK_BASE + FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    host_expect(&link, FLTVM_RECORD_COMMAND, 0, 0);
    close(link.host);
    rig_finish(link.rig);
    g_assert_cmpint(guest_result(&link).status, ==, FLTVM_LINK_S_DISCONNECTED);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, 0);
    g_assert_cmpint(guest_ring(&link, &record).status, ==, FLTVM_LINK_S_DISCONNECTED);
    g_assert_cmpint(guest_ring(&link, &call).status, ==, FLTVM_LINK_S_DISCONNECTED);
    g_free(rig_qmp(link.rig, "{\"execute\":\"quit\"}"));
    g_assert_cmpint(rig_wait_exit(link.rig), ==, 1);
}

/* An answer that breaks the protocol counts as a closed link. */
static void test_bad_answer(void)
{
    Link link = link_start();
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 8);
    struct fltvm_link_frame frame = {.length = GUINT32_TO_LE(FLTVM_LINK_MAX_PAYLOAD + 1)};

    host_send(&link, &frame, sizeof(frame));
    guest_put(&link, &request);
    rig_out_begin(link.rig, LINK_BASE + FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    g_assert_cmpint(rig_wait_exit(link.rig), ==, 1);
    close(link.host);
}

static void link_park(Link *link)
{
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 8);

    host_answer(link, FLTVM_ANSWER_PARK, 0, 0);
    request = guest_ring(link, &request);
    g_assert_cmpint(request.status, ==, FLTVM_LINK_S_OK);
    g_assert_cmpuint(request.in_kind, ==, FLTVM_ANSWER_PARK);
    host_expect(link, FLTVM_RECORD_COMMAND, 0, 0);
}

/* The wake comes when the host pleases: the one thing in this suite to wait for. */
static void link_wait_wake(Link *link)
{
    for (int tries = 0; !(link_get(link, FLTVM_LINK_REG_IRQ_STATUS) & FLTVM_LINK_IRQ_WAKE); tries++) {
        g_assert_cmpint(tries, <, RIG_TIMEOUT_S * 1000);
        g_usleep(1000);
    }
}

static void test_park(void)
{
    Link link = link_start();
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 8);

    rig_watch_ioapic(link.rig);
    link_set(&link, FLTVM_LINK_REG_IRQ_ENABLE, UINT32_MAX);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_ENABLE), ==, FLTVM_LINK_IRQ_WAKE);
    link_park(&link);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_STATUS), ==, 0);
    g_assert_false(rig_ioapic_level(link.rig, LINK_IRQ));
    /* The host wakes the guest by writing the answer to its next call. */
    host_answer(&link, FLTVM_ANSWER_DATA, 6, 3);
    link_wait_wake(&link);
    g_assert_true(rig_ioapic_level(link.rig, LINK_IRQ));
    link_set(&link, FLTVM_LINK_REG_IRQ_STATUS, FLTVM_LINK_IRQ_WAKE);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_STATUS), ==, 0);
    g_assert_false(rig_ioapic_level(link.rig, LINK_IRQ));
    request = guest_ring(&link, &request);
    g_assert_cmpint(request.status, ==, FLTVM_LINK_S_OK);
    g_assert_cmpuint(request.in_len, ==, 6);
    guest_assert_in(&link, 6, 3);
    host_expect(&link, FLTVM_RECORD_COMMAND, 0, 0);
    link_stop(&link);
}

static void test_park_masked(void)
{
    Link link = link_start();

    rig_watch_ioapic(link.rig);
    link_park(&link);
    host_answer(&link, FLTVM_ANSWER_DATA, 6, 3);
    link_wait_wake(&link);
    g_assert_false(rig_ioapic_level(link.rig, LINK_IRQ));
    link_set(&link, FLTVM_LINK_REG_IRQ_ENABLE, FLTVM_LINK_IRQ_WAKE);
    g_assert_true(rig_ioapic_level(link.rig, LINK_IRQ));
    link_set(&link, FLTVM_LINK_REG_IRQ_ENABLE, 0);
    g_assert_false(rig_ioapic_level(link.rig, LINK_IRQ));
    link_stop(&link);
}

/* A guest that is not parked is not interrupted by what the host sends. */
static void test_no_wake_unparked(void)
{
    Link link = link_start();
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 8);

    host_answer(&link, FLTVM_ANSWER_DATA, 2, 0);
    g_usleep(20000);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_STATUS), ==, 0);
    g_assert_cmpint(guest_ring(&link, &request).status, ==, FLTVM_LINK_S_OK);
    /* One that calls although it is parked is parked no more. */
    host_expect(&link, FLTVM_RECORD_COMMAND, 0, 0);
    link_park(&link);
    guest_put(&link, &request);
    rig_out_begin(link.rig, LINK_BASE + FLTVM_LINK_REG_DOORBELL, LINK_REQUEST);
    host_expect(&link, FLTVM_RECORD_COMMAND, 0, 0);
    host_answer(&link, FLTVM_ANSWER_DATA, 2, 0);
    rig_finish(link.rig);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_STATUS), ==, 0);
    link_stop(&link);
}

/* Under qtest there is no schedule between whose slices a machine could be saved: the host is told, and the CALL goes on. */
static void test_checkpoint_refused(void)
{
    static const char why[] = "it needs TCG with a seeded schedule";
    Link link = link_start();
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 8);

    for (uint16_t kind = FLTVM_ANSWER_CHECKPOINT; kind <= FLTVM_ANSWER_RESTORE; kind++) {
        struct fltvm_link_frame frame;
        char text[sizeof(why) - 1];

        host_answer(&link, kind, sizeof(struct fltvm_checkpoint), 0);
        host_answer(&link, FLTVM_ANSWER_DATA, 6, 3);
        g_assert_cmpint(guest_ring(&link, &request).status, ==, FLTVM_LINK_S_OK);
        guest_assert_in(&link, 6, 3);
        host_expect(&link, FLTVM_RECORD_COMMAND, 0, 0);
        host_receive(&link, &frame, sizeof(frame));
        g_assert_cmpuint(frame.kind, ==, FLTVM_RECORD_CHECKPOINT);
        host_receive(&link, text, sizeof(text));
        g_assert_cmpmem(text, frame.length, why, sizeof(text));
    }
    link_stop(&link);
}

static void test_closed_parked(void)
{
    Link link = link_start();

    link_park(&link);
    close(link.host);
    g_assert_cmpint(rig_wait_exit(link.rig), ==, 1);
}

static void test_reset(void)
{
    Link link = link_start();

    rig_watch_ioapic(link.rig);
    link_set(&link, FLTVM_LINK_REG_IRQ_ENABLE, FLTVM_LINK_IRQ_WAKE);
    rig_in(link.rig, LINK_BASE, 1);
    link_set(&link, FLTVM_LINK_REG_DOORBELL, 1);
    link_park(&link);
    rig_reset(link.rig);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_STATUS), ==, FLTVM_LINK_STATUS_CONNECTED);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_ENABLE), ==, 0);
    /* Not parked any more. */
    host_answer(&link, FLTVM_ANSWER_DATA, 6, 3);
    g_usleep(20000);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_STATUS), ==, 0);
    g_assert_false(rig_ioapic_level(link.rig, LINK_IRQ));
    link_stop(&link);
}

static void test_saved_state(void)
{
    g_autofree char *disk = rig_file("link.qcow2");
    g_autofree char *img = rig_tool("qemu-img");
    const char *create[] = {img, "create", "-q", "-f", "qcow2", disk, "1M", NULL};
    g_autofree char *drive = g_strdup_printf("if=none,id=d,file=%s,format=qcow2", disk);
    const char *arguments[] = {"-drive", drive, NULL};
    struct fltvm_link_request request = guest_request(FLTVM_LINK_OP_CALL, FLTVM_RECORD_COMMAND, 0, 8);
    Link link;

    if (!img) {
        g_test_skip("no qemu-img beside QEMU");
        return;
    }
    rig_run(create);
    link = link_start_with(arguments);
    link_set(&link, FLTVM_LINK_REG_IRQ_ENABLE, FLTVM_LINK_IRQ_WAKE);
    link_park(&link);
    rig_monitor(link.rig, "savevm one");
    link_set(&link, FLTVM_LINK_REG_IRQ_ENABLE, 0);
    host_answer(&link, FLTVM_ANSWER_DATA, 0, 0);
    link_wait_wake(&link);
    g_assert_cmpint(guest_ring(&link, &request).status, ==, FLTVM_LINK_S_OK);
    host_expect(&link, FLTVM_RECORD_COMMAND, 0, 0);
    rig_monitor(link.rig, "loadvm one");
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_ENABLE), ==, FLTVM_LINK_IRQ_WAKE);
    g_assert_cmphex(link_get(&link, FLTVM_LINK_REG_IRQ_STATUS), ==, 0);
    host_answer(&link, FLTVM_ANSWER_DATA, 0, 0);
    link_wait_wake(&link); /* parked again */
    link_stop(&link);
}

static void test_properties(void)
{
    static const struct {
        const char *device, *message;
    } bad[] = {
        {"fltvm-link", "chardev"},
        {"fltvm-link,chardev=none", "synchronously"},
        {"fltvm-link,chardev=host,iobase=0xb04", "iobase"},
        {"fltvm-link,chardev=host,iobase=0x10000", "iobase"},
        {"fltvm-link,chardev=host,irq=16", "irq"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        /* A socket that waits for nobody. */
        g_autofree char *path = rig_file("link.sock");
        g_autofree char *socket = g_strdup_printf("socket,id=host,path=%s,server=on,wait=off", path);
        const char *arguments[] = {"-chardev", "null,id=none", "-chardev", socket, "-device", bad[i].device, NULL};
        g_autofree char *text = rig_start_refused(arguments);

        g_assert_nonnull(strstr(text, "fltvm-link: "));
        g_assert_nonnull(strstr(text, bad[i].message));
    }
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/link/identity", test_identity);
    g_test_add_func("/link/time", test_time);
    g_test_add_func("/link/bad-access", test_bad_access);
    g_test_add_func("/link/send", test_send);
    g_test_add_func("/link/request-untouched", test_request_untouched);
    g_test_add_func("/link/call", test_call);
    g_test_add_func("/link/call-waits", test_call_waits);
    g_test_add_func("/link/truncated", test_truncated);
    g_test_add_func("/link/bad-request", test_bad_request);
    g_test_add_func("/link/bad-address", test_bad_address);
    g_test_add_func("/link/bad-doorbell", test_bad_doorbell);
    g_test_add_func("/link/trace/order", test_trace_order);
    g_test_add_func("/link/trace/overflow", test_trace_overflow);
    g_test_add_func("/link/trace/at-end", test_trace_at_end);
    g_test_add_func("/link/trace/no-point", test_trace_no_point);
    g_test_add_func("/link/exit", test_exit);
    g_test_add_func("/link/closed/idle", test_closed_idle);
    g_test_add_func("/link/closed/in-call", test_closed_in_call);
    g_test_add_func("/link/closed/bad-answer", test_bad_answer);
    g_test_add_func("/link/closed/parked", test_closed_parked);
    g_test_add_func("/link/park", test_park);
    g_test_add_func("/link/park-masked", test_park_masked);
    g_test_add_func("/link/no-wake-unparked", test_no_wake_unparked);
    g_test_add_func("/link/checkpoint-refused", test_checkpoint_refused);
    g_test_add_func("/link/reset", test_reset);
    g_test_add_func("/link/saved-state", test_saved_state);
    g_test_add_func("/link/properties", test_properties);
    return g_test_run();
}
