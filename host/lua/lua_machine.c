/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines in Lua: fltvm.machine{...}, the global `machine`, and what concerns a machine as a whole.
 */
#include "lua_machine.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_order.h"
#include "recipe.h"
#include "lua_show.h"
#include "lua_step.h"
#include "names.h"
#include "nearest.h"
#include "vocabulary.h"

#define DEFAULT_TIMEOUT_MS 10000.0

FltvmMachine *fltvm_lua_machine(lua_State *lua, int index)
{
    return *(FltvmMachine **)luaL_checkudata(lua, index, FLTVM_LUA_MACHINE);
}

guint64 fltvm_lua_timeout(lua_State *lua, int index)
{
    return fltvm_lua_nanoseconds(lua, fltvm_lua_number_field(lua, index, "timeout", DEFAULT_TIMEOUT_MS), "timeout");
}

/* --- commands ------------------------------------------------------------------------------------------ */

void fltvm_lua_stage(lua_State *lua, FltvmMachine *machine, gconstpointer data, gsize length)
{
    gsize offset = 0;

    do {
        struct fltvm_command command = {.op = FLTVM_COMMAND_STAGE, .args = {length, offset}};
        gsize count = MIN(length - offset, FLTVM_COMMAND_DATA_MAX);
        FltvmResult result = {0};
        fltvm_lua_command(lua, machine, &command, (const guint8 *)data + offset, count, "staging input", FALSE,
                          &result);
        fltvm_result_clear(&result);
        offset += count;
    } while (offset < length);
}

/* Tell which operation timed out, with the stacks that came with it. */
void fltvm_lua_raise_timeout(lua_State *lua, FltvmMachine *machine, const char *what, guint64 timeout_ns)
{
    FltvmHang *hang = &fltvm_lua_scenario(lua)->hang;
    const char *stacks = fltvm_machine_stacks(machine);

    fltvm_hang_clear(hang);
    hang->machine = machine;
    hang->operation = g_strdup(what);
    hang->timeout_ns = timeout_ns;
    hang->stacks = g_strdup(stacks ? stacks : "");
    lua_pushfstring(lua, "%s: not done after %f ms of the guest's time\n%s%s", what, (lua_Number)timeout_ns / 1e6,
                    stacks ? "stacks of all threads:\n" : "", hang->stacks);
    fltvm_lua_raise(lua, g_error_new_literal(FLTVM_ERROR, FLTVM_ERROR_HOST, lua_tostring(lua, -1)));
}

void fltvm_lua_command(lua_State *lua, FltvmMachine *machine, struct fltvm_command *command, gconstpointer data,
                       gsize length, const char *what, gboolean may_fail, FltvmResult *result)
{
    GError *error = NULL;

    fltvm_lua_step(lua, machine, command);
    if (length > FLTVM_COMMAND_DATA_MAX) {
        fltvm_lua_stage(lua, machine, data, length);
        command->flags |= FLTVM_COMMAND_FLAG_INPUT;
        length = 0;
    }
    if (!fltvm_machine_command(machine, command, data, length, result, &error))
        fltvm_lua_raise(lua, error);
    if (result->header.status == FLTVM_LUA_STATUS_TIMEOUT && command->timeout_ns && !may_fail) {
        fltvm_result_clear(result);
        fltvm_lua_raise_timeout(lua, machine, what, command->timeout_ns);
    }
    if (result->header.status < 0 && !may_fail) {
        guint32 status = (guint32)result->header.status;
        fltvm_result_clear(result);
        fltvm_lua_raise_status(lua, status, what);
    }
}

void fltvm_lua_record(lua_State *lua, FltvmResult *result, const char *what, gpointer record, gsize least, gsize size)
{
    gsize length;
    const void *data = g_bytes_get_data(result->data, &length);
    gboolean right = least <= length && length <= size;

    if (right)
        memcpy(record, data, length);
    fltvm_result_clear(result);
    if (!right)
        fltvm_lua_raise(lua, g_error_new(FLTVM_ERROR, FLTVM_ERROR_HOST,
                                         "link: %s: the guest answered %" G_GSIZE_FORMAT " bytes of %" G_GSIZE_FORMAT,
                                         what, length, size));
}

GBytes *fltvm_lua_output(lua_State *lua, FltvmMachine *machine, FltvmResult *result)
{
    guint64 total = result->header.values[1];
    guint32 operation = result->header.operation;
    GByteArray *bytes;

    if (!operation || result->header.length >= total) {
        GBytes *data = g_steal_pointer(&result->data);
        if (operation) {
            struct fltvm_command release = {.op = FLTVM_COMMAND_RELEASE, .args = {operation}};
            fltvm_lua_command(lua, machine, &release, NULL, 0, "releasing an operation", FALSE, result);
            fltvm_result_clear(result);
        }
        return data;
    }
    /* It lies in the guest's memory: a guest that announces more is forged. */
    if (total > fltvm_machine_config(machine)->memory) {
        fltvm_result_clear(result);
        fltvm_lua_raise(
            lua, g_error_new(FLTVM_ERROR, FLTVM_ERROR_HOST, "link: a result of %" G_GUINT64_FORMAT " bytes", total));
    }
    bytes = g_bytes_unref_to_array(g_steal_pointer(&result->data));
    while (bytes->len < total) {
        struct fltvm_command fetch = {.op = FLTVM_COMMAND_FETCH, .args = {operation, bytes->len}};
        gsize count;
        const guint8 *part;
        fltvm_lua_command(lua, machine, &fetch, NULL, 0, "fetching output", FALSE, result);
        part = g_bytes_get_data(result->data, &count);
        if (!count)
            break;
        g_byte_array_append(bytes, part, (guint)count);
        fltvm_result_clear(result);
    }
    fltvm_result_clear(result);
    {
        struct fltvm_command release = {.op = FLTVM_COMMAND_RELEASE, .args = {operation}};
        fltvm_lua_command(lua, machine, &release, NULL, 0, "releasing an operation", FALSE, result);
        fltvm_result_clear(result);
    }
    return g_byte_array_free_to_bytes(bytes);
}

/* --- making -------------------------------------------------------------------------------------------- */

/* A property value for QEMU: numbers and booleans as it spells them. */
static char *property_text(lua_State *lua, int index, const char *name)
{
    if (lua_type(lua, index) == LUA_TBOOLEAN)
        return g_strdup(lua_toboolean(lua, index) ? "on" : "off");
    if (lua_isinteger(lua, index))
        return g_strdup_printf("%" G_GINT64_FORMAT, (gint64)lua_tointeger(lua, index));
    if (lua_type(lua, index) != LUA_TSTRING || strchr(lua_tostring(lua, index), ','))
        luaL_error(lua, "%s is not a plain value", name);
    return g_strdup(lua_tostring(lua, index));
}

/* The table on top of the stack is copied into `properties`. */
static void read_properties(lua_State *lua, GHashTable *properties)
{
    int table = lua_gettop(lua);
    lua_Integer count = fltvm_lua_push_keys(lua, table, TRUE);

    for (lua_Integer i = 1; i <= count; i++) {
        const char *name;
        if (lua_rawgeti(lua, table + 1, i) != LUA_TSTRING)
            luaL_error(lua, "a property's name is not a text");
        name = lua_tostring(lua, -1);
        if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(name))
            luaL_error(lua, "'%s' is not a property's name", name);
        lua_pushvalue(lua, -1);
        lua_rawget(lua, table);
        g_hash_table_replace(properties, g_strdup(name), property_text(lua, -1, name));
        lua_pop(lua, 2);
    }
    lua_pop(lua, 1);
}

/*
 * Options of the kernel: drivers may ask for their own (FvOption), so an unknown one is wrong only if it nearly is
 * a known one.
 */
static void read_options(lua_State *lua, GHashTable *options)
{
    static const char *const known[] = {"verifier", "pool-fail", "time", NULL};
    int table = lua_gettop(lua);
    lua_Integer count = fltvm_lua_push_keys(lua, table, TRUE);

    for (lua_Integer i = 1; i <= count; i++) {
        const char *name, *nearest;
        lua_rawgeti(lua, -1, i);
        name = lua_tostring(lua, -1);
        nearest = name ? fltvm_nearest(name, known) : NULL;
        if (nearest && strcmp(nearest, name) != 0)
            luaL_error(lua, "options: no option '%s' (did you mean '%s'?)", name, nearest);
        if (name && (strcmp(name, "fail-allocation") == 0 || strcmp(name, "delay-call") == 0 ||
                     strcmp(name, "delay-return") == 0))
            luaL_error(lua, "options: '%s' is for the command line (--%s)", name, name);
        if (name && (strcmp(name, "seed") == 0 || strcmp(name, "cpus") == 0))
            luaL_error(lua, "options: '%s' is a field of the machine's own", name);
        lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    read_properties(lua, options);
}

/* The first three are an image's: those of a backing file; a blank disk has the last three. */
static const FltvmLuaField disk_fields[] = {
    {"image", FLTVM_LUA_TEXT},          {"format", FLTVM_LUA_TEXT},  {"backing", FLTVM_LUA_TEXT | FLTVM_LUA_TABLE},
    {"writable", FLTVM_LUA_BOOLEAN},    {"device", FLTVM_LUA_TABLE}, {"size", FLTVM_LUA_NUMBER | FLTVM_LUA_TEXT},
    {"write_cache", FLTVM_LUA_BOOLEAN}, {"media", FLTVM_LUA_TABLE},  {NULL, 0}};

/* An image's path: of a file, or of what the recipe of this name makes. */
static char *image_path(lua_State *lua, const char *name, gboolean writable)
{
    char *path = fltvm_lua_path(lua, name), *recipe;
    GError *error = NULL;

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return path;
    recipe = fltvm_recipe_find(name);
    if (!recipe)
        return path;
    g_free(recipe);
    g_free(path);
    path = NULL;
    if (writable)
        error = g_error_new(FLTVM_ERROR, FLTVM_ERROR_USAGE,
                            "disk image: '%s' is a recipe, whose image all runs share: make one to write to with "
                            "fltvm.image{ \"make\", \"%s\", fltvm.temp(\"%s.raw\") }",
                            name, name, name);
    else
        path = fltvm_recipe_image(name, &error);
    if (!path)
        fltvm_lua_raise(lua, error);
    return path;
}

/*
 * An image by its path, or by a table {image=, format=, backing=} whose `backing` is such a thing again; owned by
 * the caller.  Lua errors would leak what is open: everything is read before anything is opened.
 */
static FltvmImage *read_image(lua_State *lua, int index, gboolean writable, gboolean is_backing)
{
    g_autofree char *path = NULL, *format = NULL;
    FltvmImage *backing = NULL, *image;
    GError *error = NULL;

    luaL_checkstack(lua, 8, "backing files");
    if (lua_type(lua, index) == LUA_TSTRING) {
        path = image_path(lua, lua_tostring(lua, index), writable);
    } else if (lua_istable(lua, index)) {
        const char *name = fltvm_lua_string_field(lua, index, "image", NULL);
        const char *wanted = fltvm_lua_string_field(lua, index, "format", NULL);
        if (is_backing)
            fltvm_lua_check_fields(lua, index, "backing", disk_fields);
        if (!name)
            luaL_error(lua, "an image's table has no field 'image'");
        path = image_path(lua, name, writable);
        if (lua_getfield(lua, index, "backing") != LUA_TNIL)
            backing = read_image(lua, lua_gettop(lua), FALSE, TRUE);
        lua_pop(lua, 1);
        format = g_strdup(wanted);
    } else {
        luaL_error(lua, "an image is neither a path nor a table");
    }
    image = fltvm_image_open(path, format, writable, backing, &error);
    if (!image) {
        g_clear_pointer(&path, g_free);
        g_clear_pointer(&format, g_free);
        fltvm_lua_raise(lua, error);
    }
    if (image->looks_qcow2)
        fltvm_account_note(fltvm_lua_scenario(lua)->session.account,
                           "%s is used as raw; it begins as a qcow2 image does: if it is one, say format = \"qcow2\"",
                           path);
    return image;
}

/* Images that can be changed for one another; the first is in.  The list is on top of the stack. */
static FltvmDisk *read_media(lua_State *lua, FltvmConfig *config, gboolean writable)
{
    lua_Integer count = luaL_len(lua, -1);
    FltvmDisk *disk = NULL;
    GError *error = NULL;

    if (count == 0)
        luaL_error(lua, "media: the list is empty");
    for (lua_Integer i = 1; i <= count; i++) {
        FltvmImage *image;
        lua_geti(lua, -1, i);
        image = read_image(lua, lua_gettop(lua), writable, FALSE);
        lua_pop(lua, 1);
        if (i == 1)
            disk = fltvm_config_add_disk(config, image);
        if (!fltvm_disk_add_medium(disk, i == 1 ? NULL : image, &error))
            fltvm_lua_raise(lua, error);
    }
    return disk;
}

/*
 * One entry of `disks`: a path, or {image=, format=, backing=, writable=} or {media={…}, writable=} or {size=}; device
 * properties in `device`.
 */
static void read_disk(lua_State *lua, FltvmConfig *config)
{
    GError *error = NULL;
    FltvmDisk *disk;
    int index = lua_gettop(lua);
    gboolean blank;

    if (lua_istable(lua, index))
        fltvm_lua_check_fields(lua, index, "a disk", disk_fields);
    blank = lua_istable(lua, index) && !fltvm_lua_string_field(lua, index, "image", NULL);
    if (!blank && lua_istable(lua, index) && fltvm_lua_field(lua, index, "media", LUA_TTABLE))
        luaL_error(lua, "a disk has 'image' or 'media', not both");
    if (blank && fltvm_lua_field(lua, index, "media", LUA_TTABLE)) {
        disk = read_media(lua, config, fltvm_lua_boolean_field(lua, index, "writable", FALSE));
        lua_pop(lua, 1);
    } else if (blank) {
        lua_getfield(lua, index, "size");
        disk = fltvm_config_add_blank(config, fltvm_lua_size(lua, -1, "a disk's size"), &error);
        lua_pop(lua, 1);
        if (!disk)
            fltvm_lua_raise(lua, error);
    } else {
        gboolean writable = lua_istable(lua, index) && fltvm_lua_boolean_field(lua, index, "writable", FALSE);
        disk = fltvm_config_add_disk(config, read_image(lua, index, writable, FALSE));
    }
    if (lua_istable(lua, index) && fltvm_lua_boolean_field(lua, index, "write_cache", FALSE))
        g_hash_table_replace(disk->device, g_strdup("volatile-cache"), g_strdup("on"));
    if (lua_istable(lua, index) && fltvm_lua_field(lua, index, "device", LUA_TTABLE)) {
        read_properties(lua, disk->device);
        lua_pop(lua, 1);
    }
}

static void read_disks(lua_State *lua, FltvmConfig *config)
{
    lua_Integer count = luaL_len(lua, -1);

    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(lua, -1, i);
        read_disk(lua, config);
        lua_pop(lua, 1);
    }
}

static void read_config(lua_State *lua, int index, FltvmConfig *config)
{
    static const FltvmLuaField known[] = {{"cpus", FLTVM_LUA_NUMBER},   {"memory", FLTVM_LUA_NUMBER | FLTVM_LUA_TEXT},
                                          {"seed", FLTVM_LUA_NUMBER},   {"machine", FLTVM_LUA_TEXT},
                                          {"accel", FLTVM_LUA_TEXT},    {"disks", FLTVM_LUA_TABLE},
                                          {"options", FLTVM_LUA_TABLE}, {"qemu", FLTVM_LUA_TABLE},
                                          {"trace", FLTVM_LUA_BOOLEAN}, {NULL, 0}};
    GError *error = NULL;
    const char *text;

    fltvm_lua_check_fields(lua, index, "fltvm.machine", known);
    if (!fltvm_config_set_cpus(config, fltvm_lua_integer_field(lua, index, "cpus", config->cpus), &error))
        fltvm_lua_raise(lua, error);
    if (lua_getfield(lua, index, "memory") != LUA_TNIL &&
        !fltvm_config_set_memory(config, fltvm_lua_size(lua, -1, "memory"), &error))
        fltvm_lua_raise(lua, error);
    lua_pop(lua, 1);
    fltvm_config_set_seed(config, (guint64)fltvm_lua_integer_field(lua, index, "seed", (gint64)config->seed));
    text = fltvm_lua_string_field(lua, index, "machine", NULL);
    if (text && !fltvm_config_set_machine(config, text, &error))
        fltvm_lua_raise(lua, error);
    text = fltvm_lua_string_field(lua, index, "accel", NULL);
    if (text && !fltvm_config_set_accel(config, text, &error))
        fltvm_lua_raise(lua, error);
    if (fltvm_lua_field(lua, index, "disks", LUA_TTABLE)) {
        read_disks(lua, config);
        lua_pop(lua, 1);
    }
    if (fltvm_lua_field(lua, index, "options", LUA_TTABLE)) {
        read_options(lua, config->options);
        lua_pop(lua, 1);
    }
    if (fltvm_lua_boolean_field(lua, index, "trace", FALSE)) {
        FltvmScenario *scenario = fltvm_lua_scenario(lua);
        if (!scenario->session.trace)
            scenario->session.trace = scenario->own_trace = fltvm_trace_new(TRUE);
        fltvm_trace_keep(scenario->session.trace);
    }
    if (fltvm_lua_field(lua, index, "qemu", LUA_TTABLE)) {
        for (lua_Integer i = 1, count = luaL_len(lua, -1); i <= count; i++) {
            g_ptr_array_add(config->extra, g_strdup(fltvm_lua_list_text(lua, -1, i, "qemu")));
            lua_pop(lua, 1);
        }
        lua_pop(lua, 1);
    }
}

/* A new machine on the stack; the scenario owns it. */
static FltvmMachine *push_machine_of(lua_State *lua, FltvmConfig *config)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    FltvmMachine **box = fltvm_lua_new(lua, sizeof(*box), FLTVM_LUA_MACHINE);

    *box = fltvm_machine_new(&scenario->session, config);
    g_ptr_array_add(scenario->machines, *box);
    /* The user value: what lua_devices.c has opened, by name, and clients (lua_process.c), by their user. */
    lua_newtable(lua);
    lua_setiuservalue(lua, -2, 1);
    return *box;
}

static FltvmMachine *push_machine(lua_State *lua)
{
    return push_machine_of(lua, fltvm_config_copy(fltvm_lua_scenario(lua)->defaults));
}

void fltvm_lua_push_machine(lua_State *lua, FltvmConfig *config)
{
    push_machine_of(lua, config);
    lua_pushvalue(lua, -1);
    lua_setglobal(lua, "machine");
}

/* fltvm.machine{...}: also becomes the global `machine`. */
static int lua_new_machine(lua_State *lua)
{
    FltvmMachine *machine;

    luaL_checktype(lua, 1, LUA_TTABLE);
    machine = push_machine(lua);
    read_config(lua, 1, fltvm_machine_config(machine));
    lua_pushvalue(lua, -1);
    lua_setglobal(lua, "machine");
    return 1;
}

/* The global `machine` comes into being when it is first named. */
static int lua_global_index(lua_State *lua)
{
    if (lua_type(lua, 2) != LUA_TSTRING || strcmp(lua_tostring(lua, 2), "machine") != 0)
        return 0;
    push_machine(lua);
    lua_pushvalue(lua, -1);
    lua_setglobal(lua, "machine");
    return 1;
}

/* --- methods ------------------------------------------------------------------------------------------- */

static int machine_start(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    GError *error = NULL;

    if (!fltvm_machine_be_running(machine, &error))
        fltvm_lua_raise(lua, error);
    lua_settop(lua, 1);
    return 1;
}

static int machine_shutdown(lua_State *lua)
{
    GError *error = NULL;

    if (!fltvm_machine_finish(fltvm_lua_machine(lua, 1), &error))
        fltvm_lua_raise(lua, error);
    return 0;
}

static int machine_sleep(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_SLEEP};
    FltvmResult result = {0};

    command.args[0] = fltvm_lua_nanoseconds(lua, luaL_checknumber(lua, 2), "sleep");
    fltvm_lua_command(lua, fltvm_lua_machine(lua, 1), &command, NULL, 0, "sleep", FALSE, &result);
    fltvm_result_clear(&result);
    return 0;
}

static int machine_time(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_PING};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    FltvmResult result = {0};

    fltvm_lua_command(lua, machine, &command, NULL, 0, "time", FALSE, &result);
    fltvm_result_clear(&result);
    lua_pushnumber(lua, (lua_Number)fltvm_machine_time(machine) / 1e6);
    return 1;
}

static int machine_stacks(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_STACKS};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    FltvmResult result = {0};
    const char *stacks;

    fltvm_lua_command(lua, machine, &command, NULL, 0, "stacks", FALSE, &result);
    fltvm_result_clear(&result);
    stacks = fltvm_machine_stacks(machine);
    lua_pushstring(lua, stacks ? stacks : "");
    return 1;
}

/* machine:pool() -> { ["Tag1"] = {allocations=, frees=, bytes=, paged=}, ... } */
static int machine_pool(lua_State *lua)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_POOL};
    FltvmResult result = {0};
    gsize length;
    const guint8 *data;

    fltvm_lua_command(lua, fltvm_lua_machine(lua, 1), &command, NULL, 0, "pool", FALSE, &result);
    data = g_bytes_get_data(result.data, &length);
    lua_newtable(lua);
    for (; length >= sizeof(struct fltvm_pool_use); length -= sizeof(struct fltvm_pool_use)) {
        struct fltvm_pool_use use;
        memcpy(&use, data, sizeof(use));
        data += sizeof(use);
        lua_pushlstring(lua, use.tag, sizeof(use.tag));
        lua_createtable(lua, 0, 4);
        lua_pushinteger(lua, (lua_Integer)use.allocations);
        lua_setfield(lua, -2, "allocations");
        lua_pushinteger(lua, (lua_Integer)use.frees);
        lua_setfield(lua, -2, "frees");
        lua_pushinteger(lua, (lua_Integer)use.bytes);
        lua_setfield(lua, -2, "bytes");
        lua_pushboolean(lua, use.paged != 0);
        lua_setfield(lua, -2, "paged");
        lua_settable(lua, -3);
    }
    fltvm_result_clear(&result);
    return 1;
}

/* machine:memory() -> {total=, used=, nonpaged=, paged=} in bytes */
static int machine_memory(lua_State *lua)
{
    static const char *const names[] = {"total", "used", "nonpaged", "paged"};
    struct fltvm_command command = {.op = FLTVM_COMMAND_MEMORY};
    FltvmResult result = {0};

    fltvm_lua_command(lua, fltvm_lua_machine(lua, 1), &command, NULL, 0, "memory", FALSE, &result);
    lua_newtable(lua);
    for (int i = 0; i < 4; i++) {
        lua_pushinteger(lua, (lua_Integer)result.header.values[i]);
        lua_setfield(lua, -2, names[i]);
    }
    fltvm_result_clear(&result);
    return 1;
}

static int machine_state(lua_State *lua)
{
    static const char *const names[] = {"new", "running", "ended", "dead"};

    lua_pushstring(lua, names[fltvm_machine_state(fltvm_lua_machine(lua, 1))]);
    return 1;
}

static int machine_to_string(lua_State *lua)
{
    FltvmConfig *config = fltvm_machine_config(fltvm_lua_machine(lua, 1));

    machine_state(lua);
    lua_pushfstring(lua, "machine (%s, %d cpus, seed %I)", lua_tostring(lua, -1), (int)config->cpus,
                    (lua_Integer)config->seed);
    return 1;
}

void fltvm_lua_open_machine(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"start", machine_start},          {"shutdown", machine_shutdown},
                                       {"sleep", machine_sleep},          {"time", machine_time},
                                       {"stacks", machine_stacks},        {"pool", machine_pool},
                                       {"memory", machine_memory},        {"state", machine_state},
                                       {"__tostring", machine_to_string}, {NULL, NULL}};

    luaL_newmetatable(lua, FLTVM_LUA_MACHINE);
    luaL_setfuncs(lua, methods, 0);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -2, "__index");
    lua_pop(lua, 1);

    lua_getglobal(lua, "fltvm");
    lua_pushcfunction(lua, lua_new_machine);
    lua_setfield(lua, -2, "machine");
    lua_pop(lua, 1);

    lua_pushglobaltable(lua);
    lua_newtable(lua);
    lua_pushcfunction(lua, lua_global_index);
    lua_setfield(lua, -2, "__index");
    lua_setmetatable(lua, -2);
    lua_pop(lua, 1);
}
