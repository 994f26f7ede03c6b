-- SPDX-License-Identifier: GPL-2.0-or-later
-- The tunnel cache: its entries live for 15 seconds, and the driver waits for their end.
machine:start()
machine:load { source = "tunnel.c", timeout = 30000 }
