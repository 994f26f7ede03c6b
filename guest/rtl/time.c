// SPDX-License-Identifier: GPL-2.0-or-later
/* Calendar time: 100 ns units since 1601, fields, and seconds since 1970 and 1980.  IRQL: any. */
#include "rtlp.h"

#define RTLP_TICKS_PER_SECOND 10000000LL
#define RTLP_SECONDS_PER_DAY  86400LL
#define RTLP_SECONDS_1970     11644473600LL
#define RTLP_SECONDS_1980     11960006400LL
#define RTLP_DAYS_PER_400     146097LL

static BOOLEAN RtlpIsLeapYear(LONG64 Year)
{
    return (Year % 4 == 0 && Year % 100 != 0) || Year % 400 == 0;
}

static const USHORT RtlpDaysBeforeMonth[2][13] = {
    {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
    {0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
};

/* Days from 1601-01-01 to the first of a year. */
static LONG64 RtlpDaysBeforeYear(LONG64 Year)
{
    LONG64 Years = Year - 1601;

    return Years * 365 + Years / 4 - Years / 100 + Years / 400;
}

VOID NTAPI RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
    LONG64 Days = Time->QuadPart / (RTLP_SECONDS_PER_DAY * RTLP_TICKS_PER_SECOND);
    LONG64 Rest = Time->QuadPart % (RTLP_SECONDS_PER_DAY * RTLP_TICKS_PER_SECOND);
    LONG64 Year = 1601 + Days * 400 / RTLP_DAYS_PER_400;
    ULONG Month = 0, DayOfYear;

    /* The estimate is right or one too much. */
    while (RtlpDaysBeforeYear(Year) > Days)
        Year--;
    while (RtlpDaysBeforeYear(Year + 1) <= Days)
        Year++;
    DayOfYear = (ULONG)(Days - RtlpDaysBeforeYear(Year));
    while (RtlpDaysBeforeMonth[RtlpIsLeapYear(Year)][Month + 1] <= DayOfYear)
        Month++;
    TimeFields->Year = (CSHORT)Year;
    TimeFields->Month = (CSHORT)(Month + 1);
    TimeFields->Day = (CSHORT)(DayOfYear - RtlpDaysBeforeMonth[RtlpIsLeapYear(Year)][Month] + 1);
    TimeFields->Weekday = (CSHORT)((Days + 1) % 7);
    TimeFields->Milliseconds = (CSHORT)(Rest / 10000 % 1000);
    Rest /= RTLP_TICKS_PER_SECOND;
    TimeFields->Hour = (CSHORT)(Rest / 3600);
    TimeFields->Minute = (CSHORT)(Rest / 60 % 60);
    TimeFields->Second = (CSHORT)(Rest % 60);
}

BOOLEAN NTAPI RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time)
{
    LONG64 Year = TimeFields->Year, Days;
    const USHORT *Before;

    if (Year < 1601 || TimeFields->Month < 1 || TimeFields->Month > 12 || TimeFields->Hour < 0 ||
        TimeFields->Hour > 23 || TimeFields->Minute < 0 || TimeFields->Minute > 59 || TimeFields->Second < 0 ||
        TimeFields->Second > 59 || TimeFields->Milliseconds < 0 || TimeFields->Milliseconds > 999)
        return FALSE;
    Before = &RtlpDaysBeforeMonth[RtlpIsLeapYear(Year)][TimeFields->Month - 1];
    if (TimeFields->Day < 1 || TimeFields->Day > Before[1] - Before[0])
        return FALSE;
    Days = RtlpDaysBeforeYear(Year) + Before[0] + TimeFields->Day - 1;
    Time->QuadPart =
        (((Days * 24 + TimeFields->Hour) * 60 + TimeFields->Minute) * 60 + TimeFields->Second) * RTLP_TICKS_PER_SECOND +
        TimeFields->Milliseconds * 10000LL;
    return TRUE;
}

static BOOLEAN RtlpSecondsSince(LONG64 Ticks, LONG64 Epoch, PULONG Seconds)
{
    LONG64 Count = Ticks / RTLP_TICKS_PER_SECOND - Epoch;

    if (Count < 0 || Count > MAXULONG)
        return FALSE;
    *Seconds = (ULONG)Count;
    return TRUE;
}

BOOLEAN NTAPI RtlTimeToSecondsSince1970(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    return RtlpSecondsSince(Time->QuadPart, RTLP_SECONDS_1970, ElapsedSeconds);
}

BOOLEAN NTAPI RtlTimeToSecondsSince1980(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    return RtlpSecondsSince(Time->QuadPart, RTLP_SECONDS_1980, ElapsedSeconds);
}

VOID NTAPI RtlSecondsSince1970ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = (ElapsedSeconds + RTLP_SECONDS_1970) * RTLP_TICKS_PER_SECOND;
}

VOID NTAPI RtlSecondsSince1980ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = (ElapsedSeconds + RTLP_SECONDS_1980) * RTLP_TICKS_PER_SECOND;
}
