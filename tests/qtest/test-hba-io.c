/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: commands, their data and their refusals, against docs/specs/fltvm-hba.rst.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 4096

static void test_read(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 0, HBA_BLOCK);
    hba_run(&hba, hba_read(2, 77, 9, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 77 * HBA_BLOCK, 9 * HBA_BLOCK);
    hba_run(&hba, hba_read(3, BLOCKS - 1, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, (BLOCKS - 1) * HBA_BLOCK, HBA_BLOCK);
    hba_assert_no_error(&hba);
    hba_stop(&hba);
}

/* Data arrives with the completion, not before, and goes nowhere else. */
static void test_read_at_completion(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_fill(&hba, HBA_DATA - 4, HBA_BLOCK + 8, 0xEE);
    hba_submit(&hba, 0, hba_read(1, 5, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_READ_NS - 1);
    hba_assert_byte(&hba, HBA_DATA - 4, HBA_BLOCK + 8, 0xEE);
    rig_clock_step(hba.rig, 1);
    hba_assert_pattern(&hba, HBA_DATA, 5 * HBA_BLOCK, HBA_BLOCK);
    hba_assert_byte(&hba, HBA_DATA - 4, 4, 0xEE);
    hba_assert_byte(&hba, HBA_DATA + HBA_BLOCK, 4, 0xEE);
    hba_stop(&hba);
}

static void test_write(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_fill(&hba, HBA_DATA, 3 * HBA_BLOCK, 0x5A);
    hba_run(&hba, hba_write(1, 100, 3, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_read(2, 99, 5, HBA_DATA_2), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA_2, 99 * HBA_BLOCK, HBA_BLOCK);
    hba_assert_byte(&hba, HBA_DATA_2 + HBA_BLOCK, 3 * HBA_BLOCK, 0x5A);
    hba_assert_pattern(&hba, HBA_DATA_2 + 4 * HBA_BLOCK, 103 * HBA_BLOCK, HBA_BLOCK);
    hba_stop(&hba);
}

/* What is written is what was in memory when the command was fetched. */
static void test_write_at_fetch(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 1);
    hba_submit(&hba, 0, hba_write(1, 0, 1, HBA_DATA));
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 2);
    rig_clock_step(hba.rig, HBA_WRITE_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    rig_msix_take_all(&hba.pci);
    hba_run(&hba, hba_read(2, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_byte(&hba, HBA_DATA, HBA_BLOCK, 1);
    hba_stop(&hba);
}

static void test_flush_and_fua(void)
{
    struct fltvm_hba_command write = hba_write(1, 7, 1, HBA_DATA);
    Hba hba = hba_start_disk(BLOCKS, NULL);

    write.flags = FLTVM_HBA_FLAG_FUA;
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 9);
    hba_run(&hba, write, HBA_WRITE_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_flush(2), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

static void test_identify(void)
{
    struct fltvm_hba_identify identify;
    Hba hba = hba_start_disk(BLOCKS, "serial=S-12345");

    hba_run(&hba, hba_identify(1, HBA_DATA), HBA_COMMAND_NS, FLTVM_HBA_S_OK);
    rig_read_block(hba.rig, HBA_DATA, &identify, sizeof(identify));
    g_assert_cmphex(identify.id, ==, FLTVM_HBA_ID);
    g_assert_cmphex(identify.version, ==, FLTVM_HBA_VERSION);
    g_assert_cmpstr(identify.model, ==, "fltvm-hba disk");
    g_assert_cmpstr(identify.serial, ==, "S-12345");
    g_assert_cmpstr(identify.firmware, ==, "1");
    g_assert_cmpuint(identify.blocks, ==, BLOCKS);
    g_assert_cmpuint(identify.block_size, ==, HBA_BLOCK);
    g_assert_cmpuint(identify.physical_block_size, ==, HBA_BLOCK);
    g_assert_cmpuint(identify.max_transfer, ==, hba_get(&hba, FLTVM_HBA_REG_MAX_TRANSFER));
    g_assert_cmpuint(identify.max_segments, ==, hba_get(&hba, FLTVM_HBA_REG_MAX_SEGMENTS));
    g_assert_cmphex(identify.features, ==, hba_get(&hba, FLTVM_HBA_REG_FEATURES));
    g_assert_cmpuint(identify.queues, ==, hba_get(&hba, FLTVM_HBA_REG_QUEUES));
    g_assert_cmpuint(identify.read_ns, ==, HBA_READ_NS);
    g_assert_cmpuint(identify.write_ns, ==, HBA_WRITE_NS);
    g_assert_cmpuint(identify.flush_ns, ==, HBA_FLUSH_NS);
    for (size_t i = 0; i < sizeof(identify.reserved); i++) {
        g_assert_cmpuint(identify.reserved[i], ==, 0);
    }
    hba_stop(&hba);
}

/* Scattered, odd lengths, in disorder, gathered back. */
static void test_list(void)
{
    static const struct fltvm_hba_segment segments[] = {
        {HBA_DATA + 0x5000, 4, 0}, {HBA_DATA, 508, 0}, {HBA_DATA + 0x3004, 1000, 0}, {HBA_DATA + 0x1FF8, 24, 0},
    };
    struct fltvm_hba_command command = hba_read(1, 10, 3, 0);
    uint64_t offset = 10 * HBA_BLOCK;
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_use_list(&hba, &command, segments, G_N_ELEMENTS(segments));
    hba_run(&hba, command, HBA_READ_NS, FLTVM_HBA_S_OK);
    for (size_t i = 0; i < G_N_ELEMENTS(segments); i++) {
        hba_assert_pattern(&hba, segments[i].address, offset, segments[i].length);
        offset += segments[i].length;
    }
    command = hba_write(2, 500, 3, 0);
    hba_use_list(&hba, &command, segments, G_N_ELEMENTS(segments));
    hba_run(&hba, command, HBA_WRITE_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_read(3, 500, 3, HBA_DATA_2), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA_2, 10 * HBA_BLOCK, 3 * HBA_BLOCK);
    hba_stop(&hba);
}

static void test_two_inline(void)
{
    struct fltvm_hba_command command = hba_read(1, 10, 1, HBA_DATA);
    Hba hba = hba_start_disk(BLOCKS, NULL);

    command.segments = 2;
    command.segment[0].length = 500;
    command.segment[1] = (struct fltvm_hba_segment){.address = HBA_DATA_2, .length = 12};
    hba_run(&hba, command, HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 10 * HBA_BLOCK, 500);
    hba_assert_pattern(&hba, HBA_DATA_2, 10 * HBA_BLOCK + 500, 12);
    hba_stop(&hba);
}

/* As many segments and bytes as the registers allow; one more of each is refused. */
static void test_largest(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    const uint32_t count = hba_get(&hba, FLTVM_HBA_REG_MAX_SEGMENTS);
    const uint32_t bytes = hba_get(&hba, FLTVM_HBA_REG_MAX_TRANSFER);
    g_autofree struct fltvm_hba_segment *segments = g_new0(struct fltvm_hba_segment, count + 1);
    struct fltvm_hba_command command = hba_read(1, 8, bytes / HBA_BLOCK, 0);

    for (uint32_t i = 0; i <= count; i++) {
        segments[i] = (struct fltvm_hba_segment){.address = HBA_DATA + i * (bytes / count), .length = bytes / count};
    }
    hba_use_list(&hba, &command, segments, count);
    hba_run(&hba, command, HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 8 * HBA_BLOCK, bytes);
    hba_run(&hba, hba_read(2, 0, bytes / HBA_BLOCK, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_refuse(&hba, hba_read(3, 0, bytes / HBA_BLOCK + 1, HBA_DATA), FLTVM_HBA_S_TOO_LARGE);
    hba_refuse(&hba, hba_read(4, 0, UINT32_MAX, HBA_DATA), FLTVM_HBA_S_TOO_LARGE);
    command.segments = count + 1;
    hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    command.segments = UINT32_MAX;
    hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    hba_stop(&hba);
}

static void test_opcodes(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (unsigned opcode = 0; opcode < 256; opcode++) {
        struct fltvm_hba_command command = {.opcode = (uint8_t)opcode, .id = (uint16_t)opcode};

        if (opcode < FLTVM_HBA_OP_READ || opcode > FLTVM_HBA_OP_DISCARD) {
            hba_refuse(&hba, command, FLTVM_HBA_S_INVALID_OPCODE);
        }
    }
    hba_stop(&hba);
}

static void test_fields(void)
{
    struct fltvm_hba_command bad[] = {
        hba_read(0, 0, 1, HBA_DATA),  hba_read(1, 0, 1, HBA_DATA),  hba_read(2, 0, 0, HBA_DATA),
        hba_read(3, 0, 1, HBA_DATA),  hba_read(4, 0, 1, HBA_DATA),  hba_flush(5),
        hba_flush(6),                 hba_flush(7),                 hba_flush(8),
        hba_identify(9, HBA_DATA),    hba_identify(10, HBA_DATA),   hba_abort(11, 0, 1),
        hba_abort(12, 0, 1),          hba_write(13, 0, 0, HBA_DATA), hba_flush(14),
        hba_read(15, 0, 1, HBA_DATA), hba_read(16, 0, 1, HBA_DATA),
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);

    bad[0].flags = FLTVM_HBA_FLAG_FUA; /* a read */
    bad[1].flags = 0x80;
    bad[3].reserved = 1;
    bad[4].segment[1].address = 4;
    bad[5].lba = 1;
    bad[6].blocks = 1;
    bad[7].segments = 1;
    bad[8].segment[0].length = 4;
    bad[9].lba = 1;
    bad[10].blocks = 1;
    bad[11].blocks = 1;
    bad[12].flags = FLTVM_HBA_FLAG_LIST;
    bad[14].list = 16;
    bad[15].list = HBA_LIST; /* without the flag */
    bad[16].flags = FLTVM_HBA_FLAG_LIST;
    bad[16].list = HBA_LIST; /* and a segment inside */
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        hba_refuse(&hba, bad[i], FLTVM_HBA_S_INVALID_FIELD);
    }
    hba_stop(&hba);
}

static void test_lba_range(void)
{
    static const struct {
        uint64_t lba;
        uint32_t blocks;
    } bad[] = {
        {BLOCKS, 1}, {BLOCKS - 1, 2}, {BLOCKS + 1, 1}, {UINT64_MAX, 1}, {UINT64_MAX, 2}, {UINT64_MAX - 7, 8},
        {UINT64_C(1) << 55, 1},
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        hba_refuse(&hba, hba_read(1, bad[i].lba, bad[i].blocks, HBA_DATA), FLTVM_HBA_S_LBA_RANGE);
        hba_refuse(&hba, hba_write(1, bad[i].lba, bad[i].blocks, HBA_DATA), FLTVM_HBA_S_LBA_RANGE);
    }
    hba_stop(&hba);
}

static void test_bad_segments(void)
{
    static const struct {
        uint32_t segments, length;
        uint64_t address;
        uint32_t reserved;
    } bad[] = {
        {0, 0, 0, 0},     {1, 508, HBA_DATA, 0},          {1, 516, HBA_DATA, 0},   {1, 0, HBA_DATA, 0},
        {1, 510, HBA_DATA, 0}, {1, 512, HBA_DATA + 1, 0}, {1, 512, HBA_DATA + 2, 0}, {1, 512, HBA_DATA, 1},
        {1, 0xFFFFFFFC, HBA_DATA, 0}, {2, 512, HBA_DATA, 0},
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct fltvm_hba_command command = hba_write(1, 0, 1, 0);

        command.segments = bad[i].segments;
        command.segment[0] = (struct fltvm_hba_segment){bad[i].address, bad[i].length, bad[i].reserved};
        hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
        command.opcode = FLTVM_HBA_OP_READ;
        hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    }
    hba_stop(&hba);
}

/* Three cannot be inside the entry; a list of none, or of segments whose sum wraps around 32 bits. */
static void test_bad_list(void)
{
    static const struct fltvm_hba_segment wrap[] = {
        {HBA_DATA, 0x80000000, 0}, {HBA_DATA, 0x80000000, 0}, {HBA_DATA, 512, 0},
    };
    struct fltvm_hba_command command = hba_read(1, 0, 1, HBA_DATA);
    Hba hba = hba_start_disk(BLOCKS, NULL);

    command.segments = 3;
    hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    hba_use_list(&hba, &command, wrap, 3);
    hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    command.segments = 0;
    hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    command.segments = 3;
    command.list = HBA_LIST + 8;
    hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    hba_stop(&hba);
}

static void test_bad_address(void)
{
    static const uint64_t bad[] = {
        RIG_NOWHERE, RIG_LAPIC, RIG_RAM_SIZE - 4, RIG_RAM_SIZE, UINT64_MAX - 511, UINT64_MAX - 3,
        UINT64_C(1) << 48,
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct fltvm_hba_command command = hba_write(1, 0, 1, bad[i]);
        bool wraps = bad[i] > UINT64_MAX - 512;

        hba_refuse(&hba, command, FLTVM_HBA_S_BAD_ADDRESS);
        /* A read is found out when its data is to be put there. */
        command.opcode = FLTVM_HBA_OP_READ;
        hba_run(&hba, command, wraps ? HBA_COMMAND_NS : HBA_READ_NS, FLTVM_HBA_S_BAD_ADDRESS);
        command = hba_read(1, 0, 1, HBA_DATA);
        hba_use_list(&hba, &command, command.segment, 1);
        command.list = bad[i] & ~UINT64_C(15);
        hba_refuse(&hba, command, bad[i] == RIG_RAM_SIZE - 4 ? FLTVM_HBA_S_BAD_SEGMENTS : FLTVM_HBA_S_BAD_ADDRESS);
    }
    hba_refuse(&hba, hba_write(1, 0, 1, hba.pci.bar), FLTVM_HBA_S_BAD_ADDRESS);
    hba_assert_no_error(&hba);
    hba_stop(&hba);
}

/* The list is fetched with the entry: what a guest makes of it later does not matter. */
static void test_list_copied(void)
{
    static const struct fltvm_hba_segment good = {HBA_DATA, HBA_BLOCK, 0}, bad = {RIG_NOWHERE, 3, 7};
    struct fltvm_hba_command command = hba_read(1, 3, 1, 0);
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_use_list(&hba, &command, &good, 1);
    hba_submit(&hba, 0, command);
    rig_write_block(hba.rig, HBA_LIST, &bad, sizeof(bad));
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_assert_pattern(&hba, HBA_DATA, 3 * HBA_BLOCK, HBA_BLOCK);
    hba_stop(&hba);
}

static void test_duplicate_id(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);

    hba_queue_start(&hba, 1, HBA_DEPTH);
    hba_submit(&hba, 0, hba_read(5, 0, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_read(5, 1, 1, HBA_DATA_2));
    hba_submit(&hba, 1, hba_read(5, 2, 1, HBA_DATA_2)); /* another queue's ids are its own */
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 5, FLTVM_HBA_S_DUPLICATE_ID, 0);
    rig_clock_step(hba.rig, HBA_READ_NS - HBA_COMMAND_NS);
    hba_expect(&hba, 0, 5, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 1, 5, FLTVM_HBA_S_OK, 1);
    hba_submit(&hba, 0, hba_read(5, 0, 1, HBA_DATA)); /* free again */
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect(&hba, 0, 5, FLTVM_HBA_S_OK, 1);
    hba_stop(&hba);
}

static void test_read_only(void)
{
    g_autofree char *path = rig_image("disk.raw", 64 * HBA_BLOCK);
    g_autofree char *drive = g_strdup_printf("format=raw,readonly=on,file=%s", path);
    Hba hba = hba_start(drive, NULL);

    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    g_assert_true(hba_get(&hba, FLTVM_HBA_REG_FEATURES) & FLTVM_HBA_FEATURE_READ_ONLY);
    hba_refuse(&hba, hba_write(1, 0, 1, HBA_DATA), FLTVM_HBA_S_WRITE_PROTECTED);
    hba_run(&hba, hba_read(2, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_flush(3), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
}

/* Errors of the host's disk reach the guest at the model's time. */
static void test_host_errors(void)
{
    static const struct {
        const char *event;
        int error;
        uint8_t opcode;
        uint16_t status;
    } cases[] = {
        {"read_aio", 5, FLTVM_HBA_OP_READ, FLTVM_HBA_S_MEDIA_READ},
        {"write_aio", 5, FLTVM_HBA_OP_WRITE, FLTVM_HBA_S_MEDIA_WRITE},
        {"write_aio", 28, FLTVM_HBA_OP_WRITE, FLTVM_HBA_S_NO_SPACE},
        {"flush_to_disk", 5, FLTVM_HBA_OP_FLUSH, FLTVM_HBA_S_MEDIA_WRITE},
    };
    g_autofree char *path = rig_image("disk.raw", 64 * HBA_BLOCK);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *drive = g_strdup_printf(
            "format=raw,file.driver=blkdebug,file.image.filename=%s,file.inject-error.0.event=%s,"
            "file.inject-error.0.errno=%d,file.inject-error.0.once=on",
            path, cases[i].event, cases[i].error);
        Hba hba = hba_start(drive, NULL);
        struct fltvm_hba_command command = hba_read(1, 0, 1, HBA_DATA);
        uint64_t ns = HBA_READ_NS;

        hba_enable(&hba);
        hba_queue_start(&hba, 0, HBA_DEPTH);
        if (cases[i].opcode == FLTVM_HBA_OP_WRITE) {
            command.opcode = FLTVM_HBA_OP_WRITE;
            ns = HBA_WRITE_NS;
        } else if (cases[i].opcode == FLTVM_HBA_OP_FLUSH) {
            hba_run(&hba, hba_write(9, 0, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
            command = hba_flush(1);
            ns = HBA_FLUSH_NS;
        }
        hba_run(&hba, command, ns, cases[i].status);
        hba_run(&hba, command, ns, FLTVM_HBA_S_OK);
        hba_stop(&hba);
    }
}

/* The same through qcow2; what was written is in the image, as qemu-img sees it. */
static void test_qcow2(void)
{
    g_autofree char *raw = rig_image("disk.raw", 2048 * HBA_BLOCK);
    g_autofree char *path = rig_file("disk.qcow2");
    g_autofree char *back = rig_file("back.raw");
    g_autofree char *img = rig_tool("qemu-img");
    const char *convert[] = {img, "convert", "-O", "qcow2", raw, path, NULL};
    const char *revert[] = {img, "convert", "-O", "raw", path, back, NULL};
    g_autofree char *drive = g_strdup_printf("format=qcow2,file=%s", path);
    g_autofree char *content = NULL;
    gsize length;
    Hba hba;

    if (!img) {
        g_test_skip("no qemu-img beside QEMU");
        return;
    }
    rig_run(convert);
    hba = hba_start(drive, NULL);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCKS_LO), ==, 2048);
    hba_run(&hba, hba_read(1, 1000, 32, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 1000 * HBA_BLOCK, 32 * HBA_BLOCK);
    hba_fill(&hba, HBA_DATA, 5 * HBA_BLOCK, 0xC3);
    hba_run(&hba, hba_write(2, 1999, 5, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_flush(3), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
    hba_stop(&hba);
    rig_run(revert);
    g_assert_true(g_file_get_contents(back, &content, &length, NULL));
    g_assert_cmpuint(length, ==, 2048 * HBA_BLOCK);
    for (gsize i = 0; i < length; i++) {
        bool ours = i >= 1999 * HBA_BLOCK && i < 2004 * HBA_BLOCK;

        g_assert_cmphex((uint8_t)content[i], ==, ours ? 0xC3 : rig_pattern(i));
    }
}

static void test_block_4096(void)
{
    g_autofree char *path = rig_image("disk.raw", 64 * 4096);
    g_autofree char *drive = g_strdup_printf("format=raw,file=%s", path);
    struct fltvm_hba_command command = hba_read(1, 63, 1, HBA_DATA);
    Hba hba = hba_start(drive, "logical_block_size=4096,physical_block_size=4096");

    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCK_SIZE), ==, 4096);
    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_BLOCKS_LO), ==, 64);
    hba_refuse(&hba, command, FLTVM_HBA_S_BAD_SEGMENTS);
    command.segment[0].length = 4096;
    hba_run(&hba, command, HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 63 * 4096, 4096);
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/io/read", test_read);
    g_test_add_func("/hba/io/read-at-completion", test_read_at_completion);
    g_test_add_func("/hba/io/write", test_write);
    g_test_add_func("/hba/io/write-at-fetch", test_write_at_fetch);
    g_test_add_func("/hba/io/flush-and-fua", test_flush_and_fua);
    g_test_add_func("/hba/io/identify", test_identify);
    g_test_add_func("/hba/io/list", test_list);
    g_test_add_func("/hba/io/two-inline", test_two_inline);
    g_test_add_func("/hba/io/largest", test_largest);
    g_test_add_func("/hba/io/opcodes", test_opcodes);
    g_test_add_func("/hba/io/fields", test_fields);
    g_test_add_func("/hba/io/lba-range", test_lba_range);
    g_test_add_func("/hba/io/bad-segments", test_bad_segments);
    g_test_add_func("/hba/io/bad-list", test_bad_list);
    g_test_add_func("/hba/io/bad-address", test_bad_address);
    g_test_add_func("/hba/io/list-copied", test_list_copied);
    g_test_add_func("/hba/io/duplicate-id", test_duplicate_id);
    g_test_add_func("/hba/io/read-only", test_read_only);
    g_test_add_func("/hba/io/host-errors", test_host_errors);
    g_test_add_func("/hba/io/qcow2", test_qcow2);
    g_test_add_func("/hba/io/block-4096", test_block_4096);
    return g_test_run();
}
