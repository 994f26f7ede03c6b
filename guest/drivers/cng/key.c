// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys: AES's, made, imported, exported and copied; any key's end.
 *
 * IRQL: PASSIVE_LEVEL; DISPATCH_LEVEL with a provider that was opened with BCRYPT_PROV_DISPATCH.  Sources: the pages of the
 * routines, and BCRYPT_KEY_DATA_BLOB_HEADER.
 */
#include "cng.h"

static CNG_KEY *CngKeyOf(BCRYPT_KEY_HANDLE Handle)
{
    return CngIsObject(Handle, CNG_KEY_MAGIC) ? Handle : NULL;
}

/* The secret has one of AES's three lengths. */
static NTSTATUS CngMakeAesKey(CNG_PROVIDER *Provider, BCRYPT_KEY_HANDLE *Handle, PUCHAR Buffer, ULONG Room,
                              const UCHAR *Secret, ULONG Length, PVOID Caller)
{
    CNG_KEY *Key;
    NTSTATUS Status = CngMakeObject(CNG_KEY_MAGIC, sizeof(*Key), Buffer, Room, Caller, (PVOID *)&Key);

    if (!NT_SUCCESS(Status))
        return Status;
    Key->Provider = Provider;
    Key->Chaining = Provider->Chaining;
    Key->Length = Length;
    RtlCopyMemory(Key->Secret, Secret, Length);
    rijndael_setup(Secret, (int)Length, 0, &Key->Schedule);
    CngReferenceProvider(Provider);
    *Handle = Key;
    return STATUS_SUCCESS;
}

static BOOLEAN CngIsAesLength(ULONG Length)
{
    return Length == 16 || Length == 24 || Length == 32;
}

/* What of the secret is more than the longest key is ignored. */
NTSTATUS WINAPI BCryptGenerateSymmetricKey(BCRYPT_ALG_HANDLE Handle, BCRYPT_KEY_HANDLE *KeyHandle, PUCHAR Buffer,
                                           ULONG Room, PUCHAR Secret, ULONG Length, ULONG Flags)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);

    if (Provider == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    if (Provider->Algorithm->Interface != BCRYPT_CIPHER_INTERFACE)
        return STATUS_NOT_SUPPORTED;
    if (KeyHandle == NULL || Secret == NULL || Flags != 0 || !CngIsAesLength(min(Length, 32)))
        return STATUS_INVALID_PARAMETER;
    return CngMakeAesKey(Provider, KeyHandle, Buffer, Room, Secret, min(Length, 32), CNG_CALLER());
}

/* A blob of BCRYPT_KEY_DATA_BLOB.  STATUS_NOT_SUPPORTED: another kind of blob, or a key that it is wrapped with. */
NTSTATUS WINAPI BCryptImportKey(BCRYPT_ALG_HANDLE Handle, BCRYPT_KEY_HANDLE ImportKey, LPCWSTR Type,
                                BCRYPT_KEY_HANDLE *KeyHandle, PUCHAR Buffer, ULONG Room, PUCHAR Input, ULONG Length,
                                ULONG Flags)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);
    BCRYPT_KEY_DATA_BLOB_HEADER Header;

    if (Provider == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    if (Type == NULL || KeyHandle == NULL || Input == NULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (Provider->Algorithm->Interface != BCRYPT_CIPHER_INTERFACE || ImportKey != NULL ||
        wcscmp(Type, BCRYPT_KEY_DATA_BLOB) != 0)
        return STATUS_NOT_SUPPORTED;
    if (Length < sizeof(Header))
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(&Header, Input, sizeof(Header));
    if (Header.dwMagic != BCRYPT_KEY_DATA_BLOB_MAGIC || Header.dwVersion != BCRYPT_KEY_DATA_BLOB_VERSION1 ||
        Header.cbKeyData != Length - sizeof(Header) || !CngIsAesLength(Header.cbKeyData))
        return STATUS_INVALID_PARAMETER;
    return CngMakeAesKey(Provider, KeyHandle, Buffer, Room, Input + sizeof(Header), Header.cbKeyData, CNG_CALLER());
}

/* The reverse: a symmetric key as a blob of BCRYPT_KEY_DATA_BLOB. */
NTSTATUS WINAPI BCryptExportKey(BCRYPT_KEY_HANDLE Handle, BCRYPT_KEY_HANDLE ExportKey, LPCWSTR Type, PUCHAR Output,
                                ULONG Room, ULONG *Result, ULONG Flags)
{
    CNG_KEY *Key = CngKeyOf(Handle);
    BCRYPT_KEY_DATA_BLOB_HEADER Header = {BCRYPT_KEY_DATA_BLOB_MAGIC, BCRYPT_KEY_DATA_BLOB_VERSION1, 0};

    if (Key == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Key->Provider, Handle, CNG_CALLER());
    if (Type == NULL || Result == NULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (Key->Provider->Algorithm->Interface != BCRYPT_CIPHER_INTERFACE || ExportKey != NULL ||
        wcscmp(Type, BCRYPT_KEY_DATA_BLOB) != 0)
        return STATUS_NOT_SUPPORTED;
    Header.cbKeyData = Key->Length;
    *Result = sizeof(Header) + Key->Length;
    if (Output == NULL)
        return STATUS_SUCCESS;
    if (Room < *Result)
        return STATUS_BUFFER_TOO_SMALL;
    RtlCopyMemory(Output, &Header, sizeof(Header));
    RtlCopyMemory(Output + sizeof(Header), Key->Secret, Key->Length);
    return STATUS_SUCCESS;
}

/* Of symmetric keys. */
NTSTATUS WINAPI BCryptDuplicateKey(BCRYPT_KEY_HANDLE Handle, BCRYPT_KEY_HANDLE *NewHandle, PUCHAR Buffer, ULONG Room,
                                   ULONG Flags)
{
    CNG_KEY *Key = CngKeyOf(Handle), *New;
    NTSTATUS Status;

    if (Key == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Key->Provider, Handle, CNG_CALLER());
    if (NewHandle == NULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (Key->Provider->Algorithm->Interface != BCRYPT_CIPHER_INTERFACE)
        return STATUS_NOT_SUPPORTED;
    Status = CngMakeAesKey(Key->Provider, NewHandle, Buffer, Room, Key->Secret, Key->Length, CNG_CALLER());
    if (!NT_SUCCESS(Status))
        return Status;
    New = *NewHandle;
    New->Chaining = Key->Chaining;
    RtlCopyMemory(New->Vector, Key->Vector, sizeof(New->Vector));
    return STATUS_SUCCESS;
}

NTSTATUS WINAPI BCryptDestroyKey(BCRYPT_KEY_HANDLE Handle)
{
    CNG_KEY *Key = CngKeyOf(Handle);
    CNG_PROVIDER *Provider;

    if (Key == NULL)
        return STATUS_INVALID_HANDLE;
    Provider = Key->Provider;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    if (Provider->Algorithm->Interface == BCRYPT_CIPHER_INTERFACE) {
        RtlSecureZeroMemory(&Key->Schedule, sizeof(Key->Schedule));
        RtlSecureZeroMemory(Key->Secret, sizeof(Key->Secret));
    }
    CngDropObject(&Key->Object);
    CngReleaseProvider(Provider);
    return STATUS_SUCCESS;
}
