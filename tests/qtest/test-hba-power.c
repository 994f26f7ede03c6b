/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: the volatile write cache and power cuts, against docs/specs/fltvm-hba.rst.
 *
 * A write to block CUT completes, and then the power is cut; a system reset brings it back, and the disk is read.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 256
#define CUT    200
#define OLD    (-1) /* a block is as the pattern has it */

static void run_again(Hba *hba)
{
    rig_reset(hba->rig);
    hba_again(hba);
    hba_enable(hba);
    hba_queue_start(hba, 0, HBA_DEPTH);
}

static Hba start(const char *keep, bool cache)
{
    g_autofree char *properties = g_strdup_printf("%sfaults=op=write:lba=200:count=1:do=power-cut:keep=%s",
                                                  cache ? "volatile-cache=on," : "", keep);

    return hba_start_disk(BLOCKS, properties);
}

static void write_blocks(Hba *hba, uint64_t lba, uint32_t blocks, uint8_t byte, uint8_t flags)
{
    struct fltvm_hba_command command = hba_write(1, lba, blocks, HBA_DATA);

    command.flags = flags;
    hba_fill(hba, HBA_DATA, blocks * HBA_BLOCK, byte);
    hba_run(hba, command, HBA_WRITE_NS, FLTVM_HBA_S_OK);
}

static void flush(Hba *hba)
{
    hba_run(hba, hba_flush(2), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
}

static void cut(Hba *hba)
{
    write_blocks(hba, CUT, 1, 0xCC, 0);
    run_again(hba);
}

/* OLD, or the byte that the whole block has. */
static int look(Hba *hba, uint64_t lba)
{
    uint8_t bytes[HBA_BLOCK];

    hba_run(hba, hba_read(3, lba, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    rig_read_block(hba->rig, HBA_DATA, bytes, sizeof(bytes));
    for (size_t i = 1; i < sizeof(bytes); i++) {
        if (bytes[i] != bytes[0]) {
            hba_assert_pattern(hba, HBA_DATA, lba * HBA_BLOCK, HBA_BLOCK);
            return OLD;
        }
    }
    return bytes[0];
}

static void test_feature(void)
{
    Hba hba = start("none", true);

    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FEATURES) & FLTVM_HBA_FEATURE_CACHE, !=, 0);
    hba_stop(&hba);
    hba = hba_start_disk(BLOCKS, NULL);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FEATURES) & FLTVM_HBA_FEATURE_CACHE, ==, 0);
    hba_stop(&hba);
}

static void test_without_cache(void)
{
    Hba hba = start("none", false);

    write_blocks(&hba, 10, 2, 0x11, 0);
    cut(&hba);
    g_assert_cmpint(look(&hba, 10), ==, 0x11);
    g_assert_cmpint(look(&hba, 11), ==, 0x11);
    g_assert_cmpint(look(&hba, CUT), ==, 0xCC);
    hba_stop(&hba);
}

static void test_flush(void)
{
    Hba hba = start("none", true);

    write_blocks(&hba, 10, 2, 0x11, 0);
    flush(&hba);
    write_blocks(&hba, 11, 2, 0x22, 0);
    g_assert_cmpint(look(&hba, 11), ==, 0x22); /* what is read is what was written last */
    cut(&hba);
    g_assert_cmpint(look(&hba, 10), ==, 0x11);
    g_assert_cmpint(look(&hba, 11), ==, 0x11);
    g_assert_cmpint(look(&hba, 12), ==, OLD);
    g_assert_cmpint(look(&hba, CUT), ==, OLD);
    hba_stop(&hba);
}

static void test_keep_all(void)
{
    Hba hba = start("all", true);

    write_blocks(&hba, 10, 2, 0x11, 0);
    cut(&hba);
    g_assert_cmpint(look(&hba, 10), ==, 0x11);
    g_assert_cmpint(look(&hba, CUT), ==, 0xCC);
    hba_stop(&hba);
}

static void test_keep_last(void)
{
    Hba hba = start("last", true);

    write_blocks(&hba, CUT - 1, 1, 0x11, 0);
    write_blocks(&hba, 10, 1, 0x22, 0);
    cut(&hba);
    g_assert_cmpint(look(&hba, 10), ==, OLD);
    g_assert_cmpint(look(&hba, CUT - 1), ==, OLD);
    g_assert_cmpint(look(&hba, CUT), ==, 0xCC);
    hba_stop(&hba);
}

/* A write that passes by the cache covers older ones of its blocks, and no others. */
static void test_fua(void)
{
    Hba hba = start("none", true);

    write_blocks(&hba, 10, 3, 0x11, 0);
    write_blocks(&hba, 11, 1, 0x22, FLTVM_HBA_FLAG_FUA);
    write_blocks(&hba, 30, 1, 0x33, FLTVM_HBA_FLAG_FUA);
    write_blocks(&hba, 30, 1, 0x44, 0);
    cut(&hba);
    g_assert_cmpint(look(&hba, 10), ==, OLD);
    g_assert_cmpint(look(&hba, 11), ==, 0x22);
    g_assert_cmpint(look(&hba, 12), ==, OLD);
    g_assert_cmpint(look(&hba, 30), ==, 0x33);
    hba_stop(&hba);
}

/* What completes after the flush was fetched is not flushed by it. */
static void test_flush_and_flight(void)
{
    Hba hba = start("none", true);

    write_blocks(&hba, 10, 1, 0x11, 0);
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0x22);
    hba_submit(&hba, 0, hba_write(1, 20, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_flush(2));
    rig_clock_step(hba.rig, HBA_WRITE_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    rig_clock_step(hba.rig, HBA_FLUSH_NS - HBA_WRITE_NS);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 0);
    rig_msix_take_all(&hba.pci);
    cut(&hba);
    g_assert_cmpint(look(&hba, 10), ==, 0x11);
    g_assert_cmpint(look(&hba, 20), ==, OLD);
    hba_stop(&hba);
}

/* When the cut comes nothing in flight completes, and nothing is fetched. */
static void test_off(void)
{
    Hba hba = start("none", true);

    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0x11);
    hba_submit(&hba, 0, hba_write(1, CUT, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_write(2, 10, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_flush(3));
    rig_clock_step(hba.rig, HBA_WRITE_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_submit(&hba, 0, hba_read(4, 0, 1, HBA_DATA));
    rig_clock_step(hba.rig, 10 * HBA_FLUSH_NS);
    hba_expect_none(&hba, 0);
    run_again(&hba);
    g_assert_cmpint(look(&hba, 10), ==, OLD);
    hba_stop(&hba);
}

/* What a seed keeps: for 64 writes of eight blocks a string of '0' and '1'. */
static char *some(const char *seed)
{
    Hba hba = start(seed, true);
    GString *text = g_string_new(NULL);

    for (uint64_t i = 0; i < 24; i++) {
        write_blocks(&hba, i * 8, 8, 0x11, 0);
    }
    cut(&hba);
    for (uint64_t lba = 0; lba < 192; lba++) {
        int found = look(&hba, lba);

        g_assert_true(found == OLD || found == 0x11);
        g_string_append_c(text, found == OLD ? '0' : '1');
        if (lba % 8 == 7) {
            g_string_append_c(text, ' ');
        }
    }
    hba_stop(&hba);
    return g_string_free(text, FALSE);
}

static void test_some(void)
{
    g_autofree char *one = some("1"), *again = some("1"), *two = some("2");

    g_assert_cmpstr(one, ==, again);
    g_assert_cmpstr(one, !=, two);
    g_assert_nonnull(strstr(one, "00000000 "));
    g_assert_nonnull(strstr(one, "11111111 "));
    g_assert_true(strstr(one, "01") && strstr(one, "10")); /* torn */
}

/* The cache holds 8 MiB: what comes then makes the oldest stable. */
static void test_full(void)
{
    Hba hba = hba_start_disk(10 * 2048, "volatile-cache=on,faults=op=write:lba=20479:count=1:do=power-cut:keep=none");

    for (uint64_t i = 0; i < 9; i++) {
        write_blocks(&hba, i * 2048, 2048, 0x11, 0);
    }
    write_blocks(&hba, 20479, 1, 0xCC, 0);
    run_again(&hba);
    g_assert_cmpint(look(&hba, 0), ==, 0x11);
    g_assert_cmpint(look(&hba, 2047), ==, 0x11);
    g_assert_cmpint(look(&hba, 4096), ==, OLD);
    g_assert_cmpint(look(&hba, 8 * 2048), ==, OLD);
    hba_stop(&hba);
}

/* A machine that is saved has its cache with it. */
static void test_saved(void)
{
    g_autofree char *img = rig_tool("qemu-img"), *raw = NULL, *path = NULL, *drive = NULL;
    HbaQueue saved;
    Hba hba;

    if (!img) {
        g_test_skip("no qemu-img beside QEMU");
        return;
    }
    raw = rig_image("disk.raw", BLOCKS * HBA_BLOCK);
    path = rig_file("disk.qcow2");
    rig_run((const char *[]){img, "convert", "-O", "qcow2", raw, path, NULL});
    drive = g_strdup_printf("format=qcow2,file=%s", path);
    hba = hba_start(drive, "volatile-cache=on,faults=op=write:lba=200:count=1:do=power-cut:keep=none");
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    write_blocks(&hba, 10, 2, 0x11, 0);
    write_blocks(&hba, 11, 1, 0x22, FLTVM_HBA_FLAG_FUA);
    saved = hba.queue[0];
    rig_monitor(hba.rig, "savevm one");
    flush(&hba);
    write_blocks(&hba, 12, 1, 0x33, 0);
    rig_monitor(hba.rig, "loadvm one");
    hba.queue[0] = saved;
    cut(&hba);
    g_assert_cmpint(look(&hba, 10), ==, OLD);
    g_assert_cmpint(look(&hba, 11), ==, 0x22);
    g_assert_cmpint(look(&hba, 12), ==, OLD);
    hba_stop(&hba);
}

/* Half of a write's blocks; other commands, and a single block, as if nothing had been begun. */
static void test_torn(void)
{
    Hba hba = hba_start_disk(BLOCKS, "faults=op=read+write:count=4:do=torn:status=0x14");

    hba_fill(&hba, HBA_DATA, 5 * HBA_BLOCK, 0x11);
    hba_run(&hba, hba_write(1, 10, 5, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_DEVICE_FAULT);
    hba_run(&hba, hba_write(1, 20, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_DEVICE_FAULT);
    hba_run(&hba, hba_write(1, 30, 2, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_DEVICE_FAULT);
    hba_run(&hba, hba_read(1, 10, 5, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_DEVICE_FAULT);
    hba_assert_byte(&hba, HBA_DATA, 5 * HBA_BLOCK, 0x11);
    g_assert_cmpint(look(&hba, 10), ==, 0x11);
    g_assert_cmpint(look(&hba, 11), ==, 0x11);
    g_assert_cmpint(look(&hba, 12), ==, OLD);
    g_assert_cmpint(look(&hba, 20), ==, OLD);
    g_assert_cmpint(look(&hba, 30), ==, 0x11);
    g_assert_cmpint(look(&hba, 31), ==, OLD);
    hba_stop(&hba);
}

/* The guest has no hand in the power. */
static void test_window(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_set(&hba, FLTVM_HBA_REG_FAULT_INDEX, 0);
    hba_set(&hba, FLTVM_HBA_REG_FAULT_OPS, FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_WRITE));
    hba_set(&hba, FLTVM_HBA_REG_FAULT_LAST_LO, BLOCKS);
    hba_set(&hba, FLTVM_HBA_REG_FAULT_NTH, 1);
    hba_set(&hba, FLTVM_HBA_REG_FAULT_ACTION, FLTVM_HBA_FAULT_ACTION_POWER_CUT);
    hba_set(&hba, FLTVM_HBA_REG_FAULT_COMMAND, FLTVM_HBA_FAULT_COMMAND_STORE);
    g_assert_cmphex(hba_take_error(&hba, 0), ==, FLTVM_HBA_ERROR_FAULT);
    hba_run(&hba, hba_write(1, 0, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_write(2, 0, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/power/feature", test_feature);
    g_test_add_func("/hba/power/without-cache", test_without_cache);
    g_test_add_func("/hba/power/flush", test_flush);
    g_test_add_func("/hba/power/keep-all", test_keep_all);
    g_test_add_func("/hba/power/keep-last", test_keep_last);
    g_test_add_func("/hba/power/fua", test_fua);
    g_test_add_func("/hba/power/flush-and-flight", test_flush_and_flight);
    g_test_add_func("/hba/power/off", test_off);
    g_test_add_func("/hba/power/some", test_some);
    g_test_add_func("/hba/power/full", test_full);
    g_test_add_func("/hba/power/saved", test_saved);
    g_test_add_func("/hba/power/torn", test_torn);
    g_test_add_func("/hba/power/window", test_window);
    return g_test_run();
}
