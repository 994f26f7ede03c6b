// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qsort (as a heap sort: no recursion on a kernel stack), bsearch, their forms that hand a context to the comparison, and
 * the C runtime's rand.
 */
#include "rtlp.h"

#pragma clang diagnostic ignored "-Winconsistent-dllimport"
#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

typedef int(__cdecl *RTLP_COMPARE)(const void *, const void *);
typedef int(__cdecl *RTLP_COMPARE_CONTEXT)(void *, const void *, const void *);

/* One of the two is there. */
typedef struct _RTLP_ORDER {
    RTLP_COMPARE Compare;
    RTLP_COMPARE_CONTEXT CompareContext;
    void *Context;
} RTLP_ORDER;

static int RtlpCompare(const RTLP_ORDER *Order, const void *One, const void *Two)
{
    return Order->Compare != NULL ? Order->Compare(One, Two) : Order->CompareContext(Order->Context, One, Two);
}

static VOID RtlpSwap(UCHAR *A, UCHAR *B, size_t Size)
{
    while (Size-- > 0) {
        UCHAR Byte = *A;
        *A++ = *B;
        *B++ = Byte;
    }
}

static VOID RtlpSiftDown(UCHAR *Base, size_t Root, size_t Count, size_t Size, const RTLP_ORDER *Order)
{
    size_t Child;

    while ((Child = 2 * Root + 1) < Count) {
        if (Child + 1 < Count && RtlpCompare(Order, Base + Child * Size, Base + (Child + 1) * Size) < 0)
            Child++;
        if (RtlpCompare(Order, Base + Root * Size, Base + Child * Size) >= 0)
            return;
        RtlpSwap(Base + Root * Size, Base + Child * Size, Size);
        Root = Child;
    }
}

static VOID RtlpSort(void *Base, size_t Count, size_t Size, const RTLP_ORDER *Order)
{
    for (size_t Root = Count / 2; Root-- > 0;)
        RtlpSiftDown(Base, Root, Count, Size, Order);
    while (Count-- > 1) {
        RtlpSwap(Base, (UCHAR *)Base + Count * Size, Size);
        RtlpSiftDown(Base, 0, Count, Size, Order);
    }
}

static void *RtlpSearch(const void *Key, const void *Base, size_t Count, size_t Size, const RTLP_ORDER *Order)
{
    size_t Low = 0;

    while (Low < Count) {
        size_t Middle = Low + (Count - Low) / 2;
        const UCHAR *Element = (const UCHAR *)Base + Middle * Size;
        int Sign = RtlpCompare(Order, Key, Element);

        if (Sign == 0)
            return (void *)Element;
        if (Sign < 0)
            Count = Middle;
        else
            Low = Middle + 1;
    }
    return NULL;
}

void __cdecl qsort(void *Base, size_t Count, size_t Size, RTLP_COMPARE Compare)
{
    RtlpSort(Base, Count, Size, &(RTLP_ORDER){.Compare = Compare});
}

void *__cdecl bsearch(const void *Key, const void *Base, size_t Count, size_t Size, RTLP_COMPARE Compare)
{
    return RtlpSearch(Key, Base, Count, Size, &(RTLP_ORDER){.Compare = Compare});
}

/* Parameters that are none leave all as it is: the C runtime's pages qsort_s and bsearch_s. */
static BOOLEAN RtlpMaySort(const void *Base, size_t Count, size_t Size, RTLP_COMPARE_CONTEXT Compare)
{
    return (Base != NULL || Count == 0) && Size != 0 && Compare != NULL;
}

void __cdecl qsort_s(void *Base, size_t Count, size_t Size, RTLP_COMPARE_CONTEXT Compare, void *Context)
{
    if (RtlpMaySort(Base, Count, Size, Compare))
        RtlpSort(Base, Count, Size, &(RTLP_ORDER){.CompareContext = Compare, .Context = Context});
}

void *__cdecl bsearch_s(const void *Key, const void *Base, size_t Count, size_t Size, RTLP_COMPARE_CONTEXT Compare,
                        void *Context)
{
    if (Key == NULL || !RtlpMaySort(Base, Count, Size, Compare))
        return NULL;
    return RtlpSearch(Key, Base, Count, Size, &(RTLP_ORDER){.CompareContext = Compare, .Context = Context});
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
