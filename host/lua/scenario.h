/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One scenario: a Lua state with fltvm's vocabulary, the machines it started, its account.
 * docs/manual/scenario.md describes what a script can say; vocabulary.h lists the files it comes from.
 */
#ifndef FLTVM_HOST_SCENARIO_H
#define FLTVM_HOST_SCENARIO_H

#include <glib.h>
#include <lua.h>

#include "account.h"
#include "inputs.h"
#include "machine.h"
#include "outcome.h"
#include "watchdog.h"

/* The last operation that was not done after its time. */
typedef struct {
    FltvmMachine *machine; /* NULL: none */
    char *operation;
    guint64 timeout_ns;
    char *stacks; /* of all threads */
} FltvmHang;
void fltvm_hang_clear(FltvmHang *hang);

typedef struct FltvmScenario FltvmScenario;
typedef struct FltvmSteps FltvmSteps;

struct FltvmScenario {
    FltvmSession session;
    FltvmConfig *defaults; /* what the command line said */
    FltvmTrace *own_trace; /* made because the script asked for one */
    GPtrArray *machines;   /* FltvmMachine, in order of their making */
    gboolean keep_going;   /* a failed check does not end the scenario */
    GError *fatal;         /* why a machine was lost; Lua code cannot swallow it */
    lua_State *lua;
    char *directory;     /* of the script: relative paths start there */
    FltvmInputs *inputs; /* the host's files that the script has named, itself included */
    FltvmHang hang;
    FltvmSteps *steps; /* lua_step.h */
    gboolean lists;    /* what there is to choose will be asked for */
    gboolean exits;    /* the script said os.exit */
    /* What ended the script, if it was an error: for fltvm_scenario_outcome(). */
    FltvmOutcomeKind ended;
    char *ended_by;
    /* A bugcheck that the rest of the scenario is to end in. */
    gboolean expects_bugcheck;
    int bugcheck_reference; /* Lua registry: the table that describes it */
    /* The power of a machine was cut by a choice, and what the script says of it is done, or has been. */
    gboolean power_cut;
    /* machine:checkpoint() */
    gboolean checkpointed; /* it is behind us */
    /*
     * The script serves an exploration: called when the machine is saved, returns in a process of its own for each run, with what
     * that run is to do otherwise in defaults->later; never in this one.  NULL: it does not.
     */
    void (*serve)(FltvmScenario *scenario);
    gpointer serve_data;
    gboolean verifies; /* QEMU looks each time whether all is as it was */
    /* What ends it whatever it does. */
    FltvmWatchdog watchdog;
    lua_State *volatile interruptible; /* while a hook may be set in it from a signal handler */
    int (*leave)(gpointer data);
    gpointer leave_data;
};

/* Takes `defaults` over, borrows account and trace. */
FltvmScenario *fltvm_scenario_new(FltvmConfig *defaults, FltvmAccount *account, FltvmTrace *trace);
void fltvm_scenario_free(FltvmScenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmScenario, fltvm_scenario_free)

/*
 * From here on until it is freed the scenario ends at its deadline and at a signal, even if that takes force.  Then
 * the account has the failure, and `leave` does what is left to do; it returns the process's exit status.
 */
void fltvm_scenario_guard(FltvmScenario *scenario, int (*leave)(gpointer data), gpointer data);

/* Not any more, and there is no deadline, until it is guarded again. */
void fltvm_scenario_unguard(FltvmScenario *scenario);

/* Run a script; everything that goes wrong is in the account. */
void fltvm_scenario_run(FltvmScenario *scenario, const char *script);

/* What it ended with, once it has run. */
FltvmOutcome *fltvm_scenario_outcome(const FltvmScenario *scenario);

/* What there is to choose that no trace tells, for fltvm_outcome_write(): newly allocated. */
char *fltvm_scenario_offers(const FltvmScenario *scenario);

/* The script said os.exit: whatever catches it, nothing more of it runs.  For the script's own functions. */
void fltvm_scenario_exit(FltvmScenario *scenario, lua_State *lua) G_GNUC_NORETURN;

/* A choice has cut the power: whatever catches the error that comes now, the script goes no further. */
void fltvm_scenario_cut_short(FltvmScenario *scenario, lua_State *lua);

/* Run one line typed at the prompt; prints its values. */
void fltvm_scenario_line(FltvmScenario *scenario, const char *line);

/* Shut down the machines that still run. */
void fltvm_scenario_end_machines(FltvmScenario *scenario);

#endif
