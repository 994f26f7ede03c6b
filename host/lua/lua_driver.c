/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers in Lua: machine:load{...} and what can be done to a loaded driver.
 *
 * Loading writes the service's registry keys as an INF file has them or would have them, then has DriverEntry run on a
 * thread of its own, so that one that does not return is found by its time-out.
 */
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_driver.h"
#include "lua_fltctl.h"
#include "lua_image.h"
#include "lua_inf.h"
#include "lua_order.h"
#include "lua_show.h"
#include "lua_unwind.h"
#include "paths.h"
#include "vocabulary.h"

#define DRIVER_TYPE "fltvm.driver"

#define STATUS_DRIVER_ORDINAL_NOT_FOUND_    0xC0000262u
#define STATUS_DRIVER_ENTRYPOINT_NOT_FOUND_ 0xC0000263u

typedef struct {
    FltvmMachine *machine;
    char name[64];  /* the service's */
    char file[256]; /* the image's */
    gboolean is_filter;
    gboolean loaded;
} Driver;

/* What of an INF file a driver is loaded by. */
typedef struct {
    FltvmInf *inf; /* NULL: by none */
    FltvmInfService *service;
    const char *image; /* beside it; NULL: there is none */
} ByInf;

/* --- the image ----------------------------------------------------------------------------------------- */

/* The service's name, and the image's: the INF's, or what `name` or the first file says. */
static gboolean name_driver(Driver *driver, const ByInf *by, const char *wanted, const char *first, GError **error)
{
    g_autofree char *base = g_path_get_basename(first);
    char *dot = strrchr(base, '.');
    const char *name = wanted ? wanted : base;

    if (dot)
        *dot = '\0';
    if (by->inf)
        name = by->service->name;
    if (g_strlcpy(driver->name, name, sizeof(driver->name)) >= sizeof(driver->name) || !*name || strpbrk(name, "\\/")) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    "load: '%s' is no name for a driver: 1 to %u bytes without slashes (say name = …)", name,
                    (guint)sizeof(driver->name) - 1);
        return FALSE;
    }
    if (!by->inf)
        g_snprintf(driver->file, sizeof(driver->file), "%s.sys", name);
    else if (g_strlcpy(driver->file, by->service->file, sizeof(driver->file)) >= sizeof(driver->file)) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE, "load: '%s' is too long for a file's name",
                    by->service->file);
        return FALSE;
    }
    return TRUE;
}

/* Find the image that the table at `index` means, compile it if need be; its bytes are pushed. */
static gboolean prepare_image(lua_State *lua, int index, const ByInf *by, Driver *driver, GError **error)
{
    g_auto(FltvmLuaImage) image = {0};
    const char *wanted = fltvm_lua_string_field(lua, index, "name", NULL);

    fltvm_lua_image_read(lua, index, by->image, &image);
    if (by->inf && !image.first) {
        g_set_error(error, FLTVM_ERROR, FLTVM_ERROR_USAGE,
                    "%s:%u: the image '%s' is not beside it (give image or source)", by->inf->name, by->service->line,
                    by->service->file);
        return FALSE;
    }
    return fltvm_lua_image_check(&image, "load", by->inf != NULL, error) &&
           name_driver(driver, by, wanted, image.first, error) &&
           fltvm_lua_image_push(lua, driver->machine, &image, driver->file, NULL, error);
}

/* --- loading ------------------------------------------------------------------------------------------- */

/* One instance's key: the text is its altitude. */
static void write_instance(lua_State *lua, FltvmMachine *machine, const char *service, const char *instance,
                           const char *altitude, guint32 flags)
{
    lua_pushfstring(lua, "%s\\Instances\\%s", service, instance);
    fltvm_lua_set_text(lua, machine, lua_tostring(lua, -1), "Altitude", altitude);
    fltvm_lua_set_number(lua, machine, lua_tostring(lua, -1), "Flags", flags);
    lua_pop(lua, 1);
}

/*
 * instances = { ["name"] = "altitude" or {altitude=, flags=}, ... }; the first by name is the default if none is
 * named.
 */
static void write_instance_table(lua_State *lua, FltvmMachine *machine, const char *service, const char *chosen)
{
    static const FltvmLuaField known[] = {{"altitude", FLTVM_LUA_TEXT}, {"flags", FLTVM_LUA_NUMBER}, {NULL, 0}};
    int table = lua_gettop(lua);
    lua_Integer count = fltvm_lua_push_keys(lua, table, TRUE);
    gboolean there = FALSE;

    for (lua_Integer i = 1; i <= count; i++) {
        const char *name, *altitude;
        guint32 flags = 0;
        int type;
        if (lua_rawgeti(lua, table + 1, i) != LUA_TSTRING)
            luaL_error(lua, "instances: a name is wanted as key: { [\"NAME\"] = \"ALTITUDE\" }");
        name = lua_tostring(lua, -1);
        lua_pushvalue(lua, -1);
        type = lua_rawget(lua, table);
        if (type != LUA_TSTRING && type != LUA_TTABLE)
            luaL_error(lua, "instances: '%s' is a %s, neither an altitude nor a table", name, lua_typename(lua, type));
        if (type == LUA_TTABLE) {
            fltvm_lua_check_fields(lua, -1, name, known);
            flags = fltvm_lua_u32_field(lua, lua_gettop(lua), "flags", 0);
            altitude = fltvm_lua_string_field(lua, lua_gettop(lua), "altitude", NULL);
            if (!altitude)
                luaL_error(lua, "instances: '%s' has no altitude", name);
        } else {
            altitude = lua_tostring(lua, -1);
        }
        write_instance(lua, machine, service, name, altitude, flags);
        chosen = chosen ? chosen : name;
        there = there || strcmp(chosen, name) == 0;
        lua_pop(lua, 2);
    }
    if (!count)
        luaL_error(lua, "instances: there is none in the table");
    if (!there)
        luaL_error(lua, "default_instance: '%s' is none of the instances", chosen);
    lua_pushfstring(lua, "%s\\Instances", service);
    fltvm_lua_set_text(lua, machine, lua_tostring(lua, -1), "DefaultInstance", chosen);
}

/* One instance by its altitude, or those of a table. */
static void write_instances(lua_State *lua, int index, FltvmMachine *machine, const char *service, const char *name)
{
    const char *altitude = fltvm_lua_string_field(lua, index, "altitude", NULL);
    const char *chosen = fltvm_lua_string_field(lua, index, "default_instance", NULL);

    if (fltvm_lua_field(lua, index, "instances", LUA_TTABLE)) {
        if (altitude)
            luaL_error(lua, "machine:load: give one of altitude and instances");
        write_instance_table(lua, machine, service, chosen);
        return;
    }
    if (chosen)
        luaL_error(lua, "machine:load: default_instance is for instances");
    chosen = lua_pushfstring(lua, "%s Instance", name);
    write_instance(lua, machine, service, chosen, altitude, 0);
    lua_pushfstring(lua, "%s\\Instances", service);
    fltvm_lua_set_text(lua, machine, lua_tostring(lua, -1), "DefaultInstance", chosen);
}

static void write_service(lua_State *lua, int index, FltvmMachine *machine, const char *name, gboolean is_filter)
{
    const char *service = lua_pushfstring(lua, "%s%s", FLTVM_LUA_SERVICES, name);

    fltvm_lua_set_number(lua, machine, service, "Type", is_filter ? 2 : 1);
    fltvm_lua_set_number(lua, machine, service, "Start", 3);
    fltvm_lua_set_number(lua, machine, service, "ErrorControl", 1);
    fltvm_lua_set_text(lua, machine, service, "ImagePath",
                       lua_pushfstring(lua, "\\SystemRoot\\System32\\drivers\\%s.sys", name));
    if (is_filter) {
        fltvm_lua_set_text(lua, machine, service, "Group", "FSFilter Activity Monitor");
        write_instances(lua, index, machine, service, name);
    }
}

/* What is to be said of a refusal: the loader's reason, and of a routine that is not there where to look. */
static const char *push_refusal(lua_State *lua, const char *file, guint32 status, const char *reason)
{
    gboolean missing = status == STATUS_DRIVER_ENTRYPOINT_NOT_FOUND_ || status == STATUS_DRIVER_ORDINAL_NOT_FOUND_;
    g_autofree char *build = fltvm_path_build();
    g_autofree char *list = g_build_filename(build, "docs/ddi-status.md", NULL);

    lua_pushfstring(lua, "loading %s%s%s%s%s%s", file, *reason ? ": " : "", reason,
                    missing ? " (not built in fltvm, or no such routine: " : "", missing ? list : "",
                    missing ? " lists what there is)" : "");
    return lua_tostring(lua, -1);
}

/* The staged image; a refusal carries the loader's reason, such as the imports that are missing. */
static void load_image(lua_State *lua, FltvmMachine *machine, struct fltvm_command *command, const char *file)
{
    FltvmResult result = {0};
    guint32 status;
    gsize length;
    const char *reason;

    fltvm_lua_command(lua, machine, command, NULL, 0, lua_pushfstring(lua, "loading %s (DriverEntry)", file), TRUE,
                      &result);
    status = (guint32)result.header.status;
    reason = g_bytes_get_data(result.data, &length);
    lua_pushlstring(lua, reason ? reason : "", length);
    fltvm_result_clear(&result);
    if (status == FLTVM_LUA_STATUS_TIMEOUT)
        fltvm_lua_raise_timeout(lua, machine, lua_tostring(lua, -2), command->timeout_ns);
    if (status >> 31)
        fltvm_lua_raise_status(lua, status, push_refusal(lua, file, status, lua_tostring(lua, -1)));
    lua_pop(lua, 2);
}

/* inf =, with service =: what is read is pushed, with or without one. */
static void read_inf(lua_State *lua, int index, ByInf *by)
{
    static const char *const said[] = {"name", "altitude", "instances", "default_instance"};
    const char *path = fltvm_lua_string_field(lua, index, "inf", NULL);
    const char *wanted = fltvm_lua_string_field(lua, index, "service", NULL);

    if (!path) {
        if (wanted)
            luaL_error(lua, "machine:load: service is for inf");
        lua_pushnil(lua);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(said); i++) {
        if (lua_getfield(lua, index, said[i]) != LUA_TNIL)
            luaL_error(lua, "machine:load: with inf, the file says %s", said[i]);
        lua_pop(lua, 1);
    }
    {
        g_autofree char *full = fltvm_lua_path(lua, path);
        lua_pushstring(lua, full);
    }
    by->inf = fltvm_lua_read_inf(lua, lua_tostring(lua, -1), wanted, &by->service, &by->image);
    lua_remove(lua, -2);
}

/*
 * machine:load{source= or image=, inf=, service=, name=, altitude= or instances=, default_instance=, flags=,
 * timeout=} -> driver
 */
static int machine_load(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"source", FLTVM_LUA_TEXT | FLTVM_LUA_TABLE},
                                          {"image", FLTVM_LUA_TEXT | FLTVM_LUA_TABLE},
                                          {"inf", FLTVM_LUA_TEXT},
                                          {"service", FLTVM_LUA_TEXT},
                                          {"name", FLTVM_LUA_TEXT},
                                          {"altitude", FLTVM_LUA_TEXT},
                                          {"instances", FLTVM_LUA_TABLE},
                                          {"default_instance", FLTVM_LUA_TEXT},
                                          {"flags", FLTVM_LUA_TEXT | FLTVM_LUA_TABLE},
                                          {"timeout", FLTVM_LUA_NUMBER},
                                          {NULL, 0}};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    struct fltvm_command command = {.op = FLTVM_COMMAND_DRIVER_LOAD, .thread = FLTVM_COMMAND_THREAD_NEW};
    GError *error = NULL;
    ByInf by = {0};
    luaL_Buffer buffer;
    const char *bytes;
    gsize length;
    Driver *driver;

    luaL_checktype(lua, 2, LUA_TTABLE);
    lua_settop(lua, 2);
    fltvm_lua_check_fields(lua, 2, "machine:load", known);
    driver = fltvm_lua_new(lua, sizeof(*driver), DRIVER_TYPE);
    driver->machine = machine;
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, 3, 1);
    read_inf(lua, 2, &by);
    if (!prepare_image(lua, 2, &by, driver, &error))
        fltvm_lua_raise(lua, error);
    driver->is_filter =
        by.inf ? fltvm_lua_inf_has_instances(by.inf, by.service)
               : lua_getfield(lua, 2, "altitude") != LUA_TNIL || lua_getfield(lua, 2, "instances") != LUA_TNIL;
    lua_settop(lua, 5);
    if (by.inf)
        fltvm_lua_install_inf(lua, machine, by.inf);
    else
        write_service(lua, 2, machine, driver->name, driver->is_filter);
    command.timeout_ns = fltvm_lua_timeout(lua, 2);
    bytes = lua_tolstring(lua, 5, &length);
    luaL_buffinit(lua, &buffer);
    luaL_addlstring(&buffer, driver->name, strlen(driver->name) + 1);
    luaL_addlstring(&buffer, bytes, length);
    luaL_pushresult(&buffer);
    bytes = lua_tolstring(lua, -1, &length);
    fltvm_lua_stage(lua, machine, bytes, length);
    command.flags = FLTVM_COMMAND_FLAG_INPUT;
    load_image(lua, machine, &command, driver->file);
    driver->loaded = TRUE;
    lua_settop(lua, 3);
    fltvm_lua_opened(lua, "unload");
    return 1;
}

/*
 * driver:unload{mandatory=, timeout=}: a minifilter as fltmc unloads it, which it may refuse unless `mandatory`;
 * another driver by its service
 */
static int driver_unload(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"mandatory", FLTVM_LUA_BOOLEAN}, {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
    Driver *driver = luaL_checkudata(lua, 1, DRIVER_TYPE);
    struct fltvm_command command = {.op = FLTVM_COMMAND_DRIVER_UNLOAD, .thread = FLTVM_COMMAND_THREAD_NEW};
    FltvmResult result = {0};
    const char *path;

    lua_settop(lua, 2);
    fltvm_lua_check_fields(lua, 2, "driver:unload", known);
    if (driver->is_filter) {
        lua_getiuservalue(lua, 1, 1);
        fltvm_lua_unload_filter(lua, 3, driver->name, 2);
        driver->loaded = FALSE;
        return 0;
    }
    path = lua_pushfstring(lua, "%s%s", FLTVM_LUA_SERVICES, driver->name);

    command.timeout_ns = fltvm_lua_timeout(lua, 2);
    fltvm_lua_command(lua, driver->machine, &command, path, strlen(path) + 1,
                      lua_pushfstring(lua, "unloading %s", driver->file), FALSE, &result);
    fltvm_result_clear(&result);
    driver->loaded = FALSE;
    return 0;
}

gboolean fltvm_lua_is_loaded(lua_State *lua, const FltvmMachine *machine)
{
    const Driver *driver = luaL_testudata(lua, -1, DRIVER_TYPE);

    return driver && driver->loaded && driver->machine == machine;
}

const char *fltvm_lua_filter_name(lua_State *lua, const FltvmMachine *machine)
{
    const Driver *driver = luaL_testudata(lua, -1, DRIVER_TYPE);

    return fltvm_lua_is_loaded(lua, machine) && driver->is_filter ? driver->name : NULL;
}

gboolean fltvm_lua_unload_command(lua_State *lua, const FltvmMachine *machine, struct fltvm_command *command)
{
    const Driver *driver = luaL_testudata(lua, -1, DRIVER_TYPE);

    if (!fltvm_lua_is_loaded(lua, machine))
        return FALSE;
    if (driver->is_filter) {
        lua_getiuservalue(lua, -1, 1);
        fltvm_lua_unload_filter_command(lua, lua_gettop(lua), driver->name, command);
        lua_remove(lua, -2);
        return TRUE;
    }
    *command = (struct fltvm_command){.op = FLTVM_COMMAND_DRIVER_UNLOAD};
    lua_pushfstring(lua, "%s%s", FLTVM_LUA_SERVICES, driver->name);
    lua_pushlstring(lua, lua_tostring(lua, -1), lua_rawlen(lua, -1) + 1);
    lua_remove(lua, -2);
    return TRUE;
}

static int driver_name(lua_State *lua)
{
    Driver *driver = luaL_checkudata(lua, 1, DRIVER_TYPE);

    lua_pushstring(lua, driver->name);
    return 1;
}

void fltvm_lua_open_driver(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"unload", driver_unload}, {"name", driver_name}, {NULL, NULL}};
    static const luaL_Reg on_machine[] = {{"load", machine_load}, {NULL, NULL}};

    luaL_newmetatable(lua, DRIVER_TYPE);
    luaL_setfuncs(lua, methods, 0);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -2, "__index");
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    luaL_setfuncs(lua, on_machine, 0);
    lua_pop(lua, 2);
}
