/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the filter manager ends a run in which a filter broke a rule: a report for the host in words, then the bugcheck.
 *
 * A report is lines "name=value"; addresses are written 0x…, and the host turns those into function, file and line.
 */
#include "fltmgrp.h"

#include <ntstrsafe.h>

/* IRQL: any. */
VOID FltpCaptureStack(ULONG Skip, PVOID *Stack)
{
    ULONG Frames = FvCaptureStackBackTrace(Skip + 1, FLTP_STACK_DEPTH, Stack);

    for (; Frames < FLTP_STACK_DEPTH; Frames++)
        Stack[Frames] = NULL;
}

/* IRQL: any.  One line a frame, all with the same name. */
VOID FltpReportStack(PCSTR Name, PVOID const *Stack)
{
    CHAR Line[96];

    for (ULONG Frame = 0; Frame < FLTP_STACK_DEPTH && Stack[Frame] != NULL; Frame++) {
        if (NT_SUCCESS(RtlStringCbPrintfA(Line, sizeof(Line), "%s=0x%p\n", Name, Stack[Frame])))
            FvReport(Line);
    }
}

/* IRQL: any. */
DECLSPEC_NORETURN VOID FltpViolation(ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4, PCSTR Text)
{
    if (Text != NULL)
        FvReport(Text);
    KeBugCheckEx(Code, P1, P2, P3, P4);
}
