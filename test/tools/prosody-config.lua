-- Prints what Prosody's own reader makes of a configuration: host, option, type and value, each value by itself.
package.path = "/usr/lib/prosody/?.lua;" .. package.path
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath
local configmanager = require "core.configmanager"

local ok, where, why = configmanager.load(arg[1], "lua")
if not ok then error(tostring(where) .. ": " .. tostring(why)) end
for i = 2, #arg do
  for option, value in pairs(rawget(configmanager.getconfig(), arg[i]) or {}) do
    for _, item in ipairs(type(value) == "table" and value or { value }) do
      io.write(arg[i], "\0", option, "\0", type(item), "\0", tostring(item), "\1")
    end
  end
end
