/* SPDX-License-Identifier: GPL-2.0-or-later */
/* INF files in machine:load: read, refused with their lines, or carried out. */
#include <lauxlib.h>
#include <string.h>

#include "error.h"
#include "lua_inf.h"

#define INF_TYPE  "fltvm.inf"
#define TOLD_MOST 20

enum { SERVICE_KERNEL_DRIVER_ = 1, SERVICE_FILE_SYSTEM_DRIVER_ = 2, SERVICE_RECOGNIZER_DRIVER_ = 8 };

static int inf_gc(lua_State *lua)
{
    FltvmInf **holder = lua_touserdata(lua, 1);

    g_clear_pointer(holder, fltvm_inf_free);
    return 0;
}

/* An empty holder on the stack, so that nothing is lost when an error is raised. */
static FltvmInf **push_holder(lua_State *lua)
{
    FltvmInf **holder = lua_newuserdatauv(lua, sizeof(FltvmInf *), 1);

    *holder = NULL;
    if (luaL_newmetatable(lua, INF_TYPE)) {
        lua_pushcfunction(lua, inf_gc);
        lua_setfield(lua, -2, "__gc");
    }
    lua_setmetatable(lua, -2);
    return holder;
}

static void tell_problems(lua_State *lua, const FltvmInf *inf)
{
    g_autoptr(GString) errors = g_string_new(NULL);
    guint told = 0;

    for (guint i = 0; i < inf->problems->len; i++) {
        const FltvmInfProblem *problem = inf->problems->pdata[i];
        g_autofree char *text = fltvm_inf_problem_text(inf, problem);
        if (problem->level != FLTVM_INF_ERROR)
            fltvm_account_note(fltvm_lua_scenario(lua)->session.account, "%s", text);
        else if (told++ < TOLD_MOST)
            g_string_append_printf(errors, "%s%s", errors->len ? "\n" : "", text);
    }
    if (inf->errors > TOLD_MOST)
        g_string_append_printf(errors, "\nand %u more errors", inf->errors - TOLD_MOST);
    if (inf->errors) {
        GError *error = g_error_new_literal(FLTVM_ERROR, FLTVM_ERROR_USAGE, errors->str);
        g_string_free(g_steal_pointer(&errors), TRUE); /* what follows does not return */
        fltvm_lua_raise(lua, error);
    }
}

static gboolean is_driver(const FltvmInfService *service)
{
    return service->type == SERVICE_KERNEL_DRIVER_ || service->type == SERVICE_FILE_SYSTEM_DRIVER_ ||
           service->type == SERVICE_RECOGNIZER_DRIVER_;
}

static FltvmInfService *choose_service(lua_State *lua, const FltvmInf *inf, const char *wanted)
{
    for (guint i = 0; i < inf->services->len; i++) {
        FltvmInfService *service = inf->services->pdata[i];
        if (wanted ? g_ascii_strcasecmp(service->name, wanted) == 0 : is_driver(service)) {
            if (!is_driver(service))
                luaL_error(lua, "%s:%d: the service '%s' is no driver (ServiceType 0x%x)", inf->name,
                           (int)service->line, service->name, (int)service->type);
            return service;
        }
    }
    luaL_error(lua, "%s: it installs no %s%s", inf->name, wanted ? "service " : "driver's service",
               wanted ? wanted : "");
    return NULL;
}

/* The image beside it, as a text that lives as long as the holder on the top of the stack. */
static const char *find_image(lua_State *lua, FltvmInf *inf, const char *path, const FltvmInfService *service)
{
    char *found = fltvm_inf_find_image(inf, path, service);
    const char *kept;

    lua_pushstring(lua, found); /* nil for NULL */
    g_free(found);
    kept = lua_tostring(lua, -1);
    lua_setiuservalue(lua, -2, 1);
    return kept;
}

FltvmInf *fltvm_lua_read_inf(lua_State *lua, const char *path, const char *wanted, FltvmInfService **service,
                             const char **image)
{
    FltvmInf **holder = push_holder(lua);
    GError *error = NULL;

    *holder = fltvm_inf_read(path, &error);
    if (!*holder)
        fltvm_lua_raise(lua, error);
    tell_problems(lua, *holder);
    *service = choose_service(lua, *holder, wanted);
    *image = find_image(lua, *holder, path, *service);
    return *holder;
}

void fltvm_lua_install_inf(lua_State *lua, FltvmMachine *machine, const FltvmInf *inf)
{
    for (guint i = 0; i < inf->operations->len; i++) {
        const FltvmInfOperation *operation = inf->operations->pdata[i];
        fltvm_lua_set_value(lua, machine, operation->key, operation->value, operation->type, operation->flags,
                            operation->data->len ? (const char *)operation->data->data : "", operation->data->len);
    }
}

gboolean fltvm_lua_inf_has_instances(const FltvmInf *inf, const FltvmInfService *service)
{
    for (guint i = service->first; i < service->behind; i++) {
        const FltvmInfOperation *operation = inf->operations->pdata[i];
        if (g_ascii_strcasecmp(operation->value, "DefaultInstance") == 0)
            return TRUE;
    }
    return FALSE;
}
