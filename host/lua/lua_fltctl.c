/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter manager in Lua, as fltmc shows it: filters, instances, volumes and counters, attach, detach, unload.
 * All of it is one control of its device each (abi/fltctl.h).
 */
#include "lua_fltctl.h"

#include <lauxlib.h>
#include <string.h>

#include "lua_machine.h"
#include "abi/fltctl.h"
#include "vocabulary.h"

/* Room for a list; one that does not fit (STATUS_BUFFER_OVERFLOW) is asked for again, with more. */
#define LIST_ROOM              0xF000u /* bytes, at first */
#define STATUS_BUFFER_OVERFLOW 0x80000005u

/* The filter manager's device, opened once a machine; asynchronously, so that controls do not wait for each other. */
static guint64 device(lua_State *lua, int index, FltvmMachine *machine)
{
    guint64 handle;

    lua_getiuservalue(lua, index, 1);
    if (lua_getfield(lua, -1, "fltctl") == LUA_TNUMBER) {
        handle = (guint64)lua_tointeger(lua, -1);
        lua_pop(lua, 2);
        return handle;
    }
    handle = fltvm_lua_open_device(lua, machine, FLTVM_FLTCTL_DEVICE, 0);
    lua_pushinteger(lua, (lua_Integer)handle);
    lua_setfield(lua, -3, "fltctl");
    lua_pop(lua, 2);
    return handle;
}

/* One control; the machine is at `index` of the stack. */
static void send_control(lua_State *lua, int index, guint32 code, const struct fltvm_fltctl_request *request,
                         gsize output, const char *what, guint64 timeout, gboolean may_fail, FltvmResult *result)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, index);
    gsize length = request ? sizeof(*request) : 0;
    struct fltvm_command command = {.op = FLTVM_COMMAND_IOCTL, .thread = FLTVM_COMMAND_THREAD_NEW};

    command.args[0] = device(lua, index, machine);
    command.args[1] = code;
    command.args[2] = length;
    command.args[3] = output;
    command.timeout_ns = timeout;
    fltvm_lua_command(lua, machine, &command, request, length, what, may_fail, result);
}

/* One that must succeed. */
static void control(lua_State *lua, int index, guint32 code, const struct fltvm_fltctl_request *request, gsize output,
                    const char *what, guint64 timeout, FltvmResult *result)
{
    send_control(lua, index, code, request, output, what, timeout, FALSE, result);
}

/* A whole list of the machine at index 1, however long it is. */
static GBytes *list(lua_State *lua, guint32 code, const char *what)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    guint64 memory = fltvm_machine_config(machine)->memory, timeout = fltvm_lua_timeout(lua, 0);

    for (gsize room = LIST_ROOM;; room *= 4) {
        FltvmResult result = {0};
        guint32 status;
        GBytes *bytes;

        send_control(lua, 1, code, NULL, room, what, timeout, TRUE, &result);
        status = (guint32)result.header.status;
        if (status == FLTVM_LUA_STATUS_TIMEOUT) {
            fltvm_result_clear(&result);
            fltvm_lua_raise_timeout(lua, machine, what, timeout);
        }
        bytes = fltvm_lua_output(lua, machine, &result);
        if (!(status >> 31))
            return bytes;
        g_bytes_unref(bytes);
        if (status != STATUS_BUFFER_OVERFLOW || room > memory)
            fltvm_lua_raise_status(lua, status, what);
    }
}

static void set_name(lua_State *lua, uint16_t name[FLTVM_FLTCTL_NAME_MAX], const char *text, const char *what)
{
    glong length = 0;
    gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &length, NULL);
    gboolean fits = wide && length < FLTVM_FLTCTL_NAME_MAX;

    if (fits)
        memcpy(name, wide, (gsize)length * sizeof(*name));
    g_free(wide);
    if (!fits)
        luaL_error(lua, "%s: '%s' is too long or not UTF-8", what, text);
}

static void push_name(lua_State *lua, const uint16_t name[FLTVM_FLTCTL_NAME_MAX])
{
    char *text = g_utf16_to_utf8(name, FLTVM_FLTCTL_NAME_MAX, NULL, NULL, NULL);

    lua_pushstring(lua, text ? text : "?");
    g_free(text);
}

static void set_integer(lua_State *lua, const char *field, guint64 value)
{
    lua_pushinteger(lua, (lua_Integer)value);
    lua_setfield(lua, -2, field);
}

static void set_text(lua_State *lua, const char *field, const uint16_t name[FLTVM_FLTCTL_NAME_MAX])
{
    push_name(lua, name);
    lua_setfield(lua, -2, field);
}

/* --- lists --------------------------------------------------------------------------------------------- */

static void push_filter(lua_State *lua, const guint8 *bytes)
{
    struct fltvm_fltctl_filter filter;

    memcpy(&filter, bytes, sizeof(filter));
    set_text(lua, "name", filter.name);
    set_text(lua, "altitude", filter.altitude);
    set_integer(lua, "instances", filter.instances);
    lua_pushboolean(lua, filter.started != 0);
    lua_setfield(lua, -2, "started");
}

static void push_instance(lua_State *lua, const guint8 *bytes)
{
    struct fltvm_fltctl_instance instance;

    memcpy(&instance, bytes, sizeof(instance));
    set_text(lua, "filter", instance.filter);
    set_text(lua, "volume", instance.volume);
    set_text(lua, "name", instance.instance);
    set_text(lua, "altitude", instance.altitude);
    set_integer(lua, "operations", instance.operations);
}

static void push_volume(lua_State *lua, const guint8 *bytes)
{
    struct fltvm_fltctl_volume volume;

    memcpy(&volume, bytes, sizeof(volume));
    set_text(lua, "name", volume.name);
    set_integer(lua, "instances", volume.instances);
    set_integer(lua, "file_system", volume.file_system);
}

static void push_port(lua_State *lua, const guint8 *bytes)
{
    struct fltvm_fltctl_port port;

    memcpy(&port, bytes, sizeof(port));
    set_text(lua, "name", port.name);
    set_text(lua, "filter", port.filter);
    set_integer(lua, "connections", port.connections);
    set_integer(lua, "limit", port.limit);
}

static int push_list(lua_State *lua, guint32 code, gsize size, void (*push)(lua_State *, const guint8 *),
                     const char *what)
{
    GBytes *bytes = list(lua, code, what);
    gsize length;
    const char *data = g_bytes_get_data(bytes, &length);

    lua_pushlstring(lua, data, length); /* Lua's from here on, also when it runs out of memory */
    g_bytes_unref(bytes);
    data = lua_tostring(lua, -1);
    lua_createtable(lua, (int)(length / size), 0);
    for (gsize i = 0; (i + 1) * size <= length; i++) {
        lua_newtable(lua);
        push(lua, (const guint8 *)data + i * size);
        lua_seti(lua, -2, (lua_Integer)i + 1);
    }
    lua_remove(lua, -2);
    return 1;
}

static int machine_filters(lua_State *lua)
{
    return push_list(lua, FLTVM_FLTCTL_FILTERS, sizeof(struct fltvm_fltctl_filter), push_filter, "filters");
}

static int machine_instances(lua_State *lua)
{
    return push_list(lua, FLTVM_FLTCTL_INSTANCES, sizeof(struct fltvm_fltctl_instance), push_instance, "instances");
}

static int machine_volumes(lua_State *lua)
{
    return push_list(lua, FLTVM_FLTCTL_VOLUMES, sizeof(struct fltvm_fltctl_volume), push_volume, "volumes");
}

static int machine_ports(lua_State *lua)
{
    return push_list(lua, FLTVM_FLTCTL_PORTS, sizeof(struct fltvm_fltctl_port), push_port, "ports");
}

/* The list at `index` as lines of columns, each a field and its width. */
static void append_list(lua_State *lua, int index, GString *text, const char *title, const char *const *fields,
                        const int *widths)
{
    lua_Integer count = luaL_len(lua, index);

    g_string_append_printf(text, "%s: %d\n", title, (int)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(lua, index, i);
        g_string_append_c(text, ' ');
        for (gsize field = 0; fields[field]; field++) {
            lua_getfield(lua, -1, fields[field]);
            g_string_append_printf(text, " %*s", widths[field], luaL_tolstring(lua, -1, NULL));
            lua_pop(lua, 2);
        }
        g_string_append_c(text, '\n');
        lua_pop(lua, 1);
    }
}

/* machine:fltmc() -> text: filters, instances, volumes and ports, as one reads them. */
static int machine_fltmc(lua_State *lua)
{
    static const struct {
        int (*list)(lua_State *lua);
        const char *title;
        const char *fields[6];
        int widths[6];
    } parts[] = {
        {machine_filters, "filters", {"name", "altitude", "instances", NULL}, {-20, -12, 3}},
        {machine_instances,
         "instances",
         {"filter", "altitude", "volume", "name", "operations", NULL},
         {-20, -12, -28, -24, 8}},
        {machine_volumes, "volumes", {"name", "instances", NULL}, {-28, 3}},
        {machine_ports, "ports", {"name", "filter", "connections", "limit", NULL}, {-24, -20, 3, 6}},
    };
    GString *text;
    int first;

    lua_settop(lua, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        parts[i].list(lua); /* what fails, fails here */
    first = lua_gettop(lua) - (int)G_N_ELEMENTS(parts) + 1;
    text = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        append_list(lua, first + (int)i, text, parts[i].title, parts[i].fields, parts[i].widths);
    lua_pushlstring(lua, text->str, text->len);
    g_string_free(text, TRUE);
    return 1;
}

/* machine:work_items() -> {allocated=, queued=, running=, total=, run=, deferred=, operations=, all_operations=} */
static int machine_work_items(lua_State *lua)
{
    struct fltvm_fltctl_counters counters = {0};
    FltvmResult result = {0};

    control(lua, 1, FLTVM_FLTCTL_COUNTERS, NULL, sizeof(counters), "work_items", fltvm_lua_timeout(lua, 0), &result);
    fltvm_lua_record(lua, &result, "work_items", &counters, sizeof(counters), sizeof(counters));
    lua_newtable(lua);
    set_integer(lua, "allocated", counters.work_items_allocated);
    set_integer(lua, "queued", counters.work_items_queued);
    set_integer(lua, "running", counters.work_items_running);
    set_integer(lua, "total", counters.work_items_total);
    set_integer(lua, "run", counters.work_items_run);
    set_integer(lua, "deferred", counters.deferred_allocated);
    set_integer(lua, "operations", counters.operations_active);
    set_integer(lua, "all_operations", counters.operations_total);
    return 1;
}

/* --- changes ------------------------------------------------------------------------------------------- */

/* The command of a request, whose bytes are pushed. */
static void push_command(lua_State *lua, int index, guint32 code, const struct fltvm_fltctl_request *request,
                         struct fltvm_command *command)
{
    *command = (struct fltvm_command){.op = FLTVM_COMMAND_IOCTL};
    command->args[0] = device(lua, index, fltvm_lua_machine(lua, index));
    command->args[1] = code;
    command->args[2] = sizeof(*request);
    lua_pushlstring(lua, (const char *)request, sizeof(*request));
}

void fltvm_lua_unload_filter_command(lua_State *lua, int machine, const char *filter, struct fltvm_command *command)
{
    struct fltvm_fltctl_request request = {0};

    set_name(lua, request.filter, filter, "filter");
    push_command(lua, machine, FLTVM_FLTCTL_UNLOAD, &request, command);
}

void fltvm_lua_detach_command(lua_State *lua, int machine, const char *filter, const char *volume, const char *instance,
                              struct fltvm_command *command)
{
    struct fltvm_fltctl_request request = {0};

    set_name(lua, request.filter, filter, "filter");
    set_name(lua, request.volume, volume, "volume");
    set_name(lua, request.instance, instance, "instance");
    push_command(lua, machine, FLTVM_FLTCTL_DETACH, &request, command);
}

void fltvm_lua_unload_filter(lua_State *lua, int machine, const char *filter, int options)
{
    struct fltvm_fltctl_request request = {0};
    guint64 timeout = fltvm_lua_timeout(lua, options);
    FltvmResult result = {0};

    if (fltvm_lua_boolean_field(lua, options, "mandatory", FALSE))
        request.flags = FLTVM_FLTCTL_MANDATORY;
    set_name(lua, request.filter, filter, "filter");
    control(lua, machine, FLTVM_FLTCTL_UNLOAD, &request, 0, lua_pushfstring(lua, "unloading %s", filter), timeout,
            &result);
    fltvm_result_clear(&result);
    lua_pop(lua, 1);
}

/* attach{filter=, volume=, instance=, altitude=} and detach{filter=, volume=, instance=} */
static int change(lua_State *lua, guint32 code, const char *what)
{
    static const FltvmLuaField known[] = {{"altitude", FLTVM_LUA_TEXT},  {"filter", FLTVM_LUA_TEXT},
                                          {"volume", FLTVM_LUA_TEXT},    {"instance", FLTVM_LUA_TEXT},
                                          {"timeout", FLTVM_LUA_NUMBER}, {NULL, 0}};
    struct fltvm_fltctl_request request = {0};
    FltvmResult result = {0};
    const struct {
        const char *field;
        uint16_t *name;
        gboolean needed;
    } parts[] = {{"filter", request.filter, TRUE},
                 {"volume", request.volume, TRUE},
                 {"instance", request.instance, FALSE},
                 {"altitude", request.altitude, FALSE}};

    luaL_checktype(lua, 2, LUA_TTABLE);
    fltvm_lua_check_fields(lua, 2, what, code == FLTVM_FLTCTL_ATTACH ? known : known + 1);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *text = fltvm_lua_string_field(lua, 2, parts[i].field, NULL);
        if (text)
            set_name(lua, parts[i].name, text, parts[i].field);
        else if (parts[i].needed)
            luaL_error(lua, "%s: %s is missing", what, parts[i].field);
    }
    control(lua, 1, code, &request, 0, what, fltvm_lua_timeout(lua, 2), &result);
    fltvm_result_clear(&result);
    return 0;
}

static int machine_attach(lua_State *lua)
{
    return change(lua, FLTVM_FLTCTL_ATTACH, "machine:attach");
}

static int machine_detach(lua_State *lua)
{
    return change(lua, FLTVM_FLTCTL_DETACH, "machine:detach");
}

void fltvm_lua_open_fltctl(lua_State *lua)
{
    static const luaL_Reg on_machine[] = {
        {"filters", machine_filters}, {"instances", machine_instances}, {"volumes", machine_volumes},
        {"ports", machine_ports},     {"fltmc", machine_fltmc},         {"work_items", machine_work_items},
        {"attach", machine_attach},   {"detach", machine_detach},       {NULL, NULL}};

    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    luaL_setfuncs(lua, on_machine, 0);
    lua_pop(lua, 1);
}
