/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: registers.
 *
 * Aligned 32-bit accesses only.  What is not listed here, or is accessed in another way, reads as all
 * ones, writes nothing and leaves FLTVM_HBA_ERROR_ACCESS.
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "hba.h"
#include "trace.h"

#define FLTVM_HBA_FAULT_WINDOW FLTVM_HBA_REG_FAULT_RULES
#define FLTVM_HBA_FAULT_WINDOW_END (FLTVM_HBA_REG_FAULT_HITS + 4)
#define FLTVM_HBA_QUEUES_OFFSET FLTVM_HBA_REG_QUEUE(0)
#define FLTVM_HBA_QUEUE_SIZE (FLTVM_HBA_REG_QUEUE(1) - FLTVM_HBA_REG_QUEUE(0))
#define FLTVM_HBA_DOORBELLS_END FLTVM_HBA_MSIX_TABLE

void fltvm_hba_set_error(FltvmHbaState *s, uint32_t error, uint32_t info)
{
    trace_fltvm_hba_error(error, info);
    s->error |= error;
    s->error_info = info;
}

/* The queue whose block holds @offset, or -1. */
static int fltvm_hba_queue_at(FltvmHbaState *s, hwaddr *offset)
{
    hwaddr relative = *offset - FLTVM_HBA_QUEUES_OFFSET;
    hwaddr index = relative / FLTVM_HBA_QUEUE_SIZE;

    if (*offset < FLTVM_HBA_QUEUES_OFFSET || index >= s->queue_count) {
        return -1;
    }
    *offset = relative % FLTVM_HBA_QUEUE_SIZE;
    return index;
}

/* The configuration field behind a register of a queue; NULL if none is. */
static uint32_t *fltvm_hba_queue_field32(FltvmHbaQueue *q, hwaddr offset)
{
    switch (offset) {
    case FLTVM_HBA_QUEUE_DEPTH:
        return &q->depth;
    case FLTVM_HBA_QUEUE_VECTOR:
        return &q->vector;
    default:
        return NULL;
    }
}

static uint64_t *fltvm_hba_queue_field64(FltvmHbaQueue *q, hwaddr offset,
                                         int *shift)
{
    *shift = offset & 4 ? 32 : 0;
    switch (offset & ~(hwaddr)4) {
    case FLTVM_HBA_QUEUE_SQ_BASE_LO:
        return &q->sq_base;
    case FLTVM_HBA_QUEUE_CQ_BASE_LO:
        return &q->cq_base;
    default:
        return NULL;
    }
}

static uint32_t fltvm_hba_queue_status(FltvmHbaState *s, uint32_t index)
{
    uint32_t status = 0;

    if (fltvm_hba_queue_running(s, index)) {
        status |= FLTVM_HBA_QUEUE_STATUS_RUNNING;
    }
    if (s->queue[index].error) {
        status |= FLTVM_HBA_QUEUE_STATUS_ERROR;
    }
    return status;
}

static bool fltvm_hba_read_queue(FltvmHbaState *s, uint32_t index,
                                 hwaddr offset, uint32_t *value)
{
    FltvmHbaQueue *q = &s->queue[index];
    uint32_t *field32 = fltvm_hba_queue_field32(q, offset);
    int shift;
    uint64_t *field64 = fltvm_hba_queue_field64(q, offset, &shift);

    if (field32) {
        *value = *field32;
        return true;
    }
    if (field64) {
        *value = extract64(*field64, shift, 32);
        return true;
    }
    switch (offset) {
    case FLTVM_HBA_QUEUE_CONTROL:
        *value = q->control;
        return true;
    case FLTVM_HBA_QUEUE_STATUS:
        *value = fltvm_hba_queue_status(s, index);
        return true;
    case FLTVM_HBA_QUEUE_SQ_HEAD:
        *value = q->sq_head;
        return true;
    case FLTVM_HBA_QUEUE_CQ_TAIL:
        *value = q->cq_tail;
        return true;
    case FLTVM_HBA_QUEUE_PENDING:
        *value = q->pending;
        return true;
    default:
        return false;
    }
}

static bool fltvm_hba_write_queue(FltvmHbaState *s, uint32_t index,
                                  hwaddr offset, uint32_t value)
{
    FltvmHbaQueue *q = &s->queue[index];
    uint32_t *field32 = fltvm_hba_queue_field32(q, offset);
    int shift;
    uint64_t *field64 = fltvm_hba_queue_field64(q, offset, &shift);

    if (offset == FLTVM_HBA_QUEUE_CONTROL) {
        fltvm_hba_queue_control(s, index, value);
        return true;
    }
    if (!field32 && !field64) {
        return false;
    }
    if (q->control & FLTVM_HBA_QUEUE_CONTROL_ENABLE) {
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_QUEUE, index);
    } else if (field32) {
        *field32 = value;
    } else {
        *field64 = deposit64(*field64, shift, 32, value);
    }
    return true;
}

static bool fltvm_hba_write_control(FltvmHbaState *s, uint32_t value)
{
    if (value & ~FLTVM_HBA_CONTROL_ENABLE) {
        return false;
    }
    if (s->control & ~value & FLTVM_HBA_CONTROL_ENABLE) {
        fltvm_hba_stop(s);
    }
    if (value & ~s->control & FLTVM_HBA_CONTROL_ENABLE) {
        s->status = FLTVM_HBA_STATUS_READY;
    }
    s->control = value;
    return true;
}

static bool fltvm_hba_read_global(FltvmHbaState *s, hwaddr offset,
                                  uint32_t *value)
{
    switch (offset) {
    case FLTVM_HBA_REG_ID:
        *value = FLTVM_HBA_ID;
        return true;
    case FLTVM_HBA_REG_VERSION:
        *value = FLTVM_HBA_VERSION;
        return true;
    case FLTVM_HBA_REG_QUEUES:
    case FLTVM_HBA_REG_VECTORS:
        *value = s->queue_count;
        return true;
    case FLTVM_HBA_REG_MAX_DEPTH:
        *value = s->max_depth;
        return true;
    case FLTVM_HBA_REG_BLOCK_SIZE:
        *value = s->block_size;
        return true;
    case FLTVM_HBA_REG_BLOCKS_LO:
        *value = s->disk_blocks;
        return true;
    case FLTVM_HBA_REG_BLOCKS_HI:
        *value = s->disk_blocks >> 32;
        return true;
    case FLTVM_HBA_REG_MAX_SEGMENTS:
        *value = FLTVM_HBA_SEGMENT_LIMIT;
        return true;
    case FLTVM_HBA_REG_MAX_TRANSFER:
        *value = FLTVM_HBA_TRANSFER_LIMIT;
        return true;
    case FLTVM_HBA_REG_DOORBELL_STRIDE:
        *value = FLTVM_HBA_STRIDE;
        return true;
    case FLTVM_HBA_REG_FEATURES:
        *value = fltvm_hba_features(s);
        return true;
    case FLTVM_HBA_REG_MEDIA:
        *value = s->removable ? s->media : 0;
        return true;
    case FLTVM_HBA_REG_MEDIUM:
    case FLTVM_HBA_REG_MEDIUM_CHANGED:
        return fltvm_hba_change_read(s, offset, value);
    case FLTVM_HBA_REG_CONTROL:
        *value = s->control;
        return true;
    case FLTVM_HBA_REG_STATUS:
        *value = s->status;
        return true;
    case FLTVM_HBA_REG_ERROR:
        *value = s->error;
        return true;
    case FLTVM_HBA_REG_ERROR_INFO:
        *value = s->error_info;
        return true;
    default:
        return false;
    }
}

static bool fltvm_hba_in_window(hwaddr offset)
{
    return offset >= FLTVM_HBA_FAULT_WINDOW &&
           offset < FLTVM_HBA_FAULT_WINDOW_END;
}

static bool fltvm_hba_read32(FltvmHbaState *s, hwaddr offset, uint32_t *value)
{
    hwaddr inner = offset;
    int queue = fltvm_hba_queue_at(s, &inner);

    if (queue >= 0) {
        return fltvm_hba_read_queue(s, queue, inner, value);
    }
    if (fltvm_hba_in_window(offset)) {
        return fltvm_hba_fault_read(s, offset, value);
    }
    return fltvm_hba_read_global(s, offset, value);
}

static bool fltvm_hba_write32(FltvmHbaState *s, hwaddr offset, uint32_t value)
{
    hwaddr inner = offset;
    int queue = fltvm_hba_queue_at(s, &inner);

    if (queue >= 0) {
        return fltvm_hba_write_queue(s, queue, inner, value);
    }
    if (offset >= FLTVM_HBA_DOORBELLS && offset < FLTVM_HBA_DOORBELLS_END) {
        fltvm_hba_doorbell(s, offset, value);
        return true;
    }
    if (fltvm_hba_in_window(offset)) {
        return fltvm_hba_fault_write(s, offset, value);
    }
    switch (offset) {
    case FLTVM_HBA_REG_CONTROL:
        return fltvm_hba_write_control(s, value);
    case FLTVM_HBA_REG_ERROR:
        s->error &= ~value;
        return true;
    case FLTVM_HBA_REG_MEDIUM:
    case FLTVM_HBA_REG_MEDIUM_CHANGED:
        return fltvm_hba_change_write(s, offset, value);
    default:
        return false;
    }
}

static uint64_t fltvm_hba_read(void *opaque, hwaddr offset, unsigned size)
{
    FltvmHbaState *s = opaque;
    uint32_t value = 0;

    if (size != 4 || offset % 4 || !fltvm_hba_read32(s, offset, &value)) {
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_ACCESS, offset);
        return UINT64_MAX;
    }
    trace_fltvm_hba_read(offset, value);
    return value;
}

static void fltvm_hba_write(void *opaque, hwaddr offset, uint64_t value,
                            unsigned size)
{
    FltvmHbaState *s = opaque;

    trace_fltvm_hba_write(offset, value, size);
    if (size != 4 || offset % 4 || !fltvm_hba_write32(s, offset, value)) {
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_ACCESS, offset);
    }
}

/* All sizes come in so that the device can refuse them as the specification says. */
const MemoryRegionOps fltvm_hba_register_ops = {
    .read = fltvm_hba_read,
    .write = fltvm_hba_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};
