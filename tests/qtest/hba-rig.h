/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a driver of fltvm-hba does, for tests: rings in guest memory, commands in, completions out.
 *
 * A command is built by one of the hba_…() makers, submitted, and taken from the completion ring when its time has
 * come; hba_take() checks everything of the entry that the contract fixes (phase, queue, sq_head).
 */
#ifndef FLTVM_QTEST_HBA_RIG_H
#define FLTVM_QTEST_HBA_RIG_H

#include "rig.h"
#include "abi/hba.h"
#include "abi/pci.h"

#define HBA_SLOT  1
#define HBA_DEPTH 16
#define HBA_BLOCK 512

/* The model's times in every test, prime so that no sum is another's. */
#define HBA_READ_NS    10007
#define HBA_WRITE_NS   20011
#define HBA_FLUSH_NS   30011
#define HBA_COMMAND_NS 503

/* Guest memory. */
#define HBA_SQ(q)   (0x200000u + (q)*0x20000u)
#define HBA_CQ(q)   (0x210000u + (q)*0x20000u)
#define HBA_LIST    0x600000u
#define HBA_DATA    0x800000u
#define HBA_DATA_2  0xA00000u
#define HBA_OUT_END RIG_RAM_SIZE

typedef struct HbaQueue {
    uint32_t depth;
    uint32_t sq_tail;
    uint32_t cq_head;
    bool phase;
} HbaQueue;

typedef struct Hba {
    Rig *rig;
    RigPci pci;
    HbaQueue queue[32];
} Hba;

typedef struct HbaDone {
    uint16_t id;
    uint16_t status;
    uint32_t result;
} HbaDone;

/* A machine with a controller over @drive (the text of -drive, without id), and @properties or NULL. */
Hba hba_start(const char *drive, const char *properties);
/* The same with further drives, which are d2 and so on. */
Hba hba_start_media(const char *drive, const char *const *others, const char *properties);
/* The same over a raw image with the pattern, of @blocks blocks; enabled, queue 0 running. */
Hba hba_start_disk(uint64_t blocks, const char *properties);
void hba_stop(Hba *hba);
/* After a reset: BAR, MSI-X. */
void hba_again(Hba *hba);

uint32_t hba_get(Hba *hba, uint32_t offset);
void hba_set(Hba *hba, uint32_t offset, uint32_t value);
/* Take the error away; its information must be @info. */
uint32_t hba_take_error(Hba *hba, uint32_t info);
void hba_assert_no_error(Hba *hba);

void hba_enable(Hba *hba);
uint32_t hba_queue_get(Hba *hba, uint32_t queue, uint32_t offset);
void hba_queue_set(Hba *hba, uint32_t queue, uint32_t offset, uint32_t value);
/* Write the registers, zero the completion ring, enable with interrupts; vector @queue. */
void hba_queue_start(Hba *hba, uint32_t queue, uint32_t depth);

/* Commands over one inline segment at @address. */
struct fltvm_hba_command hba_read(uint16_t id, uint64_t lba, uint32_t blocks, uint64_t address);
struct fltvm_hba_command hba_write(uint16_t id, uint64_t lba, uint32_t blocks, uint64_t address);
struct fltvm_hba_command hba_flush(uint16_t id);
struct fltvm_hba_command hba_identify(uint16_t id, uint64_t address);
struct fltvm_hba_command hba_abort(uint16_t id, uint16_t queue, uint16_t target);
/* Make @command take its segments from a list, written to HBA_LIST. */
void hba_use_list(Hba *hba, struct fltvm_hba_command *command, const struct fltvm_hba_segment *segments,
                  uint32_t count);

/* Put into the ring; hba_ring() makes the device look. */
void hba_put(Hba *hba, uint32_t queue, const struct fltvm_hba_command *command);
void hba_ring(Hba *hba, uint32_t queue);
void hba_submit(Hba *hba, uint32_t queue, struct fltvm_hba_command command);
/* The next completion, if there is one; the head doorbell is rung. */
bool hba_take(Hba *hba, uint32_t queue, HbaDone *done);
/* The next completion must be this one. */
void hba_expect(Hba *hba, uint32_t queue, uint16_t id, uint16_t status, uint32_t result);
void hba_expect_none(Hba *hba, uint32_t queue);
/* Submit on queue 0, let exactly @ns pass (nothing one before), and see @status. */
void hba_run(Hba *hba, struct fltvm_hba_command command, uint64_t ns, uint16_t status);
/* A command that is refused. */
void hba_refuse(Hba *hba, struct fltvm_hba_command command, uint16_t status);

/* Memory against the pattern of the disk. */
void hba_fill(Hba *hba, uint64_t address, uint32_t size, uint8_t byte);
void hba_assert_pattern(Hba *hba, uint64_t address, uint64_t disk_offset, uint32_t size);
void hba_assert_byte(Hba *hba, uint64_t address, uint32_t size, uint8_t byte);

#endif
