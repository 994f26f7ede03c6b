/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace: events, verifier reports and guest tests' lines, as records to the host. */
#include "kdp.h"

BOOLEAN FvTraceEnabled;
static volatile LONG KdpSequence;
static volatile LONG KdpChecks, KdpFailures;

VOID NTAPI FvTrace(ULONG Event, ULONG64 A, ULONG64 B, ULONG64 C, ULONG64 D, ULONG64 E)
{
    struct fltvm_trace_record Record;
    KD_SEGMENT Segment = {&Record, sizeof(Record)};

    if (!FvTraceEnabled) {
        return;
    }
    Record.time_ns = KdLinkTime();
    Record.sequence = (ULONG)InterlockedIncrement(&KdpSequence) - 1;
    Record.cpu = (UCHAR)__readgsdword(0x1A4);
    Record.irql = (UCHAR)__readcr8();
    Record.event = (USHORT)Event;
    Record.thread = __readgsqword(0x188);
    Record.args[0] = A;
    Record.args[1] = B;
    Record.args[2] = C;
    Record.args[3] = D;
    Record.args[4] = E;
    KdLinkSend(FLTVM_RECORD_TRACE, 1, &Segment);
}

VOID NTAPI FvReport(PCSTR Text)
{
    KD_SEGMENT Segment = {Text, (ULONG)strlen(Text)};

    if (!KdLinkSend(FLTVM_RECORD_REPORT, 1, &Segment)) {
        KdpPutText(Text, Segment.Length);
    }
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
