/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkpoints: a machine is saved in memory where it stands, and put back there as often as one likes.
 *
 * What is saved is what the guest can see: RAM, processors, devices, clock, timers, the slice that runs, random numbers.
 * A device whose backend keeps state of its own (a disk) joins in.  The seed may be changed, so that one
 * checkpoint goes on under many seeds.  TCG with a seeded schedule only; the big lock is held, and unless it is
 * said otherwise, no processor executes.
 */

#ifndef HW_FLTVM_CHECKPOINT_H
#define HW_FLTVM_CHECKPOINT_H

#include "qemu/queue.h"

/* A device with state outside its VMState. */
typedef struct FltvmCheckpointGuest {
    /* Why it cannot be saved at this moment, or NULL. */
    const char *(*busy)(void *opaque);
    /* From now on remember what is overwritten. */
    void (*begin)(void *opaque);
    /* Put it back; its VMState has been loaded already. */
    bool (*restore)(void *opaque, Error **errp);
    /* Do what @text says from now on, beside what the scenario wants. */
    bool (*choose)(void *opaque, const char *text, Error **errp);
    void *opaque;
    QTAILQ_ENTRY(FltvmCheckpointGuest) entry;
} FltvmCheckpointGuest;

void fltvm_checkpoint_join(FltvmCheckpointGuest *guest);
void fltvm_checkpoint_leave(FltvmCheckpointGuest *guest);

/*
 * Have @func called as soon as no processor executes, before another instruction or timer; from a register access or a timer.  False: there
 * is no seeded schedule, and it will not be called.
 */
bool fltvm_checkpoint_pause(void (*func)(void *opaque), void *opaque);

/*
 * What each run that goes on from here begins with, restored or not: TLBs as of new processors.
 */
void fltvm_checkpoint_settle(void);

/* The schedule from here on, and RDRAND, are those of this seed. */
void fltvm_checkpoint_seed(uint64_t seed);

/* Save.  What was saved before is forgotten. */
bool fltvm_checkpoint_save(Error **errp);
bool fltvm_checkpoint_saved(void);

/* What the @number-th of those that joined, from 0 on, is to do from now on. */
bool fltvm_checkpoint_choose(unsigned number, const char *text, Error **errp);

/* Whether a device cannot be saved now. */
bool fltvm_checkpoint_busy(Error **errp);

/* Put back what was saved.  @verify: look whether all of it is as it was, which takes time. */
bool fltvm_checkpoint_restore(bool verify, Error **errp);

#endif
