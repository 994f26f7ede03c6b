// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Upper and lower case of UTF-16 code units, by the table that scripts/make-casetable.py writes.
 *
 * IRQL: any (the tables are resident).  ASCII takes the short way.
 */
#include "rtlp.h"

typedef struct _RTLP_CASE_RUN {
    USHORT First, Last;
    SHORT Step;
    LONG Delta;
} RTLP_CASE_RUN;

static const RTLP_CASE_RUN RtlpCaseRuns[] = {
#include "casetable.h"
};

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
    ULONG Low = 0, High = ARRAYSIZE(RtlpCaseRuns);

    if (SourceCharacter < 0x80)
        return SourceCharacter >= 'a' && SourceCharacter <= 'z' ? SourceCharacter - 32 : SourceCharacter;
    while (Low < High) {
        ULONG Middle = (Low + High) / 2;
        const RTLP_CASE_RUN *Run = &RtlpCaseRuns[Middle];

        if (SourceCharacter < Run->First)
            High = Middle;
        else if (SourceCharacter > Run->Last)
            Low = Middle + 1;
        else if ((SourceCharacter - Run->First) % Run->Step == 0)
            return (WCHAR)(SourceCharacter + Run->Delta);
        else
            break;
    }
    return SourceCharacter;
}

WCHAR NTAPI RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
    if (SourceCharacter < 0x80)
        return SourceCharacter >= 'A' && SourceCharacter <= 'Z' ? SourceCharacter + 32 : SourceCharacter;
    for (ULONG Index = 0; Index < ARRAYSIZE(RtlpCaseRuns); Index++) {
        const RTLP_CASE_RUN *Run = &RtlpCaseRuns[Index];
        LONG Lower = SourceCharacter - Run->Delta;

        if (Lower >= Run->First && Lower <= Run->Last && (Lower - Run->First) % Run->Step == 0)
            return (WCHAR)Lower;
    }
    return SourceCharacter;
}

/* ASCII only, whatever the code page. */
CHAR NTAPI RtlUpperChar(CHAR Character)
{
    return Character >= 'a' && Character <= 'z' ? (CHAR)(Character - 32) : Character;
}
