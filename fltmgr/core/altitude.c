/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * altitude.c: altitudes are decimal numbers of any length, compared as numbers and not as text: 100 is above
 * 20, 37.5 above 37.45, and 0328010.000 is 328010.  Arithmetic would lose digits, so the digits themselves
 * are compared.
 */
#include "altitude.h"

typedef struct FLTP_DIGITS {
    const uint16_t *Whole, *Part;
    size_t WholeLength, PartLength;
} FLTP_DIGITS;

/* Without leading zeros before the point and trailing ones behind it, so that equal numbers have equal
 * digits. */
static FLTP_DIGITS FltpSplit(const uint16_t *Text, size_t Length)
{
    FLTP_DIGITS Digits = {Text, NULL, 0, 0};
    size_t Point = 0;

    while (Point < Length && Text[Point] != '.')
        Point++;
    Digits.WholeLength = Point;
    if (Point < Length) {
        Digits.Part = Text + Point + 1;
        Digits.PartLength = Length - Point - 1;
    }
    while (Digits.WholeLength > 0 && *Digits.Whole == '0') {
        Digits.Whole++;
        Digits.WholeLength--;
    }
    while (Digits.PartLength > 0 && Digits.Part[Digits.PartLength - 1] == '0')
        Digits.PartLength--;
    return Digits;
}

static int FltpCompareDigits(const uint16_t *Left, const uint16_t *Right, size_t Length)
{
    for (size_t Index = 0; Index < Length; Index++) {
        if (Left[Index] != Right[Index])
            return Left[Index] < Right[Index] ? -1 : 1;
    }
    return 0;
}

int FltpAltitudeIsValid(const uint16_t *Text, size_t Length)
{
    size_t Digits = 0, Points = 0;

    for (size_t Index = 0; Index < Length; Index++) {
        if (Text[Index] >= '0' && Text[Index] <= '9')
            Digits++;
        else if (Text[Index] == '.')
            Points++;
        else
            return 0;
    }
    return Digits > 0 && Points <= 1;
}

int FltpAltitudeCompare(const uint16_t *Left, size_t LeftLength, const uint16_t *Right, size_t RightLength)
{
    FLTP_DIGITS A = FltpSplit(Left, LeftLength), B = FltpSplit(Right, RightLength);
    size_t Common = A.PartLength < B.PartLength ? A.PartLength : B.PartLength;
    int Order;

    if (A.WholeLength != B.WholeLength)
        return A.WholeLength < B.WholeLength ? -1 : 1;
    Order = FltpCompareDigits(A.Whole, B.Whole, A.WholeLength);
    if (Order == 0)
        Order = FltpCompareDigits(A.Part, B.Part, Common);
    if (Order == 0 && A.PartLength != B.PartLength)
        Order = A.PartLength < B.PartLength ? -1 : 1;
    return Order;
}
