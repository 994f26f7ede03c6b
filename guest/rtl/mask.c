/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Access masks. */
#include <ntifs.h>

VOID NTAPI RtlMapGenericMask(PACCESS_MASK AccessMask, PGENERIC_MAPPING GenericMapping)
{
    if (*AccessMask & GENERIC_READ) {
        *AccessMask |= GenericMapping->GenericRead;
    }
    if (*AccessMask & GENERIC_WRITE) {
        *AccessMask |= GenericMapping->GenericWrite;
    }
    if (*AccessMask & GENERIC_EXECUTE) {
        *AccessMask |= GenericMapping->GenericExecute;
    }
    if (*AccessMask & GENERIC_ALL) {
        *AccessMask |= GenericMapping->GenericAll;
    }
    *AccessMask &= ~(GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL);
}
