// SPDX-License-Identifier: GPL-2.0-or-later
#define WPP_CONTROL_GUIDS \
    WPP_DEFINE_CONTROL_GUID(WatchTrace, (5d1c3a0e,41f2,4b9d,9a77,2f60c1d8e345), \
        WPP_DEFINE_BIT(WATCH_ALL) WPP_DEFINE_BIT(TRACE_DRIVER) WPP_DEFINE_BIT(TRACE_PROCESS))
#define WPP_LEVEL_FLAGS_LOGGER(lvl, flags) WPP_LEVEL_LOGGER(flags)
#define WPP_LEVEL_FLAGS_ENABLED(lvl, flags) (WPP_LEVEL_ENABLED(flags) && WPP_CONTROL(WPP_BIT_##flags).Level >= lvl)
// begin_wpp config
// FUNC Trace{FLAG=WATCH_ALL}(LEVEL, MSG, ...);
// FUNC TraceEvents(LEVEL, FLAGS, MSG, ...);
// FUNC TraceReturn{LEVEL=TRACE_LEVEL_VERBOSE, FLAGS=TRACE_DRIVER}(EXP);
// USESUFFIX (TraceReturn, "return %!STATUS!", EXP);
// end_wpp
