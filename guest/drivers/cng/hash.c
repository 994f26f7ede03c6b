// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hash objects, hashes in one call, and keys from passwords.
 *
 * IRQL: PASSIVE_LEVEL; DISPATCH_LEVEL with a provider that was opened with BCRYPT_PROV_DISPATCH.  Sources: the pages of the
 * routines; RFC 8018 for PBKDF2.
 */
#include "cng.h"

static CNG_HASH *CngHashOf(BCRYPT_HASH_HANDLE Handle)
{
    return CngIsObject(Handle, CNG_HASH_MAGIC) ? Handle : NULL;
}

/* STATUS_INVALID_PARAMETER: a key without BCRYPT_ALG_HANDLE_HMAC_FLAG.  STATUS_NOT_SUPPORTED: hashes nothing. */
NTSTATUS WINAPI BCryptCreateHash(BCRYPT_ALG_HANDLE Handle, BCRYPT_HASH_HANDLE *HashHandle, PUCHAR Buffer, ULONG Room,
                                 PUCHAR Secret, ULONG SecretLength, ULONG Flags)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);
    CNG_HASH *Hash;
    BOOLEAN Keyed;
    NTSTATUS Status;

    if (Provider == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    if (Provider->Algorithm->Hash == NULL)
        return STATUS_NOT_SUPPORTED;
    Keyed = (Provider->Flags & BCRYPT_ALG_HANDLE_HMAC_FLAG) != 0;
    if (HashHandle == NULL || (Flags & ~BCRYPT_HASH_REUSABLE_FLAG) != 0 || (Secret == NULL && SecretLength != 0) ||
        (!Keyed && SecretLength != 0))
        return STATUS_INVALID_PARAMETER;
    Status = CngMakeObject(CNG_HASH_MAGIC, sizeof(*Hash), Buffer, Room, CNG_CALLER(), (PVOID *)&Hash);
    if (!NT_SUCCESS(Status))
        return Status;
    Hash->Provider = Provider;
    Hash->Reusable = ((Flags | Provider->Flags) & BCRYPT_HASH_REUSABLE_FLAG) != 0;
    CngReferenceProvider(Provider);
    CngBeginDigest(&Hash->Digest, Provider->Algorithm->Hash, Keyed, Secret, SecretLength);
    *HashHandle = Hash;
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_HANDLE: no hash, or one that was finished. */
NTSTATUS WINAPI BCryptHashData(BCRYPT_HASH_HANDLE Handle, PUCHAR Input, ULONG Length, ULONG Flags)
{
    CNG_HASH *Hash = CngHashOf(Handle);

    if (Hash == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Hash->Provider, Handle, CNG_CALLER());
    if (Hash->Finished)
        return STATUS_INVALID_HANDLE;
    if (Flags != 0 || (Input == NULL && Length != 0))
        return STATUS_INVALID_PARAMETER;
    CngAddToDigest(&Hash->Digest, Input, Length);
    return STATUS_SUCCESS;
}

/* The buffer has the hash's very size.  A hash that is not reusable is good for BCryptDestroyHash alone afterwards. */
NTSTATUS WINAPI BCryptFinishHash(BCRYPT_HASH_HANDLE Handle, PUCHAR Output, ULONG Length, ULONG Flags)
{
    CNG_HASH *Hash = CngHashOf(Handle);

    if (Hash == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Hash->Provider, Handle, CNG_CALLER());
    if (Hash->Finished)
        return STATUS_INVALID_HANDLE;
    if (Flags != 0 || Output == NULL || Length != Hash->Digest.Hash->hashsize)
        return STATUS_INVALID_PARAMETER;
    CngEndDigest(&Hash->Digest, Output);
    Hash->Finished = !Hash->Reusable;
    if (Hash->Reusable)
        CngRestartDigest(&Hash->Digest);
    return STATUS_SUCCESS;
}

/* Both go on from here on their own. */
NTSTATUS WINAPI BCryptDuplicateHash(BCRYPT_HASH_HANDLE Handle, BCRYPT_HASH_HANDLE *NewHandle, PUCHAR Buffer, ULONG Room,
                                    ULONG Flags)
{
    CNG_HASH *Hash = CngHashOf(Handle), *New;
    NTSTATUS Status;

    if (Hash == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Hash->Provider, Handle, CNG_CALLER());
    if (Hash->Finished)
        return STATUS_INVALID_HANDLE;
    if (NewHandle == NULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    Status = CngMakeObject(CNG_HASH_MAGIC, sizeof(*New), Buffer, Room, CNG_CALLER(), (PVOID *)&New);
    if (!NT_SUCCESS(Status))
        return Status;
    New->Provider = Hash->Provider;
    New->Reusable = Hash->Reusable;
    New->Digest = Hash->Digest;
    CngReferenceProvider(New->Provider);
    *NewHandle = New;
    return STATUS_SUCCESS;
}

NTSTATUS WINAPI BCryptDestroyHash(BCRYPT_HASH_HANDLE Handle)
{
    CNG_HASH *Hash = CngHashOf(Handle);
    CNG_PROVIDER *Provider;

    if (Hash == NULL)
        return STATUS_INVALID_HANDLE;
    Provider = Hash->Provider;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    RtlSecureZeroMemory(&Hash->Digest, sizeof(Hash->Digest));
    CngDropObject(&Hash->Object);
    CngReleaseProvider(Provider);
    return STATUS_SUCCESS;
}

/* Creates, hashes and finishes in one call. */
NTSTATUS WINAPI BCryptHash(BCRYPT_ALG_HANDLE Handle, PUCHAR Secret, ULONG SecretLength, PUCHAR Input, ULONG Length,
                           PUCHAR Output, ULONG OutputLength)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);
    CNG_DIGEST Digest;
    BOOLEAN Keyed;

    if (Provider == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    if (Provider->Algorithm->Hash == NULL)
        return STATUS_NOT_SUPPORTED;
    Keyed = (Provider->Flags & BCRYPT_ALG_HANDLE_HMAC_FLAG) != 0;
    if ((Secret == NULL && SecretLength != 0) || (!Keyed && SecretLength != 0) || (Input == NULL && Length != 0) ||
        Output == NULL || OutputLength != Provider->Algorithm->Hash->hashsize)
        return STATUS_INVALID_PARAMETER;
    CngBeginDigest(&Digest, Provider->Algorithm->Hash, Keyed, Secret, SecretLength);
    CngAddToDigest(&Digest, Input, Length);
    CngEndDigest(&Digest, Output);
    RtlSecureZeroMemory(&Digest, sizeof(Digest));
    return STATUS_SUCCESS;
}

/* The block of that number, from 1: the exclusive or of all iterations. */
static VOID CngDeriveBlock(CNG_DIGEST *Digest, const UCHAR *Salt, ULONG SaltLength, ULONGLONG Iterations, ULONG Number,
                           PUCHAR Block)
{
    UCHAR Round[CNG_LARGEST_HASH],
        Big[4] = {(UCHAR)(Number >> 24), (UCHAR)(Number >> 16), (UCHAR)(Number >> 8), (UCHAR)Number};
    ULONG Length = (ULONG)Digest->Hash->hashsize;

    CngRestartDigest(Digest);
    CngAddToDigest(Digest, Salt, SaltLength);
    CngAddToDigest(Digest, Big, sizeof(Big));
    CngEndDigest(Digest, Round);
    RtlCopyMemory(Block, Round, Length);
    for (ULONGLONG Count = 1; Count < Iterations; Count++) {
        CngRestartDigest(Digest);
        CngAddToDigest(Digest, Round, Length);
        CngEndDigest(Digest, Round);
        for (ULONG Index = 0; Index < Length; Index++)
            Block[Index] ^= Round[Index];
    }
}

/* STATUS_INVALID_PARAMETER: the provider takes no key, or nothing is to be iterated. */
NTSTATUS WINAPI BCryptDeriveKeyPBKDF2(BCRYPT_ALG_HANDLE Handle, PUCHAR Password, ULONG PasswordLength, PUCHAR Salt,
                                      ULONG SaltLength, ULONGLONG Iterations, PUCHAR Key, ULONG KeyLength, ULONG Flags)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);
    UCHAR Block[CNG_LARGEST_HASH];
    CNG_DIGEST Digest;

    if (Provider == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    if (Provider->Algorithm->Hash == NULL || !(Provider->Flags & BCRYPT_ALG_HANDLE_HMAC_FLAG) || Flags != 0 ||
        Iterations == 0 || Key == NULL || KeyLength == 0 || (Password == NULL && PasswordLength != 0) ||
        (Salt == NULL && SaltLength != 0))
        return STATUS_INVALID_PARAMETER;
    CngBeginDigest(&Digest, Provider->Algorithm->Hash, TRUE, Password, PasswordLength);
    for (ULONG Number = 1; KeyLength != 0; Number++) {
        ULONG Part = min(KeyLength, (ULONG)Digest.Hash->hashsize);

        CngDeriveBlock(&Digest, Salt, SaltLength, Iterations, Number, Block);
        RtlCopyMemory(Key, Block, Part);
        Key += Part;
        KeyLength -= Part;
    }
    RtlSecureZeroMemory(&Digest, sizeof(Digest));
    return STATUS_SUCCESS;
}
