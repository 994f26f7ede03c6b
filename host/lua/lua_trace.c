/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace in Lua: machine:trace([from]) gives what was recorded, as a table an event:
 * {time= (ms), cpu=, irql=, irql_name=, event=, thread=, and the event's own fields by name}.
 */
#include <lauxlib.h>

#include "lua_machine.h"
#include "names.h"
#include "vocabulary.h"

/* The events of one machine from the `from`th on; their routines' names are looked up in one go. */
static GArray *collect(FltvmTrace *trace, FltvmSymbols *symbols, guint from, GArray *addresses)
{
    GArray *indices = g_array_new(FALSE, FALSE, sizeof(guint));
    const struct fltvm_trace_record *record;
    FltvmSymbols *owner;
    guint number = 0;

    for (guint i = 0; (record = fltvm_trace_get(trace, i, &owner)); i++) {
        if (owner != symbols || number++ < from)
            continue;
        g_array_append_val(indices, i);
        for (guint field = 0; field < 5; field++) {
            FltvmSymbol symbol = {.address = record->args[field]};
            if (fltvm_trace_event_field(record->event, field)[0] == '*')
                g_array_append_val(addresses, symbol);
        }
    }
    return indices;
}

static void push_event(lua_State *lua, const struct fltvm_trace_record *record, FltvmSymbol **next)
{
    lua_createtable(lua, 0, 10);
    lua_pushnumber(lua, (lua_Number)record->time_ns / 1e6);
    lua_setfield(lua, -2, "time");
    lua_pushinteger(lua, record->cpu);
    lua_setfield(lua, -2, "cpu");
    lua_pushinteger(lua, record->irql);
    lua_setfield(lua, -2, "irql");
    lua_pushstring(lua, fltvm_irql_name(record->irql));
    lua_setfield(lua, -2, "irql_name");
    lua_pushstring(lua, fltvm_trace_event_name(record->event));
    lua_setfield(lua, -2, "event");
    lua_pushinteger(lua, (lua_Integer)record->thread);
    lua_setfield(lua, -2, "thread");
    for (guint i = 0; i < 5; i++) {
        const char *field = fltvm_trace_event_field(record->event, i);
        if (*field == '*') {
            lua_pushstring(lua, (*next)->text);
            lua_setfield(lua, -2, field + 1);
            (*next)++;
        } else if (*field) {
            lua_pushinteger(lua, (lua_Integer)record->args[i]);
            lua_setfield(lua, -2, *field == '#' ? field + 1 : field);
        }
    }
}

static int machine_trace(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    FltvmTrace *trace = fltvm_lua_scenario(lua)->session.trace;
    lua_Integer from = luaL_optinteger(lua, 2, 0);
    FltvmSymbols *symbols = fltvm_machine_symbols(machine);
    GArray *addresses, *indices;
    FltvmSymbol *next;

    if (!trace)
        luaL_error(lua, "nothing is traced: say trace = true in fltvm.machine{}");
    luaL_argcheck(lua, from >= 0 && from <= G_MAXUINT, 2, "not a number of events");
    addresses = g_array_new(FALSE, TRUE, sizeof(FltvmSymbol));
    indices = collect(trace, symbols, (guint)from, addresses);
    next = (FltvmSymbol *)(void *)addresses->data;
    fltvm_symbols_resolve(symbols, next, addresses->len);
    lua_createtable(lua, (int)indices->len, 0);
    for (guint i = 0; i < indices->len; i++) {
        push_event(lua, fltvm_trace_get(trace, g_array_index(indices, guint, i), &symbols), &next);
        lua_seti(lua, -2, i + 1);
    }
    for (guint i = 0; i < addresses->len; i++)
        fltvm_symbol_clear(&g_array_index(addresses, FltvmSymbol, i));
    g_array_unref(addresses);
    g_array_unref(indices);
    return 1;
}

void fltvm_lua_open_trace(lua_State *lua)
{
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushcfunction(lua, machine_trace);
    lua_setfield(lua, -2, "trace");
    lua_pop(lua, 1);
}
