/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: media that are changed, against docs/specs/fltvm-hba.rst.
 *
 * Three media of blocks that hold the medium's number.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 64
#define MEDIA  3

static char *drive(uint8_t number)
{
    g_autofree char *name = g_strdup_printf("medium-%u.raw", number);
    g_autofree char *path = rig_image(name, BLOCKS * HBA_BLOCK);
    g_autofree char *bytes = g_malloc(BLOCKS * HBA_BLOCK);

    memset(bytes, number, BLOCKS * HBA_BLOCK);
    g_assert_true(g_file_set_contents(path, bytes, BLOCKS * HBA_BLOCK, NULL));
    return g_strdup_printf("format=raw,file=%s", path);
}

static Hba start(const char *properties)
{
    g_autofree char *first = drive(1), *second = drive(2), *third = drive(3);
    g_autofree char *more = g_strdup_printf("removable=on,drive2=d2,drive3=d3%s%s", properties ? "," : "",
                                            properties ? properties : "");
    const char *drives[] = {second, third, NULL};
    Hba hba = hba_start_media(first, drives, more);

    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    return hba;
}

static void insert(Hba *hba, uint32_t medium)
{
    hba_set(hba, FLTVM_HBA_REG_MEDIUM, medium);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_MEDIUM), ==, medium);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_MEDIUM_CHANGED), ==, medium != 0);
    hba_assert_no_error(hba);
}

static void acknowledge(Hba *hba)
{
    hba_set(hba, FLTVM_HBA_REG_MEDIUM_CHANGED, 1);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_MEDIUM_CHANGED), ==, 0);
    hba_assert_no_error(hba);
}

static void assert_block(Hba *hba, uint64_t lba, uint8_t byte)
{
    uint8_t bytes[HBA_BLOCK];

    hba_run(hba, hba_read(3, lba, 1, HBA_DATA_2), HBA_READ_NS, FLTVM_HBA_S_OK);
    rig_read_block(hba->rig, HBA_DATA_2, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        g_assert_cmpuint(bytes[i], ==, byte);
    }
}

static void write_block(Hba *hba, uint64_t lba, uint8_t byte)
{
    hba_fill(hba, HBA_DATA, HBA_BLOCK, byte);
    hba_run(hba, hba_write(1, lba, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
}

static void test_fixed(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FEATURES) & FLTVM_HBA_FEATURE_REMOVABLE, ==, 0);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_MEDIA), ==, 0);
    hba_assert_no_error(&hba);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_MEDIUM), ==, UINT32_MAX);
    g_assert_cmphex(hba_take_error(&hba, FLTVM_HBA_REG_MEDIUM), ==, FLTVM_HBA_ERROR_ACCESS);
    hba_set(&hba, FLTVM_HBA_REG_MEDIUM, 0);
    g_assert_cmphex(hba_take_error(&hba, FLTVM_HBA_REG_MEDIUM), ==, FLTVM_HBA_ERROR_ACCESS);
    hba_set(&hba, FLTVM_HBA_REG_MEDIUM_CHANGED, 1);
    g_assert_cmphex(hba_take_error(&hba, FLTVM_HBA_REG_MEDIUM_CHANGED), ==, FLTVM_HBA_ERROR_ACCESS);
    hba_run(&hba, hba_flush(1), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

static void test_registers(void)
{
    Hba hba = start(NULL);

    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FEATURES) & FLTVM_HBA_FEATURE_REMOVABLE, !=, 0);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_MEDIA), ==, MEDIA);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_MEDIUM), ==, 1);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_MEDIUM_CHANGED), ==, 0);
    hba_set(&hba, FLTVM_HBA_REG_MEDIUM, MEDIA + 1);
    g_assert_cmphex(hba_take_error(&hba, FLTVM_HBA_REG_MEDIUM), ==, FLTVM_HBA_ERROR_ACCESS);
    hba_set(&hba, FLTVM_HBA_REG_MEDIUM_CHANGED, 2);
    g_assert_cmphex(hba_take_error(&hba, FLTVM_HBA_REG_MEDIUM_CHANGED), ==, FLTVM_HBA_ERROR_ACCESS);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_MEDIUM), ==, 1);
    assert_block(&hba, 0, 1);
    insert(&hba, 2);
    rig_reset(hba.rig);
    hba_again(&hba);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_MEDIUM), ==, 1);
    assert_block(&hba, 0, 1);
    hba_stop(&hba);
}

static void test_refused(void)
{
    Hba hba = start(NULL);

    insert(&hba, 0);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_NO_MEDIUM);
    hba_run(&hba, hba_write(1, 0, 1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_NO_MEDIUM);
    hba_run(&hba, hba_flush(1), HBA_COMMAND_NS, FLTVM_HBA_S_NO_MEDIUM);
    hba_run(&hba, hba_identify(1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_OK);
    insert(&hba, 3);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_MEDIUM_CHANGED);
    hba_run(&hba, hba_write(1, 0, 1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_MEDIUM_CHANGED);
    hba_run(&hba, hba_flush(1), HBA_COMMAND_NS, FLTVM_HBA_S_MEDIUM_CHANGED);
    hba_run(&hba, hba_identify(1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_OK);
    acknowledge(&hba);
    assert_block(&hba, 0, 3);
    insert(&hba, 3); /* the same again */
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_MEDIUM_CHANGED);
    acknowledge(&hba);
    assert_block(&hba, BLOCKS - 1, 3);
    hba_stop(&hba);
}

static void test_each_its_own(void)
{
    Hba hba = start(NULL);

    for (uint8_t medium = 1; medium <= MEDIA; medium++) {
        insert(&hba, medium);
        acknowledge(&hba);
        write_block(&hba, 7, 0x10 + medium);
    }
    for (uint8_t medium = 1; medium <= MEDIA; medium++) {
        insert(&hba, medium);
        acknowledge(&hba);
        assert_block(&hba, 6, medium);
        assert_block(&hba, 7, 0x10 + medium);
        hba_run(&hba, hba_read(1, BLOCKS, 1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_LBA_RANGE);
    }
    hba_stop(&hba);
}

/* What was fetched before a change goes on with the medium that was in. */
static void test_in_flight(void)
{
    Hba hba = start(NULL);
    uint8_t bytes[HBA_BLOCK];
    HbaDone done;

    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0x77);
    hba_submit(&hba, 0, hba_read(1, 5, 1, HBA_DATA_2));
    hba_submit(&hba, 0, hba_write(2, 9, 1, HBA_DATA));
    insert(&hba, 2);
    acknowledge(&hba);
    rig_clock_step(hba.rig, HBA_WRITE_NS);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(hba_take(&hba, 0, &done));
        g_assert_cmphex(done.status, ==, FLTVM_HBA_S_OK);
    }
    g_assert_true(rig_msix_take(&hba.pci, 0));
    rig_read_block(hba.rig, HBA_DATA_2, bytes, sizeof(bytes));
    g_assert_cmpuint(bytes[0], ==, 1);
    assert_block(&hba, 9, 2);
    insert(&hba, 1);
    acknowledge(&hba);
    assert_block(&hba, 9, 0x77);
    hba_stop(&hba);
}

/* A medium that is taken out has what was written to it; one that is in may lose it. */
static void test_cache(void)
{
    Hba hba = start("volatile-cache=on,faults=op=write:lba=20:count=1:do=power-cut:keep=none");

    write_block(&hba, 7, 0x11);
    insert(&hba, 2);
    acknowledge(&hba);
    write_block(&hba, 7, 0x22);
    write_block(&hba, 20, 0x33);
    rig_reset(hba.rig);
    hba_again(&hba);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    assert_block(&hba, 7, 0x11);
    insert(&hba, 2);
    acknowledge(&hba);
    assert_block(&hba, 7, 2);
    assert_block(&hba, 20, 2);
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/media/fixed", test_fixed);
    g_test_add_func("/hba/media/registers", test_registers);
    g_test_add_func("/hba/media/refused", test_refused);
    g_test_add_func("/hba/media/each-its-own", test_each_its_own);
    g_test_add_func("/hba/media/in-flight", test_in_flight);
    g_test_add_func("/hba/media/cache", test_cache);
    return g_test_run();
}
