/* SPDX-License-Identifier: GPL-2.0-or-later */
/* token: which tokens a process and a thread act with.  What a token is, se knows. */
#include "psp.h"

VOID PsAssignPrimaryToken(PEPROCESS Process, PACCESS_TOKEN Token)
{
    PACCESS_TOKEN Old;

    ObReferenceObject(Token);
    Old = InterlockedExchangePointer(&Process->Token, Token);
    if (Old != NULL) {
        ObDereferenceObject(Old);
    }
}

PACCESS_TOKEN NTAPI PsReferencePrimaryToken(PEPROCESS Process)
{
    if (Process->Token != NULL) {
        ObReferenceObject(Process->Token);
    }
    return Process->Token;
}

#undef PsDereferencePrimaryToken
VOID NTAPI PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken)
{
    ObDereferenceObject(PrimaryToken);
}

PACCESS_TOKEN NTAPI PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen,
                                                  PBOOLEAN EffectiveOnly,
                                                  PSECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    PACCESS_TOKEN Token = Thread->ImpersonationToken;

    if (Token == NULL) {
        return NULL;
    }
    ObReferenceObject(Token);
    *CopyOnOpen = Thread->ImpersonationCopyOnOpen;
    *EffectiveOnly = Thread->ImpersonationEffectiveOnly;
    *ImpersonationLevel = Thread->ImpersonationLevel;
    return Token;
}

#undef PsDereferenceImpersonationToken
VOID NTAPI PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken)
{
    ObDereferenceObject(ImpersonationToken);
}

NTSTATUS NTAPI PsImpersonateClient(PETHREAD Thread, PACCESS_TOKEN Token, BOOLEAN CopyOnOpen,
                                   BOOLEAN EffectiveOnly, SECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    PACCESS_TOKEN Old;

    if (Token != NULL) {
        ObReferenceObject(Token);
        Thread->ImpersonationCopyOnOpen = CopyOnOpen;
        Thread->ImpersonationEffectiveOnly = EffectiveOnly;
        Thread->ImpersonationLevel = ImpersonationLevel;
    }
    Old = InterlockedExchangePointer(&Thread->ImpersonationToken, Token);
    Thread->Tcb.Impersonating = Token != NULL;
    if (Old != NULL) {
        ObDereferenceObject(Old);
    }
    return STATUS_SUCCESS;
}

VOID NTAPI PsRevertToSelf(VOID)
{
    PsImpersonateClient(PsGetCurrentThread(), NULL, FALSE, FALSE, SecurityAnonymous);
}

VOID PspDropTokens(PETHREAD Thread)
{
    PsImpersonateClient(Thread, NULL, FALSE, FALSE, SecurityAnonymous);
}
