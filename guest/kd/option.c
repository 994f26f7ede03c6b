/* SPDX-License-Identifier: GPL-2.0-or-later */
/* option: what the host said in its answer to HELLO. */
#include "kdp.h"

CHAR KdpOptionText[0x1000];
static BOOLEAN KdpVerifier = TRUE;

VOID KdpParseOptions(ULONG Length)
{
    CHAR Value[8];

    KdpOptionText[Length < sizeof(KdpOptionText) ? Length : sizeof(KdpOptionText) - 1] = 0;
    if (FvOption("verifier", Value, sizeof(Value))) {
        KdpVerifier = Value[0] != '0';
    }
}

BOOLEAN NTAPI FvVerifierEnabled(VOID)
{
    return KdpVerifier;
}

BOOLEAN NTAPI FvOption(PCSTR Name, PCHAR Value, ULONG Size)
{
    PCHAR Line = KdpOptionText;

    if (Size != 0) {
        Value[0] = 0;
    }
    while (*Line != 0) {
        PCSTR Left = Name;

        while (*Left != 0 && *Line == *Left) {
            Line++;
            Left++;
        }
        if (*Left == 0 && *Line == '=') {
            ULONG i = 0;

            for (Line++; *Line != 0 && *Line != '\n' && i + 1 < Size; Line++) {
                Value[i++] = *Line;
            }
            if (Size != 0) {
                Value[i] = 0;
            }
            return TRUE;
        }
        while (*Line != 0 && *Line++ != '\n') {
        }
    }
    return FALSE;
}
