/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power cuts: see power.h. */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "power.h"
#include "trace.h"

static QTAILQ_HEAD(, FltvmPowerGuest) guests =
    QTAILQ_HEAD_INITIALIZER(guests);

static void (*watcher)(void *opaque, const struct fltvm_power_cut *cut);
static void *watcher_opaque;

void fltvm_power_join(FltvmPowerGuest *guest)
{
    QTAILQ_INSERT_TAIL(&guests, guest, entry);
}

void fltvm_power_leave(FltvmPowerGuest *guest)
{
    QTAILQ_REMOVE(&guests, guest, entry);
}

void fltvm_power_watch(void (*cut)(void *opaque,
                                   const struct fltvm_power_cut *cut),
                       void *opaque)
{
    watcher = cut;
    watcher_opaque = opaque;
}

bool fltvm_power_off(const struct fltvm_power_cut *cut, FltvmPowerTell *tell,
                     void *opaque, Error **errp)
{
    FltvmPowerGuest *guest;
    unsigned number = 0;

    trace_fltvm_power_off(cut->keep, cut->seed);
    QTAILQ_FOREACH(guest, &guests, entry) {
        if (!guest->cut(guest->opaque, number++, cut, errp)) {
            return false;
        }
    }
    number = 0;
    QTAILQ_FOREACH(guest, &guests, entry) {
        if (tell &&
            !guest->tell(guest->opaque, number++, tell, opaque, errp)) {
            return false;
        }
    }
    return true;
}

void fltvm_power_request(const struct fltvm_power_cut *cut)
{
    Error *err = NULL;

    if (watcher) {
        watcher(watcher_opaque, cut);
    } else if (!fltvm_power_off(cut, NULL, NULL, &err)) {
        error_report_err(err);
    }
}
