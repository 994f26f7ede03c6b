-- SPDX-License-Identifier: GPL-2.0-or-later
-- Loads the driver that FLTVM_TEST_DRIVER names: its checks are the test.
machine:start()
local driver = machine:load { source = os.getenv("FLTVM_TEST_DRIVER") }
