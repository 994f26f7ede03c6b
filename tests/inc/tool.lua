-- SPDX-License-Identifier: GPL-2.0-or-later
-- A program of the host's that has to succeed: tool(NAME, ARGUMENT, …) gives what it has said.
return function(...)
  local output, status = fltvm.host{ ... }
  expect_equal(status, 0, table.concat({ ... }, " ") .. "\n" .. output)
  return output
end
