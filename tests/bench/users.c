/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures in guest instructions what has to do with who calls: an access check against a list of ten entries, of which the
 * last is the caller's, and a process from the notification of its creation to that of its end.  The machine is that of benchmark.c.
 */
#include <fltKernel.h>

#define ENTRIES 10
#define ROUNDS  100
#define WANTED  (FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE)

DRIVER_INITIALIZE DriverEntry;

static PFLT_FILTER Filter;
static ULONG64 Created;

static VOID NTAPI Told(HANDLE Parent, HANDLE Process, BOOLEAN Create)
{
    if (Create)
        Created = __rdtsc();
    else
        DbgPrint("bench process %I64u\n", __rdtsc() - Created);
}

/* Nobody that the caller is, but for the last: LocalSystem. */
static NTSTATUS Describe(PSECURITY_DESCRIPTOR Descriptor, PACL Acl, ULONG Size)
{
    SID_IDENTIFIER_AUTHORITY Authority = SECURITY_NT_AUTHORITY;
    ULONG Sid[SECURITY_MAX_SID_SIZE / sizeof(ULONG)];
    NTSTATUS Status = RtlCreateAcl(Acl, Size, ACL_REVISION);

    for (ULONG Index = 1; NT_SUCCESS(Status) && Index <= ENTRIES; Index++) {
        RtlInitializeSid(Sid, &Authority, 1);
        *RtlSubAuthoritySid(Sid, 0) = Index < ENTRIES ? 1000 + Index : SECURITY_LOCAL_SYSTEM_RID;
        Status = RtlAddAccessAllowedAce(Acl, ACL_REVISION, FILE_ALL_ACCESS, Sid);
    }
    if (NT_SUCCESS(Status))
        Status = RtlCreateSecurityDescriptor(Descriptor, SECURITY_DESCRIPTOR_REVISION);
    if (NT_SUCCESS(Status))
        Status = RtlSetDaclSecurityDescriptor(Descriptor, TRUE, Acl, FALSE);
    if (NT_SUCCESS(Status))
        Status = RtlSetOwnerSecurityDescriptor(Descriptor, SeExports->SeLocalSystemSid, FALSE);
    return NT_SUCCESS(Status) ? RtlSetGroupSecurityDescriptor(Descriptor, SeExports->SeLocalSystemSid, FALSE) : Status;
}

static VOID MeasureAccess(VOID)
{
    static ULONG Acl[128];
    SECURITY_DESCRIPTOR Descriptor;
    SECURITY_SUBJECT_CONTEXT Subject;
    ULONG64 Before, After;
    ULONG Good = 0;

    if (!NT_SUCCESS(Describe(&Descriptor, (PACL)Acl, sizeof(Acl))))
        return;
    SeCaptureSubjectContext(&Subject);
    SeLockSubjectContext(&Subject);
    Before = __rdtsc();
    for (ULONG Round = 0; Round < ROUNDS; Round++) {
        PPRIVILEGE_SET Privileges = NULL;
        ACCESS_MASK Granted;
        NTSTATUS Status;

        Good += SeAccessCheck(&Descriptor, &Subject, TRUE, WANTED, 0, &Privileges, IoGetFileObjectGenericMapping(),
                              UserMode, &Granted, &Status) &&
                Granted == WANTED && Privileges == NULL;
    }
    After = __rdtsc();
    SeUnlockSubjectContext(&Subject);
    SeReleaseSubjectContext(&Subject);
    if (Good == ROUNDS)
        DbgPrint("bench access-check %I64u\n", (After - Before) / ROUNDS);
}

static NTSTATUS Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    PsSetCreateProcessNotifyRoutine(Told, TRUE);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .FilterUnloadCallback = Unload,
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    MeasureAccess();
    if (NT_SUCCESS(Status))
        Status = PsSetCreateProcessNotifyRoutine(Told, FALSE);
    return NT_SUCCESS(Status) ? FltStartFiltering(Filter) : Status;
}
