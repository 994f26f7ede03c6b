/* SPDX-License-Identifier: MIT */
/*
 * fltvm.h: what fltvm's kernel offers beyond Windows, for tests, fltmgr and curious drivers.
 *
 * A driver that includes this runs on fltvm only.  All of it is callable at any IRQL.
 * Include it after ntifs.h or fltKernel.h.
 */
#ifndef FLTVM_H
#define FLTVM_H

#ifdef _NTOSKRNL_
#define FVAPI
#else
#define FVAPI __declspec(dllimport)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* TRUE while the host records a trace.  Test it before computing arguments; FV_TRACE does. */
extern FVAPI BOOLEAN FvTraceEnabled;

/* IRQL: any.  Event is an FLTVM_TRACE_* of abi/trace.h; FLTVM_TRACE_USER is the drivers' own. */
FVAPI VOID NTAPI FvTrace(ULONG Event, ULONG64 A, ULONG64 B, ULONG64 C, ULONG64 D, ULONG64 E);

#define FV_TRACE(Event, A, B, C, D, E)                                                                       \
    do {                                                                                                     \
        if (FvTraceEnabled)                                                                                  \
            FvTrace((Event), (ULONG64)(A), (ULONG64)(B), (ULONG64)(C), (ULONG64)(D), (ULONG64)(E));          \
    } while (0)

/* IRQL: any.  Return addresses, innermost first, without the first Skip frames; returns how many. */
FVAPI ULONG NTAPI FvCaptureStackBackTrace(ULONG Skip, ULONG Count, PVOID *Frames);

/* IRQL: any.  Detail for the host's report, "name=value\n" text, sent just before a bugcheck. */
FVAPI VOID NTAPI FvReport(PCSTR Text);

/* IRQL: any.  Whether the driver verifier's checks are on. */
FVAPI BOOLEAN NTAPI FvVerifierEnabled(VOID);

/* IRQL: any.  An option of the run, as the host gave it.  FALSE, and Value empty, when it was not given. */
FVAPI BOOLEAN NTAPI FvOption(PCSTR Name, PCHAR Value, ULONG Size);

/*
 * Guest tests.  A test is a driver that states how many checks follow and then makes them; the host sees each
 * as a TAP line.  IRQL: any.
 */
FVAPI VOID NTAPI FvTestPlan(ULONG Count);
FVAPI BOOLEAN NTAPI FvTestResult(BOOLEAN Ok, PCSTR Text, PCSTR File, ULONG Line);

#define FvCheck(Expression) FvTestResult(!!(Expression), #Expression, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
