// SPDX-License-Identifier: GPL-2.0-or-later
/* qsort (as a heap sort: no recursion on a kernel stack), bsearch, and the C runtime's rand. */
#include "rtlp.h"

#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

typedef int(__cdecl *RTLP_COMPARE)(const void *, const void *);

static VOID RtlpSwap(UCHAR *A, UCHAR *B, size_t Size)
{
    while (Size-- > 0) {
        UCHAR Byte = *A;
        *A++ = *B;
        *B++ = Byte;
    }
}

static VOID RtlpSiftDown(UCHAR *Base, size_t Root, size_t Count, size_t Size, RTLP_COMPARE Compare)
{
    size_t Child;

    while ((Child = 2 * Root + 1) < Count) {
        if (Child + 1 < Count && Compare(Base + Child * Size, Base + (Child + 1) * Size) < 0)
            Child++;
        if (Compare(Base + Root * Size, Base + Child * Size) >= 0)
            return;
        RtlpSwap(Base + Root * Size, Base + Child * Size, Size);
        Root = Child;
    }
}

void __cdecl qsort(void *Base, size_t Count, size_t Size, RTLP_COMPARE Compare)
{
    for (size_t Root = Count / 2; Root-- > 0;)
        RtlpSiftDown(Base, Root, Count, Size, Compare);
    while (Count-- > 1) {
        RtlpSwap(Base, (UCHAR *)Base + Count * Size, Size);
        RtlpSiftDown(Base, 0, Count, Size, Compare);
    }
}

void *__cdecl bsearch(const void *Key, const void *Base, size_t Count, size_t Size, RTLP_COMPARE Compare)
{
    size_t Low = 0;

    while (Low < Count) {
        size_t Middle = Low + (Count - Low) / 2;
        const UCHAR *Element = (const UCHAR *)Base + Middle * Size;
        int Order = Compare(Key, Element);

        if (Order == 0)
            return (void *)Element;
        if (Order < 0)
            Count = Middle;
        else
            Low = Middle + 1;
    }
    return NULL;
}

static ULONG RtlpRandState = 1;

void srand(unsigned int Seed)
{
    RtlpRandState = Seed;
}

int rand(void)
{
    RtlpRandState = RtlpRandState * 214013 + 2531011;
    return (int)((RtlpRandState >> 16) & 0x7FFF);
}
