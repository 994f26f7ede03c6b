// SPDX-License-Identifier: GPL-2.0-or-later
/* The names that cng.sys has, forwarded to it (ksecdd.def): this image imports from it, so it is there. */
#include <ntifs.h>
#include <bcrypt.h>

NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);

/* IRQL: PASSIVE_LEVEL.  Fails when cng.sys is not what it should be. */
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    return BCryptGenRandom(NULL, NULL, 0, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
}
