/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power cuts: the machine ends at once, and of what its disks have not made stable some is lost.
 *
 * A disk joins in; who tells the host (the link) watches.  The big lock is held in all of it.
 */

#ifndef HW_FLTVM_POWER_H
#define HW_FLTVM_POWER_H

#include "qemu/queue.h"
#include "fltvm/link.h"

/* A piece of disk @number as it is now. */
typedef void FltvmPowerTell(void *opaque, unsigned number, uint64_t offset,
                            const uint8_t *bytes, uint32_t length);

typedef struct FltvmPowerGuest {
    /* From now on nothing happens any more; what @cut loses is lost. */
    bool (*cut)(void *opaque, unsigned number,
                const struct fltvm_power_cut *cut, Error **errp);
    /* All that the guest has changed since the machine's start. */
    bool (*tell)(void *opaque, unsigned number, FltvmPowerTell *tell,
                 void *tell_opaque, Error **errp);
    void *opaque;
    QTAILQ_ENTRY(FltvmPowerGuest) entry;
} FltvmPowerGuest;

void fltvm_power_join(FltvmPowerGuest *guest);
void fltvm_power_leave(FltvmPowerGuest *guest);

/* Who ends the machine then: it calls fltvm_power_off().  NULL: nobody any more. */
void fltvm_power_watch(void (*cut)(void *opaque,
                                   const struct fltvm_power_cut *cut),
                       void *opaque);

/* A disk's rule wants it; the machine's clock does not go on in between. */
void fltvm_power_request(const struct fltvm_power_cut *cut);

/* Cut all disks, then tell what they hold (@tell may be NULL).  False: it cannot be told. */
bool fltvm_power_off(const struct fltvm_power_cut *cut, FltvmPowerTell *tell,
                     void *opaque, Error **errp);

#endif
