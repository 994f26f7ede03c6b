/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process: making, finding and ending processes. */
#include "psp.h"
#include <usermode.h>

#define PSP_TAG 'corP'

static VOID PspSetImageName(PEPROCESS Process, PCUNICODE_STRING ImageName)
{
    USHORT Start = 0, Length = ImageName->Length / sizeof(WCHAR);

    for (USHORT i = 0; i < Length; i++) {
        if (ImageName->Buffer[i] == L'\\') {
            Start = i + 1;
        }
    }
    for (USHORT i = 0; i < sizeof(Process->ImageFileName) - 2 && Start + i < Length; i++) {
        Process->ImageFileName[i] = (CHAR)ImageName->Buffer[Start + i];
    }
}

NTSTATUS PspCreateProcess(PCUNICODE_STRING ImageName, PEPROCESS Parent, PEPROCESS *Result)
{
    OBJECT_ATTRIBUTES Attributes;
    PEPROCESS Process;
    NTSTATUS Status;
    KIRQL OldIrql;

    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ObCreateObject(KernelMode, PsProcessTypeObject, &Attributes, KernelMode, NULL, sizeof(EPROCESS), 0, 0,
                            (PVOID *)&Process);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    RtlZeroMemory(Process, sizeof(*Process));
    InitializeListHead(&Process->ThreadListHead);
    KeInitializeProcess(&Process->Pcb, 8, ~(KAFFINITY)0 >> (64 - HalLoaderBlock->processors),
                        HalLoaderBlock->page_table);
    InitializeListHead(&Process->ActiveProcessLinks);
    if (PsInitialSystemProcess == NULL) {
        MmInitSystemSpace(&Process->Pcb);
    } else {
        Status = MmCreateSpace(&Process->Pcb);
    }
    if (NT_SUCCESS(Status)) {
        Process->ImageName.Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, ImageName->Length + sizeof(WCHAR), PSP_TAG);
    }
    if (Process->ImageName.Buffer == NULL) {
        ObDereferenceObject(Process);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Process->ImageName.Length = ImageName->Length;
    Process->ImageName.MaximumLength = ImageName->Length + sizeof(WCHAR);
    RtlCopyMemory(Process->ImageName.Buffer, ImageName->Buffer, ImageName->Length);
    Process->ImageName.Buffer[ImageName->Length / sizeof(WCHAR)] = 0;
    PspSetImageName(Process, ImageName);
    Process->UniqueProcessId = PspAllocateId();
    Process->ExitStatus = STATUS_PENDING;
    KeQuerySystemTime(&Process->CreateTime);
    if (Parent != NULL) {
        Process->InheritedFromUniqueProcessId = Parent->UniqueProcessId;
        if (Parent->Token != NULL) {
            PsAssignPrimaryToken(Process, Parent->Token);
        }
    }
    OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    InsertTailList(&PspProcessListHead, &Process->ActiveProcessLinks);
    KeReleaseSpinLock(&PspLock, OldIrql);
    *Result = Process;
    return STATUS_SUCCESS;
}

VOID PspDeleteProcess(PVOID Object)
{
    PEPROCESS Process = Object;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);

    if (Process->ActiveProcessLinks.Flink != NULL) {
        RemoveEntryList(&Process->ActiveProcessLinks);
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    MmDeleteSpace(&Process->Pcb);
    if (Process->Token != NULL) {
        ObDereferenceObject(Process->Token);
    }
    if (Process->ImageFile != NULL) {
        ObDereferenceObjectDeferDelete(Process->ImageFile);
    }
    if (Process->ImageName.Buffer != NULL) {
        ExFreePoolWithTag(Process->ImageName.Buffer, PSP_TAG);
    }
}

NTSTATUS PsCreateMinimalProcess(PCUNICODE_STRING ImageName, PEPROCESS Parent, PFILE_OBJECT ImageFile,
                                PEPROCESS *Process)
{
    NTSTATUS Status = PspCreateProcess(ImageName, Parent != NULL ? Parent : PsInitialSystemProcess, Process);

    if (NT_SUCCESS(Status)) {
        if (ImageFile != NULL) {
            ObReferenceObject(ImageFile);
            (*Process)->ImageFile = ImageFile;
        }
        Status = PspNotifyProcess(*Process, TRUE);
        if (!NT_SUCCESS(Status)) {
            PsTerminateMinimalProcess(*Process, Status);
            ObDereferenceObject(*Process);
        }
    }
    return Status;
}

VOID PspRundownProcess(PEPROCESS Process, NTSTATUS ExitStatus)
{
    KIRQL OldIrql;

    PspNotifyProcess(Process, FALSE);
    ObCloseProcessHandles(&Process->Pcb);
    MmEmptySpace();
    Process->ExitStatus = ExitStatus;
    KeQuerySystemTime(&Process->ExitTime);
    OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    RemoveEntryList(&Process->ActiveProcessLinks);
    Process->ActiveProcessLinks.Flink = NULL;
    KeReleaseSpinLock(&PspLock, OldIrql);
    KeSignalProcess(&Process->Pcb);
}

NTSTATUS PsTerminateMinimalProcess(PEPROCESS Process, NTSTATUS ExitStatus)
{
    KAPC_STATE ApcState;

    if (Process->ActiveThreads != 0) {
        return STATUS_DEVICE_BUSY;
    }
    KeStackAttachProcess(&Process->Pcb, &ApcState);
    PspRundownProcess(Process, ExitStatus);
    KeUnstackDetachProcess(&ApcState);
    return STATUS_SUCCESS;
}

DECLSPEC_NOINLINE NTSTATUS NTAPI PsLookupProcessByProcessId(HANDLE ProcessId, PEPROCESS *Process)
{
    NTSTATUS Status = STATUS_INVALID_CID;
    KIRQL OldIrql = KeAcquireSpinLockRaiseToDpc(&PspLock);

    for (PLIST_ENTRY Entry = PspProcessListHead.Flink; Entry != &PspProcessListHead; Entry = Entry->Flink) {
        PEPROCESS Candidate = CONTAINING_RECORD(Entry, EPROCESS, ActiveProcessLinks);

        if (Candidate->UniqueProcessId == ProcessId && ObReferenceObjectSafe(Candidate)) {
            *Process = Candidate;
            Status = STATUS_SUCCESS;
            break;
        }
    }
    KeReleaseSpinLock(&PspLock, OldIrql);
    if (NT_SUCCESS(Status))
        ObNoteReference(*Process, _ReturnAddress());
    return Status;
}

NTSTATUS NTAPI ZwOpenProcess(PHANDLE ProcessHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                             PCLIENT_ID ClientId)
{
    PEPROCESS Process;
    NTSTATUS Status;

    if (ClientId == NULL || ObjectAttributes == NULL || ObjectAttributes->ObjectName != NULL) {
        return STATUS_INVALID_PARAMETER_MIX;
    }
    Status = PsLookupProcessByProcessId(ClientId->UniqueProcess, &Process);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObOpenObjectByPointer(Process, ObjectAttributes->Attributes, NULL, DesiredAccess, PsProcessTypeObject,
                                   KernelMode, ProcessHandle);
    ObDereferenceObject(Process);
    return Status;
}

HANDLE NTAPI PsGetProcessId(PEPROCESS Process)
{
    return Process->UniqueProcessId;
}

HANDLE NTAPI PsGetProcessInheritedFromUniqueProcessId(PEPROCESS Process)
{
    return Process->InheritedFromUniqueProcessId;
}

LONGLONG NTAPI PsGetProcessCreateTimeQuadPart(PEPROCESS Process)
{
    return Process->CreateTime.QuadPart;
}

NTSTATUS NTAPI PsGetProcessExitStatus(PEPROCESS Process)
{
    return Process->ExitStatus;
}

PCHAR NTAPI PsGetProcessImageFileName(PEPROCESS Process)
{
    return Process->ImageFileName;
}

/* The caller frees it with ExFreePool, as documented. */
NTSTATUS NTAPI SeLocateProcessImageName(PEPROCESS Process, PUNICODE_STRING *ImageName)
{
    PUNICODE_STRING Copy = MmAllocatePoolForCaller(
        NonPagedPoolNx, sizeof(UNICODE_STRING) + Process->ImageName.MaximumLength, PSP_TAG, _ReturnAddress());

    if (Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Copy = Process->ImageName;
    Copy->Buffer = (PWCH)(Copy + 1);
    RtlCopyMemory(Copy->Buffer, Process->ImageName.Buffer, Process->ImageName.MaximumLength);
    *ImageName = Copy;
    return STATUS_SUCCESS;
}

PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process)
{
    return NULL;
}

BOOLEAN NTAPI PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber, PUNICODE_STRING CSDVersion)
{
    if (MajorVersion != NULL) {
        *MajorVersion = 10;
    }
    if (MinorVersion != NULL) {
        *MinorVersion = 0;
    }
    if (BuildNumber != NULL) {
        *BuildNumber = 19041;
    }
    if (CSDVersion != NULL) {
        RtlZeroMemory(CSDVersion, sizeof(*CSDVersion));
    }
    return FALSE; /* a free build */
}
