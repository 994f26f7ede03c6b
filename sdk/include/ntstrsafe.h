/* SPDX-License-Identifier: MIT */
/*
 * ntstrsafe.h: mingw-w64's, and the routines on counted strings, which it lacks.
 *
 * All of them write at most MaximumLength bytes and no terminator.  What does not fit is cut, with STATUS_BUFFER_OVERFLOW; a
 * string whose lengths do not agree is refused with STATUS_INVALID_PARAMETER and not written.  They run at PASSIVE_LEVEL as
 * documented, those that format; the others also at DISPATCH_LEVEL when their strings are resident.
 */
#ifndef FLTVM_NTSTRSAFE_H
#define FLTVM_NTSTRSAFE_H

#include_next <ntstrsafe.h>

#ifndef STRSAFE_FILL_BEHIND
#define STRSAFE_FILL_BEHIND            0x00000200
#define STRSAFE_ZERO_LENGTH_ON_FAILURE 0x00000800
#endif
#define NTSTRSAFE_MAX_LENGTH             (NTSTRSAFE_MAX_CCH - 1)
#define NTSTRSAFE_UNICODE_STRING_MAX_CCH (0xffff / sizeof(wchar_t))

#ifdef __cplusplus
extern "C" {
#endif

typedef const wchar_t *NTSTRSAFE_PCUWSTR;
typedef const char *STRSAFE_PCNZCH;
typedef const wchar_t *STRSAFE_PCNZWCH;
typedef const wchar_t *STRSAFE_PCUNZWCH;

#ifndef NTSTRSAFE_NO_UNICODE_STRING_FUNCTIONS

#define FLTVM_STRSAFE static __inline __attribute__((unused)) NTSTATUS

FLTVM_STRSAFE RtlUnicodeStringValidateEx(PCUNICODE_STRING Source, ULONG Flags)
{
    if (Flags & ~STRSAFE_UNICODE_STRING_VALID_FLAGS)
        return STATUS_INVALID_PARAMETER;
    if (Source == NULL)
        return Flags & STRSAFE_IGNORE_NULL_UNICODE_STRINGS ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    if (Source->Length % sizeof(WCHAR) || Source->MaximumLength % sizeof(WCHAR) ||
        Source->Length > Source->MaximumLength)
        return STATUS_INVALID_PARAMETER;
    return Source->Buffer == NULL && Source->MaximumLength != 0 ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

FLTVM_STRSAFE RtlUnicodeStringValidate(PCUNICODE_STRING Source)
{
    return RtlUnicodeStringValidateEx(Source, 0);
}

/* The length of a terminated string, which must be less than Maximum. */
FLTVM_STRSAFE FltvmStrsafeLength(const WCHAR *Text, size_t Maximum, size_t *Length)
{
    size_t At = 0;

    while (At < Maximum && Text[At] != 0)
        At++;
    *Length = At < Maximum ? At : 0;
    return At < Maximum ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* What the flags ask for when a destination has been written, or could not be. */
FLTVM_STRSAFE FltvmStrsafeEnd(PUNICODE_STRING Destination, PUNICODE_STRING Remaining, ULONG Flags, NTSTATUS Status)
{
    if (Destination == NULL)
        return Status;
    if (!NT_SUCCESS(Status)) {
        if (Flags & STRSAFE_FILL_ON_FAILURE)
            memset(Destination->Buffer, (int)(Flags & 0xff), Destination->MaximumLength);
        if (Flags & (STRSAFE_FILL_ON_FAILURE | STRSAFE_ZERO_LENGTH_ON_FAILURE))
            Destination->Length = 0;
        if (Status == STATUS_BUFFER_OVERFLOW && (Flags & STRSAFE_NO_TRUNCATION))
            Destination->Length = 0;
    } else if (Flags & STRSAFE_FILL_BEHIND) {
        memset((PUCHAR)Destination->Buffer + Destination->Length, (int)(Flags & 0xff),
               Destination->MaximumLength - Destination->Length);
    }
    if (Remaining != NULL && (NT_SUCCESS(Status) || Status == STATUS_BUFFER_OVERFLOW)) {
        Remaining->Buffer =
            Destination->Buffer == NULL ? NULL : Destination->Buffer + Destination->Length / sizeof(WCHAR);
        Remaining->Length = 0;
        Remaining->MaximumLength = Destination->MaximumLength - Destination->Length;
    }
    return Status;
}

/* Put Count characters at the end of what Destination keeps: all of it or, when Append is FALSE, nothing. */
FLTVM_STRSAFE FltvmStrsafePut(PUNICODE_STRING Destination, BOOLEAN Append, const WCHAR *Source, size_t Count,
                              PUNICODE_STRING Remaining, ULONG Flags)
{
    NTSTATUS Status = RtlUnicodeStringValidateEx(Destination, Flags);
    size_t Kept, Room;

    if (!NT_SUCCESS(Status) || Destination == NULL)
        return NT_SUCCESS(Status) && Count != 0 ? STATUS_BUFFER_OVERFLOW : Status;
    Kept = Append ? Destination->Length / sizeof(WCHAR) : 0;
    Room = Destination->MaximumLength / sizeof(WCHAR) - Kept;
    if (Count > Room)
        Status = STATUS_BUFFER_OVERFLOW;
    if (Count <= Room || !(Flags & STRSAFE_NO_TRUNCATION)) {
        Count = Count < Room ? Count : Room;
        if (Count != 0)
            memmove(Destination->Buffer + Kept, Source, Count * sizeof(WCHAR));
        Destination->Length = (USHORT)((Kept + Count) * sizeof(WCHAR));
    }
    return FltvmStrsafeEnd(Destination, Remaining, Flags, Status);
}

FLTVM_STRSAFE FltvmStrsafePutString(PUNICODE_STRING Destination, BOOLEAN Append, const WCHAR *Source, size_t Most,
                                    PUNICODE_STRING Remaining, ULONG Flags)
{
    size_t Count = 0;

    if (Source == NULL) {
        if (!(Flags & STRSAFE_IGNORE_NULL_UNICODE_STRINGS) && !(Flags & STRSAFE_IGNORE_NULLS))
            return STATUS_INVALID_PARAMETER;
        Source = L"";
    }
    if (Most > NTSTRSAFE_UNICODE_STRING_MAX_CCH)
        return STATUS_INVALID_PARAMETER;
    while (Count < Most && Source[Count] != 0)
        Count++;
    return FltvmStrsafePut(Destination, Append, Source, Count, Remaining, Flags);
}

FLTVM_STRSAFE FltvmStrsafePutCounted(PUNICODE_STRING Destination, BOOLEAN Append, PCUNICODE_STRING Source, size_t Most,
                                     PUNICODE_STRING Remaining, ULONG Flags)
{
    NTSTATUS Status = RtlUnicodeStringValidateEx(Source, Flags);

    if (!NT_SUCCESS(Status) || Most > NTSTRSAFE_UNICODE_STRING_MAX_CCH)
        return STATUS_INVALID_PARAMETER;
    if (Source == NULL)
        return FltvmStrsafePut(Destination, Append, L"", 0, Remaining, Flags);
    if (Most > Source->Length / sizeof(WCHAR))
        Most = Source->Length / sizeof(WCHAR);
    return FltvmStrsafePut(Destination, Append, Source->Buffer, Most, Remaining, Flags);
}

FLTVM_STRSAFE RtlUnicodeStringInitEx(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Source, ULONG Flags)
{
    size_t Length = 0;

    if (Flags & ~STRSAFE_UNICODE_STRING_VALID_FLAGS || Destination == NULL)
        return STATUS_INVALID_PARAMETER;
    Destination->Length = Destination->MaximumLength = 0;
    Destination->Buffer = NULL;
    if (Source == NULL)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(FltvmStrsafeLength(Source, NTSTRSAFE_UNICODE_STRING_MAX_CCH, &Length)))
        return STATUS_INVALID_PARAMETER;
    Destination->Length = (USHORT)(Length * sizeof(WCHAR));
    Destination->MaximumLength = (USHORT)((Length + 1) * sizeof(WCHAR));
    Destination->Buffer = (PWCH)Source;
    return STATUS_SUCCESS;
}

FLTVM_STRSAFE RtlUnicodeStringInit(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Source)
{
    return RtlUnicodeStringInitEx(Destination, Source, 0);
}

/* Copy and append: a terminated or a counted source, whole or its first characters or bytes, with flags or without. */
#define FLTVM_STRSAFE_FAMILY(Verb, Append)                                                                             \
    FLTVM_STRSAFE RtlUnicodeString##Verb##String(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Source)                 \
    {                                                                                                                  \
        return FltvmStrsafePutString(Destination, Append, Source, NTSTRSAFE_UNICODE_STRING_MAX_CCH, NULL, 0);          \
    }                                                                                                                  \
    FLTVM_STRSAFE RtlUnicodeString##Verb(PUNICODE_STRING Destination, PCUNICODE_STRING Source)                         \
    {                                                                                                                  \
        return FltvmStrsafePutCounted(Destination, Append, Source, NTSTRSAFE_UNICODE_STRING_MAX_CCH, NULL, 0);         \
    }                                                                                                                  \
    FLTVM_STRSAFE RtlUnicodeString##Verb##StringEx(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Source,               \
                                                   PUNICODE_STRING Remaining, ULONG Flags)                             \
    {                                                                                                                  \
        return FltvmStrsafePutString(Destination, Append, Source, NTSTRSAFE_UNICODE_STRING_MAX_CCH, Remaining, Flags); \
    }                                                                                                                  \
    FLTVM_STRSAFE RtlUnicodeString##Verb##Ex(PUNICODE_STRING Destination, PCUNICODE_STRING Source,                     \
                                             PUNICODE_STRING Remaining, ULONG Flags)                                   \
    {                                                                                                                  \
        return FltvmStrsafePutCounted(Destination, Append, Source, NTSTRSAFE_UNICODE_STRING_MAX_CCH, Remaining,        \
                                      Flags);                                                                          \
    }                                                                                                                  \
    FLTVM_STRSAFE_N(Verb, Append, Cch, 1)                                                                              \
    FLTVM_STRSAFE_N(Verb, Append, Cb, sizeof(WCHAR))
#define FLTVM_STRSAFE_N(Verb, Append, Unit, Size)                                                                      \
    FLTVM_STRSAFE RtlUnicodeString##Unit##Verb##StringN(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Source,          \
                                                        size_t Most)                                                   \
    {                                                                                                                  \
        return FltvmStrsafePutString(Destination, Append, Source, Most / (Size), NULL, 0);                             \
    }                                                                                                                  \
    FLTVM_STRSAFE RtlUnicodeString##Unit##Verb##N(PUNICODE_STRING Destination, PCUNICODE_STRING Source, size_t Most)   \
    {                                                                                                                  \
        return FltvmStrsafePutCounted(Destination, Append, Source, Most / (Size), NULL, 0);                            \
    }                                                                                                                  \
    FLTVM_STRSAFE RtlUnicodeString##Unit##Verb##StringNEx(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Source,        \
                                                          size_t Most, PUNICODE_STRING Remaining, ULONG Flags)         \
    {                                                                                                                  \
        return FltvmStrsafePutString(Destination, Append, Source, Most / (Size), Remaining, Flags);                    \
    }                                                                                                                  \
    FLTVM_STRSAFE RtlUnicodeString##Unit##Verb##NEx(PUNICODE_STRING Destination, PCUNICODE_STRING Source, size_t Most, \
                                                    PUNICODE_STRING Remaining, ULONG Flags)                            \
    {                                                                                                                  \
        return FltvmStrsafePutCounted(Destination, Append, Source, Most / (Size), Remaining, Flags);                   \
    }
FLTVM_STRSAFE_FAMILY(Copy, FALSE)
FLTVM_STRSAFE_FAMILY(Cat, TRUE)
#undef FLTVM_STRSAFE_FAMILY
#undef FLTVM_STRSAFE_N

FLTVM_STRSAFE RtlUnicodeStringVPrintfEx(PUNICODE_STRING Destination, PUNICODE_STRING Remaining, ULONG Flags,
                                        NTSTRSAFE_PCWSTR Format, va_list Arguments)
{
    NTSTATUS Status = RtlUnicodeStringValidateEx(Destination, Flags);
    int Room, Written;

    if (!NT_SUCCESS(Status) || (Format == NULL && !(Flags & STRSAFE_IGNORE_NULL_UNICODE_STRINGS)))
        return STATUS_INVALID_PARAMETER;
    if (Destination == NULL)
        return Format == NULL || *Format == 0 ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
    Room = Destination->MaximumLength / sizeof(WCHAR);
    Written = Format == NULL ? 0 : _vsnwprintf(Destination->Buffer, (size_t)Room, Format, Arguments);
    if (Written < 0 || Written > Room) {
        Status = STATUS_BUFFER_OVERFLOW;
        Written = Room;
    }
    Destination->Length = (USHORT)(Written * sizeof(WCHAR));
    return FltvmStrsafeEnd(Destination, Remaining, Flags, Status);
}

FLTVM_STRSAFE RtlUnicodeStringVPrintf(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Format, va_list Arguments)
{
    return RtlUnicodeStringVPrintfEx(Destination, NULL, 0, Format, Arguments);
}

FLTVM_STRSAFE RtlUnicodeStringPrintf(PUNICODE_STRING Destination, NTSTRSAFE_PCWSTR Format, ...)
{
    va_list Arguments;
    NTSTATUS Status;

    va_start(Arguments, Format);
    Status = RtlUnicodeStringVPrintfEx(Destination, NULL, 0, Format, Arguments);
    va_end(Arguments);
    return Status;
}

FLTVM_STRSAFE RtlUnicodeStringPrintfEx(PUNICODE_STRING Destination, PUNICODE_STRING Remaining, ULONG Flags,
                                       NTSTRSAFE_PCWSTR Format, ...)
{
    va_list Arguments;
    NTSTATUS Status;

    va_start(Arguments, Format);
    Status = RtlUnicodeStringVPrintfEx(Destination, Remaining, Flags, Format, Arguments);
    va_end(Arguments);
    return Status;
}

/* A counted string into a terminated one. */
FLTVM_STRSAFE RtlStringCchCopyUnicodeStringEx(NTSTRSAFE_PWSTR Destination, size_t Characters, PCUNICODE_STRING Source,
                                              NTSTRSAFE_PWSTR *End, size_t *Remaining, ULONG Flags)
{
    NTSTATUS Status = RtlUnicodeStringValidateEx(Source, Flags);

    if (!NT_SUCCESS(Status))
        return Status;
    if (Source == NULL || Source->Length == 0)
        return RtlStringCchCopyExW(Destination, Characters, L"", End, Remaining, Flags & STRSAFE_VALID_FLAGS);
    return RtlStringCchCopyNExW(Destination, Characters, Source->Buffer, Source->Length / sizeof(WCHAR), End, Remaining,
                                Flags & STRSAFE_VALID_FLAGS);
}

FLTVM_STRSAFE RtlStringCchCopyUnicodeString(NTSTRSAFE_PWSTR Destination, size_t Characters, PCUNICODE_STRING Source)
{
    return RtlStringCchCopyUnicodeStringEx(Destination, Characters, Source, NULL, NULL, 0);
}

FLTVM_STRSAFE RtlStringCbCopyUnicodeStringEx(NTSTRSAFE_PWSTR Destination, size_t Bytes, PCUNICODE_STRING Source,
                                             NTSTRSAFE_PWSTR *End, size_t *Remaining, ULONG Flags)
{
    size_t Characters = 0;
    NTSTATUS Status =
        RtlStringCchCopyUnicodeStringEx(Destination, Bytes / sizeof(WCHAR), Source, End, &Characters, Flags);

    if (Remaining != NULL)
        *Remaining = Characters * sizeof(WCHAR) + Bytes % sizeof(WCHAR);
    return Status;
}

FLTVM_STRSAFE RtlStringCbCopyUnicodeString(NTSTRSAFE_PWSTR Destination, size_t Bytes, PCUNICODE_STRING Source)
{
    return RtlStringCchCopyUnicodeStringEx(Destination, Bytes / sizeof(WCHAR), Source, NULL, NULL, 0);
}

FLTVM_STRSAFE RtlUnalignedStringCchLengthW(STRSAFE_PCUNZWCH Text, size_t Maximum, size_t *Length)
{
    size_t Count = 0;
    NTSTATUS Status = Text == NULL || Maximum > NTSTRSAFE_MAX_CCH ? STATUS_INVALID_PARAMETER
                                                                  : FltvmStrsafeLength(Text, Maximum, &Count);

    if (Length != NULL)
        *Length = Count;
    return Status;
}

FLTVM_STRSAFE RtlUnalignedStringCbLengthW(STRSAFE_PCUNZWCH Text, size_t Maximum, size_t *Length)
{
    size_t Count = 0;
    NTSTATUS Status = RtlUnalignedStringCchLengthW(Text, Maximum / sizeof(WCHAR), &Count);

    if (Length != NULL)
        *Length = Count * sizeof(WCHAR);
    return Status;
}

#undef FLTVM_STRSAFE

#endif

#ifdef __cplusplus
}
#endif

#endif
