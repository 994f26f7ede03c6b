/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: DISCARD, against docs/specs/fltvm-hba.rst.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 4096

static struct fltvm_hba_command discard(uint64_t lba, uint32_t blocks)
{
    struct fltvm_hba_command command;

    memset(&command, 0, sizeof(command));
    command.opcode = FLTVM_HBA_OP_DISCARD;
    command.id = 5;
    command.lba = lba;
    command.blocks = blocks;
    return command;
}

static void assert_zeros(Hba *hba, uint64_t lba, uint32_t blocks)
{
    hba_run(hba, hba_read(3, lba, blocks, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_byte(hba, HBA_DATA, blocks * HBA_BLOCK, 0);
}

static void assert_kept(Hba *hba, uint64_t lba, uint32_t blocks)
{
    hba_run(hba, hba_read(3, lba, blocks, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(hba, HBA_DATA, lba * HBA_BLOCK, blocks * HBA_BLOCK);
}

static void test_zeros(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FEATURES) & FLTVM_HBA_FEATURE_DISCARD, !=, 0);
    hba_submit(&hba, 0, discard(100, 7));
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 5, FLTVM_HBA_S_OK, 7);
    g_assert_true(rig_msix_take(&hba.pci, 0));
    assert_zeros(&hba, 100, 7);
    assert_kept(&hba, 99, 1);
    assert_kept(&hba, 107, 1);
    hba_run(&hba, discard(BLOCKS - 2048, 2048), HBA_COMMAND_NS, FLTVM_HBA_S_OK); /* as much as there may be */
    assert_zeros(&hba, BLOCKS - 1, 1);
    assert_kept(&hba, BLOCKS - 2049, 1);
    hba_stop(&hba);
}

static void test_refused(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    struct fltvm_hba_command command = discard(0, 1);

    hba_run(&hba, discard(0, 0), HBA_COMMAND_NS, FLTVM_HBA_S_INVALID_FIELD);
    hba_run(&hba, discard(0, 2049), HBA_COMMAND_NS, FLTVM_HBA_S_TOO_LARGE);
    hba_run(&hba, discard(BLOCKS - 1, 2), HBA_COMMAND_NS, FLTVM_HBA_S_LBA_RANGE);
    hba_run(&hba, discard(UINT64_MAX, 1), HBA_COMMAND_NS, FLTVM_HBA_S_LBA_RANGE);
    command.segments = 1;
    hba_run(&hba, command, HBA_COMMAND_NS, FLTVM_HBA_S_INVALID_FIELD);
    command = discard(0, 1);
    command.flags = FLTVM_HBA_FLAG_FUA;
    hba_run(&hba, command, HBA_COMMAND_NS, FLTVM_HBA_S_INVALID_FIELD);
    command = discard(0, 1);
    command.opcode = FLTVM_HBA_OP_WRITE_ZEROES;
    hba_run(&hba, command, HBA_COMMAND_NS, FLTVM_HBA_S_INVALID_OPCODE);
    assert_kept(&hba, 0, 1);
    hba_stop(&hba);
}

static void test_read_only(void)
{
    g_autofree char *path = rig_image("disk.raw", BLOCKS * HBA_BLOCK);
    g_autofree char *drive = g_strdup_printf("format=raw,readonly=on,file=%s", path);
    Hba hba = hba_start(drive, NULL);

    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_run(&hba, discard(0, 1), HBA_COMMAND_NS, FLTVM_HBA_S_WRITE_PROTECTED);
    assert_kept(&hba, 0, 1);
    hba_stop(&hba);
}

/* For the write cache it is a write: a power cut gives back what was there. */
static void test_cut(void)
{
    Hba hba = hba_start_disk(BLOCKS, "volatile-cache=on,faults=op=write:lba=200:count=1:do=power-cut:keep=none");

    hba_run(&hba, discard(10, 1), HBA_COMMAND_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_flush(2), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, discard(20, 1), HBA_COMMAND_NS, FLTVM_HBA_S_OK);
    assert_zeros(&hba, 20, 1);
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0xCC);
    hba_run(&hba, hba_write(1, 200, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
    rig_reset(hba.rig);
    hba_again(&hba);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    assert_zeros(&hba, 10, 1);
    assert_kept(&hba, 20, 1);
    assert_kept(&hba, 200, 1);
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/discard/zeros", test_zeros);
    g_test_add_func("/hba/discard/refused", test_refused);
    g_test_add_func("/hba/discard/read-only", test_read_only);
    g_test_add_func("/hba/discard/cut", test_cut);
    return g_test_run();
}
