/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expectations in Lua: expect, expect_equal, expect_status, expect_log, expect_bugcheck, skip. */
#include "lua_expect.h"

#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_compare.h"
#include "lua_show.h"
#include "names.h"
#include "vocabulary.h"

/* expect(condition [, what]) */
static int lua_expect(lua_State *lua)
{
    const char *what = luaL_optstring(lua, 2, "expect");

    luaL_checkany(lua, 1);
    fltvm_lua_check(lua, lua_toboolean(lua, 1), what, NULL);
    return 0;
}

/* expect_equal(found, wanted [, what]) */
static int lua_expect_equal(lua_State *lua)
{
    const char *what = luaL_optstring(lua, 3, "expect_equal");
    gboolean same;

    luaL_checkany(lua, 2);
    lua_settop(lua, 3);
    same = fltvm_lua_equal(lua, 1, 2);
    fltvm_lua_check(lua, same, what, same ? NULL : lua_tostring(lua, -1));
    return 0;
}

/* A status as a script gives it: a name or a number. */
static guint32 check_status(lua_State *lua, int index)
{
    guint32 status = 0;

    if (lua_type(lua, index) == LUA_TNUMBER)
        return (guint32)luaL_checkinteger(lua, index);
    if (!fltvm_status_value(luaL_checkstring(lua, index), &status))
        luaL_error(lua, "'%s' is not the name of an NTSTATUS", lua_tostring(lua, index));
    return status;
}

/* expect_status(status, function [, what]): the function fails with this status. */
static int lua_expect_status(lua_State *lua)
{
    guint32 wanted = check_status(lua, 1), found = 0;
    g_autofree char *wanted_text = fltvm_status_text(wanted), *found_text = NULL;
    const char *what = lua_tostring(lua, 3);
    FltvmScenario *scenario = fltvm_lua_scenario(lua);

    lua_settop(lua, 3);
    lua_pushvalue(lua, 2);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        if (scenario->fatal || !lua_istable(lua, -1) || lua_getfield(lua, -1, "status") != LUA_TNUMBER) {
            lua_settop(lua, 4);
            g_clear_pointer(&wanted_text, g_free);
            return lua_error(lua);
        }
        found = (guint32)lua_tointeger(lua, -1);
    }
    found_text = fltvm_status_text(found);
    lua_pushfstring(lua, "found %s, expected %s", found_text, wanted_text);
    if (!what) {
        lua_pushfstring(lua, "fails with %s", wanted_text);
        what = lua_tostring(lua, -1);
        lua_insert(lua, -2);
    }
    g_clear_pointer(&wanted_text, g_free);
    g_clear_pointer(&found_text, g_free);
    fltvm_lua_check(lua, found == wanted, what, lua_tostring(lua, -1));
    return 0;
}

/* expect_log(pattern [, what]): a guest line so far matches the Lua pattern; returns its captures. */
static int lua_expect_log(lua_State *lua)
{
    const char *pattern = luaL_checkstring(lua, 1);
    FltvmAccount *account = fltvm_lua_scenario(lua)->session.account;
    const char *what;

    lua_settop(lua, 2);
    what = lua_isnil(lua, 2) ? lua_pushfstring(lua, "the guest logs '%s'", pattern) : lua_tostring(lua, 2);
    for (guint i = 0; i < account->lines->len; i++) {
        int top = lua_gettop(lua);
        lua_getglobal(lua, "string");
        lua_getfield(lua, -1, "match");
        lua_remove(lua, -2);
        lua_pushstring(lua, account->lines->pdata[i]);
        lua_pushvalue(lua, 1);
        lua_call(lua, 2, LUA_MULTRET);
        if (!lua_isnil(lua, top + 1)) {
            fltvm_lua_check(lua, TRUE, what, NULL);
            return lua_gettop(lua) - top;
        }
        lua_settop(lua, top);
    }
    lua_pushfstring(lua, "none of %d lines matches", (int)account->lines->len);
    fltvm_lua_check(lua, FALSE, what, lua_tostring(lua, -1));
    return 0;
}

/* fltvm.log() -> every guest line so far */
static int lua_log(lua_State *lua)
{
    FltvmAccount *account = fltvm_lua_scenario(lua)->session.account;

    lua_createtable(lua, (int)account->lines->len, 0);
    for (guint i = 0; i < account->lines->len; i++) {
        lua_pushstring(lua, account->lines->pdata[i]);
        lua_seti(lua, -2, i + 1);
    }
    return 1;
}

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

/* "Read" and "x!Read" name the routine "x!Read". */
static gboolean same_routine(const char *found, const char *wanted)
{
    const char *mark = found ? strchr(found, '!') : NULL;

    return found && (g_str_equal(found, wanted) || (mark && g_str_equal(mark + 1, wanted)));
}

/* "x.c:12" names the line "tests/scenarios/x.c:12". */
static gboolean same_line(const char *found, const char *wanted)
{
    gsize length = found ? strlen(found) : 0, tail = strlen(wanted);

    return found && g_str_has_suffix(found, wanted) && (length == tail || found[length - tail - 1] == '/');
}

/* What the table at `index` wants and the bugcheck is not; NULL when it is as wanted. */
static char *mismatch(lua_State *lua, int index, const FltvmBugcheck *bugcheck)
{
    const char *driver = fltvm_lua_string_field(lua, index, "driver", NULL);
    const char *routine = fltvm_lua_string_field(lua, index, "routine", NULL);
    const char *line = fltvm_lua_string_field(lua, index, "line", NULL);
    const char *text = fltvm_lua_string_field(lua, index, "text", NULL);
    guint32 code = bugcheck->header.code;
    int type = lua_getfield(lua, index, "code");

    if (type == LUA_TSTRING && !fltvm_bugcheck_value(lua_tostring(lua, -1), &code)) {
        luaL_error(lua, "'%s' is not the name of a bugcheck", lua_tostring(lua, -1));
    } else if (type == LUA_TNUMBER) {
        code = (guint32)lua_tointeger(lua, -1);
    }
    lua_pop(lua, 1);
    if (code != bugcheck->header.code)
        return g_strdup_printf("the code is 0x%X, expected 0x%X", bugcheck->header.code, code);
    for (guint i = 0; i < 4; i++) {
        char name[] = {'p', (char)('1' + i), 0};
        gint64 value = fltvm_lua_integer_field(lua, index, name, (gint64)bugcheck->header.parameters[i]);
        if ((guint64)value != bugcheck->header.parameters[i])
            return g_strdup_printf("parameter %u is 0x%" G_GINT64_MODIFIER "x, expected 0x%" G_GINT64_MODIFIER "x",
                                   i + 1, bugcheck->header.parameters[i], value);
    }
    if (driver && (!bugcheck->driver || g_ascii_strncasecmp(bugcheck->driver, driver, strlen(driver)) != 0))
        return g_strdup_printf("it blames %s, expected %s", bugcheck->driver ? bugcheck->driver : "no driver", driver);
    if (routine && !same_routine(bugcheck->routine, routine))
        return g_strdup_printf("it blames %s, expected %s", bugcheck->routine ? bugcheck->routine : "no routine", routine);
    if (line && !same_line(bugcheck->line, line))
        return g_strdup_printf("it blames %s, expected %s", bugcheck->line ? bugcheck->line : "no line", line);
    if (text && !strstr(bugcheck->text, text))
        return g_strdup_printf("its report does not say '%s'", text);
    return NULL;
}

/* Judge a bugcheck against the table at `index`, as one check; shows its report. */
static void judge(lua_State *lua, int index, const FltvmBugcheck *bugcheck)
{
    FltvmAccount *account = fltvm_lua_scenario(lua)->session.account;
    const char *what = fltvm_lua_string_field(lua, index, "what", "the guest bugchecks as expected");
    g_autofree char *detail = NULL;
    char *difference;

    if (!bugcheck) {
        fltvm_account_check(account, FLTVM_CHECK_FAIL, what, "the guest did not bugcheck");
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
 * expect_bugcheck{code=, p1=…p4=, driver=, routine=, line=, text=, what=, [function]}: with a function, that function ends in this
 * bugcheck, and the bugcheck is returned; without, the rest of the scenario does.
 */
static int lua_expect_bugcheck(lua_State *lua)
{
    FltvmScenario *scenario = fltvm_lua_scenario(lua);
    FltvmBugcheck *before = last_bugcheck(scenario), *bugcheck;
    guint failed = scenario->session.account->failed;

    luaL_checktype(lua, 1, LUA_TTABLE);
    lua_settop(lua, 2);
    if (lua_isnil(lua, 2)) {
        lua_geti(lua, 1, 1);
        lua_replace(lua, 2);
    }
    if (lua_isnil(lua, 2)) {
        lua_pushvalue(lua, 1);
        scenario->bugcheck_reference = luaL_ref(lua, LUA_REGISTRYINDEX);
        scenario->expects_bugcheck = TRUE;
        return 0;
    }
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        if (!scenario->fatal || fltvm_error_exit_status(scenario->fatal) != FLTVM_ERROR_BUGCHECK)
            return lua_error(lua);
    }
    bugcheck = last_bugcheck(scenario);
    if (bugcheck == before)
        bugcheck = NULL;
    g_clear_error(&scenario->fatal);
    judge(lua, 1, bugcheck);
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
    judge(lua, lua_gettop(lua), last_bugcheck(scenario));
    return 0;
}

void fltvm_lua_settle_bugcheck(FltvmScenario *scenario)
{
    lua_State *lua = scenario->lua;

    if (!scenario->expects_bugcheck || (scenario->fatal && !last_bugcheck(scenario)))
        return;
    lua_pushcfunction(lua, settle);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        g_autoptr(GError) error =
            g_error_new(FLTVM_ERROR, FLTVM_ERROR_USAGE, "%s", fltvm_lua_push_safe_text(lua, -1));
        fltvm_account_error(scenario->session.account, error);
    }
}

void fltvm_lua_open_expect(lua_State *lua)
{
    static const luaL_Reg globals[] = {{"expect", lua_expect},
                                       {"expect_equal", lua_expect_equal},
                                       {"expect_status", lua_expect_status},
                                       {"expect_log", lua_expect_log},
                                       {"expect_bugcheck", lua_expect_bugcheck},
                                       {NULL, NULL}};

    for (const luaL_Reg *entry = globals; entry->name; entry++) {
        lua_pushcfunction(lua, entry->func);
        lua_setglobal(lua, entry->name);
    }
    lua_getglobal(lua, "fltvm");
    lua_pushcfunction(lua, lua_log);
    lua_setfield(lua, -2, "log");
    lua_pop(lua, 1);
}
