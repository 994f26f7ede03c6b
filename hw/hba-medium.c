/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: what a guest leaves on its disk, for the machine that comes after a power cut.
 *
 * The image of a disk goes away with QEMU, mostly.  So the device remembers which chunks were written; at a cut it
 * tells what they hold, and another machine's device, over the same image, begins with them (property "medium").
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "migration/vmstate.h"
#include "system/block-backend.h"
#include "hba.h"

/* At multiples of it. */
#define FLTVM_HBA_CHUNK (4 * KiB)

static gint fltvm_hba_compare(gconstpointer a, gconstpointer b,
                              gpointer do_not_use)
{
    uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;

    return x < y ? -1 : x > y;
}

static GTree *fltvm_hba_new_chunks(void)
{
    return g_tree_new_full(fltvm_hba_compare, NULL, NULL, NULL);
}

void fltvm_hba_changed(FltvmHbaState *s, uint64_t offset, uint64_t length)
{
    uint64_t first = offset / FLTVM_HBA_CHUNK;
    uint64_t end = DIV_ROUND_UP(offset + length, FLTVM_HBA_CHUNK);

    for (uint64_t chunk = first; chunk < end; chunk++) {
        g_tree_insert(s->changed, (gpointer)(uintptr_t)chunk, NULL);
    }
}

/* The cut: nothing is in flight any more, and nothing comes. */
static bool fltvm_hba_cut(void *opaque, unsigned number,
                          const struct fltvm_power_cut *cut, Error **errp)
{
    FltvmHbaState *s = opaque;
    FltvmHbaCommand *command;

    s->off = true;
    QTAILQ_FOREACH(command, &s->commands, entry) {
        fltvm_hba_wait_host(command);
    }
    /* A machine whose processors all wait comes to a slice's end by it (checkpoint.h). */
    timer_mod(&s->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    return fltvm_hba_cache_cut(s, cut, number, errp);
}

/* The chunks in the order of the disk: GLib 2.66 has no other way through a tree. */
static gboolean fltvm_hba_list_chunk(gpointer chunk, gpointer do_not_use,
                                     gpointer opaque)
{
    FltvmHbaState *s = opaque;

    s->changed_list[s->changed_count++] = (uintptr_t)chunk;
    return false;
}

static void fltvm_hba_list_chunks(FltvmHbaState *s)
{
    g_free(s->changed_list);
    s->changed_list = g_new(uint64_t, g_tree_nnodes(s->changed));
    s->changed_count = 0;
    g_tree_foreach(s->changed, fltvm_hba_list_chunk, s);
}

static bool fltvm_hba_tell(void *opaque, unsigned number, FltvmPowerTell *tell,
                           void *tell_opaque, Error **errp)
{
    FltvmHbaState *s = opaque;
    uint8_t bytes[FLTVM_HBA_CHUNK];

    fltvm_hba_list_chunks(s);
    for (uint32_t i = 0; i < s->changed_count; i++) {
        uint64_t place = s->changed_list[i] * FLTVM_HBA_CHUNK;
        uint64_t length = fltvm_hba_within(s, place, FLTVM_HBA_CHUNK);
        uint64_t offset = place;
        BlockBackend *blk = fltvm_hba_image(s, &offset);

        if (blk_pread(blk, offset, length, bytes, 0) < 0) {
            error_setg(errp, "disk %u: the host cannot read it", number);
            return false;
        }
        tell(tell_opaque, number, place, bytes, length);
    }
    return true;
}

void fltvm_hba_medium_init(FltvmHbaState *s)
{
    s->changed = fltvm_hba_new_chunks();
    s->power = (FltvmPowerGuest) {
        .cut = fltvm_hba_cut,
        .tell = fltvm_hba_tell,
        .opaque = s,
    };
    fltvm_power_join(&s->power);
}

void fltvm_hba_medium_exit(FltvmHbaState *s)
{
    fltvm_power_leave(&s->power);
    g_clear_pointer(&s->changed, g_tree_destroy);
    g_clear_pointer(&s->changed_list, g_free);
    fltvm_hba_cache_clear(s);
}

/* The property "medium" */

static bool fltvm_hba_apply(FltvmHbaState *s, const uint8_t *text, gsize length,
                            Error **errp)
{
    struct fltvm_medium head;

    while (length >= sizeof(head)) {
        uint64_t place, offset;
        BlockBackend *blk;
        uint32_t count;

        memcpy(&head, text, sizeof(head));
        place = offset = le64_to_cpu(head.offset);
        count = le32_to_cpu(head.length);
        text += sizeof(head);
        length -= sizeof(head);
        if (count > length || fltvm_hba_within(s, place, count) != count) {
            break;
        }
        if (count == 0) {
            continue;
        }
        blk = fltvm_hba_image(s, &offset);
        if (blk_pwrite(blk, offset, count, text, 0) < 0) {
            error_setg(errp, "fltvm-hba: medium: the host cannot write it");
            return false;
        }
        fltvm_hba_changed(s, place, count);
        text += count;
        length -= count;
    }
    if (length) {
        error_setg(errp, "fltvm-hba: medium '%s' is not what a power cut "
                   "leaves of this disk", s->medium);
        return false;
    }
    return true;
}

bool fltvm_hba_medium_load(FltvmHbaState *s, Error **errp)
{
    g_autoptr(GMappedFile) file = NULL;
    int fd;

    if (!s->medium) {
        return true;
    }
    if (s->read_only) {
        error_setg(errp, "fltvm-hba: medium: the disk cannot be written");
        return false;
    }
    fd = qemu_open(s->medium, O_RDONLY, errp);
    if (fd < 0) {
        return false;
    }
    file = g_mapped_file_new_from_fd(fd, false, NULL);
    qemu_close(fd);
    if (!file) {
        error_setg(errp, "fltvm-hba: medium '%s' cannot be read", s->medium);
        return false;
    }
    return fltvm_hba_apply(s, (const uint8_t *)g_mapped_file_get_contents(file),
                           g_mapped_file_get_length(file), errp);
}

/* VM state: the chunks as a list */

void fltvm_hba_medium_clear(FltvmHbaState *s)
{
    g_tree_destroy(s->changed);
    s->changed = fltvm_hba_new_chunks();
    g_clear_pointer(&s->changed_list, g_free);
    s->changed_count = 0;
}

static int fltvm_hba_medium_pre_save(void *opaque)
{
    fltvm_hba_list_chunks(opaque);
    return 0;
}

static int fltvm_hba_medium_post_load(void *opaque, int version_id)
{
    FltvmHbaState *s = opaque;

    for (uint32_t i = 0; i < s->changed_count; i++) {
        uint64_t chunk = s->changed_list[i];

        if (chunk >= s->media * s->stride / FLTVM_HBA_CHUNK ||
            !fltvm_hba_within(s, chunk * FLTVM_HBA_CHUNK, 1)) {
            return -EINVAL;
        }
        g_tree_insert(s->changed, (gpointer)(uintptr_t)s->changed_list[i],
                      NULL);
    }
    g_clear_pointer(&s->changed_list, g_free);
    return 0;
}

static bool fltvm_hba_medium_needed(void *opaque)
{
    FltvmHbaState *s = opaque;

    return g_tree_nnodes(s->changed) != 0;
}

const VMStateDescription fltvm_hba_medium_vmstate = {
    .name = "fltvm-hba/medium",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fltvm_hba_medium_needed,
    .pre_save = fltvm_hba_medium_pre_save,
    .post_load = fltvm_hba_medium_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(changed_count, FltvmHbaState),
        VMSTATE_VARRAY_UINT32_ALLOC(changed_list, FltvmHbaState, changed_count,
                                    1, vmstate_info_uint64, uint64_t),
        VMSTATE_END_OF_LIST()
    }
};
