/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * security: descriptors of objects, and who may open what.
 *
 * Of a type that is Secured an object with a name has a descriptor: that which it was made with, or its maker's default.  Who opens it
 * from user mode, or asks for it, is asked by that; the kernel is not.  Devices, files and keys look after themselves: io and cm.
 * Processes, threads, tokens and directories have none yet.  ObpNameLock guards an object's descriptor.
 */
#include "obp.h"

const OB_SECURITY *ObSecurity;

NTSTATUS ObDuplicateDescriptor(PSECURITY_DESCRIPTOR Descriptor, PSECURITY_DESCRIPTOR *Copy)
{
    ULONG Length = 0;
    NTSTATUS Status;

    if ((((PISECURITY_DESCRIPTOR)Descriptor)->Control & SE_SELF_RELATIVE) != 0) {
        Length = RtlLengthSecurityDescriptor(Descriptor);
    } else if (RtlAbsoluteToSelfRelativeSD(Descriptor, NULL, &Length) != STATUS_BUFFER_TOO_SMALL) {
        return STATUS_INVALID_SECURITY_DESCR;
    }
    *Copy = ExAllocatePoolWithTag(PagedPool, Length, OB_TAG_DESCRIPTOR);
    if (*Copy == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if ((((PISECURITY_DESCRIPTOR)Descriptor)->Control & SE_SELF_RELATIVE) != 0) {
        RtlCopyMemory(*Copy, Descriptor, Length);
        return STATUS_SUCCESS;
    }
    Status = RtlAbsoluteToSelfRelativeSD(Descriptor, *Copy, &Length);
    if (!NT_SUCCESS(Status)) {
        ExFreePool(*Copy);
        *Copy = NULL;
    }
    return Status;
}

NTSTATUS ObpAssignSecurity(POBP_HEADER Header, PSECURITY_DESCRIPTOR Explicit)
{
    if (ObSecurity == NULL || !Header->Type->Info.Secured || (Explicit == NULL && Header->FullName.Length == 0)) {
        return STATUS_SUCCESS;
    }
    return ObSecurity->Assign(NULL, Explicit, FALSE, &Header->Type->Info.GenericMapping, &Header->SecurityDescriptor);
}

NTSTATUS ObpCheckAccess(POBP_HEADER Header, PACCESS_STATE AccessState)
{
    NTSTATUS Status = STATUS_SUCCESS;

    if (AccessState->RemainingDesiredAccess == 0 || Header->SecurityDescriptor == NULL) {
        return STATUS_SUCCESS;
    }
    ObpShareNames();
    if (Header->SecurityDescriptor != NULL) {
        Status = ObSecurity->Check(Header->SecurityDescriptor, &Header->Type->Info.GenericMapping, AccessState);
    }
    ObpUnshareNames();
    return Status;
}

NTSTATUS ObCopySecurity(PVOID Object, PSECURITY_DESCRIPTOR *Copy)
{
    POBP_HEADER Header = ObpHeader(Object);
    NTSTATUS Status = STATUS_NO_SECURITY_ON_OBJECT;

    *Copy = NULL;
    if (Header->Type->Info.CopySecurityProcedure != NULL) {
        return Header->Type->Info.CopySecurityProcedure(Object, Copy);
    }
    if (!Header->Type->Info.Secured) {
        return STATUS_NOT_IMPLEMENTED;
    }
    ObpShareNames();
    if (Header->SecurityDescriptor != NULL) {
        Status = ObDuplicateDescriptor(Header->SecurityDescriptor, Copy);
    }
    ObpUnshareNames();
    return Status;
}

NTSTATUS ObReplaceSecurity(PVOID Object, PSECURITY_DESCRIPTOR New)
{
    POBP_HEADER Header = ObpHeader(Object);
    PSECURITY_DESCRIPTOR Old;

    if (Header->Type->Info.ReplaceSecurityProcedure != NULL) {
        return Header->Type->Info.ReplaceSecurityProcedure(Object, New);
    }
    ObpLockNames();
    Old = Header->SecurityDescriptor;
    Header->SecurityDescriptor = New;
    ObpUnlockNames();
    if (Old != NULL) {
        ExFreePool(Old);
    }
    return STATUS_SUCCESS;
}

PGENERIC_MAPPING ObGetGenericMapping(PVOID Object)
{
    return &ObpHeader(Object)->Type->Info.GenericMapping;
}

/* ---- exports ---- */

/* PASSIVE_LEVEL.  NULL where there is none. */
NTSTATUS NTAPI ObGetObjectSecurity(PVOID Object, PSECURITY_DESCRIPTOR *SecurityDescriptor, PBOOLEAN MemoryAllocated)
{
    NTSTATUS Status = ObCopySecurity(Object, SecurityDescriptor);

    *MemoryAllocated = NT_SUCCESS(Status);
    return Status == STATUS_NO_SECURITY_ON_OBJECT || Status == STATUS_NOT_IMPLEMENTED ? STATUS_SUCCESS : Status;
}

/* PASSIVE_LEVEL. */
VOID NTAPI ObReleaseObjectSecurity(PSECURITY_DESCRIPTOR SecurityDescriptor, BOOLEAN MemoryAllocated)
{
    if (MemoryAllocated) {
        ExFreePool(SecurityDescriptor);
    }
}
