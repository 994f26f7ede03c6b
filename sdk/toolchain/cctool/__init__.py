# SPDX-License-Identifier: MIT
"""The parts of `fltvm cc`: what it mends in sources (repair), trace messages (wpp), Visual Studio's projects (project), what it says (say)."""
