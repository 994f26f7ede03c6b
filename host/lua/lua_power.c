/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power cuts: machine:power_cut{…} cuts it where the script stands and gives the machine that starts on what is left of the disks;
 * machine:after_power_cut(function) says what must hold when a choice of the command line has cut it anywhere.  machine:copy_disk(path)
 * is what the host's tools then look at.
 */
#include "lua_power.h"

#include <lauxlib.h>

#include "abi/hba.h"
#include "error.h"
#include "lua_machine.h"
#include "vocabulary.h"

/* In the registry: a machine's address to the function. */
#define FUNCTIONS "fltvm.after_power_cut"

/* machine:power_cut{keep=, seed=} -> machine */
static int machine_power_cut(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"keep", FLTVM_LUA_TEXT}, {"seed", FLTVM_LUA_NUMBER}, {NULL, 0}};
    static const char *const words[] = {"none", "all", "some", "last", NULL}; /* FLTVM_HBA_KEEP_* */
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    struct fltvm_power_cut cut = {0};
    FltvmConfig *next;
    GError *error = NULL;

    fltvm_lua_check_fields(lua, 2, "machine:power_cut", known);
    cut.keep = fltvm_lua_choice(lua, "keep", fltvm_lua_string_field(lua, 2, "keep", "some"), words);
    cut.seed = (guint64)fltvm_lua_integer_field(lua, 2, "seed", (gint64)fltvm_machine_config(machine)->seed);
    if (!fltvm_machine_cut_power(machine, &cut, &error) || !(next = fltvm_machine_after_cut(machine, &error)))
        return fltvm_lua_raise(lua, error);
    fltvm_lua_push_machine(lua, next);
    return 1;
}

static int machine_after_power_cut(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);

    luaL_checktype(lua, 2, LUA_TFUNCTION);
    luaL_getsubtable(lua, LUA_REGISTRYINDEX, FUNCTIONS);
    lua_pushvalue(lua, 2);
    lua_rawsetp(lua, -2, machine);
    return 0;
}

/* machine:copy_disk(path [, disk]) */
static int machine_copy_disk(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    lua_Integer disk = luaL_optinteger(lua, 3, 0);
    char *path = fltvm_lua_path(lua, luaL_checkstring(lua, 2));
    GError *error = NULL;
    gboolean done;

    if (disk < 0 || disk > G_MAXINT) {
        g_free(path);
        return luaL_argerror(lua, 3, "not a disk's number");
    }
    done = fltvm_machine_copy_disk(machine, (guint)disk, path, &error);
    g_free(path);
    return done ? 0 : fltvm_lua_raise(lua, error);
}

/* The machine that ended so; one whose power the script itself has cut did not. */
static FltvmMachine *find_cut(const FltvmScenario *scenario)
{
    for (guint i = 0; i < scenario->machines->len; i++) {
        FltvmMachine *machine = scenario->machines->pdata[i];
        if (fltvm_machine_was_cut(machine))
            return machine;
    }
    return NULL;
}

gboolean fltvm_lua_power_is_cut(const FltvmScenario *scenario)
{
    return !scenario->power_cut && find_cut(scenario);
}

static int call_after(lua_State *lua)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    FltvmMachine *machine = find_cut(scenario);
    GError *error = NULL;
    FltvmConfig *next;

    luaL_getsubtable(lua, LUA_REGISTRYINDEX, FUNCTIONS);
    if (lua_rawgetp(lua, -1, machine) != LUA_TFUNCTION)
        return luaL_error(lua, "--power-cut: the script does not say what holds then: "
                               "machine:after_power_cut(function(vm) … end)");
    next = fltvm_machine_after_cut(machine, &error);
    if (!next)
        return fltvm_lua_raise(lua, error);
    fltvm_lua_push_machine(lua, next);
    lua_call(lua, 1, 0);
    return 0;
}

int fltvm_lua_after_power_cut(FltvmScenario *scenario, int handler)
{
    scenario->power_cut = TRUE;
    scenario->exits = FALSE;
    g_clear_error(&scenario->fatal);
    lua_settop(scenario->lua, handler);
    lua_pushcfunction(scenario->lua, call_after);
    return lua_pcall(scenario->lua, 0, 0, handler);
}

void fltvm_lua_open_power(lua_State *lua)
{
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_power_cut);
    lua_setfield(lua, -2, "power_cut");
    lua_pushcfunction(lua, machine_after_power_cut);
    lua_setfield(lua, -2, "after_power_cut");
    lua_pushcfunction(lua, machine_copy_disk);
    lua_setfield(lua, -2, "copy_disk");
    lua_pop(lua, 1);
}
