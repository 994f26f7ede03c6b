/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: the volatile write cache, and what a power cut loses of it.
 *
 * The image always holds what the guest would read.  Beside it stands, for each write that is not stable yet, what its
 * blocks held before: so a cut takes writes back, the latest first, and costs nothing until then but reading before each
 * write.  A write is in the list from its fetch on; it becomes stable by FUA when it completes, by a FLUSH that was
 * fetched after it completed, or since the cache is full and it is the oldest that has completed.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "migration/vmstate.h"
#include "system/block-backend.h"
#include "hba.h"
#include "trace.h"

/* How many entries there are is bounded by the bytes: none has less than a block. */
#define FLTVM_HBA_CACHE_LIMIT (8 * MiB)

static void fltvm_hba_unflushed_free(FltvmHbaState *s,
                                     FltvmHbaUnflushed *write)
{
    QTAILQ_REMOVE(&s->unflushed, write, entry);
    s->unflushed_bytes -= write->length;
    g_free(write->live);
    g_free(write->before);
    g_free(write);
}

void fltvm_hba_cache_clear(FltvmHbaState *s)
{
    FltvmHbaUnflushed *write, *next;

    QTAILQ_FOREACH_SAFE(write, &s->unflushed, entry, next) {
        fltvm_hba_unflushed_free(s, write);
    }
}

/* Its blocks are on the medium: what was written there before it does not matter any more. */
static void fltvm_hba_cache_stable(FltvmHbaState *s, FltvmHbaUnflushed *write)
{
    FltvmHbaUnflushed *older = write;

    trace_fltvm_hba_cache_stable(write->lba, write->blocks);
    while ((older = QTAILQ_PREV(older, entry))) {
        uint64_t first = MAX(older->lba, write->lba);
        uint64_t end = MIN(older->lba + older->blocks,
                           write->lba + write->blocks);

        for (uint64_t lba = first; lba < end; lba++) {
            older->live[lba - older->lba] &= write->live[lba - write->lba] ^ 1;
        }
    }
    fltvm_hba_unflushed_free(s, write);
}

static void fltvm_hba_cache_make_room(FltvmHbaState *s)
{
    FltvmHbaUnflushed *write, *next;

    QTAILQ_FOREACH_SAFE(write, &s->unflushed, entry, next) {
        if (s->unflushed_bytes <= FLTVM_HBA_CACHE_LIMIT) {
            return;
        }
        if (write->completed) {
            fltvm_hba_cache_stable(s, write);
        }
    }
}

bool fltvm_hba_cache_write(FltvmHbaState *s, const FltvmHbaCommand *command,
                           uint32_t length)
{
    uint64_t offset = fltvm_hba_place(s, command->medium, command->lba);
    FltvmHbaUnflushed *write;
    BlockBackend *blk;

    if (!s->volatile_cache || length == 0) {
        return true;
    }
    write = g_new0(FltvmHbaUnflushed, 1);
    write->serial = command->serial;
    write->lba = offset / s->block_size;
    write->blocks = length / s->block_size;
    write->length = length;
    write->before = g_malloc(length);
    write->live = g_malloc(write->blocks);
    memset(write->live, 1, write->blocks);
    QTAILQ_INSERT_TAIL(&s->unflushed, write, entry);
    s->unflushed_bytes += length;
    blk = fltvm_hba_image(s, &offset);
    if (blk_pread(blk, offset, length, write->before, 0) < 0) {
        fltvm_hba_unflushed_free(s, write);
        return false;
    }
    return true;
}

void fltvm_hba_cache_settle(FltvmHbaState *s)
{
    FltvmHbaUnflushed *write, *next;

    QTAILQ_FOREACH_SAFE(write, &s->unflushed, entry, next) {
        if (write->completed) {
            fltvm_hba_cache_stable(s, write);
        }
    }
}

/* A FLUSH that was fetched then. */
static void fltvm_hba_cache_flush(FltvmHbaState *s, uint64_t serial)
{
    FltvmHbaUnflushed *write, *next;

    QTAILQ_FOREACH_SAFE(write, &s->unflushed, entry, next) {
        if (write->completed && write->completed < serial) {
            fltvm_hba_cache_stable(s, write);
        }
    }
}

void fltvm_hba_cache_done(FltvmHbaState *s, const FltvmHbaCommand *command)
{
    bool well = command->status == FLTVM_HBA_S_OK;
    FltvmHbaUnflushed *write;

    if (command->opcode == FLTVM_HBA_OP_FLUSH && well) {
        fltvm_hba_cache_flush(s, command->serial);
    }
    if (!fltvm_hba_writes(command)) {
        return;
    }
    QTAILQ_FOREACH_REVERSE(write, &s->unflushed, entry) {
        if (write->serial == command->serial) {
            write->completed = ++s->sequence;
            if ((command->flags & FLTVM_HBA_FLAG_FUA) && well) {
                fltvm_hba_cache_stable(s, write);
            }
            break;
        }
    }
    fltvm_hba_cache_make_room(s);
}

void fltvm_hba_cache_forget(FltvmHbaState *s, const FltvmHbaCommand *command)
{
    FltvmHbaUnflushed *write;

    QTAILQ_FOREACH(write, &s->unflushed, entry) {
        if (write->serial == command->serial && !write->completed) {
            write->completed = ++s->sequence;
        }
    }
}

/* The cut */

typedef struct FltvmHbaLoss {
    FltvmHbaState *s;
    const struct fltvm_power_cut *cut;
    bool others;         /* the last one has been seen */
    uint64_t state;      /* of the random numbers */
    GHashTable *decided; /* blocks whose last kept write was found: LBA as pointer */
    GHashTable *before;  /* LBA to what the medium then holds; else the image's stays */
} FltvmHbaLoss;

/* SplitMix64: the same on every host. */
static uint64_t fltvm_hba_random(FltvmHbaLoss *loss)
{
    uint64_t z = loss->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* Which of a write's blocks reach the medium. */
static void fltvm_hba_draw(FltvmHbaLoss *loss, uint32_t blocks, uint8_t *kept)
{
    bool last = loss->cut->keep == FLTVM_HBA_KEEP_LAST && !loss->others;
    uint32_t prefix;

    loss->others = true;
    memset(kept, last || loss->cut->keep == FLTVM_HBA_KEEP_ALL, blocks);
    if (loss->cut->keep != FLTVM_HBA_KEEP_SOME) {
        return;
    }
    switch (fltvm_hba_random(loss) % 4) {
    case 0:
        break;
    case 1:
        memset(kept, 1, blocks);
        break;
    case 2:
        prefix = fltvm_hba_random(loss) % (blocks + 1);
        memset(kept, 1, prefix);
        break;
    default:
        for (uint32_t i = 0; i < blocks; i++) {
            kept[i] = fltvm_hba_random(loss) >> 63;
        }
        break;
    }
}

static void fltvm_hba_lose(FltvmHbaLoss *loss, const FltvmHbaUnflushed *write)
{
    g_autofree uint8_t *kept = g_malloc(write->blocks);

    fltvm_hba_draw(loss, write->blocks, kept);
    for (uint32_t i = 0; i < write->blocks; i++) {
        gpointer lba = (gpointer)(uintptr_t)(write->lba + i);

        if (!write->live[i] || g_hash_table_contains(loss->decided, lba)) {
            continue;
        }
        if (kept[i]) {
            g_hash_table_add(loss->decided, lba);
        } else {
            g_hash_table_insert(loss->before, lba, write->before +
                                (size_t)i * loss->s->block_size);
        }
    }
}

bool fltvm_hba_cache_cut(FltvmHbaState *s, const struct fltvm_power_cut *cut,
                         unsigned number, Error **errp)
{
    g_autoptr(GHashTable) decided = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) before = g_hash_table_new(NULL, NULL);
    FltvmHbaLoss loss = {
        .s = s, .cut = cut, .decided = decided, .before = before,
        .state = cut->seed + number * 0x632be59bd9b4e019,
    };
    FltvmHbaUnflushed *write;
    GHashTableIter iter;
    gpointer lba, bytes;
    uint32_t writes = 0;

    QTAILQ_FOREACH_REVERSE(write, &s->unflushed, entry) {
        fltvm_hba_lose(&loss, write);
        writes++;
    }
    trace_fltvm_hba_cache_cut(writes, g_hash_table_size(before));
    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &lba, &bytes)) {
        uint64_t place = (uintptr_t)lba * (uint64_t)s->block_size;
        uint64_t offset = place;
        BlockBackend *blk = fltvm_hba_image(s, &offset);

        if (!fltvm_hba_keep(s, place, s->block_size) ||
            blk_pwrite(blk, offset, s->block_size, bytes, 0) < 0) {
            error_setg(errp, "disk %u: the host cannot write what is left of "
                       "it", number);
            return false;
        }
    }
    fltvm_hba_cache_clear(s);
    return true;
}

/* VM state */

static int fltvm_hba_unflushed_pre_load(void *opaque)
{
    memset(opaque, 0, sizeof(FltvmHbaUnflushed));
    return 0;
}

static const VMStateDescription fltvm_hba_unflushed_vmstate = {
    .name = "fltvm-hba/unflushed",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = fltvm_hba_unflushed_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(serial, FltvmHbaUnflushed),
        VMSTATE_UINT64(completed, FltvmHbaUnflushed),
        VMSTATE_UINT64(lba, FltvmHbaUnflushed),
        VMSTATE_UINT32(blocks, FltvmHbaUnflushed),
        VMSTATE_UINT32(length, FltvmHbaUnflushed),
        VMSTATE_VBUFFER_ALLOC_UINT32(live, FltvmHbaUnflushed, 1, NULL, blocks),
        VMSTATE_VBUFFER_ALLOC_UINT32(before, FltvmHbaUnflushed, 1, NULL,
                                     length),
        VMSTATE_END_OF_LIST()
    }
};

static bool fltvm_hba_cache_needed(void *opaque)
{
    FltvmHbaState *s = opaque;

    return !QTAILQ_EMPTY(&s->unflushed);
}

static int fltvm_hba_cache_post_load(void *opaque, int version_id)
{
    FltvmHbaState *s = opaque;
    FltvmHbaUnflushed *write;

    s->unflushed_bytes = 0;
    QTAILQ_FOREACH(write, &s->unflushed, entry) {
        s->unflushed_bytes += write->length;
        if (write->lba > UINT64_MAX / s->block_size ||
            write->length != (uint64_t)write->blocks * s->block_size ||
            fltvm_hba_within(s, write->lba * s->block_size, write->length) !=
                write->length) {
            return -EINVAL;
        }
    }
    return s->volatile_cache ? 0 : -EINVAL;
}

const VMStateDescription fltvm_hba_cache_vmstate = {
    .name = "fltvm-hba/cache",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fltvm_hba_cache_needed,
    .post_load = fltvm_hba_cache_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_QTAILQ_V(unflushed, FltvmHbaState, 1,
                         fltvm_hba_unflushed_vmstate, FltvmHbaUnflushed,
                         entry),
        VMSTATE_END_OF_LIST()
    }
};
