/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test vectors as they are published: in hexadecimal. */
#ifndef FLTVM_TEST_VECTOR_H
#define FLTVM_TEST_VECTOR_H

#include <ntifs.h>
#include <bcrypt.h>
#include <fltvm.h>

#define LARGEST_VECTOR 512

static UCHAR VectorDigit(CHAR Letter)
{
    return (UCHAR)(Letter <= '9' ? Letter - '0' : (Letter | 0x20) - 'a' + 10);
}

/* How many bytes the text has; they are at Bytes afterwards. */
static ULONG FromHex(PCSTR Text, PUCHAR Bytes)
{
    ULONG Count = 0;

    for (; Text[0] != 0; Text += 2)
        Bytes[Count++] = (UCHAR)(VectorDigit(Text[0]) << 4 | VectorDigit(Text[1]));
    return Count;
}

/* Whether Bytes are what the text says. */
static BOOLEAN IsHex(const UCHAR *Bytes, PCSTR Text)
{
    static UCHAR Wanted[LARGEST_VECTOR];
    ULONG Count = FromHex(Text, Wanted);

    return RtlEqualMemory(Bytes, Wanted, Count);
}

static BCRYPT_ALG_HANDLE OpenAlgorithm(PCWSTR Name, ULONG Flags)
{
    BCRYPT_ALG_HANDLE Handle = NULL;

    FvCheck(BCryptOpenAlgorithmProvider(&Handle, Name, NULL, Flags) == STATUS_SUCCESS);
    return Handle;
}

static ULONG NumberOf(BCRYPT_HANDLE Handle, PCWSTR Property)
{
    ULONG Number = MAXULONG, Length = 0;

    FvCheck(BCryptGetProperty(Handle, Property, (PUCHAR)&Number, sizeof(Number), &Length, 0) == STATUS_SUCCESS &&
            Length == sizeof(Number));
    return Number;
}

#endif
