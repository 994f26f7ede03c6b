/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: a storage controller whose commands take a programmed virtual time and fail as told.
 *
 * This file is the device as QEMU sees it: properties, PCI, reset, VM state.  hba.h says what is where; the
 * contract is docs/specs/fltvm-hba.rst.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "block/block_int-common.h"
#include "hw/pci/msix.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate.h"
#include "system/block-backend.h"
#include "fltvm/pci.h"
#include "hba.h"
#include "trace.h"

/* A service time no disk needs, far from where sums overflow. */
#define FLTVM_HBA_MAX_NS (3600 * NANOSECONDS_PER_SECOND)

#define FLTVM_HBA_MAX_BLOCK_SIZE (64 * KiB)

uint32_t fltvm_hba_features(FltvmHbaState *s)
{
    return FLTVM_HBA_FEATURE_FUA | FLTVM_HBA_FEATURE_FAULTS |
           FLTVM_HBA_FEATURE_DISCARD |
           (s->read_only ? FLTVM_HBA_FEATURE_READ_ONLY : 0) |
           (s->volatile_cache ? FLTVM_HBA_FEATURE_CACHE : 0) |
           (s->removable ? FLTVM_HBA_FEATURE_REMOVABLE : 0);
}

void fltvm_hba_fatal(FltvmHbaState *s, uint32_t queue, uint32_t error)
{
    fltvm_hba_set_error(s, error, queue);
    s->status = FLTVM_HBA_STATUS_FATAL;
    s->queue[queue].error = true;
    /* Nothing will be posted any more: make every driver look. */
    for (uint32_t i = 0; i < s->queue_count; i++) {
        FltvmHbaQueue *q = &s->queue[i];

        q->notify = q->control & FLTVM_HBA_QUEUE_CONTROL_ENABLE;
    }
}

void fltvm_hba_stop(FltvmHbaState *s)
{
    for (uint32_t i = 0; i < s->queue_count; i++) {
        fltvm_hba_queue_forget(s, i);
    }
    assert(QTAILQ_EMPTY(&s->commands) && s->buffered == 0);
    timer_del(&s->timer);
    s->status = 0;
    s->next_queue = 0;
}

static void fltvm_hba_reset_hold(Object *obj, ResetType type)
{
    FltvmHbaState *s = FLTVM_HBA(obj);

    fltvm_hba_stop(s);
    s->off = false;
    s->control = 0;
    s->error = 0;
    s->error_info = 0;
    fltvm_hba_first_medium(s);
    memset(s->queue, 0, sizeof(s->queue));
    fltvm_hba_fault_reset(s);
}

static void fltvm_hba_write_config(PCIDevice *dev, uint32_t address,
                                   uint32_t value, int length)
{
    pci_default_write_config(dev, address, value, length);
    pcie_cap_flr_write_config(dev, address, value, length);
}

/* Properties */

static bool fltvm_hba_check_properties(FltvmHbaState *s, Error **errp)
{
    const struct {
        const char *name;
        uint64_t value, min, max;
    } properties[] = {
        { "queues", s->queue_count, 1, FLTVM_HBA_MAX_QUEUES },
        { "queue-depth", s->max_depth, 2, FLTVM_HBA_DEPTH_LIMIT },
        { "read-ns", s->read_ns, 0, FLTVM_HBA_MAX_NS },
        { "write-ns", s->write_ns, 0, FLTVM_HBA_MAX_NS },
        { "flush-ns", s->flush_ns, 0, FLTVM_HBA_MAX_NS },
        { "command-ns", s->command_ns, 0, FLTVM_HBA_MAX_NS },
        { "logical_block_size", s->conf.logical_block_size, 512,
          FLTVM_HBA_MAX_BLOCK_SIZE },
    };

    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        if (properties[i].value < properties[i].min ||
            properties[i].value > properties[i].max) {
            error_setg(errp, "fltvm-hba: %s is %" PRIu64 ", must be %" PRIu64
                       " to %" PRIu64, properties[i].name, properties[i].value,
                       properties[i].min, properties[i].max);
            return false;
        }
    }
    return true;
}

/*
 * The block layer rounds a raw image's length up to 512 bytes.  An image that was cut off must be
 * refused, so look at the file itself where there is one.  -1: no such file.
 */
static int64_t fltvm_hba_raw_file_length(BlockDriverState *bs)
{
    struct stat st;

    GRAPH_RDLOCK_GUARD_MAINLOOP();
    while (bs && bs->drv && !bs->drv->protocol_name) {
        if (!g_str_equal(bs->drv->format_name, "raw") && !bs->drv->is_filter) {
            return -1;
        }
        bs = bs->file ? bs->file->bs : NULL;
    }
    if (bs && bs->drv && g_str_equal(bs->drv->format_name, "file") &&
        stat(bs->exact_filename, &st) == 0 && S_ISREG(st.st_mode)) {
        return st.st_size;
    }
    return -1;
}

static bool fltvm_hba_open_disk(FltvmHbaState *s, Error **errp)
{
    BlockBackend *blk = s->conf.blk;
    uint32_t block_size;
    int64_t length, exact;

    if (!blk_is_inserted(blk)) {
        error_setg(errp, "fltvm-hba: the drive has no medium");
        return false;
    }
    if (!blkconf_blocksizes(&s->conf, errp) ||
        !fltvm_hba_check_properties(s, errp)) {
        return false;
    }
    block_size = s->conf.logical_block_size;
    length = blk_getlength(blk);
    if (length < 0) {
        error_setg_errno(errp, -length, "fltvm-hba: cannot get the size of "
                         "the image");
        return false;
    }
    exact = fltvm_hba_raw_file_length(blk_bs(blk));
    length = exact >= 0 ? exact : length;
    if (length < block_size) {
        error_setg(errp, "fltvm-hba: the image has %" PRId64 " bytes, less "
                   "than one block of %" PRIu32, length, block_size);
        return false;
    }
    if (length % block_size) {
        error_setg(errp, "fltvm-hba: the image has %" PRId64 " bytes, which "
                   "is not a multiple of the block size %" PRIu32, length,
                   block_size);
        return false;
    }
    if (!blkconf_apply_backend_options(&s->conf, !blk_supports_write_perm(blk),
                                       false, errp)) {
        return false;
    }
    s->read_only = !blk_is_writable(blk);
    s->block_size = block_size;
    s->disk_blocks = length / block_size;
    return true;
}

static void fltvm_hba_realize(PCIDevice *dev, Error **errp)
{
    FltvmHbaState *s = FLTVM_HBA(dev);

    if (!s->conf.blk) {
        error_setg(errp, "fltvm-hba: the property 'drive' is missing");
        return;
    }
    if (s->serial &&
        strlen(s->serial) > sizeof_field(struct fltvm_hba_identify, serial)) {
        error_setg(errp, "fltvm-hba: serial is longer than %zu bytes",
                   sizeof_field(struct fltvm_hba_identify, serial));
        return;
    }
    if (!fltvm_hba_open_disk(s, errp) || !fltvm_hba_open_media(s, errp)) {
        return;
    }
    fltvm_hba_medium_init(s);
    if (!fltvm_hba_medium_load(s, errp)) {
        fltvm_hba_medium_exit(s);
        return;
    }
    if (pcie_endpoint_cap_init(dev, 0) < 0) {
        error_setg(errp, "fltvm-hba: no PCI Express capability on this bus");
        return;
    }
    pcie_cap_flr_init(dev);
    memory_region_init_io(&s->registers, OBJECT(dev), &fltvm_hba_register_ops,
                          s, TYPE_FLTVM_HBA, FLTVM_HBA_BAR_SIZE);
    if (msix_init(dev, s->queue_count, &s->registers, FLTVM_HBA_BAR,
                  FLTVM_HBA_MSIX_TABLE, &s->registers, FLTVM_HBA_BAR,
                  FLTVM_HBA_MSIX_PBA, 0, errp) < 0) {
        return;
    }
    for (uint32_t i = 0; i < s->queue_count; i++) {
        msix_vector_use(dev, i);
    }
    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, fltvm_hba_timer, s);
    fltvm_hba_undo_init(s);
    pci_register_bar(dev, FLTVM_HBA_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->registers);
}

static void fltvm_hba_exit(PCIDevice *dev)
{
    FltvmHbaState *s = FLTVM_HBA(dev);

    fltvm_hba_stop(s);
    fltvm_hba_undo_exit(s);
    fltvm_hba_medium_exit(s);
    msix_uninit(dev, &s->registers, &s->registers);
    pcie_cap_exit(dev);
}

static char *fltvm_hba_get_faults(Object *obj, Error **errp)
{
    return fltvm_hba_fault_format(FLTVM_HBA(obj)->rule);
}

static void fltvm_hba_set_faults(Object *obj, const char *value, Error **errp)
{
    FltvmHbaState *s = FLTVM_HBA(obj);

    if (fltvm_hba_fault_parse(value, s->rule, errp)) {
        g_free(s->faults);
        s->faults = g_strdup(value);
    }
}

static void fltvm_hba_init(Object *obj)
{
    QTAILQ_INIT(&FLTVM_HBA(obj)->commands);
    QTAILQ_INIT(&FLTVM_HBA(obj)->unflushed);
}

static void fltvm_hba_finalize(Object *obj)
{
    g_free(FLTVM_HBA(obj)->faults);
}

/* VM state */

static int fltvm_hba_pre_save(void *opaque)
{
    FltvmHbaState *s = opaque;
    FltvmHbaCommand *command;

    /* Stopping the machine has drained the block layer. */
    QTAILQ_FOREACH(command, &s->commands, entry) {
        fltvm_hba_wait_host(command);
    }
    return 0;
}

static int fltvm_hba_pre_load(void *opaque)
{
    FltvmHbaState *s = opaque;

    fltvm_hba_stop(s);
    fltvm_hba_cache_clear(s);
    fltvm_hba_medium_clear(s);
    return 0;
}

static bool fltvm_hba_queue_loadable(FltvmHbaState *s, const FltvmHbaQueue *q)
{
    if (!(q->control & FLTVM_HBA_QUEUE_CONTROL_ENABLE)) {
        return true;
    }
    return q->depth >= 2 && q->depth <= s->max_depth &&
           q->vector < s->queue_count && q->sq_head < q->depth &&
           q->sq_tail < q->depth && q->cq_head < q->depth &&
           q->cq_tail < q->depth && q->pending < q->depth;
}

static bool fltvm_hba_command_loadable(FltvmHbaState *s,
                                       const FltvmHbaCommand *command)
{
    uint64_t sum = 0;

    for (int32_t i = 0; i < command->segment_count; i++) {
        sum += command->segments[i].length;
    }
    return command->queue < s->queue_count && sum == command->length &&
           command->medium <= s->media &&
           command->length <= FLTVM_HBA_TRANSFER_LIMIT;
}

static int fltvm_hba_post_load(void *opaque, int version_id)
{
    FltvmHbaState *s = opaque;
    FltvmHbaCommand *command;

    s->buffered = 0;
    QTAILQ_FOREACH(command, &s->commands, entry) {
        command->hba = s;
        s->buffered += command->data ? command->length : 0;
        if (!fltvm_hba_command_loadable(s, command)) {
            return -EINVAL;
        }
    }
    for (uint32_t i = 0; i < s->queue_count; i++) {
        if (!fltvm_hba_queue_loadable(s, &s->queue[i])) {
            return -EINVAL;
        }
    }
    if (s->next_queue >= s->queue_count) {
        return -EINVAL;
    }
    fltvm_hba_arm(s);
    return 0;
}

/* The list allocates without clearing. */
static int fltvm_hba_command_pre_load(void *opaque)
{
    memset(opaque, 0, sizeof(FltvmHbaCommand));
    return 0;
}

static const VMStateDescription fltvm_hba_segment_vmstate = {
    .name = "fltvm-hba/segment",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(address, struct fltvm_hba_segment),
        VMSTATE_UINT32(length, struct fltvm_hba_segment),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription fltvm_hba_command_vmstate = {
    .name = "fltvm-hba/command",
    .version_id = 3,
    .minimum_version_id = 3,
    .pre_load = fltvm_hba_command_pre_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(queue, FltvmHbaCommand),
        VMSTATE_UINT16(id, FltvmHbaCommand),
        VMSTATE_UINT8(opcode, FltvmHbaCommand),
        VMSTATE_UINT8(flags, FltvmHbaCommand),
        VMSTATE_UINT32(blocks, FltvmHbaCommand),
        VMSTATE_UINT64(lba, FltvmHbaCommand),
        VMSTATE_UINT32(medium, FltvmHbaCommand),
        VMSTATE_INT64(due, FltvmHbaCommand),
        VMSTATE_UINT16(status, FltvmHbaCommand),
        VMSTATE_BOOL(aborted, FltvmHbaCommand),
        VMSTATE_UINT64(held, FltvmHbaCommand),
        VMSTATE_UINT64(serial, FltvmHbaCommand),
        VMSTATE_BOOL(cuts, FltvmHbaCommand),
        VMSTATE_UINT32(keep, FltvmHbaCommand),
        VMSTATE_UINT64(seed, FltvmHbaCommand),
        VMSTATE_INT32(segment_count, FltvmHbaCommand),
        VMSTATE_UINT32(length, FltvmHbaCommand),
        VMSTATE_STRUCT_VARRAY_ALLOC(segments, FltvmHbaCommand, segment_count,
                                    1, fltvm_hba_segment_vmstate,
                                    struct fltvm_hba_segment),
        VMSTATE_VBUFFER_ALLOC_UINT32(data, FltvmHbaCommand, 1, NULL, length),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription fltvm_hba_queue_vmstate = {
    .name = "fltvm-hba/queue",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(sq_base, FltvmHbaQueue),
        VMSTATE_UINT64(cq_base, FltvmHbaQueue),
        VMSTATE_UINT32(depth, FltvmHbaQueue),
        VMSTATE_UINT32(vector, FltvmHbaQueue),
        VMSTATE_UINT32(control, FltvmHbaQueue),
        VMSTATE_BOOL(error, FltvmHbaQueue),
        VMSTATE_UINT32(sq_head, FltvmHbaQueue),
        VMSTATE_UINT32(sq_tail, FltvmHbaQueue),
        VMSTATE_UINT32(cq_head, FltvmHbaQueue),
        VMSTATE_UINT32(cq_tail, FltvmHbaQueue),
        VMSTATE_BOOL(phase, FltvmHbaQueue),
        VMSTATE_UINT32(pending, FltvmHbaQueue),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription fltvm_hba_rule_vmstate = {
    .name = "fltvm-hba/rule",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(ops, FltvmHbaRule),
        VMSTATE_UINT32(action, FltvmHbaRule),
        VMSTATE_UINT64(first, FltvmHbaRule),
        VMSTATE_UINT64(last, FltvmHbaRule),
        VMSTATE_UINT32(nth, FltvmHbaRule),
        VMSTATE_UINT32(count, FltvmHbaRule),
        VMSTATE_UINT32(status, FltvmHbaRule),
        VMSTATE_UINT32(matches, FltvmHbaRule),
        VMSTATE_UINT32(hits, FltvmHbaRule),
        VMSTATE_UINT64(delay, FltvmHbaRule),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription fltvm_hba_vmstate = {
    .name = TYPE_FLTVM_HBA,
    .version_id = 3,
    .minimum_version_id = 3,
    .pre_save = fltvm_hba_pre_save,
    .pre_load = fltvm_hba_pre_load,
    .post_load = fltvm_hba_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, FltvmHbaState),
        VMSTATE_MSIX(parent_obj, FltvmHbaState),
        VMSTATE_UINT64_EQUAL(disk_blocks, FltvmHbaState, "disk size"),
        VMSTATE_UINT32_EQUAL(block_size, FltvmHbaState, "block size"),
        VMSTATE_UINT32_EQUAL(queue_count, FltvmHbaState, "queues"),
        VMSTATE_UINT32(control, FltvmHbaState),
        VMSTATE_UINT32(status, FltvmHbaState),
        VMSTATE_UINT32(error, FltvmHbaState),
        VMSTATE_UINT32(error_info, FltvmHbaState),
        VMSTATE_STRUCT_ARRAY(queue, FltvmHbaState, FLTVM_HBA_MAX_QUEUES, 1,
                             fltvm_hba_queue_vmstate, FltvmHbaQueue),
        VMSTATE_UINT32(next_queue, FltvmHbaState),
        VMSTATE_QTAILQ_V(commands, FltvmHbaState, 3, fltvm_hba_command_vmstate,
                         FltvmHbaCommand, entry),
        VMSTATE_STRUCT_ARRAY(rule, FltvmHbaState, FLTVM_HBA_RULES, 1,
                             fltvm_hba_rule_vmstate, FltvmHbaRule),
        VMSTATE_STRUCT(staged, FltvmHbaState, 1, fltvm_hba_rule_vmstate,
                       FltvmHbaRule),
        VMSTATE_UINT32(fault_index, FltvmHbaState),
        VMSTATE_UINT64(sequence, FltvmHbaState),
        VMSTATE_BOOL(off, FltvmHbaState),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription *const[]) {
        &fltvm_hba_cache_vmstate,
        &fltvm_hba_medium_vmstate,
        &fltvm_hba_change_vmstate,
        NULL
    }
};

/* The class */

static const Property fltvm_hba_properties[] = {
    DEFINE_BLOCK_PROPERTIES(FltvmHbaState, conf),
    DEFINE_PROP_STRING("serial", FltvmHbaState, serial),
    DEFINE_PROP_UINT32("queues", FltvmHbaState, queue_count, 16),
    DEFINE_PROP_UINT32("queue-depth", FltvmHbaState, max_depth, 256),
    DEFINE_PROP_UINT64("read-ns", FltvmHbaState, read_ns, 20000),
    DEFINE_PROP_UINT64("write-ns", FltvmHbaState, write_ns, 25000),
    DEFINE_PROP_UINT64("flush-ns", FltvmHbaState, flush_ns, 50000),
    DEFINE_PROP_UINT64("command-ns", FltvmHbaState, command_ns, 1000),
    DEFINE_PROP_BOOL("volatile-cache", FltvmHbaState, volatile_cache, false),
    DEFINE_PROP_STRING("medium", FltvmHbaState, medium),
    DEFINE_PROP_BOOL("removable", FltvmHbaState, removable, false),
    DEFINE_PROP_DRIVE("drive2", FltvmHbaState, other[0]),
    DEFINE_PROP_DRIVE("drive3", FltvmHbaState, other[1]),
    DEFINE_PROP_DRIVE("drive4", FltvmHbaState, other[2]),
};

static const struct {
    const char *name, *text;
} fltvm_hba_descriptions[] = {
    { "serial", "Serial number, at most 20 bytes" },
    { "queues", "Queue pairs and MSI-X vectors" },
    { "queue-depth", "Largest number of entries of a ring" },
    { "read-ns", "Virtual time of a READ" },
    { "write-ns", "Virtual time of a WRITE" },
    { "flush-ns", "Virtual time of a FLUSH" },
    { "command-ns", "Virtual time of any other or refused command" },
    { "volatile-cache", "What was written is lost by a power cut, unless it "
                        "was flushed" },
    { "medium", "What a power cut has left: the disk holds it from the "
                "beginning" },
    { "removable", "The medium can be changed while the machine runs" },
    { "drive2", "A further medium; so drive3 and drive4" },
    { "faults", "Fault rules, as op=read+write:lba=8-15:nth=2:count=1:"
                "do=error|delay|reorder|never|torn:status=16:delay-ns=1000;..." },
};

static void fltvm_hba_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    k->realize = fltvm_hba_realize;
    k->exit = fltvm_hba_exit;
    k->config_write = fltvm_hba_write_config;
    k->vendor_id = FLTVM_PCI_VENDOR;
    k->device_id = FLTVM_PCI_DEVICE_HBA;
    k->revision = FLTVM_PCI_REVISION;
    k->class_id = FLTVM_PCI_CLASS_HBA;
    dc->desc = "fltvm storage controller";
    dc->vmsd = &fltvm_hba_vmstate;
    device_class_set_props(dc, fltvm_hba_properties);
    set_bit(DEVICE_CATEGORY_STORAGE, dc->categories);
    rc->phases.hold = fltvm_hba_reset_hold;
    object_class_property_add_str(klass, "faults", fltvm_hba_get_faults,
                                  fltvm_hba_set_faults);
    for (size_t i = 0; i < ARRAY_SIZE(fltvm_hba_descriptions); i++) {
        object_class_property_set_description(klass,
                                              fltvm_hba_descriptions[i].name,
                                              fltvm_hba_descriptions[i].text);
    }
}

static const TypeInfo fltvm_hba_type = {
    .name = TYPE_FLTVM_HBA,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(FltvmHbaState),
    .instance_init = fltvm_hba_init,
    .instance_finalize = fltvm_hba_finalize,
    .class_init = fltvm_hba_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { }
    },
};

static void fltvm_hba_register(void)
{
    type_register_static(&fltvm_hba_type);
}

type_init(fltvm_hba_register)
