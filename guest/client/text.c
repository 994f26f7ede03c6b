/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text: names as the host sends them. */
#include "clientp.h"

/* One UTF-8 sequence; malformed ones become U+FFFD.  Advances *Text. */
static ULONG ClientpDecodeCharacter(const UCHAR **Text, const UCHAR *End)
{
    static const ULONG Least[] = {0, 0, 0x80, 0x800, 0x10000};
    ULONG First = *(*Text)++, Length, Value;

    if (First < 0x80)
        return First;
    Length = First >= 0xF0 ? 4 : First >= 0xE0 ? 3 : First >= 0xC0 ? 2 : 0;
    if (Length == 0)
        return 0xFFFD;
    Value = First & (0x7Fu >> Length);
    for (ULONG Index = 1; Index < Length; Index++) {
        if (*Text >= End || (**Text & 0xC0) != 0x80)
            return 0xFFFD;
        Value = Value << 6 | (*(*Text)++ & 0x3F);
    }
    return Value < Least[Length] || Value > 0x10FFFF ? 0xFFFD : Value;
}

NTSTATUS ClientpNextString(PCLIENT_OPERATION Operation, PULONG Offset, PUNICODE_STRING Name)
{
    const UCHAR *Text = Operation->Input.Bytes + *Offset, *Limit = Operation->Input.Bytes + Operation->Input.Length;
    const UCHAR *End = Text;

    RtlZeroMemory(Name, sizeof(*Name));
    while (End < Limit && *End != 0)
        End++;
    if (End == Limit || End - Text > 0x3FFF)
        return STATUS_INVALID_PARAMETER;
    /* A sequence of UTF-8 never becomes more UTF-16 units than it has bytes. */
    Name->MaximumLength = (USHORT)((End - Text + 1) * sizeof(WCHAR));
    Name->Buffer = ExAllocatePoolWithTag(PagedPool, Name->MaximumLength, CLIENT_TAG);
    if (Name->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    while (Text < End) {
        ULONG Character = ClientpDecodeCharacter(&Text, End);
        if (Character >= 0x10000) {
            Name->Buffer[Name->Length++ / sizeof(WCHAR)] = (WCHAR)(0xD7C0 + (Character >> 10));
            Name->Length++;
            Character = 0xDC00 | (Character & 0x3FF);
        }
        Name->Buffer[Name->Length / sizeof(WCHAR)] = (WCHAR)Character;
        Name->Length += sizeof(WCHAR);
    }
    Name->Buffer[Name->Length / sizeof(WCHAR)] = 0;
    *Offset = (ULONG)(End + 1 - Operation->Input.Bytes);
    return STATUS_SUCCESS;
}

VOID ClientpFreeString(PUNICODE_STRING Name)
{
    if (Name->Buffer != NULL)
        ExFreePoolWithTag(Name->Buffer, CLIENT_TAG);
    Name->Buffer = NULL;
}
