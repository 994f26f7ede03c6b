// SPDX-License-Identifier: GPL-2.0-or-later
/* What a token tells of itself, to kernel code and through handles. */
#include "sep.h"
#include <mm.h>

/*
 * An answer under way: fixed part first, then identifiers.  With a NULL buffer it is only measured.
 */
typedef struct _SEP_ANSWER {
    PUCHAR Buffer;
    ULONG Used;
} SEP_ANSWER, *PSEP_ANSWER;

static PVOID SepTake(PSEP_ANSWER Answer, ULONG Length)
{
    PVOID Part = Answer->Buffer != NULL ? Answer->Buffer + Answer->Used : NULL;

    Answer->Used += ALIGN_UP_BY(Length, sizeof(ULONG));
    return Part;
}

static PSID SepPutSid(PSEP_ANSWER Answer, PSID Sid)
{
    PSID Copy = SepTake(Answer, RtlLengthSid(Sid));

    if (Copy != NULL) {
        RtlCopySid(RtlLengthSid(Sid), Copy, Sid);
    }
    return Copy;
}

static VOID SepAnswerGroups(PSEP_ANSWER Answer, PSEP_TOKEN Token, BOOLEAN Restricted)
{
    ULONG Count = Restricted ? Token->RestrictedCount : Token->GroupCount;
    PTOKEN_GROUPS Groups = SepTake(Answer, FIELD_OFFSET(TOKEN_GROUPS, Groups) + Count * sizeof(SID_AND_ATTRIBUTES));

    if (Groups != NULL) {
        Groups->GroupCount = Count;
    }
    for (ULONG Index = 0; Index < Count; Index++) {
        PSID Sid = SepPutSid(Answer, Restricted ? (PSID)Token->Restricted[Index] : Token->Groups[Index]);

        if (Groups != NULL) {
            Groups->Groups[Index].Sid = Sid;
            Groups->Groups[Index].Attributes = Restricted ? SEP_RESTRICTING : Token->GroupAttributes[Index];
        }
    }
}

static VOID SepAnswerPrivileges(PSEP_ANSWER Answer, PSEP_TOKEN Token)
{
    ULONG Count = (ULONG)__builtin_popcountll(Token->Privileges), Next = 0;
    PTOKEN_PRIVILEGES Privileges =
        SepTake(Answer, FIELD_OFFSET(TOKEN_PRIVILEGES, Privileges) + Count * sizeof(LUID_AND_ATTRIBUTES));

    if (Privileges == NULL) {
        return;
    }
    Privileges->PrivilegeCount = Count;
    for (ULONG Luid = SEP_FIRST_LUID; Luid <= SEP_LAST_LUID; Luid++) {
        if ((Token->Privileges >> Luid & 1) != 0) {
            Privileges->Privileges[Next].Luid = (LUID){Luid, 0};
            Privileges->Privileges[Next++].Attributes =
                (Token->Enabled >> Luid & 1) != 0 ? SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT : 0;
        }
    }
}

static VOID SepAnswerStatistics(PSEP_ANSWER Answer, PSEP_TOKEN Token)
{
    PTOKEN_STATISTICS Statistics = SepTake(Answer, sizeof(*Statistics));

    if (Statistics == NULL) {
        return;
    }
    RtlZeroMemory(Statistics, sizeof(*Statistics));
    Statistics->TokenId = Token->TokenId;
    Statistics->AuthenticationId = Token->AuthenticationId;
    Statistics->ModifiedId = Token->ModifiedId;
    Statistics->ExpirationTime.QuadPart = MAXLONGLONG;
    Statistics->TokenType = Token->Type;
    Statistics->ImpersonationLevel = Token->ImpersonationLevel;
    Statistics->GroupCount = Token->GroupCount;
    Statistics->PrivilegeCount = (ULONG)__builtin_popcountll(Token->Privileges);
}

/* A pointer to an identifier, alone or with attributes. */
static VOID SepAnswerSid(PSEP_ANSWER Answer, PSID Sid, ULONG FixedLength, ULONG Attributes)
{
    PSID_AND_ATTRIBUTES Fixed = SepTake(Answer, FixedLength);
    PSID Copy = SepPutSid(Answer, Sid);

    if (Fixed != NULL) {
        Fixed->Sid = Copy;
        if (FixedLength == sizeof(*Fixed)) {
            Fixed->Attributes = Attributes;
        }
    }
}

static VOID SepAnswerDefaultDacl(PSEP_ANSWER Answer, PSEP_TOKEN Token)
{
    PTOKEN_DEFAULT_DACL Default = SepTake(Answer, sizeof(*Default));
    PACL Copy = SepTake(Answer, ((PACL)Token->DefaultDacl)->AclSize);

    if (Default != NULL) {
        Default->DefaultDacl = Copy;
        RtlCopyMemory(Copy, Token->DefaultDacl, ((PACL)Token->DefaultDacl)->AclSize);
    }
}

static VOID SepAnswerNumber(PSEP_ANSWER Answer, ULONG Number)
{
    PULONG Value = SepTake(Answer, sizeof(*Value));

    if (Value != NULL) {
        *Value = Number;
    }
}

static VOID SepAnswerSource(PSEP_ANSWER Answer)
{
    PTOKEN_SOURCE Source = SepTake(Answer, sizeof(*Source));

    if (Source != NULL) {
        RtlZeroMemory(Source, sizeof(*Source));
        RtlCopyMemory(Source->SourceName, "*SYSTEM*", TOKEN_SOURCE_LENGTH);
    }
}

static PSID SepIntegritySid(PSEP_TOKEN Token)
{
    return Token->Groups[Token->GroupCount - 1]; /* the last of its groups */
}

/* Kernel: for SeQueryInformationToken, whose integrity level is the number alone. */
static NTSTATUS SepAnswerToken(PSEP_ANSWER Answer, PSEP_TOKEN Token, TOKEN_INFORMATION_CLASS Class, BOOLEAN Kernel)
{
    switch (Class) {
    case TokenUser: SepAnswerSid(Answer, Token->User, sizeof(TOKEN_USER), Token->UserAttributes); return STATUS_SUCCESS;
    case TokenGroups: SepAnswerGroups(Answer, Token, FALSE); return STATUS_SUCCESS;
    case TokenRestrictedSids: SepAnswerGroups(Answer, Token, TRUE); return STATUS_SUCCESS;
    case TokenPrivileges: SepAnswerPrivileges(Answer, Token); return STATUS_SUCCESS;
    case TokenOwner: SepAnswerSid(Answer, Token->Owner, sizeof(TOKEN_OWNER), 0); return STATUS_SUCCESS;
    case TokenPrimaryGroup:
        SepAnswerSid(Answer, Token->PrimaryGroup, sizeof(TOKEN_PRIMARY_GROUP), 0);
        return STATUS_SUCCESS;
    case TokenDefaultDacl: SepAnswerDefaultDacl(Answer, Token); return STATUS_SUCCESS;
    case TokenSource: SepAnswerSource(Answer); return STATUS_SUCCESS;
    case TokenStatistics: SepAnswerStatistics(Answer, Token); return STATUS_SUCCESS;
    case TokenType: SepAnswerNumber(Answer, Token->Type); return STATUS_SUCCESS;
    case TokenImpersonationLevel:
        if (Token->Type != TokenImpersonation) {
            return STATUS_INVALID_INFO_CLASS;
        }
        SepAnswerNumber(Answer, Token->ImpersonationLevel);
        return STATUS_SUCCESS;
    case TokenSessionId: SepAnswerNumber(Answer, Token->SessionId); return STATUS_SUCCESS;
    case TokenElevation:
        SepAnswerNumber(Answer, SepTokenHolds(Token, SeExports->SeAliasAdminsSid, FALSE));
        return STATUS_SUCCESS;
    case TokenHasRestrictions: SepAnswerNumber(Answer, Token->IsRestricted); return STATUS_SUCCESS;
    case TokenIntegrityLevel:
        if (Kernel) {
            SepAnswerNumber(Answer, Token->Integrity);
        } else {
            SepAnswerSid(Answer, SepIntegritySid(Token), sizeof(TOKEN_MANDATORY_LABEL),
                         SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED);
        }
        return STATUS_SUCCESS;
    default: return STATUS_INVALID_INFO_CLASS;
    }
}

static NTSTATUS SepQueryLocked(PSEP_TOKEN Token, TOKEN_INFORMATION_CLASS TokenInformationClass, PVOID *TokenInformation,
                               PVOID Caller)
{
    SEP_ANSWER Answer = {0};
    NTSTATUS Status;

    Status = SepAnswerToken(&Answer, Token, TokenInformationClass, TRUE);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (TokenInformationClass == TokenSessionId || TokenInformationClass == TokenIntegrityLevel) {
        Answer = (SEP_ANSWER){.Buffer = (PUCHAR)TokenInformation};
    } else {
        Answer.Buffer = MmAllocatePoolForCaller(PagedPool, Answer.Used, SEP_TAG, Caller);
        if (Answer.Buffer == NULL) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        *TokenInformation = Answer.Buffer;
        Answer.Used = 0;
    }
    return SepAnswerToken(&Answer, Token, TokenInformationClass, TRUE);
}

/*
 * IRQL: PASSIVE_LEVEL.  A buffer of paged pool; the session and the integrity level are the result itself,
 * not a buffer. STATUS_INVALID_INFO_CLASS; without memory STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI SeQueryInformationToken(PACCESS_TOKEN Token, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                       PVOID *TokenInformation)
{
    NTSTATUS Status;

    PAGED_CODE();
    SepLockTokens();
    Status = SepQueryLocked(Token, TokenInformationClass, TokenInformation, _ReturnAddress());
    SepUnlockTokens();
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  STATUS_BUFFER_TOO_SMALL, with the length in *ResultLength. */
NTSTATUS NTAPI ZwQueryInformationToken(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                       PVOID TokenInformation, ULONG TokenInformationLength, PULONG ReturnLength)
{
    SEP_ANSWER Answer = {0};
    PSEP_TOKEN Token;
    NTSTATUS Status;

    PAGED_CODE();
    Status =
        ObReferenceObjectByHandle(TokenHandle, TokenInformationClass == TokenSource ? TOKEN_QUERY_SOURCE : TOKEN_QUERY,
                                  SepTokenType, KernelMode, (PVOID *)&Token, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    SepLockTokens();
    Status = SepAnswerToken(&Answer, Token, TokenInformationClass, FALSE);
    if (NT_SUCCESS(Status)) {
        *ReturnLength = Answer.Used;
        if (TokenInformationLength < Answer.Used) {
            Status = STATUS_BUFFER_TOO_SMALL;
        } else {
            Answer = (SEP_ANSWER){.Buffer = TokenInformation};
            SepAnswerToken(&Answer, Token, TokenInformationClass, FALSE);
        }
    }
    SepUnlockTokens();
    ObDereferenceObject(Token);
    return Status;
}
