/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Communication ports in Lua: the client that a filter talks to, as a program with fltlib is.  A connection is a file of
 * the filter manager's message device, and each of its words a control of that file (abi/fltctl.h); so
 * they are written in terms of files, in Lua.
 */
#include <lauxlib.h>

#include "lua_fields.h"
#include "lua_machine.h"
#include "abi/fltctl.h"
#include "vocabulary.h"

/* MESSAGE and REPLY are the layouts of FILTER_MESSAGE_HEADER and FILTER_REPLY_HEADER. */
static const char words[] =
    "local machine, device, connect, get, reply, send, name_max, check_connect, check_get = ...\n"
    "local MESSAGE, REPLY, LARGEST = '<I4xxxxI8', '<i4xxxxI8', 65536\n"
    "local port, waiting = {}, {}\n"
    "port.__index, waiting.__index = port, waiting\n"
    "port.__name = 'port'\n"
    "local function wide(text)\n"
    "  local units = {}\n"
    "  for _, code in utf8.codes(text) do\n"
    "    if code > 0xFFFF then error('a port\\'s name has a character beyond U+FFFF', 3) end\n"
    "    units[#units + 1] = string.pack('<I2', code)\n"
    "  end\n"
    "  if #units == 0 or #units >= name_max then error('a port\\'s name has 1 to ' .. name_max - 1 .. ' characters', "
    "3) end\n"
    "  return table.concat(units) .. ('\\0\\0'):rep(name_max - #units)\n"
    "end\n"
    "local function message(bytes)\n"
    "  local reply_length, id = MESSAGE:unpack(bytes)\n"
    "  return { id = id, data = bytes:sub(17), wants_reply = reply_length > 0,\n"
    "           reply_length = reply_length > 0 and reply_length - 16 or 0 }\n"
    "end\n"
    "function machine:port(options)\n"
    "  if type(options) == 'string' then options = { name = options } end\n"
    "  check_connect(options)\n"
    "  if not options or not options.name then error('machine:port wants the port\\'s name', 2) end\n"
    "  local name = wide(options.name)\n"
    "  local file = self:open(device, { async = true, user = options.user })\n"
    "  local ok, problem = pcall(file.ioctl, file, connect, name .. (options.context or ''))\n"
    "  if not ok then file:close() error(problem, 0) end\n"
    "  return setmetatable({ file = file }, port)\n"
    "end\n"
    "function port:get(options)\n"
    "  check_get(options)\n"
    "  return message(self.file:ioctl(get, '', options and options.size or LARGEST))\n"
    "end\n"
    "function port:get_async(options)\n"
    "  check_get(options)\n"
    "  return setmetatable({ operation = self.file:ioctl_async(get, '', options and options.size or LARGEST) }, "
    "waiting)\n"
    "end\n"
    "function port:reply(id, data, status)\n"
    "  if type(id) == 'table' then id = id.id end\n"
    "  self.file:ioctl(reply, REPLY:pack(status or 0, id) .. (data or ''))\n"
    "end\n"
    "function port:send(data, size) return self.file:ioctl(send, data or '', size or 0) end\n"
    "function port:close() self.file:close() end\n"
    "function waiting:wait(...) return message(self.operation:wait(...)) end\n"
    "function waiting:done(...) return self.operation:done(...) end\n";

static int check_connect(lua_State *lua)
{
    static const FltvmLuaField known[] = {
        {"name", FLTVM_LUA_TEXT}, {"context", FLTVM_LUA_TEXT}, {"user", FLTVM_LUA_TEXT}, {NULL, 0}};

    fltvm_lua_check_fields(lua, 1, "machine:port", known);
    return 0;
}

static int check_get(lua_State *lua)
{
    static const FltvmLuaField known[] = {{"size", FLTVM_LUA_NUMBER}, {NULL, 0}};

    fltvm_lua_check_fields(lua, 1, "port:get", known);
    return 0;
}

void fltvm_lua_open_port(lua_State *lua)
{
    if (luaL_loadbufferx(lua, words, sizeof(words) - 1, "=port", "t") != LUA_OK)
        lua_error(lua);
    luaL_getmetatable(lua, FLTVM_LUA_MACHINE);
    lua_pushliteral(lua, FLTVM_FLTMSG_DEVICE);
    lua_pushinteger(lua, FLTVM_FLTMSG_CONNECT);
    lua_pushinteger(lua, FLTVM_FLTMSG_GET);
    lua_pushinteger(lua, FLTVM_FLTMSG_REPLY);
    lua_pushinteger(lua, FLTVM_FLTMSG_SEND);
    lua_pushinteger(lua, FLTVM_FLTCTL_NAME_MAX);
    lua_pushcfunction(lua, check_connect);
    lua_pushcfunction(lua, check_get);
    lua_call(lua, 9, 0);
}
