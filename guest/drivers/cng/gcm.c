// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AES-GCM (NIST SP 800-38D) in one call, or in several that hand their state on in the caller's own memory: the counter
 * block in the vector, the hash in pbMacContext, lengths in cbAAD and cbData.
 *
 * Source: the page BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO.
 */
#include "cng.h"

#define CNG_GCM_NONCE 12

typedef struct _CNG_GCM {
    CNG_KEY *Key;
    UCHAR H[CNG_AES_BLOCK]; /* the hash's own key */
    UCHAR Hash[CNG_AES_BLOCK];
    UCHAR Counter[CNG_AES_BLOCK];
} CNG_GCM;

/* Hashes whole blocks; the last is filled with zeros. */
static VOID CngGcmHash(CNG_GCM *Gcm, const UCHAR *Data, SIZE_T Length)
{
    for (SIZE_T At = 0; At < Length; At += CNG_AES_BLOCK) {
        for (SIZE_T Index = 0; Index < CNG_AES_BLOCK && At + Index < Length; Index++)
            Gcm->Hash[Index] ^= Data[At + Index];
        gcm_gf_mult(Gcm->Hash, Gcm->H, Gcm->Hash);
    }
}

static VOID CngGcmStream(CNG_GCM *Gcm, const UCHAR *Input, ULONG Length, PUCHAR Output)
{
    UCHAR Stream[CNG_AES_BLOCK];

    for (ULONG At = 0; At < Length; At += CNG_AES_BLOCK) {
        for (LONG Index = CNG_AES_BLOCK - 1; Index >= CNG_GCM_NONCE && ++Gcm->Counter[Index] == 0; Index--) {
        }
        rijndael_ecb_encrypt(Gcm->Counter, Stream, &Gcm->Key->Schedule);
        for (ULONG Index = 0; Index < CNG_AES_BLOCK && At + Index < Length; Index++)
            Output[At + Index] = Input[At + Index] ^ Stream[Index];
    }
}

static VOID CngGcmBegin(CNG_GCM *Gcm, BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *Info, PUCHAR Vector)
{
    UCHAR Zero[CNG_AES_BLOCK] = {0};

    rijndael_ecb_encrypt(Zero, Gcm->H, &Gcm->Key->Schedule);
    if (Info->dwFlags & BCRYPT_AUTH_MODE_IN_PROGRESS_FLAG) {
        RtlCopyMemory(Gcm->Hash, Info->pbMacContext, CNG_AES_BLOCK);
        RtlCopyMemory(Gcm->Counter, Vector, CNG_AES_BLOCK);
        return;
    }
    RtlZeroMemory(Gcm->Hash, sizeof(Gcm->Hash));
    RtlCopyMemory(Gcm->Counter, Info->pbNonce, CNG_GCM_NONCE);
    RtlCopyMemory(Gcm->Counter + CNG_GCM_NONCE, "\0\0\0\1", 4);
    CngGcmHash(Gcm, Info->pbAuthData, Info->cbAuthData);
    Info->cbAAD = Info->cbAuthData;
    Info->cbData = 0;
}

static VOID CngGcmTag(CNG_GCM *Gcm, const BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *Info, PUCHAR Tag)
{
    ULONG64 Lengths[2] = {__builtin_bswap64((ULONG64)Info->cbAAD * 8), __builtin_bswap64(Info->cbData * 8)};
    UCHAR First[CNG_AES_BLOCK];

    CngGcmHash(Gcm, (PUCHAR)Lengths, sizeof(Lengths));
    RtlCopyMemory(First, Info->pbNonce, CNG_GCM_NONCE);
    RtlCopyMemory(First + CNG_GCM_NONCE, "\0\0\0\1", 4);
    rijndael_ecb_encrypt(First, Tag, &Gcm->Key->Schedule);
    for (ULONG Index = 0; Index < CNG_AES_BLOCK; Index++)
        Tag[Index] ^= Gcm->Hash[Index];
}

static BOOLEAN CngGcmIsSound(const BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *Info, PUCHAR Vector, ULONG VectorLength)
{
    BOOLEAN Chained = (Info->dwFlags & (BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG | BCRYPT_AUTH_MODE_IN_PROGRESS_FLAG)) != 0;

    return Info->dwInfoVersion == BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO_VERSION && Info->pbNonce != NULL &&
           Info->cbNonce == CNG_GCM_NONCE && Info->pbTag != NULL && Info->cbTag >= 12 && Info->cbTag <= CNG_AES_BLOCK &&
           (Info->pbAuthData != NULL || Info->cbAuthData == 0) &&
           (Info->dwFlags & ~(BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG | BCRYPT_AUTH_MODE_IN_PROGRESS_FLAG)) == 0 &&
           (!Chained || (Info->pbMacContext != NULL && Info->cbMacContext >= CNG_AES_BLOCK && Vector != NULL &&
                         VectorLength == CNG_AES_BLOCK));
}

NTSTATUS CngCryptGcm(CNG_KEY *Key, BOOLEAN Encrypt, const UCHAR *Input, ULONG Length, PUCHAR Vector, ULONG VectorLength,
                     BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *Info, PUCHAR Output)
{
    CNG_GCM Gcm = {.Key = Key};
    UCHAR Tag[CNG_AES_BLOCK];
    BOOLEAN More = (Info->dwFlags & BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG) != 0;

    if (!CngGcmIsSound(Info, Vector, VectorLength))
        return STATUS_INVALID_PARAMETER;
    if (More && Length % CNG_AES_BLOCK != 0)
        return STATUS_INVALID_BUFFER_SIZE;
    CngGcmBegin(&Gcm, Info, Vector);
    if (!Encrypt)
        CngGcmHash(&Gcm, Input, Length);
    CngGcmStream(&Gcm, Input, Length, Output);
    if (Encrypt)
        CngGcmHash(&Gcm, Output, Length);
    Info->cbData += Length;
    if (More) {
        Info->dwFlags |= BCRYPT_AUTH_MODE_IN_PROGRESS_FLAG;
        RtlCopyMemory(Info->pbMacContext, Gcm.Hash, CNG_AES_BLOCK);
        RtlCopyMemory(Vector, Gcm.Counter, CNG_AES_BLOCK);
        return STATUS_SUCCESS;
    }
    CngGcmTag(&Gcm, Info, Tag);
    Info->dwFlags &= ~BCRYPT_AUTH_MODE_IN_PROGRESS_FLAG;
    if (Encrypt) {
        RtlCopyMemory(Info->pbTag, Tag, Info->cbTag);
    } else if (mem_neq(Info->pbTag, Tag, Info->cbTag)) {
        RtlZeroMemory(Output, Length);
        return STATUS_AUTH_TAG_MISMATCH;
    }
    return STATUS_SUCCESS;
}
