/* SPDX-License-Identifier: GPL-2.0-or-later */
/* init: object types and the System process. */
#include "psp.h"

KSPIN_LOCK PspLock;
LIST_ENTRY PspProcessListHead = {&PspProcessListHead, &PspProcessListHead};
PEPROCESS PsInitialSystemProcess;
POBJECT_TYPE PsProcessTypeObject, PsThreadTypeObject;
VOID (*PsIoThreadExitRoutine)(PETHREAD Thread);

static volatile LONG PspNextId;

/* Windows's ids are multiples of four, System's is 4. */
HANDLE PspAllocateId(VOID)
{
    return (HANDLE)(ULONG_PTR)(ULONG)InterlockedAdd(&PspNextId, 4);
}

static NTSTATUS PspCreateType(PCWSTR Name, ACCESS_MASK Valid, VOID (*Delete)(PVOID), POBJECT_TYPE *Type)
{
    OBJECT_TYPE_INITIALIZER Initializer;
    UNICODE_STRING TypeName;
    NTSTATUS Status;

    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.ValidAccessMask = Valid;
    Initializer.PoolType = NonPagedPoolNx;
    Initializer.GenericMapping.GenericRead = STANDARD_RIGHTS_READ | 0x440;
    Initializer.GenericMapping.GenericWrite = STANDARD_RIGHTS_WRITE | 0xB3B;
    Initializer.GenericMapping.GenericExecute = STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE;
    Initializer.GenericMapping.GenericAll = Valid;
    Initializer.DeleteProcedure = Delete;
    RtlInitUnicodeString(&TypeName, Name);
    Status = ObCreateObjectType(&TypeName, &Initializer, NULL, Type);
    if (NT_SUCCESS(Status)) {
        ObAllowFilters(*Type);
    }
    return Status;
}

NTSTATUS PsInitSystem(VOID)
{
    static const WCHAR SystemName[] = L"System";
    UNICODE_STRING Name;
    NTSTATUS Status;

    Status = PspCreateType(L"Process", STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0xFFFF, PspDeleteProcess,
                           &PsProcessTypeObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status =
        PspCreateType(L"Thread", STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0xFFFF, PspDeleteThread, &PsThreadTypeObject);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    PspInitializeReaper();
    PspInitializeUser();
    RtlInitUnicodeString(&Name, SystemName);
    return PspCreateProcess(&Name, NULL, &PsInitialSystemProcess);
}
