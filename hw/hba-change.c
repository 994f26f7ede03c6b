/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: media that can be changed.
 *
 * All media are there from the beginning, each with its image; one of them is in the drive, or none.  A change happens
 * between two commands: what was fetched before goes on with the medium that was in then.  All are of one
 * size, so that what else is kept of a disk (hba-undo.c, hba-cache.c, hba-medium.c) sees one long disk.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "migration/vmstate.h"
#include "system/block-backend.h"
#include "hba.h"
#include "trace.h"

/* A multiple of every block's and chunk's size. */
#define FLTVM_HBA_MEDIUM_ALIGNMENT (64 * KiB)

static uint64_t fltvm_hba_medium_length(FltvmHbaState *s)
{
    return s->disk_blocks * s->block_size;
}

static bool fltvm_hba_open_other(FltvmHbaState *s, BlockBackend *blk,
                                 unsigned number, Error **errp)
{
    BlockConf conf = s->conf;

    conf.blk = blk;
    if (!s->removable) {
        error_setg(errp, "fltvm-hba: drive%u: the medium is fixed, see "
                   "'removable'", number);
        return false;
    }
    if (!blk_is_inserted(blk) || blk_getlength(blk) < 0 ||
        (uint64_t)blk_getlength(blk) != fltvm_hba_medium_length(s)) {
        error_setg(errp, "fltvm-hba: drive%u: the media are not of one size",
                   number);
        return false;
    }
    if (!blkconf_apply_backend_options(&conf, !blk_supports_write_perm(blk),
                                       false, errp)) {
        return false;
    }
    if (blk_is_writable(blk) == s->read_only) {
        error_setg(errp, "fltvm-hba: drive%u: some media can be written, and "
                   "some cannot", number);
        return false;
    }
    return true;
}

bool fltvm_hba_open_media(FltvmHbaState *s, Error **errp)
{
    s->media = 1;
    s->inserted = 1;
    s->stride = ROUND_UP(fltvm_hba_medium_length(s),
                         (uint64_t)FLTVM_HBA_MEDIUM_ALIGNMENT);
    for (unsigned i = 0; i < ARRAY_SIZE(s->other) && s->other[i]; i++) {
        if (!fltvm_hba_open_other(s, s->other[i], i + 2, errp)) {
            return false;
        }
        s->media++;
    }
    for (unsigned i = s->media - 1; i < ARRAY_SIZE(s->other); i++) {
        if (s->other[i]) {
            error_setg(errp, "fltvm-hba: there is a drive%u and no drive%u",
                       i + 2, s->media + 1);
            return false;
        }
    }
    return true;
}

uint64_t fltvm_hba_place(FltvmHbaState *s, uint32_t medium, uint64_t lba)
{
    return (medium - 1) * s->stride + lba * s->block_size;
}

BlockBackend *fltvm_hba_image(FltvmHbaState *s, uint64_t *place)
{
    uint64_t index = *place / s->stride;

    assert(index < s->media);
    *place %= s->stride;
    return index ? s->other[index - 1] : s->conf.blk;
}

uint64_t fltvm_hba_within(FltvmHbaState *s, uint64_t place, uint64_t length)
{
    uint64_t offset = place % s->stride;

    if (place / s->stride >= s->media ||
        offset >= fltvm_hba_medium_length(s)) {
        return 0;
    }
    return MIN(length, fltvm_hba_medium_length(s) - offset);
}

uint16_t fltvm_hba_check_medium(FltvmHbaState *s)
{
    if (!s->inserted) {
        return FLTVM_HBA_S_NO_MEDIUM;
    }
    return s->medium_changed ? FLTVM_HBA_S_MEDIUM_CHANGED : FLTVM_HBA_S_OK;
}

void fltvm_hba_first_medium(FltvmHbaState *s)
{
    s->inserted = 1;
    s->medium_changed = false;
}

bool fltvm_hba_change_read(FltvmHbaState *s, hwaddr offset, uint32_t *value)
{
    if (!s->removable) {
        return false;
    }
    *value = offset == FLTVM_HBA_REG_MEDIUM ? s->inserted : s->medium_changed;
    return true;
}

bool fltvm_hba_change_write(FltvmHbaState *s, hwaddr offset, uint32_t value)
{
    if (!s->removable ||
        value > (offset == FLTVM_HBA_REG_MEDIUM ? s->media : 1)) {
        return false;
    }
    if (offset == FLTVM_HBA_REG_MEDIUM_CHANGED) {
        s->medium_changed = s->medium_changed && !value;
        return true;
    }
    trace_fltvm_hba_medium(s->inserted, value);
    fltvm_hba_cache_settle(s);
    s->inserted = value;
    s->medium_changed = value != 0;
    return true;
}

/* VM state */

static bool fltvm_hba_change_needed(void *opaque)
{
    FltvmHbaState *s = opaque;

    return s->removable;
}

static int fltvm_hba_change_post_load(void *opaque, int version_id)
{
    FltvmHbaState *s = opaque;

    return s->removable && s->inserted <= s->media ? 0 : -EINVAL;
}

const VMStateDescription fltvm_hba_change_vmstate = {
    .name = "fltvm-hba/change",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fltvm_hba_change_needed,
    .post_load = fltvm_hba_change_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_EQUAL(media, FltvmHbaState, "media"),
        VMSTATE_UINT32(inserted, FltvmHbaState),
        VMSTATE_BOOL(medium_changed, FltvmHbaState),
        VMSTATE_END_OF_LIST()
    }
};
