/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internet addresses as text.
 *
 * An address of version 6 is written in lower case, its longest run of two or more zero groups as "::", and
 * its last four bytes as version 4 does where they are such an address: mapped, compatible, translated and
 * ISATAP ones. IRQL: any, with resident buffers.
 */
#include "rtlp.h"

#define RTLP_IPV4_TEXT 16 /* with the terminator, as the next */
#define RTLP_IPV6_TEXT 46
#define RTLP_FULL_TEXT 65

struct in_addr;
struct in6_addr;
PWSTR NTAPI RtlIpv4AddressToStringW(const struct in_addr *Address, PWSTR String);
PSTR NTAPI RtlIpv4AddressToStringA(const struct in_addr *Address, PSTR String);
NTSTATUS NTAPI RtlIpv4AddressToStringExW(const struct in_addr *Address, USHORT Port, PWSTR AddressString,
                                         PULONG Length);
NTSTATUS NTAPI RtlIpv4AddressToStringExA(const struct in_addr *Address, USHORT Port, PSTR AddressString, PULONG Length);
PWSTR NTAPI RtlIpv6AddressToStringW(const struct in6_addr *Address, PWSTR String);
PSTR NTAPI RtlIpv6AddressToStringA(const struct in6_addr *Address, PSTR String);
NTSTATUS NTAPI RtlIpv6AddressToStringExW(const struct in6_addr *Address, ULONG ScopeId, USHORT Port,
                                         PWSTR AddressString, PULONG Length);
NTSTATUS NTAPI RtlIpv6AddressToStringExA(const struct in6_addr *Address, ULONG ScopeId, USHORT Port, PSTR AddressString,
                                         PULONG Length);

static PSTR RtlpPutIpv4(const UCHAR *Bytes, PSTR To)
{
    return To + _snprintf(To, RTLP_IPV4_TEXT, "%u.%u.%u.%u", Bytes[0], Bytes[1], Bytes[2], Bytes[3]);
}

static ULONG RtlpGroup(const UCHAR *Bytes, ULONG Index)
{
    return (ULONG)Bytes[2 * Index] << 8 | Bytes[2 * Index + 1];
}

/* How many groups come before an address of version 4: 6, or 8 when there is none. */
static ULONG RtlpGroupsBefore(const UCHAR *Bytes)
{
    ULONG Zero = 0;

    while (Zero < 8 && RtlpGroup(Bytes, Zero) == 0) {
        Zero++;
    }
    if (Zero == 6 ||                                                                /* compatible */
        (Zero == 5 && RtlpGroup(Bytes, 5) == 0xFFFF) ||                             /* mapped */
        (Zero == 4 && RtlpGroup(Bytes, 4) == 0xFFFF && RtlpGroup(Bytes, 5) == 0) || /* translated */
        ((RtlpGroup(Bytes, 4) & ~0x200u) == 0 && RtlpGroup(Bytes, 5) == 0x5EFE)) {  /* ISATAP */
        return 6;
    }
    return 8;
}

static PSTR RtlpPutIpv6(const UCHAR *Bytes, PSTR To)
{
    ULONG Groups = RtlpGroupsBefore(Bytes), Best = 0, BestLength = 1, Run = 0;

    for (ULONG Index = 0; Index < Groups; Index++) {
        Run = RtlpGroup(Bytes, Index) == 0 ? Run + 1 : 0;
        if (Run > BestLength) {
            BestLength = Run;
            Best = Index + 1 - Run;
        }
    }
    for (ULONG Index = 0; Index < Groups; Index++) {
        if (BestLength > 1 && Index == Best) {
            *To++ = ':';
            *To++ = ':';
            Index += BestLength - 1;
            continue;
        }
        if (Index != 0 && To[-1] != ':') {
            *To++ = ':';
        }
        To += _snprintf(To, 5, "%x", RtlpGroup(Bytes, Index));
    }
    if (Groups == 6) {
        if (To[-1] != ':') {
            *To++ = ':';
        }
        return RtlpPutIpv4(Bytes + 12, To);
    }
    *To = 0;
    return To;
}

static ULONG RtlpFullIpv4(const VOID *Address, USHORT Port, PSTR Text)
{
    PSTR End = RtlpPutIpv4(Address, Text);

    if (Port != 0) {
        End += _snprintf(End, 7, ":%u", (ULONG)(USHORT)(Port << 8 | Port >> 8));
    }
    return (ULONG)(End - Text) + 1;
}

static ULONG RtlpFullIpv6(const VOID *Address, ULONG ScopeId, USHORT Port, PSTR Text)
{
    PSTR End = Text;

    if (Port != 0) {
        *End++ = '[';
    }
    End = RtlpPutIpv6(Address, End);
    if (ScopeId != 0) {
        End += _snprintf(End, 12, "%%%u", ScopeId);
    }
    if (Port != 0) {
        End += _snprintf(End, 8, "]:%u", (ULONG)(USHORT)(Port << 8 | Port >> 8));
    }
    return (ULONG)(End - Text) + 1;
}

static VOID RtlpWiden(const CHAR *From, ULONG Length, PWSTR To)
{
    for (ULONG Index = 0; Index < Length; Index++) {
        To[Index] = (UCHAR)From[Index];
    }
}

/* STATUS_INVALID_PARAMETER: no room; *Given is then what it takes, with the terminator, as it is afterwards.
 */
static NTSTATUS RtlpGive(const CHAR *Text, ULONG Length, PVOID To, PULONG Given, BOOLEAN Wide)
{
    ULONG Room = *Given;

    *Given = Length;
    if (Room < Length || To == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Wide) {
        RtlpWiden(Text, Length, To);
    } else {
        RtlCopyMemory(To, Text, Length);
    }
    return STATUS_SUCCESS;
}

/* At least 16 characters; the terminator's address is returned. */
PSTR NTAPI RtlIpv4AddressToStringA(const struct in_addr *Address, PSTR String)
{
    return RtlpPutIpv4((const UCHAR *)Address, String);
}

PWSTR NTAPI RtlIpv4AddressToStringW(const struct in_addr *Address, PWSTR String)
{
    CHAR Text[RTLP_IPV4_TEXT];
    ULONG Length = (ULONG)(RtlpPutIpv4((const UCHAR *)Address, Text) - Text);

    RtlpWiden(Text, Length + 1, String);
    return String + Length;
}

/* Port is in network byte order; 0: none is written. */
NTSTATUS NTAPI RtlIpv4AddressToStringExA(const struct in_addr *Address, USHORT Port, PSTR AddressString, PULONG Length)
{
    CHAR Text[RTLP_FULL_TEXT];

    if (Address == NULL || Length == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    return RtlpGive(Text, RtlpFullIpv4(Address, Port, Text), AddressString, Length, FALSE);
}

NTSTATUS NTAPI RtlIpv4AddressToStringExW(const struct in_addr *Address, USHORT Port, PWSTR AddressString, PULONG Length)
{
    CHAR Text[RTLP_FULL_TEXT];

    if (Address == NULL || Length == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    return RtlpGive(Text, RtlpFullIpv4(Address, Port, Text), AddressString, Length, TRUE);
}

/* At least 46 characters; the terminator's address is returned. */
PSTR NTAPI RtlIpv6AddressToStringA(const struct in6_addr *Address, PSTR String)
{
    return RtlpPutIpv6((const UCHAR *)Address, String);
}

PWSTR NTAPI RtlIpv6AddressToStringW(const struct in6_addr *Address, PWSTR String)
{
    CHAR Text[RTLP_IPV6_TEXT];
    ULONG Length = (ULONG)(RtlpPutIpv6((const UCHAR *)Address, Text) - Text);

    RtlpWiden(Text, Length + 1, String);
    return String + Length;
}

/* Scope and port, where they are not 0, as "[address%scope]:port"; the port is in network byte order. */
NTSTATUS NTAPI RtlIpv6AddressToStringExA(const struct in6_addr *Address, ULONG ScopeId, USHORT Port, PSTR AddressString,
                                         PULONG Length)
{
    CHAR Text[RTLP_FULL_TEXT];

    if (Address == NULL || Length == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    return RtlpGive(Text, RtlpFullIpv6(Address, ScopeId, Port, Text), AddressString, Length, FALSE);
}

NTSTATUS NTAPI RtlIpv6AddressToStringExW(const struct in6_addr *Address, ULONG ScopeId, USHORT Port,
                                         PWSTR AddressString, PULONG Length)
{
    CHAR Text[RTLP_FULL_TEXT];

    if (Address == NULL || Length == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    return RtlpGive(Text, RtlpFullIpv6(Address, ScopeId, Port, Text), AddressString, Length, TRUE);
}
