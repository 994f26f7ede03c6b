// SPDX-License-Identifier: GPL-2.0-or-later
/* What may be asked of a token, subject contexts, privileges. */
#include "sep.h"

TOKEN_TYPE NTAPI SeTokenType(PACCESS_TOKEN Token)
{
    return ((PSEP_TOKEN)Token)->Type;
}

BOOLEAN NTAPI SeTokenIsAdmin(PACCESS_TOKEN Token)
{
    PAGED_CODE();
    return SepTokenHolds(Token, SeExports->SeAliasAdminsSid, FALSE);
}

BOOLEAN NTAPI SeTokenIsRestricted(PACCESS_TOKEN Token)
{
    PAGED_CODE();
    return ((PSEP_TOKEN)Token)->IsRestricted;
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

/* IRQL: PASSIVE_LEVEL.  The thread's client token (NULL thread: none) and the process's token. */
VOID NTAPI SeCaptureSubjectContextEx(PETHREAD Thread, PEPROCESS Process, PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    BOOLEAN CopyOnOpen, EffectiveOnly;

    PAGED_CODE();
    SubjectContext->ClientToken = Thread == NULL ? NULL
                                                 : PsReferenceImpersonationToken(Thread, &CopyOnOpen, &EffectiveOnly,
                                                                                 &SubjectContext->ImpersonationLevel);
    if (SubjectContext->ClientToken == NULL) {
        SubjectContext->ImpersonationLevel = SecurityAnonymous;
    }
    SubjectContext->PrimaryToken = PsReferencePrimaryToken(Process);
    SubjectContext->ProcessAuditId = PsGetProcessId(Process);
}

VOID NTAPI SeCaptureSubjectContext(PSECURITY_SUBJECT_CONTEXT SubjectContext)
{
    SeCaptureSubjectContextEx(PsGetCurrentThread(), PsGetCurrentProcess(), SubjectContext);
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

BOOLEAN SepTokenHasPrivilege(PSEP_TOKEN Token, LUID Privilege)
{
    return Privilege.HighPart == 0 && Privilege.LowPart < 64 && (Token->Enabled >> Privilege.LowPart & 1) != 0;
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
        if (SepTokenHasPrivilege(Token, RequiredPrivileges->Privilege[Index].Luid)) {
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
