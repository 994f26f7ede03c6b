/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File names: which characters are legal, what matches an expression, and taking paths apart.
 *
 * The wild cards: '*' any number of characters, '?' one; and those that stand for DOS's: '<' (DOS_STAR) any number, up to
 * and with the name's last period; '>' (DOS_QM) one, or none before a period and at the end; '"' (DOS_DOT) a period, or
 * nothing at the end.
 */
#include <ntifs.h>
#include <rtl.h>

#define FSRTL_STATES_ON_STACK 256

#define FsRtlpControl FSRTL_OLE_LEGAL
#define FsRtlpEvery   (FSRTL_FAT_LEGAL | FSRTL_HPFS_LEGAL | FSRTL_NTFS_LEGAL | FSRTL_OLE_LEGAL)
#define FsRtlpNotOle  (FSRTL_FAT_LEGAL | FSRTL_HPFS_LEGAL | FSRTL_NTFS_LEGAL)
#define FsRtlpNotFat  (FSRTL_HPFS_LEGAL | FSRTL_NTFS_LEGAL | FSRTL_OLE_LEGAL)
#define FsRtlpWild    (FSRTL_WILD_CHARACTER | FSRTL_OLE_LEGAL)

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
static const UCHAR FsRtlpLegalCharacters[128] = {
    [0x01 ... 0x1F] = FsRtlpControl,
    [0x20 ... 0x7F] = FsRtlpEvery,
    ['!'] = FsRtlpNotOle,
    ['.'] = FsRtlpNotOle,
    ['"'] = FsRtlpWild,
    ['*'] = FsRtlpWild,
    ['<'] = FsRtlpWild,
    ['>'] = FsRtlpWild,
    ['?'] = FsRtlpWild,
    ['+'] = FsRtlpNotFat,
    [','] = FsRtlpNotFat,
    [';'] = FsRtlpNotFat,
    ['='] = FsRtlpNotFat,
    ['['] = FsRtlpNotFat,
    [']'] = FsRtlpNotFat,
    ['|'] = FSRTL_OLE_LEGAL,
    ['/'] = 0,
    [':'] = FSRTL_NTFS_LEGAL, /* before a stream's name */
    ['\\'] = 0,
};
#pragma clang diagnostic pop

/* Exported: a variable that points at the table. */
extern const UCHAR *const FsRtlLegalAnsiCharacterArray;
const UCHAR *const FsRtlLegalAnsiCharacterArray = FsRtlpLegalCharacters;

static BOOLEAN FsRtlpIsWild(_In_ WCHAR Character)
{
    return Character < 128 && (FsRtlpLegalCharacters[Character] & FSRTL_WILD_CHARACTER);
}

static WCHAR FsRtlpUpcase(_In_ WCHAR Character, _In_opt_ PCWCH Table)
{
    return Table ? Table[Character] : RtlUpcaseUnicodeChar(Character);
}

/*
 * States are places in the expression; States[n] says that what came so far may have brought us before its n-th character.
 * Adds the states that are reached without consuming a character, when Next comes next (0: the end).
 */
static VOID FsRtlpSkip(_In_ PCUNICODE_STRING Expression, _Inout_ PBOOLEAN States, _In_ WCHAR Next)
{
    ULONG Count = Expression->Length / sizeof(WCHAR);

    for (ULONG State = 0; State < Count; State++) {
        if (!States[State])
            continue;
        switch (Expression->Buffer[State]) {
        case L'*':
        case DOS_STAR: States[State + 1] = TRUE; break;
        case DOS_QM:
            if (Next == 0 || Next == L'.')
                States[State + 1] = TRUE;
            break;
        case DOS_DOT:
            if (Next == 0)
                States[State + 1] = TRUE;
            break;
        }
    }
}

/* Consumes Character; from the last state to the first, so that no state is reached and left by the same character. */
static VOID FsRtlpStep(_In_ PCUNICODE_STRING Expression, _Inout_ PBOOLEAN States, _In_ WCHAR Character,
                       _In_ BOOLEAN LastPeriod)
{
    ULONG Count = Expression->Length / sizeof(WCHAR);

    States[Count] = FALSE;
    for (ULONG State = Count; State-- > 0;) {
        BOOLEAN Stays = FALSE, Goes = FALSE;

        if (!States[State])
            continue;
        switch (Expression->Buffer[State]) {
        case L'*': Stays = TRUE; break;
        case DOS_STAR:
            Stays = !LastPeriod;
            Goes = LastPeriod;
            break;
        case L'?': Goes = TRUE; break;
        case DOS_QM: Goes = Character != L'.'; break;
        case DOS_DOT: Goes = Character == L'.'; break;
        default: Goes = Character == Expression->Buffer[State];
        }
        if (Goes)
            States[State + 1] = TRUE;
        States[State] = Stays;
    }
}

/*
 * IRQL: PASSIVE_LEVEL.  With IgnoreCase the expression is upper case already, as documented; the name is raised here.
 * Raises STATUS_INSUFFICIENT_RESOURCES when a long expression finds no pool.
 */
BOOLEAN NTAPI FsRtlIsNameInExpression(_In_ PUNICODE_STRING Expression, _In_ PUNICODE_STRING Name,
                                      _In_ BOOLEAN IgnoreCase, _In_opt_ PWCHAR UpcaseTable)
{
    ULONG States = Expression->Length / sizeof(WCHAR) + 1, Length = Name->Length / sizeof(WCHAR), LastPeriod = Length;
    BOOLEAN OnStack[FSRTL_STATES_ON_STACK], Result;
    PBOOLEAN Set = OnStack;

    if (Expression->Length == 0 || Name->Length == 0)
        return Expression->Length == 0 && Name->Length == 0;
    if (States > FSRTL_STATES_ON_STACK)
        Set = FsRtlAllocatePoolWithTag(PagedPool, States, 'nRsF');
    RtlZeroMemory(Set, States);
    for (ULONG Index = 0; Index < Length; Index++) {
        if (Name->Buffer[Index] == L'.')
            LastPeriod = Index;
    }
    Set[0] = TRUE;
    for (ULONG Index = 0; Index < Length; Index++) {
        WCHAR Character = IgnoreCase ? FsRtlpUpcase(Name->Buffer[Index], UpcaseTable) : Name->Buffer[Index];
        FsRtlpSkip(Expression, Set, Character);
        FsRtlpStep(Expression, Set, Character, Index == LastPeriod);
    }
    FsRtlpSkip(Expression, Set, 0);
    Result = Set[States - 1];
    if (Set != OnStack)
        ExFreePoolWithTag(Set, 'nRsF');
    return Result;
}

/* IRQL: PASSIVE_LEVEL. */
BOOLEAN NTAPI FsRtlDoesNameContainWildCards(_In_ PUNICODE_STRING Name)
{
    for (ULONG Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        if (FsRtlpIsWild(Name->Buffer[Index]))
            return TRUE;
    }
    return FALSE;
}

/* IRQL: PASSIVE_LEVEL. */
BOOLEAN NTAPI FsRtlAreNamesEqual(_In_ PCUNICODE_STRING Name1, _In_ PCUNICODE_STRING Name2, _In_ BOOLEAN IgnoreCase,
                                 _In_opt_ PCWCH UpcaseTable)
{
    if (Name1->Length != Name2->Length)
        return FALSE;
    for (ULONG Index = 0; Index < Name1->Length / sizeof(WCHAR); Index++) {
        WCHAR One = Name1->Buffer[Index], Other = Name2->Buffer[Index];
        if (One != Other && (!IgnoreCase || FsRtlpUpcase(One, UpcaseTable) != FsRtlpUpcase(Other, UpcaseTable)))
            return FALSE;
    }
    return TRUE;
}

/* IRQL: PASSIVE_LEVEL.  A leading backslash belongs to neither part, nor does the one between them. */
VOID NTAPI FsRtlDissectName(_In_ UNICODE_STRING Path, _Out_ PUNICODE_STRING FirstName,
                            _Out_ PUNICODE_STRING RemainingName)
{
    ULONG Length = Path.Length / sizeof(WCHAR), Start = 0, End;

    RtlZeroMemory(FirstName, sizeof(*FirstName));
    RtlZeroMemory(RemainingName, sizeof(*RemainingName));
    if (Length == 0)
        return;
    if (Path.Buffer[0] == L'\\')
        Start = 1;
    for (End = Start; End < Length && Path.Buffer[End] != L'\\'; End++)
        ;
    FirstName->Buffer = Path.Buffer + Start;
    FirstName->Length = FirstName->MaximumLength = (USHORT)((End - Start) * sizeof(WCHAR));
    if (End < Length) {
        RemainingName->Buffer = Path.Buffer + End + 1;
        RemainingName->Length = RemainingName->MaximumLength = (USHORT)((Length - End - 1) * sizeof(WCHAR));
    }
}
