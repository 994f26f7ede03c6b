/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace: what trace points rely on; verifier reports and guest tests' lines, as records to the host. */
#include "kdp.h"

static volatile LONG KdpChecks, KdpFailures;

/* Trace points are the sender's own instruction (FV_TRACE); what they and the machine agree on is checked here. */
_Static_assert(FV_TRACE_POINT == FLTVM_TRACEPOINT_MAGIC, "trace point");
_Static_assert(FLTVM_TRACE_END_ <= FLTVM_TRACEPOINT_EVENT(~0u), "trace events");

VOID NTAPI FvReport(PCSTR Text)
{
    KD_SEGMENT Segment = {Text, (ULONG)strlen(Text)};

    if (!KdLinkSend(FLTVM_RECORD_REPORT, 1, &Segment)) {
        KdpPutText(Text, Segment.Length);
    }
}

VOID __cdecl KdReportFailure(PCSTR Format, ...)
{
    CHAR Line[256];
    va_list Arguments;
    int Length;
    KD_SEGMENT Segment = {Line, sizeof(Line)};

    va_start(Arguments, Format);
    Length = _vsnprintf(Line, sizeof(Line), Format, Arguments);
    va_end(Arguments);
    if (Length >= 0 && Length < (int)sizeof(Line)) {
        Segment.Length = (ULONG)Length;
    }
    KdLinkSend(FLTVM_RECORD_FAILURE, 1, &Segment);
}

static VOID KdpSendTest(PCSTR Text, ULONG Length)
{
    KD_SEGMENT Segment = {Text, Length};

    if (!KdLinkSend(FLTVM_RECORD_TEST, 1, &Segment)) {
        KdpPutText(Text, Length);
        KdpPutText("\n", 1);
    }
}

static VOID KdpFormatTest(PCSTR Format, ...)
{
    CHAR Line[256];
    va_list Arguments;
    int Length;

    va_start(Arguments, Format);
    Length = _vsnprintf(Line, sizeof(Line), Format, Arguments);
    va_end(Arguments);
    KdpSendTest(Line, Length < 0 || Length > (int)sizeof(Line) ? sizeof(Line) : (ULONG)Length);
}

VOID NTAPI FvTestPlan(ULONG Count)
{
    KdpFormatTest("plan %u", Count);
}

BOOLEAN NTAPI FvTestResult(BOOLEAN Ok, PCSTR Text, PCSTR File, ULONG Line)
{
    PCSTR Name = File;

    for (PCSTR At = File; *At != 0; At++) {
        if (*At == '/' || *At == '\\') {
            Name = At + 1;
        }
    }
    InterlockedIncrement(&KdpChecks);
    if (Ok) {
        KdpFormatTest("ok %s", Text);
    } else {
        InterlockedIncrement(&KdpFailures);
        KdpFormatTest("not ok %s # %s:%u: does not hold", Text, Name, Line);
    }
    return Ok;
}
