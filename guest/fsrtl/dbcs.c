// SPDX-License-Identifier: GPL-2.0-or-later
/* Names in the OEM code page: whether FAT may have them, and whether they match an expression. */
#include <ntifs.h>
#include <rtl.h>

NTKERNELAPI BOOLEAN NTAPI FsRtlIsDbcsInExpression(PANSI_STRING Expression, PANSI_STRING Name);

/* A name of a byte that leads another one, legal on FAT or, where that is allowed, a wild card. */
static BOOLEAN FsRtlpIsFatLegal(PANSI_STRING Name, PULONG At, BOOLEAN WildCards)
{
    UCHAR Character = (UCHAR)Name->Buffer[*At];

    if (FsRtlIsLeadDbcsCharacter(Character)) {
        *At += 1; /* the one that follows is part of it */
        return *At < Name->Length;
    }
    return FsRtlIsAnsiCharacterLegalFat(Character, WildCards);
}

/* One part of a path: up to eight characters, and with a period up to three more; "." and ".." too. */
static BOOLEAN FsRtlpIsFatPart(PANSI_STRING Name, BOOLEAN WildCards)
{
    ULONG Period = MAXULONG;

    if (Name->Length == 0 || Name->Length > 12) {
        return FALSE;
    }
    if (Name->Buffer[0] == '.') {
        return Name->Length == 1 || (Name->Length == 2 && Name->Buffer[1] == '.');
    }
    for (ULONG At = 0; At < Name->Length; At++) {
        if (Name->Buffer[At] == '.') {
            if (Period != MAXULONG || At + 1 == Name->Length) {
                return FALSE;
            }
            Period = At;
        } else if (!FsRtlpIsFatLegal(Name, &At, WildCards)) {
            return FALSE;
        }
    }
    return Period == MAXULONG ? Name->Length <= 8 : Period <= 8 && Name->Length - Period - 1 <= 3;
}

/* IRQL: PASSIVE_LEVEL.  A name, or where it is allowed a path, whose parts are all FAT's. */
BOOLEAN NTAPI FsRtlIsFatDbcsLegal(ANSI_STRING DbcsName, BOOLEAN WildCardsPermissible, BOOLEAN PathNamePermissible,
                                  BOOLEAN LeadingBackslashPermissible)
{
    if (DbcsName.Length != 0 && DbcsName.Buffer[0] == '\\') {
        if (!LeadingBackslashPermissible) {
            return FALSE;
        }
        DbcsName.Buffer++;
        DbcsName.Length--;
        if (DbcsName.Length == 0) {
            return TRUE;
        }
    }
    for (;;) {
        ANSI_STRING Part = DbcsName;

        for (Part.Length = 0; Part.Length < DbcsName.Length && DbcsName.Buffer[Part.Length] != '\\'; Part.Length++) {
            if (FsRtlIsLeadDbcsCharacter(DbcsName.Buffer[Part.Length]) && Part.Length + 1 < DbcsName.Length) {
                Part.Length++;
            }
        }
        if (!FsRtlpIsFatPart(&Part, WildCardsPermissible)) {
            return FALSE;
        }
        if (Part.Length == DbcsName.Length) {
            return TRUE;
        }
        if (!PathNamePermissible) {
            return FALSE;
        }
        DbcsName.Buffer += Part.Length + 1;
        DbcsName.Length -= Part.Length + 1;
    }
}

/* IRQL: PASSIVE_LEVEL.  The case counts.  Raises STATUS_INSUFFICIENT_RESOURCES without memory. */
BOOLEAN NTAPI FsRtlIsDbcsInExpression(PANSI_STRING Expression, PANSI_STRING Name)
{
    UNICODE_STRING WideExpression = {0}, WideName = {0};
    BOOLEAN Result = FALSE;
    NTSTATUS Status;

    Status = RtlOemStringToCountedUnicodeString(&WideExpression, Expression, TRUE);
    if (NT_SUCCESS(Status)) {
        Status = RtlOemStringToCountedUnicodeString(&WideName, Name, TRUE);
    }
    if (NT_SUCCESS(Status)) {
        Result = FsRtlIsNameInExpression(&WideExpression, &WideName, FALSE, NULL);
    }
    if (WideExpression.Buffer != NULL) {
        RtlFreeUnicodeString(&WideExpression);
    }
    if (WideName.Buffer != NULL) {
        RtlFreeUnicodeString(&WideName);
    }
    if (!NT_SUCCESS(Status)) {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    return Result;
}
