/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-hba: what the controller's files share.
 *
 *   hba.c         the device: properties, PCI, reset, VM state
 *   hba-regs.c    register accesses
 *   hba-queue.c   queue pairs: doorbells, fetch, post, interrupts
 *   hba-exec.c    commands: checks, data, host I/O
 *   hba-model.c   virtual time: when a command completes, and in what order
 *   hba-fault.c   fault rules: matching, register window
 *   hba-fault-text.c  fault rules as text
 *   hba-undo.c    what the disk held at a checkpoint
 *   hba-cache.c   the volatile write cache, and what a power cut loses
 *   hba-medium.c  what the guest leaves on the disk, for the next machine
 *   hba-change.c  media that can be changed
 *
 * All of it runs with QEMU's big lock held, in a register access or in the one virtual-clock timer.
 * The only code that runs when the host pleases is fltvm_hba_host_done(), which notes a result.
 */
#ifndef HW_FLTVM_HBA_H
#define HW_FLTVM_HBA_H

#include "hw/block/block.h"
#include "hw/pci/pci_device.h"
#include "qemu/iov.h"
#include "qemu/units.h"
#include "qemu/queue.h"
#include "qemu/timer.h"
#include "qom/object.h"
#include "fltvm/hba.h"
#include "checkpoint.h"
#include "power.h"

#define TYPE_FLTVM_HBA "fltvm-hba"
OBJECT_DECLARE_SIMPLE_TYPE(FltvmHbaState, FLTVM_HBA)

#define FLTVM_HBA_MAX_QUEUES 32
#define FLTVM_HBA_DEPTH_LIMIT 1024
#define FLTVM_HBA_SEGMENT_LIMIT 256
#define FLTVM_HBA_TRANSFER_LIMIT (1 * MiB)
#define FLTVM_HBA_RULES 32
#define FLTVM_HBA_STRIDE 8
#define FLTVM_HBA_MAX_MEDIA 4

/*
 * Memory that commands in flight may hold in the device.  Beyond it nothing is fetched, so that a guest
 * cannot make the host allocate without end.
 */
#define FLTVM_HBA_BUFFER_LIMIT (128 * MiB)

#define FLTVM_HBA_MSIX_TABLE 0x8000
#define FLTVM_HBA_MSIX_PBA 0xC000

/* DMA is to memory; another device's registers are refused. */
#define FLTVM_HBA_ATTRS ((MemTxAttrs) { .memory = 1 })

/* A command from its fetch to the posting of its completion. */
typedef struct FltvmHbaCommand {
    FltvmHbaState *hba;
    QTAILQ_ENTRY(FltvmHbaCommand) entry;

    uint16_t queue;
    uint16_t id;
    uint8_t opcode;
    uint8_t flags;
    uint32_t blocks;
    uint64_t lba;
    uint32_t medium; /* that was in at its fetch */

    /* Model: INT64_MAX means never. */
    int64_t due;
    uint16_t status; /* decided at fetch, or by the host's result */
    bool aborted;
    uint64_t held; /* part of due, up to which it waits for a later one to complete */

    uint64_t serial; /* FltvmHbaState.sequence at its fetch */
    bool cuts;       /* when it has completed, the power is cut */
    uint32_t keep;   /* then FLTVM_HBA_KEEP_*, and its seed */
    uint64_t seed;

    /* READ, WRITE, IDENTIFY */
    int32_t segment_count;
    uint32_t length;
    struct fltvm_hba_segment *segments; /* in host byte order */
    uint8_t *data;

    /* Host I/O; not migrated, it is finished whenever the machine is stopped */
    bool host_busy;
    QEMUIOVector qiov;
    BlockAcctCookie account;
} FltvmHbaCommand;

typedef struct FltvmHbaQueue {
    uint64_t sq_base;
    uint64_t cq_base;
    uint32_t depth;
    uint32_t vector;
    uint32_t control; /* FLTVM_HBA_QUEUE_CONTROL_* */
    bool error;

    uint32_t sq_head;
    uint32_t sq_tail;
    uint32_t cq_head;
    uint32_t cq_tail;
    bool phase;
    bool notify; /* posted, and the interrupt not yet raised */
    uint32_t pending;
} FltvmHbaQueue;

typedef struct FltvmHbaRule {
    uint32_t ops;
    uint32_t action;
    uint64_t first;
    uint64_t last;
    uint32_t nth;
    uint32_t count;
    uint32_t status;
    uint32_t matches;
    uint32_t hits;
    uint64_t delay;
} FltvmHbaRule;

/* A write that a power cut may lose. */
typedef struct FltvmHbaUnflushed {
    QTAILQ_ENTRY(FltvmHbaUnflushed) entry;
    uint64_t serial;    /* of its command */
    uint64_t completed; /* FltvmHbaState.sequence then; 0: not yet */
    uint64_t lba;       /* counted through all media */
    uint32_t blocks;
    uint32_t length;
    uint8_t *live;   /* for each block 1, or 0: a later write to it is stable */
    uint8_t *before; /* what they held */
} FltvmHbaUnflushed;

struct FltvmHbaState {
    PCIDevice parent_obj;

    /* Properties */
    BlockConf conf;
    char *serial;
    uint32_t queue_count;
    uint32_t max_depth;
    uint64_t read_ns;
    uint64_t write_ns;
    uint64_t flush_ns;
    uint64_t command_ns;
    char *faults; /* the rules a reset goes back to */
    bool volatile_cache;
    char *medium; /* file: what the disk holds beside the image */
    bool removable;
    BlockBackend *other[FLTVM_HBA_MAX_MEDIA - 1]; /* media beside conf.blk */

    /* Set by realize */
    MemoryRegion registers; /* the BAR; the MSI-X table and its pending bits lie over it */
    QEMUTimer timer;
    uint64_t disk_blocks;
    uint32_t block_size;
    bool read_only;
    uint32_t media;  /* how many there are */
    uint64_t stride; /* bytes from a medium's first place to the next one's */

    /* Registers */
    uint32_t control;
    uint32_t status;
    uint32_t error;
    uint32_t error_info;
    uint32_t inserted; /* the medium that is in, from 1; 0: none */
    bool medium_changed;

    FltvmHbaQueue queue[FLTVM_HBA_MAX_QUEUES];
    uint32_t next_queue; /* the first to be served next */

    /* In flight: by due time, and for equal times in the order of fetching */
    QTAILQ_HEAD(, FltvmHbaCommand) commands;
    uint64_t buffered; /* bytes of their data */

    uint64_t sequence; /* counts fetches, and completions of unflushed writes */
    QTAILQ_HEAD(, FltvmHbaUnflushed) unflushed; /* in the order of fetching */
    uint64_t unflushed_bytes;
    GTree *changed; /* chunks that were written */
    uint32_t changed_count; /* the same as a list, while saving and loading */
    uint64_t *changed_list;
    bool off; /* the power was cut: nothing happens until a reset */

    FltvmHbaRule rule[FLTVM_HBA_RULES];
    FltvmHbaRule staged;
    uint32_t fault_index;

    /* Not migrated: of a machine that is put back in place */
    FltvmCheckpointGuest checkpoint;
    FltvmPowerGuest power;
    GHashTable *undo; /* where on the disk, in bytes, to what was there; NULL: there is no checkpoint */
};

/* hba-regs.c */
extern const MemoryRegionOps fltvm_hba_register_ops;
void fltvm_hba_set_error(FltvmHbaState *s, uint32_t error, uint32_t info);

/* hba.c */
/* Every command forgotten, every queue disabled; waits for the host's I/O. */
void fltvm_hba_stop(FltvmHbaState *s);
/* A ring is out of reach: nothing goes on until the guest disables the controller. */
void fltvm_hba_fatal(FltvmHbaState *s, uint32_t queue, uint32_t error);
uint32_t fltvm_hba_features(FltvmHbaState *s);

/* hba-queue.c */
bool fltvm_hba_queue_running(FltvmHbaState *s, uint32_t index);
void fltvm_hba_queue_control(FltvmHbaState *s, uint32_t index, uint32_t value);
void fltvm_hba_queue_forget(FltvmHbaState *s, uint32_t index);
void fltvm_hba_doorbell(FltvmHbaState *s, hwaddr offset, uint32_t value);
void fltvm_hba_fetch_all(FltvmHbaState *s);
/* Write the completion entry; the interrupt waits for fltvm_hba_notify(). */
bool fltvm_hba_post(FltvmHbaState *s, FltvmHbaCommand *command,
                    uint32_t result);
void fltvm_hba_notify(FltvmHbaState *s);

/* hba-exec.c */
/* The command changes what is on the disk. */
static inline bool fltvm_hba_writes(const FltvmHbaCommand *command)
{
    return command->opcode == FLTVM_HBA_OP_WRITE ||
           command->opcode == FLTVM_HBA_OP_DISCARD;
}

/* Check and begin the command in @entry, which is the device's own copy. */
void fltvm_hba_begin(FltvmHbaState *s, uint32_t queue,
                     const struct fltvm_hba_command *entry);
/* Its time has come: wait for the host, transfer the data, post. */
void fltvm_hba_finish(FltvmHbaState *s, FltvmHbaCommand *command);
/* Not to be seen by the guest any more. */
void fltvm_hba_free(FltvmHbaState *s, FltvmHbaCommand *command);
void fltvm_hba_wait_host(FltvmHbaCommand *command);

/* hba-model.c */
/* Give the command its place among those in flight, @extra ns after the model's time. */
void fltvm_hba_schedule(FltvmHbaState *s, FltvmHbaCommand *command,
                        uint64_t service, uint64_t extra);
void fltvm_hba_schedule_never(FltvmHbaState *s, FltvmHbaCommand *command);
void fltvm_hba_reschedule(FltvmHbaState *s, FltvmHbaCommand *command,
                          uint64_t service);
/* The command that was fetched as the @serial-th has completed: those that wait for a later one go on. */
void fltvm_hba_let_pass(FltvmHbaState *s, uint64_t serial);
uint64_t fltvm_hba_service_ns(FltvmHbaState *s, uint8_t opcode);
void fltvm_hba_arm(FltvmHbaState *s);
void fltvm_hba_timer(void *opaque);

/* hba-fault.c */
/* Why the rule cannot be used, or NULL. */
const char *fltvm_hba_fault_problem(const FltvmHbaRule *rule);
void fltvm_hba_fault_reset(FltvmHbaState *s);
/* Rules as text, in the last places that are free: those of the register window are counted from the first on. */
bool fltvm_hba_fault_append(FltvmHbaState *s, const char *text, Error **errp);
/* Count @command in every rule that it matches; the rule that acts, or NULL. */
const FltvmHbaRule *fltvm_hba_fault_match(FltvmHbaState *s,
                                          const FltvmHbaCommand *command);
bool fltvm_hba_fault_read(FltvmHbaState *s, hwaddr offset, uint32_t *value);
bool fltvm_hba_fault_write(FltvmHbaState *s, hwaddr offset, uint32_t value);

/* hba-fault-text.c: on error @rules is not changed. */
bool fltvm_hba_fault_parse(const char *text, FltvmHbaRule *rules,
                           Error **errp);
char *fltvm_hba_fault_format(const FltvmHbaRule *rules);

/* hba-undo.c */
void fltvm_hba_undo_init(FltvmHbaState *s);
void fltvm_hba_undo_exit(FltvmHbaState *s);
/* Those bytes of the disk are about to be written.  False: what they hold cannot be read. */
bool fltvm_hba_keep(FltvmHbaState *s, uint64_t offset, uint64_t length);

/* hba-cache.c */
extern const VMStateDescription fltvm_hba_cache_vmstate;
/* The first @length bytes of @command are about to be written.  False: what is there cannot be read. */
bool fltvm_hba_cache_write(FltvmHbaState *s, const FltvmHbaCommand *command,
                           uint32_t length);
/* It has completed; or it is forgotten, and a write has happened. */
void fltvm_hba_cache_done(FltvmHbaState *s, const FltvmHbaCommand *command);
void fltvm_hba_cache_forget(FltvmHbaState *s, const FltvmHbaCommand *command);
bool fltvm_hba_cache_cut(FltvmHbaState *s, const struct fltvm_power_cut *cut,
                         unsigned number, Error **errp);
void fltvm_hba_cache_clear(FltvmHbaState *s);
/* What has completed is stable: the medium is let go. */
void fltvm_hba_cache_settle(FltvmHbaState *s);

/* hba-medium.c */
extern const VMStateDescription fltvm_hba_medium_vmstate;
void fltvm_hba_medium_init(FltvmHbaState *s);
void fltvm_hba_medium_exit(FltvmHbaState *s);
void fltvm_hba_medium_clear(FltvmHbaState *s);
/* What the property says is on the disk from the beginning. */
bool fltvm_hba_medium_load(FltvmHbaState *s, Error **errp);
void fltvm_hba_changed(FltvmHbaState *s, uint64_t offset, uint64_t length);

/*
 * hba-change.c: all media together are one run of bytes, in which medium m begins at (m - 1) * stride.  What is kept of a
 * disk beside its images is counted so.
 */
bool fltvm_hba_open_media(FltvmHbaState *s, Error **errp);
uint64_t fltvm_hba_place(FltvmHbaState *s, uint32_t medium, uint64_t lba);
/* The image behind a place, which becomes the offset in it. */
BlockBackend *fltvm_hba_image(FltvmHbaState *s, uint64_t *place);
/* How many of @length bytes there are from a place to the end of its medium; 0: it is in none. */
uint64_t fltvm_hba_within(FltvmHbaState *s, uint64_t place, uint64_t length);
/* What a READ, WRITE or FLUSH finds in the drive. */
uint16_t fltvm_hba_check_medium(FltvmHbaState *s);
void fltvm_hba_first_medium(FltvmHbaState *s);
bool fltvm_hba_change_read(FltvmHbaState *s, hwaddr offset, uint32_t *value);
bool fltvm_hba_change_write(FltvmHbaState *s, hwaddr offset, uint32_t value);
extern const VMStateDescription fltvm_hba_change_vmstate;

/* For the timer, which is not covered by the guard of register accesses. */
bool fltvm_hba_enter(FltvmHbaState *s);
void fltvm_hba_leave(FltvmHbaState *s, bool entered);

#endif
