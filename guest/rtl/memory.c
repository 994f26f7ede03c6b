// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moving, filling and comparing memory.  The compiler calls these for structures too.
 *
 * What drivers import as memcpy is memmove, as in Windows's x64 kernel (rtl.exports); the kernel's own copies do not
 * overlap and save the question.
 *
 * Plain loops of 16-byte accesses, because `rep movs` costs several times as much under instruction counting.
 * This file is compiled without builtins, or the loops would become calls of themselves.
 */
#include "rtlp.h"
#include <emmintrin.h>

#pragma clang diagnostic ignored "-Wincompatible-library-redeclaration"
#pragma clang diagnostic ignored "-Wmissing-prototypes" /* exports; drivers have their own headers */

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef RtlFillMemory
#undef RtlZeroMemory
#undef RtlCopyMemory
#undef RtlMoveMemory
#undef RtlCopyMemoryNonTemporal
#undef RtlPrefetchMemoryNonTemporal

static inline VOID RtlpCopyForward(UCHAR *To, const UCHAR *From, size_t Count)
{
    while (Count >= 64) {
        __m128i A = _mm_loadu_si128((const __m128i *)From);
        __m128i B = _mm_loadu_si128((const __m128i *)(From + 16));
        __m128i C = _mm_loadu_si128((const __m128i *)(From + 32));
        __m128i D = _mm_loadu_si128((const __m128i *)(From + 48));
        _mm_storeu_si128((__m128i *)To, A);
        _mm_storeu_si128((__m128i *)(To + 16), B);
        _mm_storeu_si128((__m128i *)(To + 32), C);
        _mm_storeu_si128((__m128i *)(To + 48), D);
        From += 64;
        To += 64;
        Count -= 64;
    }
    while (Count >= 8) {
        *(UNALIGNED ULONG64 *)To = *(const UNALIGNED ULONG64 *)From;
        From += 8;
        To += 8;
        Count -= 8;
    }
    while (Count-- > 0)
        *To++ = *From++;
}

void *memcpy(void *Destination, const void *Source, size_t Count)
{
    RtlpCopyForward(Destination, Source, Count);
    return Destination;
}

void *memmove(void *Destination, const void *Source, size_t Count)
{
    UCHAR *To = Destination;
    const UCHAR *From = Source;

    if ((ULONG_PTR)To - (ULONG_PTR)From >= Count) {
        RtlpCopyForward(To, From, Count);
        return Destination;
    }
    while (Count >= 16) {
        Count -= 16;
        _mm_storeu_si128((__m128i *)(To + Count), _mm_loadu_si128((const __m128i *)(From + Count)));
    }
    while (Count-- > 0)
        To[Count] = From[Count];
    return Destination;
}

void *memset(void *Destination, int Value, size_t Count)
{
    UCHAR *To = Destination;
    ULONG64 Word = (UCHAR)Value * 0x0101010101010101ULL;
    __m128i Pattern = _mm_set1_epi64x((long long)Word);

    while (Count >= 64) {
        _mm_storeu_si128((__m128i *)To, Pattern);
        _mm_storeu_si128((__m128i *)(To + 16), Pattern);
        _mm_storeu_si128((__m128i *)(To + 32), Pattern);
        _mm_storeu_si128((__m128i *)(To + 48), Pattern);
        To += 64;
        Count -= 64;
    }
    while (Count >= 16) {
        _mm_storeu_si128((__m128i *)To, Pattern);
        To += 16;
        Count -= 16;
    }
    if (Count == 0)
        return Destination;
    /* The rest by a store that ends where it ends, over what is written already. */
    if (To + Count - (PUCHAR)Destination >= 16) {
        _mm_storeu_si128((__m128i *)(To + Count - 16), Pattern);
        return Destination;
    }
    if (Count >= 8) {
        *(UNALIGNED ULONG64 *)To = Word;
        *(UNALIGNED ULONG64 *)(To + Count - 8) = Word;
        return Destination;
    }
    while (Count-- > 0)
        *To++ = (UCHAR)Value;
    return Destination;
}

SIZE_T NTAPI RtlCompareMemory(const VOID *Source1, const VOID *Source2, SIZE_T Length)
{
    const UCHAR *A = Source1;
    const UCHAR *B = Source2;
    SIZE_T Index = 0;

    while (Index + 8 <= Length && *(const UNALIGNED ULONG64 *)(A + Index) == *(const UNALIGNED ULONG64 *)(B + Index))
        Index += 8;
    while (Index < Length && A[Index] == B[Index])
        Index++;
    return Index;
}

int memcmp(const void *First, const void *Second, size_t Count)
{
    size_t Equal = RtlCompareMemory(First, Second, Count);

    return Equal == Count ? 0 : (int)((const UCHAR *)First)[Equal] - (int)((const UCHAR *)Second)[Equal];
}

void *memchr(const void *Buffer, int Value, size_t Count)
{
    const UCHAR *Bytes = Buffer;

    for (size_t Index = 0; Index < Count; Index++) {
        if (Bytes[Index] == (UCHAR)Value)
            return (void *)(Bytes + Index);
    }
    return NULL;
}

SIZE_T NTAPI RtlCompareMemoryUlong(PVOID Source, SIZE_T Length, ULONG Pattern)
{
    PULONG Words = Source;
    SIZE_T Index = 0;

    while (Index < Length / sizeof(ULONG) && Words[Index] == Pattern)
        Index++;
    return Index * sizeof(ULONG);
}

VOID NTAPI RtlFillMemory(PVOID Destination, SIZE_T Length, UCHAR Fill)
{
    memset(Destination, Fill, Length);
}

VOID NTAPI RtlFillMemoryUlong(PVOID Destination, SIZE_T Length, ULONG Pattern)
{
    PULONG Words = Destination;

    for (SIZE_T Index = 0; Index < Length / sizeof(ULONG); Index++)
        Words[Index] = Pattern;
}

VOID NTAPI RtlZeroMemory(PVOID Destination, SIZE_T Length)
{
    memset(Destination, 0, Length);
}

VOID NTAPI RtlCopyMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    RtlpCopyForward(Destination, Source, Length);
}

VOID NTAPI RtlMoveMemory(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    memmove(Destination, Source, Length);
}

/* The processor model has no caches to spare: an ordinary copy keeps the contract. */
VOID NTAPI RtlCopyMemoryNonTemporal(PVOID Destination, const VOID *Source, SIZE_T Length)
{
    RtlpCopyForward(Destination, Source, Length);
}

VOID NTAPI RtlPrefetchMemoryNonTemporal(PVOID Source, SIZE_T Length)
{
    UNREFERENCED_PARAMETER(Source);
    UNREFERENCED_PARAMETER(Length);
}
