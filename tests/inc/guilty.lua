-- SPDX-License-Identifier: GPL-2.0-or-later
-- The lines of a driver's source that are to blame: each says for which cases, in brackets in its comment ("/* [3] [17] */").
-- returns a function: the path of a source -> { [case] = "FILE.c:LINE" }
return function(path)
  local name, lines, number = path:match("[^/]+$"), {}, 0
  for line in io.lines(path) do
    number = number + 1
    for comment in line:gmatch("/%*(.-)%*/") do
      for case in comment:gmatch("%[(%w+)%]") do lines[tonumber(case) or case] = name .. ":" .. number end
    end
  end
  return lines
end
