/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's part for tests of fltvm-hba.  See hba-rig.h.
 */
#include "hba-rig.h"

#include <string.h>

Hba hba_start_media(const char *drive, const char *const *others, const char *properties)
{
    g_autofree char *device =
        g_strdup_printf("fltvm-hba,id=hba,addr=%d.0,drive=d1,read-ns=%d,write-ns=%d,flush-ns=%d,command-ns=%d%s%s",
                        HBA_SLOT, HBA_READ_NS, HBA_WRITE_NS, HBA_FLUSH_NS, HBA_COMMAND_NS, properties ? "," : "",
                        properties ? properties : "");
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    Hba hba = {0};

    for (unsigned i = 0; i == 0 || (others && others[i - 1]); i++) {
        g_ptr_array_add(arguments, g_strdup("-drive"));
        g_ptr_array_add(arguments, g_strdup_printf("if=none,id=d%u,%s", i + 1, i ? others[i - 1] : drive));
    }
    g_ptr_array_add(arguments, g_strdup("-device"));
    g_ptr_array_add(arguments, g_steal_pointer(&device));
    g_ptr_array_add(arguments, NULL);
    hba.rig = rig_start((const char *const *)arguments->pdata, NULL);
    hba_again(&hba);
    return hba;
}

Hba hba_start(const char *drive, const char *properties)
{
    return hba_start_media(drive, NULL, properties);
}

void hba_again(Hba *hba)
{
    hba->pci = rig_pci(hba->rig, HBA_SLOT, FLTVM_PCI_DEVICE_HBA);
    rig_msix_enable(&hba->pci);
}

Hba hba_start_disk(uint64_t blocks, const char *properties)
{
    g_autofree char *path = rig_image("disk.raw", blocks * HBA_BLOCK);
    g_autofree char *drive = g_strdup_printf("format=raw,file=%s", path);
    Hba hba = hba_start(drive, properties);

    hba_enable(&hba);
    hba_queue_start(&hba, 0, HBA_DEPTH);
    return hba;
}

void hba_stop(Hba *hba)
{
    rig_stop(hba->rig);
}

/* Registers */

uint32_t hba_get(Hba *hba, uint32_t offset)
{
    return rig_readl(hba->rig, hba->pci.bar + offset);
}

void hba_set(Hba *hba, uint32_t offset, uint32_t value)
{
    rig_writel(hba->rig, hba->pci.bar + offset, value);
}

uint32_t hba_take_error(Hba *hba, uint32_t info)
{
    uint32_t error = hba_get(hba, FLTVM_HBA_REG_ERROR);

    if (error) {
        g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_ERROR_INFO), ==, info);
    }
    hba_set(hba, FLTVM_HBA_REG_ERROR, error);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_ERROR), ==, 0);
    return error;
}

void hba_assert_no_error(Hba *hba)
{
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_ERROR), ==, 0);
}

void hba_enable(Hba *hba)
{
    hba_set(hba, FLTVM_HBA_REG_CONTROL, FLTVM_HBA_CONTROL_ENABLE);
    g_assert_cmphex(hba_get(hba, FLTVM_HBA_REG_STATUS), ==, FLTVM_HBA_STATUS_READY);
}

uint32_t hba_queue_get(Hba *hba, uint32_t queue, uint32_t offset)
{
    return hba_get(hba, FLTVM_HBA_REG_QUEUE(queue) + offset);
}

void hba_queue_set(Hba *hba, uint32_t queue, uint32_t offset, uint32_t value)
{
    hba_set(hba, FLTVM_HBA_REG_QUEUE(queue) + offset, value);
}

void hba_queue_start(Hba *hba, uint32_t queue, uint32_t depth)
{
    const size_t size = depth * sizeof(struct fltvm_hba_completion);
    g_autofree void *zeros = g_malloc0(size);

    rig_write_block(hba->rig, HBA_CQ(queue), zeros, size);
    hba_queue_set(hba, queue, FLTVM_HBA_QUEUE_SQ_BASE_LO, HBA_SQ(queue));
    hba_queue_set(hba, queue, FLTVM_HBA_QUEUE_SQ_BASE_HI, 0);
    hba_queue_set(hba, queue, FLTVM_HBA_QUEUE_CQ_BASE_LO, HBA_CQ(queue));
    hba_queue_set(hba, queue, FLTVM_HBA_QUEUE_CQ_BASE_HI, 0);
    hba_queue_set(hba, queue, FLTVM_HBA_QUEUE_DEPTH, depth);
    hba_queue_set(hba, queue, FLTVM_HBA_QUEUE_VECTOR, queue);
    hba_queue_set(hba, queue, FLTVM_HBA_QUEUE_CONTROL,
                  FLTVM_HBA_QUEUE_CONTROL_ENABLE | FLTVM_HBA_QUEUE_CONTROL_IRQ);
    hba_assert_no_error(hba);
    g_assert_cmphex(hba_queue_get(hba, queue, FLTVM_HBA_QUEUE_STATUS), ==, FLTVM_HBA_QUEUE_STATUS_RUNNING);
    hba->queue[queue] = (HbaQueue){.depth = depth, .phase = true};
}

/* Commands.  The tests run on little-endian hosts or not at all: QEMU's memory is the guest's. */
G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

static struct fltvm_hba_command hba_transfer(uint8_t opcode, uint16_t id, uint64_t lba, uint32_t blocks,
                                             uint64_t address)
{
    return (struct fltvm_hba_command){
        .opcode = opcode,
        .id = id,
        .segments = 1,
        .lba = lba,
        .blocks = blocks,
        .segment[0] = {.address = address, .length = blocks * HBA_BLOCK},
    };
}

struct fltvm_hba_command hba_read(uint16_t id, uint64_t lba, uint32_t blocks, uint64_t address)
{
    return hba_transfer(FLTVM_HBA_OP_READ, id, lba, blocks, address);
}

struct fltvm_hba_command hba_write(uint16_t id, uint64_t lba, uint32_t blocks, uint64_t address)
{
    return hba_transfer(FLTVM_HBA_OP_WRITE, id, lba, blocks, address);
}

struct fltvm_hba_command hba_flush(uint16_t id)
{
    return (struct fltvm_hba_command){.opcode = FLTVM_HBA_OP_FLUSH, .id = id};
}

struct fltvm_hba_command hba_identify(uint16_t id, uint64_t address)
{
    return (struct fltvm_hba_command){
        .opcode = FLTVM_HBA_OP_IDENTIFY,
        .id = id,
        .segments = 1,
        .segment[0] = {.address = address, .length = sizeof(struct fltvm_hba_identify)},
    };
}

struct fltvm_hba_command hba_abort(uint16_t id, uint16_t queue, uint16_t target)
{
    return (struct fltvm_hba_command){
        .opcode = FLTVM_HBA_OP_ABORT,
        .id = id,
        .lba = FLTVM_HBA_ABORT_TARGET(queue, target),
    };
}

void hba_use_list(Hba *hba, struct fltvm_hba_command *command, const struct fltvm_hba_segment *segments,
                  uint32_t count)
{
    rig_write_block(hba->rig, HBA_LIST, segments, count * sizeof(*segments));
    command->flags |= FLTVM_HBA_FLAG_LIST;
    command->segments = count;
    command->list = HBA_LIST;
    memset(command->segment, 0, sizeof(command->segment));
}

/* Rings */

static uint32_t hba_doorbell(uint32_t queue, uint32_t which)
{
    return FLTVM_HBA_DOORBELLS + queue * 8 + which;
}

void hba_put(Hba *hba, uint32_t queue, const struct fltvm_hba_command *command)
{
    HbaQueue *q = &hba->queue[queue];

    rig_write_block(hba->rig, HBA_SQ(queue) + q->sq_tail * sizeof(*command), command, sizeof(*command));
    q->sq_tail = (q->sq_tail + 1) % q->depth;
}

void hba_ring(Hba *hba, uint32_t queue)
{
    hba_set(hba, hba_doorbell(queue, FLTVM_HBA_DOORBELL_SQ_TAIL), hba->queue[queue].sq_tail);
}

void hba_submit(Hba *hba, uint32_t queue, struct fltvm_hba_command command)
{
    hba_put(hba, queue, &command);
    hba_ring(hba, queue);
}

bool hba_take(Hba *hba, uint32_t queue, HbaDone *done)
{
    HbaQueue *q = &hba->queue[queue];
    struct fltvm_hba_completion entry;

    rig_read_block(hba->rig, HBA_CQ(queue) + q->cq_head * sizeof(entry), &entry, sizeof(entry));
    if ((entry.status & FLTVM_HBA_COMPLETION_PHASE) != q->phase) {
        return false;
    }
    g_assert_cmpuint(entry.queue, ==, queue);
    g_assert_cmpuint(entry.reserved, ==, 0);
    g_assert_cmpuint(entry.sq_head, <, q->depth);
    q->cq_head = (q->cq_head + 1) % q->depth;
    if (q->cq_head == 0) {
        q->phase = !q->phase;
    }
    hba_set(hba, hba_doorbell(queue, FLTVM_HBA_DOORBELL_CQ_HEAD), q->cq_head);
    *done = (HbaDone){
        .id = entry.id,
        .status = FLTVM_HBA_COMPLETION_STATUS(entry.status),
        .result = entry.result,
    };
    return true;
}

void hba_expect(Hba *hba, uint32_t queue, uint16_t id, uint16_t status, uint32_t result)
{
    HbaDone done;

    g_assert_true(hba_take(hba, queue, &done));
    g_assert_cmpuint(done.id, ==, id);
    g_assert_cmphex(done.status, ==, status);
    g_assert_cmpuint(done.result, ==, result);
}

void hba_expect_none(Hba *hba, uint32_t queue)
{
    HbaDone done;

    g_assert_false(hba_take(hba, queue, &done));
}

static uint32_t hba_result(const struct fltvm_hba_command *command, uint16_t status)
{
    if (status != FLTVM_HBA_S_OK) {
        return 0;
    }
    return command->opcode == FLTVM_HBA_OP_IDENTIFY ? sizeof(struct fltvm_hba_identify) : command->blocks;
}

void hba_run(Hba *hba, struct fltvm_hba_command command, uint64_t ns, uint16_t status)
{
    hba_submit(hba, 0, command);
    rig_clock_step(hba->rig, ns - 1);
    hba_expect_none(hba, 0);
    g_assert_cmphex(rig_msix_take_all(&hba->pci), ==, 0);
    rig_clock_step(hba->rig, 1);
    g_assert_cmphex(rig_msix_take_all(&hba->pci), ==, 1);
    hba_expect(hba, 0, command.id, status, hba_result(&command, status));
    hba_expect_none(hba, 0);
    g_assert_cmpuint(hba_queue_get(hba, 0, FLTVM_HBA_QUEUE_PENDING), ==, 0);
}

void hba_refuse(Hba *hba, struct fltvm_hba_command command, uint16_t status)
{
    hba_run(hba, command, HBA_COMMAND_NS, status);
}

/* Memory */

void hba_fill(Hba *hba, uint64_t address, uint32_t size, uint8_t byte)
{
    g_autofree uint8_t *data = g_malloc(size);

    memset(data, byte, size);
    rig_write_block(hba->rig, address, data, size);
}

void hba_assert_pattern(Hba *hba, uint64_t address, uint64_t disk_offset, uint32_t size)
{
    g_autofree uint8_t *data = g_malloc(size);

    rig_read_block(hba->rig, address, data, size);
    for (uint32_t i = 0; i < size; i++) {
        g_assert_cmphex(data[i], ==, rig_pattern(disk_offset + i));
    }
}

void hba_assert_byte(Hba *hba, uint64_t address, uint32_t size, uint8_t byte)
{
    g_autofree uint8_t *data = g_malloc(size);

    rig_read_block(hba->rig, address, data, size);
    for (uint32_t i = 0; i < size; i++) {
        g_assert_cmphex(data[i], ==, byte);
    }
}
