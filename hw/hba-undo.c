/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: what the disk held at a checkpoint.
 *
 * From the checkpoint on, what a write is about to change is read first and kept, once a chunk; going back writes it where
 * it was.  All of it is done while virtual time stands still.  With a command in flight no checkpoint is taken: its data
 * would be in neither the disk nor the saved state.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "system/block-backend.h"
#include "hba.h"
#include "trace.h"

/* What is kept at a time, at multiples of it. */
#define FLTVM_HBA_CHUNK (4 * KiB)

static uint64_t fltvm_hba_chunk_length(FltvmHbaState *s, uint64_t place)
{
    return fltvm_hba_within(s, place, FLTVM_HBA_CHUNK);
}

bool fltvm_hba_keep(FltvmHbaState *s, uint64_t offset, uint64_t length)
{
    uint64_t at = ROUND_DOWN(offset, FLTVM_HBA_CHUNK);

    for (; s->undo && at < offset + length; at += FLTVM_HBA_CHUNK) {
        g_autofree uint8_t *chunk = NULL;
        int64_t key = at;
        uint64_t inside = at;
        BlockBackend *blk;

        if (g_hash_table_contains(s->undo, &key)) {
            continue;
        }
        chunk = g_malloc(FLTVM_HBA_CHUNK);
        blk = fltvm_hba_image(s, &inside);
        if (blk_pread(blk, inside, fltvm_hba_chunk_length(s, at), chunk, 0) < 0) {
            return false;
        }
        g_hash_table_insert(s->undo, g_memdup2(&key, sizeof(key)),
                            g_steal_pointer(&chunk));
    }
    return true;
}

static const char *fltvm_hba_busy(void *opaque)
{
    FltvmHbaState *s = opaque;

    return QTAILQ_EMPTY(&s->commands) ? NULL : "a disk still works on a command: wait first for all that "
                                        "was begun";
}

static void fltvm_hba_begin_undo(void *opaque)
{
    FltvmHbaState *s = opaque;

    g_clear_pointer(&s->undo, g_hash_table_unref);
    s->undo = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                    g_free);
}

static bool fltvm_hba_undo(void *opaque, Error **errp)
{
    FltvmHbaState *s = opaque;
    GHashTableIter iter;
    gpointer at, chunk;

    trace_fltvm_hba_undo(g_hash_table_size(s->undo));
    g_hash_table_iter_init(&iter, s->undo);
    while (g_hash_table_iter_next(&iter, &at, &chunk)) {
        uint64_t place = *(int64_t *)at, offset = place;
        BlockBackend *blk = fltvm_hba_image(s, &offset);

        if (blk_pwrite(blk, offset, fltvm_hba_chunk_length(s, place), chunk,
                       0) < 0) {
            error_setg(errp, "a disk cannot be put back: the host's write "
                       "failed");
            return false;
        }
    }
    g_hash_table_remove_all(s->undo);
    return true;
}

static bool fltvm_hba_choose(void *opaque, const char *text, Error **errp)
{
    FltvmHbaState *s = opaque;

    return fltvm_hba_fault_append(s, text, errp);
}

void fltvm_hba_undo_init(FltvmHbaState *s)
{
    s->checkpoint = (FltvmCheckpointGuest) {
        .busy = fltvm_hba_busy,
        .begin = fltvm_hba_begin_undo,
        .restore = fltvm_hba_undo,
        .choose = fltvm_hba_choose,
        .opaque = s,
    };
    fltvm_checkpoint_join(&s->checkpoint);
}

void fltvm_hba_undo_exit(FltvmHbaState *s)
{
    fltvm_checkpoint_leave(&s->checkpoint);
    g_clear_pointer(&s->undo, g_hash_table_unref);
}
