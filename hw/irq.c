/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-irq: programmable interrupt sources.
 *
 * Each source raises pulses of an MSI-X vector at virtual times that the guest programs: once,
 * periodically, or as a burst.  A pulse leaves the source pending until it is acknowledged; pulses go on
 * meanwhile and are counted as overruns.
 *
 * The contract is docs/specs/fltvm-irq.rst.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "hw/pci/msix.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "fltvm/pci.h"
#include "irq.h"
#include "trace.h"

uint32_t fltvm_irq_index(const FltvmIrqSource *source)
{
    return source - source->irq->source;
}

void fltvm_irq_set_error(FltvmIrqState *s, uint32_t error, uint32_t info)
{
    trace_fltvm_irq_error(error, info);
    s->error |= error;
    s->error_info = info;
}

/* Pulses */

static int64_t fltvm_irq_add(int64_t time, uint64_t ns)
{
    return ns >= FLTVM_IRQ_NEVER - time ? FLTVM_IRQ_NEVER : time + (int64_t)ns;
}

static void fltvm_irq_disarm(FltvmIrqSource *source)
{
    source->armed = false;
    source->left = 0;
    timer_del(&source->timer);
}

/* The source is armed: set the timer to its next pulse. */
static void fltvm_irq_set_timer(FltvmIrqSource *source)
{
    if (source->due == FLTVM_IRQ_NEVER) {
        timer_del(&source->timer);
    } else {
        timer_mod(&source->timer, source->due);
    }
}

static void fltvm_irq_pulse(FltvmIrqSource *source)
{
    trace_fltvm_irq_pulse(fltvm_irq_index(source), source->vector,
                          source->pending);
    source->raised++;
    if (source->pending) {
        source->overrun++;
    }
    source->pending = true;
    msix_notify(PCI_DEVICE(source->irq), source->vector);
}

/*
 * Behind the clock by more than an interval: under icount and qtest that cannot be.  Where real time
 * drives the clock, pulses that lie wholly in the past are counted and left out.
 */
static void fltvm_irq_skip_missed(FltvmIrqSource *source, int64_t now)
{
    uint64_t behind;

    if (source->due > now) {
        return;
    }
    behind = (uint64_t)(now - source->due) / source->interval;
    if (source->mode == FLTVM_IRQ_MODE_BURST) {
        behind = MIN(behind, source->left - 1);
        source->left -= behind;
    }
    source->missed += behind;
    source->due += behind * source->interval;
}

static void fltvm_irq_timer(void *opaque)
{
    FltvmIrqSource *source = opaque;
    MemReentrancyGuard *guard = &DEVICE(source->irq)->mem_reentrancy_guard;
    bool engaged = guard->engaged_in_io;

    /* The vector may be addressed to our own registers; a timer has no guard by itself. */
    guard->engaged_in_io = true;
    fltvm_irq_pulse(source);
    guard->engaged_in_io = engaged;

    if (source->mode == FLTVM_IRQ_MODE_PERIODIC || --source->left > 0) {
        source->due = fltvm_irq_add(source->due, source->interval);
        fltvm_irq_skip_missed(source, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
        fltvm_irq_set_timer(source);
    } else {
        fltvm_irq_disarm(source);
    }
}

/* Commands */

static bool fltvm_irq_valid(const FltvmIrqSource *source)
{
    const FltvmIrqState *s = source->irq;

    if (source->vector >= s->vector_count) {
        return false;
    }
    switch (source->mode) {
    case FLTVM_IRQ_MODE_ONE_SHOT:
        return true;
    case FLTVM_IRQ_MODE_PERIODIC:
        return source->interval >= s->min_interval;
    case FLTVM_IRQ_MODE_BURST:
        return source->interval >= s->min_interval && source->count >= 1 &&
               source->count <= FLTVM_IRQ_PULSES_LIMIT;
    default:
        return false;
    }
}

static void fltvm_irq_arm(FltvmIrqSource *source)
{
    FltvmIrqState *s = source->irq;

    if (source->armed) {
        fltvm_irq_set_error(s, FLTVM_IRQ_ERROR_BUSY, fltvm_irq_index(source));
        return;
    }
    if (!fltvm_irq_valid(source)) {
        fltvm_irq_set_error(s, FLTVM_IRQ_ERROR_CONFIG, fltvm_irq_index(source));
        return;
    }
    source->armed = true;
    source->left = source->mode == FLTVM_IRQ_MODE_BURST ? source->count : 1;
    source->due = fltvm_irq_add(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL),
                                source->start);
    trace_fltvm_irq_arm(fltvm_irq_index(source), source->mode, source->due);
    fltvm_irq_set_timer(source);
}

void fltvm_irq_command(FltvmIrqSource *source, uint32_t command)
{
    FltvmIrqState *s = source->irq;

    switch (command) {
    case FLTVM_IRQ_COMMAND_ARM:
        fltvm_irq_arm(source);
        break;
    case FLTVM_IRQ_COMMAND_DISARM:
        fltvm_irq_disarm(source);
        break;
    case FLTVM_IRQ_COMMAND_ACKNOWLEDGE:
        source->acked += source->pending;
        source->pending = false;
        break;
    case FLTVM_IRQ_COMMAND_FIRE:
        if (source->vector < s->vector_count) {
            fltvm_irq_pulse(source);
        } else {
            fltvm_irq_set_error(s, FLTVM_IRQ_ERROR_CONFIG,
                                fltvm_irq_index(source));
        }
        break;
    case FLTVM_IRQ_COMMAND_CLEAR:
        source->raised = 0;
        source->acked = 0;
        source->overrun = 0;
        source->missed = 0;
        break;
    default:
        fltvm_irq_set_error(s, FLTVM_IRQ_ERROR_CONFIG, fltvm_irq_index(source));
        break;
    }
}

/* The device's life */

static void fltvm_irq_reset_hold(Object *obj, ResetType type)
{
    FltvmIrqState *s = FLTVM_IRQ(obj);

    s->error = 0;
    s->error_info = 0;
    s->time_hi = 0;
    for (uint32_t i = 0; i < s->source_count; i++) {
        FltvmIrqSource *source = &s->source[i];

        fltvm_irq_disarm(source);
        fltvm_irq_command(source, FLTVM_IRQ_COMMAND_CLEAR);
        source->mode = FLTVM_IRQ_MODE_OFF;
        source->vector = i;
        source->start = 0;
        source->interval = 0;
        source->count = 0;
        source->due = 0;
        source->pending = false;
    }
}

static void fltvm_irq_write_config(PCIDevice *dev, uint32_t address,
                                   uint32_t value, int length)
{
    pci_default_write_config(dev, address, value, length);
    pcie_cap_flr_write_config(dev, address, value, length);
}

static void fltvm_irq_realize(PCIDevice *dev, Error **errp)
{
    FltvmIrqState *s = FLTVM_IRQ(dev);

    if (s->source_count < 1 || s->source_count > FLTVM_IRQ_MAX_SOURCES) {
        error_setg(errp, "fltvm-irq: sources must be 1 to %d",
                   FLTVM_IRQ_MAX_SOURCES);
        return;
    }
    if (s->vector_count < 1 || s->vector_count > FLTVM_IRQ_MAX_SOURCES) {
        error_setg(errp, "fltvm-irq: vectors must be 1 to %d",
                   FLTVM_IRQ_MAX_SOURCES);
        return;
    }
    if (s->min_interval < 1) {
        error_setg(errp, "fltvm-irq: min-interval-ns must be at least 1");
        return;
    }
    if (pcie_endpoint_cap_init(dev, 0) < 0) {
        error_setg(errp, "fltvm-irq: no PCI Express capability on this bus");
        return;
    }
    pcie_cap_flr_init(dev);
    memory_region_init_io(&s->registers, OBJECT(dev), &fltvm_irq_register_ops, s,
                          TYPE_FLTVM_IRQ, FLTVM_IRQ_BAR_SIZE);
    if (msix_init(dev, s->vector_count, &s->registers, FLTVM_IRQ_BAR,
                  FLTVM_IRQ_MSIX_TABLE, &s->registers, FLTVM_IRQ_BAR,
                  FLTVM_IRQ_MSIX_PBA, 0, errp) < 0) {
        return;
    }
    for (uint32_t i = 0; i < s->vector_count; i++) {
        msix_vector_use(dev, i);
    }
    for (uint32_t i = 0; i < s->source_count; i++) {
        s->source[i].irq = s;
        timer_init_ns(&s->source[i].timer, QEMU_CLOCK_VIRTUAL, fltvm_irq_timer,
                      &s->source[i]);
    }
    pci_register_bar(dev, FLTVM_IRQ_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->registers);
}

static void fltvm_irq_exit(PCIDevice *dev)
{
    FltvmIrqState *s = FLTVM_IRQ(dev);

    for (uint32_t i = 0; i < s->source_count; i++) {
        timer_del(&s->source[i].timer);
    }
    msix_uninit(dev, &s->registers, &s->registers);
    pcie_cap_exit(dev);
}

static int fltvm_irq_post_load(void *opaque, int version_id)
{
    FltvmIrqState *s = opaque;

    for (uint32_t i = 0; i < s->source_count; i++) {
        FltvmIrqSource *source = &s->source[i];

        if (!source->armed) {
            timer_del(&source->timer);
            continue;
        }
        if (!fltvm_irq_valid(source) || source->left == 0) {
            return -EINVAL;
        }
        fltvm_irq_set_timer(source);
    }
    return 0;
}

static const VMStateDescription fltvm_irq_source_vmstate = {
    .name = "fltvm-irq/source",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(mode, FltvmIrqSource),
        VMSTATE_UINT32(vector, FltvmIrqSource),
        VMSTATE_UINT64(start, FltvmIrqSource),
        VMSTATE_UINT64(interval, FltvmIrqSource),
        VMSTATE_UINT32(count, FltvmIrqSource),
        VMSTATE_BOOL(pending, FltvmIrqSource),
        VMSTATE_BOOL(armed, FltvmIrqSource),
        VMSTATE_INT64(due, FltvmIrqSource),
        VMSTATE_UINT32(left, FltvmIrqSource),
        VMSTATE_UINT32(raised, FltvmIrqSource),
        VMSTATE_UINT32(acked, FltvmIrqSource),
        VMSTATE_UINT32(overrun, FltvmIrqSource),
        VMSTATE_UINT32(missed, FltvmIrqSource),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription fltvm_irq_vmstate = {
    .name = TYPE_FLTVM_IRQ,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = fltvm_irq_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, FltvmIrqState),
        VMSTATE_MSIX(parent_obj, FltvmIrqState),
        VMSTATE_UINT32(error, FltvmIrqState),
        VMSTATE_UINT32(error_info, FltvmIrqState),
        VMSTATE_UINT32(time_hi, FltvmIrqState),
        VMSTATE_STRUCT_ARRAY(source, FltvmIrqState, FLTVM_IRQ_MAX_SOURCES, 1,
                             fltvm_irq_source_vmstate, FltvmIrqSource),
        VMSTATE_END_OF_LIST()
    }
};

static const Property fltvm_irq_properties[] = {
    DEFINE_PROP_UINT32("sources", FltvmIrqState, source_count, 16),
    DEFINE_PROP_UINT32("vectors", FltvmIrqState, vector_count, 16),
    DEFINE_PROP_UINT32("min-interval-ns", FltvmIrqState, min_interval, 1000),
};

static void fltvm_irq_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    k->realize = fltvm_irq_realize;
    k->exit = fltvm_irq_exit;
    k->config_write = fltvm_irq_write_config;
    k->vendor_id = FLTVM_PCI_VENDOR;
    k->device_id = FLTVM_PCI_DEVICE_IRQ;
    k->revision = FLTVM_PCI_REVISION;
    k->class_id = FLTVM_PCI_CLASS_IRQ;
    dc->desc = "fltvm interrupt source";
    dc->vmsd = &fltvm_irq_vmstate;
    device_class_set_props(dc, fltvm_irq_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    rc->phases.hold = fltvm_irq_reset_hold;
    object_class_property_set_description(klass, "sources",
        "Number of interrupt sources");
    object_class_property_set_description(klass, "vectors",
        "Number of MSI-X vectors");
    object_class_property_set_description(klass, "min-interval-ns",
        "Shortest interval between two pulses of a source");
}

static const TypeInfo fltvm_irq_type = {
    .name = TYPE_FLTVM_IRQ,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(FltvmIrqState),
    .class_init = fltvm_irq_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { }
    },
};

static void fltvm_irq_register(void)
{
    type_register_static(&fltvm_irq_type);
}

type_init(fltvm_irq_register)
