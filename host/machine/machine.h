/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running machine: the QEMU process, its link, and the conversation over it.
 *
 * The guest speaks first and in turn: it sends records, and when it asks for a command it waits until one is
 * given.  fltvm_machine_command() gives it one and returns with its result; records that come in between
 * (log, trace, modules, tests) are dealt with here.
 */
#ifndef FLTVM_HOST_MACHINE_H
#define FLTVM_HOST_MACHINE_H

#include <glib.h>

#include "abi/command.h"
#include "account.h"
#include "bugcheck.h"
#include "config.h"
#include "symbols.h"
#include "trace.h"

typedef enum {
    FLTVM_MACHINE_NEW,
    FLTVM_MACHINE_RUNNING, /* the guest waits for our command, or runs one */
    FLTVM_MACHINE_ENDED,   /* shut down as asked */
    FLTVM_MACHINE_DEAD,    /* bugchecked, hung or lost */
} FltvmMachineState;

typedef struct FltvmMachine FltvmMachine;

/* What all machines of one scenario share. */
typedef struct {
    FltvmAccount *account;
    FltvmTrace *trace;    /* NULL: trace points are NOPs to the machine as well */
    gint64 deadline;      /* g_get_monotonic_time() by which everything is over; 0: none */
    gint64 boot_deadline; /* microseconds a machine may take to ask for its first command; 0: none */
    gboolean dry_run;     /* print the command line, start nothing */
    const char *connect;  /* a socket on which somebody else's QEMU listens, or NULL */
    /* For fltvm gdb: the first machine waits for it. */
    int gdb_fd;            /* a socket that listens; 0: none, or in use */
    int debugger_fd;       /* readable when gdb has ended; 0: not started, or seen already */
    gboolean outlived;     /* the machine went on, or waited, when gdb had ended */
    gint64 after_debugger; /* microseconds that everything may take then; 0: no limit */
    /* Called when that QEMU has been started, before the guest's first word; or NULL. */
    gboolean (*launched)(gpointer data, GError **error);
    gpointer launched_data;
} FltvmSession;

/* Takes the configuration over; borrows the session. */
FltvmMachine *fltvm_machine_new(FltvmSession *session, FltvmConfig *config);
void fltvm_machine_free(FltvmMachine *machine);

FltvmConfig *fltvm_machine_config(FltvmMachine *machine);
FltvmMachineState fltvm_machine_state(const FltvmMachine *machine);
FltvmSymbols *fltvm_machine_symbols(FltvmMachine *machine);
guint64 fltvm_machine_time(const FltvmMachine *machine); /* virtual ns at the last record */

/* The bugcheck that ended it, or NULL. */
FltvmBugcheck *fltvm_machine_bugcheck(FltvmMachine *machine);

/* Start it if it is new; an error if it was shut down or is dead. */
gboolean fltvm_machine_be_running(FltvmMachine *machine, GError **error);

/* Start QEMU and wait until the guest asks for its first command. */
gboolean fltvm_machine_start(FltvmMachine *machine, GError **error);

/* A result: header and the data behind it. */
typedef struct {
    struct fltvm_result header;
    GBytes *data;
} FltvmResult;
void fltvm_result_clear(FltvmResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FltvmResult, fltvm_result_clear)

/*
 * Have a command carried out; starts the machine if need be. `command`'s id and length are filled in here.
 * FALSE when the machine did not answer: it bugchecked, hung or is gone; a status that says failure is success
 * here.
 */
gboolean fltvm_machine_command(FltvmMachine *machine, struct fltvm_command *command, gconstpointer data, gsize length,
                               FltvmResult *result, GError **error);

/* The stacks that the guest sent during the last command, in words; or NULL. */
const char *fltvm_machine_stacks(FltvmMachine *machine);

/*
 * Checkpoints: checkpoint.c.  The machine runs, and is at a command's boundary.
 *
 * With `choice`: what it says holds from here on (`at_checkpoint` of it does not matter).  Without: the machine is saved, and
 * the next that is said to it is fltvm_machine_restore().  FLTVM_ERROR_USAGE, and the machine goes on, if it cannot be done.
 */
gboolean fltvm_machine_checkpoint(FltvmMachine *machine, const FltvmChoice *choice, GError **error);

/*
 * Put back the machine that was saved; then the choice holds.  In a process that was forked from that which saved it;
 * from here on the process of the machine is not ours to end.  `verify` has QEMU look whether all is as it was.
 */
gboolean fltvm_machine_restore(FltvmMachine *machine, const FltvmChoice *choice, gboolean verify, GError **error);

/* Whether the guest has come to its end in such a way that the machine can be put back. */
gboolean fltvm_machine_rests(const FltvmMachine *machine);

/*
 * Power cuts: powercut.c.  Cut it now, at a command's boundary; `cut` says what is kept.  The machine is dead then.
 */
gboolean fltvm_machine_cut_power(FltvmMachine *machine, const struct fltvm_power_cut *cut, GError **error);

/* Whether a choice has cut its power. */
gboolean fltvm_machine_was_cut(const FltvmMachine *machine);

/* What the machine is made of that comes after the cut: the same, with what is left on its disks, and no choice. */
FltvmConfig *fltvm_machine_after_cut(FltvmMachine *machine, GError **error);

/* medium.c: what is on a disk of a machine that has not started, written to a file as a raw image. */
gboolean fltvm_machine_copy_disk(FltvmMachine *machine, guint number, const char *path, GError **error);

/* Tell the guest that there are no more commands and wait for its end. */
gboolean fltvm_machine_finish(FltvmMachine *machine, GError **error);

/* Give a machine up that hangs, as was expected: it is dead. */
void fltvm_machine_abandon(FltvmMachine *machine);

/* Let the guest rest until `wake_fd` is readable (a person at the prompt). */
gboolean fltvm_machine_park(FltvmMachine *machine, int wake_fd, GError **error);

/* The domain error that ends a --dry-run scenario; not a failure. */
#define FLTVM_DRY_RUN_MESSAGE "dry run"

#endif
