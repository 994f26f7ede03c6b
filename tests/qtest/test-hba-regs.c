/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: registers, queue configuration, doorbells, and what it makes of images it is given, against
 * docs/specs/fltvm-hba.rst.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 64
#define QUEUES 16

static void test_identity(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_ID), ==, FLTVM_HBA_ID);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_VERSION), ==, FLTVM_HBA_VERSION);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_QUEUES), ==, QUEUES);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_VECTORS), ==, hba.pci.vectors);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_MAX_DEPTH), ==, 256);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCK_SIZE), ==, HBA_BLOCK);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCKS_LO), ==, BLOCKS);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCKS_HI), ==, 0);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_MAX_SEGMENTS), ==, 256);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_MAX_TRANSFER), ==, 1u << 20);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_DOORBELL_STRIDE), ==, 8);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FEATURES), ==, FLTVM_HBA_FEATURE_FUA | FLTVM_HBA_FEATURE_FAULTS | FLTVM_HBA_FEATURE_DISCARD);
    hba_assert_no_error(&hba);
    hba_stop(&hba);
}

/* A disk beyond 32 bits of blocks. */
static void test_large_disk(void)
{
    Hba hba = hba_start("driver=null-co,read-zeroes=on,size=4T", NULL);
    struct fltvm_hba_command command = hba_read(1, (UINT64_C(4) << 40) / HBA_BLOCK - 1, 1, HBA_DATA);

    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCKS_LO), ==, 0);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCKS_HI), ==, 2);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 1);
    hba_run(&hba, command, HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_byte(&hba, HBA_DATA, HBA_BLOCK, 0);
    hba_stop(&hba);
}

static void test_bad_access(void)
{
    static const struct {
        uint32_t offset;
        unsigned size;
    } bad[] = {
        {FLTVM_HBA_REG_ID, 1},
        {FLTVM_HBA_REG_ID, 2},
        {FLTVM_HBA_REG_ID, 8},
        {FLTVM_HBA_REG_ID + 1, 1},
        {FLTVM_HBA_REG_ID + 2, 4},
        {FLTVM_HBA_REG_BLOCKS_LO, 8},
        {FLTVM_HBA_REG_CONTROL, 1},
        {0x034, 4},
        {0x3FC, 4},
        {FLTVM_HBA_REG_FAULT_HITS + 4, 4},
        {FLTVM_HBA_REG_FAULT_OPS, 2},
        {0xFFC, 4},
        {FLTVM_HBA_REG_QUEUE(0) + 0x2C, 4},
        {FLTVM_HBA_REG_QUEUE(0) + FLTVM_HBA_QUEUE_DEPTH, 8},
        {FLTVM_HBA_REG_QUEUE(QUEUES), 4},
        {0x3FFC, 4},
        {FLTVM_HBA_DOORBELLS, 8},
        {FLTVM_HBA_DOORBELLS, 2},
        {FLTVM_HBA_DOORBELLS + 2, 4},
        {0xBFFC, 4},
        {0xFFFC, 4},
    };
    static const uint32_t read_only[] = {
        FLTVM_HBA_REG_ID,
        FLTVM_HBA_REG_BLOCKS_LO,
        FLTVM_HBA_REG_STATUS,
        FLTVM_HBA_REG_ERROR_INFO,
        FLTVM_HBA_REG_QUEUE(0) + FLTVM_HBA_QUEUE_STATUS,
        FLTVM_HBA_REG_QUEUE(0) + FLTVM_HBA_QUEUE_SQ_HEAD,
        FLTVM_HBA_REG_QUEUE(0) + FLTVM_HBA_QUEUE_CQ_TAIL,
        FLTVM_HBA_REG_QUEUE(0) + FLTVM_HBA_QUEUE_PENDING,
        FLTVM_HBA_REG_FAULT_RULES,
        FLTVM_HBA_REG_FAULT_MATCHES,
        FLTVM_HBA_REG_FAULT_HITS,
    };
    static const uint32_t write_only[] = {
        FLTVM_HBA_DOORBELLS,
        FLTVM_HBA_DOORBELLS + 4,
        FLTVM_HBA_REG_FAULT_COMMAND,
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint64_t address = hba.pci.bar + bad[i].offset;

        g_assert_cmphex(rig_read(hba.rig, address, bad[i].size), ==, UINT64_MAX >> (64 - 8 * bad[i].size));
        g_assert_cmphex(hba_take_error(&hba, bad[i].offset), ==, FLTVM_HBA_ERROR_ACCESS);
        rig_write(hba.rig, address, 0, bad[i].size);
        g_assert_cmphex(hba_take_error(&hba, bad[i].offset), ==, FLTVM_HBA_ERROR_ACCESS);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(read_only); i++) {
        hba_set(&hba, read_only[i], 1);
        g_assert_cmphex(hba_take_error(&hba, read_only[i]), ==, FLTVM_HBA_ERROR_ACCESS);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(write_only); i++) {
        g_assert_cmphex(hba_get(&hba, write_only[i]), ==, UINT32_MAX);
        g_assert_cmphex(hba_take_error(&hba, write_only[i]), ==, FLTVM_HBA_ERROR_ACCESS);
    }
    hba_set(&hba, FLTVM_HBA_REG_CONTROL, 2);
    g_assert_cmphex(hba_take_error(&hba, FLTVM_HBA_REG_CONTROL), ==, FLTVM_HBA_ERROR_ACCESS);
    /* Still as it was. */
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_STATUS), ==, FLTVM_HBA_STATUS_READY);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

static void test_error_bits(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_get(&hba, 0x34);
    hba_set(&hba, FLTVM_HBA_DOORBELLS, HBA_DEPTH);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_ERROR), ==, FLTVM_HBA_ERROR_ACCESS | FLTVM_HBA_ERROR_DOORBELL);
    hba_set(&hba, FLTVM_HBA_REG_ERROR, FLTVM_HBA_ERROR_ACCESS);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_ERROR), ==, FLTVM_HBA_ERROR_DOORBELL);
    hba_stop(&hba);
}

static void test_enable(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_set(&hba, FLTVM_HBA_REG_CONTROL, 0);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_STATUS), ==, 0);
    g_assert_cmphex(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_CONTROL), ==, 0);
    g_assert_cmphex(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_STATUS), ==, 0);
    /* No queue without the controller; what was configured is still there. */
    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, FLTVM_HBA_QUEUE_CONTROL_ENABLE);
    g_assert_cmphex(hba_take_error(&hba, 0), ==, FLTVM_HBA_ERROR_QUEUE);
    g_assert_cmphex(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_SQ_BASE_LO), ==, HBA_SQ(0));
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    hba_enable(&hba); /* again: nothing happens */
    g_assert_cmphex(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_STATUS), ==, FLTVM_HBA_QUEUE_STATUS_RUNNING);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

static void test_queue_configuration(void)
{
    static const struct {
        uint32_t offset, value;
    } bad[] = {
        {FLTVM_HBA_QUEUE_SQ_BASE_LO, HBA_SQ(3) + 1}, {FLTVM_HBA_QUEUE_SQ_BASE_LO, HBA_SQ(3) + 32},
        {FLTVM_HBA_QUEUE_CQ_BASE_LO, HBA_CQ(3) + 16}, {FLTVM_HBA_QUEUE_DEPTH, 0},
        {FLTVM_HBA_QUEUE_DEPTH, 1},                   {FLTVM_HBA_QUEUE_DEPTH, 257},
        {FLTVM_HBA_QUEUE_DEPTH, UINT32_MAX},          {FLTVM_HBA_QUEUE_VECTOR, QUEUES},
        {FLTVM_HBA_QUEUE_VECTOR, UINT32_MAX},         {FLTVM_HBA_QUEUE_CONTROL, 4},
        {FLTVM_HBA_QUEUE_CONTROL, UINT32_MAX},
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        hba_queue_start(&hba, 3, HBA_DEPTH);
        hba_queue_set(&hba, 3, FLTVM_HBA_QUEUE_CONTROL, 0);
        hba_assert_no_error(&hba);
        hba_queue_set(&hba, 3, bad[i].offset, bad[i].value);
        hba_queue_set(&hba, 3, FLTVM_HBA_QUEUE_CONTROL, FLTVM_HBA_QUEUE_CONTROL_ENABLE);
        if (bad[i].offset == FLTVM_HBA_QUEUE_CONTROL) {
            /* refused, and the next one accepted */
            hba_queue_set(&hba, 3, FLTVM_HBA_QUEUE_CONTROL, 0);
        }
        g_assert_cmphex(hba_take_error(&hba, 3), ==, FLTVM_HBA_ERROR_QUEUE);
        g_assert_cmphex(hba_queue_get(&hba, 3, FLTVM_HBA_QUEUE_STATUS), ==, 0);
    }
    hba_stop(&hba);
}

static void test_queue_running(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (uint32_t offset = FLTVM_HBA_QUEUE_SQ_BASE_LO; offset <= FLTVM_HBA_QUEUE_VECTOR; offset += 4) {
        uint32_t before = hba_queue_get(&hba, 0, offset);

        hba_queue_set(&hba, 0, offset, before + 64);
        g_assert_cmphex(hba_take_error(&hba, 0), ==, FLTVM_HBA_ERROR_QUEUE);
        g_assert_cmphex(hba_queue_get(&hba, 0, offset), ==, before);
    }
    hba_stop(&hba);
}

/* Every queue pair, each with its own vector, and the smallest and largest depth. */
static void test_all_queues(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (uint32_t q = 1; q < QUEUES; q++) {
        hba_queue_start(&hba, q, q % 2 ? 2 : 256);
    }
    for (uint32_t q = 0; q < QUEUES; q++) {
        hba_submit(&hba, q, hba_read((uint16_t)q, q, 1, HBA_DATA + q * HBA_BLOCK));
        rig_clock_step(hba.rig, HBA_READ_NS);
        g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 1u << q);
        hba_expect(&hba, q, (uint16_t)q, FLTVM_HBA_S_OK, 1);
    }
    hba_assert_pattern(&hba, HBA_DATA, 0, QUEUES * HBA_BLOCK);
    hba_stop(&hba);
}

static void test_bad_doorbell(void)
{
    static const struct {
        uint32_t offset, value;
    } bad[] = {
        {FLTVM_HBA_DOORBELLS, HBA_DEPTH},          {FLTVM_HBA_DOORBELLS, UINT32_MAX},
        {FLTVM_HBA_DOORBELLS + 4, HBA_DEPTH},      {FLTVM_HBA_DOORBELLS + 4, 2},
        {FLTVM_HBA_DOORBELLS + 4, HBA_DEPTH - 1},  {FLTVM_HBA_DOORBELLS + 8, 0},
        {FLTVM_HBA_DOORBELLS + 8 * QUEUES, 1},     {FLTVM_HBA_DOORBELLS + 0x3FFC, 0},
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_READ_NS); /* one completion is there, and not taken */
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        hba_set(&hba, bad[i].offset, bad[i].value);
        g_assert_cmphex(hba_take_error(&hba, bad[i].offset), ==, FLTVM_HBA_ERROR_DOORBELL);
        g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_STATUS), ==, FLTVM_HBA_STATUS_READY);
    }
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_SQ_HEAD), ==, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_set(&hba, FLTVM_HBA_DOORBELLS + 4, 0); /* back */
    g_assert_cmphex(hba_take_error(&hba, FLTVM_HBA_DOORBELLS + 4), ==, FLTVM_HBA_ERROR_DOORBELL);
    rig_msix_take_all(&hba.pci);
    hba_run(&hba, hba_read(2, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

static void test_disable_queue(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_queue_start(&hba, 1, HBA_DEPTH);
    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    hba_submit(&hba, 1, hba_read(2, 1, 1, HBA_DATA_2));
    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 0);
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect_none(&hba, 0);
    hba_expect(&hba, 1, 2, FLTVM_HBA_S_OK, 1);
    g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 2);
    hba_queue_start(&hba, 0, HBA_DEPTH); /* from the beginning */
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_SQ_HEAD), ==, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 0);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

/* Without IRQ nothing is raised; set later, what is there is announced once. */
static void test_interrupt_enable(void)
{
    const uint32_t enable = FLTVM_HBA_QUEUE_CONTROL_ENABLE, irq = FLTVM_HBA_QUEUE_CONTROL_IRQ;
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, enable);
    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_READ_NS);
    g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 0);
    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, enable | irq);
    g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 1);
    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, enable | irq);
    g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 0);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, enable);
    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, enable | irq);
    g_assert_cmphex(rig_msix_take_all(&hba.pci), ==, 0);
    hba_stop(&hba);
}

/* A ring out of reach is fatal until the controller is disabled; every running queue is told. */
static void fatal_check(Hba *hba, uint32_t queue, uint32_t error, uint32_t vectors)
{
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_STATUS), ==, FLTVM_HBA_STATUS_FATAL);
    g_assert_cmphex(hba_take_error(hba, queue), ==, error);
    g_assert_cmphex(rig_msix_take_all(&hba->pci), ==, vectors);
    g_assert_cmphex(hba_queue_get(hba, queue, FLTVM_HBA_QUEUE_STATUS), ==, FLTVM_HBA_QUEUE_STATUS_ERROR);
    hba_set(hba, FLTVM_HBA_DOORBELLS, 0);
    g_assert_cmphex(hba_take_error(hba, FLTVM_HBA_DOORBELLS), ==, FLTVM_HBA_ERROR_DOORBELL);
    rig_clock_step(hba->rig, 10 * HBA_FLUSH_NS);
    hba_expect_none(hba, 0);
    hba_set(hba, FLTVM_HBA_REG_CONTROL, 0);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_STATUS), ==, 0);
    hba_enable(hba);
    hba_queue_start(hba, 0, HBA_DEPTH);
    hba_run(hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
}

static void test_ring_out_of_reach(void)
{
    static const uint32_t bad[] = {RIG_NOWHERE, RIG_LAPIC, RIG_RAM_SIZE};
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        for (uint32_t offset = FLTVM_HBA_QUEUE_SQ_BASE_LO; offset <= FLTVM_HBA_QUEUE_CQ_BASE_LO; offset += 8) {
            bool post = offset == FLTVM_HBA_QUEUE_CQ_BASE_LO;

            hba_queue_start(&hba, 2, HBA_DEPTH);
            hba_queue_set(&hba, 2, FLTVM_HBA_QUEUE_CONTROL, 0);
            hba_queue_set(&hba, 2, offset, bad[i]);
            hba_queue_set(&hba, 2, FLTVM_HBA_QUEUE_CONTROL,
                          FLTVM_HBA_QUEUE_CONTROL_ENABLE | FLTVM_HBA_QUEUE_CONTROL_IRQ);
            hba_submit(&hba, 0, hba_flush(9)); /* in flight meanwhile */
            hba_submit(&hba, 2, hba_read(1, 0, 1, HBA_DATA));
            rig_clock_step(hba.rig, HBA_READ_NS);
            fatal_check(&hba, 2, post ? FLTVM_HBA_ERROR_POST : FLTVM_HBA_ERROR_FETCH, 1u << 2 | 1);
        }
    }
    hba_stop(&hba);
}

static void test_no_bus_master(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    /* At the fetch: no message can be sent either. */
    rig_pci_enable(&hba.pci, true, false);
    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_pci_enable(&hba.pci, true, true);
    fatal_check(&hba, 0, FLTVM_HBA_ERROR_FETCH, 0);
    /* At the completion: nothing of the data arrives. */
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0x77);
    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    rig_pci_enable(&hba.pci, true, false);
    rig_clock_step(hba.rig, HBA_READ_NS);
    rig_pci_enable(&hba.pci, true, true);
    hba_assert_byte(&hba, HBA_DATA, HBA_BLOCK, 0x77);
    fatal_check(&hba, 0, FLTVM_HBA_ERROR_POST, 0);
    hba_stop(&hba);
}

/* The vector is addressed to the device's own doorbell: refused, not recursed into. */
static void test_message_to_self(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    struct fltvm_hba_command second = hba_read(2, 1, 1, HBA_DATA);

    rig_msix_target(&hba.pci, 0, hba.pci.bar + FLTVM_HBA_DOORBELLS, 2);
    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    hba_put(&hba, 0, &second);
    rig_clock_step(hba.rig, HBA_READ_NS);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_SQ_HEAD), ==, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_stop(&hba);
}

/* Images and properties that are refused before anything runs. */

static void refuse(const char *drive, const char *properties, const char *message)
{
    g_autofree char *drive_text = g_strdup_printf("if=none,id=d0,%s", drive);
    g_autofree char *device = g_strdup_printf("fltvm-hba,drive=d0%s%s", *properties ? "," : "", properties);
    const char *arguments[] = {"-drive", drive_text, "-device", device, NULL};
    g_autofree char *text = rig_start_refused(arguments);

    g_assert_nonnull(strstr(text, message));
}

static void test_bad_images(void)
{
    static const struct {
        uint64_t size;
        const char *properties, *message;
    } bad[] = {
        {0, "", "the image has 0 bytes, less than one block of 512"},
        {1, "", "the image has 1 bytes, less than one block of 512"},
        {511, "", "the image has 511 bytes, less than one block of 512"},
        {513, "", "the image has 513 bytes, which is not a multiple of the block size 512"},
        {100000, "", "which is not a multiple of the block size 512"},
        {2048, "logical_block_size=4096,physical_block_size=4096", "less than one block of 4096"},
        {4096 + 512, "logical_block_size=4096,physical_block_size=4096", "not a multiple of the block size 4096"},
    };
    g_autofree char *garbage = rig_image("garbage", 4096);
    g_autofree char *garbage_drive = g_strdup_printf("format=qcow2,file=%s", garbage);
    const char *none[] = {"-device", "fltvm-hba", NULL};
    g_autofree char *text = rig_start_refused(none);

    g_assert_nonnull(strstr(text, "fltvm-hba: the property 'drive' is missing"));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = rig_image("bad.raw", bad[i].size);
        g_autofree char *drive = g_strdup_printf("format=raw,file=%s", path);

        refuse(drive, bad[i].properties, bad[i].message);
    }
    refuse(garbage_drive, "", "not in qcow2 format");
    refuse("format=raw,file=/nonexistent/image", "", "No such file");
}

static void test_properties(void)
{
    static const struct {
        const char *properties, *message;
    } bad[] = {
        {"queues=0", "queues is 0, must be 1 to 32"},
        {"queues=33", "queues is 33, must be 1 to 32"},
        {"queue-depth=1", "queue-depth is 1, must be 2 to 1024"},
        {"queue-depth=1025", "queue-depth is 1025"},
        {"read-ns=3600000000001", "read-ns is 3600000000001"},
        {"serial=123456789012345678901", "serial is longer than 20 bytes"},
        {"logical_block_size=131072,physical_block_size=131072", "logical_block_size is 131072"},
        {"faults=op=read", "'do=' is missing"},
        {"faults=op=eat:do=never", "bad field 'op'"},
        {"faults=op=read:do=error", "needs a status"},
    };
    g_autofree char *path = rig_image("disk.raw", 1 << 20);
    g_autofree char *drive = g_strdup_printf("format=raw,file=%s", path);
    Hba hba;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        refuse(drive, bad[i].properties, bad[i].message);
    }
    hba = hba_start(drive, "queues=1,queue-depth=2");
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_QUEUES), ==, 1);
    g_assert_cmpuint(hba.pci.vectors, ==, 1);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, 2);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
    hba = hba_start(drive, "queues=32,queue-depth=1024");
    g_assert_cmpuint(hba.pci.vectors, ==, 32);
    hba_enable(&hba);
    hba_queue_start(&hba, 31, 1024);
    hba_submit(&hba, 31, hba_flush(1));
    rig_clock_step(hba.rig, HBA_FLUSH_NS);
    hba_expect(&hba, 31, 1, FLTVM_HBA_S_OK, 0);
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/regs/identity", test_identity);
    g_test_add_func("/hba/regs/large-disk", test_large_disk);
    g_test_add_func("/hba/regs/bad-access", test_bad_access);
    g_test_add_func("/hba/regs/error-bits", test_error_bits);
    g_test_add_func("/hba/regs/enable", test_enable);
    g_test_add_func("/hba/regs/queue-configuration", test_queue_configuration);
    g_test_add_func("/hba/regs/queue-running", test_queue_running);
    g_test_add_func("/hba/regs/all-queues", test_all_queues);
    g_test_add_func("/hba/regs/bad-doorbell", test_bad_doorbell);
    g_test_add_func("/hba/regs/disable-queue", test_disable_queue);
    g_test_add_func("/hba/regs/interrupt-enable", test_interrupt_enable);
    g_test_add_func("/hba/regs/ring-out-of-reach", test_ring_out_of_reach);
    g_test_add_func("/hba/regs/no-bus-master", test_no_bus_master);
    g_test_add_func("/hba/regs/message-to-self", test_message_to_self);
    g_test_add_func("/hba/regs/bad-images", test_bad_images);
    g_test_add_func("/hba/regs/properties", test_properties);
    return g_test_run();
}
