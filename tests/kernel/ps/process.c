// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes' notify routines with a structure, disk counters, impersonation tokens, and privileges (guest/ps, guest/se). */
#include <ntifs.h>

#include <fltvm.h>

NTKERNELAPI BOOLEAN NTAPI PsIsDiskCountersEnabled(VOID);
NTKERNELAPI VOID NTAPI PsUpdateDiskCounters(PEPROCESS Process, ULONG64 BytesRead, ULONG64 BytesWritten,
                                            ULONG ReadOperationCount, ULONG WriteOperationCount,
                                            ULONG FlushOperationCount);
#undef PsDereferenceImpersonationToken
NTKERNELAPI VOID NTAPI PsDereferenceImpersonationToken(PACCESS_TOKEN Token);

static VOID NTAPI OnProcess(PEPROCESS Process, HANDLE Id, PPS_CREATE_NOTIFY_INFO Information)
{
}

static VOID CheckNotify(VOID)
{
    FvCheck(PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE) == STATUS_PROCEDURE_NOT_FOUND);
    FvCheck(PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE) == STATUS_SUCCESS);
    FvCheck(PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE) == STATUS_INVALID_PARAMETER); /* registered already */
    FvCheck(PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE) == STATUS_SUCCESS);
    FvCheck(PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE) == STATUS_PROCEDURE_NOT_FOUND);
}

static VOID CheckCounters(VOID)
{
    FvCheck(!PsIsDiskCountersEnabled()); /* off by default, and then counting does nothing */
    PsUpdateDiskCounters(PsGetCurrentProcess(), 4096, 4096, 1, 1, 1);
    FvCheck(!PsIsDiskCountersEnabled());
}

static VOID CheckImpersonation(VOID)
{
    PACCESS_TOKEN Token = PsReferencePrimaryToken(PsInitialSystemProcess), Found;
    SECURITY_IMPERSONATION_LEVEL Level;
    BOOLEAN CopyOnOpen, EffectiveOnly;

    FvCheck(PsImpersonateClient(PsGetCurrentThread(), Token, TRUE, FALSE, SecurityImpersonation) == STATUS_SUCCESS);
    Found = PsReferenceImpersonationToken(PsGetCurrentThread(), &CopyOnOpen, &EffectiveOnly, &Level);
    FvCheck(Found == Token && CopyOnOpen && !EffectiveOnly && Level == SecurityImpersonation);
    PsDereferenceImpersonationToken(Found);
    PsRevertToSelf();
    FvCheck(PsReferenceImpersonationToken(PsGetCurrentThread(), &CopyOnOpen, &EffectiveOnly, &Level) == NULL);
    PsDereferencePrimaryToken(Token);
}

static VOID CheckPrivileges(VOID)
{
    static UCHAR Room[sizeof(PRIVILEGE_SET) + sizeof(LUID_AND_ATTRIBUTES)];
    PPRIVILEGE_SET Wanted = (PPRIVILEGE_SET)Room;
    PLUID_AND_ATTRIBUTES Privilege = Wanted->Privilege;
    SECURITY_SUBJECT_CONTEXT Subject;

    SeCaptureSubjectContext(&Subject);
    Wanted->PrivilegeCount = 2;
    Wanted->Control = PRIVILEGE_SET_ALL_NECESSARY;
    Privilege[0].Luid.LowPart = SE_DEBUG_PRIVILEGE;
    Privilege[1].Luid.LowPart = 63;                          /* there is no such privilege */
    FvCheck(SePrivilegeCheck(Wanted, &Subject, KernelMode)); /* the kernel may everything */
    FvCheck(!SePrivilegeCheck(Wanted, &Subject, UserMode));
    FvCheck(Privilege[0].Attributes == SE_PRIVILEGE_USED_FOR_ACCESS && Privilege[1].Attributes == 0);
    Wanted->Control = 0;
    FvCheck(SePrivilegeCheck(Wanted, &Subject, UserMode)); /* one of them is enough */
    Privilege[0].Luid.LowPart = 63;
    FvCheck(!SePrivilegeCheck(Wanted, &Subject, UserMode));
    SeReleaseSubjectContext(&Subject);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvTestPlan(15);
    CheckNotify();
    CheckCounters();
    CheckImpersonation();
    CheckPrivileges();
    return STATUS_SUCCESS;
}
