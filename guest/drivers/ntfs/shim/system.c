/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rest of the C library: texts, the time, and what there is not here (files, users, output, other character sets),
 * which refuses.
 */
#include <ntifs.h>
#include <ntstrsafe.h>
#include "shim.h"

int NtfsShimErrno;

/* ---- texts ---- */

char *NtfsShimStrdup(const char *Text)
{
    SIZE_T Size = strlen(Text) + 1;
    char *Copy = NtfsShimMalloc(Size);

    if (Copy != NULL) {
        RtlCopyMemory(Copy, Text, Size);
    }
    return Copy;
}

/* By number: the names are in the manual pages. */
char *NtfsShimStrerror(int Error)
{
    static char Text[16];

    RtlStringCbPrintfA(Text, sizeof(Text), "errno %d", Error);
    return Text;
}

int NtfsShimSNPrintf(char *To, size_t Size, const char *Format, ...)
{
    va_list Arguments;
    int Length;

    va_start(Arguments, Format);
    Length = _vsnprintf(To, Size, Format, Arguments);
    va_end(Arguments);
    if (Size != 0 && (Length < 0 || (size_t)Length >= Size)) {
        To[Size - 1] = 0;
        Length = (int)Size;
    }
    return Length;
}

int NtfsShimFfs(int Value)
{
    ULONG Bit;

    return BitScanForward(&Bit, (ULONG)Value) ? (int)Bit + 1 : 0;
}

/* ---- other character sets than UTF-8, which the library converts by itself ---- */

int NtfsShimMbToWc(wchar_t *To, const char *Text, size_t Size)
{
    UNREFERENCED_PARAMETER(To);
    UNREFERENCED_PARAMETER(Text);
    UNREFERENCED_PARAMETER(Size);
    NtfsShimErrno = NTFS_SHIM_ENOSYS;
    return -1;
}

int NtfsShimWcToMb(char *To, wchar_t Character)
{
    UNREFERENCED_PARAMETER(To);
    UNREFERENCED_PARAMETER(Character);
    NtfsShimErrno = NTFS_SHIM_ENOSYS;
    return -1;
}

char *NtfsShimSetLocale(int Category, const char *Locale)
{
    UNREFERENCED_PARAMETER(Category);
    UNREFERENCED_PARAMETER(Locale);
    return NULL;
}

/* ---- output, which goes nowhere: what the library has to say comes by its log handler ---- */

int NtfsShimFPrintf(void *To, const char *Format, ...)
{
    UNREFERENCED_PARAMETER(To);
    UNREFERENCED_PARAMETER(Format);
    return 0;
}

int NtfsShimVFPrintf(void *To, const char *Format, va_list Arguments)
{
    UNREFERENCED_PARAMETER(To);
    UNREFERENCED_PARAMETER(Format);
    UNREFERENCED_PARAMETER(Arguments);
    return 0;
}

int NtfsShimFFlush(void *To)
{
    UNREFERENCED_PARAMETER(To);
    return 0;
}

/* ---- time: the machine's, since 1970 ---- */

#define SHIM_EPOCH 116444736000000000ll /* 1970, in Windows's time */

int NtfsShimClockGetTime(int Clock, struct NtfsShimTime *Time)
{
    LARGE_INTEGER Now;

    UNREFERENCED_PARAMETER(Clock);
    KeQuerySystemTime(&Now);
    Time->Seconds = (Now.QuadPart - SHIM_EPOCH) / 10000000;
    Time->Nanoseconds = (long)((Now.QuadPart - SHIM_EPOCH) % 10000000) * 100;
    return 0;
}

int64_t NtfsShimTime(int64_t *Time)
{
    struct NtfsShimTime Now;

    NtfsShimClockGetTime(0, &Now);
    if (Time != NULL) {
        *Time = Now.Seconds;
    }
    return Now.Seconds;
}

/* What the library makes up, identifiers of objects above all, is a function of the seed given: the same in each run. */
static ULONG ShimSeed;

void NtfsShimSrandom(unsigned int Seed)
{
    ShimSeed = Seed;
}

long NtfsShimRandom(void)
{
    return (long)RtlRandomEx(&ShimSeed);
}

/* ---- users: none is known ---- */

void *NtfsShimGetpwnam(const char *Name)
{
    UNREFERENCED_PARAMETER(Name);
    return NULL;
}

void *NtfsShimGetpwuid(uint32_t User)
{
    UNREFERENCED_PARAMETER(User);
    return NULL;
}

void *NtfsShimGetgrnam(const char *Name)
{
    UNREFERENCED_PARAMETER(Name);
    return NULL;
}

void *NtfsShimGetgrgid(uint32_t Group)
{
    UNREFERENCED_PARAMETER(Group);
    return NULL;
}

uint32_t NtfsShimGetuid(void)
{
    return 0;
}

uint32_t NtfsShimGetgid(void)
{
    return 0;
}

int32_t NtfsShimGetpid(void)
{
    return 1;
}

/* ---- files: none ---- */

int NtfsShimOpen(const char *Path, int Flags, ...)
{
    UNREFERENCED_PARAMETER(Path);
    UNREFERENCED_PARAMETER(Flags);
    NtfsShimErrno = NTFS_SHIM_ENOENT;
    return -1;
}

int NtfsShimClose(int File)
{
    UNREFERENCED_PARAMETER(File);
    return 0;
}

int64_t NtfsShimRead(int File, void *To, size_t Size)
{
    UNREFERENCED_PARAMETER(File);
    UNREFERENCED_PARAMETER(To);
    UNREFERENCED_PARAMETER(Size);
    NtfsShimErrno = NTFS_SHIM_ENOENT;
    return -1;
}
