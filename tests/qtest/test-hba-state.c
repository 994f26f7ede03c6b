/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: resets, and saving and loading with commands in flight, against docs/specs/fltvm-hba.rst.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 256

/* Commands of each kind in flight, one completed and not taken, an error, a changed window. */
static void make_busy(Hba *hba)
{
    hba_queue_start(hba, 1, HBA_DEPTH);
    hba_submit(hba, 1, hba_read(8, 0, 1, HBA_DATA));
    rig_clock_step(hba->rig, HBA_READ_NS);
    hba_submit(hba, 0, hba_read(1, 10, 2, HBA_DATA));
    hba_submit(hba, 0, hba_write(2, 100, 1, HBA_DATA));
    hba_submit(hba, 0, hba_flush(3));
    hba_submit(hba, 1, hba_identify(4, HBA_DATA));
    hba_get(hba, 0x30);
    hba_set(hba, FLTVM_HBA_REG_FAULT_INDEX, 3);
    hba_set(hba, FLTVM_HBA_REG_FAULT_OPS, 2);
    rig_msix_take_all(&hba->pci);
}

static void assert_reset(Hba *hba)
{
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_CONTROL), ==, 0);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_STATUS), ==, 0);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_ERROR_INFO), ==, 0);
    for (uint32_t offset = FLTVM_HBA_REG_FAULT_INDEX; offset <= FLTVM_HBA_REG_FAULT_HITS; offset += 4) {
        g_assert_cmphex(hba_get(hba, offset), ==, 0);
    }
    for (uint32_t queue = 0; queue < hba_get(hba, FLTVM_HBA_REG_QUEUES); queue++) {
        for (uint32_t offset = 0; offset <= FLTVM_HBA_QUEUE_PENDING; offset += 4) {
            g_assert_cmphex(hba_queue_get(hba, queue, offset), ==, 0);
        }
    }
    hba_assert_no_error(hba);
    rig_clock_step(hba->rig, 10 * HBA_FLUSH_NS);
    g_assert_cmphex(rig_msix_take_all(&hba->pci), ==, 0);
    hba_enable(hba);
    hba_queue_start(hba, 0, HBA_DEPTH);
    hba_run(hba, hba_read(1, 3, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(hba, HBA_DATA, 3 * HBA_BLOCK, HBA_BLOCK);
}

static void test_system_reset(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    make_busy(&hba);
    rig_reset(hba.rig);
    hba_again(&hba);
    assert_reset(&hba);
    hba_stop(&hba);
}

static void test_function_reset(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    make_busy(&hba);
    rig_pci_flr(&hba.pci);
    hba_again(&hba);
    assert_reset(&hba);
    hba_stop(&hba);
}

/* The host's I/O goes on when the guest has lost interest: the reset waits for it. */
static void test_reset_slow_host(void)
{
    Hba hba = hba_start("driver=null-co,read-zeroes=on,size=1M,latency-ns=50000000", NULL);

    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_submit(&hba, 0, hba_read(1, 10, 2, HBA_DATA));
    hba_submit(&hba, 0, hba_write(2, 100, 1, HBA_DATA));
    hba_set(&hba, FLTVM_HBA_REG_CONTROL, 0);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_submit(&hba, 0, hba_read(1, 10, 2, HBA_DATA));
    rig_pci_flr(&hba.pci);
    hba_again(&hba);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_run(&hba, hba_flush(1), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
    hba_submit(&hba, 0, hba_read(1, 10, 2, HBA_DATA));
    hba_stop(&hba); /* and so does the end */
}

/* The disk is in the snapshot, too. */
static Hba start_qcow2(const char *properties)
{
    g_autofree char *raw = rig_image("disk.raw", BLOCKS * HBA_BLOCK);
    g_autofree char *path = rig_file("disk.qcow2");
    g_autofree char *img = rig_tool("qemu-img");
    const char *convert[] = {img, "convert", "-O", "qcow2", raw, path, NULL};
    g_autofree char *drive = g_strdup_printf("format=qcow2,file=%s", path);
    Hba hba;

    rig_run(convert);
    hba = hba_start(drive, properties);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    return hba;
}

static bool skip_without_img(void)
{
    g_autofree char *img = rig_tool("qemu-img");

    if (!img) {
        g_test_skip("no qemu-img beside QEMU");
    }
    return !img;
}

/*
 * Saved with a read, a write, a list and an abort under way; afterwards everything is changed; then loaded.
 * qtest's clock does not go back with loadvm, so no time passes between.
 */
static void test_saved_commands(void)
{
    static const struct fltvm_hba_segment segments[] = {{HBA_DATA_2, 500, 0}, {HBA_DATA_2 + 0x1000, 524, 0}};
    struct fltvm_hba_command list = hba_read(3, 20, 2, 0);
    HbaQueue saved;
    Hba hba;

    if (skip_without_img()) {
        return;
    }
    hba = start_qcow2(NULL);
    hba_use_list(&hba, &list, segments, 2);
    hba_submit(&hba, 0, hba_read(1, 5, 1, HBA_DATA));
    hba_fill(&hba, HBA_DATA + 0x10000, HBA_BLOCK, 0x3C);
    hba_submit(&hba, 0, hba_write(2, 50, 1, HBA_DATA + 0x10000));
    hba_submit(&hba, 0, list);
    hba_submit(&hba, 0, hba_flush(4));
    hba_submit(&hba, 0, hba_abort(5, 0, 4));
    saved = hba.queue[0];
    rig_monitor(hba.rig, "savevm one");
    hba_set(&hba, FLTVM_HBA_REG_CONTROL, 0);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_submit(&hba, 0, hba_read(77, 0, 1, HBA_DATA));
    rig_monitor(hba.rig, "loadvm one");
    hba.queue[0] = saved;
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 5);
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 4, FLTVM_HBA_S_ABORTED, 0);
    hba_expect(&hba, 0, 5, FLTVM_HBA_S_OK, 0);
    rig_clock_step(hba.rig, HBA_READ_NS - HBA_COMMAND_NS - 1);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 3, FLTVM_HBA_S_OK, 2);
    hba_assert_pattern(&hba, HBA_DATA, 5 * HBA_BLOCK, HBA_BLOCK);
    hba_assert_pattern(&hba, HBA_DATA_2, 20 * HBA_BLOCK, 500);
    hba_assert_pattern(&hba, HBA_DATA_2 + 0x1000, 20 * HBA_BLOCK + 500, 524);
    rig_clock_step(hba.rig, HBA_WRITE_NS - HBA_READ_NS);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 1);
    rig_msix_take_all(&hba.pci);
    hba_run(&hba, hba_read(6, 50, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_byte(&hba, HBA_DATA, HBA_BLOCK, 0x3C);
    hba_stop(&hba);
}

/* What waits for a later one to complete does so afterwards. */
static void test_saved_order(void)
{
    HbaQueue saved;
    Hba hba;

    if (skip_without_img()) {
        return;
    }
    hba = start_qcow2("faults=op=read:do=reorder:delay-ns=1000000");
    hba_submit(&hba, 0, hba_read(1, 5, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_write(2, 50, 1, HBA_DATA_2));
    saved = hba.queue[0];
    rig_monitor(hba.rig, "savevm one");
    hba_set(&hba, FLTVM_HBA_REG_CONTROL, 0);
    rig_monitor(hba.rig, "loadvm one");
    hba.queue[0] = saved;
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 2);
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, HBA_WRITE_NS - HBA_READ_NS);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_stop(&hba);
}

/* What a read in flight has read is saved with it, even if the block changes before the saving. */
static void test_saved_data(void)
{
    HbaQueue saved;
    Hba hba;

    if (skip_without_img()) {
        return;
    }
    hba = start_qcow2("read-ns=1000003");
    hba_submit(&hba, 0, hba_read(1, 5, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_write(2, 5, 1, HBA_DATA_2));
    rig_clock_step(hba.rig, HBA_WRITE_NS);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 1);
    saved = hba.queue[0];
    rig_monitor(hba.rig, "savevm one");
    rig_monitor(hba.rig, "loadvm one");
    hba.queue[0] = saved;
    rig_clock_step(hba.rig, 1000003 - HBA_WRITE_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_assert_pattern(&hba, HBA_DATA, 5 * HBA_BLOCK, HBA_BLOCK);
    hba_stop(&hba);
}

static void test_saved_rules(void)
{
    Hba hba;

    if (skip_without_img()) {
        return;
    }
    hba = start_qcow2("faults=op=read:nth=3:count=1:do=error:status=0x10");
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_read(2, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    for (int i = 0; i < 2; i++) {
        HbaQueue saved = hba.queue[0];

        if (i == 0) {
            rig_monitor(hba.rig, "savevm one");
        }
        hba_run(&hba, hba_read(3, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_MEDIA_READ);
        hba_run(&hba, hba_read(4, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
        rig_monitor(hba.rig, "loadvm one");
        hba.queue[0] = saved;
    }
    hba_stop(&hba);
}

static void test_saved_fatal(void)
{
    Hba hba;

    if (skip_without_img()) {
        return;
    }
    hba = start_qcow2(NULL);
    hba_submit(&hba, 0, hba_flush(1));
    rig_pci_enable(&hba.pci, true, false);
    rig_clock_step(hba.rig, HBA_FLUSH_NS);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_STATUS), ==, FLTVM_HBA_STATUS_FATAL);
    rig_monitor(hba.rig, "savevm one");
    hba_set(&hba, FLTVM_HBA_REG_CONTROL, 0);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_STATUS), ==, 0);
    rig_monitor(hba.rig, "loadvm one");
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_STATUS), ==, FLTVM_HBA_STATUS_FATAL);
    g_assert_cmphex(hba_take_error(&hba, 0), ==, FLTVM_HBA_ERROR_POST);
    g_assert_cmphex(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_STATUS), ==, FLTVM_HBA_QUEUE_STATUS_ERROR);
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/reset/system", test_system_reset);
    g_test_add_func("/hba/reset/function", test_function_reset);
    g_test_add_func("/hba/reset/slow-host", test_reset_slow_host);
    g_test_add_func("/hba/saved/commands", test_saved_commands);
    g_test_add_func("/hba/saved/order", test_saved_order);
    g_test_add_func("/hba/saved/data", test_saved_data);
    g_test_add_func("/hba/saved/rules", test_saved_rules);
    g_test_add_func("/hba/saved/fatal", test_saved_fatal);
    return g_test_run();
}
