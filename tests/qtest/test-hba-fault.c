/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: fault rules, by property, by QMP and by registers, against docs/specs/fltvm-hba.rst.
 */
#include "hba-rig.h"

#include <string.h>

#define BLOCKS 256

#define MEDIA FLTVM_HBA_S_MEDIA_READ

typedef struct Rule {
    uint32_t ops;
    uint64_t first, last;
    uint32_t nth, count, action, status;
    uint64_t delay;
} Rule;

static const Rule any_read = {
    .ops = FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_READ),
    .last = UINT64_MAX,
    .nth = 1,
    .action = FLTVM_HBA_FAULT_ACTION_ERROR,
    .status = MEDIA,
};

static void fault_stage(Hba *hba, uint32_t index, const Rule *rule)
{
    hba_set(hba, FLTVM_HBA_REG_FAULT_INDEX, index);
    hba_set(hba, FLTVM_HBA_REG_FAULT_OPS, rule->ops);
    hba_set(hba, FLTVM_HBA_REG_FAULT_FIRST_LO, (uint32_t)rule->first);
    hba_set(hba, FLTVM_HBA_REG_FAULT_FIRST_HI, (uint32_t)(rule->first >> 32));
    hba_set(hba, FLTVM_HBA_REG_FAULT_LAST_LO, (uint32_t)rule->last);
    hba_set(hba, FLTVM_HBA_REG_FAULT_LAST_HI, (uint32_t)(rule->last >> 32));
    hba_set(hba, FLTVM_HBA_REG_FAULT_NTH, rule->nth);
    hba_set(hba, FLTVM_HBA_REG_FAULT_COUNT, rule->count);
    hba_set(hba, FLTVM_HBA_REG_FAULT_ACTION, rule->action);
    hba_set(hba, FLTVM_HBA_REG_FAULT_STATUS, rule->status);
    hba_set(hba, FLTVM_HBA_REG_FAULT_DELAY_LO, (uint32_t)rule->delay);
    hba_set(hba, FLTVM_HBA_REG_FAULT_DELAY_HI, (uint32_t)(rule->delay >> 32));
}

static void fault_command(Hba *hba, uint32_t command)
{
    hba_set(hba, FLTVM_HBA_REG_FAULT_COMMAND, command);
}

static void fault_store(Hba *hba, uint32_t index, const Rule *rule)
{
    fault_stage(hba, index, rule);
    fault_command(hba, FLTVM_HBA_FAULT_COMMAND_STORE);
    hba_assert_no_error(hba);
}

static void fault_assert_counters(Hba *hba, uint32_t index, uint32_t matches, uint32_t hits)
{
    hba_set(hba, FLTVM_HBA_REG_FAULT_INDEX, index);
    fault_command(hba, FLTVM_HBA_FAULT_COMMAND_LOAD);
    g_assert_cmpuint(hba_get(hba, FLTVM_HBA_REG_FAULT_MATCHES), ==, matches);
    g_assert_cmpuint(hba_get(hba, FLTVM_HBA_REG_FAULT_HITS), ==, hits);
}

/* Reads of one block, of which exactly those in @hits (a mask) fail. */
static void expect_reads(Hba *hba, unsigned count, uint32_t hits)
{
    for (unsigned i = 0; i < count; i++) {
        hba_run(hba, hba_read((uint16_t)i, i, 1, HBA_DATA), HBA_READ_NS,
                hits & (1u << i) ? MEDIA : FLTVM_HBA_S_OK);
    }
}

static void test_window(void)
{
    Rule rule = {0x2A, 0x1122334455667788, 0x99AABBCCDDEEFF00, 3, 4, FLTVM_HBA_FAULT_ACTION_ERROR, 0x7FFF,
                 0x0102030405060708};
    Hba hba = hba_start_disk(BLOCKS, NULL);

    g_assert_cmpuint(hba_get(&hba, FLTVM_HBA_REG_FAULT_RULES), ==, 32);
    fault_store(&hba, 31, &rule);
    fault_stage(&hba, 31, &any_read);
    fault_command(&hba, FLTVM_HBA_FAULT_COMMAND_LOAD);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_OPS), ==, 0x2A);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_FIRST_LO), ==, 0x55667788);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_FIRST_HI), ==, 0x11223344);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_LAST_LO), ==, 0xDDEEFF00);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_LAST_HI), ==, 0x99AABBCC);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_NTH), ==, 3);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_COUNT), ==, 4);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_ACTION), ==, FLTVM_HBA_FAULT_ACTION_ERROR);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_STATUS), ==, 0x7FFF);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_DELAY_LO), ==, 0x05060708);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_DELAY_HI), ==, 0x01020304);
    g_assert_cmphex(hba_get(&hba, FLTVM_HBA_REG_FAULT_MATCHES), ==, 0);
    hba_stop(&hba);
}

static void test_error(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule rule = any_read;

    fault_store(&hba, 0, &rule);
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0x44);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, MEDIA);
    hba_assert_byte(&hba, HBA_DATA, HBA_BLOCK, 0x44);
    /* A write that fails has not been done. */
    rule.ops = FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_WRITE);
    rule.status = FLTVM_HBA_S_MEDIA_WRITE;
    fault_store(&hba, 0, &rule);
    hba_run(&hba, hba_write(2, 0, 1, HBA_DATA), HBA_WRITE_NS, FLTVM_HBA_S_MEDIA_WRITE);
    fault_assert_counters(&hba, 0, 1, 1);
    hba_run(&hba, hba_read(3, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 0, HBA_BLOCK);
    /* With a delay on top of the model's time. */
    rule.delay = 12345;
    fault_store(&hba, 0, &rule);
    hba_run(&hba, hba_write(4, 0, 1, HBA_DATA), HBA_WRITE_NS + 12345, FLTVM_HBA_S_MEDIA_WRITE);
    hba_stop(&hba);
}

static void test_operations(void)
{
    struct fltvm_hba_command commands[] = {
        hba_read(1, 0, 1, HBA_DATA), hba_write(2, 0, 1, HBA_DATA), hba_flush(3), hba_identify(4, HBA_DATA),
        hba_abort(5, 0, 1),
    };
    static const uint64_t ns[] = {HBA_READ_NS, HBA_WRITE_NS, HBA_FLUSH_NS, HBA_COMMAND_NS, HBA_COMMAND_NS};
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule rule = any_read;

    rule.status = FLTVM_HBA_S_DEVICE_FAULT;
    rule.first = rule.last = 200; /* matters to reads and writes only */
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        bool transfer = commands[i].blocks != 0;

        rule.ops = FLTVM_HBA_FAULT_OP(commands[i].opcode);
        fault_store(&hba, 5, &rule);
        for (size_t j = 0; j < G_N_ELEMENTS(commands); j++) {
            uint16_t normal = commands[j].opcode == FLTVM_HBA_OP_ABORT ? FLTVM_HBA_S_NOT_FOUND : FLTVM_HBA_S_OK;

            hba_run(&hba, commands[j], ns[j], i == j && !transfer ? FLTVM_HBA_S_DEVICE_FAULT : normal);
        }
        fault_assert_counters(&hba, 5, !transfer, !transfer);
    }
    hba_stop(&hba);
}

/* Any overlap with the range counts. */
static void test_range(void)
{
    static const struct {
        uint64_t lba;
        uint32_t blocks;
        bool hit;
    } cases[] = {
        {0, 10, false}, {0, 11, true}, {10, 1, true}, {12, 1, true}, {14, 1, true}, {14, 9, true}, {15, 1, false},
        {9, 1, false},  {5, 30, true},
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule rule = any_read;

    rule.first = 10;
    rule.last = 14;
    fault_store(&hba, 0, &rule);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        hba_run(&hba, hba_read(1, cases[i].lba, cases[i].blocks, HBA_DATA), HBA_READ_NS,
                cases[i].hit ? MEDIA : FLTVM_HBA_S_OK);
    }
    hba_stop(&hba);
}

static void test_nth_and_count(void)
{
    static const struct {
        uint32_t nth, count, hits;
    } cases[] = {
        {1, 0, 0x3F}, {1, 1, 0x01}, {3, 1, 0x04}, {3, 2, 0x0C}, {4, 0, 0x38}, {7, 1, 0}, {UINT32_MAX, UINT32_MAX, 0},
        {2, UINT32_MAX, 0x3E},
    };
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule rule = any_read;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        rule.nth = cases[i].nth;
        rule.count = cases[i].count;
        fault_store(&hba, 0, &rule);
        expect_reads(&hba, 6, cases[i].hits);
        fault_assert_counters(&hba, 0, 6, (uint32_t)__builtin_popcount(cases[i].hits));
    }
    hba_stop(&hba);
}

/* The lowest index acts; all that match count. */
static void test_several_rules(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule first = any_read, second = any_read;

    first.nth = 2;
    first.count = 1;
    second.status = FLTVM_HBA_S_DEVICE_FAULT;
    second.nth = 2;
    second.count = 2;
    fault_store(&hba, 7, &first);
    fault_store(&hba, 8, &second);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_read(2, 0, 1, HBA_DATA), HBA_READ_NS, MEDIA);
    hba_run(&hba, hba_read(3, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_DEVICE_FAULT);
    hba_run(&hba, hba_read(4, 0, 1, HBA_DATA), HBA_READ_NS, FLTVM_HBA_S_OK);
    fault_assert_counters(&hba, 7, 4, 1);
    fault_assert_counters(&hba, 8, 4, 1);
    hba_stop(&hba);
}

static void test_delay(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule rule = any_read;

    rule.action = FLTVM_HBA_FAULT_ACTION_DELAY;
    rule.status = 0;
    rule.delay = 1000000007;
    rule.count = 1;
    fault_store(&hba, 0, &rule);
    hba_run(&hba, hba_read(1, 9, 1, HBA_DATA), HBA_READ_NS + rule.delay, FLTVM_HBA_S_OK);
    hba_assert_pattern(&hba, HBA_DATA, 9 * HBA_BLOCK, HBA_BLOCK);
    /* Longer than time itself: it does not wrap around. */
    rule.delay = UINT64_MAX;
    fault_store(&hba, 0, &rule);
    hba_submit(&hba, 0, hba_read(2, 9, 1, HBA_DATA));
    rig_clock_step(hba.rig, UINT64_C(1000000000000));
    hba_expect_none(&hba, 0);
    hba_submit(&hba, 0, hba_abort(3, 0, 2));
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_ABORTED, 0);
    hba_expect(&hba, 0, 3, FLTVM_HBA_S_OK, 0);
    hba_stop(&hba);
}

static void test_never(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule rule = any_read;

    rule.ops = FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_WRITE);
    rule.action = FLTVM_HBA_FAULT_ACTION_NEVER;
    rule.status = 0;
    rule.count = 1;
    fault_store(&hba, 0, &rule);
    hba_fill(&hba, HBA_DATA, HBA_BLOCK, 0x44);
    hba_submit(&hba, 0, hba_write(1, 9, 1, HBA_DATA));
    rig_clock_step(hba.rig, UINT64_C(100000000000));
    hba_expect_none(&hba, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 1);
    /* Others pass it, and nothing was written. */
    hba_submit(&hba, 0, hba_read(2, 9, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_READ_NS);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 1);
    hba_assert_pattern(&hba, HBA_DATA, 9 * HBA_BLOCK, HBA_BLOCK);
    hba_submit(&hba, 0, hba_abort(3, 0, 1));
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_ABORTED, 0);
    hba_expect(&hba, 0, 3, FLTVM_HBA_S_OK, 0);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 0);
    /* One more, ended by disabling the queue. */
    fault_store(&hba, 0, &rule);
    hba_submit(&hba, 0, hba_write(4, 9, 1, HBA_DATA));
    hba_queue_set(&hba, 0, FLTVM_HBA_QUEUE_CONTROL, 0);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    g_assert_cmpuint(hba_queue_get(&hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 0);
    hba_stop(&hba);
}

/* Commands that are refused are nobody's match. */
static void test_refused_do_not_match(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule rule = any_read;

    rule.count = 1;
    fault_store(&hba, 0, &rule);
    hba_refuse(&hba, hba_read(1, BLOCKS, 1, HBA_DATA), FLTVM_HBA_S_LBA_RANGE);
    fault_assert_counters(&hba, 0, 0, 0);
    hba_run(&hba, hba_read(1, 0, 1, HBA_DATA), HBA_READ_NS, MEDIA);
    hba_stop(&hba);
}

static void test_bad_rules(void)
{
    Rule bad[] = {any_read, any_read, any_read, any_read, any_read, any_read, any_read};
    Hba hba = hba_start_disk(BLOCKS, NULL);

    bad[0].ops = 0;
    bad[1].ops = 1;
    bad[2].ops = FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_DISCARD);
    bad[3].first = 5, bad[3].last = 4;
    bad[4].nth = 0;
    bad[5].action = 6;
    bad[6].status = 0x8000;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        fault_stage(&hba, 3, &bad[i]);
        fault_command(&hba, FLTVM_HBA_FAULT_COMMAND_STORE);
        g_assert_cmphex(hba_take_error(&hba, 3), ==, FLTVM_HBA_ERROR_FAULT);
    }
    fault_stage(&hba, 32, &any_read);
    for (uint32_t command = FLTVM_HBA_FAULT_COMMAND_STORE; command <= FLTVM_HBA_FAULT_COMMAND_CLEAR; command++) {
        fault_command(&hba, command);
        g_assert_cmphex(hba_take_error(&hba, 32), ==, FLTVM_HBA_ERROR_FAULT);
    }
    hba_set(&hba, FLTVM_HBA_REG_FAULT_INDEX, 0);
    fault_command(&hba, 0);
    g_assert_cmphex(hba_take_error(&hba, 0), ==, FLTVM_HBA_ERROR_FAULT);
    fault_command(&hba, 5);
    g_assert_cmphex(hba_take_error(&hba, 0), ==, FLTVM_HBA_ERROR_FAULT);
    expect_reads(&hba, 3, 0);
    hba_stop(&hba);
}

static void test_clear(void)
{
    Hba hba = hba_start_disk(BLOCKS, NULL);
    Rule none = {.action = FLTVM_HBA_FAULT_ACTION_NONE};

    fault_store(&hba, 0, &any_read);
    expect_reads(&hba, 1, 1);
    fault_command(&hba, FLTVM_HBA_FAULT_COMMAND_CLEAR);
    expect_reads(&hba, 1, 0);
    fault_store(&hba, 0, &any_read);
    fault_store(&hba, 0, &none);
    expect_reads(&hba, 1, 0);
    fault_store(&hba, 0, &any_read);
    fault_store(&hba, 9, &any_read);
    fault_command(&hba, FLTVM_HBA_FAULT_COMMAND_CLEAR_ALL);
    expect_reads(&hba, 1, 0);
    hba_stop(&hba);
}

/* Rules outlive the controller's being disabled; a reset goes back to the property's. */
static void test_reset(void)
{
    Hba hba = hba_start_disk(BLOCKS, "faults=op=read:lba=5:do=error:status=0x10");
    Rule rule = any_read;

    rule.first = rule.last = 1;
    fault_store(&hba, 1, &rule);
    expect_reads(&hba, 6, 1 << 5 | 1 << 1);
    hba_set(&hba, FLTVM_HBA_REG_CONTROL, 0);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    expect_reads(&hba, 6, 1 << 5 | 1 << 1);
    rig_reset(hba.rig);
    hba_again(&hba);
    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    fault_assert_counters(&hba, 0, 0, 0);
    expect_reads(&hba, 6, 1 << 5);
    hba_stop(&hba);
}

static void qom_set(Hba *hba, const char *faults)
{
    g_free(rig_qmp(hba->rig,
                   "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/machine/peripheral/hba\","
                   "\"property\":\"faults\",\"value\":\"%s\"}}",
                   faults));
}

static void qom_expect(Hba *hba, const char *faults)
{
    g_autofree char *reply = rig_qmp(hba->rig, "{\"execute\":\"qom-get\",\"arguments\":{\"path\":"
                                               "\"/machine/peripheral/hba\",\"property\":\"faults\"}}");
    g_autofree char *expected = g_strdup_printf("{\"return\": \"%s\"}", faults);

    g_strstrip(reply);
    g_assert_cmpstr(reply, ==, expected);
}

static void test_property(void)
{
    static const char *const bad[] = {
        "op=read",           "do=error:status=1",    "op=read:do=eat", "op=read+:do=never", "op=read:do=never:lba=",
        "op=read:do=never:lba=5-4", "op=read:do=never:lba=1-2-3", "op=read:do=never:nth=0", "op=read:do=never:nth=x",
        "op=read:do=error:status=0", "op=read:do=error:status=65536", "op=read:do=never:nth=4294967296", "read",
        "op=read:do=never:colour=red", "op=write:do=power-cut:keep=some", "op=write:do=torn", "op=read:do=reorder", ":", "op=read:do=never:delay-ns=-",
    };
    Hba hba = hba_start_disk(BLOCKS, "faults=op=read:lba=3-4:do=error:status=0x10;op=flush:nth=2:count=1:do=delay:"
                                     "delay-ns=1000");

    qom_expect(&hba, "op=read:lba=3-4:nth=1:count=0:do=error:status=0x10;"
                     "op=flush:lba=0-:nth=2:count=1:do=delay:delay-ns=1000");
    expect_reads(&hba, 6, 1 << 3 | 1 << 4);
    hba_run(&hba, hba_flush(1), HBA_FLUSH_NS, FLTVM_HBA_S_OK);
    hba_run(&hba, hba_flush(1), HBA_FLUSH_NS + 1000, FLTVM_HBA_S_OK);
    qom_set(&hba, "op=read+write+flush+identify+abort:lba=0x10-:nth=2:count=3:do=never");
    qom_expect(&hba, "op=read+write+flush+identify+abort:lba=16-:nth=2:count=3:do=never");
    qom_set(&hba, "op=write:do=power-cut:keep=last;op=write:nth=9:do=power-cut:keep=7;op=write:nth=9:do=torn:status=20;"
                  "op=read:nth=9:do=reorder:delay-ns=7");
    qom_expect(&hba, "op=write:lba=0-:nth=1:count=0:do=power-cut:keep=last;"
                     "op=write:lba=0-:nth=9:count=0:do=power-cut:keep=7;"
                     "op=write:lba=0-:nth=9:count=0:do=torn:status=0x14;"
                     "op=read:lba=0-:nth=9:count=0:do=reorder:delay-ns=7");
    qom_set(&hba, "op=read:lba=2:do=error:status=16;");
    expect_reads(&hba, 6, 1 << 2);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *reply = rig_qmp_error(hba.rig,
                                               "{\"execute\":\"qom-set\",\"arguments\":{\"path\":"
                                               "\"/machine/peripheral/hba\",\"property\":\"faults\","
                                               "\"value\":\"%s\"}}",
                                               bad[i]);

        g_assert_nonnull(strstr(reply, "fltvm-hba: fault rule "));
    }
    expect_reads(&hba, 6, 1 << 2); /* as it was */
    qom_set(&hba, "");
    qom_expect(&hba, "");
    expect_reads(&hba, 6, 0);
    hba_stop(&hba);
}

/* Behind the first that was fetched later and completes, not before its own time; and after the delay in any case. */
static void test_reorder(void)
{
    Hba hba = hba_start_disk(BLOCKS, "faults=op=read:do=reorder:delay-ns=1000000");

    /* The write is longer under way. */
    hba_submit(&hba, 0, hba_read(1, 0, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_write(2, 8, 1, HBA_DATA_2));
    rig_clock_step(hba.rig, HBA_WRITE_NS - 1);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, 1);
    hba_expect(&hba, 0, 2, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 1, FLTVM_HBA_S_OK, 1);
    hba_assert_pattern(&hba, HBA_DATA, 0, HBA_BLOCK);
    /* What completes before its own time lets it complete then. */
    hba_submit(&hba, 0, hba_read(3, 1, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_identify(4, HBA_DATA_2));
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 4, FLTVM_HBA_S_OK, sizeof(struct fltvm_hba_identify));
    rig_clock_step(hba.rig, HBA_READ_NS - HBA_COMMAND_NS - 1);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, 1);
    hba_expect(&hba, 0, 3, FLTVM_HBA_S_OK, 1);
    /* What was fetched before it does not count, and nothing comes later. */
    hba_submit(&hba, 0, hba_flush(5));
    hba_submit(&hba, 0, hba_read(6, 2, 1, HBA_DATA));
    rig_clock_step(hba.rig, HBA_FLUSH_NS);
    hba_expect(&hba, 0, 5, FLTVM_HBA_S_OK, 0);
    rig_clock_step(hba.rig, HBA_READ_NS + 1000000 - HBA_FLUSH_NS - 1);
    hba_expect_none(&hba, 0);
    rig_clock_step(hba.rig, 1);
    hba_expect(&hba, 0, 6, FLTVM_HBA_S_OK, 1);
    /* Each waits for one that is later than itself. */
    hba_submit(&hba, 0, hba_read(7, 3, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_read(8, 4, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_write(9, 8, 1, HBA_DATA_2));
    rig_clock_step(hba.rig, HBA_WRITE_NS);
    hba_expect(&hba, 0, 9, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 7, FLTVM_HBA_S_OK, 1);
    hba_expect(&hba, 0, 8, FLTVM_HBA_S_OK, 1);
    /* An abort is later too, and what it names waits no longer than that. */
    hba_submit(&hba, 0, hba_read(10, 3, 1, HBA_DATA));
    hba_submit(&hba, 0, hba_abort(11, 0, 10));
    rig_clock_step(hba.rig, HBA_COMMAND_NS);
    hba_expect(&hba, 0, 10, FLTVM_HBA_S_ABORTED, 0);
    hba_expect(&hba, 0, 11, FLTVM_HBA_S_OK, 0);
    hba_stop(&hba);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/hba/fault/window", test_window);
    g_test_add_func("/hba/fault/error", test_error);
    g_test_add_func("/hba/fault/operations", test_operations);
    g_test_add_func("/hba/fault/range", test_range);
    g_test_add_func("/hba/fault/nth-and-count", test_nth_and_count);
    g_test_add_func("/hba/fault/several-rules", test_several_rules);
    g_test_add_func("/hba/fault/delay", test_delay);
    g_test_add_func("/hba/fault/never", test_never);
    g_test_add_func("/hba/fault/refused-do-not-match", test_refused_do_not_match);
    g_test_add_func("/hba/fault/bad-rules", test_bad_rules);
    g_test_add_func("/hba/fault/clear", test_clear);
    g_test_add_func("/hba/fault/reset", test_reset);
    g_test_add_func("/hba/fault/reorder", test_reorder);
    g_test_add_func("/hba/fault/property", test_property);
    return g_test_run();
}
