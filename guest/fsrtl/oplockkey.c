// SPDX-License-Identifier: GPL-2.0-or-later
/* Oplock keys: an operation breaks no oplock of its own key.  A file object that brought none has one of its own. */
#define INITGUID /* of the extra create parameters */
#include "oplock.h"
#include <io.h>

BOOLEAN FsRtlpKeysMatch(PFILE_OBJECT Operations, PFILE_OBJECT Owners, BOOLEAN ByParentKey)
{
    POPLOCK_KEY_CONTEXT First, Second;

    if (Operations == Owners) {
        return Operations != NULL;
    }
    if (Operations == NULL || Owners == NULL) {
        return FALSE;
    }
    First = IopOplockKey(Operations);
    Second = IopOplockKey(Owners);
    if (First == NULL || Second == NULL || (Second->Flags & OPLOCK_KEY_FLAG_TARGET_KEY) == 0 ||
        (First->Flags & (ByParentKey ? OPLOCK_KEY_FLAG_PARENT_KEY : OPLOCK_KEY_FLAG_TARGET_KEY)) == 0) {
        return FALSE;
    }
    return IsEqualGUID(ByParentKey ? &First->ParentOplockKey : &First->TargetOplockKey, &Second->TargetOplockKey);
}

/* The open's key, out of its extra create parameters, stays with its file object. */
NTSTATUS FsRtlpTakeKey(PIRP Irp)
{
    OPLOCK_KEY_CONTEXT Key = {.Version = OPLOCK_KEY_VERSION_WIN8};
    PDUAL_OPLOCK_KEY_ECP_CONTEXT Dual;
    POPLOCK_KEY_ECP_CONTEXT Single;
    PECP_LIST List = NULL;

    if (!NT_SUCCESS(FsRtlGetEcpListFromIrp(Irp, &List)) || List == NULL) {
        return STATUS_SUCCESS;
    }
    if (NT_SUCCESS(FsRtlFindExtraCreateParameter(List, &GUID_ECP_DUAL_OPLOCK_KEY, (PVOID *)&Dual, NULL))) {
        Key.ParentOplockKey = Dual->ParentOplockKey;
        Key.TargetOplockKey = Dual->TargetOplockKey;
        Key.Flags = (USHORT)((Dual->ParentOplockKeySet ? OPLOCK_KEY_FLAG_PARENT_KEY : 0) |
                             (Dual->TargetOplockKeySet ? OPLOCK_KEY_FLAG_TARGET_KEY : 0));
        FsRtlAcknowledgeEcp(Dual);
    } else if (NT_SUCCESS(FsRtlFindExtraCreateParameter(List, &GUID_ECP_OPLOCK_KEY, (PVOID *)&Single, NULL))) {
        Key.Version = OPLOCK_KEY_VERSION_WIN7;
        Key.TargetOplockKey = Single->OplockKey;
        Key.Flags = OPLOCK_KEY_FLAG_TARGET_KEY;
        FsRtlAcknowledgeEcp(Single);
    } else {
        return STATUS_SUCCESS;
    }
    return IopSetOplockKey(IoGetCurrentIrpStackLocation(Irp)->FileObject, &Key) ? STATUS_SUCCESS
                                                                                : STATUS_INSUFFICIENT_RESOURCES;
}

BOOLEAN NTAPI FsRtlOplockKeysEqual(PFILE_OBJECT Fo1, PFILE_OBJECT Fo2)
{
    return FsRtlpKeysMatch(Fo1, Fo2, FALSE);
}
