// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Altitudes of routines that drivers register with the kernel: decimal numbers with an optional fraction, of any length,
 * compared as numbers.  IRQL: any, for resident text.
 */
#include "rtlp.h"

typedef struct _RTLP_ALTITUDE {
    PCWCH Whole, Fraction;
    ULONG WholeLength, FractionLength; /* without leading, and without trailing, zeros */
} RTLP_ALTITUDE;

static BOOLEAN RtlpParseAltitude(PCUNICODE_STRING Text, RTLP_ALTITUDE *Altitude)
{
    ULONG Length = Text->Length / sizeof(WCHAR), At = 0;
    BOOLEAN Point = FALSE;

    RtlZeroMemory(Altitude, sizeof(*Altitude));
    if (Length == 0) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < Length; Index++) {
        if (Text->Buffer[Index] == L'.') {
            if (Point || Index == 0) {
                return FALSE;
            }
            Point = TRUE;
            At = Index;
        } else if (Text->Buffer[Index] < L'0' || Text->Buffer[Index] > L'9') {
            return FALSE;
        }
    }
    Altitude->Whole = Text->Buffer;
    Altitude->WholeLength = Point ? At : Length;
    while (Altitude->WholeLength != 0 && *Altitude->Whole == L'0') {
        Altitude->Whole++;
        Altitude->WholeLength--;
    }
    if (Point) {
        Altitude->Fraction = Text->Buffer + At + 1;
        Altitude->FractionLength = Length - At - 1;
        while (Altitude->FractionLength != 0 && Altitude->Fraction[Altitude->FractionLength - 1] == L'0') {
            Altitude->FractionLength--;
        }
    }
    return TRUE;
}

static LONG RtlpCompareDigits(PCWCH Left, PCWCH Right, ULONG Length)
{
    for (ULONG Index = 0; Index < Length; Index++) {
        if (Left[Index] != Right[Index]) {
            return Left[Index] < Right[Index] ? -1 : 1;
        }
    }
    return 0;
}

BOOLEAN RtlIsAltitude(PCUNICODE_STRING Text)
{
    RTLP_ALTITUDE Altitude;

    return RtlpParseAltitude(Text, &Altitude);
}

LONG RtlCompareAltitudes(PCUNICODE_STRING Left, PCUNICODE_STRING Right)
{
    RTLP_ALTITUDE A, B;
    LONG Order;

    RtlpParseAltitude(Left, &A);
    RtlpParseAltitude(Right, &B);
    if (A.WholeLength != B.WholeLength) {
        return A.WholeLength < B.WholeLength ? -1 : 1;
    }
    Order = RtlpCompareDigits(A.Whole, B.Whole, A.WholeLength);
    if (Order == 0) {
        Order = RtlpCompareDigits(A.Fraction, B.Fraction, min(A.FractionLength, B.FractionLength));
    }
    if (Order == 0 && A.FractionLength != B.FractionLength) {
        Order = A.FractionLength < B.FractionLength ? -1 : 1;
    }
    return Order;
}
