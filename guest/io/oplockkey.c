// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Oplock keys: handles of one client's cache have the same one.  fsrtl takes it out of the open's extra create
 * parameters; it stays with the file object.  IRQL: <= DISPATCH_LEVEL.
 */
#include "iop.h"

POPLOCK_KEY_CONTEXT IopOplockKey(PFILE_OBJECT FileObject)
{
    PIOP_FILE_EXTENSION Extension = IopGetFileExtension(FileObject, FALSE);

    return Extension != NULL && Extension->OplockKey != NULL ? &Extension->OplockKey->Key : NULL;
}

/* FALSE: there is no memory.  Once set, as an open is tried again, it is overwritten. */
BOOLEAN IopSetOplockKey(PFILE_OBJECT FileObject, const OPLOCK_KEY_CONTEXT *Key)
{
    PIOP_FILE_EXTENSION Extension = IopGetFileExtension(FileObject, TRUE);

    if (Extension == NULL) {
        return FALSE;
    }
    if (Extension->OplockKey == NULL) {
        Extension->OplockKey = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Extension->OplockKey), IOP_TAG_FILE);
        if (Extension->OplockKey == NULL) {
            return FALSE;
        }
    }
    RtlZeroMemory(Extension->OplockKey, sizeof(*Extension->OplockKey));
    Extension->OplockKey->Key = *Key;
    Extension->OplockKey->Target.OplockKey = Key->TargetOplockKey;
    return TRUE;
}

/* NULL: the file object has no target key. */
POPLOCK_KEY_ECP_CONTEXT NTAPI IoGetOplockKeyContext(PFILE_OBJECT FileObject)
{
    POPLOCK_KEY_CONTEXT Key = IopOplockKey(FileObject);

    return Key != NULL && (Key->Flags & OPLOCK_KEY_FLAG_TARGET_KEY) != 0
               ? &((PIOP_FILE_EXTENSION)FileObject->FileObjectExtension)->OplockKey->Target
               : NULL;
}

/* NULL: the file object has no key. */
POPLOCK_KEY_CONTEXT NTAPI IoGetOplockKeyContextEx(PFILE_OBJECT FileObject)
{
    return IopOplockKey(FileObject);
}
