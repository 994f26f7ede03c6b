/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's devices in Lua: interrupt sources (machine:irq), the disks' fault rules (machine:fault) and media (machine:insert).
 * Both are registers that a driver in the guest writes for us (sdk/include/fltvm_irq.h); what the registers mean
 * is in abi/irq.h and abi/hba.h.
 */
#include <lauxlib.h>
#include <string.h>

#include "abi/control.h"
#include "abi/hba.h"
#include "abi/irq.h"
#include "error.h"
#include "lua_machine.h"
#include "lua_show.h"
#include "paths.h"
#include "vocabulary.h"

#define SOURCE_TYPE "fltvm.irq"

typedef struct {
    FltvmMachine *machine;
    guint64 handle; /* of the driver's device */
    guint32 number;
} Source;

/* Register writes to be sent together. */
typedef struct {
    struct fltvm_register_write writes[32];
    guint count;
} Writes;

static void put(Writes *writes, guint32 offset, guint32 value)
{
    g_assert(writes->count < G_N_ELEMENTS(writes->writes));
    writes->writes[writes->count++] = (struct fltvm_register_write){.offset = offset, .value = value};
}

static void put_long(Writes *writes, guint32 offset, guint64 value)
{
    put(writes, offset, (guint32)value);
    put(writes, offset + 4, (guint32)(value >> 32));
}

static void control(lua_State *lua, FltvmMachine *machine, guint64 handle, guint32 code, gconstpointer data,
                    gsize length, gsize output, const char *what, FltvmResult *result)
{
    struct fltvm_command command = {.op = FLTVM_COMMAND_IOCTL, .args = {handle, code, length, output}};

    command.timeout_ns = fltvm_lua_timeout(lua, lua_gettop(lua) + 1); /* no table: the default */
    fltvm_lua_command(lua, machine, &command, data, length, what, FALSE, result);
}

static void write_registers(lua_State *lua, FltvmMachine *machine, guint64 handle, const Writes *writes,
                            const char *what)
{
    FltvmResult result = {0};

    control(lua, machine, handle, FLTVM_CONTROL_WRITE_REGISTERS, writes->writes,
            writes->count * sizeof(writes->writes[0]), 0, what, &result);
    fltvm_result_clear(&result);
}

static guint32 read_register(lua_State *lua, FltvmMachine *machine, guint64 handle, guint32 offset)
{
    FltvmResult result = {0};
    guint32 value = 0;

    control(lua, machine, handle, FLTVM_CONTROL_READ_REGISTERS, &offset, sizeof(offset), sizeof(value),
            "reading a register", &result);
    fltvm_lua_record(lua, &result, "reading a register", &value, sizeof(value), sizeof(value));
    return value;
}

/* --- interrupt sources --------------------------------------------------------------------------------- */

/* The driver is loaded when the first source is named; its handle is kept in the machine's table. */
static guint64 irq_handle(lua_State *lua, FltvmMachine *machine)
{
    g_autofree char *build = NULL, *image = NULL;
    guint64 handle;

    lua_getiuservalue(lua, 1, 1);
    if (lua_getfield(lua, -1, "irq") == LUA_TNUMBER) {
        handle = (guint64)lua_tointeger(lua, -1);
        lua_pop(lua, 2);
        return handle;
    }
    lua_pop(lua, 2);
    build = fltvm_path_build();
    image = g_build_filename(build, "guest/drivers/fltvmirq.sys", NULL);
    lua_pushstring(lua, image);
    g_clear_pointer(&build, g_free);
    g_clear_pointer(&image, g_free);
    lua_getfield(lua, 1, "load");
    lua_pushvalue(lua, 1);
    lua_createtable(lua, 0, 2);
    lua_pushvalue(lua, -4);
    lua_setfield(lua, -2, "image");
    lua_pushstring(lua, "fltvmirq");
    lua_setfield(lua, -2, "name");
    lua_call(lua, 2, 0);
    lua_pop(lua, 1);
    handle = fltvm_lua_open_device(lua, machine, "\\Device\\FltvmIrq", FLTVM_LUA_OPEN_SYNCHRONOUS);
    lua_getiuservalue(lua, 1, 1);
    lua_pushinteger(lua, (lua_Integer)handle);
    lua_setfield(lua, -2, "irq");
    lua_pop(lua, 1);
    return handle;
}

/* machine:irq(number) -> source */
static int machine_irq(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    lua_Integer number = luaL_checkinteger(lua, 2);
    guint64 handle = irq_handle(lua, machine);
    guint32 sources = read_register(lua, machine, handle, FLTVM_IRQ_REG_SOURCES);
    Source *source;

    if (number < 0 || number >= sources)
        luaL_error(lua, "irq: there is no source %d (0 to %d)", (int)number, (int)sources - 1);
    source = fltvm_lua_new(lua, sizeof(*source), SOURCE_TYPE);
    source->machine = machine;
    source->handle = handle;
    source->number = (guint32)number;
    lua_pushvalue(lua, 1);
    lua_setiuservalue(lua, -2, 1);
    return 1;
}

/* Program and arm a source from {start=, interval=, count=}; times in ms. */
static int arm(lua_State *lua, guint32 mode, const char *what, const FltvmLuaField *known)
{
    Source *source = luaL_checkudata(lua, 1, SOURCE_TYPE);
    guint32 block = FLTVM_IRQ_REG_SOURCE(source->number);
    Writes writes = {0};
    guint64 start, interval;
    guint32 error;

    fltvm_lua_check_fields(lua, 2, what, known);
    start = fltvm_lua_nanoseconds(lua, fltvm_lua_number_field(lua, 2, "start", 0), "start");
    interval = fltvm_lua_nanoseconds(lua, fltvm_lua_number_field(lua, 2, "interval", 1), "interval");
    put(&writes, block + FLTVM_IRQ_SOURCE_COMMAND, FLTVM_IRQ_COMMAND_DISARM);
    put(&writes, FLTVM_IRQ_REG_ERROR, ~0u);
    put(&writes, block + FLTVM_IRQ_SOURCE_MODE, mode);
    put_long(&writes, block + FLTVM_IRQ_SOURCE_START_LO, start);
    put_long(&writes, block + FLTVM_IRQ_SOURCE_INTERVAL_LO, interval);
    put(&writes, block + FLTVM_IRQ_SOURCE_COUNT, fltvm_lua_u32_field(lua, 2, "count", 1));
    put(&writes, block + FLTVM_IRQ_SOURCE_COMMAND, FLTVM_IRQ_COMMAND_ARM);
    write_registers(lua, source->machine, source->handle, &writes, what);
    error = read_register(lua, source->machine, source->handle, FLTVM_IRQ_REG_ERROR);
    if (error)
        luaL_error(lua, "%s: the device refuses it (error %d; interval or count out of range?)", what, (int)error);
    return 0;
}

/* Each mode takes one more. */
static const FltvmLuaField burst_fields[] = {
    {"count", FLTVM_LUA_NUMBER}, {"interval", FLTVM_LUA_NUMBER}, {"start", FLTVM_LUA_NUMBER}, {NULL, 0}};

static int source_one_shot(lua_State *lua)
{
    return arm(lua, FLTVM_IRQ_MODE_ONE_SHOT, "source:one_shot", burst_fields + 2);
}

static int source_periodic(lua_State *lua)
{
    return arm(lua, FLTVM_IRQ_MODE_PERIODIC, "source:periodic", burst_fields + 1);
}

static int source_burst(lua_State *lua)
{
    return arm(lua, FLTVM_IRQ_MODE_BURST, "source:burst", burst_fields);
}

static int give_command(lua_State *lua, guint32 value, const char *what)
{
    Source *source = luaL_checkudata(lua, 1, SOURCE_TYPE);
    Writes writes = {0};

    put(&writes, FLTVM_IRQ_REG_SOURCE(source->number) + FLTVM_IRQ_SOURCE_COMMAND, value);
    write_registers(lua, source->machine, source->handle, &writes, what);
    return 0;
}

static int source_fire(lua_State *lua)
{
    return give_command(lua, FLTVM_IRQ_COMMAND_FIRE, "fire");
}

static int source_stop(lua_State *lua)
{
    return give_command(lua, FLTVM_IRQ_COMMAND_DISARM, "stop");
}

/* source:counts() -> {interrupts=, dpcs=, raised=, overrun=} */
static int source_counts(lua_State *lua)
{
    Source *source = luaL_checkudata(lua, 1, SOURCE_TYPE);
    guint32 block = FLTVM_IRQ_REG_SOURCE(source->number);
    struct fltvm_interrupt_counts counts[32] = {0};
    FltvmResult result = {0};

    control(lua, source->machine, source->handle, FLTVM_CONTROL_INTERRUPT_COUNTS, "", 0, sizeof(counts), "counts",
            &result);
    fltvm_lua_record(lua, &result, "counts", counts, (source->number + 1) * sizeof(counts[0]), sizeof(counts));
    lua_newtable(lua);
    lua_pushinteger(lua, counts[source->number].interrupts);
    lua_setfield(lua, -2, "interrupts");
    lua_pushinteger(lua, counts[source->number].dpcs);
    lua_setfield(lua, -2, "dpcs");
    lua_pushinteger(lua, read_register(lua, source->machine, source->handle, block + FLTVM_IRQ_SOURCE_RAISED));
    lua_setfield(lua, -2, "raised");
    lua_pushinteger(lua, read_register(lua, source->machine, source->handle, block + FLTVM_IRQ_SOURCE_OVERRUN));
    lua_setfield(lua, -2, "overrun");
    return 1;
}

/* --- fault rules --------------------------------------------------------------------------------------- */

static const char *const operation_names[] = {"read", "write", "flush", "any", NULL};
static const guint32 operations[] = {FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_READ), FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_WRITE),
                                     FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_FLUSH),
                                     FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_READ) | FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_WRITE) |
                                         FLTVM_HBA_FAULT_OP(FLTVM_HBA_OP_FLUSH)};
static const char *const action_names[] = {"error", "delay", "never", NULL};
static const guint32 actions[] = {FLTVM_HBA_FAULT_ACTION_ERROR, FLTVM_HBA_FAULT_ACTION_DELAY,
                                  FLTVM_HBA_FAULT_ACTION_NEVER};
static const char *const status_names[] = {"media_read", "media_write",  "write_protected",
                                           "no_space",   "device_fault", NULL};
static const guint32 statuses[] = {FLTVM_HBA_S_MEDIA_READ, FLTVM_HBA_S_MEDIA_WRITE, FLTVM_HBA_S_WRITE_PROTECTED,
                                   FLTVM_HBA_S_NO_SPACE, FLTVM_HBA_S_DEVICE_FAULT};

static guint32 word_field(lua_State *lua, int index, const char *field, const char *const *names, const guint32 *values,
                          const char *fallback)
{
    return values[fltvm_lua_choice(lua, field, fltvm_lua_string_field(lua, index, field, fallback), names)];
}

#define CONTROLLER "\\Device\\FltvmHba%d"

/* The controller of disk `number`, opened once. */
static guint64 disk_handle(lua_State *lua, FltvmMachine *machine, lua_Integer number)
{
    char name[32];

    g_snprintf(name, sizeof(name), CONTROLLER, (int)number);
    lua_getiuservalue(lua, 1, 1);
    if (lua_getfield(lua, -1, name) == LUA_TNIL) {
        lua_pushinteger(lua, (lua_Integer)fltvm_lua_open_device(lua, machine, name, FLTVM_LUA_OPEN_SYNCHRONOUS));
        lua_pushvalue(lua, -1);
        lua_setfield(lua, -4, name);
        lua_remove(lua, -2);
    }
    lua_remove(lua, -2);
    return (guint64)lua_tointeger(lua, -1);
}

/* How many rules of the disk a choice of the command line takes; the script's come behind them. */
static guint32 chosen_rules(FltvmMachine *machine, lua_Integer disk)
{
    guint count;

    g_free(fltvm_choice_faults(&fltvm_machine_config(machine)->choice, (guint)disk, &count));
    return count;
}

/* The next rule's index; rules are numbered in the order they are given. */
static guint32 next_rule(lua_State *lua, lua_Integer disk)
{
    lua_Integer index;

    lua_getiuservalue(lua, 1, 1);
    lua_geti(lua, -1, disk);
    index = lua_tointeger(lua, -1);
    lua_pushinteger(lua, index + 1);
    lua_seti(lua, -3, disk);
    lua_pop(lua, 2);
    return (guint32)index;
}

/*
 * machine:fault{disk=, op=, first=, last=, nth=, count=, action=, status=, delay=} -> number of the rule
 */
static int machine_fault(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"disk", FLTVM_LUA_NUMBER},  {"op", FLTVM_LUA_TEXT},
                                          {"first", FLTVM_LUA_NUMBER}, {"last", FLTVM_LUA_NUMBER},
                                          {"nth", FLTVM_LUA_NUMBER},   {"count", FLTVM_LUA_NUMBER},
                                          {"action", FLTVM_LUA_TEXT},  {"status", FLTVM_LUA_TEXT},
                                          {"delay", FLTVM_LUA_NUMBER}, {NULL, 0}};
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    lua_Integer disk;
    guint64 handle;
    guint32 index;
    Writes writes = {0};

    luaL_checktype(lua, 2, LUA_TTABLE);
    lua_settop(lua, 2);
    fltvm_lua_check_fields(lua, 2, "machine:fault", known);
    disk = fltvm_lua_u32_field(lua, 2, "disk", 0);
    handle = disk_handle(lua, machine, disk);
    index = next_rule(lua, disk);
    put(&writes, FLTVM_HBA_REG_FAULT_INDEX, chosen_rules(machine, disk) + index);
    put(&writes, FLTVM_HBA_REG_FAULT_OPS, word_field(lua, 2, "op", operation_names, operations, "any"));
    put_long(&writes, FLTVM_HBA_REG_FAULT_FIRST_LO, (guint64)fltvm_lua_integer_field(lua, 2, "first", 0));
    put_long(&writes, FLTVM_HBA_REG_FAULT_LAST_LO, (guint64)fltvm_lua_integer_field(lua, 2, "last", -1));
    put(&writes, FLTVM_HBA_REG_FAULT_NTH, fltvm_lua_u32_field(lua, 2, "nth", 1));
    put(&writes, FLTVM_HBA_REG_FAULT_COUNT, fltvm_lua_u32_field(lua, 2, "count", 0));
    put(&writes, FLTVM_HBA_REG_FAULT_ACTION, word_field(lua, 2, "action", action_names, actions, "error"));
    put(&writes, FLTVM_HBA_REG_FAULT_STATUS, word_field(lua, 2, "status", status_names, statuses, "device_fault"));
    put_long(&writes, FLTVM_HBA_REG_FAULT_DELAY_LO,
             fltvm_lua_nanoseconds(lua, fltvm_lua_number_field(lua, 2, "delay", 0), "delay"));
    put(&writes, FLTVM_HBA_REG_FAULT_COMMAND, FLTVM_HBA_FAULT_COMMAND_STORE);
    write_registers(lua, machine, handle, &writes, "fault");
    if (read_register(lua, machine, handle, FLTVM_HBA_REG_ERROR) & FLTVM_HBA_ERROR_FAULT)
        luaL_error(lua, "fault: the device refuses rule %d", (int)index);
    lua_pushinteger(lua, index);
    return 1;
}

/* Remove the rules from `first` on, one by one. */
static void clear_own(lua_State *lua, FltvmMachine *machine, guint64 handle, guint32 first)
{
    guint32 rules = read_register(lua, machine, handle, FLTVM_HBA_REG_FAULT_RULES);

    for (guint32 index = first; index < rules; index++) {
        Writes writes = {0};
        put(&writes, FLTVM_HBA_REG_FAULT_INDEX, index);
        put(&writes, FLTVM_HBA_REG_FAULT_COMMAND, FLTVM_HBA_FAULT_COMMAND_CLEAR);
        write_registers(lua, machine, handle, &writes, "clear_faults");
    }
}

/* machine:clear_faults([disk]) */
static int machine_clear_faults(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    lua_Integer disk = luaL_optinteger(lua, 2, 0);
    guint64 handle;
    Writes writes = {0};

    lua_settop(lua, 1);
    handle = disk_handle(lua, machine, disk);
    if (chosen_rules(machine, disk)) {
        clear_own(lua, machine, handle, chosen_rules(machine, disk));
    } else {
        put(&writes, FLTVM_HBA_REG_FAULT_COMMAND, FLTVM_HBA_FAULT_COMMAND_CLEAR_ALL);
        write_registers(lua, machine, handle, &writes, "clear_faults");
    }
    lua_getiuservalue(lua, 1, 1);
    lua_pushnil(lua);
    lua_seti(lua, -2, disk);
    return 0;
}

/* machine:fault_hits(rule [, disk]) -> commands matched, commands acted on */
static int machine_fault_hits(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    lua_Integer rule = luaL_checkinteger(lua, 2), disk = luaL_optinteger(lua, 3, 0);
    guint64 handle;
    Writes writes = {0};

    lua_settop(lua, 1);
    handle = disk_handle(lua, machine, disk);
    put(&writes, FLTVM_HBA_REG_FAULT_INDEX, chosen_rules(machine, disk) + (guint32)rule);
    put(&writes, FLTVM_HBA_REG_FAULT_COMMAND, FLTVM_HBA_FAULT_COMMAND_LOAD);
    write_registers(lua, machine, handle, &writes, "fault_hits");
    lua_pushinteger(lua, read_register(lua, machine, handle, FLTVM_HBA_REG_FAULT_MATCHES));
    lua_pushinteger(lua, read_register(lua, machine, handle, FLTVM_HBA_REG_FAULT_HITS));
    return 2;
}

/* machine:pull([disk]) */
static int machine_pull(lua_State *lua)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    lua_Integer disk = luaL_optinteger(lua, 2, 0);
    struct fltvm_command close = {.op = FLTVM_COMMAND_CLOSE};
    FltvmResult result = {0};
    char name[32];

    lua_settop(lua, 1);
    close.args[0] = disk_handle(lua, machine, disk);
    control(lua, machine, close.args[0], FLTVM_CONTROL_PULL, "", 0, 0, "pull", &result);
    fltvm_result_clear(&result);
    /* It goes with its last file. */
    fltvm_lua_command(lua, machine, &close, NULL, 0, "pull", FALSE, &result);
    fltvm_result_clear(&result);
    g_snprintf(name, sizeof(name), CONTROLLER, (int)disk);
    lua_getiuservalue(lua, 1, 1);
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
    return 0;
}

/* The medium that is in from now on; 0: none. */
static void put_medium(lua_State *lua, lua_Integer medium, lua_Integer disk, const char *what)
{
    FltvmMachine *machine = fltvm_lua_machine(lua, 1);
    const FltvmConfig *config = fltvm_machine_config(machine);
    const FltvmDisk *about = disk >= 0 && disk < config->disks->len ? config->disks->pdata[disk] : NULL;
    FltvmResult result = {0};
    guint32 number = (guint32)medium;

    if (!about || !about->media)
        luaL_error(lua, "%s: disk %d has no media that can be changed: give it 'media'", what, (int)disk);
    if (medium < 0 || medium > about->media->len + 1)
        luaL_error(lua, "%s: disk %d has no medium %d (1 to %d)", what, (int)disk, (int)medium,
                   (int)about->media->len + 1);
    lua_settop(lua, 1);
    control(lua, machine, disk_handle(lua, machine, disk), FLTVM_CONTROL_MEDIUM, &number, sizeof(number), 0, what,
            &result);
    fltvm_result_clear(&result);
}

/* machine:eject([disk]) */
static int machine_eject(lua_State *lua)
{
    put_medium(lua, 0, luaL_optinteger(lua, 2, 0), "eject");
    return 0;
}

/* machine:insert(medium [, disk]) */
static int machine_insert(lua_State *lua)
{
    lua_Integer medium = luaL_checkinteger(lua, 2);

    luaL_argcheck(lua, medium != 0, 2, "media are counted from 1; none is machine:eject()");
    put_medium(lua, medium, luaL_optinteger(lua, 3, 0), "insert");
    return 0;
}

void fltvm_lua_open_devices(lua_State *lua)
{
    static const luaL_Reg methods[] = {{"one_shot", source_one_shot},
                                       {"periodic", source_periodic},
                                       {"burst", source_burst},
                                       {"fire", source_fire},
                                       {"stop", source_stop},
                                       {"counts", source_counts},
                                       {NULL, NULL}};
    static const luaL_Reg on_machine[] = {{"irq", machine_irq},
                                          {"fault", machine_fault},
                                          {"clear_faults", machine_clear_faults},
                                          {"fault_hits", machine_fault_hits},
                                          {"pull", machine_pull},
                                          {"eject", machine_eject},
                                          {"insert", machine_insert},
                                          {NULL, NULL}};

    luaL_newmetatable(lua, SOURCE_TYPE);
    luaL_setfuncs(lua, methods, 0);
    lua_pushvalue(lua, -1);
    lua_setfield(lua, -2, "__index");
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    luaL_setfuncs(lua, on_machine, 0);
    lua_pop(lua, 2);
}
