/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link: the machine's power is cut (power.h), since the host wants it in the place of a CALL's answer or a disk's
 * rule does.  The host is told what the disks hold, and the guest is not heard any more.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "link-host.h"
#include "power.h"

static void fltvm_link_tell_medium(void *opaque, unsigned number,
                                   uint64_t offset, const uint8_t *bytes,
                                   uint32_t length)
{
    FltvmLinkState *s = opaque;
    struct fltvm_medium head = {
        .offset = cpu_to_le64(offset),
        .length = cpu_to_le32(length),
        .disk = cpu_to_le32(number),
    };
    struct fltvm_link_request request = {
        .kind = FLTVM_RECORD_MEDIUM,
        .out_len = sizeof(head) + length,
    };

    assert(request.out_len <= FLTVM_LINK_MAX_PAYLOAD);
    memcpy(s->payload, &head, sizeof(head));
    memcpy(s->payload + sizeof(head), bytes, length);
    fltvm_link_put(s, &request);
}

void fltvm_link_power_cut(void *opaque, const struct fltvm_power_cut *cut)
{
    FltvmLinkState *s = opaque;
    struct fltvm_link_request request = { .kind = FLTVM_RECORD_POWER_CUT };
    Error *err = NULL;

    if (!s->connected || s->exited || s->crashed) {
        return;
    }
    if (!fltvm_power_off(cut, fltvm_link_tell_medium, s, &err)) {
        const char *why = error_get_pretty(err);

        request.out_len = MIN(strlen(why), FLTVM_LINK_MAX_PAYLOAD);
        memcpy(s->payload, why, request.out_len);
        error_free(err);
    }
    if (fltvm_link_put(s, &request)) {
        fltvm_link_flush(s);
    }
    fltvm_link_exit(s);
}

void fltvm_link_power_wish(FltvmLinkState *s,
                           const struct fltvm_link_frame *frame)
{
    struct fltvm_power_cut cut = { 0 };

    memcpy(&cut, s->payload, MIN(frame->length, sizeof(cut)));
    cut.keep = le32_to_cpu(cut.keep);
    cut.seed = le64_to_cpu(cut.seed);
    fltvm_link_power_cut(s, &cut);
}
