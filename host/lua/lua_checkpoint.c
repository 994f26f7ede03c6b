/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine:checkpoint(): where the part of a script ends that is the same in every run of an exploration.
 *
 * `fltvm run` passes it: what the command line wants from there on (--checkpoint-seed, numbers with a '+') begins.  A process
 * that serves an exploration (scenario.h) saves the machine there, and comes back from it once for each run, each time in a
 * process of its own.
 */
#include <lauxlib.h>

#include "error.h"
#include "lua_machine.h"
#include "lua_step.h"
#include "scenario.h"
#include "vocabulary.h"

/* Why it cannot be here, or NULL. */
static const char *problem(const FltvmScenario *scenario, FltvmMachine *machine)
{
    const FltvmConfig *config = fltvm_machine_config(machine);

    if (scenario->checkpointed)
        return "there was a checkpoint already, and a scenario has one";
    if (scenario->machines->len > 1)
        return "there are several machines; it is for a scenario of one";
    if (!g_str_equal(config->accel, "tcg"))
        return "it needs accel \"tcg\"";
    if (scenario->session.connect)
        return "it needs a QEMU of ours, and --connect names another's";
    for (guint i = 0; i < config->disks->len; i++) {
        const FltvmDisk *disk = config->disks->pdata[i];
        if (disk->image && disk->image->path && disk->image->writable) /* its further media are alike */
            return "a disk's image is writable: what a run writes into the file would be there in the next; "
                   "leave out writable = true";
    }
    return NULL;
}

static gboolean pass(FltvmScenario *scenario, FltvmMachine *machine, GError **error)
{
    if (!scenario->serve)
        return fltvm_machine_checkpoint(machine, &scenario->defaults->later, error);
    if (!fltvm_machine_checkpoint(machine, NULL, error))
        return FALSE;
    scenario->serve(scenario);
    return fltvm_machine_restore(machine, &scenario->defaults->later, scenario->verifies, error);
}

static int machine_checkpoint(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    const char *why = problem(scenario, machine);
    GError *error = NULL;

    if (why)
        return luaL_error(lua, "machine:checkpoint: %s", why);
    if (!fltvm_machine_be_running(machine, &error) || !pass(scenario, machine, &error))
        fltvm_lua_raise(lua, error);
    scenario->checkpointed = TRUE;
    fltvm_steps_begin_again(scenario->steps);
    if (scenario->session.trace)
        fltvm_trace_mark(scenario->session.trace);
    if (scenario->defaults->later.has_seed)
        fltvm_lua_seed(lua);
    if (scenario->defaults->later.at_checkpoint)
        scenario->defaults->choice = scenario->defaults->later;
    return 0;
}

void fltvm_lua_open_checkpoint(lua_State *lua)
{
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_checkpoint);
    lua_setfield(lua, -2, "checkpoint");
    lua_pop(lua, 1);
}
