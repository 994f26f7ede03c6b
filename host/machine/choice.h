/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run may be made to do otherwise, beside its seed: which allocation or command to a disk fails, comes late or is
 * lost, which call of a driver's comes late.  Each is counted from 1 in every machine of the scenario; 0 is none.  They are
 * counted from the machine's start, or all of them from its checkpoint: then the choice is made there, and may have a seed
 * of its own for what follows.
 */
#ifndef FLTVM_HOST_CHOICE_H
#define FLTVM_HOST_CHOICE_H

#include <glib.h>

typedef enum {
    FLTVM_IO_FAIL,    /* the device says that it failed */
    FLTVM_IO_DELAY,   /* it takes FLTVM_IO_DELAY_NS longer */
    FLTVM_IO_TEAR,    /* it says that it failed; of a write the first half has reached the medium */
    FLTVM_IO_LOSE,    /* the device never answers */
    FLTVM_IO_REORDER, /* it completes behind a later one, or FLTVM_IO_DELAY_NS later when there is none */
    FLTVM_IO_ACTS,
} FltvmIoAct;

/* What is done between two operations of the script, to all that it has of that kind. */
typedef enum {
    FLTVM_STEP_UNLOAD,   /* its drivers are unloaded */
    FLTVM_STEP_DETACH,   /* its minifilters' instances are detached */
    FLTVM_STEP_DISMOUNT, /* the volumes are dismounted */
    FLTVM_STEP_KILL,     /* its processes end */
    FLTVM_STEP_CANCEL,   /* what its files have pending is canceled */
    FLTVM_STEPS,
} FltvmStep;

#define FLTVM_IO_DELAY_NS 10000000u

typedef struct {
    guint64 allocation; /* of those that come of drivers under test */
    struct {
        guint disk;
        guint64 number; /* of its reads, writes and flushes */
    } io[FLTVM_IO_ACTS];
    struct {
        gboolean counted; /* the machine counts them, which takes time of the guest's: so another schedule */
        gboolean returns; /* late is its return */
        guint64 number;   /* of the calls of drivers under test */
    } call;
    struct {
        guint disk;
        guint64 number; /* of its writes and flushes: when it has completed, the machine's power is cut */
        guint32 keep;   /* FLTVM_HBA_KEEP_*, and the seed of KEEP_SOME */
        guint64 seed;
    } cut;
    guint64 step[FLTVM_STEPS]; /* before which of the script's operations on the machine */
    gboolean at_start;         /* something is counted from the start */
    gboolean at_checkpoint;    /* something is counted from the checkpoint, or there is the seed */
    gboolean has_seed;         /* of the checkpoint */
    guint64 seed;
} FltvmChoice;

/* The option of `fltvm run` for an act, without its dashes. */
const char *fltvm_choice_io_option(FltvmIoAct act);

const char *fltvm_choice_step_option(FltvmStep step);

/* "N", or "+N" from the checkpoint on: the error is FLTVM_ERROR_USAGE and begins with the option's name. */
gboolean fltvm_choice_parse_allocation(FltvmChoice *choice, const char *text, GError **error);
/* "[DISK:]N", "[DISK:]+N" */
gboolean fltvm_choice_parse_io(FltvmChoice *choice, FltvmIoAct act, const char *text, GError **error);

/* "[DISK:]N[/KEEP]", "[DISK:]+N[/KEEP]"; KEEP: none, all, last or a seed, 1 by default */
gboolean fltvm_choice_parse_cut(FltvmChoice *choice, const char *text, GError **error);

/* "N", "+N" */
gboolean fltvm_choice_parse_step(FltvmChoice *choice, FltvmStep step, const char *text, GError **error);

/* The number of --checkpoint-seed. */
gboolean fltvm_choice_parse_seed(FltvmChoice *choice, const char *text, GError **error);

/* "N", from 0 on; `returns`: of --delay-return. */
gboolean fltvm_choice_parse_call(FltvmChoice *choice, gboolean returns, const char *text, GError **error);

/* Whether something is made to fail, or a disk to be late: a late call is a schedule, which no script need know of. */
gboolean fltvm_choice_injects(const FltvmChoice *choice);

/* Options for `fltvm run`, newly allocated, added to `argv`. */
void fltvm_choice_arguments(const FltvmChoice *choice, GPtrArray *argv);

/* The fault rules for a disk, as the device's property has them, and how many; NULL: none. */
char *fltvm_choice_faults(const FltvmChoice *choice, guint disk, guint *count);

#endif
