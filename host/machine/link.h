/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's end of fltvm-link: frames as abi/link.h defines them, over a connected stream socket.
 * Nothing here knows what a record means.
 */
#ifndef FLTVM_HOST_LINK_H
#define FLTVM_HOST_LINK_H

#include <glib.h>

#include "abi/link.h"

typedef struct FltvmLink FltvmLink;

typedef enum {
    FLTVM_LINK_FRAME,   /* a frame was read */
    FLTVM_LINK_CLOSED,  /* the guest's end is closed */
    FLTVM_LINK_TIMEOUT, /* the deadline passed */
    FLTVM_LINK_WOKEN,   /* `wake_fd` became readable (a person typed) */
    FLTVM_LINK_FAILED,  /* error set: malformed stream, or a signal asked us to stop */
} FltvmLinkResult;

/* Takes the descriptor over. */
FltvmLink *fltvm_link_new(int fd);
void fltvm_link_free(FltvmLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmLink, fltvm_link_free)

/*
 * Read one frame; the payload is valid until the next call and is followed by a NUL byte.
 * `deadline` is in g_get_monotonic_time() units, 0 for none; `wake_fd` may be -1.
 */
FltvmLinkResult fltvm_link_read(FltvmLink *link, gint64 deadline, int wake_fd, struct fltvm_link_frame *frame,
                                const guint8 **payload, GError **error);

/* Send an answer.  FALSE when the guest is gone. */
gboolean fltvm_link_answer(FltvmLink *link, guint16 kind, gconstpointer data, gsize length);

#endif
