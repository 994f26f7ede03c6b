/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process does beside files, in Lua: its memory, sections and views of them, its threads.  All of it the program in the
 * process does by system calls of its own.
 */
#include <lauxlib.h>
#include <string.h>

#include "lua_process.h"
#include "lua_show.h"
#include "vocabulary.h"

#define SECTION "fltvm.section"

/* Of the documented NT interface: PAGE_…, MEM_…, SEC_…. */
static const FltvmLuaFlag protections[] = {{"none", 0x1}, {"r", 0x2},    {"rw", 0x4},   {"wc", 0x8},      {"x", 0x10},
                                           {"rx", 0x20},  {"rwx", 0x40}, {"xwc", 0x80}, {"guard", 0x100}, {NULL, 0}};

static const FltvmLuaFlag states[] = {{"committed", 0x1000}, {"reserved", 0x2000}, {"free", 0x10000}, {NULL, 0}};
static const FltvmLuaFlag types[] = {{"private", 0x20000}, {"mapped", 0x40000}, {"image", 0x1000000}, {NULL, 0}};

enum { COMMIT = 0x1000, RESERVE = 0x2000, DECOMMIT = 0x4000, RELEASE = 0x8000, READ_WRITE = 0x4 };
enum { SECTION_RESERVE = 0x4000000, SECTION_COMMIT = 0x8000000 };

typedef struct {
    FltvmMachine *machine; /* the first user value keeps its process */
    guint32 user;
    guint64 handle;
    gboolean open;
} Section;

/* A command that the process at 1 does; options at `options`. */
static int act(lua_State *lua, struct fltvm_command *command, int options, gconstpointer data, gsize length,
               FltvmLuaPush push, const char *what)
{
    const FltvmLuaProcess *process = fltvm_lua_process(lua, 1);

    return fltvm_lua_act(lua, process->machine, (guint32)process->id, command, options, data, length, push, what);
}

/* --- memory -------------------------------------------------------------------------------------------- */

/* process:allocate(size [, {address=, protect=, reserve=, thread=, timeout=}]) -> address */
static int process_allocate(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"address", FLTVM_LUA_NUMBER},  {"protect", FLTVM_LUA_FLAGS},
                                          {"reserve", FLTVM_LUA_BOOLEAN}, {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},  {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_MEMORY_ALLOCATE};

    fltvm_lua_check_fields(lua, 3, "process:allocate", known);
    lua_settop(lua, 3);
    command.args[0] = (guint64)fltvm_lua_integer_field(lua, 3, "address", 0);
    command.args[1] = fltvm_lua_size(lua, 2, "process:allocate");
    command.args[2] = RESERVE | (fltvm_lua_boolean_field(lua, 3, "reserve", FALSE) ? 0 : COMMIT);
    command.args[3] = fltvm_lua_flags_field(lua, 3, "protect", protections, READ_WRITE);
    return act(lua, &command, 3, NULL, 0, NULL, "allocating memory");
}

/* process:free(address [, {decommit=, thread=, timeout=}]); decommit: so many bytes, which stay reserved */
static int process_free(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"decommit", FLTVM_LUA_NUMBER | FLTVM_LUA_TEXT},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_MEMORY_FREE,
                                    .args = {(guint64)luaL_checkinteger(lua, 2), 0, RELEASE}};

    fltvm_lua_check_fields(lua, 3, "process:free", known);
    lua_settop(lua, 3);
    if (lua_istable(lua, 3) && lua_getfield(lua, 3, "decommit") != LUA_TNIL) {
        command.args[1] = fltvm_lua_size(lua, -1, "decommit");
        command.args[2] = DECOMMIT;
    }
    lua_settop(lua, 3);
    act(lua, &command, 3, NULL, 0, NULL, "freeing memory");
    return 0;
}

/* process:protect(address, size, protection [, {thread=, timeout=}]) -> what it was */
static int process_protect(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"thread", FLTVM_LUA_NUMBER}, {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
    struct fltvm_command command = {.op = FLTVM_COMMAND_MEMORY_PROTECT,
                                    .args = {(guint64)luaL_checkinteger(lua, 2), fltvm_lua_size(lua, 3, "size")}};

    command.args[2] = fltvm_lua_flags(lua, 4, "process:protect", protections);
    fltvm_lua_check_fields(lua, 5, "process:protect", known);
    lua_settop(lua, 5);
    act(lua, &command, 5, NULL, 0, NULL, "protecting memory");
    fltvm_lua_push_flags(lua, (guint64)lua_tointeger(lua, -1), protections);
    return 1;
}

/* MEMORY_BASIC_INFORMATION */
static int push_memory(lua_State *lua, const guint8 *bytes, gsize length)
{
    static const struct {
        const char *name;
        guint offset, size;
        const FltvmLuaFlag *names;
    } parts[] = {{"base", 0, 8, NULL},  {"allocation", 8, 8, NULL}, {"allocation_protect", 16, 4, protections},
                 {"size", 24, 8, NULL}, {"state", 32, 4, states},   {"protect", 36, 4, protections},
                 {"type", 40, 4, types}};

    lua_newtable(lua);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        guint64 value = fltvm_lua_get(bytes, length, parts[i].offset, parts[i].size);

        if (parts[i].names)
            fltvm_lua_push_flags(lua, value, parts[i].names);
        else
            lua_pushinteger(lua, (lua_Integer)value);
        lua_setfield(lua, -2, parts[i].name);
    }
    return 1;
}

/* process:memory(address) -> what is there */
static int process_memory(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_MEMORY_QUERY, .args = {(guint64)luaL_checkinteger(lua, 2)}};

    lua_settop(lua, 2);
    return act(lua, &command, 3, NULL, 0, push_memory, "asking for memory");
}

/* process:peek(address, length) -> bytes, as the process's own instructions read them */
static int process_peek(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_MEMORY_READ,
                                    .args = {(guint64)luaL_checkinteger(lua, 2), (guint64)luaL_checkinteger(lua, 3)}};

    luaL_argcheck(lua, (gint64)command.args[1] >= 0, 3, "a negative length");
    lua_settop(lua, 3);
    return act(lua, &command, 4, NULL, 0, fltvm_lua_push_bytes, "reading memory");
}

/* process:poke(address, bytes) */
static int process_poke(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_MEMORY_WRITE, .args = {(guint64)luaL_checkinteger(lua, 2)}};
    gsize length;
    const char *bytes = luaL_checklstring(lua, 3, &length);

    lua_settop(lua, 3);
    act(lua, &command, 4, bytes, length, NULL, "writing memory");
    return 0;
}

/* --- sections ------------------------------------------------------------------------------------------ */

/* process:section{file=, size=, protect=, reserve=, thread=, timeout=} -> section; of memory unless of a file */
static int process_section(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"file", FLTVM_LUA_VALUE},
                                          {"size", FLTVM_LUA_NUMBER | FLTVM_LUA_TEXT},
                                          {"protect", FLTVM_LUA_FLAGS},
                                          {"reserve", FLTVM_LUA_BOOLEAN},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    const FltvmLuaProcess *process = fltvm_lua_process(lua, 1);
    struct fltvm_command command = {.op = FLTVM_COMMAND_SECTION};
    Section *section;

    fltvm_lua_check_fields(lua, 2, "process:section", known);
    lua_settop(lua, 2);
    if (lua_istable(lua, 2) && lua_getfield(lua, 2, "file") != LUA_TNIL) {
        const FltvmLuaFile *file = fltvm_lua_file(lua, -1);

        if (file->user != process->id)
            luaL_error(lua, "file: the process has not opened it");
        command.args[0] = file->handle;
    }
    lua_settop(lua, 2);
    if (lua_istable(lua, 2) && lua_getfield(lua, 2, "size") != LUA_TNIL)
        command.args[1] = fltvm_lua_size(lua, -1, "size");
    lua_settop(lua, 2);
    command.args[2] = fltvm_lua_flags_field(lua, 2, "protect", protections, READ_WRITE);
    command.args[3] = fltvm_lua_boolean_field(lua, 2, "reserve", FALSE) ? SECTION_RESERVE : SECTION_COMMIT;
    act(lua, &command, 2, NULL, 0, NULL, "making a section");
    section = fltvm_lua_new(lua, sizeof(*section), SECTION);
    section->machine = process->machine;
    section->user = (guint32)process->id;
    section->handle = (guint64)lua_tointeger(lua, -2);
    section->open = TRUE;
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, -2, 1);
    return 1;
}

static Section *check_section(lua_State *lua)
{
    Section *section = luaL_checkudata(lua, 1, SECTION);

    if (!section->open)
        luaL_error(lua, "the section is closed");
    return section;
}

/* section:map{address=, offset=, size=, protect=, thread=, timeout=} -> address of a view in the process */
static int section_map(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"address", FLTVM_LUA_NUMBER},
                                          {"offset", FLTVM_LUA_NUMBER},
                                          {"size", FLTVM_LUA_NUMBER},
                                          {"protect", FLTVM_LUA_FLAGS},
                                          {"thread", FLTVM_LUA_NUMBER},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    const Section *section = check_section(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_MAP, .args = {section->handle}};

    fltvm_lua_check_fields(lua, 2, "section:map", known);
    lua_settop(lua, 2);
    command.args[1] = (guint64)fltvm_lua_integer_field(lua, 2, "address", 0);
    command.args[2] = (guint64)fltvm_lua_integer_field(lua, 2, "offset", 0);
    command.args[3] = (guint64)fltvm_lua_integer_field(lua, 2, "size", 0);
    command.args[4] = fltvm_lua_flags_field(lua, 2, "protect", protections, READ_WRITE);
    return fltvm_lua_act(lua, section->machine, section->user, &command, 2, NULL, 0, NULL, "mapping a view");
}

static int section_close(lua_State *lua)
{
    Section *section = check_section(lua);
    struct fltvm_command command = {.op = FLTVM_COMMAND_CLOSE, .args = {section->handle}};

    lua_settop(lua, 1);
    section->open = FALSE;
    fltvm_lua_act(lua, section->machine, section->user, &command, 2, NULL, 0, NULL, "closing a section");
    return 0;
}

/* process:unmap(address) */
static int process_unmap(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_UNMAP, .args = {(guint64)luaL_checkinteger(lua, 2)}};

    lua_settop(lua, 2);
    act(lua, &command, 3, NULL, 0, NULL, "unmapping a view");
    return 0;
}

/* --- threads ------------------------------------------------------------------------------------------- */

/* A thread of the process's, by its number, by another: `by`, 0 unless it is thread 0 that is meant. */
static int on_thread(lua_State *lua, guint64 what, guint32 flags, guint64 status, const char *words)
{
    lua_Integer number = luaL_checkinteger(lua, 2);
    struct fltvm_command command = {
        .op = FLTVM_COMMAND_THREAD, .args = {what, (guint64)number, status}, .flags = flags};
    const FltvmLuaProcess *process = fltvm_lua_process(lua, 1);

    luaL_argcheck(lua, number >= 0 && number <= (lua_Integer)FLTVM_COMMAND_THREAD_MAX, 2, "not a thread's number");
    lua_settop(lua, 3);
    lua_createtable(lua, 0, 1);
    lua_pushinteger(lua, number == 0 ? 63 : 0);
    lua_setfield(lua, -2, "thread");
    return fltvm_lua_act(lua, process->machine, (guint32)process->id, &command, 4, NULL, 0, NULL, words);
}

/* process:suspend(thread) -> how often it was stopped before */
static int process_suspend(lua_State *lua)
{
    return on_thread(lua, FLTVM_THREAD_SUSPEND, 0, 0, "suspending a thread");
}

/* process:resume(thread) -> how often it was stopped before */
static int process_resume(lua_State *lua)
{
    return on_thread(lua, FLTVM_THREAD_RESUME, 0, 0, "resuming a thread");
}

/* process:alert(thread) */
static int process_alert(lua_State *lua)
{
    on_thread(lua, FLTVM_THREAD_ALERT, 0, 0, "alerting a thread");
    return 0;
}

/* process:apc(thread) -> an operation, which is over when the APC has run */
static int process_apc(lua_State *lua)
{
    return on_thread(lua, FLTVM_THREAD_APC, FLTVM_COMMAND_FLAG_ASYNC, 0, "an APC");
}

/* process:end_thread(thread [, status]) */
static int process_end_thread(lua_State *lua)
{
    on_thread(lua, FLTVM_THREAD_END, 0, (guint32)luaL_optinteger(lua, 3, 0), "ending a thread");
    return 0;
}

void fltvm_lua_open_processwork(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"alert", process_alert},     {"allocate", process_allocate},
                                       {"apc", process_apc},         {"end_thread", process_end_thread},
                                       {"free", process_free},       {"memory", process_memory},
                                       {"peek", process_peek},       {"poke", process_poke},
                                       {"protect", process_protect}, {"resume", process_resume},
                                       {"section", process_section}, {"suspend", process_suspend},
                                       {"unmap", process_unmap},     {NULL, NULL}};
    static const luaL_Reg section_methods[] = {{"close", section_close}, {"map", section_map}, {NULL, NULL}};

    luaL_getmetatable(lua, FLTVM_LUA_PROCESS);
    lua_getfield(lua, -1, "__index");
    luaL_setfuncs(lua, methods, 0);
    lua_pop(lua, 2);
    luaL_newmetatable(lua, SECTION);
    luaL_newlib(lua, section_methods);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);
}
