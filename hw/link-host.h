/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link inside: the device's state, and its host side, which the registers and requests (link.c)
 * send and receive by (link-host.c).  QEMU's big lock is held in all of it.
 */

#ifndef HW_FLTVM_LINK_HOST_H
#define HW_FLTVM_LINK_HOST_H

#include "chardev/char-fe.h"
#include "hw/isa/isa.h"
#include "qom/object.h"
#include "link.h"

#define TYPE_FLTVM_LINK "fltvm-link"
OBJECT_DECLARE_SIMPLE_TYPE(FltvmLinkState, FLTVM_LINK)

/* Frames that wait in the device: whole ones only. */
#define FLTVM_LINK_BATCH \
    (4 * (FLTVM_LINK_MAX_PAYLOAD + sizeof(struct fltvm_link_frame)))

struct FltvmLinkState {
    ISADevice parent_obj;

    /* Properties */
    uint32_t iobase;
    uint32_t irq_number;
    bool trace;
    CharBackend chr;

    /* Host side */
    MemoryRegion io;
    qemu_irq irq;
    VMChangeStateEntry *run_state;
    guint wake_watch;
    bool connected;
    uint8_t *payload; /* FLTVM_LINK_MAX_PAYLOAD bytes */

    /* Guest-visible state, migrated */
    uint32_t errors; /* FLTVM_LINK_STATUS_BAD_* */
    uint32_t irq_status;
    uint32_t irq_enable;
    uint32_t time_hi;
    uint32_t trace_sequence;
    bool parked;
    bool exited;
    bool crashed; /* a triple fault, and no reset since: nothing is sent any more */

    /* A CALL whose answer waits until no processor executes: not migrated, since nothing comes in between */
    struct fltvm_link_request request;
    uint32_t request_address;
    bool waits;
    struct fltvm_link_frame held; /* what the host wants then; its payload is in s->payload */
    /* The CALL at which the machine was saved. */
    struct fltvm_link_request saved_request;
    uint32_t saved_address;

    /* Frames not yet written; empty whenever the machine is stopped */
    uint8_t *batch; /* FLTVM_LINK_BATCH bytes */
    uint32_t batch_len;
};

/* Raise or lower the interrupt as status and enable say. */
void fltvm_link_update_irq(FltvmLinkState *s);

/* The host's end is gone, and with it the machine. */
void fltvm_link_lost(FltvmLinkState *s, const char *why);

/* The character device's events: connected, closed. */
void fltvm_link_event(void *opaque, QEMUChrEvent event);

/* Wake the guest by the interrupt as soon as the host has something to be read; or do so no longer. */
void fltvm_link_park(FltvmLinkState *s);
void fltvm_link_unpark(FltvmLinkState *s);

/* Put a frame behind those that wait; its payload is in s->payload.  False when the host is gone. */
bool fltvm_link_put(FltvmLinkState *s,
                    const struct fltvm_link_request *request);

/* Write the frames that wait.  False when the host is gone. */
bool fltvm_link_flush(FltvmLinkState *s);

/* Wait for the answer's frame; its payload comes to s->payload.  False when there is none. */
bool fltvm_link_get(FltvmLinkState *s, struct fltvm_link_frame *frame);

/*
 * link.c: the answer, whose payload is in s->payload, goes to the guest; the request's status.  Then what the device writes
 * of a request is written; false when it is not in memory.
 */
int32_t fltvm_link_take(FltvmLinkState *s, struct fltvm_link_request *request,
                        const struct fltvm_link_frame *answer);
bool fltvm_link_write_back(uint32_t address,
                           const struct fltvm_link_request *request,
                           int32_t status);

/* link-checkpoint.c: a frame that is no answer, but for the device. */
bool fltvm_link_is_checkpoint(const struct fltvm_link_frame *frame);

/*
 * The CALL waits (s->waits) until that is done and its answer has come; false when it cannot be done, which the host has
 * been told: then it still owes the answer.
 */
bool fltvm_link_hold(FltvmLinkState *s,
                     const struct fltvm_link_request *request,
                     const struct fltvm_link_frame *frame);

/* link.c: the machine ends, or waits for the host to put it back; nothing of the guest is sent any more. */
void fltvm_link_exit(FltvmLinkState *s);

/* link-power.c: for fltvm_power_watch(); and the host wants it, whose wish is in s->payload. */
void fltvm_link_power_cut(void *opaque, const struct fltvm_power_cut *cut);
void fltvm_link_power_wish(FltvmLinkState *s,
                           const struct fltvm_link_frame *frame);

/* The guest has said EXIT.  True: the machine waits for the host, which may put it back; else it is to end. */
bool fltvm_link_hold_exit(FltvmLinkState *s);

#endif
