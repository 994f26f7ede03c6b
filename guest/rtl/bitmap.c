// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bitmaps.  The caller synchronizes; IRQL: any for a resident bitmap.
 *
 * Everything rests on one routine: where does the run that covers a bit end.
 */
#include "rtlp.h"

#define RTLP_NOT_FOUND 0xFFFFFFFFu

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

static BOOLEAN RtlpBit(const RTL_BITMAP *Map, ULONG Bit)
{
    return (Map->Buffer[Bit / 32] >> (Bit % 32)) & 1;
}

/* The first bit from Start that is not Value; the size when all are. */
static ULONG RtlpRunEnd(const RTL_BITMAP *Map, ULONG Start, BOOLEAN Value)
{
    ULONG Bit = Start;

    while (Bit < Map->SizeOfBitMap) {
        ULONG Different = (Value ? ~Map->Buffer[Bit / 32] : Map->Buffer[Bit / 32]) >> (Bit % 32);
        if (Different != 0) {
            Bit += (ULONG)__builtin_ctz(Different);
            break;
        }
        Bit = (Bit | 31) + 1;
    }
    return min(Bit, Map->SizeOfBitMap);
}

static VOID RtlpFill(PRTL_BITMAP Map, ULONG Start, ULONG Count, BOOLEAN Value)
{
    while (Count > 0) {
        ULONG Shift = Start % 32, Now = min(32 - Shift, Count);
        ULONG Mask = (Now == 32 ? ~0u : (1u << Now) - 1) << Shift;

        if (Value)
            Map->Buffer[Start / 32] |= Mask;
        else
            Map->Buffer[Start / 32] &= ~Mask;
        Start += Now;
        Count -= Now;
    }
}

VOID NTAPI RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer, ULONG SizeOfBitMap)
{
    BitMapHeader->SizeOfBitMap = SizeOfBitMap;
    BitMapHeader->Buffer = BitMapBuffer;
}

VOID NTAPI RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / 32] &= ~(1u << (BitNumber % 32));
}

VOID NTAPI RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    BitMapHeader->Buffer[BitNumber / 32] |= 1u << (BitNumber % 32);
}

BOOLEAN NTAPI RtlTestBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
    return RtlpBit(BitMapHeader, BitNumber);
}

VOID NTAPI RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
    memset(BitMapHeader->Buffer, 0, (BitMapHeader->SizeOfBitMap + 31) / 32 * sizeof(ULONG));
}

VOID NTAPI RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
    memset(BitMapHeader->Buffer, 0xFF, (BitMapHeader->SizeOfBitMap + 31) / 32 * sizeof(ULONG));
}

VOID NTAPI RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
    RtlpFill(BitMapHeader, StartingIndex, NumberToClear, FALSE);
}

VOID NTAPI RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
    RtlpFill(BitMapHeader, StartingIndex, NumberToSet, TRUE);
}

/* A run of Count from Hint on, then from the start. */
static ULONG RtlpFind(PRTL_BITMAP Map, ULONG Count, ULONG Hint, BOOLEAN Value)
{
    ULONG Start, End;

    if (Hint >= Map->SizeOfBitMap)
        Hint = 0;
    if (Count == 0)
        return Hint & ~7u;
    if (Count > Map->SizeOfBitMap)
        return RTLP_NOT_FOUND;
    for (ULONG Pass = 0; Pass < 2; Pass++) {
        for (Start = Pass == 0 ? Hint : 0; Start < Map->SizeOfBitMap; Start = End) {
            Start = RtlpRunEnd(Map, Start, !Value);
            End = RtlpRunEnd(Map, Start, Value);
            if (End - Start >= Count)
                return Start;
        }
        if (Hint == 0)
            break;
    }
    return RTLP_NOT_FOUND;
}

ULONG NTAPI RtlFindClearBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFind(BitMapHeader, NumberToFind, HintIndex, FALSE);
}

ULONG NTAPI RtlFindSetBits(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    return RtlpFind(BitMapHeader, NumberToFind, HintIndex, TRUE);
}

ULONG NTAPI RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Start = RtlpFind(BitMapHeader, NumberToFind, HintIndex, FALSE);

    if (Start != RTLP_NOT_FOUND)
        RtlpFill(BitMapHeader, Start, NumberToFind, TRUE);
    return Start;
}

ULONG NTAPI RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
    ULONG Start = RtlpFind(BitMapHeader, NumberToFind, HintIndex, TRUE);

    if (Start != RTLP_NOT_FOUND)
        RtlpFill(BitMapHeader, Start, NumberToFind, FALSE);
    return Start;
}

static ULONG RtlpCount(PRTL_BITMAP Map, BOOLEAN Value)
{
    ULONG Count = 0, End;

    for (ULONG Start = RtlpRunEnd(Map, 0, !Value); Start < Map->SizeOfBitMap; Start = RtlpRunEnd(Map, End, !Value)) {
        End = RtlpRunEnd(Map, Start, Value);
        Count += End - Start;
    }
    return Count;
}

ULONG NTAPI RtlNumberOfClearBits(PRTL_BITMAP BitMapHeader)
{
    return RtlpCount(BitMapHeader, FALSE);
}

ULONG NTAPI RtlNumberOfSetBits(PRTL_BITMAP BitMapHeader)
{
    return RtlpCount(BitMapHeader, TRUE);
}

ULONG NTAPI RtlNumberOfSetBitsUlongPtr(ULONG_PTR Target)
{
    return (ULONG)__builtin_popcountll(Target);
}

BOOLEAN NTAPI RtlAreBitsClear(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    if (Length == 0 || StartingIndex + Length > BitMapHeader->SizeOfBitMap || StartingIndex + Length < Length)
        return FALSE;
    return RtlpRunEnd(BitMapHeader, StartingIndex, FALSE) >= StartingIndex + Length;
}

BOOLEAN NTAPI RtlAreBitsSet(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
    if (Length == 0 || StartingIndex + Length > BitMapHeader->SizeOfBitMap || StartingIndex + Length < Length)
        return FALSE;
    return RtlpRunEnd(BitMapHeader, StartingIndex, TRUE) >= StartingIndex + Length;
}

ULONG NTAPI RtlFindNextForwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex)
{
    ULONG Start =
        FromIndex < BitMapHeader->SizeOfBitMap ? RtlpRunEnd(BitMapHeader, FromIndex, TRUE) : BitMapHeader->SizeOfBitMap;

    *StartingRunIndex = Start < BitMapHeader->SizeOfBitMap ? Start : FromIndex;
    return Start < BitMapHeader->SizeOfBitMap ? RtlpRunEnd(BitMapHeader, Start, FALSE) - Start : 0;
}

ULONG NTAPI RtlFindFirstRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    return RtlFindNextForwardRunClear(BitMapHeader, 0, StartingIndex);
}

ULONG NTAPI RtlFindLastBackwardRunClear(PRTL_BITMAP BitMapHeader, ULONG FromIndex, PULONG StartingRunIndex)
{
    ULONG Bit = min(FromIndex, BitMapHeader->SizeOfBitMap - 1), Last;

    while (RtlpBit(BitMapHeader, Bit)) {
        if (Bit-- == 0) {
            *StartingRunIndex = FromIndex;
            return 0;
        }
    }
    Last = Bit;
    while (Bit > 0 && !RtlpBit(BitMapHeader, Bit - 1))
        Bit--;
    *StartingRunIndex = Bit;
    return Last - Bit + 1;
}

ULONG NTAPI RtlFindClearRuns(PRTL_BITMAP BitMapHeader, PRTL_BITMAP_RUN RunArray, ULONG SizeOfRunArray,
                             BOOLEAN LocateLongestRuns)
{
    ULONG Found = 0, End;

    for (ULONG Start = RtlpRunEnd(BitMapHeader, 0, TRUE); Start < BitMapHeader->SizeOfBitMap;
         Start = RtlpRunEnd(BitMapHeader, End, TRUE)) {
        ULONG Place = Found;

        End = RtlpRunEnd(BitMapHeader, Start, FALSE);
        if (!LocateLongestRuns) {
            if (Found == SizeOfRunArray)
                break;
        } else {
            while (Place > 0 && RunArray[Place - 1].NumberOfBits < End - Start)
                Place--;
            if (Place == SizeOfRunArray)
                continue;
            for (ULONG Move = min(Found, SizeOfRunArray - 1); Move > Place; Move--)
                RunArray[Move] = RunArray[Move - 1];
        }
        RunArray[Place].StartingIndex = Start;
        RunArray[Place].NumberOfBits = End - Start;
        Found = min(Found + 1, SizeOfRunArray);
    }
    return Found;
}

ULONG NTAPI RtlFindLongestRunClear(PRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
    RTL_BITMAP_RUN Run;

    if (RtlFindClearRuns(BitMapHeader, &Run, 1, TRUE) == 0) {
        *StartingIndex = 0;
        return 0;
    }
    *StartingIndex = Run.StartingIndex;
    return Run.NumberOfBits;
}

CCHAR NTAPI RtlFindMostSignificantBit(ULONGLONG Set)
{
    return Set != 0 ? (CCHAR)(63 - __builtin_clzll(Set)) : -1;
}

CCHAR NTAPI RtlFindLeastSignificantBit(ULONGLONG Set)
{
    return Set != 0 ? (CCHAR)__builtin_ctzll(Set) : -1;
}
