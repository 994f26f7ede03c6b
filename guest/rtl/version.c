// SPDX-License-Identifier: GPL-2.0-or-later
/* Which Windows this is (10.0.19041), byte order, and random numbers from the caller's seed. */
#include "rtlp.h"

#undef RtlUshortByteSwap
#undef RtlUlongByteSwap
#undef RtlUlonglongByteSwap

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

#define RTLP_MAJOR_VERSION  10
#define RTLP_MINOR_VERSION  0
#define RTLP_BUILD_NUMBER   19041
#define RTLP_NT_WORKSTATION 1

/* Data export. */
extern SHORT NtBuildNumber;
SHORT NtBuildNumber = RTLP_BUILD_NUMBER;

NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOW VersionInformation)
{
    VersionInformation->dwMajorVersion = RTLP_MAJOR_VERSION;
    VersionInformation->dwMinorVersion = RTLP_MINOR_VERSION;
    VersionInformation->dwBuildNumber = RTLP_BUILD_NUMBER;
    VersionInformation->dwPlatformId = 2; /* VER_PLATFORM_WIN32_NT */
    VersionInformation->szCSDVersion[0] = 0;
    if (VersionInformation->dwOSVersionInfoSize == sizeof(RTL_OSVERSIONINFOEXW)) {
        PRTL_OSVERSIONINFOEXW Extended = (PRTL_OSVERSIONINFOEXW)VersionInformation;
        Extended->wServicePackMajor = 0;
        Extended->wServicePackMinor = 0;
        Extended->wSuiteMask = 0;
        Extended->wProductType = RTLP_NT_WORKSTATION;
        Extended->wReserved = 0;
    }
    return STATUS_SUCCESS;
}

/* Comparison codes of VerSetConditionMask. */
enum { RtlpEqual = 1, RtlpGreater, RtlpGreaterEqual, RtlpLess, RtlpLessEqual };

static BOOLEAN RtlpCompareVersion(ULONG Condition, LONG64 Difference)
{
    switch (Condition) {
    case RtlpEqual: return Difference == 0;
    case RtlpGreater: return Difference > 0;
    case RtlpGreaterEqual: return Difference >= 0;
    case RtlpLess: return Difference < 0;
    case RtlpLessEqual: return Difference <= 0;
    default: return FALSE;
    }
}

/* Three bits of condition for each of VER_MINORVERSION (bit 0) to VER_PRODUCT_TYPE (bit 7). */
static ULONG RtlpCondition(ULONGLONG Mask, ULONG Bit)
{
    return (ULONG)(Mask >> (Bit * 3)) & 7;
}

NTSTATUS NTAPI RtlVerifyVersionInfo(PRTL_OSVERSIONINFOEXW VersionInfo, ULONG TypeMask, ULONGLONG ConditionMask)
{
    BOOLEAN Equal = TRUE;
    LONG64 Difference;

    if (TypeMask == 0 || ConditionMask == 0)
        return STATUS_INVALID_PARAMETER;
    if ((TypeMask & 0x80) &&
        !RtlpCompareVersion(RtlpCondition(ConditionMask, 7), RTLP_NT_WORKSTATION - (LONG64)VersionInfo->wProductType))
        return STATUS_REVISION_MISMATCH;
    if ((TypeMask & 0x04) &&
        !RtlpCompareVersion(RtlpCondition(ConditionMask, 2), RTLP_BUILD_NUMBER - (LONG64)VersionInfo->dwBuildNumber))
        return STATUS_REVISION_MISMATCH;
    /* Major, minor and service pack form one number: a later part counts only while the earlier are equal. */
    if (TypeMask & 0x02) {
        Difference = RTLP_MAJOR_VERSION - (LONG64)VersionInfo->dwMajorVersion;
        Equal = Difference == 0;
        if (!Equal && !RtlpCompareVersion(RtlpCondition(ConditionMask, 1), Difference))
            return STATUS_REVISION_MISMATCH;
    }
    if (Equal && (TypeMask & 0x01)) {
        Difference = RTLP_MINOR_VERSION - (LONG64)VersionInfo->dwMinorVersion;
        Equal = Difference == 0;
        if (!RtlpCompareVersion(RtlpCondition(ConditionMask, 0), Difference))
            return STATUS_REVISION_MISMATCH;
    }
    if (Equal && (TypeMask & 0x20) &&
        !RtlpCompareVersion(RtlpCondition(ConditionMask, 5), 0 - (LONG64)VersionInfo->wServicePackMajor))
        return STATUS_REVISION_MISMATCH;
    return STATUS_SUCCESS;
}

ULONGLONG NTAPI VerSetConditionMask(ULONGLONG ConditionMask, ULONG TypeMask, UCHAR Condition)
{
    for (ULONG Bit = 0; Bit < 8; Bit++) {
        if (TypeMask & (1u << Bit))
            ConditionMask |= (ULONGLONG)(Condition & 7) << (Bit * 3);
    }
    return ConditionMask;
}

/* Park and Miller's generator, as documented: the numbers are in [0, MAXLONG - 1]. */
static ULONG RtlpNextRandom(PULONG Seed)
{
    *Seed = (ULONG)((*Seed * 0x7FFFFFEDULL + 0x7FFFFFC3ULL) % 0x7FFFFFFFULL);
    return *Seed;
}

ULONG NTAPI RtlRandom(PULONG Seed)
{
    return RtlpNextRandom(Seed);
}

ULONG NTAPI RtlRandomEx(PULONG Seed)
{
    return RtlpNextRandom(Seed);
}

USHORT FASTCALL RtlUshortByteSwap(USHORT Source)
{
    return __builtin_bswap16(Source);
}

ULONG FASTCALL RtlUlongByteSwap(ULONG Source)
{
    return __builtin_bswap32(Source);
}

ULONGLONG FASTCALL RtlUlonglongByteSwap(ULONGLONG Source)
{
    return __builtin_bswap64(Source);
}
