/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables as arguments.  A word says in a table of its own which fields it knows and of which types they are; one
 * that it does not know is an error that names the nearest, never passed over.
 */
#ifndef FLTVM_HOST_LUA_FIELDS_H
#define FLTVM_HOST_LUA_FIELDS_H

#include "lua_words.h"

typedef struct {
    const char *name; /* "[n]": values without a name, counted from 1 */
    guint types;      /* FLTVM_LUA_… */
} FltvmLuaField;

#define FLTVM_LUA_BOOLEAN  (1u << LUA_TBOOLEAN)
#define FLTVM_LUA_NUMBER   (1u << LUA_TNUMBER)
#define FLTVM_LUA_TEXT     (1u << LUA_TSTRING)
#define FLTVM_LUA_TABLE    (1u << LUA_TTABLE)
#define FLTVM_LUA_FUNCTION (1u << LUA_TFUNCTION)
#define FLTVM_LUA_VALUE    (1u << LUA_TUSERDATA) /* one of fltvm's own */

/*
 * Refuse what `known` (ended by a NULL name) does not have.  `what` names the word in errors ("machine:open").  An
 * argument that is left out is as good as an empty table; anything but a table is refused.
 */
void fltvm_lua_check_fields(lua_State *lua, int index, const char *what, const FltvmLuaField *known);

/* A text that must be one of `words` (ended by NULL): its number. */
guint fltvm_lua_choice(lua_State *lua, const char *what, const char *text, const char *const *words);

/* Optional fields of the table at `index`; a field of a wrong type is an error. */
gboolean fltvm_lua_field(lua_State *lua, int index, const char *name, int type);
gint64 fltvm_lua_integer_field(lua_State *lua, int index, const char *name, gint64 fallback);
/* The same for what is 32 bits wide on its way. */
guint32 fltvm_lua_u32_field(lua_State *lua, int index, const char *name, guint32 fallback);
lua_Number fltvm_lua_number_field(lua_State *lua, int index, const char *name, lua_Number fallback);
gboolean fltvm_lua_boolean_field(lua_State *lua, int index, const char *name, gboolean fallback);
/* Valid while the table is. */
const char *fltvm_lua_string_field(lua_State *lua, int index, const char *name, const char *fallback);

/* Milliseconds as scripts give them, to nanoseconds. */
guint64 fltvm_lua_nanoseconds(lua_State *lua, lua_Number milliseconds, const char *what);
/* A size: a number of bytes, or a text such as "4M". */
guint64 fltvm_lua_size(lua_State *lua, int index, const char *what);

/* The table at `index` is a list of texts: the `i`th of `count`, or an error; it stays on the stack. */
const char *fltvm_lua_list_text(lua_State *lua, int index, lua_Integer i, const char *what);

#endif
