/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * security: descriptors of keys.  A key has the nearest above it that was set, as if inherited; without any, system and administrators do
 * everything and others read.
 */
#include "cmp.h"

/* CmpLock held. */
static PSECURITY_DESCRIPTOR CmpDescriptorLocked(PCMP_NODE Node)
{
    while (Node != NULL && Node->Descriptor == NULL) {
        Node = Node->Parent;
    }
    return Node != NULL ? Node->Descriptor : ObSecurity->Public;
}

NTSTATUS CmpCheckAccessLocked(PCMP_NODE Node, PACCESS_STATE State)
{
    if (State == NULL || State->RemainingDesiredAccess == 0 || ObSecurity == NULL) {
        return STATUS_SUCCESS;
    }
    return ObSecurity->Check(CmpDescriptorLocked(Node), &CmpKeyMapping, State);
}

NTSTATUS CmpCheckCreateLocked(PCMP_NODE Parent, PACCESS_STATE State)
{
    ACCESS_STATE Create;

    if (State == NULL || State->RemainingDesiredAccess == 0 || ObSecurity == NULL) {
        return STATUS_SUCCESS;
    }
    Create = *State;
    Create.RemainingDesiredAccess = KEY_CREATE_SUB_KEY;
    Create.PreviouslyGrantedAccess = 0;
    return ObSecurity->Check(CmpDescriptorLocked(Parent), &CmpKeyMapping, &Create);
}

NTSTATUS CmpAssignSecurityLocked(PCMP_NODE Parent, PSECURITY_DESCRIPTOR Explicit, PSECURITY_DESCRIPTOR *Descriptor)
{
    *Descriptor = NULL;
    if (Explicit == NULL || ObSecurity == NULL) {
        return STATUS_SUCCESS;
    }
    return ObSecurity->Assign(CmpDescriptorLocked(Parent), Explicit, TRUE, &CmpKeyMapping, Descriptor);
}

/* ---- of a key object ---- */

NTSTATUS CmpCopySecurity(PVOID Object, PSECURITY_DESCRIPTOR *Copy)
{
    PCMP_NODE Node = ((PCMP_KEY)Object)->Node;
    NTSTATUS Status = STATUS_KEY_DELETED;

    ExAcquireFastMutex(&CmpLock);
    if (!Node->Deleted) {
        Status = ObDuplicateDescriptor(CmpDescriptorLocked(Node), Copy);
    }
    ExReleaseFastMutex(&CmpLock);
    return Status;
}

NTSTATUS CmpReplaceSecurity(PVOID Object, PSECURITY_DESCRIPTOR New)
{
    PCMP_NODE Node = ((PCMP_KEY)Object)->Node;
    PSECURITY_DESCRIPTOR Old = NULL;
    NTSTATUS Status = STATUS_KEY_DELETED;

    ExAcquireFastMutex(&CmpLock);
    if (!Node->Deleted) {
        Old = Node->Descriptor;
        Node->Descriptor = New;
        CmpChangedLocked(Node, REG_NOTIFY_CHANGE_SECURITY);
        Status = STATUS_SUCCESS;
    }
    ExReleaseFastMutex(&CmpLock);
    if (Old != NULL) {
        ExFreePool(Old);
    }
    return Status;
}
