/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done between two operations of a script: see lua_step.h. */
#include "lua_step.h"

#include <lauxlib.h>
#include <string.h>

#include "lua_driver.h"
#include "lua_fltctl.h"
#include "lua_machine.h"
#include "lua_process.h"
#include "lua_unwind.h"
#include "lua_words.h"
#include "vocabulary.h"

#define FSCTL_DISMOUNT_VOLUME 0x90020u

typedef struct {
    FltvmMachine *machine;
    guint64 count;
    guint pending;   /* operations of the script's that it has not waited for yet */
    GString *offers; /* characters: '0' and a mask of 1 << FltvmStep */
} Counter;

/* An operation of an act's. */
typedef struct {
    FltvmMachine *machine;
    guint32 id;
    FltvmStep step;
} Begun;

struct FltvmSteps {
    GArray *counters;
    GArray *begun;
    gboolean acting; /* what is sent now is no step */
    gboolean acted;
};

static void counter_clear(gpointer data)
{
    g_string_free(((Counter *)data)->offers, TRUE);
}

FltvmSteps *fltvm_steps_new(void)
{
    FltvmSteps *steps = g_new0(FltvmSteps, 1);

    steps->counters = g_array_new(FALSE, FALSE, sizeof(Counter));
    g_array_set_clear_func(steps->counters, counter_clear);
    steps->begun = g_array_new(FALSE, FALSE, sizeof(Begun));
    return steps;
}

void fltvm_steps_free(FltvmSteps *steps)
{
    g_array_unref(steps->counters);
    g_array_unref(steps->begun);
    g_free(steps);
}

static Counter *find_counter(const FltvmSteps *steps, const FltvmMachine *machine)
{
    for (guint i = 0; i < steps->counters->len; i++) {
        Counter *counter = &g_array_index(steps->counters, Counter, i);
        if (counter->machine == machine)
            return counter;
    }
    return NULL;
}

void fltvm_steps_begin_again(FltvmSteps *steps)
{
    for (guint i = 0; i < steps->counters->len; i++) {
        Counter *counter = &g_array_index(steps->counters, Counter, i);
        counter->count = 0;
        g_string_truncate(counter->offers, 0);
    }
}

gboolean fltvm_steps_acted(const FltvmSteps *steps)
{
    return steps->acted;
}

void fltvm_steps_append_offers(const FltvmSteps *steps, const FltvmMachine *machine, GString *json)
{
    const Counter *counter = find_counter(steps, machine);

    g_string_append_printf(json, "\"%s\"", counter ? counter->offers->str : "");
}

/* --- acts ------------------------------------------------------------------------------------------------ */

/* Begin a command whose data is on top of the stack, which it pops. */
static void begin(lua_State *lua, FltvmMachine *machine, FltvmStep step, struct fltvm_command *command)
{
    FltvmSteps *steps = fltvm_lua_scenario(lua)->steps;
    FltvmResult result = {0};
    Begun begun = {machine, 0, step};
    size_t length;
    const char *data = lua_tolstring(lua, -1, &length);

    command->flags |= FLTVM_COMMAND_FLAG_ASYNC;
    if (!command->thread)
        command->thread = FLTVM_COMMAND_THREAD_NEW;
    fltvm_lua_command(lua, machine, command, data, length, fltvm_choice_step_option(step), TRUE, &result);
    begun.id = result.header.operation;
    fltvm_result_clear(&result);
    if (begun.id)
        g_array_append_val(steps->begun, begun);
    lua_pop(lua, 1);
}

/* The machine of what is on top of the stack, as a Lua value, is pushed. */
static void push_machine(lua_State *lua)
{
    lua_pushvalue(lua, -1);
    while (!luaL_testudata(lua, -1, FLTVM_LUA_MACHINE)) {
        lua_getiuservalue(lua, -1, 1);
        lua_remove(lua, -2);
    }
}

static void unload(lua_State *lua, FltvmMachine *machine)
{
    struct fltvm_command command;

    if (fltvm_lua_unload_command(lua, machine, &command))
        begin(lua, machine, FLTVM_STEP_UNLOAD, &command);
}

/* Each instance of the driver's. */
static void detach(lua_State *lua, FltvmMachine *machine)
{
    const char *filter = fltvm_lua_filter_name(lua, machine);
    int top = lua_gettop(lua);
    lua_Integer count;

    if (!filter)
        return;
    push_machine(lua);
    lua_getfield(lua, -1, "instances");
    lua_pushvalue(lua, -2);
    lua_call(lua, 1, 1);
    count = luaL_len(lua, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        struct fltvm_command command;
        lua_geti(lua, top + 2, i);
        lua_getfield(lua, -1, "filter");
        lua_getfield(lua, -2, "volume");
        lua_getfield(lua, -3, "name");
        if (g_ascii_strcasecmp(lua_tostring(lua, -3), filter) == 0) {
            fltvm_lua_detach_command(lua, top + 1, filter, lua_tostring(lua, -2), lua_tostring(lua, -1), &command);
            begin(lua, machine, FLTVM_STEP_DETACH, &command);
        }
        lua_settop(lua, top + 2);
    }
    lua_settop(lua, top);
}

/* Opened, dismounted and closed by one thread. */
static void dismount_volume(lua_State *lua, FltvmMachine *machine, const char *name)
{
    struct fltvm_command open = {.op = FLTVM_COMMAND_OPEN, .thread = FLTVM_COMMAND_THREAD_NEW};
    struct fltvm_command command = {.op = FLTVM_COMMAND_FSCTL, .thread = FLTVM_COMMAND_THREAD_MAX};
    struct fltvm_command close = {.op = FLTVM_COMMAND_CLOSE, .thread = FLTVM_COMMAND_THREAD_MAX};
    FltvmResult result = {0};

    open.args[0] = 0xC0100000u; /* GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE */
    open.args[1] = 7;           /* shared with all */
    open.args[2] = 1;           /* FILE_OPEN */
    open.timeout_ns = fltvm_lua_timeout(lua, 0);
    fltvm_lua_command(lua, machine, &open, name, strlen(name) + 1, "--dismount", TRUE, &result);
    command.args[0] = close.args[0] = result.header.values[0];
    fltvm_result_clear(&result);
    if (result.header.status < 0 || (guint32)result.header.status == FLTVM_LUA_STATUS_TIMEOUT)
        return; /* a filter refuses it, or it is dismounted already */
    command.args[1] = FSCTL_DISMOUNT_VOLUME;
    lua_pushliteral(lua, "");
    begin(lua, machine, FLTVM_STEP_DISMOUNT, &command);
    lua_pushliteral(lua, "");
    begin(lua, machine, FLTVM_STEP_DISMOUNT, &close);
}

/* Each volume of the machine that owns what is on top. */
static void dismount(lua_State *lua, FltvmMachine *machine)
{
    int top = lua_gettop(lua);
    lua_Integer count;

    push_machine(lua);
    lua_getfield(lua, -1, "volumes");
    lua_pushvalue(lua, -2);
    lua_call(lua, 1, 1);
    count = luaL_len(lua, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(lua, top + 2, i);
        lua_getfield(lua, -1, "name");
        dismount_volume(lua, machine, lua_tostring(lua, -1));
        lua_settop(lua, top + 2);
    }
    lua_settop(lua, top);
}

static void kill_process(lua_State *lua, FltvmMachine *machine)
{
    const FltvmLuaProcess *process = luaL_testudata(lua, -1, FLTVM_LUA_PROCESS);
    struct fltvm_command command = {.op = FLTVM_COMMAND_PROCESS_END};

    if (!process || process->machine != machine)
        return;
    command.args[0] = process->id;
    command.args[1] = 1;
    lua_pushliteral(lua, "");
    begin(lua, machine, FLTVM_STEP_KILL, &command);
}

static void cancel(lua_State *lua, FltvmMachine *machine)
{
    const FltvmLuaFile *file = luaL_checkudata(lua, -1, FLTVM_LUA_FILE);
    struct fltvm_command command = {.op = FLTVM_COMMAND_CANCEL, .user = file->user, .thread = FLTVM_COMMAND_THREAD_MAX};

    command.args[0] = file->handle;
    lua_pushliteral(lua, "");
    begin(lua, machine, FLTVM_STEP_CANCEL, &command);
}

/* --- steps ----------------------------------------------------------------------------------------------- */

/* What each step wants of a value that the script has made; with the value on top of the stack. */
static guint offers_of(lua_State *lua, const FltvmMachine *machine)
{
    const FltvmLuaFile *file = luaL_testudata(lua, -1, FLTVM_LUA_FILE);
    const FltvmLuaProcess *process = luaL_testudata(lua, -1, FLTVM_LUA_PROCESS);
    guint mask = fltvm_lua_is_loaded(lua, machine) ? 1u << FLTVM_STEP_UNLOAD : 0;

    if (fltvm_lua_filter_name(lua, machine))
        mask |= 1u << FLTVM_STEP_DETACH;
    if (file && file->open && file->machine == machine)
        mask |= 1u << FLTVM_STEP_DISMOUNT | 1u << FLTVM_STEP_CANCEL;
    if (process && process->machine == machine)
        mask |= 1u << FLTVM_STEP_KILL;
    return mask;
}

static void act(lua_State *lua, FltvmMachine *machine, FltvmStep step)
{
    static void (*const acts[FLTVM_STEPS])(lua_State *lua, FltvmMachine *machine) = {
        [FLTVM_STEP_UNLOAD] = unload,     [FLTVM_STEP_DETACH] = detach, [FLTVM_STEP_DISMOUNT] = dismount,
        [FLTVM_STEP_KILL] = kill_process, [FLTVM_STEP_CANCEL] = cancel,
    };
    int top = lua_gettop(lua);
    lua_Integer count;

    fltvm_lua_push_opened(lua);
    count = luaL_len(lua, -1);
    for (lua_Integer i = count - 1; i > 0; i -= 2) {
        lua_geti(lua, top + 1, i);
        if ((offers_of(lua, machine) & (1u << step)) != 0) {
            acts[step](lua, machine);
            if (step == FLTVM_STEP_DISMOUNT)
                break; /* all volumes at once */
        }
        lua_settop(lua, top + 1);
    }
    lua_settop(lua, top);
}

static void note_offers(lua_State *lua, Counter *counter)
{
    int top = lua_gettop(lua);
    lua_Integer count;
    guint mask = 0;

    fltvm_lua_push_opened(lua);
    count = luaL_len(lua, -1);
    for (lua_Integer i = 1; i < count; i += 2) {
        lua_geti(lua, top + 1, i);
        mask |= offers_of(lua, counter->machine);
        lua_pop(lua, 1);
    }
    lua_settop(lua, top);
    if (!counter->pending)
        mask &= ~(1u << FLTVM_STEP_CANCEL);
    g_string_append_c(counter->offers, (char)('0' + mask));
}

/* What is no operation of the script's, or is made to be repeated until something has happened. */
static gboolean is_step(const struct fltvm_command *command)
{
    switch (command->op) {
    case FLTVM_COMMAND_PING:
    case FLTVM_COMMAND_STAGE:
    case FLTVM_COMMAND_FETCH:
    case FLTVM_COMMAND_RELEASE:
    case FLTVM_COMMAND_STACKS:
    case FLTVM_COMMAND_POOL:
    case FLTVM_COMMAND_MEMORY:
    case FLTVM_COMMAND_POLL:
    case FLTVM_COMMAND_CHOOSE:
    case FLTVM_COMMAND_REGISTRY: return FALSE;
    case FLTVM_COMMAND_PROCESS:
    case FLTVM_COMMAND_PROCESS_SERVE: return command->args[3] == 0; /* one of the script's own */
    default: return TRUE;
    }
}

void fltvm_lua_step(lua_State *lua, FltvmMachine *machine, const struct fltvm_command *command)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    FltvmSteps *steps = scenario->steps;
    const guint64 *numbers = scenario->defaults->choice.step;
    Counter *counter;

    if (steps->acting || !is_step(command))
        return;
    counter = find_counter(steps, machine);
    if (!counter) {
        Counter fresh = {machine, 0, 0, g_string_new(NULL)};
        g_array_append_val(steps->counters, fresh);
        counter = find_counter(steps, machine);
    }
    counter->count++;
    if (scenario->lists)
        note_offers(lua, counter);
    for (guint step = 0; step < FLTVM_STEPS; step++) {
        if (numbers[step] != counter->count)
            continue;
        fltvm_lua_push_where(lua);
        fltvm_account_note(scenario->session.account, "%s--%s %" G_GUINT64_FORMAT " acts here", lua_tostring(lua, -1),
                           fltvm_choice_step_option(step), numbers[step]);
        lua_pop(lua, 1);
        steps->acting = steps->acted = TRUE;
        act(lua, machine, step);
        steps->acting = FALSE;
    }
    if (command->flags & FLTVM_COMMAND_FLAG_ASYNC)
        counter->pending++;
    else if (command->op == FLTVM_COMMAND_WAIT && counter->pending)
        counter->pending--;
}

static int settle(lua_State *lua)
{
    FltvmSteps *steps = fltvm_lua_scenario(lua)->steps;

    for (guint i = 0; i < steps->begun->len; i++) {
        const Begun *begun = &g_array_index(steps->begun, Begun, i);
        struct fltvm_command wait = {.op = FLTVM_COMMAND_WAIT, .args = {begun->id}};
        struct fltvm_command release = {.op = FLTVM_COMMAND_RELEASE};
        FltvmResult result = {0};
        lua_pushfstring(lua, "--%s", fltvm_choice_step_option(begun->step));
        if (fltvm_machine_state(begun->machine) != FLTVM_MACHINE_RUNNING)
            continue;
        wait.timeout_ns = fltvm_lua_timeout(lua, 0);
        fltvm_lua_command(lua, begun->machine, &wait, NULL, 0, lua_tostring(lua, -1), TRUE, &result);
        release.args[0] = result.header.operation;
        fltvm_result_clear(&result);
        if ((guint32)result.header.status == FLTVM_LUA_STATUS_TIMEOUT)
            fltvm_lua_raise_timeout(lua, begun->machine, lua_tostring(lua, -1), wait.timeout_ns);
        if (!release.args[0])
            continue;
        fltvm_lua_command(lua, begun->machine, &release, NULL, 0, lua_tostring(lua, -1), TRUE, &result);
        fltvm_result_clear(&result);
    }
    return 0;
}

void fltvm_steps_settle(FltvmScenario *scenario)
{
    if (scenario->fatal || !scenario->steps->begun->len)
        return;
    scenario->steps->acting = TRUE;
    lua_pushcfunction(scenario->lua, settle);
    if (lua_pcall(scenario->lua, 0, 0, 0) != LUA_OK)
        lua_pop(scenario->lua, 1);
}
