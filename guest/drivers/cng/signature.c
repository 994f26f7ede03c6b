// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Public keys, and whether a signature holds: RSA with PKCS #1 and PSS (RFC 8017), ECDSA.
 *
 * IRQL: PASSIVE_LEVEL; DISPATCH_LEVEL with a provider that was opened with BCRYPT_PROV_DISPATCH.  Sources: the pages
 * BCryptImportKeyPair, BCRYPT_RSAKEY_BLOB, BCRYPT_ECCKEY_BLOB, BCryptVerifySignature.
 */
#include "cng.h"

/* Both numbers of a public key, one behind the other, into a key object. */
static NTSTATUS CngMakePublicKey(CNG_PROVIDER *Provider, const UCHAR *First, ULONG FirstLength, const UCHAR *Second,
                                 ULONG SecondLength, PVOID Caller, BCRYPT_KEY_HANDLE *Handle)
{
    ULONG Size = max((ULONG)sizeof(CNG_KEY), FIELD_OFFSET(CNG_KEY, Number) + FirstLength + SecondLength);
    CNG_KEY *Key;
    NTSTATUS Status = CngMakeObject(CNG_KEY_MAGIC, Size, NULL, 0, Caller, (PVOID *)&Key);

    if (!NT_SUCCESS(Status))
        return Status;
    Key->Provider = Provider;
    Key->FirstLength = FirstLength;
    Key->SecondLength = SecondLength;
    RtlCopyMemory(Key->Number, First, FirstLength);
    RtlCopyMemory(Key->Number + FirstLength, Second, SecondLength);
    CngReferenceProvider(Provider);
    *Handle = Key;
    return STATUS_SUCCESS;
}

/* The exponent, then the modulus, big-endian. */
static NTSTATUS CngImportRsa(CNG_PROVIDER *Provider, const UCHAR *Blob, ULONG Length, PVOID Caller,
                             BCRYPT_KEY_HANDLE *Handle)
{
    BCRYPT_RSAKEY_BLOB Header;
    const UCHAR *Exponent = Blob + sizeof(Header), *Modulus;

    if (Length < sizeof(Header))
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(&Header, Blob, sizeof(Header));
    if (Header.Magic != BCRYPT_RSAPUBLIC_MAGIC || Header.cbPublicExp == 0 || Header.cbPublicExp > CNG_LARGEST_RSA ||
        Header.cbModulus < 64 || Header.cbModulus > CNG_LARGEST_RSA ||
        Length != sizeof(Header) + Header.cbPublicExp + Header.cbModulus ||
        (Header.BitLength + 7) / 8 != Header.cbModulus)
        return STATUS_INVALID_PARAMETER;
    Modulus = Exponent + Header.cbPublicExp;
    if (Modulus[0] == 0 || (Modulus[Header.cbModulus - 1] & 1) == 0)
        return STATUS_INVALID_PARAMETER;
    return CngMakePublicKey(Provider, Modulus, Header.cbModulus, Exponent, Header.cbPublicExp, Caller, Handle);
}

static NTSTATUS CngImportPoint(CNG_PROVIDER *Provider, const UCHAR *Blob, ULONG Length, BOOLEAN Check, PVOID Caller,
                               BCRYPT_KEY_HANDLE *Handle)
{
    ULONG Size = Provider->Algorithm->Curve;
    const UCHAR *X = Blob + sizeof(BCRYPT_ECCKEY_BLOB);
    BCRYPT_ECCKEY_BLOB Header;
    NTSTATUS Status;

    if (Length != sizeof(Header) + 2 * Size)
        return STATUS_INVALID_PARAMETER;
    RtlCopyMemory(&Header, Blob, sizeof(Header));
    if (Header.dwMagic != (Size == 32 ? BCRYPT_ECDSA_PUBLIC_P256_MAGIC : BCRYPT_ECDSA_PUBLIC_P384_MAGIC) ||
        Header.cbKey != Size)
        return STATUS_INVALID_PARAMETER;
    if (Check) {
        Status = CngCheckPoint(Provider->Algorithm, X, X + Size);
        if (!NT_SUCCESS(Status))
            return Status;
    }
    return CngMakePublicKey(Provider, X, Size, X + Size, Size, Caller, Handle);
}

/* Public keys.  STATUS_NOT_SUPPORTED: another kind of blob, private ones too; a key that it is wrapped with. */
NTSTATUS WINAPI BCryptImportKeyPair(BCRYPT_ALG_HANDLE Handle, BCRYPT_KEY_HANDLE ImportKey, LPCWSTR Type,
                                    BCRYPT_KEY_HANDLE *KeyHandle, PUCHAR Input, ULONG Length, ULONG Flags)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);
    BOOLEAN Curve;

    if (Provider == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Provider, Handle, CNG_CALLER());
    if (Type == NULL || KeyHandle == NULL || Input == NULL || (Flags & ~BCRYPT_NO_KEY_VALIDATION) != 0)
        return STATUS_INVALID_PARAMETER;
    Curve = Provider->Algorithm->Curve != 0;
    if (Provider->Algorithm->Interface != BCRYPT_SIGNATURE_INTERFACE || ImportKey != NULL ||
        (wcscmp(Type, BCRYPT_PUBLIC_KEY_BLOB) != 0 &&
         wcscmp(Type, Curve ? BCRYPT_ECCPUBLIC_BLOB : BCRYPT_RSAPUBLIC_BLOB) != 0))
        return STATUS_NOT_SUPPORTED;
    return Curve ? CngImportPoint(Provider, Input, Length, (Flags & BCRYPT_NO_KEY_VALIDATION) == 0, CNG_CALLER(),
                                  KeyHandle)
                 : CngImportRsa(Provider, Input, Length, CNG_CALLER(), KeyHandle);
}

/* The signature to the power of the exponent, as many bytes as the modulus has. */
static NTSTATUS CngOpenRsa(const CNG_KEY *Key, const UCHAR *Signature, PUCHAR Opened)
{
    VOID *Modulus, *Exponent, *Value;
    ULONG Length;
    int Error = ltc_init_multi(&Modulus, &Exponent, &Value, NULL);

    if (Error != CRYPT_OK)
        return CngStatusOf(Error);
    if ((Error = mp_read_unsigned_bin(Modulus, (UCHAR *)Key->Number, Key->FirstLength)) == CRYPT_OK &&
        (Error = mp_read_unsigned_bin(Exponent, (UCHAR *)Key->Number + Key->FirstLength, Key->SecondLength)) ==
            CRYPT_OK &&
        (Error = mp_read_unsigned_bin(Value, (UCHAR *)Signature, Key->FirstLength)) == CRYPT_OK) {
        if (mp_cmp(Value, Modulus) != LTC_MP_LT)
            Error = CRYPT_PK_INVALID_SIZE;
        else
            Error = mp_exptmod(Value, Exponent, Modulus, Value);
    }
    if (Error == CRYPT_OK) {
        Length = (ULONG)mp_unsigned_bin_size(Value);
        RtlZeroMemory(Opened, Key->FirstLength - Length);
        Error = mp_to_unsigned_bin(Value, Opened + Key->FirstLength - Length);
    }
    ltc_deinit_multi(Modulus, Exponent, Value, NULL);
    return Error == CRYPT_OK ? STATUS_SUCCESS : Error == CRYPT_MEM ? STATUS_NO_MEMORY : STATUS_INVALID_SIGNATURE;
}

/* 00 01 FF … FF 00, the algorithm's prefix, the hash: to the last byte (RFC 8017, section 8.2.2). */
static BOOLEAN CngIsPkcs1(const UCHAR *Opened, ULONG Length, const CNG_ALGORITHM *Algorithm, const UCHAR *Hash,
                          ULONG HashLength)
{
    ULONG Prefix = Algorithm != NULL ? Algorithm->PrefixLength : 0, Start;

    if (Length < 11 + Prefix + HashLength)
        return FALSE;
    Start = Length - Prefix - HashLength;
    if (Opened[0] != 0 || Opened[1] != 1 || Opened[Start - 1] != 0)
        return FALSE;
    for (ULONG Index = 2; Index < Start - 1; Index++) {
        if (Opened[Index] != 0xff)
            return FALSE;
    }
    return (Prefix == 0 || RtlEqualMemory(Opened + Start, Algorithm->Prefix, Prefix)) &&
           RtlEqualMemory(Opened + Start + Prefix, Hash, HashLength);
}

static NTSTATUS CngCheckPss(const UCHAR *Opened, const CNG_KEY *Key, const CNG_ALGORITHM *Algorithm, ULONG Salt,
                            const UCHAR *Hash, ULONG HashLength)
{
    ULONG Bits = Key->FirstLength * 8, Skip = 0;
    int Holds = 0, Error;

    for (UCHAR Top = Key->Number[0]; (Top & 0x80) == 0; Top <<= 1)
        Bits--;
    if ((Bits - 1) % 8 == 0) {
        Skip = 1; /* one byte less than the modulus */
        if (Opened[0] != 0)
            return STATUS_INVALID_SIGNATURE;
    }
    Error = pkcs_1_pss_decode(Hash, HashLength, Opened + Skip, Key->FirstLength - Skip, Salt,
                              register_hash(Algorithm->Hash), Bits, &Holds);
    if (Error == CRYPT_MEM)
        return STATUS_NO_MEMORY;
    return Error == CRYPT_OK && Holds ? STATUS_SUCCESS : STATUS_INVALID_SIGNATURE;
}

static NTSTATUS CngVerifyRsa(const CNG_KEY *Key, const VOID *Padding, const UCHAR *Hash, ULONG HashLength,
                             const UCHAR *Signature, ULONG Length, ULONG Flags)
{
    const BCRYPT_PSS_PADDING_INFO *Pss = Flags == BCRYPT_PAD_PSS ? Padding : NULL;
    const BCRYPT_PKCS1_PADDING_INFO *Pkcs1 = Flags == BCRYPT_PAD_PKCS1 ? Padding : NULL;
    PCWSTR Name = Pss != NULL ? Pss->pszAlgId : Pkcs1 != NULL ? Pkcs1->pszAlgId : NULL;
    const CNG_ALGORITHM *Algorithm = Name != NULL ? CngFindAlgorithm(Name) : NULL;
    PUCHAR Opened;
    NTSTATUS Status;

    if ((Pss == NULL && Pkcs1 == NULL) || (Pss != NULL && Name == NULL))
        return STATUS_INVALID_PARAMETER;
    if (Name != NULL && (Algorithm == NULL || Algorithm->Hash == NULL))
        return STATUS_NOT_SUPPORTED;
    if (Algorithm != NULL && HashLength != Algorithm->Hash->hashsize)
        return STATUS_INVALID_PARAMETER;
    if (Length != Key->FirstLength)
        return STATUS_INVALID_SIGNATURE;
    Opened = ExAllocatePoolWithTag(NonPagedPoolNx, Key->FirstLength, CNG_TAG);
    if (Opened == NULL)
        return STATUS_NO_MEMORY;
    Status = CngOpenRsa(Key, Signature, Opened);
    if (NT_SUCCESS(Status) && Pss != NULL)
        Status = CngCheckPss(Opened, Key, Algorithm, Pss->cbSalt, Hash, HashLength);
    else if (NT_SUCCESS(Status) && !CngIsPkcs1(Opened, Key->FirstLength, Algorithm, Hash, HashLength))
        Status = STATUS_INVALID_SIGNATURE;
    ExFreePoolWithTag(Opened, CNG_TAG);
    return Status;
}

/* STATUS_INVALID_SIGNATURE: it does not hold.  STATUS_NOT_SUPPORTED: the key is no key for signatures. */
NTSTATUS WINAPI BCryptVerifySignature(BCRYPT_KEY_HANDLE Handle, VOID *Padding, PUCHAR Hash, ULONG HashLength,
                                      PUCHAR Signature, ULONG Length, ULONG Flags)
{
    CNG_KEY *Key = CngIsObject(Handle, CNG_KEY_MAGIC) ? Handle : NULL;

    if (Key == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Key->Provider, Handle, CNG_CALLER());
    if (Key->Provider->Algorithm->Interface != BCRYPT_SIGNATURE_INTERFACE)
        return STATUS_NOT_SUPPORTED;
    if (Hash == NULL || HashLength == 0 || Signature == NULL)
        return STATUS_INVALID_PARAMETER;
    if (Key->Provider->Algorithm->Curve == 0)
        return CngVerifyRsa(Key, Padding, Hash, HashLength, Signature, Length, Flags);
    if (Padding != NULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    return CngVerifyEcdsa(Key, Hash, HashLength, Signature, Length);
}
