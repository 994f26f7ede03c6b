/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-link: a synchronous link between the guest kernel and the host command.
 *
 * The guest rings the doorbell with the address of a request.  Everything happens inside that port
 * write, with QEMU's big lock held: the record goes to the character device, the answer of a CALL is
 * awaited and copied to the guest.  No virtual time passes, so when the host answers cannot
 * be seen by the guest.  There is one exception, which the host asks for: a parked guest is woken by
 * an interrupt when something can be read.
 *
 * The contract is docs/specs/fltvm-link.rst.
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "exec/address-spaces.h"
#include "hw/core/cpu.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate.h"
#include "system/cpus.h"
#include "system/runstate.h"
#include "link-host.h"
#include "power.h"
#include "trace.h"

/* Requests and buffers are in RAM; a device's registers are refused. */
#define FLTVM_LINK_ATTRS ((MemTxAttrs) { .memory = 1 })

/* Requests */

/* Can all of it be written?  address_space_access_valid() would allow registers of devices. */
static bool fltvm_link_is_writable_ram(hwaddr address, hwaddr length)
{
    RCU_READ_LOCK_GUARD();
    while (length) {
        hwaddr offset, part = length;
        MemoryRegion *mr = address_space_translate(&address_space_memory,
                                                   address, &offset, &part,
                                                   true, FLTVM_LINK_ATTRS);

        if (!memory_region_is_ram(mr) || mr->readonly || mr->rom_device) {
            return false;
        }
        length -= part;
        address += part;
    }
    return true;
}

static int32_t fltvm_link_check(const struct fltvm_link_request *request)
{
    /* What the device itself tells of a power cut is no guest's to say. */
    if (request->kind == FLTVM_RECORD_MEDIUM ||
        request->kind == FLTVM_RECORD_POWER_CUT) {
        return FLTVM_LINK_S_BAD_REQUEST;
    }
    switch (request->op) {
    case FLTVM_LINK_OP_SEND:
    case FLTVM_LINK_OP_EXIT:
        break;
    case FLTVM_LINK_OP_CALL:
        if (request->in_cap > FLTVM_LINK_MAX_PAYLOAD) {
            return FLTVM_LINK_S_BAD_REQUEST;
        }
        /* Looked at before the record is sent: an answer is never lost. */
        if (!fltvm_link_is_writable_ram(request->in_addr, request->in_cap)) {
            return FLTVM_LINK_S_BAD_ADDRESS;
        }
        break;
    default:
        return FLTVM_LINK_S_BAD_REQUEST;
    }
    if (request->out_len > FLTVM_LINK_MAX_PAYLOAD ||
        request->cpu > UINT16_MAX) {
        return FLTVM_LINK_S_BAD_REQUEST;
    }
    return FLTVM_LINK_S_OK;
}

int32_t fltvm_link_take(FltvmLinkState *s,
                               struct fltvm_link_request *request,
                               const struct fltvm_link_frame *answer)
{
    uint32_t length = MIN(answer->length, request->in_cap);

    if (answer->kind == FLTVM_ANSWER_PARK) {
        fltvm_link_park(s);
    }
    request->in_kind = answer->kind;
    request->in_len = answer->length;
    if (address_space_write(&address_space_memory, request->in_addr,
                            FLTVM_LINK_ATTRS, s->payload, length) != MEMTX_OK) {
        return FLTVM_LINK_S_BAD_ADDRESS;
    }
    return length < answer->length ? FLTVM_LINK_S_TRUNCATED : FLTVM_LINK_S_OK;
}

/* Write back what the device writes of a request. */
bool fltvm_link_write_back(uint32_t address,
                                  const struct fltvm_link_request *request,
                                  int32_t status)
{
    const hwaddr first = offsetof(struct fltvm_link_request, in_len);
    struct fltvm_link_request raw = {
        .in_len = cpu_to_le32(request->in_len),
        .status = cpu_to_le32(status),
        .in_kind = cpu_to_le32(request->in_kind),
    };

    trace_fltvm_link_status(address, status);
    return address_space_write(&address_space_memory, address + first,
                               FLTVM_LINK_ATTRS, (uint8_t *)&raw + first,
                               offsetof(struct fltvm_link_request, reserved) -
                               first) == MEMTX_OK;
}

static int32_t fltvm_link_call(FltvmLinkState *s,
                               struct fltvm_link_request *request)
{
    struct fltvm_link_frame answer;

    while (fltvm_link_get(s, &answer)) {
        if (answer.kind == FLTVM_ANSWER_POWER_CUT) {
            fltvm_link_power_wish(s, &answer);
            break;
        }
        if (!fltvm_link_is_checkpoint(&answer)) {
            return fltvm_link_take(s, request, &answer);
        }
        if (fltvm_link_hold(s, request, &answer)) {
            return FLTVM_LINK_S_OK;
        }
    }
    return FLTVM_LINK_S_DISCONNECTED;
}

void fltvm_link_exit(FltvmLinkState *s)
{
    trace_fltvm_link_exit();
    s->exited = true;
    if (fltvm_link_hold_exit(s)) {
        return;
    }
    qemu_system_shutdown_request_with_code(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 0);
    cpu_stop_current();
}

static int32_t fltvm_link_execute(FltvmLinkState *s,
                                  struct fltvm_link_request *request)
{
    int32_t status;

    trace_fltvm_link_request(request->op, request->kind, request->cpu,
                             request->out_len, request->in_cap);
    status = fltvm_link_check(request);
    if (status != FLTVM_LINK_S_OK) {
        return status;
    }
    if (!s->connected || s->exited || s->crashed) {
        return FLTVM_LINK_S_DISCONNECTED;
    }
    if (address_space_read(&address_space_memory, request->out_addr,
                           FLTVM_LINK_ATTRS, s->payload,
                           request->out_len) != MEMTX_OK) {
        return FLTVM_LINK_S_BAD_ADDRESS;
    }
    if (!fltvm_link_put(s, request)) {
        return FLTVM_LINK_S_DISCONNECTED;
    }
    if (request->op == FLTVM_LINK_OP_SEND &&
        request->kind == FLTVM_RECORD_TRACE) {
        return FLTVM_LINK_S_OK;
    }
    if (!fltvm_link_flush(s)) {
        return FLTVM_LINK_S_DISCONNECTED;
    }
    switch (request->op) {
    case FLTVM_LINK_OP_CALL:
        fltvm_link_unpark(s);
        return fltvm_link_call(s, request);
    case FLTVM_LINK_OP_EXIT:
        fltvm_link_exit(s);
        return FLTVM_LINK_S_OK;
    default:
        return FLTVM_LINK_S_OK;
    }
}

static void fltvm_link_bad_request(FltvmLinkState *s, uint32_t address,
                                   const char *why)
{
    trace_fltvm_link_refused(address, why);
    s->errors |= FLTVM_LINK_STATUS_BAD_REQUEST;
}

static void fltvm_link_doorbell(FltvmLinkState *s, uint32_t address)
{
    struct fltvm_link_request request, raw;
    int32_t status;

    if (address % sizeof(request)) {
        fltvm_link_bad_request(s, address, "not aligned");
        return;
    }
    if (address_space_read(&address_space_memory, address, FLTVM_LINK_ATTRS,
                           &raw, sizeof(raw)) != MEMTX_OK) {
        fltvm_link_bad_request(s, address, "cannot be read");
        return;
    }
    request = (struct fltvm_link_request) {
        .op = le16_to_cpu(raw.op),
        .kind = le16_to_cpu(raw.kind),
        .cpu = le32_to_cpu(raw.cpu),
        .out_len = le32_to_cpu(raw.out_len),
        .in_cap = le32_to_cpu(raw.in_cap),
        .out_addr = le64_to_cpu(raw.out_addr),
        .in_addr = le64_to_cpu(raw.in_addr),
    };
    s->request_address = address;
    status = fltvm_link_execute(s, &request);
    if (!s->waits && !fltvm_link_write_back(address, &request, status)) {
        fltvm_link_bad_request(s, address, "cannot be written");
    }
}

/* A processor has come to a trace point. */
static void fltvm_link_trace(FltvmLinkState *s, uint32_t point)
{
    struct fltvm_link_request request = {
        .kind = FLTVM_RECORD_TRACE,
        .out_len = sizeof(struct fltvm_trace_record),
    };
    struct fltvm_trace_record record;

    if (!s->trace || !s->connected || s->exited || s->crashed ||
        !fltvm_link_trace_record(point, &record)) {
        return;
    }
    record.time_ns = cpu_to_le64(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    record.sequence = cpu_to_le32(s->trace_sequence++);
    request.cpu = record.cpu;
    memcpy(s->payload, &record, sizeof(record));
    fltvm_link_put(s, &request);
}

/* The guest has come to its end, and the device tells what the guest cannot. */
static void fltvm_link_crash(void *opaque, const struct fltvm_crash *record)
{
    FltvmLinkState *s = opaque;
    struct fltvm_link_request request = {
        .kind = FLTVM_RECORD_CRASH,
        .cpu = le32_to_cpu(record->cpu),
        .out_len = sizeof(*record),
    };

    trace_fltvm_link_crash(request.cpu, le64_to_cpu(record->rip));
    if (!s->connected || s->exited || s->crashed) {
        return;
    }
    s->crashed = true;
    memcpy(s->payload, record, sizeof(*record));
    if (fltvm_link_put(s, &request)) {
        fltvm_link_flush(s);
    }
}

/* Registers */

static void fltvm_link_bad_access(FltvmLinkState *s, bool write, hwaddr offset,
                                  unsigned size)
{
    trace_fltvm_link_bad_access(write, offset, size);
    s->errors |= FLTVM_LINK_STATUS_BAD_ACCESS;
}

static uint64_t fltvm_link_read(void *opaque, hwaddr offset, unsigned size)
{
    FltvmLinkState *s = opaque;
    uint64_t now;

    switch (size == 4 ? offset : UINT64_MAX) {
    case FLTVM_LINK_REG_ID:
        return FLTVM_LINK_ID;
    case FLTVM_LINK_REG_VERSION:
        return FLTVM_LINK_VERSION;
    case FLTVM_LINK_REG_STATUS:
        return s->errors |
               (s->connected && !s->exited ? FLTVM_LINK_STATUS_CONNECTED : 0);
    case FLTVM_LINK_REG_IRQ_STATUS:
        return s->irq_status;
    case FLTVM_LINK_REG_IRQ_ENABLE:
        return s->irq_enable;
    case FLTVM_LINK_REG_TIME_LO:
        now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
        s->time_hi = now >> 32;
        return (uint32_t)now;
    case FLTVM_LINK_REG_TIME_HI:
        return s->time_hi;
    default:
        fltvm_link_bad_access(s, false, offset, size);
        return UINT64_MAX;
    }
}

static void fltvm_link_write(void *opaque, hwaddr offset, uint64_t value,
                             unsigned size)
{
    FltvmLinkState *s = opaque;

    switch (size == 4 ? offset : UINT64_MAX) {
    case FLTVM_LINK_REG_STATUS:
        s->errors &= ~value;
        break;
    case FLTVM_LINK_REG_DOORBELL:
        fltvm_link_doorbell(s, value);
        break;
    case FLTVM_LINK_REG_IRQ_STATUS:
        s->irq_status &= ~value;
        fltvm_link_update_irq(s);
        break;
    case FLTVM_LINK_REG_IRQ_ENABLE:
        s->irq_enable = value & FLTVM_LINK_IRQ_WAKE;
        fltvm_link_update_irq(s);
        break;
    case FLTVM_LINK_REG_TRACE:
        fltvm_link_trace(s, value);
        break;
    default:
        fltvm_link_bad_access(s, true, offset, size);
        break;
    }
}

/* All sizes come in so that the device can refuse them as the specification says. */
static const MemoryRegionOps fltvm_link_ops = {
    .read = fltvm_link_read,
    .write = fltvm_link_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
};

/* The device's life */

static void fltvm_link_reset_enter(Object *obj, ResetType type)
{
    FltvmLinkState *s = FLTVM_LINK(obj);

    fltvm_link_unpark(s);
    s->errors = 0;
    s->irq_status = 0;
    s->irq_enable = 0;
    s->time_hi = 0;
    s->crashed = false;
}

static void fltvm_link_reset_hold(Object *obj, ResetType type)
{
    fltvm_link_update_irq(FLTVM_LINK(obj));
}

static void fltvm_link_run_state(void *opaque, bool running, RunState state)
{
    if (!running) {
        fltvm_link_flush(opaque);
    }
}

static int fltvm_link_post_load(void *opaque, int version_id)
{
    FltvmLinkState *s = opaque;
    bool parked = s->parked;

    fltvm_link_unpark(s);
    if (parked) {
        fltvm_link_park(s);
    }
    return 0;
}

static void fltvm_link_realize(DeviceState *dev, Error **errp)
{
    ISADevice *isa = ISA_DEVICE(dev);
    FltvmLinkState *s = FLTVM_LINK(dev);
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);

    if (!chr) {
        error_setg(errp, "fltvm-link: the property 'chardev' is missing");
        return;
    }
    if (!CHARDEV_GET_CLASS(chr)->chr_sync_read) {
        error_setg(errp, "fltvm-link: chardev '%s' cannot be read "
                   "synchronously; use a socket", chr->label);
        return;
    }
    if (s->irq_number >= ISA_NUM_IRQS) {
        error_setg(errp, "fltvm-link: irq %u is not an ISA interrupt",
                   s->irq_number);
        return;
    }
    if (s->iobase > 0x10000 - FLTVM_LINK_IOSIZE ||
        s->iobase % FLTVM_LINK_IOSIZE) {
        error_setg(errp, "fltvm-link: iobase 0x%x is not a multiple of 0x%x "
                   "within the I/O ports", s->iobase, FLTVM_LINK_IOSIZE);
        return;
    }
    s->payload = g_malloc(FLTVM_LINK_MAX_PAYLOAD);
    s->batch = g_malloc(FLTVM_LINK_BATCH);
    s->irq = isa_get_irq(isa, s->irq_number);
    memory_region_init_io(&s->io, OBJECT(dev), &fltvm_link_ops, s,
                          TYPE_FLTVM_LINK, FLTVM_LINK_IOSIZE);
    isa_register_ioport(isa, &s->io, s->iobase);
    if (s->trace) {
        fltvm_link_trace_points(s->iobase + FLTVM_LINK_REG_TRACE);
    }
    s->run_state = qdev_add_vm_change_state_handler(dev, fltvm_link_run_state,
                                                    s);
    fltvm_link_watch_crash(fltvm_link_crash, s);
    fltvm_power_watch(fltvm_link_power_cut, s);
    /* No handlers that read: what the host sends is taken by CALL only. */
    qemu_chr_fe_set_handlers(&s->chr, NULL, NULL, fltvm_link_event, NULL, s,
                             NULL, true);
}

static void fltvm_link_unrealize(DeviceState *dev)
{
    FltvmLinkState *s = FLTVM_LINK(dev);

    fltvm_link_trace_points(0);
    fltvm_link_unpark(s);
    fltvm_link_flush(s);
    qemu_chr_fe_set_handlers(&s->chr, NULL, NULL, NULL, NULL, NULL, NULL,
                             false);
    qemu_del_vm_change_state_handler(s->run_state);
    fltvm_power_watch(NULL, NULL);
    fltvm_link_watch_crash(NULL, NULL);
    g_free(s->batch);
    g_free(s->payload);
}

static const VMStateDescription fltvm_link_vmstate = {
    .name = TYPE_FLTVM_LINK,
    .version_id = 2,
    .minimum_version_id = 2,
    .post_load = fltvm_link_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(errors, FltvmLinkState),
        VMSTATE_UINT32(irq_status, FltvmLinkState),
        VMSTATE_UINT32(irq_enable, FltvmLinkState),
        VMSTATE_UINT32(time_hi, FltvmLinkState),
        VMSTATE_UINT32(trace_sequence, FltvmLinkState),
        VMSTATE_BOOL(parked, FltvmLinkState),
        VMSTATE_BOOL(exited, FltvmLinkState),
        VMSTATE_END_OF_LIST()
    }
};

static const Property fltvm_link_properties[] = {
    DEFINE_PROP_CHR("chardev", FltvmLinkState, chr),
    DEFINE_PROP_UINT32("iobase", FltvmLinkState, iobase, FLTVM_LINK_IOBASE),
    DEFINE_PROP_UINT32("irq", FltvmLinkState, irq_number, 5),
    DEFINE_PROP_BOOL("trace", FltvmLinkState, trace, false),
};

static void fltvm_link_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "fltvm host link";
    dc->realize = fltvm_link_realize;
    dc->unrealize = fltvm_link_unrealize;
    dc->vmsd = &fltvm_link_vmstate;
    dc->hotpluggable = false;
    device_class_set_props(dc, fltvm_link_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    rc->phases.enter = fltvm_link_reset_enter;
    rc->phases.hold = fltvm_link_reset_hold;
    object_class_property_set_description(klass, "chardev",
        "Socket to the host command");
    object_class_property_set_description(klass, "iobase",
        "First I/O port of the registers");
    object_class_property_set_description(klass, "irq",
        "ISA interrupt that wakes a parked guest");
    object_class_property_set_description(klass, "trace",
        "Send a record whenever a processor comes to a trace point (TCG)");
}

static const TypeInfo fltvm_link_type = {
    .name = TYPE_FLTVM_LINK,
    .parent = TYPE_ISA_DEVICE,
    .instance_size = sizeof(FltvmLinkState),
    .class_init = fltvm_link_class_init,
};

static void fltvm_link_register(void)
{
    type_register_static(&fltvm_link_type);
}

type_init(fltvm_link_register)
