/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vocabulary: see vocabulary.h. */
#include "vocabulary.h"

#include <glib.h>
#include <lualib.h>

/* In this order: a file may add to the types of those before it. */
static void (*const openers[])(lua_State *) = {
    fltvm_lua_open_words,       fltvm_lua_open_show,       fltvm_lua_open_order,       fltvm_lua_open_library,
    fltvm_lua_open_machine,     fltvm_lua_open_registry,   fltvm_lua_open_driver,      fltvm_lua_open_file,
    fltvm_lua_open_open,        fltvm_lua_open_filefacts,  fltvm_lua_open_information, fltvm_lua_open_names,
    fltvm_lua_open_devices,     fltvm_lua_open_expect,     fltvm_lua_open_log,         fltvm_lua_open_ending,
    fltvm_lua_open_fltctl,      fltvm_lua_open_port,       fltvm_lua_open_process,     fltvm_lua_open_processwork,
    fltvm_lua_open_processport, fltvm_lua_open_export,     fltvm_lua_open_trace,       fltvm_lua_open_host,
    fltvm_lua_open_unwind,      fltvm_lua_open_checkpoint, fltvm_lua_open_power,
};

void fltvm_vocabulary_open(lua_State *lua)
{
    luaL_openlibs(lua);
    lua_newtable(lua);
    lua_setglobal(lua, "fltvm");
    for (gsize i = 0; i < G_N_ELEMENTS(openers); i++)
        openers[i](lua);
}
