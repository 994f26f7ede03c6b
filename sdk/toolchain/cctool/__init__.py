# SPDX-License-Identifier: MIT
"""The parts of `fltvm cc`: what it mends in sources (repair), trace messages (wpp), what it says (say)."""
