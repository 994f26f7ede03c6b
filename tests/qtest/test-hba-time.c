/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: when commands complete and in what order, full and wrapping rings, abort; against
 * docs/specs/fltvm-hba.rst.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 256

/* Ends at the nanosecond, for every operation (hba_run() checks the one before, too). */
static void test_exact(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (unsigned i = 0; i < 10; i++) {
        hba_run(&hba, hba_read(1, i, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
        hba_run(&hba, hba_write(2, i, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
        hba_run(&hba, hba_flush(3), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
        hba_run(&hba, hba_identify(4, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_OK);
        hba_run(&hba, hba_abort(5, 0, 99), HBA_COMMAND_NS, FLTVM_HBA_S_NOT_FOUND);
        rig_clock_step(hba.rig, 17);
    }
    hba_stop(&hba);
}

static void test_zero_time(void)
{
    Hba hba = hba_start_disk(BLOCKS, "read-ns=0");

    hba_submit(&hba, 0, hba_read(1, 3, 1, HBA_DATA));
    rig_clock_step(hba.rig, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_assert_pattern(&hba, HBA_DATA, 3 * HBA_BLOCK, HBA_BLOCK);
    hba_stop(&hba);
}

/*
 * The host's disk takes 100 ms, the model 10 us: the command completes at the model's time, and the device
 * waits for the host there.
 */
static void test_slow_host(void)
{
    Hba hba = hba_start("driver=null-co,read-zeroes=on,size=1M,latency-ns=100000000", NULL);
    gint64 begin;

    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 1);
    begin = g_get_monotonic_time();
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 90000);
    hba_assert_byte(&hba, HBA_DATA, HBA_BLOCK, 0);
    hba_stop(&hba);
}

/* The host is done long before: nothing shows until the time has come. */
static void test_fast_host(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    g_usleep(50000);
    hba_expect_none(&hba, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 1);
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_stop(&hba);
}

/* Commands do not wait for one another; equal times complete in the order of submission. */
static void test_order(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    struct fltvm_hba_command commands[] = {
        hba_flush(1), hba_write(2, 8, 1, HBA_DATA), hba_read(3, 9, 1, HBA_DATA), hba_identify(4, HBA_DATA_2),
        hba_read(5, 10, 1, HBA_DATA), hba_flush(6), hba_read(7, 11, 1, HBA_DATA),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        hba_put(&hba, 0, &commands[i]);
    }
    hba_ring(&hba, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 7);
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 4, FLTVM_HBA_S_OK, 512);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, HBA_READ_NS - HBA_COMMAND_NS);
    hba_expect(&hba, 0, 3, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 5, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 7, FLTVM_HBA_S_OK, 1);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, HBA_FLUSH_NS); /* past both */
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 0);
    hba_expect(&hba, 0, 6, FLTVM_HBA_S_OK, 0);
    hba_expect_none(&hba, 0);
    hba_stop(&hba);
}

/*
 * Entries that wait in several queues are fetched in turn, one each.  They wait because queue 0 has filled the
 * device's buffers with 128 reads; of those that follow (1, 2, 0, 1, ...) the fourth is told by a fault rule.
 */
static void test_queues_in_turn(void)
{
    const uint32_t blocks = (1 << 20) / HBA_BLOCK;
    Hba hba = hba_start("driver=null-co,read-zeroes=on,size=1G",
                        "faults=op=read:nth=132:count=1:do=error:status=0x14");
    struct fltvm_hba_command command = hba_read(0, 0, blocks, HBA_DATA);

    hba_enable(&hba);
    for (uint32_t queue = 0; queue < 3; queue++) {
        hba_queue_start(&hba, queue, 256);
    }
    for (command.id = 0; command.id < 128 + 3; command.id++) {
        hba_put(&hba, 0, &command);
    }
    hba_ring(&hba, 0);
    for (command.id = 0; command.id < 3; command.id++) {
        hba_submit(&hba, 2, command);
        hba_submit(&hba, 1, command);
    }
    rig_clock_step(hba.rig, 2 * HBA_READ_NS);
    for (uint16_t id = 0; id < 128 + 3; id++) {
        hba_expect(&hba, 0, id, FLTVM_HBA_S_OK, blocks);
    }
    for (uint16_t id = 0; id < 3; id++) {
        bool hit = id == 1;

        hba_expect(&hba, 1, id, hit ? FLTVM_HBA_S_DEVICE_FAULT : FLTVM_HBA_S_OK, hit ? 0 : blocks);
        hba_expect(&hba, 2, id, FLTVM_HBA_S_OK, blocks);
    }
    hba_stop(&hba);
}

/* Twenty times around rings of five entries; the phase changes each time. */
static void test_wrap(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_queue_start(&hba, 1, 5);
    for (unsigned i = 0; i < 100; i++) {
        hba_submit(&hba, 1, hba_read((uint16_t)i, i, 1, HBA_DATA));
        rig_clock_step(hba.rig, HBA_READ_NS);
        hba_expect(&hba, 1, (uint16_t)i, FLTVM_HBA_S_OK, 1);
        hba_expect_none(&hba, 1);
        hba_assert_pattern(&hba, HBA_DATA, i * HBA_BLOCK, HBA_BLOCK);
        g_assert_cmpuint(hba_queue_get(&hba, 1, FLTVM_HBA_QUEUE_SQ_HEAD), ==, (i + 1) % 5);
        g_assert_cmpuint(hba_queue_get(&hba, 1, FLTVM_HBA_QUEUE_CQ_TAIL), ==, (i + 1) % 5);
    }
    hba_assert_no_error(&hba);
    hba_stop(&hba);
}

/* A full submission ring; then a completion ring nobody empties: the device holds back, and loses nothing. */
static void test_full(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    struct fltvm_hba_command command = hba_read(0, 0, 1, HBA_DATA);

    for (command.id = 0; command.id < HBA_DEPTH - 1; command.id++) {
        command.lba = command.id;
        hba_put(&hba, 0, &command);
    }
    hba_ring(&hba, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, HBA_DEPTH - 1);
    rig_clock_step(hba.rig, HBA_READ_NS);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 0);
    /* All are posted and none is taken: as many again wait in the ring. */
    for (; command.id < 2 * (HBA_DEPTH - 1); command.id++) {
        command.lba = command.id;
        hba_put(&hba, 0, &command);
    }
    hba_ring(&hba, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 0);
    rig_clock_step(hba.rig, 10 * HBA_READ_NS);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_SQ_HEAD), ==, HBA_DEPTH - 1);
    /* Each one taken lets one in; it takes its time from then on. */
    hba_expect(&hba, 0, 0, FLTVM_HBA_S_OK, 1);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 1);
    for (uint16_t id = 1; id < HBA_DEPTH - 1; id++) {
        hba_expect(&hba, 0, id, FLTVM_HBA_S_OK, 1);
    }
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, HBA_READ_NS);
    for (uint16_t id = HBA_DEPTH - 1; id < 2 * (HBA_DEPTH - 1); id++) {
        hba_expect(&hba, 0, id, FLTVM_HBA_S_OK, 1);
    }
    hba_expect_none(&hba, 0);
    hba_assert_no_error(&hba);
    hba_stop(&hba);
}

/* More data in flight than the device buffers: entries wait, and none is lost. */
static void test_buffer_limit(void)
{
    const uint32_t blocks = (1 << 20) / HBA_BLOCK, count = 200;
    Hba hba = hba_start("driver=null-co,read-zeroes=on,size=1G", NULL);
    struct fltvm_hba_command command = hba_read(0, 0, blocks, HBA_DATA);
    uint32_t pending;

    hba_enable(&hba);
    hba_queue_start(&hba, 0, 256);
    for (command.id = 0; command.id < count; command.id++) {
        hba_put(&hba, 0, &command);
    }
    hba_ring(&hba, 0);
    pending = hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING);
    g_assert_cmpuint(pending, ==, 128);
    rig_clock_step(hba.rig, HBA_READ_NS);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, count - pending);
    rig_clock_step(hba.rig, HBA_READ_NS);
    for (uint16_t id = 0; id < count; id++) {
        hba_expect(&hba, 0, id, FLTVM_HBA_S_OK, blocks);
    }
    hba_stop(&hba);
}

/* What overlaps on the disk happens in the order of submission, whatever completes first. */
static void test_overlap(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_fill(&hba, HBA_DATA, 4 * HBA_BLOCK, 0x11);
    hba_submit(&hba, 0, hba_write(1, 10, 4, HBA_DATA));
    hba_submit(&hba, 0, hba_read(2, 12, 4, HBA_DATA_2)); /* sees the write */
    hba_fill(&hba, HBA_DATA, 4 * HBA_BLOCK, 0x22);
    hba_submit(&hba, 0, hba_write(3, 13, 1, HBA_DATA)); /* not seen by the read */
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 4);
    hba_assert_byte(&hba, HBA_DATA_2, 2 * HBA_BLOCK, 0x11);
    hba_assert_pattern(&hba, HBA_DATA_2 + 2 * HBA_BLOCK, 14 * HBA_BLOCK, 2 * HBA_BLOCK);
    rig_clock_step(hba.rig, HBA_WRITE_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 4);
    hba_expect(&hba, 0, 3, FLTVM_HBA_S_OK, 1);
    hba_submit(&hba, 0, hba_read(4, 12, 2, HBA_DATA_2));
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_assert_byte(&hba, HBA_DATA_2, HBA_BLOCK, 0x11);
    hba_assert_byte(&hba, HBA_DATA_2 + HBA_BLOCK, HBA_BLOCK, 0x22);
    hba_stop(&hba);
}

/* Completions of one moment share an interrupt for each queue. */
static void test_one_interrupt(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_clock_step(hba.rig, 100);
    hba_submit(&hba, 0, hba_read(2, 1, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_READ_NS - 100);
    g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, 100);
    g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 1);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 1);
    hba_stop(&hba);
}

static void test_abort(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_queue_start(&hba, 1, HBA_DEPTH);
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0x99);
    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_clock_step(hba.rig, 1000);
    hba_submit(&hba, 1, hba_abort(2, 0, 1)); /* from another queue */
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_ABORTED, 0);
    hba_expect(&hba, 1, 2, FLTVM_HBA_S_OK, 0);
    hba_assert_byte(&hba, HBA_DATA, HBA_BLOCK, 0x99);
    rig_clock_step(hba.rig, 10 * HBA_READ_NS);
    hba_expect_none(&hba, 0);
    hba_stop(&hba);
}

/* The aborted one completes before the ABORT, also within one ring. */
static void test_abort_order(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_submit(&hba, 0, hba_flush(1));
    hba_submit(&hba, 0, hba_abort(2, 0, 1));
    hba_submit(&hba, 0, hba_abort(3, 0, 1)); /* it is aborted already */
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_ABORTED, 0);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 0);
    hba_expect(&hba, 0, 3, FLTVM_HBA_S_NOT_FOUND, 0);
    hba_stop(&hba);
}

/* Nearly done: it keeps its time. */
static void test_abort_late(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_READ_NS - 10);
    hba_submit(&hba, 0, hba_abort(2, 0, 1));
    rig_clock_step(hba.rig, 10);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_ABORTED, 0);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, HBA_COMMAND_NS - 10);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 0);
    hba_stop(&hba);
}

static void test_abort_not_found(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    rig_msix_take_all(&hba.pci);
    hba_run(&hba, hba_abort(2, 0, 1), HBA_COMMAND_NS, FLTVM_HBA_S_NOT_FOUND); /* completed */
    hba_run(&hba, hba_abort(3, 9, 1), HBA_COMMAND_NS, FLTVM_HBA_S_NOT_FOUND); /* no such queue in use */
    hba_run(&hba, hba_abort(4, 0, 4), HBA_COMMAND_NS, FLTVM_HBA_S_NOT_FOUND); /* itself */
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/time/exact", test_exact);
    g_test_add_func("/hba/time/zero-time", test_zero_time);
    g_test_add_func("/hba/time/slow-host", test_slow_host);
    g_test_add_func("/hba/time/fast-host", test_fast_host);
    g_test_add_func("/hba/time/order", test_order);
    g_test_add_func("/hba/time/queues-in-turn", test_queues_in_turn);
    g_test_add_func("/hba/time/wrap", test_wrap);
    g_test_add_func("/hba/time/full", test_full);
    g_test_add_func("/hba/time/buffer-limit", test_buffer_limit);
    g_test_add_func("/hba/time/overlap", test_overlap);
    g_test_add_func("/hba/time/one-interrupt", test_one_interrupt);
    g_test_add_func("/hba/time/abort", test_abort);
    g_test_add_func("/hba/time/abort-order", test_abort_order);
    g_test_add_func("/hba/time/abort-late", test_abort_late);
    g_test_add_func("/hba/time/abort-not-found", test_abort_not_found);
    return g_test_run();
}
