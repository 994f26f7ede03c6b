/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What files and volumes say of themselves, in Lua: classes by name, as tables whose fields stand below.
 */
#include <lauxlib.h>
#include <string.h>

#include "lua_file.h"

typedef enum { END, NUMBER, BOOLEAN, ATTRIBUTES, TEXT, BYTES } Kind;

/* A text is at the end, with its length in bytes where `size` says. */
typedef struct {
    const char *name;
    guint offset, size;
    Kind kind;
} Field;

/* Of the documented NT interface: FILE_INFORMATION_CLASS, or FS_INFORMATION_CLASS. */
typedef struct {
    const char *name;
    guint number;
    guint length; /* of what is set; a query has room for a text behind it */
    Field fields[10];
} Class;

#define TIMES(At)                                                                                                      \
    {"created", (At), 8, NUMBER}, {"accessed", (At) + 8, 8, NUMBER}, {"written", (At) + 16, 8, NUMBER},                \
    {                                                                                                                  \
        "changed", (At) + 24, 8, NUMBER                                                                                \
    }

static const Class file_classes[] = {
    {"basic", 4, 40, {TIMES(0), {"attributes", 32, 4, ATTRIBUTES}}},
    {"standard",
     5,
     24,
     {{"allocated", 0, 8, NUMBER},
      {"size", 8, 8, NUMBER},
      {"links", 16, 4, NUMBER},
      {"delete_pending", 20, 1, BOOLEAN},
      {"directory", 21, 1, BOOLEAN}}},
    {"internal", 6, 8, {{"id", 0, 8, BYTES}}},
    {"ea", 7, 4, {{"size", 0, 4, NUMBER}}},
    {"access", 8, 4, {{"access", 0, 4, NUMBER}}},
    {"name", 9, 8, {{"name", 4, 0, TEXT}}},
    {"position", 14, 8, {{"offset", 0, 8, NUMBER}}},
    {"mode", 16, 4, {{"mode", 0, 4, NUMBER}}},
    {"alignment", 17, 4, {{"alignment", 0, 4, NUMBER}}},
    {"allocation", 19, 8, {{"size", 0, 8, NUMBER}}},
    {"end_of_file", 20, 8, {{"size", 0, 8, NUMBER}}},
    {"alternate_name", 21, 8, {{"name", 4, 0, TEXT}}},
    {"network_open",
     34,
     56,
     {TIMES(0), {"allocated", 32, 8, NUMBER}, {"size", 40, 8, NUMBER}, {"attributes", 48, 4, ATTRIBUTES}}},
    {"attribute_tag", 35, 8, {{"attributes", 0, 4, ATTRIBUTES}, {"tag", 4, 4, NUMBER}}},
    {"valid_data_length", 39, 8, {{"size", 0, 8, NUMBER}}},
    {"normalized_name", 48, 8, {{"name", 4, 0, TEXT}}},
    {NULL, 0, 0, {{NULL, 0, 0, END}}}};

static const Class volume_classes[] = {
    {"volume",
     1,
     24,
     {{"created", 0, 8, NUMBER}, {"serial", 8, 4, NUMBER}, {"objects", 16, 1, BOOLEAN}, {"label", 18, 12, TEXT}}},
    {"label", 2, 8, {{"label", 4, 0, TEXT}}},
    {"size",
     3,
     24,
     {{"total", 0, 8, NUMBER}, {"free", 8, 8, NUMBER}, {"sectors_per_unit", 16, 4, NUMBER}, {"sector", 20, 4, NUMBER}}},
    {"device", 4, 8, {{"type", 0, 4, NUMBER}, {"characteristics", 4, 4, NUMBER}}},
    {"attribute", 5, 16, {{"attributes", 0, 4, NUMBER}, {"longest_name", 4, 4, NUMBER}, {"file_system", 12, 8, TEXT}}},
    {"full_size",
     7,
     32,
     {{"total", 0, 8, NUMBER},
      {"caller_free", 8, 8, NUMBER},
      {"free", 16, 8, NUMBER},
      {"sectors_per_unit", 24, 4, NUMBER},
      {"sector", 28, 4, NUMBER}}},
    {"sector_size", 11, 28, {{"logical", 0, 4, NUMBER}, {"physical", 4, 4, NUMBER}}},
    {NULL, 0, 0, {{NULL, 0, 0, END}}}};

enum { TEXT_ROOM = 65536 };

static const Class *class_of(lua_State *lua, int index, const char *what, const Class *classes)
{
    const char *names[32];
    guint count = 0;

    for (; classes[count].name; count++)
        names[count] = classes[count].name;
    names[count] = NULL;
    return &classes[fltvm_lua_choice(lua, what, luaL_checkstring(lua, index), names)];
}

static gboolean has_text(const Class *class)
{
    for (const Field *field = class->fields; field->kind != END; field++) {
        if (field->kind == TEXT)
            return TRUE;
    }
    return FALSE;
}

/* The value of one field, whatever the guest has said. */
static void push_field(lua_State *lua, const Field *field, const guint8 *bytes, gsize length)
{
    guint64 value = field->kind == TEXT ? 0 : fltvm_lua_get(bytes, length, field->offset, field->size);
    gsize size;

    switch (field->kind) {
    case NUMBER: lua_pushinteger(lua, (lua_Integer)value); break;
    case BOOLEAN: lua_pushboolean(lua, value != 0); break;
    case ATTRIBUTES: fltvm_lua_push_flags(lua, value, fltvm_lua_file_attributes); break;
    case BYTES:
        lua_pushlstring(lua, (const char *)bytes + MIN(field->offset, length),
                        MIN(field->size, length - MIN(field->offset, length)));
        break;
    default:
        size = fltvm_lua_get(bytes, length, field->size, 4);
        fltvm_lua_push_utf16(lua, bytes + MIN(field->offset, length), MIN(size, length - MIN(field->offset, length)));
    }
}

static void push_class(lua_State *lua, const Class *class, const guint8 *bytes, gsize length)
{
    lua_newtable(lua);
    for (const Field *field = class->fields; field->kind != END; field++) {
        push_field(lua, field, bytes, length);
        lua_setfield(lua, -2, field->name);
    }
}

static int ask_class(lua_State *lua, guint32 op, const Class *class, const char *what)
{
    struct fltvm_command command = {.op = op,
                                    .args = {0, class->number, class->length + (has_text(class) ? TEXT_ROOM : 0)}};
    gsize length;
    const char *bytes;

    lua_settop(lua, 2);
    fltvm_lua_perform(lua, &command, 3, NULL, 0, fltvm_lua_push_bytes, what);
    bytes = lua_tolstring(lua, -1, &length);
    push_class(lua, class, (const guint8 *)bytes, length);
    return 1;
}

/* file:information(class) -> table */
static int file_information(lua_State *lua)
{
    const Class *class = class_of(lua, 2, "file:information", file_classes);

    return ask_class(lua, FLTVM_COMMAND_QUERY, class, lua_pushfstring(lua, "asking for '%s'", class->name));
}

/* file:volume(class) -> table: of the volume that the file is on */
static int file_volume(lua_State *lua)
{
    const Class *class = class_of(lua, 2, "file:volume", volume_classes);

    return ask_class(lua, FLTVM_COMMAND_FS_QUERY, class,
                     lua_pushfstring(lua, "asking the volume for '%s'", class->name));
}

/* The bytes of a class, with the fields that the table at 3 has: the others are 0. */
static const char *push_settings(lua_State *lua, const Class *class, const char *what, gsize *length)
{
    FltvmLuaField known[G_N_ELEMENTS(class->fields) + 1] = {{NULL, 0}};
    GByteArray *bytes, *text = NULL;
    guint at = 0;
    guint64 values[G_N_ELEMENTS(class->fields)] = {0};

    for (const Field *field = class->fields; field->kind != END; field++)
        known[at++] = (FltvmLuaField){field->name, field->kind == BOOLEAN      ? FLTVM_LUA_BOOLEAN
                                                   : field->kind == ATTRIBUTES ? FLTVM_LUA_FLAGS
                                                   : field->kind == NUMBER     ? FLTVM_LUA_NUMBER
                                                                               : FLTVM_LUA_TEXT};
    luaL_checktype(lua, 3, LUA_TTABLE);
    fltvm_lua_check_fields(lua, 3, what, known);
    for (guint i = 0; i < at; i++) { /* errors come before there is anything to lose */
        const Field *field = &class->fields[i];

        if (field->kind == BOOLEAN)
            values[i] = fltvm_lua_boolean_field(lua, 3, field->name, FALSE);
        else if (field->kind == ATTRIBUTES)
            values[i] = fltvm_lua_flags_field(lua, 3, field->name, fltvm_lua_file_attributes, 0);
        else if (field->kind == NUMBER)
            values[i] = (guint64)fltvm_lua_integer_field(lua, 3, field->name, 0);
        else if (field->kind == TEXT && lua_getfield(lua, 3, field->name) != LUA_TNIL)
            text = fltvm_lua_utf16(lua, -1, field->name);
    }
    bytes = g_byte_array_new();
    fltvm_lua_put(bytes, class->length - 1, 1, 0);
    for (guint i = 0; i < at; i++) {
        if (class->fields[i].kind != TEXT) {
            fltvm_lua_put(bytes, class->fields[i].offset, class->fields[i].size, values[i]);
        } else if (text) {
            fltvm_lua_put(bytes, class->fields[i].size, 4, text->len);
            g_byte_array_set_size(bytes, class->fields[i].offset);
            g_byte_array_append(bytes, text->data, text->len);
        }
    }
    if (text)
        g_byte_array_unref(text);
    lua_pushlstring(lua, (const char *)bytes->data, bytes->len);
    *length = bytes->len;
    g_byte_array_unref(bytes);
    return lua_tostring(lua, -1);
}

static int set_class(lua_State *lua, guint32 op, const Class *class, const char *what)
{
    struct fltvm_command command = {.op = op, .args = {0, class->number}};
    const char *bytes;
    gsize length;

    lua_settop(lua, 4);
    bytes = push_settings(lua, class, what, &length);
    fltvm_lua_perform(lua, &command, 4, bytes, length, NULL, lua_pushfstring(lua, "setting '%s'", class->name));
    return 0;
}

/* file:set_information(class, table) */
static int file_set_information(lua_State *lua)
{
    return set_class(lua, FLTVM_COMMAND_SET, class_of(lua, 2, "file:set_information", file_classes),
                     "file:set_information");
}

/* file:set_volume(class, table) */
static int file_set_volume(lua_State *lua)
{
    return set_class(lua, FLTVM_COMMAND_FS_SET, class_of(lua, 2, "file:set_volume", volume_classes), "file:set_volume");
}

void fltvm_lua_open_information(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"information", file_information},
                                       {"set_information", file_set_information},
                                       {"volume", file_volume},
                                       {"set_volume", file_set_volume},
                                       {NULL, NULL}};

    fltvm_lua_add_file_methods(lua, methods);
}
