// SPDX-License-Identifier: GPL-2.0-or-later
/* The system token, what may be asked of a token, and subject contexts. */
#include "sep.h"

POBJECT_TYPE SepTokenType;

NTSTATUS SeInitSystem(PACCESS_TOKEN *SystemToken)
{
    UNICODE_STRING TypeName = RTL_CONSTANT_STRING(L"Token");
    OBJECT_TYPE_INITIALIZER Initializer;
    PSEP_TOKEN Token;
    NTSTATUS Status;

    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.PoolType = NonPagedPool;
    Initializer.ValidAccessMask = TOKEN_ALL_ACCESS;
    Initializer.GenericMapping = (GENERIC_MAPPING){TOKEN_READ, TOKEN_WRITE, TOKEN_EXECUTE, TOKEN_ALL_ACCESS};
    Initializer.WaitOffset = OB_NOT_WAITABLE;
    Status = ObCreateObjectType(&TypeName, &Initializer, NULL, &SepTokenType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObCreateObject(KernelMode, SepTokenType, NULL, KernelMode, NULL, sizeof(*Token), 0, 0, (PVOID *)&Token);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(Token, sizeof(*Token));
    Token->TokenId.LowPart = 0x3E8;
    Token->AuthenticationId.LowPart = 0x3E7; /* SYSTEM_LUID */
    Token->Type = TokenPrimary;
    Token->User = SeExports->SeLocalSystemSid;
    Token->Groups[Token->GroupCount++] = SeExports->SeAliasAdminsSid;
    Token->Groups[Token->GroupCount++] = SeExports->SeWorldSid;
    Token->Groups[Token->GroupCount++] = SeExports->SeAuthenticatedUsersSid;
    Token->Groups[Token->GroupCount++] = SeExports->SeSystemMandatorySid;
    Token->Privileges = (2ULL << SEP_LAST_LUID) - (1ULL << SEP_FIRST_LUID);
    *SystemToken = Token;
    return STATUS_SUCCESS;
}

TOKEN_TYPE NTAPI SeTokenType(PACCESS_TOKEN Token)
{
    return ((PSEP_TOKEN)Token)->Type;
}

BOOLEAN NTAPI SeTokenIsAdmin(PACCESS_TOKEN Token)
{
    PAGED_CODE();
    return SepTokenHasSid(Token, SeExports->SeAliasAdminsSid);
}

BOOLEAN NTAPI SeTokenIsRestricted(PACCESS_TOKEN Token)
{
    UNREFERENCED_PARAMETER(Token); /* none has restricting identities */
    PAGED_CODE();
    return FALSE;
}

NTSTATUS NTAPI SeQueryAuthenticationIdToken(PACCESS_TOKEN Token, PLUID AuthenticationId)
{
    PAGED_CODE();
    *AuthenticationId = ((PSEP_TOKEN)Token)->AuthenticationId;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI SeQuerySessionIdToken(PACCESS_TOKEN Token, PULONG SessionId)
{
    PAGED_CODE();
    *SessionId = ((PSEP_TOKEN)Token)->SessionId;
    return STATUS_SUCCESS;
}

/* ---- subject contexts ---- */

VOID NTAPI SeCaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    BOOLEAN CopyOnOpen, EffectiveOnly;

    PAGED_CODE();
    SubjectContext->ClientToken = PsReferenceImpersonationToken(PsGetCurrentThread(), &CopyOnOpen, &EffectiveOnly,
                                                                &SubjectContext->ImpersonationLevel);
    if (SubjectContext->ClientToken == NULL) {
        SubjectContext->ImpersonationLevel = SecurityAnonymous;
    }
    SubjectContext->PrimaryToken = PsReferencePrimaryToken(PsGetCurrentProcess());
    SubjectContext->ProcessAuditId = PsGetCurrentProcessId();
}

/* Tokens do not change here, so that there is nothing to lock; the IRQL rule holds all the same. */
VOID NTAPI SeLockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    UNREFERENCED_PARAMETER(SubjectContext);
    PAGED_CODE();
}

VOID NTAPI SeUnlockSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    UNREFERENCED_PARAMETER(SubjectContext);
    PAGED_CODE();
}

VOID NTAPI SeReleaseSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    PAGED_CODE();
    if (SubjectContext->PrimaryToken != NULL) {
        PsDereferencePrimaryToken(SubjectContext->PrimaryToken);
        SubjectContext->PrimaryToken = NULL;
    }
    if (SubjectContext->ClientToken != NULL) {
        PsDereferenceImpersonationToken(SubjectContext->ClientToken);
        SubjectContext->ClientToken = NULL;
    }
}

/* ---- privileges ---- */

static BOOLEAN SepHoldsPrivilege(PSEP_TOKEN Token, LUID Privilege)
{
    return Privilege.HighPart == 0 && Privilege.LowPart < 64 && (Token->Privileges >> Privilege.LowPart & 1) != 0;
}

BOOLEAN NTAPI SePrivilegeCheck(PPRIVILEGE_SET RequiredPrivileges, PSECURITY_SUBJECT_CONTEXT SubjectContext,
                               KPROCESSOR_MODE AccessMode)
{
    PSEP_TOKEN Token = SeQuerySubjectContextToken(SubjectContext);
    ULONG Held = 0;

    PAGED_CODE();
    if (AccessMode == KernelMode) {
        return TRUE;
    }
    if (SubjectContext->ClientToken != NULL && SubjectContext->ImpersonationLevel < SecurityImpersonation) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < RequiredPrivileges->PrivilegeCount; Index++) {
        if (SepHoldsPrivilege(Token, RequiredPrivileges->Privilege[Index].Luid)) {
            RequiredPrivileges->Privilege[Index].Attributes |= SE_PRIVILEGE_USED_FOR_ACCESS;
            Held++;
        }
    }
    return (RequiredPrivileges->Control & PRIVILEGE_SET_ALL_NECESSARY) ? Held == RequiredPrivileges->PrivilegeCount
                                                                       : Held > 0;
}

BOOLEAN NTAPI SeSinglePrivilegeCheck(LUID PrivilegeValue, KPROCESSOR_MODE PreviousMode)
{
    SECURITY_SUBJECT_CONTEXT SubjectContext;
    PRIVILEGE_SET Set = {.PrivilegeCount = 1, .Control = PRIVILEGE_SET_ALL_NECESSARY};
    BOOLEAN Held;

    PAGED_CODE();
    Set.Privilege[0].Luid = PrivilegeValue;
    SeCaptureSubjectContext(&SubjectContext);
    Held = SePrivilegeCheck(&Set, &SubjectContext, PreviousMode);
    SeReleaseSubjectContext(&SubjectContext);
    return Held;
}
