/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: queue pairs.
 *
 * A submission ring is read from its head as long as the completion ring has room for every command in
 * flight, so completions never overflow.  Queues with entries are served in turn, one entry each.
 * A ring that cannot be reached is fatal to the controller: a command or its result would be lost.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/pci/msix.h"
#include "hba.h"
#include "trace.h"

#define FLTVM_HBA_RING_ALIGN 64

bool fltvm_hba_queue_running(FltvmHbaState *s, uint32_t index)
{
    const FltvmHbaQueue *q = &s->queue[index];

    return (q->control & FLTVM_HBA_QUEUE_CONTROL_ENABLE) && !q->error &&
           !(s->status & FLTVM_HBA_STATUS_FATAL);
}

/* Completions that the guest has not taken yet. */
static uint32_t fltvm_hba_queue_posted(const FltvmHbaQueue *q)
{
    return (q->cq_tail + q->depth - q->cq_head) % q->depth;
}

/* Configuration */

static bool fltvm_hba_queue_valid(FltvmHbaState *s, const FltvmHbaQueue *q)
{
    return s->status == FLTVM_HBA_STATUS_READY &&
           QEMU_IS_ALIGNED(q->sq_base, FLTVM_HBA_RING_ALIGN) &&
           QEMU_IS_ALIGNED(q->cq_base, FLTVM_HBA_RING_ALIGN) &&
           q->depth >= 2 && q->depth <= s->max_depth &&
           q->vector < s->queue_count;
}

static void fltvm_hba_queue_enable(FltvmHbaQueue *q)
{
    q->sq_head = 0;
    q->sq_tail = 0;
    q->cq_head = 0;
    q->cq_tail = 0;
    q->phase = true;
    q->pending = 0;
    q->notify = false;
    q->error = false;
}

void fltvm_hba_queue_forget(FltvmHbaState *s, uint32_t index)
{
    FltvmHbaCommand *command, *next;
    FltvmHbaQueue *q = &s->queue[index];

    QTAILQ_FOREACH_SAFE(command, &s->commands, entry, next) {
        if (command->queue == index) {
            fltvm_hba_free(s, command);
        }
    }
    q->control = 0;
    q->error = false;
    q->notify = false;
    q->pending = 0;
}

void fltvm_hba_queue_control(FltvmHbaState *s, uint32_t index, uint32_t value)
{
    const uint32_t enable = FLTVM_HBA_QUEUE_CONTROL_ENABLE;
    const uint32_t irq = FLTVM_HBA_QUEUE_CONTROL_IRQ;
    FltvmHbaQueue *q = &s->queue[index];
    uint32_t old = q->control;

    trace_fltvm_hba_queue_control(index, value, q->sq_base, q->cq_base,
                                  q->depth, q->vector);
    if ((value & ~(enable | irq)) ||
        ((value & ~old & enable) && !fltvm_hba_queue_valid(s, q))) {
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_QUEUE, index);
        return;
    }
    if (old & ~value & enable) {
        fltvm_hba_queue_forget(s, index);
        fltvm_hba_fetch_all(s); /* its buffers are free */
        fltvm_hba_arm(s);
    }
    if (value & ~old & enable) {
        fltvm_hba_queue_enable(q);
    }
    q->control = value;
    if ((value & enable) && (value & ~old & irq) && fltvm_hba_queue_posted(q)) {
        q->notify = true;
    }
    fltvm_hba_notify(s);
}

/* Doorbells */

static bool fltvm_hba_ring_sq(FltvmHbaQueue *q, uint32_t value)
{
    if (value >= q->depth) {
        return false;
    }
    q->sq_tail = value;
    return true;
}

/* The head moves forward only, and not past what was posted. */
static bool fltvm_hba_ring_cq(FltvmHbaQueue *q, uint32_t value)
{
    uint32_t taken = (value + q->depth - q->cq_head) % q->depth;

    if (value >= q->depth || taken > fltvm_hba_queue_posted(q)) {
        return false;
    }
    q->cq_head = value;
    return true;
}

void fltvm_hba_doorbell(FltvmHbaState *s, hwaddr offset, uint32_t value)
{
    uint32_t index = (offset - FLTVM_HBA_DOORBELLS) / FLTVM_HBA_STRIDE;
    uint32_t which = (offset - FLTVM_HBA_DOORBELLS) % FLTVM_HBA_STRIDE;
    bool ok = false;

    trace_fltvm_hba_doorbell(index, which, value);
    if (index < s->queue_count && fltvm_hba_queue_running(s, index)) {
        FltvmHbaQueue *q = &s->queue[index];

        ok = which == FLTVM_HBA_DOORBELL_SQ_TAIL ? fltvm_hba_ring_sq(q, value)
                                                 : fltvm_hba_ring_cq(q, value);
    }
    if (!ok) {
        fltvm_hba_set_error(s, FLTVM_HBA_ERROR_DOORBELL, offset);
        return;
    }
    fltvm_hba_fetch_all(s);
    fltvm_hba_arm(s);
    fltvm_hba_notify(s);
}

/* Submission */

static bool fltvm_hba_fetch_one(FltvmHbaState *s, uint32_t index)
{
    FltvmHbaQueue *q = &s->queue[index];
    struct fltvm_hba_command entry;
    hwaddr address;

    if (s->off || !fltvm_hba_queue_running(s, index) || q->sq_head == q->sq_tail ||
        q->pending + fltvm_hba_queue_posted(q) >= q->depth - 1 ||
        s->buffered >= FLTVM_HBA_BUFFER_LIMIT) {
        return false;
    }
    address = q->sq_base + q->sq_head * sizeof(entry);
    if (pci_dma_rw(PCI_DEVICE(s), address, &entry, sizeof(entry),
                   DMA_DIRECTION_TO_DEVICE, FLTVM_HBA_ATTRS) != MEMTX_OK) {
        fltvm_hba_fatal(s, index, FLTVM_HBA_ERROR_FETCH);
        return false;
    }
    q->sq_head = (q->sq_head + 1) % q->depth;
    q->pending++;
    fltvm_hba_begin(s, index, &entry);
    return true;
}

/* Bounded: every round takes entries from finite rings, and nothing completes meanwhile. */
void fltvm_hba_fetch_all(FltvmHbaState *s)
{
    uint32_t idle = 0;

    while (idle < s->queue_count) {
        uint32_t index = s->next_queue;

        s->next_queue = (s->next_queue + 1) % s->queue_count;
        idle = fltvm_hba_fetch_one(s, index) ? 0 : idle + 1;
    }
}

/* Completion */

bool fltvm_hba_post(FltvmHbaState *s, FltvmHbaCommand *command,
                    uint32_t result)
{
    FltvmHbaQueue *q = &s->queue[command->queue];
    struct fltvm_hba_completion entry = {
        .result = cpu_to_le32(result),
        .sq_head = cpu_to_le16(q->sq_head),
        .queue = cpu_to_le16(command->queue),
        .id = cpu_to_le16(command->id),
        .status = cpu_to_le16(command->status << 1 |
                              (q->phase ? FLTVM_HBA_COMPLETION_PHASE : 0)),
    };
    const size_t half = sizeof(entry) / 2;
    hwaddr address = q->cq_base + q->cq_tail * sizeof(entry);
    uint8_t *bytes = (uint8_t *)&entry;

    trace_fltvm_hba_post(command->queue, command->id, command->status, result);
    q->pending--;
    /* The phase last: a processor that sees it sees the rest. */
    if (pci_dma_rw(PCI_DEVICE(s), address, bytes, half,
                   DMA_DIRECTION_FROM_DEVICE, FLTVM_HBA_ATTRS) != MEMTX_OK ||
        stq_le_pci_dma(PCI_DEVICE(s), address + half, ldq_le_p(bytes + half),
                       FLTVM_HBA_ATTRS) != MEMTX_OK) {
        fltvm_hba_fatal(s, command->queue, FLTVM_HBA_ERROR_POST);
        return false;
    }
    q->cq_tail = (q->cq_tail + 1) % q->depth;
    if (q->cq_tail == 0) {
        q->phase = !q->phase;
    }
    q->notify = true;
    return true;
}

void fltvm_hba_notify(FltvmHbaState *s)
{
    for (uint32_t index = 0; index < s->queue_count; index++) {
        FltvmHbaQueue *q = &s->queue[index];

        if (q->notify && (q->control & FLTVM_HBA_QUEUE_CONTROL_IRQ)) {
            trace_fltvm_hba_interrupt(index, q->vector);
            msix_notify(PCI_DEVICE(s), q->vector);
        }
        q->notify = false;
    }
}
