-- What Prosody's own reader makes of many small configurations: files of one folder, named by number. Each line is one: "no", or the options of all
-- hosts and of host h, sorted.
package.path = "/usr/lib/prosody/?.lua;" .. package.path
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath
local configmanager = require "core.configmanager"

local function text(value)
  if type(value) == "table" then
    local parts = {}
    for i, item in ipairs(value) do parts[#parts + 1] = i .. "=" .. text(item) end
    local names = {}
    for name in pairs(value) do if type(name) == "string" then names[#names + 1] = name end end
    table.sort(names)
    for _, name in ipairs(names) do parts[#parts + 1] = name .. "=" .. text(value[name]) end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if type(value) == "string" then
    return '"' .. value:gsub(".", function (c) return ("%02x"):format(c:byte()) end):gsub("\n", "0a") .. '"'
  end
  if type(value) == "number" then return ("%.14g"):format(value) end
  return tostring(value)
end

for i = 1, tonumber(arg[2]) do
  local ok, read = pcall(configmanager.load, arg[1] .. "/" .. i .. ".lua", "lua")
  if not (ok and read) then
    print("no")
  else
    local config = configmanager.getconfig()
    local all, host = rawget(config, "*") or {}, rawget(config, "h") or {}
    host.defined = nil
    print(text(all) .. text(host))
  end
end
