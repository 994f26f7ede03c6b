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

DECLSPEC_NOINLINE PACCESS_TOKEN NTAPI PsReferencePrimaryToken(PEPROCESS Process)
{
    if (Process->Token != NULL) {
        ObReferenceObject(Process->Token);
        ObNoteReference(Process->Token, _ReturnAddress());
    }
    return Process->Token;
}

#undef PsDereferencePrimaryToken
DECLSPEC_NOINLINE VOID NTAPI PsDereferencePrimaryToken(PACCESS_TOKEN PrimaryToken)
{
    ObForgetReference(PrimaryToken, _ReturnAddress());
    ObDereferenceObject(PrimaryToken);
}

DECLSPEC_NOINLINE PACCESS_TOKEN NTAPI PsReferenceImpersonationToken(PETHREAD Thread, PBOOLEAN CopyOnOpen,
                                                                    PBOOLEAN EffectiveOnly,
                                                                    PSECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
{
    PACCESS_TOKEN Token = Thread->ImpersonationToken;

    if (Token == NULL) {
        return NULL;
    }
    ObReferenceObject(Token);
    ObNoteReference(Token, _ReturnAddress());
    *CopyOnOpen = Thread->ImpersonationCopyOnOpen;
    *EffectiveOnly = Thread->ImpersonationEffectiveOnly;
    *ImpersonationLevel = Thread->ImpersonationLevel;
    return Token;
}

#undef PsDereferenceImpersonationToken
DECLSPEC_NOINLINE VOID NTAPI PsDereferenceImpersonationToken(PACCESS_TOKEN ImpersonationToken)
{
    ObForgetReference(ImpersonationToken, _ReturnAddress());
    ObDereferenceObject(ImpersonationToken);
}

NTSTATUS NTAPI PsImpersonateClient(PETHREAD Thread, PACCESS_TOKEN Token, BOOLEAN CopyOnOpen, BOOLEAN EffectiveOnly,
                                   SECURITY_IMPERSONATION_LEVEL ImpersonationLevel)
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

/* ---- handles ---- */

NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                                    PHANDLE TokenHandle);
NTSTATUS NTAPI ZwOpenThreadTokenEx(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
                                   ULONG HandleAttributes, PHANDLE TokenHandle);

/* IRQL: PASSIVE_LEVEL. */
NTSTATUS NTAPI ZwOpenProcessTokenEx(HANDLE ProcessHandle, ACCESS_MASK DesiredAccess, ULONG HandleAttributes,
                                    PHANDLE TokenHandle)
{
    PACCESS_TOKEN Token;
    PEPROCESS Process;
    NTSTATUS Status;

    PAGED_CODE();
    Status = ObReferenceObjectByHandle(ProcessHandle, 0x400 /* PROCESS_QUERY_INFORMATION */, PsProcessTypeObject,
                                       KernelMode, (PVOID *)&Process, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Token = PsReferencePrimaryToken(Process);
    ObDereferenceObject(Process);
    if (Token == NULL) {
        return STATUS_NO_TOKEN;
    }
    Status = ObOpenObjectByPointer(Token, HandleAttributes, NULL, DesiredAccess, ObGetObjectType(Token), KernelMode,
                                   TokenHandle);
    ObDereferenceObject(Token);
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  STATUS_NO_TOKEN: the thread impersonates nobody; STATUS_CANT_OPEN_ANONYMOUS: nobody
 * it may look at. */
NTSTATUS NTAPI ZwOpenThreadTokenEx(HANDLE ThreadHandle, ACCESS_MASK DesiredAccess, BOOLEAN OpenAsSelf,
                                   ULONG HandleAttributes, PHANDLE TokenHandle)
{
    SECURITY_IMPERSONATION_LEVEL Level;
    BOOLEAN CopyOnOpen, EffectiveOnly;
    PACCESS_TOKEN Token;
    PETHREAD Thread;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(OpenAsSelf); /* kernel mode opens as itself */
    PAGED_CODE();
    Status = ObReferenceObjectByHandle(ThreadHandle, 0x40 /* THREAD_QUERY_INFORMATION */, PsThreadTypeObject,
                                       KernelMode, (PVOID *)&Thread, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Token = PsReferenceImpersonationToken(Thread, &CopyOnOpen, &EffectiveOnly, &Level);
    ObDereferenceObject(Thread);
    if (Token == NULL) {
        return STATUS_NO_TOKEN;
    }
    Status = Level == SecurityAnonymous ? STATUS_CANT_OPEN_ANONYMOUS
                                        : ObOpenObjectByPointer(Token, HandleAttributes, NULL, DesiredAccess,
                                                                ObGetObjectType(Token), KernelMode, TokenHandle);
    ObDereferenceObject(Token);
    return Status;
}

VOID PspDropTokens(PETHREAD Thread)
{
    PsImpersonateClient(Thread, NULL, FALSE, FALSE, SecurityAnonymous);
}
