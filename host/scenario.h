/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One scenario: a Lua state with fltvm's vocabulary, the machines it started, its account.
 * docs/manual/scenario.md describes what a script can say.
 */
#ifndef FLTVM_HOST_SCENARIO_H
#define FLTVM_HOST_SCENARIO_H

#include <glib.h>
#include <lua.h>

#include "account.h"
#include "machine.h"

typedef struct {
    FltvmSession session;
    FltvmConfig *defaults;  /* what the command line said */
    FltvmTrace *own_trace;  /* made because the script asked for one */
    GPtrArray *machines;    /* FltvmMachine, in order of their making */
    gboolean keep_going;    /* a failed check does not end the scenario */
    GError *fatal;          /* why a machine was lost; Lua code cannot swallow it */
    lua_State *lua;
    char *directory;        /* of the script: relative paths start there */
    /* A bugcheck that the rest of the scenario is to end in. */
    gboolean expects_bugcheck;
    int bugcheck_reference; /* Lua registry: the table that describes it */
} FltvmScenario;

/* Takes `defaults` over, borrows account and trace. */
FltvmScenario *fltvm_scenario_new(FltvmConfig *defaults, FltvmAccount *account, FltvmTrace *trace);
void fltvm_scenario_free(FltvmScenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmScenario, fltvm_scenario_free)

/* Run a script; everything that goes wrong is in the account. */
void fltvm_scenario_run(FltvmScenario *scenario, const char *script);

/* Run one line typed at the prompt; prints its values. */
void fltvm_scenario_line(FltvmScenario *scenario, const char *line);

/* Shut down the machines that still run. */
void fltvm_scenario_end_machines(FltvmScenario *scenario);

/* --- for the files that make up the vocabulary ------------------------------------------------------ */

FltvmScenario *fltvm_lua_scenario(lua_State *lua);

/* Raise a GError as a Lua error; takes it over.  A lost machine also becomes the scenario's fatal error. */
int fltvm_lua_raise(lua_State *lua, GError *error) G_GNUC_NORETURN;

/* Raise an NTSTATUS as an error object with .status, .name and .operation. */
int fltvm_lua_raise_status(lua_State *lua, guint32 status, const char *what) G_GNUC_NORETURN;

/* One check: fails the scenario unless --keep-going.  `detail` is only used when it failed. */
void fltvm_lua_check(lua_State *lua, gboolean holds, const char *name, const char *detail);

/* A path as the script means it; newly allocated. */
char *fltvm_lua_path(lua_State *lua, const char *path);

/* Optional fields of the table at `index`; a field of a wrong type is an error. */
gboolean fltvm_lua_field(lua_State *lua, int index, const char *name, int type);
gint64 fltvm_lua_integer_field(lua_State *lua, int index, const char *name, gint64 fallback);
lua_Number fltvm_lua_number_field(lua_State *lua, int index, const char *name, lua_Number fallback);
gboolean fltvm_lua_boolean_field(lua_State *lua, int index, const char *name, gboolean fallback);
/* Valid while the table is. */
const char *fltvm_lua_string_field(lua_State *lua, int index, const char *name, const char *fallback);

/* Milliseconds as scripts give them, to nanoseconds. */
guint64 fltvm_lua_nanoseconds(lua_State *lua, lua_Number milliseconds, const char *what);
/* A size: a number of bytes, or a text such as "4M". */
guint64 fltvm_lua_size(lua_State *lua, int index, const char *what);

/* Each adds its functions to the state. */
void fltvm_lua_open_machine(lua_State *lua);
void fltvm_lua_open_driver(lua_State *lua);
void fltvm_lua_open_file(lua_State *lua);
void fltvm_lua_open_devices(lua_State *lua);
void fltvm_lua_open_expect(lua_State *lua);
void fltvm_lua_open_fltctl(lua_State *lua);
void fltvm_lua_open_trace(lua_State *lua);
void fltvm_lua_open_host(lua_State *lua);

#endif
