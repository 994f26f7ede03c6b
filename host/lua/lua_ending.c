/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a machine is expected to end, in Lua: expect_bugcheck, expect_hang. */
#include "lua_ending.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_fields.h"
#include "lua_show.h"
#include "names.h"
#include "vocabulary.h"

/* --- bugchecks ----------------------------------------------------------------------------------------- */

/* The machine that bugchecked last, if one did. */
static FltvmBugcheck *last_bugcheck(FltvmScenario *scenario)
{
    for (guint i = scenario->machines->len; i-- > 0;) {
        FltvmBugcheck *bugcheck = fltvm_machine_bugcheck(scenario->machines->pdata[i]);
        if (bugcheck)
            return bugcheck;
    }
    return NULL;
}

/* "x" and "x.sys" name x.sys, "ntoskrnl" ntoskrnl.exe. */
static gboolean same_driver(const char *found, const char *wanted)
{
    gsize length = strlen(wanted);

    return found && g_ascii_strncasecmp(found, wanted, length) == 0 &&
           (!found[length] || (found[length] == '.' && !strchr(wanted, '.')));
}

/* "Read" and "x!Read" name the routine "x!Read". */
static gboolean same_routine(const char *found, const char *wanted)
{
    const char *mark = found ? strchr(found, '!') : NULL;

    return found && (g_str_equal(found, wanted) || (mark && g_str_equal(mark + 1, wanted)));
}

/* "x.c:12" names the line "tests/io/x.c:12". */
static gboolean same_line(const char *found, const char *wanted)
{
    gsize length = found ? strlen(found) : 0, tail = strlen(wanted);

    return found && g_str_has_suffix(found, wanted) && (length == tail || found[length - tail - 1] == '/');
}

/* The code that the table at `index` wants, if it says. */
static void get_code(lua_State *lua, int index, guint32 *code)
{
    int type = lua_getfield(lua, index, "code");

    if (type == LUA_TSTRING && !fltvm_bugcheck_value(lua_tostring(lua, -1), code)) {
        char *hint = fltvm_bugcheck_hint(lua_tostring(lua, -1));
        lua_pushfstring(lua, "'%s' is not the name of a bugcheck%s", lua_tostring(lua, -1), hint);
        g_free(hint);
        luaL_error(lua, "%s", lua_tostring(lua, -1));
    }
    lua_pop(lua, 1);
    if (type == LUA_TNUMBER)
        *code = fltvm_lua_u32_field(lua, index, "code", 0);
}

/* Refuse what could not be told from anything: an empty text is in every text. */
static void check_wanted(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"[n]", FLTVM_LUA_FUNCTION},
                                          {"code", FLTVM_LUA_NUMBER | FLTVM_LUA_TEXT},
                                          {"p1", FLTVM_LUA_NUMBER},
                                          {"p2", FLTVM_LUA_NUMBER},
                                          {"p3", FLTVM_LUA_NUMBER},
                                          {"p4", FLTVM_LUA_NUMBER},
                                          {"driver", FLTVM_LUA_TEXT},
                                          {"routine", FLTVM_LUA_TEXT},
                                          {"line", FLTVM_LUA_TEXT},
                                          {"text", FLTVM_LUA_TEXT},
                                          {"what", FLTVM_LUA_TEXT},
                                          {"quiet", FLTVM_LUA_BOOLEAN},
                                          {NULL, 0}};
    static const char *const texts[] = {"driver", "routine", "line", "text"};
    guint32 code = 0;

    fltvm_lua_check_fields(lua, 1, "expect_bugcheck", known);
    get_code(lua, 1, &code);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *text = fltvm_lua_string_field(lua, 1, texts[i], NULL);
        if (text && !*text)
            luaL_error(lua, "expect_bugcheck: %s is empty", texts[i]);
    }
}

/* The function is the table's first value or the second argument; it comes to 2. */
static void take_function(lua_State *lua)
{
    if (lua_isnil(lua, 2)) {
        lua_geti(lua, 1, 1);
        lua_replace(lua, 2);
    }
    if (!lua_isnil(lua, 2))
        luaL_checktype(lua, 2, LUA_TFUNCTION);
}

/* What the table at `index` wants and the bugcheck is not; NULL when it is as wanted. */
static char *mismatch(lua_State *lua, int index, const FltvmBugcheck *bugcheck)
{
    const char *driver = fltvm_lua_string_field(lua, index, "driver", NULL);
    const char *routine = fltvm_lua_string_field(lua, index, "routine", NULL);
    const char *line = fltvm_lua_string_field(lua, index, "line", NULL);
    const char *text = fltvm_lua_string_field(lua, index, "text", NULL);
    guint32 code = bugcheck->header.code;

    get_code(lua, index, &code);
    if (code != bugcheck->header.code)
        return g_strdup_printf("the code is 0x%X, expected 0x%X", bugcheck->header.code, code);
    for (guint i = 0; i < 4; i++) {
        char name[] = {'p', (char)('1' + i), 0};
        gint64 value = fltvm_lua_integer_field(lua, index, name, (gint64)bugcheck->header.parameters[i]);
        if ((guint64)value != bugcheck->header.parameters[i])
            return g_strdup_printf("parameter %u is 0x%" G_GINT64_MODIFIER "x, expected 0x%" G_GINT64_MODIFIER "x",
                                   i + 1, bugcheck->header.parameters[i], value);
    }
    if (driver && !same_driver(bugcheck->driver, driver))
        return g_strdup_printf("it blames %s, expected %s", bugcheck->driver ? bugcheck->driver : "no driver", driver);
    if (routine && !same_routine(bugcheck->routine, routine))
        return g_strdup_printf("it blames %s, expected %s", bugcheck->routine ? bugcheck->routine : "no routine",
                               routine);
    if (line && !same_line(bugcheck->line, line))
        return g_strdup_printf("it blames %s, expected %s", bugcheck->line ? bugcheck->line : "no line", line);
    if (text && !strstr(bugcheck->text, text))
        return g_strdup_printf("its report does not say '%s'", text);
    return NULL;
}

/* Judge a bugcheck against the table at `index`, as one check; shows its report. */
static void judge(lua_State *lua, int index, const FltvmBugcheck *bugcheck, const char *instead)
{
    FltvmAccount *account = fltvm_lua_scenario(lua)->session.account;
    const char *what = fltvm_lua_string_field(lua, index, "what", "the guest bugchecks as expected");
    g_autofree char *detail = NULL;
    char *difference;

    if (!bugcheck) {
        detail = g_strconcat("the guest did not bugcheck", instead ? ": " : NULL, instead, NULL);
        fltvm_account_check(account, FLTVM_CHECK_FAIL, what, detail);
        return;
    }
    difference = mismatch(lua, index, bugcheck);
    if (!difference && !fltvm_lua_boolean_field(lua, index, "quiet", FALSE))
        fltvm_account_block(account, bugcheck->text);
    detail = difference ? g_strconcat(difference, "\n", bugcheck->text, NULL) : NULL;
    g_free(difference);
    fltvm_account_check(account, detail ? FLTVM_CHECK_FAIL : FLTVM_CHECK_PASS, what, detail);
    if (detail)
        account->status = MAX(account->status, FLTVM_ERROR_BUGCHECK);
}

static void push_bugcheck(lua_State *lua, const FltvmBugcheck *bugcheck)
{
    lua_newtable(lua);
    lua_pushinteger(lua, bugcheck->header.code);
    lua_setfield(lua, -2, "code");
    lua_pushstring(lua, fltvm_bugcheck_name(bugcheck->header.code));
    lua_setfield(lua, -2, "name");
    for (int i = 0; i < 4; i++) {
        char name[] = {'p', (char)('1' + i), 0};
        lua_pushinteger(lua, (lua_Integer)bugcheck->header.parameters[i]);
        lua_setfield(lua, -2, name);
    }
    lua_pushstring(lua, bugcheck->driver);
    lua_setfield(lua, -2, "driver");
    lua_pushstring(lua, bugcheck->routine);
    lua_setfield(lua, -2, "routine");
    lua_pushstring(lua, bugcheck->line);
    lua_setfield(lua, -2, "line");
    lua_pushstring(lua, bugcheck->text);
    lua_setfield(lua, -2, "text");
}

/*
 * expect_bugcheck{code=, p1=…p4=, driver=, routine=, line=, text=, what=, [function]}: with a function, that
 * function ends in this bugcheck, and the bugcheck is returned; without, the rest of the scenario does.
 */
static int lua_expect_bugcheck(lua_State *lua)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    FltvmBugcheck *before = last_bugcheck(scenario), *bugcheck;
    guint failed = scenario->session.account->failed;
    const char *instead = NULL; /* an error of the function's that was no bugcheck */

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    check_wanted(lua);
    take_function(lua);
    if (lua_isnil(lua, 2)) {
        lua_pushvalue(lua, 1);
        scenario->bugcheck_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
        scenario->expects_bugcheck = TRUE;
        return 0;
    }
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        gboolean is_bugcheck = scenario->fatal && fltvm_error_exit_status(scenario->fatal) == FLTVM_ERROR_BUGCHECK;
        if (!is_bugcheck && (scenario->fatal || fltvm_lua_gave_up(lua, -1)))
            return lua_error(lua);
        instead = is_bugcheck ? NULL : fltvm_lua_push_safe_text(lua, -1);
    }
    bugcheck = last_bugcheck(scenario);
    if (bugcheck == before)
        bugcheck = NULL;
    g_clear_error(&scenario->fatal);
    judge(lua, 1, bugcheck, instead);
    if (scenario->session.account->failed > failed && !scenario->keep_going)
        fltvm_lua_give_up(lua);
    if (!bugcheck)
        return 0;
    push_bugcheck(lua, bugcheck);
    return 1;
}

/* Called in protected mode, so that a wrong table cannot end the command. */
static int settle(lua_State *lua)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    lua_rawgeti(lua, LUA_REGISTRYINDEX, scenario->bugcheck_reference);
    judge(lua, lua_gettop(lua), last_bugcheck(scenario), NULL);
    return 0;
}

void fltvm_lua_settle_bugcheck(FltvmScenario *scenario)
{
    lua_State *lua = scenario->lua;

    if (!scenario->expects_bugcheck || (scenario->fatal && !last_bugcheck(scenario)))
        return;
    lua_pushcfunction(lua, settle);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        g_autoptr(GError) error = g_error_new(FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", fltvm_lua_push_safe_text(lua, -1));
        fltvm_account_error(scenario->session.account, error);
    }
}

/* --- hangs --------------------------------------------------------------------------------------------- */

/* {operation=, timeout=, stacks=} of the hang; it is forgotten. */
static void push_hang(lua_State *lua, FltvmHang *hang)
{
    lua_createtable(lua, 0, 3);
    lua_pushstring(lua, hang->operation);
    lua_setfield(lua, -2, "operation");
    lua_pushnumber(lua, (lua_Number)hang->timeout_ns / 1e6);
    lua_setfield(lua, -2, "timeout");
    lua_pushstring(lua, hang->stacks);
    lua_setfield(lua, -2, "stacks");
    fltvm_hang_clear(hang);
}

/* What the table at 1 wants and the hang is not; NULL when it is as wanted. */
static char *hang_mismatch(lua_State *lua, const FltvmHang *hang)
{
    const char *operation = fltvm_lua_string_field(lua, 1, "operation", NULL);
    const char *text = fltvm_lua_string_field(lua, 1, "text", NULL);

    if (operation && !strstr(hang->operation, operation))
        return g_strdup_printf("what is not done is '%s', expected '%s'", hang->operation, operation);
    if (text && !strstr(hang->stacks, text))
        return g_strdup_printf("the stacks do not say '%s'\n%s", text, hang->stacks);
    return NULL;
}

/*
 * expect_hang{operation=, text=, what=, quiet=, function} -> {operation=, timeout=, stacks=}: the function ends in an
 * operation that is not done after its time of the guest's.  The machine is dead afterwards.
 */
static int lua_expect_hang(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"[n]", FLTVM_LUA_FUNCTION},  {"operation", FLTVM_LUA_TEXT},
                                          {"text", FLTVM_LUA_TEXT},     {"what", FLTVM_LUA_TEXT},
                                          {"quiet", FLTVM_LUA_BOOLEAN}, {NULL, 0}};
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    const char *what, *instead = NULL;
    char *detail = NULL;

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    fltvm_lua_check_fields(lua, 1, "expect_hang", known);
    take_function(lua);
    luaL_checktype(lua, 2, LUA_TFUNCTION);
    what = fltvm_lua_string_field(lua, 1, "what", "the guest hangs as expected");
    fltvm_hang_clear(&scenario->hang);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        if (!scenario->hang.machine && (scenario->fatal || fltvm_lua_gave_up(lua, -1)))
            return lua_error(lua);
        instead = fltvm_lua_push_safe_text(lua, -1);
    }
    if (!scenario->hang.machine) {
        lua_pushfstring(lua, "the guest did not hang%s%s", instead ? ": " : "", instead ? instead : "");
        fltvm_lua_check(lua, FALSE, what, lua_tostring(lua, -1));
        return 0;
    }
    g_clear_error(&scenario->fatal);
    fltvm_machine_abandon(scenario->hang.machine);
    detail = hang_mismatch(lua, &scenario->hang);
    if (!detail && !fltvm_lua_boolean_field(lua, 1, "quiet", FALSE))
        fltvm_account_block(scenario->session.account, instead);
    push_hang(lua, &scenario->hang);
    lua_pushstring(lua, detail);
    g_free(detail);
    fltvm_lua_check(lua, lua_isnil(lua, -1), what, lua_tostring(lua, -1));
    lua_pop(lua, 1);
    return 1;
}

void fltvm_lua_open_ending(lua_State *lua)
{
    lua_pushcfunction(lua, lua_expect_bugcheck);
    lua_setglobal(lua, "expect_bugcheck");
    lua_pushcfunction(lua, lua_expect_hang);
    lua_setglobal(lua, "expect_hang");
}
