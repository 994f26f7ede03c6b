/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verifier.c: how the filter manager says what a minifilter did wrong: a report of "name=value" lines,
 * addresses as numbers that the host turns into routine, file and line, and then the bug check.
 */
#include "core.h"
#include <ntstrsafe.h>

/* A first line with the name, the frames behind it with "from". */
VOID FltpReportStack(PCSTR Name, PVOID const *Stack)
{
    CHAR Text[FLTP_STACK_DEPTH * 32 + 64];
    size_t Used = 0;

    if (Stack[0] == NULL)
        return;
    Text[0] = 0;
    for (ULONG Index = 0; Index < FLTP_STACK_DEPTH && Stack[Index] != NULL; Index++) {
        RtlStringCbPrintfA(Text + Used, sizeof(Text) - Used, "%s=0x%p\n", Index == 0 ? Name : "from", Stack[Index]);
        Used += strlen(Text + Used);
    }
    FvReport(Text);
}

DECLSPEC_NORETURN VOID FltpViolation(ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4, PCSTR Text)
{
    FvReport(Text);
    KeBugCheckEx(Code, P1, P2, P3, P4);
}
