/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: commands.
 *
 * A command is checked completely when it is fetched, from the device's own copies of entry and list. Data of
 * a write leaves guest memory at that moment, data of a read arrives there when the command completes, so
 * both happen at virtual times.  The host's I/O runs in between on the device's buffer.  Where
 * two commands overlap on the disk, the later one begins after the earlier one's host I/O has ended: what
 * is read and what remains does not depend on the host's speed.
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "block/aio-wait.h"
#include "block/accounting.h"
#include "system/block-backend.h"
#include "hba.h"
#include "trace.h"

/* What an operation's entry may hold.  Everything else must be 0. */
typedef struct FltvmHbaOperation {
    uint8_t flags;
    bool lba;
    bool blocks;
    bool transfers;
    bool medium; /* wants one */
} FltvmHbaOperation;

static const FltvmHbaOperation fltvm_hba_operations[] = {
    [FLTVM_HBA_OP_READ] = { FLTVM_HBA_FLAG_LIST, true, true, true, true },
    [FLTVM_HBA_OP_WRITE] = { FLTVM_HBA_FLAG_LIST | FLTVM_HBA_FLAG_FUA, true,
                             true, true, true },
    [FLTVM_HBA_OP_FLUSH] = { .medium = true },
    [FLTVM_HBA_OP_IDENTIFY] = { FLTVM_HBA_FLAG_LIST, false, false, true },
    [FLTVM_HBA_OP_ABORT] = { 0, true, false, false },
    [FLTVM_HBA_OP_DISCARD] = { 0, true, true, false, true },
};

/* Host I/O */

void fltvm_hba_wait_host(FltvmHbaCommand *command)
{
    if (command->host_busy) {
        trace_fltvm_hba_wait_host(command->queue, command->id);
        /* We hold the big lock, so virtual time stands still meanwhile. */
        AIO_WAIT_WHILE(blk_get_aio_context(command->hba->conf.blk),
                       command->host_busy);
    }
}

static uint16_t fltvm_hba_host_status(uint8_t opcode, int error)
{
    if (error == -ENOSPC) {
        return FLTVM_HBA_S_NO_SPACE;
    }
    return opcode == FLTVM_HBA_OP_READ ? FLTVM_HBA_S_MEDIA_READ
                                       : FLTVM_HBA_S_MEDIA_WRITE;
}

/* Runs when the host is done, so it must not be seen by the guest. */
static void fltvm_hba_host_done(void *opaque, int result)
{
    FltvmHbaCommand *command = opaque;
    uint64_t place = fltvm_hba_place(command->hba, command->medium, 0);
    BlockBackend *blk = fltvm_hba_image(command->hba, &place);
    BlockAcctStats *stats = blk_get_stats(blk);

    trace_fltvm_hba_host_done(command->queue, command->id, result);
    if (result < 0) {
        block_acct_failed(stats, &command->account);
        command->status = fltvm_hba_host_status(command->opcode, result);
    } else {
        block_acct_done(stats, &command->account);
    }
    command->host_busy = false;
    aio_wait_kick();
}

static bool fltvm_hba_conflict(const FltvmHbaCommand *a,
                               const FltvmHbaCommand *b)
{
    if (a->opcode == FLTVM_HBA_OP_READ && b->opcode == FLTVM_HBA_OP_READ) {
        return false;
    }
    return a->medium == b->medium && a->lba < b->lba + b->blocks &&
           b->lba < a->lba + a->blocks;
}

/* Of a WRITE, the first @length bytes, if there are any. */
static void fltvm_hba_host_start(FltvmHbaState *s, FltvmHbaCommand *command,
                                 uint32_t length)
{
    uint64_t place = fltvm_hba_place(s, command->medium, command->lba);
    uint64_t offset = place;
    BlockBackend *blk = fltvm_hba_image(s, &offset);
    bool fua = command->flags & FLTVM_HBA_FLAG_FUA;
    FltvmHbaCommand *other;

    QTAILQ_FOREACH(other, &s->commands, entry) {
        if (fltvm_hba_conflict(command, other)) {
            fltvm_hba_wait_host(other);
        }
    }
    if (fltvm_hba_writes(command)) {
        if (!fltvm_hba_keep(s, place, length) ||
            !fltvm_hba_cache_write(s, command, length)) {
            command->status = FLTVM_HBA_S_MEDIA_WRITE;
            return;
        }
        fltvm_hba_changed(s, place, length);
    }
    command->host_busy = true;
    qemu_iovec_init_buf(&command->qiov, command->data, length);
    switch (command->opcode) {
    case FLTVM_HBA_OP_READ:
        block_acct_start(blk_get_stats(blk), &command->account,
                         command->length, BLOCK_ACCT_READ);
        blk_aio_preadv(blk, offset, &command->qiov, 0, fltvm_hba_host_done,
                       command);
        break;
    case FLTVM_HBA_OP_WRITE:
        block_acct_start(blk_get_stats(blk), &command->account,
                         length, BLOCK_ACCT_WRITE);
        blk_aio_pwritev(blk, offset, &command->qiov, fua ? BDRV_REQ_FUA : 0,
                        fltvm_hba_host_done, command);
        break;
    case FLTVM_HBA_OP_DISCARD:
        block_acct_start(blk_get_stats(blk), &command->account, length,
                         BLOCK_ACCT_UNMAP);
        blk_aio_pwrite_zeroes(blk, offset, length, BDRV_REQ_MAY_UNMAP,
                              fltvm_hba_host_done, command);
        break;
    case FLTVM_HBA_OP_FLUSH:
        block_acct_start(blk_get_stats(blk), &command->account, 0,
                         BLOCK_ACCT_FLUSH);
        blk_aio_flush(blk, fltvm_hba_host_done, command);
        break;
    default:
        g_assert_not_reached();
    }
}

/* Data */

static void fltvm_hba_allocate_data(FltvmHbaState *s, FltvmHbaCommand *command)
{
    command->data = g_malloc0(command->length);
    s->buffered += command->length;
}

static void fltvm_hba_free_data(FltvmHbaState *s, FltvmHbaCommand *command)
{
    if (command->data) {
        s->buffered -= command->length;
        g_free(command->data);
        command->data = NULL;
    }
    g_free(command->segments);
    command->segments = NULL;
    command->segment_count = 0;
    command->length = 0;
}

static uint16_t fltvm_hba_copy(FltvmHbaState *s, FltvmHbaCommand *command,
                               DMADirection direction)
{
    uint8_t *data = command->data;

    for (int32_t i = 0; i < command->segment_count; i++) {
        const struct fltvm_hba_segment *segment = &command->segments[i];

        if (pci_dma_rw(PCI_DEVICE(s), segment->address, data, segment->length,
                       direction, FLTVM_HBA_ATTRS) != MEMTX_OK) {
            return FLTVM_HBA_S_BAD_ADDRESS;
        }
        data += segment->length;
    }
    return FLTVM_HBA_S_OK;
}

static void fltvm_hba_identify(FltvmHbaState *s, FltvmHbaCommand *command)
{
    struct fltvm_hba_identify identify = {
        .id = cpu_to_le32(FLTVM_HBA_ID),
        .version = cpu_to_le32(FLTVM_HBA_VERSION),
        .blocks = cpu_to_le64(s->disk_blocks),
        .block_size = cpu_to_le32(s->block_size),
        .physical_block_size = cpu_to_le32(s->conf.physical_block_size),
        .max_transfer = cpu_to_le32(FLTVM_HBA_TRANSFER_LIMIT),
        .max_segments = cpu_to_le32(FLTVM_HBA_SEGMENT_LIMIT),
        .features = cpu_to_le32(fltvm_hba_features(s)),
        .queues = cpu_to_le32(s->queue_count),
        .read_ns = cpu_to_le64(s->read_ns),
        .write_ns = cpu_to_le64(s->write_ns),
        .flush_ns = cpu_to_le64(s->flush_ns),
    };

    strpadcpy(identify.model, sizeof(identify.model), "fltvm-hba disk", 0);
    strpadcpy(identify.serial, sizeof(identify.serial),
              s->serial ? s->serial : "", 0);
    strpadcpy(identify.firmware, sizeof(identify.firmware), "1", 0);
    memcpy(command->data, &identify, sizeof(identify));
}

/* Checks */

static bool fltvm_hba_segment_zero(const struct fltvm_hba_segment *segment)
{
    return segment->address == 0 && segment->length == 0 &&
           segment->reserved == 0;
}

static bool fltvm_hba_fields_valid(const FltvmHbaOperation *operation,
                                   const struct fltvm_hba_command *entry)
{
    bool list = entry->flags & FLTVM_HBA_FLAG_LIST;
    uint32_t inlined = list ? 0 : le32_to_cpu(entry->segments);

    if ((entry->flags & ~operation->flags) || entry->reserved ||
        (!operation->lba && entry->lba) ||
        (operation->blocks ? !entry->blocks : entry->blocks) ||
        (!operation->transfers && entry->segments) ||
        (!list && entry->list)) {
        return false;
    }
    for (uint32_t i = inlined; i < FLTVM_HBA_INLINE_SEGMENTS; i++) {
        if (!fltvm_hba_segment_zero(&entry->segment[i])) {
            return false;
        }
    }
    return true;
}

static bool fltvm_hba_duplicate(FltvmHbaState *s,
                                const FltvmHbaCommand *command)
{
    FltvmHbaCommand *other;

    QTAILQ_FOREACH(other, &s->commands, entry) {
        if (other->queue == command->queue && other->id == command->id) {
            return true;
        }
    }
    return false;
}

/* Copy the segments in, from the entry or from the list. */
static uint16_t fltvm_hba_load_segments(FltvmHbaState *s,
                                        FltvmHbaCommand *command,
                                        const struct fltvm_hba_command *entry)
{
    bool list = entry->flags & FLTVM_HBA_FLAG_LIST;
    uint32_t count = le32_to_cpu(entry->segments);
    uint64_t address = le64_to_cpu(entry->list);
    uint32_t size = count * sizeof(struct fltvm_hba_segment);

    if (count == 0 || count > (list ? FLTVM_HBA_SEGMENT_LIMIT
                                    : FLTVM_HBA_INLINE_SEGMENTS) ||
        address % sizeof(struct fltvm_hba_segment)) {
        return FLTVM_HBA_S_BAD_SEGMENTS;
    }
    command->segments = g_memdup2(entry->segment, sizeof(entry->segment));
    if (list) {
        command->segments = g_realloc(command->segments, size);
        if (pci_dma_rw(PCI_DEVICE(s), address, command->segments, size,
                       DMA_DIRECTION_TO_DEVICE, FLTVM_HBA_ATTRS) != MEMTX_OK) {
            return FLTVM_HBA_S_BAD_ADDRESS;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct fltvm_hba_segment *segment = &command->segments[i];

        segment->address = le64_to_cpu(segment->address);
        segment->length = le32_to_cpu(segment->length);
        segment->reserved = le32_to_cpu(segment->reserved);
    }
    command->segment_count = count;
    return FLTVM_HBA_S_OK;
}

static uint16_t fltvm_hba_check_segments(const FltvmHbaCommand *command)
{
    uint64_t sum = 0;

    for (int32_t i = 0; i < command->segment_count; i++) {
        const struct fltvm_hba_segment *segment = &command->segments[i];

        if (segment->reserved || segment->length == 0 ||
            segment->length % 4 || segment->address % 4) {
            return FLTVM_HBA_S_BAD_SEGMENTS;
        }
        if (segment->address > UINT64_MAX - segment->length) {
            return FLTVM_HBA_S_BAD_ADDRESS;
        }
        sum += segment->length;
    }
    return sum == command->length ? FLTVM_HBA_S_OK : FLTVM_HBA_S_BAD_SEGMENTS;
}

static uint16_t fltvm_hba_check_range(FltvmHbaState *s,
                                      const FltvmHbaCommand *command)
{
    uint64_t length = (uint64_t)command->blocks * s->block_size;

    if (length > FLTVM_HBA_TRANSFER_LIMIT) {
        return FLTVM_HBA_S_TOO_LARGE;
    }
    if (command->lba > s->disk_blocks ||
        command->blocks > s->disk_blocks - command->lba) {
        return FLTVM_HBA_S_LBA_RANGE;
    }
    if (fltvm_hba_writes(command) && s->read_only) {
        return FLTVM_HBA_S_WRITE_PROTECTED;
    }
    return FLTVM_HBA_S_OK;
}

static uint16_t fltvm_hba_check(FltvmHbaState *s, FltvmHbaCommand *command,
                                const struct fltvm_hba_command *entry)
{
    const FltvmHbaOperation *operation;
    uint16_t status;

    if (entry->opcode < FLTVM_HBA_OP_READ ||
        entry->opcode >= ARRAY_SIZE(fltvm_hba_operations)) {
        return FLTVM_HBA_S_INVALID_OPCODE;
    }
    operation = &fltvm_hba_operations[entry->opcode];
    if (!fltvm_hba_fields_valid(operation, entry)) {
        return FLTVM_HBA_S_INVALID_FIELD;
    }
    if (fltvm_hba_duplicate(s, command)) {
        return FLTVM_HBA_S_DUPLICATE_ID;
    }
    status = operation->medium ? fltvm_hba_check_medium(s) : FLTVM_HBA_S_OK;
    if (status != FLTVM_HBA_S_OK) {
        return status;
    }
    if (operation->blocks) {
        status = fltvm_hba_check_range(s, command);
        if (status != FLTVM_HBA_S_OK) {
            return status;
        }
    }
    if (!operation->transfers) {
        return FLTVM_HBA_S_OK;
    }
    command->length = operation->blocks ? command->blocks * s->block_size
                                        : sizeof(struct fltvm_hba_identify);
    status = fltvm_hba_load_segments(s, command, entry);
    return status == FLTVM_HBA_S_OK ? fltvm_hba_check_segments(command)
                                    : status;
}

/* Execution */

static uint16_t fltvm_hba_abort(FltvmHbaState *s, uint64_t target)
{
    FltvmHbaCommand *command;

    QTAILQ_FOREACH(command, &s->commands, entry) {
        if (FLTVM_HBA_ABORT_TARGET(command->queue, command->id) == target &&
            command->opcode != FLTVM_HBA_OP_ABORT && !command->aborted) {
            command->aborted = true;
            fltvm_hba_reschedule(s, command, s->command_ns);
            return FLTVM_HBA_S_OK;
        }
    }
    return FLTVM_HBA_S_NOT_FOUND;
}

/* What a rule tears reaches the disk up to the middle. */
static void fltvm_hba_write(FltvmHbaState *s, FltvmHbaCommand *command,
                            bool torn)
{
    uint32_t blocks = torn ? command->blocks / 2 : command->blocks;

    if (blocks) {
        fltvm_hba_host_start(s, command, blocks * s->block_size);
    }
}

/* Do at fetch time what has to be done then. */
static uint16_t fltvm_hba_perform(FltvmHbaState *s, FltvmHbaCommand *command,
                                  bool torn)
{
    uint16_t status;

    switch (command->opcode) {
    case FLTVM_HBA_OP_READ:
        fltvm_hba_allocate_data(s, command);
        fltvm_hba_host_start(s, command, command->length);
        return FLTVM_HBA_S_OK;
    case FLTVM_HBA_OP_WRITE:
        fltvm_hba_allocate_data(s, command);
        status = fltvm_hba_copy(s, command, DMA_DIRECTION_TO_DEVICE);
        if (status == FLTVM_HBA_S_OK) {
            fltvm_hba_write(s, command, torn);
        }
        return status;
    case FLTVM_HBA_OP_DISCARD:
        fltvm_hba_host_start(s, command, command->blocks * s->block_size);
        return FLTVM_HBA_S_OK;
    case FLTVM_HBA_OP_FLUSH:
        fltvm_hba_host_start(s, command, 0);
        return FLTVM_HBA_S_OK;
    case FLTVM_HBA_OP_IDENTIFY:
        fltvm_hba_allocate_data(s, command);
        fltvm_hba_identify(s, command);
        return FLTVM_HBA_S_OK;
    case FLTVM_HBA_OP_ABORT:
        return fltvm_hba_abort(s, command->lba);
    default:
        g_assert_not_reached();
    }
}

static void fltvm_hba_refuse(FltvmHbaState *s, FltvmHbaCommand *command,
                             uint16_t status, uint64_t service, uint64_t extra)
{
    command->status = status;
    fltvm_hba_free_data(s, command);
    fltvm_hba_schedule(s, command, service, extra);
}

static void fltvm_hba_execute(FltvmHbaState *s, FltvmHbaCommand *command)
{
    uint64_t service = fltvm_hba_service_ns(s, command->opcode);
    const FltvmHbaRule *rule = fltvm_hba_fault_match(s, command);
    uint32_t action = rule ? rule->action : FLTVM_HBA_FAULT_ACTION_NONE;
    uint16_t status;
    bool torn;

    torn = action == FLTVM_HBA_FAULT_ACTION_TORN &&
           command->opcode == FLTVM_HBA_OP_WRITE;
    if (action == FLTVM_HBA_FAULT_ACTION_NEVER) {
        fltvm_hba_free_data(s, command);
        fltvm_hba_schedule_never(s, command);
        return;
    }
    if (action == FLTVM_HBA_FAULT_ACTION_ERROR ||
        (action == FLTVM_HBA_FAULT_ACTION_TORN && !torn)) {
        fltvm_hba_refuse(s, command, rule->status, service, rule->delay);
        return;
    }
    if (action == FLTVM_HBA_FAULT_ACTION_POWER_CUT) {
        command->cuts = true;
        command->keep = rule->status;
        command->seed = rule->delay;
    }
    status = fltvm_hba_perform(s, command, torn);
    if (status != FLTVM_HBA_S_OK) {
        fltvm_hba_refuse(s, command, status, s->command_ns, 0);
        return;
    }
    if (torn) {
        /* The host's result comes first, and does not take it away. */
        fltvm_hba_wait_host(command);
        command->status = rule->status;
    }
    fltvm_hba_schedule(s, command, service,
                       rule && !command->cuts ? rule->delay : 0);
    if (action == FLTVM_HBA_FAULT_ACTION_REORDER) {
        command->held = MIN(rule->delay, INT64_MAX);
    }
}

void fltvm_hba_begin(FltvmHbaState *s, uint32_t queue,
                     const struct fltvm_hba_command *entry)
{
    FltvmHbaCommand *command = g_new0(FltvmHbaCommand, 1);
    uint16_t status;

    command->hba = s;
    command->serial = ++s->sequence;
    command->queue = queue;
    command->medium = s->inserted;
    command->id = le16_to_cpu(entry->id);
    command->opcode = entry->opcode;
    command->flags = entry->flags;
    command->lba = le64_to_cpu(entry->lba);
    command->blocks = le32_to_cpu(entry->blocks);
    trace_fltvm_hba_begin(queue, command->id, command->opcode, command->flags,
                          command->lba, command->blocks);
    status = fltvm_hba_check(s, command, entry);
    if (status != FLTVM_HBA_S_OK) {
        fltvm_hba_refuse(s, command, status, s->command_ns, 0);
        return;
    }
    fltvm_hba_execute(s, command);
}

static uint32_t fltvm_hba_result(const FltvmHbaCommand *command)
{
    switch (command->opcode) {
    case FLTVM_HBA_OP_READ:
    case FLTVM_HBA_OP_WRITE:
    case FLTVM_HBA_OP_DISCARD:
        return command->blocks;
    case FLTVM_HBA_OP_IDENTIFY:
        return command->length;
    default:
        return 0;
    }
}

void fltvm_hba_finish(FltvmHbaState *s, FltvmHbaCommand *command)
{
    const struct fltvm_power_cut cut = {
        .keep = command->keep, .seed = command->seed,
    };
    uint64_t serial = command->serial;
    bool cuts;

    fltvm_hba_wait_host(command);
    if (command->aborted) {
        command->status = FLTVM_HBA_S_ABORTED;
    }
    if (command->status == FLTVM_HBA_S_OK &&
        (command->opcode == FLTVM_HBA_OP_READ ||
         command->opcode == FLTVM_HBA_OP_IDENTIFY)) {
        command->status = fltvm_hba_copy(s, command,
                                         DMA_DIRECTION_FROM_DEVICE);
    }
    fltvm_hba_cache_done(s, command);
    fltvm_hba_post(s, command, command->status == FLTVM_HBA_S_OK
                                   ? fltvm_hba_result(command) : 0);
    cuts = command->cuts;
    fltvm_hba_free(s, command);
    fltvm_hba_let_pass(s, serial);
    if (cuts) {
        fltvm_power_request(&cut);
    }
}

void fltvm_hba_free(FltvmHbaState *s, FltvmHbaCommand *command)
{
    fltvm_hba_wait_host(command);
    fltvm_hba_cache_forget(s, command);
    QTAILQ_REMOVE(&s->commands, command, entry);
    fltvm_hba_free_data(s, command);
    g_free(command);
}
