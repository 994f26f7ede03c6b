/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-irq against docs/specs/fltvm-irq.rst.
 */
#include "rig.h"
#include "abi/irq.h"
#include "abi/pci.h"

#define SLOT     2
#define SOURCES  16
#define INTERVAL 5000

static const char *const device[] = {"-device", "fltvm-irq,addr=2.0", NULL};

typedef struct Irq {
    Rig *rig;
    RigPci pci;
} Irq;

static Irq irq_start(const char *const *arguments)
{
    Irq irq = {.rig = rig_start(arguments, NULL)};

    irq.pci = rig_pci(irq.rig, SLOT, FLTVM_PCI_DEVICE_IRQ);
    rig_msix_enable(&irq.pci);
    return irq;
}

static uint32_t irq_get(Irq *irq, uint32_t offset)
{
    return rig_readl(irq->rig, irq->pci.bar + offset);
}

static void irq_set(Irq *irq, uint32_t offset, uint32_t value)
{
    rig_writel(irq->rig, irq->pci.bar + offset, value);
}

static uint32_t source_get(Irq *irq, unsigned source, uint32_t offset)
{
    return irq_get(irq, FLTVM_IRQ_REG_SOURCE(source) + offset);
}

static void source_set(Irq *irq, unsigned source, uint32_t offset, uint32_t value)
{
    irq_set(irq, FLTVM_IRQ_REG_SOURCE(source) + offset, value);
}

static void source_command(Irq *irq, unsigned source, uint32_t command)
{
    source_set(irq, source, FLTVM_IRQ_SOURCE_COMMAND, command);
}

static void source_arm(Irq *irq, unsigned source, uint32_t mode, uint64_t start, uint64_t interval, uint32_t count)
{
    source_set(irq, source, FLTVM_IRQ_SOURCE_MODE, mode);
    source_set(irq, source, FLTVM_IRQ_SOURCE_START_LO, (uint32_t)start);
    source_set(irq, source, FLTVM_IRQ_SOURCE_START_HI, (uint32_t)(start >> 32));
    source_set(irq, source, FLTVM_IRQ_SOURCE_INTERVAL_LO, (uint32_t)interval);
    source_set(irq, source, FLTVM_IRQ_SOURCE_INTERVAL_HI, (uint32_t)(interval >> 32));
    source_set(irq, source, FLTVM_IRQ_SOURCE_COUNT, count);
    source_command(irq, source, FLTVM_IRQ_COMMAND_ARM);
}

/* Takes the error away; its information must be @info. */
static uint32_t irq_take_error(Irq *irq, uint32_t info)
{
    uint32_t error = irq_get(irq, FLTVM_IRQ_REG_ERROR);

    if (error) {
        g_assert_cmphex(irq_get(irq, FLTVM_IRQ_REG_ERROR_INFO), ==, info);
    }
    irq_set(irq, FLTVM_IRQ_REG_ERROR, error);
    g_assert_cmphex(irq_get(irq, FLTVM_IRQ_REG_ERROR), ==, 0);
    return error;
}

static void irq_assert_no_error(Irq *irq)
{
    g_assert_cmphex(irq_get(irq, FLTVM_IRQ_REG_ERROR), ==, 0);
}

static void test_identity(void)
{
    Irq irq = irq_start(device);

    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ID), ==, FLTVM_IRQ_ID);
    g_assert_cmpuint(irq_get(&irq, FLTVM_IRQ_REG_VERSION), ==, FLTVM_IRQ_VERSION);
    g_assert_cmpuint(irq_get(&irq, FLTVM_IRQ_REG_SOURCES), ==, SOURCES);
    g_assert_cmpuint(irq_get(&irq, FLTVM_IRQ_REG_VECTORS), ==, irq.pci.vectors);
    g_assert_cmpuint(irq_get(&irq, FLTVM_IRQ_REG_MIN_INTERVAL), ==, 1000);
    g_assert_cmpuint(irq_get(&irq, FLTVM_IRQ_REG_MAX_COUNT), ==, 65536);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_PENDING), ==, 0);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 0);
    for (unsigned i = 0; i < SOURCES; i++) {
        g_assert_cmpuint(source_get(&irq, i, FLTVM_IRQ_SOURCE_VECTOR), ==, i);
        g_assert_cmpuint(source_get(&irq, i, FLTVM_IRQ_SOURCE_MODE), ==, FLTVM_IRQ_MODE_OFF);
    }
    irq_assert_no_error(&irq);
    rig_stop(irq.rig);
}

static void test_time(void)
{
    Irq irq = irq_start(device);
    uint64_t now;

    rig_clock_step(irq.rig, UINT64_C(0x123456789));
    now = irq_get(&irq, FLTVM_IRQ_REG_TIME_LO);
    now |= (uint64_t)irq_get(&irq, FLTVM_IRQ_REG_TIME_HI) << 32;
    g_assert_cmpuint(now, ==, rig_clock(irq.rig));
    rig_stop(irq.rig);
}

/* One pulse, at the very nanosecond. */
static void test_one_shot(void)
{
    Irq irq = irq_start(device);

    source_arm(&irq, 3, FLTVM_IRQ_MODE_ONE_SHOT, 1000, 0, 0);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 1u << 3);
    g_assert_cmpuint(source_get(&irq, 3, FLTVM_IRQ_SOURCE_LEFT), ==, 1);
    rig_clock_step(irq.rig, 999);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    g_assert_cmpuint(source_get(&irq, 3, FLTVM_IRQ_SOURCE_RAISED), ==, 0);
    rig_clock_step(irq.rig, 1);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 3);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_PENDING), ==, 1u << 3);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 0);
    g_assert_cmphex(source_get(&irq, 3, FLTVM_IRQ_SOURCE_STATE), ==, FLTVM_IRQ_STATE_PENDING);
    g_assert_cmpuint(source_get(&irq, 3, FLTVM_IRQ_SOURCE_RAISED), ==, 1);
    g_assert_cmpuint(source_get(&irq, 3, FLTVM_IRQ_SOURCE_LEFT), ==, 0);
    rig_clock_step(irq.rig, 1000000);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    irq_assert_no_error(&irq);
    rig_stop(irq.rig);
}

static void test_acknowledge(void)
{
    Irq irq = irq_start(device);

    source_arm(&irq, 0, FLTVM_IRQ_MODE_ONE_SHOT, 0, 0, 0);
    rig_clock_step(irq.rig, 1);
    source_command(&irq, 0, FLTVM_IRQ_COMMAND_ACKNOWLEDGE);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_PENDING), ==, 0);
    g_assert_cmpuint(source_get(&irq, 0, FLTVM_IRQ_SOURCE_ACKED), ==, 1);
    source_command(&irq, 0, FLTVM_IRQ_COMMAND_ACKNOWLEDGE); /* nothing there */
    g_assert_cmpuint(source_get(&irq, 0, FLTVM_IRQ_SOURCE_ACKED), ==, 1);
    source_command(&irq, 0, FLTVM_IRQ_COMMAND_CLEAR);
    g_assert_cmpuint(source_get(&irq, 0, FLTVM_IRQ_SOURCE_RAISED), ==, 0);
    g_assert_cmpuint(source_get(&irq, 0, FLTVM_IRQ_SOURCE_ACKED), ==, 0);
    rig_stop(irq.rig);
}

static void test_periodic(void)
{
    Irq irq = irq_start(device);

    source_arm(&irq, 1, FLTVM_IRQ_MODE_PERIODIC, 100, INTERVAL, 0);
    g_assert_cmphex(source_get(&irq, 1, FLTVM_IRQ_SOURCE_LEFT), ==, UINT32_MAX);
    rig_clock_step(irq.rig, 100);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 1);
    for (int i = 0; i < 10; i++) {
        rig_clock_step(irq.rig, INTERVAL - 1);
        g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
        rig_clock_step(irq.rig, 1);
        g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 1);
    }
    g_assert_cmpuint(source_get(&irq, 1, FLTVM_IRQ_SOURCE_RAISED), ==, 11);
    g_assert_cmpuint(source_get(&irq, 1, FLTVM_IRQ_SOURCE_OVERRUN), ==, 10);
    g_assert_cmpuint(source_get(&irq, 1, FLTVM_IRQ_SOURCE_MISSED), ==, 0);
    /* A long step passes every deadline on its way. */
    rig_clock_step(irq.rig, 100 * INTERVAL);
    g_assert_cmpuint(source_get(&irq, 1, FLTVM_IRQ_SOURCE_RAISED), ==, 111);
    source_command(&irq, 1, FLTVM_IRQ_COMMAND_DISARM);
    rig_msix_take_all(&irq.pci);
    rig_clock_step(irq.rig, 10 * INTERVAL);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    g_assert_cmphex(source_get(&irq, 1, FLTVM_IRQ_SOURCE_STATE), ==, FLTVM_IRQ_STATE_PENDING);
    g_assert_cmpuint(source_get(&irq, 1, FLTVM_IRQ_SOURCE_LEFT), ==, 0);
    rig_stop(irq.rig);
}

static void test_burst(void)
{
    Irq irq = irq_start(device);

    source_set(&irq, 4, FLTVM_IRQ_SOURCE_VECTOR, 9);
    source_arm(&irq, 4, FLTVM_IRQ_MODE_BURST, 50, 1000, 5);
    for (unsigned i = 0; i < 5; i++) {
        g_assert_cmpuint(source_get(&irq, 4, FLTVM_IRQ_SOURCE_LEFT), ==, 5 - i);
        rig_clock_step(irq.rig, i == 0 ? 50 : 1000);
        g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 9);
    }
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 0);
    rig_clock_step(irq.rig, 1000000);
    g_assert_cmpuint(source_get(&irq, 4, FLTVM_IRQ_SOURCE_RAISED), ==, 5);
    g_assert_cmpuint(source_get(&irq, 4, FLTVM_IRQ_SOURCE_OVERRUN), ==, 4);
    rig_stop(irq.rig);
}

static void test_fire(void)
{
    Irq irq = irq_start(device);

    source_command(&irq, 7, FLTVM_IRQ_COMMAND_FIRE);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 7);
    g_assert_cmphex(source_get(&irq, 7, FLTVM_IRQ_SOURCE_STATE), ==, FLTVM_IRQ_STATE_PENDING);
    source_set(&irq, 7, FLTVM_IRQ_SOURCE_VECTOR, 16);
    source_command(&irq, 7, FLTVM_IRQ_COMMAND_FIRE);
    g_assert_cmphex(irq_take_error(&irq, 7), ==, FLTVM_IRQ_ERROR_CONFIG);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    rig_stop(irq.rig);
}

static void test_all_sources(void)
{
    Irq irq = irq_start(device);

    for (unsigned i = 0; i < SOURCES; i++) {
        source_arm(&irq, i, FLTVM_IRQ_MODE_ONE_SHOT, 1000 * (i + 1), 0, 0);
    }
    for (unsigned i = 0; i < SOURCES; i++) {
        rig_clock_step(irq.rig, 1000);
        g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << i);
    }
    rig_stop(irq.rig);
}

static void test_bad_configuration(void)
{
    static const struct {
        uint32_t mode, vector, interval, count;
    } bad[] = {
        {FLTVM_IRQ_MODE_OFF, 0, 1000, 1},      {FLTVM_IRQ_MODE_STORM, 0, 1000, 1},
        {FLTVM_IRQ_MODE_RANDOM, 0, 1000, 1},   {UINT32_MAX, 0, 1000, 1},
        {FLTVM_IRQ_MODE_ONE_SHOT, 16, 0, 1},   {FLTVM_IRQ_MODE_PERIODIC, 0, 999, 1},
        {FLTVM_IRQ_MODE_PERIODIC, 0, 0, 1},    {FLTVM_IRQ_MODE_BURST, 0, 999, 1},
        {FLTVM_IRQ_MODE_BURST, 0, 1000, 0},    {FLTVM_IRQ_MODE_BURST, 0, 1000, 65537},
    };
    Irq irq = irq_start(device);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        source_set(&irq, 5, FLTVM_IRQ_SOURCE_VECTOR, bad[i].vector);
        source_arm(&irq, 5, bad[i].mode, 10, bad[i].interval, bad[i].count);
        g_assert_cmphex(irq_take_error(&irq, 5), ==, FLTVM_IRQ_ERROR_CONFIG);
        g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 0);
    }
    source_command(&irq, 5, 0);
    g_assert_cmphex(irq_take_error(&irq, 5), ==, FLTVM_IRQ_ERROR_CONFIG);
    source_command(&irq, 5, 6);
    g_assert_cmphex(irq_take_error(&irq, 5), ==, FLTVM_IRQ_ERROR_CONFIG);
    rig_clock_step(irq.rig, 1000000);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    rig_stop(irq.rig);
}

static void test_busy(void)
{
    Irq irq = irq_start(device);

    source_arm(&irq, 2, FLTVM_IRQ_MODE_ONE_SHOT, 1000, 0, 0);
    for (uint32_t offset = FLTVM_IRQ_SOURCE_MODE; offset <= FLTVM_IRQ_SOURCE_COUNT; offset += 4) {
        uint32_t before = source_get(&irq, 2, offset);

        source_set(&irq, 2, offset, before + 1);
        g_assert_cmphex(irq_take_error(&irq, 2), ==, FLTVM_IRQ_ERROR_BUSY);
        g_assert_cmphex(source_get(&irq, 2, offset), ==, before);
    }
    source_command(&irq, 2, FLTVM_IRQ_COMMAND_ARM);
    g_assert_cmphex(irq_take_error(&irq, 2), ==, FLTVM_IRQ_ERROR_BUSY);
    rig_clock_step(irq.rig, 1000);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 2);
    rig_stop(irq.rig);
}

/* A start or interval that never comes must not come at once. */
static void test_far_future(void)
{
    Irq irq = irq_start(device);

    rig_clock_step(irq.rig, 1000);
    source_arm(&irq, 0, FLTVM_IRQ_MODE_ONE_SHOT, UINT64_MAX, 0, 0);
    source_arm(&irq, 1, FLTVM_IRQ_MODE_PERIODIC, 10, UINT64_MAX, 0);
    source_arm(&irq, 2, FLTVM_IRQ_MODE_BURST, INT64_MAX, INT64_MAX, 2);
    rig_clock_step(irq.rig, 1000000);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 1);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 7);
    rig_stop(irq.rig);
}

static void test_bad_access(void)
{
    static const struct {
        uint32_t offset;
        unsigned size;
    } bad[] = {
        {FLTVM_IRQ_REG_ID, 1},           {FLTVM_IRQ_REG_ID, 2},          {FLTVM_IRQ_REG_ID, 8},
        {FLTVM_IRQ_REG_ID + 2, 4},       {FLTVM_IRQ_REG_ID + 1, 1},      {0x030, 4},
        {0x3FC, 4},                      {FLTVM_IRQ_REG_SOURCE(16), 4},  {FLTVM_IRQ_REG_SOURCE(0) + 0x38, 4},
        {FLTVM_IRQ_REG_SOURCE(3) + 0x1C, 4}, {FLTVM_IRQ_REG_SOURCE(3) + 0x10, 8}, {0x1FFC, 4}, {0x3FFC, 4},
    };
    static const uint32_t read_only[] = {
        FLTVM_IRQ_REG_ID,      FLTVM_IRQ_REG_PENDING, FLTVM_IRQ_REG_TIME_LO,
        FLTVM_IRQ_REG_SOURCE(0) + FLTVM_IRQ_SOURCE_STATE, FLTVM_IRQ_REG_SOURCE(0) + FLTVM_IRQ_SOURCE_RAISED,
    };
    Irq irq = irq_start(device);

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        uint64_t ones = UINT64_MAX >> (64 - 8 * bad[i].size);

        g_assert_cmphex(rig_read(irq.rig, irq.pci.bar + bad[i].offset, bad[i].size), ==, ones);
        g_assert_cmphex(irq_take_error(&irq, bad[i].offset), ==, FLTVM_IRQ_ERROR_ACCESS);
        if (bad[i].offset == FLTVM_IRQ_REG_SOURCE(3) + 0x1C) {
            continue; /* COMMAND may be written */
        }
        rig_write(irq.rig, irq.pci.bar + bad[i].offset, 1, bad[i].size);
        g_assert_cmphex(irq_take_error(&irq, bad[i].offset), ==, FLTVM_IRQ_ERROR_ACCESS);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(read_only); i++) {
        irq_set(&irq, read_only[i], 1);
        g_assert_cmphex(irq_take_error(&irq, read_only[i]), ==, FLTVM_IRQ_ERROR_ACCESS);
    }
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ID), ==, FLTVM_IRQ_ID);
    rig_stop(irq.rig);
}

/* The vector is addressed to the device itself: refused, not recursed into. */
static void test_message_to_self(void)
{
    Irq irq = irq_start(device);
    uint64_t command = irq.pci.bar + FLTVM_IRQ_REG_SOURCE(0) + FLTVM_IRQ_SOURCE_COMMAND;

    rig_msix_target(&irq.pci, 0, command, FLTVM_IRQ_COMMAND_FIRE);
    source_arm(&irq, 0, FLTVM_IRQ_MODE_ONE_SHOT, 100, 0, 0);
    rig_clock_step(irq.rig, 100);
    g_assert_cmpuint(source_get(&irq, 0, FLTVM_IRQ_SOURCE_RAISED), ==, 1);
    source_command(&irq, 0, FLTVM_IRQ_COMMAND_FIRE);
    g_assert_cmpuint(source_get(&irq, 0, FLTVM_IRQ_SOURCE_RAISED), ==, 2);
    rig_stop(irq.rig);
}

static void test_no_bus_master(void)
{
    Irq irq = irq_start(device);

    rig_pci_enable(&irq.pci, true, false);
    source_arm(&irq, 0, FLTVM_IRQ_MODE_ONE_SHOT, 100, 0, 0);
    rig_clock_step(irq.rig, 100);
    g_assert_cmpuint(source_get(&irq, 0, FLTVM_IRQ_SOURCE_RAISED), ==, 1);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    rig_stop(irq.rig);
}

static void irq_assert_reset(Irq *irq)
{
    g_assert_cmphex(irq_get(irq, FLTVM_IRQ_REG_ARMED), ==, 0);
    g_assert_cmphex(irq_get(irq, FLTVM_IRQ_REG_PENDING), ==, 0);
    irq_assert_no_error(irq);
    for (unsigned i = 0; i < SOURCES; i++) {
        for (uint32_t offset = 0; offset <= FLTVM_IRQ_SOURCE_LEFT; offset += 4) {
            if (offset != FLTVM_IRQ_SOURCE_COMMAND) {
                g_assert_cmphex(source_get(irq, i, offset), ==, offset == FLTVM_IRQ_SOURCE_VECTOR ? i : 0);
            }
        }
    }
}

static void irq_make_busy(Irq *irq)
{
    source_set(irq, 6, FLTVM_IRQ_SOURCE_VECTOR, 3);
    source_arm(irq, 6, FLTVM_IRQ_MODE_PERIODIC, 10, INTERVAL, 7);
    rig_clock_step(irq->rig, 10 + 2 * INTERVAL);
    source_command(irq, 6, FLTVM_IRQ_COMMAND_ACKNOWLEDGE);
    source_command(irq, 6, 99);
    rig_msix_take_all(&irq->pci);
}

static void test_system_reset(void)
{
    Irq irq = irq_start(device);

    irq_make_busy(&irq);
    rig_reset(irq.rig);
    irq.pci = rig_pci(irq.rig, SLOT, FLTVM_PCI_DEVICE_IRQ);
    rig_msix_enable(&irq.pci);
    irq_assert_reset(&irq);
    rig_clock_step(irq.rig, 10 * INTERVAL);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    rig_stop(irq.rig);
}

static void test_function_reset(void)
{
    Irq irq = irq_start(device);

    irq_make_busy(&irq);
    rig_pci_flr(&irq.pci);
    irq.pci = rig_pci(irq.rig, SLOT, FLTVM_PCI_DEVICE_IRQ);
    irq_assert_reset(&irq);
    rig_stop(irq.rig);
}

/* Saved with pulses to come, changed, loaded: they come when they would have. */
static void test_saved_state(void)
{
    g_autofree char *disk = rig_file("irq.qcow2");
    g_autofree char *img = rig_tool("qemu-img");
    const char *create[] = {img, "create", "-q", "-f", "qcow2", disk, "1M", NULL};
    g_autofree char *drive = g_strdup_printf("if=none,id=d,file=%s,format=qcow2", disk);
    const char *arguments[] = {"-device", "fltvm-irq,addr=2.0", "-drive", drive, NULL};
    Irq irq;

    if (!img) {
        g_test_skip("no qemu-img beside QEMU");
        return;
    }
    rig_run(create);
    irq = irq_start(arguments);
    source_arm(&irq, 1, FLTVM_IRQ_MODE_PERIODIC, 100, INTERVAL, 0);
    source_arm(&irq, 2, FLTVM_IRQ_MODE_BURST, 200, 1000, 3);
    rig_clock_step(irq.rig, 300);
    rig_msix_take_all(&irq.pci);
    rig_monitor(irq.rig, "savevm one");
    source_command(&irq, 1, FLTVM_IRQ_COMMAND_DISARM);
    source_command(&irq, 2, FLTVM_IRQ_COMMAND_DISARM);
    source_arm(&irq, 5, FLTVM_IRQ_MODE_ONE_SHOT, 10, 0, 0);
    rig_monitor(irq.rig, "loadvm one");
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 1u << 1 | 1u << 2);
    g_assert_cmpuint(source_get(&irq, 2, FLTVM_IRQ_SOURCE_LEFT), ==, 2);
    rig_clock_step(irq.rig, 899);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 0);
    rig_clock_step(irq.rig, 1);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 2);
    rig_clock_step(irq.rig, 1000);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 2);
    rig_clock_step(irq.rig, 100 + INTERVAL - 2200);
    g_assert_cmphex(rig_msix_take_all(&irq.pci), ==, 1u << 1);
    g_assert_cmphex(irq_get(&irq, FLTVM_IRQ_REG_ARMED), ==, 1u << 1);
    rig_stop(irq.rig);
}

static void test_properties(void)
{
    const char *few[] = {"-device", "fltvm-irq,addr=2.0,sources=1,vectors=1,min-interval-ns=50", NULL};
    static const char *const bad[] = {
        "fltvm-irq,sources=0", "fltvm-irq,sources=33", "fltvm-irq,vectors=0", "fltvm-irq,vectors=33",
        "fltvm-irq,min-interval-ns=0",
    };
    Irq irq = irq_start(few);

    g_assert_cmpuint(irq_get(&irq, FLTVM_IRQ_REG_SOURCES), ==, 1);
    g_assert_cmpuint(irq.pci.vectors, ==, 1);
    source_arm(&irq, 0, FLTVM_IRQ_MODE_PERIODIC, 0, 50, 0);
    irq_assert_no_error(&irq);
    rig_stop(irq.rig);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *arguments[] = {"-device", bad[i], NULL};
        g_autofree char *text = rig_start_refused(arguments);

        g_assert_nonnull(strstr(text, "fltvm-irq: "));
    }
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/irq/identity", test_identity);
    g_test_add_func("/irq/time", test_time);
    g_test_add_func("/irq/one-shot", test_one_shot);
    g_test_add_func("/irq/acknowledge", test_acknowledge);
    g_test_add_func("/irq/periodic", test_periodic);
    g_test_add_func("/irq/burst", test_burst);
    g_test_add_func("/irq/fire", test_fire);
    g_test_add_func("/irq/all-sources", test_all_sources);
    g_test_add_func("/irq/bad-configuration", test_bad_configuration);
    g_test_add_func("/irq/busy", test_busy);
    g_test_add_func("/irq/far-future", test_far_future);
    g_test_add_func("/irq/bad-access", test_bad_access);
    g_test_add_func("/irq/message-to-self", test_message_to_self);
    g_test_add_func("/irq/no-bus-master", test_no_bus_master);
    g_test_add_func("/irq/reset/system", test_system_reset);
    g_test_add_func("/irq/reset/function", test_function_reset);
    g_test_add_func("/irq/saved-state", test_saved_state);
    g_test_add_func("/irq/properties", test_properties);
    return g_test_run();
}
