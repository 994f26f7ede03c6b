/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link: the host's wish to save the machine, or to put it back (checkpoint.h).
 *
 * It comes in the place of a CALL's answer and is not to be seen by the guest.  Within the doorbell's instruction nothing can be
 * done about it; so the CALL waits until no processor executes, which is before the next instruction.  There the
 * device does what the host wants, and takes frames until one is the answer.  A machine that was saved does not
 * end when the guest says EXIT, but waits there to be put back.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "system/runstate.h"
#include "checkpoint.h"
#include "link-host.h"

bool fltvm_link_is_checkpoint(const struct fltvm_link_frame *frame)
{
    return frame->kind == FLTVM_ANSWER_CHECKPOINT ||
           frame->kind == FLTVM_ANSWER_RESTORE;
}

/* "DISK RULES" in each line */
static bool fltvm_link_choose(const char *text, Error **errp)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (char **line = lines; *line; line++) {
        const char *rules = strchr(*line, ' ');

        if (**line && (!rules ||
                       !fltvm_checkpoint_choose(atoi(*line), rules + 1, errp))) {
            return false;
        }
    }
    return true;
}

/* Do what the host wants, whose payload is in s->payload. */
static bool fltvm_link_obey(FltvmLinkState *s,
                            const struct fltvm_link_frame *frame, Error **errp)
{
    struct fltvm_checkpoint wish = { 0 };
    uint32_t length = MIN(frame->length, (uint32_t)sizeof(wish));
    g_autofree char *text = g_strndup((char *)s->payload + length,
                                      frame->length - length);

    memcpy(&wish, s->payload, length);
    wish.flags = le32_to_cpu(wish.flags);
    if (frame->kind == FLTVM_ANSWER_RESTORE) {
        if (!fltvm_checkpoint_restore(wish.flags & FLTVM_CHECKPOINT_VERIFY,
                                      errp)) {
            return false;
        }
        s->request = s->saved_request;
        s->request_address = s->saved_address;
        s->waits = true;
    } else if (fltvm_checkpoint_busy(errp)) {
        return false;
    } else if (wish.flags & FLTVM_CHECKPOINT_SAVE) {
        s->saved_request = s->request;
        s->saved_address = s->request_address;
        return fltvm_checkpoint_save(errp);
    } else {
        fltvm_checkpoint_settle();
    }
    if (wish.flags & FLTVM_CHECKPOINT_SEED) {
        fltvm_checkpoint_seed(le64_to_cpu(wish.seed));
    }
    return fltvm_link_choose(text, errp);
}

/* Tell the host how it went: nothing, or why not. */
static void fltvm_link_tell(FltvmLinkState *s, const char *text)
{
    struct fltvm_link_request request = {
        .kind = FLTVM_RECORD_CHECKPOINT,
        .out_len = MIN(strlen(text), FLTVM_LINK_MAX_PAYLOAD),
    };

    memcpy(s->payload, text, request.out_len);
    if (fltvm_link_put(s, &request)) {
        fltvm_link_flush(s);
    }
}

/* No processor executes: the machine may be saved and put back, until the host gives the CALL its answer. */
static void fltvm_link_boundary(void *opaque)
{
    FltvmLinkState *s = opaque;
    struct fltvm_link_frame frame = s->held;
    bool more = !s->exited || fltvm_link_get(s, &frame);

    while (more && fltvm_link_is_checkpoint(&frame)) {
        Error *err = NULL;
        bool done = fltvm_link_obey(s, &frame, &err);

        if (frame.kind == FLTVM_ANSWER_CHECKPOINT) {
            fltvm_link_tell(s, done ? "" : error_get_pretty(err));
        } else if (!done) {
            error_report("checkpoint: %s", error_get_pretty(err));
            fltvm_link_lost(s, "the machine cannot be put back");
        }
        error_free(err);
        more = s->connected && fltvm_link_get(s, &frame);
    }
    if (s->exited) {
        qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
                                               0);
        return;
    }
    s->waits = false;
    if (!fltvm_link_write_back(s->request_address, &s->request,
                               more ? fltvm_link_take(s, &s->request, &frame)
                                    : FLTVM_LINK_S_DISCONNECTED)) {
        s->errors |= FLTVM_LINK_STATUS_BAD_REQUEST;
    }
}

bool fltvm_link_hold(FltvmLinkState *s,
                     const struct fltvm_link_request *request,
                     const struct fltvm_link_frame *frame)
{
    if (!fltvm_checkpoint_pause(fltvm_link_boundary, s)) {
        fltvm_link_tell(s, "it needs TCG with a seeded schedule");
        return false;
    }
    s->held = *frame;
    s->request = *request;
    s->waits = true;
    return true;
}

bool fltvm_link_hold_exit(FltvmLinkState *s)
{
    return fltvm_checkpoint_saved() &&
           fltvm_checkpoint_pause(fltvm_link_boundary, s);
}
