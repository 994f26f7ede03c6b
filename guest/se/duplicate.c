// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies of tokens for others to act with, and the few things about a token that may be changed. */
#include "sep.h"

/* Groups and privileges that are not enabled are not copied; that an identity denies stays. */
static VOID SepKeepEnabled(PSEP_TOKEN Token)
{
    ULONG Kept = 0;

    for (ULONG Index = 0; Index < Token->GroupCount; Index++) {
        if ((Token->GroupAttributes[Index] & (SE_GROUP_ENABLED | SE_GROUP_USE_FOR_DENY_ONLY | SE_GROUP_INTEGRITY)) !=
            0) {
            Token->Groups[Kept] = Token->Groups[Index];
            Token->GroupAttributes[Kept++] = Token->GroupAttributes[Index];
        }
    }
    Token->GroupCount = Kept;
    Token->Privileges = Token->Enabled;
}

static NTSTATUS SepDuplicateToken(PSEP_TOKEN Existing, BOOLEAN EffectiveOnly, TOKEN_TYPE Type,
                                  SECURITY_IMPERSONATION_LEVEL Level, PSEP_TOKEN *Copy)
{
    NTSTATUS Status = SepCopyToken(Existing, Copy);

    if (NT_SUCCESS(Status)) {
        (*Copy)->Type = Type;
        (*Copy)->ImpersonationLevel = Type == TokenImpersonation ? Level : SecurityAnonymous;
        if (EffectiveOnly) {
            SepKeepEnabled(*Copy);
        }
    }
    return Status;
}

/* The level asked for, else the existing token's; of a primary token's copy SecurityImpersonation. */
static NTSTATUS SepLevelOfCopy(PSEP_TOKEN Existing, POBJECT_ATTRIBUTES Attributes, TOKEN_TYPE Type,
                               PSECURITY_IMPERSONATION_LEVEL Level)
{
    PSECURITY_QUALITY_OF_SERVICE Qos = Attributes != NULL ? Attributes->SecurityQualityOfService : NULL;

    *Level = Existing->Type == TokenImpersonation ? Existing->ImpersonationLevel : SecurityImpersonation;
    if (Type == TokenPrimary) {
        return *Level >= SecurityImpersonation ? STATUS_SUCCESS : STATUS_BAD_IMPERSONATION_LEVEL;
    }
    if (Qos != NULL) {
        if ((ULONG)Qos->ImpersonationLevel > SecurityDelegation) {
            return STATUS_INVALID_PARAMETER;
        }
        if (Existing->Type == TokenImpersonation && Qos->ImpersonationLevel > *Level) {
            return STATUS_BAD_IMPERSONATION_LEVEL;
        }
        *Level = Qos->ImpersonationLevel;
    }
    return STATUS_SUCCESS;
}

/*
 * IRQL: PASSIVE_LEVEL.  Without DesiredAccess the new handle has the old one's.
 * STATUS_BAD_IMPERSONATION_LEVEL: a level above the existing token's, or a primary token of one that only
 * identifies; STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH; without memory
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI ZwDuplicateToken(HANDLE ExistingTokenHandle, ACCESS_MASK DesiredAccess,
                                POBJECT_ATTRIBUTES ObjectAttributes, BOOLEAN EffectiveOnly, TOKEN_TYPE TokenType,
                                PHANDLE NewTokenHandle)
{
    ULONG Attributes = ObjectAttributes != NULL ? ObjectAttributes->Attributes : 0;
    OBJECT_HANDLE_INFORMATION Information;
    SECURITY_IMPERSONATION_LEVEL Level;
    PSEP_TOKEN Existing, Copy;
    NTSTATUS Status;

    PAGED_CODE();
    if (TokenType != TokenPrimary && TokenType != TokenImpersonation) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = ObReferenceObjectByHandle(ExistingTokenHandle, TOKEN_DUPLICATE, SepTokenType, KernelMode,
                                       (PVOID *)&Existing, &Information);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = SepLevelOfCopy(Existing, ObjectAttributes, TokenType, &Level);
    if (NT_SUCCESS(Status)) {
        Status = SepDuplicateToken(Existing, EffectiveOnly, TokenType, Level, &Copy);
    }
    if (NT_SUCCESS(Status)) {
        Status = ObOpenObjectByPointer(Copy, Attributes, NULL,
                                       DesiredAccess != 0 ? DesiredAccess : Information.GrantedAccess, SepTokenType,
                                       KernelMode, NewTokenHandle);
        ObDereferenceObject(Copy);
    }
    ObDereferenceObject(Existing);
    return Status;
}

/* ---- what may be set ---- */

/* The token's own copy of the identifier, if it is one of its identities with any of the attributes. */
static PSID SepFindOwnSid(PSEP_TOKEN Token, PSID Sid, BOOLEAN MayBeUser, ULONG Attributes)
{
    if (MayBeUser && RtlEqualSid(Token->User, Sid)) {
        return Token->User;
    }
    for (ULONG Index = 0; Index < Token->GroupCount; Index++) {
        if (RtlEqualSid(Token->Groups[Index], Sid) &&
            (Attributes == 0 || (Token->GroupAttributes[Index] & Attributes) != 0)) {
            return Token->Groups[Index];
        }
    }
    return NULL;
}

static NTSTATUS SepSetSid(PSEP_TOKEN Token, PSID Sid, BOOLEAN Owner)
{
    PSID Own;

    if (!RtlValidSid(Sid)) {
        return STATUS_INVALID_SID;
    }
    Own = SepFindOwnSid(Token, Sid, Owner, Owner ? SE_GROUP_OWNER : 0);
    if (Own == NULL) {
        return Owner ? STATUS_INVALID_OWNER : STATUS_INVALID_PRIMARY_GROUP;
    }
    *(Owner ? &Token->Owner : &Token->PrimaryGroup) = Own;
    return STATUS_SUCCESS;
}

static NTSTATUS SepSetDefaultDacl(PSEP_TOKEN Token, PACL Acl)
{
    if (Acl == NULL || Acl->AclSize < sizeof(*Acl)) {
        return STATUS_INVALID_ACL;
    }
    if (Acl->AclSize > SEP_DEFAULT_DACL) {
        return STATUS_ALLOTTED_SPACE_EXCEEDED;
    }
    RtlCopyMemory(Token->DefaultDacl, Acl, Acl->AclSize);
    return STATUS_SUCCESS;
}

static NTSTATUS SepSetLocked(PSEP_TOKEN Token, TOKEN_INFORMATION_CLASS Class, PVOID Information)
{
    NTSTATUS Status = Class == TokenOwner ? SepSetSid(Token, ((PTOKEN_OWNER)Information)->Owner, TRUE)
                      : Class == TokenPrimaryGroup
                          ? SepSetSid(Token, ((PTOKEN_PRIMARY_GROUP)Information)->PrimaryGroup, FALSE)
                          : SepSetDefaultDacl(Token, ((PTOKEN_DEFAULT_DACL)Information)->DefaultDacl);

    if (NT_SUCCESS(Status)) {
        Token->ModifiedId = SepNewLuid();
    }
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  Default list, default owner and primary group only: STATUS_INVALID_INFO_CLASS.
 * STATUS_INFO_LENGTH_MISMATCH; STATUS_INVALID_SID; STATUS_INVALID_OWNER, STATUS_INVALID_PRIMARY_GROUP: none
 * of the token's own; STATUS_ALLOTTED_SPACE_EXCEEDED: a list of more than SEP_DEFAULT_DACL bytes.
 */
NTSTATUS NTAPI ZwSetInformationToken(HANDLE TokenHandle, TOKEN_INFORMATION_CLASS TokenInformationClass,
                                     PVOID TokenInformation, ULONG TokenInformationLength)
{
    PSEP_TOKEN Token;
    NTSTATUS Status;

    C_ASSERT(sizeof(TOKEN_OWNER) == sizeof(PVOID) && sizeof(TOKEN_PRIMARY_GROUP) == sizeof(PVOID) &&
             sizeof(TOKEN_DEFAULT_DACL) == sizeof(PVOID));
    PAGED_CODE();
    if (TokenInformationClass != TokenOwner && TokenInformationClass != TokenPrimaryGroup &&
        TokenInformationClass != TokenDefaultDacl) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (TokenInformationLength < sizeof(PVOID)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status =
        ObReferenceObjectByHandle(TokenHandle, TOKEN_ADJUST_DEFAULT, SepTokenType, KernelMode, (PVOID *)&Token, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    SepLockTokens();
    Status = SepSetLocked(Token, TokenInformationClass, TokenInformation);
    SepUnlockTokens();
    ObDereferenceObject(Token);
    return Status;
}

/* ---- client contexts ---- */

/*
 * IRQL: PASSIVE_LEVEL.  The token itself with dynamic tracking and a server that is here, else a copy of it
 * at the level asked for.  STATUS_BAD_IMPERSONATION_LEVEL: the client itself only identifies, or a remote
 * server gets what was not delegated; without memory STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI SeCreateClientSecurityFromSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext,
                                                        PSECURITY_QUALITY_OF_SERVICE ClientSecurityQos,
                                                        BOOLEAN ServerIsRemote, PSECURITY_CLIENT_CONTEXT ClientContext)
{
    PSEP_TOKEN Token = SeQuerySubjectContextToken(SubjectContext), Copy;
    BOOLEAN Impersonates = SubjectContext->ClientToken != NULL;
    NTSTATUS Status;

    PAGED_CODE();
    if (Impersonates && (SubjectContext->ImpersonationLevel < SecurityImpersonation ||
                         (ServerIsRemote && SubjectContext->ImpersonationLevel != SecurityDelegation))) {
        return STATUS_BAD_IMPERSONATION_LEVEL;
    }
    RtlZeroMemory(ClientContext, sizeof(*ClientContext));
    ClientContext->SecurityQos = *ClientSecurityQos;
    ClientContext->ServerIsRemote = ServerIsRemote;
    if (ClientSecurityQos->ContextTrackingMode == SECURITY_DYNAMIC_TRACKING && !ServerIsRemote) {
        ObReferenceObject(Token);
        ClientContext->ClientToken = Token;
        ClientContext->DirectlyAccessClientToken = TRUE;
        ClientContext->DirectAccessEffectiveOnly = ClientSecurityQos->EffectiveOnly;
        return STATUS_SUCCESS;
    }
    Status = SepDuplicateToken(Token, ClientSecurityQos->EffectiveOnly, TokenImpersonation,
                               ClientSecurityQos->ImpersonationLevel, &Copy);
    if (NT_SUCCESS(Status)) {
        ClientContext->ClientToken = Copy;
        ClientContext->SecurityQos.ContextTrackingMode = SECURITY_STATIC_TRACKING;
        ClientContext->ClientTokenControl.TokenId = Token->TokenId;
        ClientContext->ClientTokenControl.AuthenticationId = Token->AuthenticationId;
        ClientContext->ClientTokenControl.ModifiedId = Token->ModifiedId;
    }
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  ServerThread NULL: the caller's. */
NTSTATUS NTAPI SeImpersonateClientEx(PSECURITY_CLIENT_CONTEXT ClientContext, PETHREAD ServerThread)
{
    PAGED_CODE();
    return PsImpersonateClient(ServerThread != NULL ? ServerThread : PsGetCurrentThread(), ClientContext->ClientToken,
                               TRUE,
                               ClientContext->DirectlyAccessClientToken ? ClientContext->DirectAccessEffectiveOnly
                                                                        : ClientContext->SecurityQos.EffectiveOnly,
                               ClientContext->SecurityQos.ImpersonationLevel);
}
