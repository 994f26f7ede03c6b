// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random numbers: AES-256 of a counter, under a key that the machine's seed gives.  The same run has the same numbers.
 */
#include "cng.h"

static symmetric_key CngRandomKey;
static volatile LONG64 CngRandomCounter;

VOID CngInitializeRandom(VOID)
{
    CHAR Text[32];
    CNG_DIGEST Digest;
    UCHAR Key[32];

    FvOption("seed", Text, sizeof(Text));
    CngBeginDigest(&Digest, &sha256_desc, FALSE, NULL, 0);
    CngAddToDigest(&Digest, (const UCHAR *)Text, (ULONG)strlen(Text));
    CngEndDigest(&Digest, Key);
    rijndael_setup(Key, sizeof(Key), 0, &CngRandomKey);
}

VOID CngRandom(PUCHAR Buffer, SIZE_T Length)
{
    while (Length != 0) {
        LONG64 Counter[2] = {InterlockedIncrement64(&CngRandomCounter), 0};
        UCHAR Block[CNG_AES_BLOCK];
        SIZE_T Part = min(Length, sizeof(Block));

        rijndael_ecb_encrypt((const UCHAR *)Counter, Block, &CngRandomKey);
        RtlCopyMemory(Buffer, Block, Part);
        Buffer += Part;
        Length -= Part;
    }
}

/*
 * IRQL: PASSIVE_LEVEL; DISPATCH_LEVEL with a provider that was opened with BCRYPT_PROV_DISPATCH, and never with
 * BCRYPT_USE_SYSTEM_PREFERRED_RNG.  What BCRYPT_RNG_USE_ENTROPY_IN_BUFFER asks for is ignored, as since Windows 8.
 * Source: the page BCryptGenRandom.
 */
NTSTATUS WINAPI BCryptGenRandom(BCRYPT_ALG_HANDLE Handle, PUCHAR Buffer, ULONG Length, ULONG Flags)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);
    BOOLEAN System = (Flags & BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0;

    if (System)
        CngCheckIrql(NULL, Handle, CNG_CALLER());
    if ((Flags & ~(BCRYPT_USE_SYSTEM_PREFERRED_RNG | BCRYPT_RNG_USE_ENTROPY_IN_BUFFER)) != 0 ||
        (Buffer == NULL && Length != 0) || (System && Handle != NULL))
        return STATUS_INVALID_PARAMETER;
    if (!System) {
        if (Provider == NULL || Provider->Algorithm->Interface != BCRYPT_RNG_INTERFACE)
            return STATUS_INVALID_HANDLE;
        CngCheckIrql(Provider, Handle, CNG_CALLER());
    }
    CngRandom(Buffer, Length);
    return STATUS_SUCCESS;
}
