/* SPDX-License-Identifier: MIT */
/*
 * fltvm-hba: registers, queues and commands of the storage controller.
 *
 * A PCIe endpoint with one 32-bit memory BAR and MSI-X (table and pending bits inside the same BAR, where
 * the capability says).  All queue pairs are alike: each takes every command, there is no admin queue.
 * docs/specs/fltvm-hba.rst is the contract; all numbers are little-endian.
 *
 * Start: CONTROL.ENABLE, wait for nothing (STATUS.READY is set on return); then for each queue pair
 * write SQ_BASE, CQ_BASE, DEPTH, VECTOR and QUEUE_CONTROL.ENABLE, with a zeroed completion ring.
 */
#ifndef FLTVM_ABI_HBA_H
#define FLTVM_ABI_HBA_H

#include <stdint.h>

#define FLTVM_HBA_BAR      0u
#define FLTVM_HBA_BAR_SIZE 0x10000u

/*
 * Registers: aligned 32-bit accesses only.  Any other access reads as all ones, writes nothing, and sets
 * FLTVM_HBA_ERROR_ACCESS.
 */
#define FLTVM_HBA_REG_ID              0x000u /* RO: FLTVM_HBA_ID */
#define FLTVM_HBA_REG_VERSION         0x004u /* RO: FLTVM_HBA_VERSION */
#define FLTVM_HBA_REG_QUEUES          0x008u /* RO: queue pairs */
#define FLTVM_HBA_REG_MAX_DEPTH       0x00Cu /* RO: entries a ring may have */
#define FLTVM_HBA_REG_BLOCK_SIZE      0x010u /* RO: bytes of a logical block, a power of two */
#define FLTVM_HBA_REG_BLOCKS_LO       0x014u /* RO: blocks of the disk */
#define FLTVM_HBA_REG_BLOCKS_HI       0x018u
#define FLTVM_HBA_REG_MAX_SEGMENTS    0x01Cu /* RO: segments of a scatter/gather list */
#define FLTVM_HBA_REG_MAX_TRANSFER    0x020u /* RO: bytes a command may transfer */
#define FLTVM_HBA_REG_DOORBELL_STRIDE 0x024u /* RO: bytes from a queue pair's doorbells to the next's */
#define FLTVM_HBA_REG_VECTORS         0x028u /* RO: MSI-X vectors */
#define FLTVM_HBA_REG_FEATURES        0x02Cu /* RO: FLTVM_HBA_FEATURE_* */
#define FLTVM_HBA_REG_MEDIA           0x030u /* RO: media there are to put in; 0: the medium is fixed */
#define FLTVM_HBA_REG_CONTROL         0x040u /* RW: FLTVM_HBA_CONTROL_* */
#define FLTVM_HBA_REG_STATUS          0x044u /* RO: FLTVM_HBA_STATUS_* */
#define FLTVM_HBA_REG_ERROR           0x048u /* RO; write 1 to clear: FLTVM_HBA_ERROR_* */
#define FLTVM_HBA_REG_ERROR_INFO      0x04Cu /* RO: of the latest error: BAR offset, queue or rule */
/* Only where MEDIA is not 0. */
#define FLTVM_HBA_REG_MEDIUM         0x050u /* RW: which is in, 1 to MEDIA; 0: none.  Writing is the hand at the drive */
#define FLTVM_HBA_REG_MEDIUM_CHANGED 0x054u /* RO; write 1 to clear: one was put in since, perhaps the same again */

#define FLTVM_HBA_ID      0x41424846u /* "FHBA" */
#define FLTVM_HBA_VERSION 1u

#define FLTVM_HBA_FEATURE_FUA       0x1u
#define FLTVM_HBA_FEATURE_FAULTS    0x2u  /* the fault rule window is there */
#define FLTVM_HBA_FEATURE_READ_ONLY 0x4u  /* the disk cannot be written */
#define FLTVM_HBA_FEATURE_CACHE     0x8u  /* a volatile write cache: a power cut may lose what was not flushed */
#define FLTVM_HBA_FEATURE_REMOVABLE 0x10u /* the medium can be changed: MEDIA is not 0 */
#define FLTVM_HBA_FEATURE_DISCARD   0x20u

#define FLTVM_HBA_CONTROL_ENABLE 0x1u /* 1 to 0 forgets every command and disables every queue */

#define FLTVM_HBA_STATUS_READY 0x1u /* enabled and able to take commands */
#define FLTVM_HBA_STATUS_FATAL 0x2u /* a ring could not be accessed: all stops until ENABLE is cleared */

#define FLTVM_HBA_ERROR_ACCESS   0x01u /* size, alignment or offset; info: offset in the BAR */
#define FLTVM_HBA_ERROR_DOORBELL 0x02u /* no such queue, queue not running, value out of range; info: offset */
#define FLTVM_HBA_ERROR_QUEUE    0x04u /* configured while enabled, or could not be enabled; info: queue */
#define FLTVM_HBA_ERROR_FETCH    0x08u /* a submission entry could not be read; info: queue */
#define FLTVM_HBA_ERROR_POST     0x10u /* a completion entry could not be written; info: queue */
#define FLTVM_HBA_ERROR_FAULT    0x20u /* a fault rule was refused; info: rule */

/* A queue pair's block, at FLTVM_HBA_REG_QUEUE(q).  All but CONTROL are refused while it is enabled. */
#define FLTVM_HBA_REG_QUEUE(q) (0x1000u + (q) * 0x40u)

#define FLTVM_HBA_QUEUE_SQ_BASE_LO 0x00u /* RW: physical address of the submission ring, 64-byte aligned */
#define FLTVM_HBA_QUEUE_SQ_BASE_HI 0x04u
#define FLTVM_HBA_QUEUE_CQ_BASE_LO 0x08u /* RW: physical address of the completion ring, 64-byte aligned */
#define FLTVM_HBA_QUEUE_CQ_BASE_HI 0x0Cu
#define FLTVM_HBA_QUEUE_DEPTH      0x10u /* RW: entries of each ring, 2 to MAX_DEPTH */
#define FLTVM_HBA_QUEUE_VECTOR     0x14u /* RW: MSI-X vector, below VECTORS */
#define FLTVM_HBA_QUEUE_CONTROL    0x18u /* RW: FLTVM_HBA_QUEUE_CONTROL_* */
#define FLTVM_HBA_QUEUE_STATUS     0x1Cu /* RO: FLTVM_HBA_QUEUE_STATUS_* */
#define FLTVM_HBA_QUEUE_SQ_HEAD    0x20u /* RO: next entry the device will fetch */
#define FLTVM_HBA_QUEUE_CQ_TAIL    0x24u /* RO: next entry the device will post */
#define FLTVM_HBA_QUEUE_PENDING    0x28u /* RO: commands fetched and not completed */

#define FLTVM_HBA_QUEUE_CONTROL_ENABLE 0x1u /* 1 to 0 forgets the queue's commands */
#define FLTVM_HBA_QUEUE_CONTROL_IRQ    0x2u /* raise VECTOR when completions have been posted */

#define FLTVM_HBA_QUEUE_STATUS_RUNNING 0x1u /* enabled, and not stopped by an error */
#define FLTVM_HBA_QUEUE_STATUS_ERROR   0x2u /* stopped by an error until it is disabled */

/*
 * Doorbells, at FLTVM_HBA_DOORBELLS + q * DOORBELL_STRIDE, write only.  A ring is empty when head equals
 * tail, and so holds at most DEPTH - 1 entries.  The device never has more commands fetched than the
 * completion ring has room for, so a driver that is slow to move CQ_HEAD only delays commands.
 */
#define FLTVM_HBA_DOORBELLS        0x4000u
#define FLTVM_HBA_DOORBELL_SQ_TAIL 0x0u /* index one past the last entry submitted */
#define FLTVM_HBA_DOORBELL_CQ_HEAD 0x4u /* index of the next entry the driver will look at */

/* A scatter/gather segment.  Lengths are multiples of 4, not 0; addresses are 4-byte aligned. */
struct fltvm_hba_segment {
    uint64_t address;
    uint32_t length;
    uint32_t reserved; /* 0 */
};
_Static_assert(sizeof(struct fltvm_hba_segment) == 16, "hba segment");

#define FLTVM_HBA_INLINE_SEGMENTS 2u

/* A submission entry.  Reserved and unused fields are 0. */
struct fltvm_hba_command {
    uint8_t opcode;    /* FLTVM_HBA_OP_* */
    uint8_t flags;     /* FLTVM_HBA_FLAG_* */
    uint16_t id;       /* unique among the queue's commands in flight */
    uint32_t segments; /* READ, WRITE, IDENTIFY: their lengths add up to the transfer's */
    uint64_t lba;      /* READ, WRITE, DISCARD: first block; ABORT: FLTVM_HBA_ABORT_TARGET (queue, id) */
    uint32_t blocks;   /* READ, WRITE, DISCARD: number of blocks, not 0 */
    uint32_t reserved;
    uint64_t list; /* with FLAG_LIST: physical address of the segments, 16-byte aligned */
    struct fltvm_hba_segment segment[FLTVM_HBA_INLINE_SEGMENTS]; /* without FLAG_LIST */
};
_Static_assert(sizeof(struct fltvm_hba_command) == 64, "hba command");

#define FLTVM_HBA_OP_READ         0x01u
#define FLTVM_HBA_OP_WRITE        0x02u
#define FLTVM_HBA_OP_FLUSH        0x03u /* what was written and completed before is on stable storage */
#define FLTVM_HBA_OP_IDENTIFY     0x04u /* transfers struct fltvm_hba_identify */
#define FLTVM_HBA_OP_ABORT        0x05u /* completes after the command it aborted */
#define FLTVM_HBA_OP_DISCARD      0x06u /* what the blocks hold is not needed: they read as zeros */
#define FLTVM_HBA_OP_WRITE_ZEROES 0x07u /* reserved: S_INVALID_OPCODE */

#define FLTVM_HBA_FLAG_LIST 0x1u /* the segments are in memory at `list` */
#define FLTVM_HBA_FLAG_FUA  0x2u /* WRITE: on stable storage before it completes */

#define FLTVM_HBA_ABORT_TARGET(queue, id) ((uint64_t)(queue) << 16 | (uint16_t)(id))

/* A completion entry.  PHASE is 1 on the first pass through the ring and changes on every wrap. */
struct fltvm_hba_completion {
    uint32_t result; /* READ, WRITE, DISCARD: blocks; IDENTIFY: bytes; else 0 */
    uint32_t reserved;
    uint16_t sq_head; /* entries before it may be reused */
    uint16_t queue;
    uint16_t id;
    uint16_t status; /* FLTVM_HBA_S_* << 1 | phase */
};
_Static_assert(sizeof(struct fltvm_hba_completion) == 16, "hba completion");

#define FLTVM_HBA_COMPLETION_PHASE        0x1u
#define FLTVM_HBA_COMPLETION_STATUS(word) ((uint16_t)(word) >> 1)

#define FLTVM_HBA_S_OK              0x00u
#define FLTVM_HBA_S_INVALID_OPCODE  0x01u
#define FLTVM_HBA_S_INVALID_FIELD   0x02u /* an unknown flag, a reserved field that is not 0, blocks 0 */
#define FLTVM_HBA_S_LBA_RANGE       0x03u /* beyond the end of the disk */
#define FLTVM_HBA_S_BAD_SEGMENTS    0x04u /* number, length, alignment, or sum of lengths */
#define FLTVM_HBA_S_BAD_ADDRESS     0x05u /* list or segment is not in memory the device can reach */
#define FLTVM_HBA_S_TOO_LARGE       0x06u /* over MAX_TRANSFER */
#define FLTVM_HBA_S_DUPLICATE_ID    0x07u /* a command with this id is in flight on the queue */
#define FLTVM_HBA_S_ABORTED         0x08u /* by ABORT */
#define FLTVM_HBA_S_NOT_FOUND       0x09u /* ABORT: no such command in flight */
#define FLTVM_HBA_S_MEDIA_READ      0x10u /* the disk could not be read */
#define FLTVM_HBA_S_MEDIA_WRITE     0x11u /* the disk could not be written */
#define FLTVM_HBA_S_WRITE_PROTECTED 0x12u
#define FLTVM_HBA_S_NO_SPACE        0x13u /* the image's file system is full */
#define FLTVM_HBA_S_DEVICE_FAULT    0x14u /* anything else; never raised but by a fault rule */
#define FLTVM_HBA_S_MEDIUM_CHANGED  0x15u /* MEDIUM_CHANGED is set: nothing was done */
#define FLTVM_HBA_S_NO_MEDIUM       0x16u
#define FLTVM_HBA_S_MAX             0x7FFFu

/* What IDENTIFY transfers. Text is UTF-8, padded with NULs. */
struct fltvm_hba_identify {
    uint32_t id;      /* FLTVM_HBA_ID */
    uint32_t version; /* FLTVM_HBA_VERSION */
    char model[40];
    char serial[20];
    char firmware[12];
    uint64_t blocks;
    uint32_t block_size;
    uint32_t physical_block_size;
    uint32_t max_transfer;
    uint32_t max_segments;
    uint32_t features;
    uint32_t queues;
    uint64_t read_ns; /* service times of the model */
    uint64_t write_ns;
    uint64_t flush_ns;
    uint8_t reserved[376];
};
_Static_assert(sizeof(struct fltvm_hba_identify) == 512, "hba identify");

/*
 * Fault rules: the window holds one staged rule; FAULT_COMMAND stores it under FAULT_INDEX, or reads one
 * back into the window.  A rule counts the commands that match it, from 1; it acts on the matches
 * FAULT_NTH to FAULT_NTH + FAULT_COUNT - 1 (FAULT_COUNT 0: on all from FAULT_NTH on).  Of several rules
 * that would act the one with the lowest index does; all that match count.  A command is matched when
 * it is fetched.  FLUSH, IDENTIFY and ABORT match whatever the LBA range.
 */
#define FLTVM_HBA_REG_FAULT_RULES    0x400u /* RO: number of rules */
#define FLTVM_HBA_REG_FAULT_COMMAND  0x404u /* WO: FLTVM_HBA_FAULT_COMMAND_* */
#define FLTVM_HBA_REG_FAULT_INDEX    0x408u /* RW */
#define FLTVM_HBA_REG_FAULT_OPS      0x40Cu /* RW: mask of FLTVM_HBA_FAULT_OP (opcode) */
#define FLTVM_HBA_REG_FAULT_FIRST_LO 0x410u /* RW: first block of the range */
#define FLTVM_HBA_REG_FAULT_FIRST_HI 0x414u
#define FLTVM_HBA_REG_FAULT_LAST_LO  0x418u /* RW: last block of the range; all ones: the disk's last */
#define FLTVM_HBA_REG_FAULT_LAST_HI  0x41Cu
#define FLTVM_HBA_REG_FAULT_NTH      0x420u /* RW: first match to act on, from 1 */
#define FLTVM_HBA_REG_FAULT_COUNT    0x424u /* RW: number of matches to act on; 0: no end */
#define FLTVM_HBA_REG_FAULT_ACTION   0x428u /* RW: FLTVM_HBA_FAULT_ACTION_* */
#define FLTVM_HBA_REG_FAULT_STATUS   0x42Cu /* RW: ACTION_ERROR: FLTVM_HBA_S_*, not 0 */
#define FLTVM_HBA_REG_FAULT_DELAY_LO 0x430u /* RW: ERROR, DELAY: ns added to the model's service time */
#define FLTVM_HBA_REG_FAULT_DELAY_HI 0x434u
#define FLTVM_HBA_REG_FAULT_MATCHES  0x438u /* RO: commands matched so far (after COMMAND_LOAD) */
#define FLTVM_HBA_REG_FAULT_HITS     0x43Cu /* RO: commands acted on so far (after COMMAND_LOAD) */

#define FLTVM_HBA_FAULT_COMMAND_STORE     1u /* window to rule INDEX, counters from 0 */
#define FLTVM_HBA_FAULT_COMMAND_LOAD      2u /* rule INDEX to window */
#define FLTVM_HBA_FAULT_COMMAND_CLEAR     3u /* remove rule INDEX */
#define FLTVM_HBA_FAULT_COMMAND_CLEAR_ALL 4u

#define FLTVM_HBA_FAULT_OP(opcode) (1u << (opcode))

#define FLTVM_HBA_FAULT_ACTION_NONE  0u /* an unused rule; storing it removes the rule */
#define FLTVM_HBA_FAULT_ACTION_ERROR 1u /* nothing is transferred; FAULT_STATUS */
#define FLTVM_HBA_FAULT_ACTION_DELAY 2u /* all is done as usual, later */
#define FLTVM_HBA_FAULT_ACTION_NEVER 3u /* nothing is transferred; in flight until aborted or reset */
#define FLTVM_HBA_FAULT_ACTION_TORN  4u /* the first half of a WRITE's blocks is written; FAULT_STATUS; else as ERROR */
/* Of rules as text only; the window refuses it.  All is done as usual, and then the power is cut. */
#define FLTVM_HBA_FAULT_ACTION_POWER_CUT 5u
/* As usual, but right behind the next that was fetched later and completes; after FAULT_DELAY, not 0, in any case. */
#define FLTVM_HBA_FAULT_ACTION_REORDER 6u

/* What of an unflushed write reaches the medium when the power is cut. */
#define FLTVM_HBA_KEEP_NONE 0u
#define FLTVM_HBA_KEEP_ALL  1u
#define FLTVM_HBA_KEEP_SOME 2u /* each is kept, lost or torn between blocks, as a seed decides */
#define FLTVM_HBA_KEEP_LAST 3u /* the one that was fetched last, and no other */

#endif
