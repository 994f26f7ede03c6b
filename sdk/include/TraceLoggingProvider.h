/* SPDX-License-Identifier: MIT */
/*
 * TraceLogging: a provider registers, asks and unregisters as every provider of events does; what it would write is
 * checked by the compiler and not written.
 *
 * No session listens on this machine, so TraceLoggingWrite does what it does on a Windows where none does: it asks, and
 * evaluates none of its fields.  The compiler checks that each argument is a field or a setting, that names are string
 * literals, that tags, levels and keywords are constants, and that values have the types of their fields.
 */
#ifndef FLTVM_TRACELOGGINGPROVIDER_H
#define FLTVM_TRACELOGGINGPROVIDER_H

#include <wdm.h>

#ifdef __cplusplus
extern "C" {
#endif

struct _FLTVM_TLG_PROVIDER {
    REGHANDLE Handle;
    GUID Id;
    const char *Name;
};
typedef struct _FLTVM_TLG_PROVIDER const *TraceLoggingHProvider;

/* What a field or a setting becomes: each argument of an event must be one, and nothing else can begin it. */
typedef struct _FLTVM_TLG_FIELD {
    struct _FLTVM_TLG_NOTHING {
    } Nothing;
    int Checked;
} FLTVM_TLG_FIELD;

#ifdef __cplusplus
}
#define FLTVM_TLG_EXTERN extern "C"
#else
#define FLTVM_TLG_EXTERN extern
#endif

/* A GUID from the eleven numbers that stand in parentheses. */
#define FLTVM_TLG_GUID(a, b, c, d, e, f, g, h, i, j, k)                                                                \
    {                                                                                                                  \
        a, b, c,                                                                                                       \
        {                                                                                                              \
            d, e, f, g, h, i, j, k                                                                                     \
        }                                                                                                              \
    }

#define TRACELOGGING_DECLARE_PROVIDER(Provider) FLTVM_TLG_EXTERN const TraceLoggingHProvider Provider
#define TRACELOGGING_DEFINE_PROVIDER_STORAGE(Storage, ProviderName, ProviderId, ...)                                   \
    static const GUID Storage##Options[] __attribute__((unused)) = {FLTVM_TLG_GUID ProviderId, ##__VA_ARGS__};         \
    static struct _FLTVM_TLG_PROVIDER Storage = {0, FLTVM_TLG_GUID ProviderId, "" ProviderName ""}
#define TRACELOGGING_DEFINE_PROVIDER(Provider, ProviderName, ProviderId, ...)                                          \
    TRACELOGGING_DEFINE_PROVIDER_STORAGE(Provider##Storage, ProviderName, ProviderId, ##__VA_ARGS__);                  \
    FLTVM_TLG_EXTERN const TraceLoggingHProvider Provider;                                                             \
    const TraceLoggingHProvider Provider = &Provider##Storage
#define TraceLoggingOptionGroup(...) FLTVM_TLG_GUID(__VA_ARGS__)

#define FLTVM_TLG_FAST_FAIL_INVALID_ARG 5

/* A provider that is registered already is not registered again.  IRQL: PASSIVE_LEVEL. */
FORCEINLINE NTSTATUS TraceLoggingRegisterEx(TraceLoggingHProvider Provider, PETWENABLECALLBACK Callback, PVOID Context)
{
    if (Provider->Handle != 0)
        __fastfail(FLTVM_TLG_FAST_FAIL_INVALID_ARG);
    return EtwRegister(&Provider->Id, Callback, Context, (PREGHANDLE)&Provider->Handle);
}

FORCEINLINE NTSTATUS TraceLoggingRegister(TraceLoggingHProvider Provider)
{
    return TraceLoggingRegisterEx(Provider, NULL, NULL);
}

/* Nothing happens to a provider that is not registered.  IRQL: PASSIVE_LEVEL. */
FORCEINLINE VOID TraceLoggingUnregister(TraceLoggingHProvider Provider)
{
    if (Provider->Handle != 0)
        EtwUnregister(Provider->Handle);
    ((struct _FLTVM_TLG_PROVIDER *)Provider)->Handle = 0;
}

/* IRQL: any. */
FORCEINLINE BOOLEAN TraceLoggingProviderEnabled(TraceLoggingHProvider Provider, UCHAR Level, ULONGLONG Keyword)
{
    return Provider->Handle != 0 && EtwProviderEnabled(Provider->Handle, Level, Keyword);
}

FORCEINLINE GUID TraceLoggingProviderId(TraceLoggingHProvider Provider)
{
    return Provider->Id;
}

/* Writes an event.  IRQL: any, when what the fields point to is resident. */
#define TraceLoggingWrite(Provider, EventName, ...)                                                                    \
    TraceLoggingWriteActivity(Provider, EventName, NULL, NULL, ##__VA_ARGS__)
#define TraceLoggingWriteActivity(Provider, EventName, ActivityId, RelatedActivityId, ...)                             \
    TraceLoggingWriteEx(Provider, EventName, 0, ActivityId, RelatedActivityId, ##__VA_ARGS__)
#define TraceLoggingWriteEx(Provider, EventName, Flags, ActivityId, RelatedActivityId, ...)                            \
    do {                                                                                                               \
        if (TraceLoggingProviderEnabled(Provider, 0, 0)) {                                                             \
            const FLTVM_TLG_FIELD FltvmFields[] = {                                                                    \
                FltvmTlgEvent("" EventName "", (Flags), ActivityId, RelatedActivityId), ##__VA_ARGS__};                \
            C_ASSERT(sizeof(FltvmFields) / sizeof(FltvmFields[0]) <= 100);                                             \
            (void)FltvmFields;                                                                                         \
        }                                                                                                              \
    } while (0)

/* A name, a description and tags: each may be left out, from the end. */
#define FLTVM_TLG_COUNT(...)                  FLTVM_TLG_COUNT_(0, ##__VA_ARGS__, 3, 2, 1, 0)
#define FLTVM_TLG_COUNT_(z, a, b, c, n, ...)  n
#define FLTVM_TLG_JOIN(a, b)                  FLTVM_TLG_JOIN_(a, b)
#define FLTVM_TLG_JOIN_(a, b)                 a##b
#define FLTVM_TLG_OPTIONS(...)                FLTVM_TLG_JOIN(FLTVM_TLG_OPTIONS_, FLTVM_TLG_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define FLTVM_TLG_OPTIONS_0()                 0
#define FLTVM_TLG_OPTIONS_1(Name)             FLTVM_TLG_LITERAL(Name)
#define FLTVM_TLG_OPTIONS_2(Name, Text)       (FLTVM_TLG_LITERAL(Name) + FLTVM_TLG_LITERAL(Text))
#define FLTVM_TLG_OPTIONS_3(Name, Text, Tags) (FLTVM_TLG_OPTIONS_2(Name, Text) + FLTVM_TLG_CONSTANT(Tags))
#define FLTVM_TLG_LITERAL(Text)               ((int)sizeof("" Text ""))
#define FLTVM_TLG_CONSTANT(Value)             ((int)sizeof(char[__builtin_constant_p(Value) ? 1 : -1]))
/* A value that is what it is called: its size says so. */
#define FLTVM_TLG_SIZED(Value, Size) ((int)sizeof(char[sizeof(Value) == (Size) ? 1 : -1]))

#define FLTVM_TLG_CHECK(Name, ...)                                                                                     \
    FORCEINLINE FLTVM_TLG_FIELD Name(__VA_ARGS__)                                                                      \
    {                                                                                                                  \
        FLTVM_TLG_FIELD Field = {{}, 1};                                                                               \
        return Field;                                                                                                  \
    }
#define FLTVM_TLG_CHECKS(Name, Type)                                                                                   \
    FLTVM_TLG_CHECK(FltvmTlg##Name, Type Value, int Options)                                                           \
    FLTVM_TLG_CHECK(FltvmTlg##Name##Array, const Type *Values, USHORT Count, int Options)

FLTVM_TLG_CHECK(FltvmTlgEvent, const char *Name, ULONG Flags, LPCGUID ActivityId, LPCGUID RelatedActivityId)
FLTVM_TLG_CHECK(FltvmTlgSetting, int Options)
FLTVM_TLG_CHECKS(Int8, INT8)
FLTVM_TLG_CHECKS(UInt8, UINT8)
FLTVM_TLG_CHECKS(Int16, INT16)
FLTVM_TLG_CHECKS(UInt16, UINT16)
FLTVM_TLG_CHECKS(Int32, INT32)
FLTVM_TLG_CHECKS(UInt32, UINT32)
FLTVM_TLG_CHECKS(Int64, INT64)
FLTVM_TLG_CHECKS(UInt64, UINT64)
FLTVM_TLG_CHECKS(IntPtr, INT_PTR)
FLTVM_TLG_CHECKS(UIntPtr, UINT_PTR)
FLTVM_TLG_CHECKS(Long, LONG)
FLTVM_TLG_CHECKS(ULong, ULONG)
FLTVM_TLG_CHECKS(Float32, float)
FLTVM_TLG_CHECKS(Float64, double)
FLTVM_TLG_CHECKS(Char, char)
FLTVM_TLG_CHECKS(WChar, WCHAR)
FLTVM_TLG_CHECKS(Guid, GUID)
FLTVM_TLG_CHECK(FltvmTlgPointer, const volatile void *Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgPointerArray, const void *const *Values, USHORT Count, int Options)
FLTVM_TLG_CHECK(FltvmTlgBytes, const void *Value, ULONG Size, int Options)
FLTVM_TLG_CHECK(FltvmTlgString, const char *Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgWideString, const WCHAR *Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgCountedString, const char *Value, USHORT Count, int Options)
FLTVM_TLG_CHECK(FltvmTlgCountedWideString, const WCHAR *Value, USHORT Count, int Options)
FLTVM_TLG_CHECK(FltvmTlgAnsiString, const STRING *Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgUnicodeString, const UNICODE_STRING *Value, int Options)

/* Settings of an event. */
#define TraceLoggingLevel(Level)                 FltvmTlgSetting(FLTVM_TLG_CONSTANT(Level))
#define TraceLoggingKeyword(Keyword)             FltvmTlgSetting(FLTVM_TLG_CONSTANT(Keyword))
#define TraceLoggingOpcode(Opcode)               FltvmTlgSetting(FLTVM_TLG_CONSTANT(Opcode))
#define TraceLoggingChannel(Channel)             FltvmTlgSetting(FLTVM_TLG_CONSTANT(Channel))
#define TraceLoggingEventTag(Tag)                FltvmTlgSetting(FLTVM_TLG_CONSTANT(Tag))
#define TraceLoggingDescription(Text)            FltvmTlgSetting(FLTVM_TLG_LITERAL(Text))
#define TraceLoggingCustomAttribute(Name, Value) FltvmTlgSetting(FLTVM_TLG_LITERAL(Name) + FLTVM_TLG_LITERAL(Value))
#define TraceLoggingStruct(Count, Name, ...)                                                                           \
    FltvmTlgSetting(FLTVM_TLG_CONSTANT(Count) + FLTVM_TLG_OPTIONS(Name, ##__VA_ARGS__))

/* Values. */
#define TraceLoggingInt8(Value, ...)        FltvmTlgInt8(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt8(Value, ...)       FltvmTlgUInt8(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt16(Value, ...)       FltvmTlgInt16(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt16(Value, ...)      FltvmTlgUInt16(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt32(Value, ...)       FltvmTlgInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt32(Value, ...)      FltvmTlgUInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt64(Value, ...)       FltvmTlgInt64(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt64(Value, ...)      FltvmTlgUInt64(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingIntPtr(Value, ...)      FltvmTlgIntPtr(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUIntPtr(Value, ...)     FltvmTlgUIntPtr(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFloat32(Value, ...)     FltvmTlgFloat32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFloat64(Value, ...)     FltvmTlgFloat64(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingChar(Value, ...)        FltvmTlgChar(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingWChar(Value, ...)       FltvmTlgWChar(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingGuid(Value, ...)        FltvmTlgGuid(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingPointer(Value, ...)     FltvmTlgPointer(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt8(Value, ...)     FltvmTlgInt8(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt8(Value, ...)    FltvmTlgUInt8(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt16(Value, ...)    FltvmTlgInt16(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt16(Value, ...)   FltvmTlgUInt16(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt32(Value, ...)    FltvmTlgInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt32(Value, ...)   FltvmTlgUInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt64(Value, ...)    FltvmTlgInt64(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt64(Value, ...)   FltvmTlgUInt64(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexIntPtr(Value, ...)   FltvmTlgIntPtr(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUIntPtr(Value, ...)  FltvmTlgUIntPtr(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingLong(Value, ...)        FltvmTlgLong(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingULong(Value, ...)       FltvmTlgULong(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexLong(Value, ...)     FltvmTlgLong(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexULong(Value, ...)    FltvmTlgULong(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingBoolean(Value, ...)     FltvmTlgUInt8(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingBool(Value, ...)        FltvmTlgInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingChar8(Value, ...)       FltvmTlgChar(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingChar16(Value, ...)      FltvmTlgWChar(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCodePointer(Value, ...) FltvmTlgPointer(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingPid(Value, ...)         FltvmTlgUInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingTid(Value, ...)         FltvmTlgUInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingPort(Value, ...)        FltvmTlgUInt16(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingWinError(Value, ...)    FltvmTlgUInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingNTStatus(Value, ...)    FltvmTlgInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHResult(Value, ...)     FltvmTlgInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingSizeT(Value, ...)       FltvmTlgUIntPtr(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingIPv4Address(Value, ...) FltvmTlgUInt32(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFileTime(Value, ...)    FltvmTlgSetting(FLTVM_TLG_SIZED(Value, 8) + FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFileTimeUtc(Value, ...) FltvmTlgSetting(FLTVM_TLG_SIZED(Value, 8) + FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingSystemTime(Value, ...)  FltvmTlgSetting(FLTVM_TLG_SIZED(Value, 16) + FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingSystemTimeUtc(Value, ...)                                                                          \
    FltvmTlgSetting(FLTVM_TLG_SIZED(Value, 16) + FLTVM_TLG_OPTIONS(__VA_ARGS__))

/* Strings, and other memory. */
#define TraceLoggingString(Value, ...)               FltvmTlgString(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUtf8String(Value, ...)           FltvmTlgString(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingWideString(Value, ...)           FltvmTlgWideString(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingString16(Value, ...)             FltvmTlgWideString(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingAnsiString(Value, ...)           FltvmTlgAnsiString(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUnicodeString(Value, ...)        FltvmTlgUnicodeString(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCountedString(Value, Count, ...) FltvmTlgCountedString(Value, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCountedUtf8String(Value, Count, ...)                                                               \
    FltvmTlgCountedString(Value, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCountedWideString(Value, Count, ...)                                                               \
    FltvmTlgCountedWideString(Value, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCountedString16(Value, Count, ...)                                                                 \
    FltvmTlgCountedWideString(Value, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingSid(Value, ...)                 FltvmTlgPointer(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingIPv6Address(Value, ...)         FltvmTlgPointer(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingBinary(Value, Size, ...)        FltvmTlgBytes(Value, Size, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingSocketAddress(Value, Size, ...) FltvmTlgBytes(Value, Size, FLTVM_TLG_OPTIONS(__VA_ARGS__))

/* Arrays: those of fixed length have a constant count. */
#define TraceLoggingInt8FixedArray(Values, Count, ...)                                                                 \
    FltvmTlgInt8Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt8Array(Values, Count, ...) FltvmTlgInt8Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt8FixedArray(Values, Count, ...)                                                                \
    FltvmTlgUInt8Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt8Array(Values, Count, ...) FltvmTlgUInt8Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt16FixedArray(Values, Count, ...)                                                                \
    FltvmTlgInt16Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt16Array(Values, Count, ...) FltvmTlgInt16Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt16FixedArray(Values, Count, ...)                                                               \
    FltvmTlgUInt16Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt16Array(Values, Count, ...) FltvmTlgUInt16Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt32FixedArray(Values, Count, ...)                                                                \
    FltvmTlgInt32Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt32Array(Values, Count, ...) FltvmTlgInt32Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt32FixedArray(Values, Count, ...)                                                               \
    FltvmTlgUInt32Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt32Array(Values, Count, ...) FltvmTlgUInt32Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt64FixedArray(Values, Count, ...)                                                                \
    FltvmTlgInt64Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingInt64Array(Values, Count, ...) FltvmTlgInt64Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt64FixedArray(Values, Count, ...)                                                               \
    FltvmTlgUInt64Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUInt64Array(Values, Count, ...) FltvmTlgUInt64Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingIntPtrFixedArray(Values, Count, ...)                                                               \
    FltvmTlgIntPtrArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingIntPtrArray(Values, Count, ...) FltvmTlgIntPtrArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUIntPtrFixedArray(Values, Count, ...)                                                              \
    FltvmTlgUIntPtrArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingUIntPtrArray(Values, Count, ...) FltvmTlgUIntPtrArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFloat32FixedArray(Values, Count, ...)                                                              \
    FltvmTlgFloat32Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFloat32Array(Values, Count, ...) FltvmTlgFloat32Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFloat64FixedArray(Values, Count, ...)                                                              \
    FltvmTlgFloat64Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFloat64Array(Values, Count, ...) FltvmTlgFloat64Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCharFixedArray(Values, Count, ...)                                                                 \
    FltvmTlgCharArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCharArray(Values, Count, ...) FltvmTlgCharArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingWCharFixedArray(Values, Count, ...)                                                                \
    FltvmTlgWCharArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingWCharArray(Values, Count, ...) FltvmTlgWCharArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingGuidFixedArray(Values, Count, ...)                                                                 \
    FltvmTlgGuidArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingGuidArray(Values, Count, ...) FltvmTlgGuidArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingPointerFixedArray(Values, Count, ...)                                                              \
    FltvmTlgPointerArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingPointerArray(Values, Count, ...) FltvmTlgPointerArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt8FixedArray(Values, Count, ...)                                                              \
    FltvmTlgInt8Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt8Array(Values, Count, ...) FltvmTlgInt8Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt8FixedArray(Values, Count, ...)                                                             \
    FltvmTlgUInt8Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt8Array(Values, Count, ...) FltvmTlgUInt8Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt16FixedArray(Values, Count, ...)                                                             \
    FltvmTlgInt16Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt16Array(Values, Count, ...) FltvmTlgInt16Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt16FixedArray(Values, Count, ...)                                                            \
    FltvmTlgUInt16Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt16Array(Values, Count, ...)                                                                 \
    FltvmTlgUInt16Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt32FixedArray(Values, Count, ...)                                                             \
    FltvmTlgInt32Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt32Array(Values, Count, ...) FltvmTlgInt32Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt32FixedArray(Values, Count, ...)                                                            \
    FltvmTlgUInt32Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt32Array(Values, Count, ...)                                                                 \
    FltvmTlgUInt32Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt64FixedArray(Values, Count, ...)                                                             \
    FltvmTlgInt64Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexInt64Array(Values, Count, ...) FltvmTlgInt64Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt64FixedArray(Values, Count, ...)                                                            \
    FltvmTlgUInt64Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUInt64Array(Values, Count, ...)                                                                 \
    FltvmTlgUInt64Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexIntPtrFixedArray(Values, Count, ...)                                                            \
    FltvmTlgIntPtrArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexIntPtrArray(Values, Count, ...)                                                                 \
    FltvmTlgIntPtrArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUIntPtrFixedArray(Values, Count, ...)                                                           \
    FltvmTlgUIntPtrArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexUIntPtrArray(Values, Count, ...)                                                                \
    FltvmTlgUIntPtrArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingLongFixedArray(Values, Count, ...)                                                                 \
    FltvmTlgLongArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingLongArray(Values, Count, ...) FltvmTlgLongArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingULongFixedArray(Values, Count, ...)                                                                \
    FltvmTlgULongArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingULongArray(Values, Count, ...) FltvmTlgULongArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexLongFixedArray(Values, Count, ...)                                                              \
    FltvmTlgLongArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexLongArray(Values, Count, ...) FltvmTlgLongArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexULongFixedArray(Values, Count, ...)                                                             \
    FltvmTlgULongArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingHexULongArray(Values, Count, ...) FltvmTlgULongArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingBooleanFixedArray(Values, Count, ...)                                                              \
    FltvmTlgUInt8Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingBooleanArray(Values, Count, ...) FltvmTlgUInt8Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingBoolFixedArray(Values, Count, ...)                                                                 \
    FltvmTlgInt32Array(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingBoolArray(Values, Count, ...) FltvmTlgInt32Array(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingChar8FixedArray(Values, Count, ...)                                                                \
    FltvmTlgCharArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingChar8Array(Values, Count, ...) FltvmTlgCharArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingChar16FixedArray(Values, Count, ...)                                                               \
    FltvmTlgWCharArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingChar16Array(Values, Count, ...) FltvmTlgWCharArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCodePointerFixedArray(Values, Count, ...)                                                          \
    FltvmTlgPointerArray(Values, (Count) * FLTVM_TLG_CONSTANT(Count), FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingCodePointerArray(Values, Count, ...)                                                               \
    FltvmTlgPointerArray(Values, Count, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFileTimeFixedArray(Values, Count, ...)                                                             \
    FltvmTlgBytes(Values, Count,                                                                                       \
                  FLTVM_TLG_SIZED(*(Values), 8) + FLTVM_TLG_CONSTANT(Count) + FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingFileTimeArray(Values, Count, ...)                                                                  \
    FltvmTlgBytes(Values, Count, FLTVM_TLG_SIZED(*(Values), 8) + 0 + FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingSystemTimeFixedArray(Values, Count, ...)                                                           \
    FltvmTlgBytes(Values, Count,                                                                                       \
                  FLTVM_TLG_SIZED(*(Values), 16) + FLTVM_TLG_CONSTANT(Count) + FLTVM_TLG_OPTIONS(__VA_ARGS__))
#define TraceLoggingSystemTimeArray(Values, Count, ...)                                                                \
    FltvmTlgBytes(Values, Count, FLTVM_TLG_SIZED(*(Values), 16) + 0 + FLTVM_TLG_OPTIONS(__VA_ARGS__))

/* C++ finds the field by the value's type. */
#ifdef __cplusplus
FLTVM_TLG_CHECK(FltvmTlgValue, bool Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, char Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, wchar_t Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, signed char Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, unsigned char Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, short Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, unsigned short Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, int Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, unsigned int Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, long Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, unsigned long Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, long long Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, unsigned long long Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, float Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, double Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, const GUID &Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, const char *Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, const wchar_t *Value, int Options)
FLTVM_TLG_CHECK(FltvmTlgValue, const void *Value, int Options)
#define TraceLoggingValue(Value, ...) FltvmTlgValue(Value, FLTVM_TLG_OPTIONS(__VA_ARGS__))
#endif

#endif
