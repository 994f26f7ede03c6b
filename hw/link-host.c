/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link's host side: frames to and from the character device, and the wait of a parked guest.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "hw/irq.h"
#include "system/runstate.h"
#include "link-host.h"
#include "trace.h"

/* QEMU's exit status when the host's end has gone away. */
#define FLTVM_LINK_EXIT_LOST 1

void fltvm_link_update_irq(FltvmLinkState *s)
{
    qemu_set_irq(s->irq, (s->irq_status & s->irq_enable) != 0);
}

/* The host's end is gone: a machine nobody listens to ends. */
void fltvm_link_lost(FltvmLinkState *s, const char *why)
{
    if (!s->connected) {
        return;
    }
    trace_fltvm_link_lost(why);
    s->connected = false;
    s->batch_len = 0;
    if (!s->exited) {
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_HOST_ERROR,
                                               FLTVM_LINK_EXIT_LOST);
    }
}

void fltvm_link_event(void *opaque, QEMUChrEvent event)
{
    FltvmLinkState *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        s->connected = true;
        break;
    case CHR_EVENT_CLOSED:
        fltvm_link_lost(s, "closed by the host");
        break;
    default:
        break;
    }
}

/* Park and wake */

static gboolean fltvm_link_readable(void *do_not_use, GIOCondition cond,
                                    void *opaque)
{
    FltvmLinkState *s = opaque;

    trace_fltvm_link_wake();
    s->wake_watch = 0;
    s->parked = false;
    s->irq_status |= FLTVM_LINK_IRQ_WAKE;
    fltvm_link_update_irq(s);
    return G_SOURCE_REMOVE;
}

void fltvm_link_park(FltvmLinkState *s)
{
    trace_fltvm_link_park();
    s->parked = true;
    s->wake_watch = qemu_chr_fe_add_watch(&s->chr, G_IO_IN | G_IO_HUP,
                                          fltvm_link_readable, s);
}

void fltvm_link_unpark(FltvmLinkState *s)
{
    if (s->wake_watch) {
        g_source_remove(s->wake_watch);
        s->wake_watch = 0;
    }
    s->parked = false;
}

/* Frames */

bool fltvm_link_flush(FltvmLinkState *s)
{
    uint32_t length = s->batch_len;

    if (length == 0) {
        return s->connected;
    }
    trace_fltvm_link_flush(length);
    s->batch_len = 0;
    if (qemu_chr_fe_write_all(&s->chr, s->batch, length) != length) {
        fltvm_link_lost(s, "write failed");
        return false;
    }
    return true;
}

bool fltvm_link_put(FltvmLinkState *s,
                           const struct fltvm_link_request *request)
{
    struct fltvm_link_frame frame = {
        .length = cpu_to_le32(request->out_len),
        .kind = cpu_to_le16(request->kind),
        .cpu = cpu_to_le16(request->cpu),
        .time_ns = cpu_to_le64(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)),
    };

    if (s->batch_len + sizeof(frame) + request->out_len > FLTVM_LINK_BATCH &&
        !fltvm_link_flush(s)) {
        return false;
    }
    memcpy(s->batch + s->batch_len, &frame, sizeof(frame));
    s->batch_len += sizeof(frame);
    memcpy(s->batch + s->batch_len, s->payload, request->out_len);
    s->batch_len += request->out_len;
    return true;
}

bool fltvm_link_get(FltvmLinkState *s, struct fltvm_link_frame *frame)
{
    if (qemu_chr_fe_read_all(&s->chr, (uint8_t *)frame, sizeof(*frame)) !=
        sizeof(*frame)) {
        fltvm_link_lost(s, "no answer");
        return false;
    }
    frame->length = le32_to_cpu(frame->length);
    frame->kind = le16_to_cpu(frame->kind);
    if (frame->length > FLTVM_LINK_MAX_PAYLOAD) {
        fltvm_link_lost(s, "the answer is longer than the maximum");
        return false;
    }
    if (qemu_chr_fe_read_all(&s->chr, s->payload, frame->length) !=
        (int)frame->length) {
        fltvm_link_lost(s, "the answer breaks off");
        return false;
    }
    trace_fltvm_link_answer(frame->kind, frame->length);
    return true;
}
