/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-irq: registers.
 *
 * Aligned 32-bit accesses only.  What is not listed here, or is accessed in another way, reads as all
 * ones, writes nothing and leaves FLTVM_IRQ_ERROR_ACCESS.
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "irq.h"
#include "trace.h"

#define FLTVM_IRQ_SOURCES_OFFSET FLTVM_IRQ_REG_SOURCE(0)
#define FLTVM_IRQ_SOURCE_SIZE \
    (FLTVM_IRQ_REG_SOURCE(1) - FLTVM_IRQ_REG_SOURCE(0))

static uint32_t fltvm_irq_left(const FltvmIrqSource *source)
{
    return source->armed && source->mode == FLTVM_IRQ_MODE_PERIODIC
               ? UINT32_MAX
               : source->left;
}

static bool fltvm_irq_read_source(const FltvmIrqSource *source, hwaddr offset,
                                  uint32_t *value)
{
    switch (offset) {
    case FLTVM_IRQ_SOURCE_MODE:
        *value = source->mode;
        return true;
    case FLTVM_IRQ_SOURCE_VECTOR:
        *value = source->vector;
        return true;
    case FLTVM_IRQ_SOURCE_START_LO:
        *value = source->start;
        return true;
    case FLTVM_IRQ_SOURCE_START_HI:
        *value = source->start >> 32;
        return true;
    case FLTVM_IRQ_SOURCE_INTERVAL_LO:
        *value = source->interval;
        return true;
    case FLTVM_IRQ_SOURCE_INTERVAL_HI:
        *value = source->interval >> 32;
        return true;
    case FLTVM_IRQ_SOURCE_COUNT:
        *value = source->count;
        return true;
    case FLTVM_IRQ_SOURCE_STATE:
        *value = (source->armed ? FLTVM_IRQ_STATE_ARMED : 0) |
                 (source->pending ? FLTVM_IRQ_STATE_PENDING : 0);
        return true;
    case FLTVM_IRQ_SOURCE_RAISED:
        *value = source->raised;
        return true;
    case FLTVM_IRQ_SOURCE_ACKED:
        *value = source->acked;
        return true;
    case FLTVM_IRQ_SOURCE_OVERRUN:
        *value = source->overrun;
        return true;
    case FLTVM_IRQ_SOURCE_MISSED:
        *value = source->missed;
        return true;
    case FLTVM_IRQ_SOURCE_LEFT:
        *value = fltvm_irq_left(source);
        return true;
    default:
        return false;
    }
}

static bool fltvm_irq_write_source(FltvmIrqSource *source, hwaddr offset,
                                   uint32_t value)
{
    if (offset == FLTVM_IRQ_SOURCE_COMMAND) {
        fltvm_irq_command(source, value);
        return true;
    }
    if (offset > FLTVM_IRQ_SOURCE_COUNT) {
        return false;
    }
    if (source->armed) {
        fltvm_irq_set_error(source->irq, FLTVM_IRQ_ERROR_BUSY,
                            fltvm_irq_index(source));
        return true;
    }
    switch (offset) {
    case FLTVM_IRQ_SOURCE_MODE:
        source->mode = value;
        return true;
    case FLTVM_IRQ_SOURCE_VECTOR:
        source->vector = value;
        return true;
    case FLTVM_IRQ_SOURCE_START_LO:
        source->start = deposit64(source->start, 0, 32, value);
        return true;
    case FLTVM_IRQ_SOURCE_START_HI:
        source->start = deposit64(source->start, 32, 32, value);
        return true;
    case FLTVM_IRQ_SOURCE_INTERVAL_LO:
        source->interval = deposit64(source->interval, 0, 32, value);
        return true;
    case FLTVM_IRQ_SOURCE_INTERVAL_HI:
        source->interval = deposit64(source->interval, 32, 32, value);
        return true;
    case FLTVM_IRQ_SOURCE_COUNT:
        source->count = value;
        return true;
    default:
        return false;
    }
}

/* The source whose block holds @offset, or NULL. */
static FltvmIrqSource *fltvm_irq_source_at(FltvmIrqState *s, hwaddr *offset)
{
    hwaddr relative = *offset - FLTVM_IRQ_SOURCES_OFFSET;
    hwaddr index = relative / FLTVM_IRQ_SOURCE_SIZE;

    if (*offset < FLTVM_IRQ_SOURCES_OFFSET || index >= s->source_count) {
        return NULL;
    }
    *offset = relative % FLTVM_IRQ_SOURCE_SIZE;
    return &s->source[index];
}

static bool fltvm_irq_read_global(FltvmIrqState *s, hwaddr offset,
                                  uint32_t *value)
{
    uint64_t now;

    switch (offset) {
    case FLTVM_IRQ_REG_ID:
        *value = FLTVM_IRQ_ID;
        return true;
    case FLTVM_IRQ_REG_VERSION:
        *value = FLTVM_IRQ_VERSION;
        return true;
    case FLTVM_IRQ_REG_SOURCES:
        *value = s->source_count;
        return true;
    case FLTVM_IRQ_REG_VECTORS:
        *value = s->vector_count;
        return true;
    case FLTVM_IRQ_REG_MIN_INTERVAL:
        *value = s->min_interval;
        return true;
    case FLTVM_IRQ_REG_MAX_COUNT:
        *value = FLTVM_IRQ_PULSES_LIMIT;
        return true;
    case FLTVM_IRQ_REG_PENDING:
    case FLTVM_IRQ_REG_ARMED:
        *value = 0;
        for (uint32_t i = 0; i < s->source_count; i++) {
            bool set = offset == FLTVM_IRQ_REG_PENDING ? s->source[i].pending
                                                       : s->source[i].armed;

            *value |= (uint32_t)set << i;
        }
        return true;
    case FLTVM_IRQ_REG_ERROR:
        *value = s->error;
        return true;
    case FLTVM_IRQ_REG_ERROR_INFO:
        *value = s->error_info;
        return true;
    case FLTVM_IRQ_REG_TIME_LO:
        now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
        s->time_hi = now >> 32;
        *value = now;
        return true;
    case FLTVM_IRQ_REG_TIME_HI:
        *value = s->time_hi;
        return true;
    default:
        return false;
    }
}

static uint64_t fltvm_irq_read(void *opaque, hwaddr offset, unsigned size)
{
    FltvmIrqState *s = opaque;
    hwaddr inner = offset;
    FltvmIrqSource *source = fltvm_irq_source_at(s, &inner);
    uint32_t value = 0;

    if (size != 4 || offset % 4 ||
        !(source ? fltvm_irq_read_source(source, inner, &value)
                 : fltvm_irq_read_global(s, offset, &value))) {
        fltvm_irq_set_error(s, FLTVM_IRQ_ERROR_ACCESS, offset);
        return UINT64_MAX;
    }
    trace_fltvm_irq_read(offset, value);
    return value;
}

static void fltvm_irq_write(void *opaque, hwaddr offset, uint64_t value,
                            unsigned size)
{
    FltvmIrqState *s = opaque;
    hwaddr inner = offset;
    FltvmIrqSource *source = fltvm_irq_source_at(s, &inner);

    trace_fltvm_irq_write(offset, value, size);
    if (size == 4 && offset == FLTVM_IRQ_REG_ERROR) {
        s->error &= ~value;
    } else if (size != 4 || offset % 4 || !source ||
               !fltvm_irq_write_source(source, inner, value)) {
        fltvm_irq_set_error(s, FLTVM_IRQ_ERROR_ACCESS, offset);
    }
}

/* All sizes come in so that the device can refuse them as the specification says. */
const MemoryRegionOps fltvm_irq_register_ops = {
    .read = fltvm_irq_read,
    .write = fltvm_irq_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
