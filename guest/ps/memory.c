/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory: the services for a process's memory.  Each works in the process that the handle names; the caller's
 * pointers are read and written in the caller's own.
 */
#include "psp.h"

#define PSP_PROCESS_VM_OPERATION      0x0008
#define PSP_PROCESS_QUERY_INFORMATION 0x0400

/* Where a service found its arguments, and what it made of them. */
typedef struct _PSP_MEMORY {
    ULONG64 Base, Size;
    KPROCESSOR_MODE Mode;
    PEPROCESS Process;
    KAPC_STATE ApcState;
} PSP_MEMORY;

static NTSTATUS PspCaptureRange(PSP_MEMORY *Call, PVOID *BaseAddress, PSIZE_T RegionSize)
{
    Call->Mode = ExGetPreviousMode();
    __try {
        if (Call->Mode != KernelMode) {
            ProbeForWrite(BaseAddress, sizeof(*BaseAddress), sizeof(PVOID));
            ProbeForWrite(RegionSize, sizeof(*RegionSize), sizeof(SIZE_T));
        }
        Call->Base = (ULONG64)*BaseAddress;
        Call->Size = *RegionSize;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* What was done is done, also if it cannot be told any more. */
static NTSTATUS PspReturnRange(PSP_MEMORY *Call, NTSTATUS Status, PVOID *BaseAddress, PSIZE_T RegionSize)
{
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    __try {
        *RegionSize = Call->Size;
        *BaseAddress = (PVOID)Call->Base;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return Status;
    }
    return Status;
}

static NTSTATUS PspEnterProcess(PSP_MEMORY *Call, HANDLE ProcessHandle, ACCESS_MASK Access)
{
    NTSTATUS Status = ObReferenceObjectByHandle(ProcessHandle, Access, PsProcessTypeObject, Call->Mode,
                                                (PVOID *)&Call->Process, NULL);

    if (NT_SUCCESS(Status)) {
        KeStackAttachProcess(&Call->Process->Pcb, &Call->ApcState);
    }
    return Status;
}

static VOID PspLeaveProcess(PSP_MEMORY *Call)
{
    KeUnstackDetachProcess(&Call->ApcState);
    ObDereferenceObject(Call->Process);
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER_3 to 5: ZeroBits, RegionSize, AllocationType.
 * STATUS_INVALID_PAGE_PROTECTION, STATUS_CONFLICTING_ADDRESSES, STATUS_COMMITMENT_LIMIT, STATUS_NO_MEMORY,
 * STATUS_PROCESS_IS_TERMINATING; STATUS_NOT_IMPLEMENTED for large pages, physical memory and write watching.
 */
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits, PSIZE_T RegionSize,
                                       ULONG AllocationType, ULONG Protect)
{
    PSP_MEMORY Call;
    NTSTATUS Status = PspCaptureRange(&Call, BaseAddress, RegionSize);

    if (NT_SUCCESS(Status)) {
        Status = PspEnterProcess(&Call, ProcessHandle, PSP_PROCESS_VM_OPERATION);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = MmAllocateVirtual(&Call.Base, ZeroBits, &Call.Size, AllocationType, Protect);
    PspLeaveProcess(&Call);
    return PspReturnRange(&Call, Status, BaseAddress, RegionSize);
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER_4: FreeType is not one of MEM_DECOMMIT and MEM_RELEASE.
 * STATUS_MEMORY_NOT_ALLOCATED, STATUS_FREE_VM_NOT_AT_BASE, STATUS_UNABLE_TO_FREE_VM: more than one
 * allocation.
 */
NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG FreeType)
{
    PSP_MEMORY Call;
    NTSTATUS Status = PspCaptureRange(&Call, BaseAddress, RegionSize);

    if (NT_SUCCESS(Status)) {
        Status = PspEnterProcess(&Call, ProcessHandle, PSP_PROCESS_VM_OPERATION);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = MmFreeVirtual(&Call.Base, &Call.Size, FreeType);
    PspLeaveProcess(&Call);
    return PspReturnRange(&Call, Status, BaseAddress, RegionSize);
}

/* IRQL: PASSIVE_LEVEL.  STATUS_NOT_COMMITTED, STATUS_CONFLICTING_ADDRESSES: not of one allocation. */
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG NewProtect,
                                      PULONG OldProtect)
{
    PSP_MEMORY Call;
    ULONG Old = 0;
    NTSTATUS Status = PspCaptureRange(&Call, BaseAddress, RegionSize);

    __try {
        if (Call.Mode != KernelMode) {
            ProbeForWrite(OldProtect, sizeof(*OldProtect), sizeof(ULONG));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    if (NT_SUCCESS(Status)) {
        Status = PspEnterProcess(&Call, ProcessHandle, PSP_PROCESS_VM_OPERATION);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = MmProtectVirtual(&Call.Base, &Call.Size, NewProtect, &Old);
    PspLeaveProcess(&Call);
    if (NT_SUCCESS(Status)) {
        __try {
            *OldProtect = Old;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            return Status;
        }
    }
    return PspReturnRange(&Call, Status, BaseAddress, RegionSize);
}

/* IRQL: PASSIVE_LEVEL.  MemoryBasicInformation; STATUS_INVALID_INFO_CLASS for the others.
 * STATUS_INFO_LENGTH_MISMATCH. */
NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE ProcessHandle, PVOID BaseAddress,
                                    MEMORY_INFORMATION_CLASS MemoryInformationClass, PVOID MemoryInformation,
                                    SIZE_T MemoryInformationLength, PSIZE_T ReturnLength)
{
    MEMORY_BASIC_INFORMATION Information;
    PSP_MEMORY Call = {.Mode = ExGetPreviousMode()};
    NTSTATUS Status;

    if (MemoryInformationClass != MemoryBasicInformation) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (MemoryInformationLength < sizeof(Information)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status = PspEnterProcess(&Call, ProcessHandle, PSP_PROCESS_QUERY_INFORMATION);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = MmQueryVirtual((ULONG64)BaseAddress, &Information);
    PspLeaveProcess(&Call);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    __try {
        if (Call.Mode != KernelMode) {
            ProbeForWrite(MemoryInformation, MemoryInformationLength, sizeof(ULONG_PTR));
            if (ReturnLength != NULL) {
                ProbeForWrite(ReturnLength, sizeof(*ReturnLength), sizeof(SIZE_T));
            }
        }
        RtlCopyMemory(MemoryInformation, &Information, sizeof(Information));
        if (ReturnLength != NULL) {
            *ReturnLength = sizeof(Information);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/*
 * IRQL: PASSIVE_LEVEL.  A hint to bring memory in: what is committed is there always.  STATUS_INVALID_PARAMETER_2: the class is
 * not VmPrefetchInformation; _3: no entries; _4: one that is not a user's memory; _5, _6: VmInformation is no ULONG that is 0;
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH.  (ZwSetInformationVirtualMemory)
 */
NTSTATUS NTAPI ZwSetInformationVirtualMemory(HANDLE ProcessHandle, VIRTUAL_MEMORY_INFORMATION_CLASS VmInformationClass,
                                             ULONG_PTR NumberOfEntries, PMEMORY_RANGE_ENTRY VirtualAddresses,
                                             PVOID VmInformation, ULONG VmInformationLength)
{
    PSP_MEMORY Call = {.Mode = KernelMode};
    NTSTATUS Status;

    PAGED_CODE();
    if (VmInformationClass != VmPrefetchInformation) {
        return STATUS_INVALID_PARAMETER_2;
    }
    if (NumberOfEntries == 0) {
        return STATUS_INVALID_PARAMETER_3;
    }
    if (VmInformationLength != sizeof(ULONG)) {
        return STATUS_INVALID_PARAMETER_6;
    }
    if (VmInformation == NULL || *(PULONG)VmInformation != 0) {
        return STATUS_INVALID_PARAMETER_5;
    }
    for (ULONG_PTR Index = 0; Index < NumberOfEntries; Index++) {
        ULONG64 Base = (ULONG64)VirtualAddresses[Index].VirtualAddress;

        if (Base > (ULONG64)MmHighestUserAddress ||
            VirtualAddresses[Index].NumberOfBytes > (ULONG64)MmHighestUserAddress - Base + 1) {
            return STATUS_INVALID_PARAMETER_4;
        }
    }
    Status = PspEnterProcess(&Call, ProcessHandle, PSP_PROCESS_VM_OPERATION);
    if (NT_SUCCESS(Status)) {
        PspLeaveProcess(&Call);
    }
    return Status;
}

OB_ZW(AllocateVirtualMemory,
      (HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits, PSIZE_T RegionSize, ULONG AllocationType,
       ULONG Protect),
      (ProcessHandle, BaseAddress, ZeroBits, RegionSize, AllocationType, Protect))

OB_ZW(FreeVirtualMemory, (HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG FreeType),
      (ProcessHandle, BaseAddress, RegionSize, FreeType))

OB_ZW(ProtectVirtualMemory,
      (HANDLE ProcessHandle, PVOID *BaseAddress, PSIZE_T RegionSize, ULONG NewProtect, PULONG OldProtect),
      (ProcessHandle, BaseAddress, RegionSize, NewProtect, OldProtect))

OB_ZW(QueryVirtualMemory,
      (HANDLE ProcessHandle, PVOID BaseAddress, MEMORY_INFORMATION_CLASS MemoryInformationClass,
       PVOID MemoryInformation, SIZE_T MemoryInformationLength, PSIZE_T ReturnLength),
      (ProcessHandle, BaseAddress, MemoryInformationClass, MemoryInformation, MemoryInformationLength, ReturnLength))
