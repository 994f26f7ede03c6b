-- SPDX-License-Identifier: GPL-2.0-or-later
-- Boots the machine and shuts it down: what a scenario costs before it does anything.
machine:start()
