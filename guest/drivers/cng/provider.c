// SPDX-License-Identifier: GPL-2.0-or-later
/* Algorithms and their providers; where the image begins. */
#include "cng.h"

/* What PKCS #1 puts before a hash: RFC 8017, section 9.2, note 1. */
static const UCHAR CngMd5Prefix[] = {0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                     0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10};
static const UCHAR CngSha1Prefix[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                      0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
static const UCHAR CngSha256Prefix[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                        0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
static const UCHAR CngSha384Prefix[] = {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                        0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30};
static const UCHAR CngSha512Prefix[] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                        0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40};

#define CNG_HASH_OF(name, descriptor, pseudo, keyed, prefix)                                                           \
    {name, BCRYPT_HASH_INTERFACE, &descriptor, 0, pseudo, keyed, prefix, sizeof(prefix)}

static const CNG_ALGORITHM CngAlgorithms[] = {
    CNG_HASH_OF(BCRYPT_MD5_ALGORITHM, md5_desc, 0x21, 0x91, CngMd5Prefix),
    CNG_HASH_OF(BCRYPT_SHA1_ALGORITHM, sha1_desc, 0x31, 0xa1, CngSha1Prefix),
    CNG_HASH_OF(BCRYPT_SHA256_ALGORITHM, sha256_desc, 0x41, 0xb1, CngSha256Prefix),
    CNG_HASH_OF(BCRYPT_SHA384_ALGORITHM, sha384_desc, 0x51, 0xc1, CngSha384Prefix),
    CNG_HASH_OF(BCRYPT_SHA512_ALGORITHM, sha512_desc, 0x61, 0xd1, CngSha512Prefix),
    {BCRYPT_AES_ALGORITHM, BCRYPT_CIPHER_INTERFACE},
    {BCRYPT_RNG_ALGORITHM, BCRYPT_RNG_INTERFACE, .Pseudo = 0x81},
    {BCRYPT_RSA_ALGORITHM, BCRYPT_SIGNATURE_INTERFACE, .Pseudo = 0xe1},
    {BCRYPT_RSA_SIGN_ALGORITHM, BCRYPT_SIGNATURE_INTERFACE},
    {BCRYPT_ECDSA_P256_ALGORITHM, BCRYPT_SIGNATURE_INTERFACE, .Curve = 32, .Pseudo = 0xf1},
    {BCRYPT_ECDSA_P384_ALGORITHM, BCRYPT_SIGNATURE_INTERFACE, .Curve = 48, .Pseudo = 0x101},
};

/* The providers that pseudo handles mean, plain and with a key; never closed. */
static CNG_PROVIDER CngPseudo[RTL_NUMBER_OF(CngAlgorithms)][2];

#define CNG_LAST_PSEUDO 0x1000

const CNG_ALGORITHM *CngFindAlgorithm(PCWSTR Name)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(CngAlgorithms); Index++) {
        if (wcscmp(CngAlgorithms[Index].Name, Name) == 0)
            return &CngAlgorithms[Index];
    }
    return NULL;
}

static CNG_PROVIDER *CngFindPseudo(ULONG_PTR Value)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(CngAlgorithms); Index++) {
        if (Value != 0 && Value == CngAlgorithms[Index].Pseudo)
            return &CngPseudo[Index][0];
        if (Value != 0 && Value == CngAlgorithms[Index].PseudoKeyed)
            return &CngPseudo[Index][1];
    }
    return NULL;
}

CNG_PROVIDER *CngProviderOf(BCRYPT_HANDLE Handle)
{
    if ((ULONG_PTR)Handle < CNG_LAST_PSEUDO)
        return CngFindPseudo((ULONG_PTR)Handle);
    return CngIsObject(Handle, CNG_PROVIDER_MAGIC) ? Handle : NULL;
}

VOID CngReferenceProvider(CNG_PROVIDER *Provider)
{
    InterlockedIncrement(&Provider->References);
}

VOID CngReleaseProvider(CNG_PROVIDER *Provider)
{
    if (InterlockedDecrement(&Provider->References) == 0)
        CngDropObject(&Provider->Object);
}

NTSTATUS CngStatusOf(int Error)
{
    return Error == CRYPT_OK ? STATUS_SUCCESS : Error == CRYPT_MEM ? STATUS_NO_MEMORY : STATUS_INVALID_PARAMETER;
}

/* IRQL: PASSIVE_LEVEL.  STATUS_NOT_FOUND: no such algorithm, or no such provider.  Source: the page
 * BCryptOpenAlgorithmProvider. */
NTSTATUS WINAPI BCryptOpenAlgorithmProvider(BCRYPT_ALG_HANDLE *Handle, LPCWSTR Name, LPCWSTR Implementation,
                                            ULONG Flags)
{
    const CNG_ALGORITHM *Algorithm;
    CNG_PROVIDER *Provider;
    NTSTATUS Status;
    KIRQL Irql = KeGetCurrentIrql();

    if (Irql != PASSIVE_LEVEL)
        CngReport("rule=bcrypt-irql\nreason=BCryptOpenAlgorithmProvider is called above PASSIVE_LEVEL\n",
                  DRIVER_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Handle, Irql, 1, (ULONG_PTR)CNG_CALLER(), CNG_CALLER());
    if (Handle == NULL || Name == NULL ||
        (Flags & ~(BCRYPT_PROV_DISPATCH | BCRYPT_ALG_HANDLE_HMAC_FLAG | BCRYPT_HASH_REUSABLE_FLAG)) != 0)
        return STATUS_INVALID_PARAMETER;
    *Handle = NULL;
    Algorithm = CngFindAlgorithm(Name);
    if (Algorithm == NULL || (Implementation != NULL && wcscmp(Implementation, MS_PRIMITIVE_PROVIDER) != 0))
        return STATUS_NOT_FOUND;
    if (Algorithm->Hash == NULL && (Flags & (BCRYPT_ALG_HANDLE_HMAC_FLAG | BCRYPT_HASH_REUSABLE_FLAG)) != 0)
        return STATUS_INVALID_PARAMETER;
    Status = CngMakeObject(CNG_PROVIDER_MAGIC, sizeof(*Provider), NULL, 0, CNG_CALLER(), (PVOID *)&Provider);
    if (!NT_SUCCESS(Status))
        return Status;
    Provider->Algorithm = Algorithm;
    Provider->Flags = Flags;
    Provider->References = 1;
    Provider->Chaining.MessageBlock = 1;
    *Handle = Provider;
    return STATUS_SUCCESS;
}

/* IRQL: PASSIVE_LEVEL.  Objects of the provider live on, except of one for DISPATCH_LEVEL, which "must not be closed
 * before all dependent objects have been freed".  Source: the pages BCryptCloseAlgorithmProvider and
 * BCryptOpenAlgorithmProvider. */
NTSTATUS WINAPI BCryptCloseAlgorithmProvider(BCRYPT_ALG_HANDLE Handle, ULONG Flags)
{
    CNG_PROVIDER *Provider = CngProviderOf(Handle);
    KIRQL Irql = KeGetCurrentIrql();

    if (Irql != PASSIVE_LEVEL)
        CngReport("rule=bcrypt-irql\nreason=BCryptCloseAlgorithmProvider is called above PASSIVE_LEVEL\n",
                  DRIVER_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Handle, Irql, 0, (ULONG_PTR)CNG_CALLER(), CNG_CALLER());
    if (Provider == NULL)
        return STATUS_INVALID_HANDLE;
    if (Flags != 0 || (ULONG_PTR)Handle < CNG_LAST_PSEUDO)
        return STATUS_INVALID_PARAMETER;
    if ((Provider->Flags & BCRYPT_PROV_DISPATCH) != 0 && Provider->References > 1 && FvVerifierEnabled())
        CngReport(
            "rule=bcrypt-closed-early\nreason=a provider for DISPATCH_LEVEL is closed while a hash or a key of it is "
            "there\n",
            DRIVER_VERIFIER_DETECTED_VIOLATION, FV_BAD_ARGUMENT, (ULONG_PTR)Handle, (ULONG)Provider->References - 1, 0,
            CNG_CALLER());
    CngReleaseProvider(Provider);
    return STATUS_SUCCESS;
}

static VOID CngInitializePseudo(VOID)
{
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(CngAlgorithms); Index++) {
        for (ULONG Keyed = 0; Keyed < 2; Keyed++) {
            CNG_PROVIDER *Provider = &CngPseudo[Index][Keyed];

            Provider->Object.Magic = CNG_PROVIDER_MAGIC;
            Provider->Algorithm = &CngAlgorithms[Index];
            Provider->Flags = Keyed ? BCRYPT_ALG_HANDLE_HMAC_FLAG : 0;
            Provider->References = 1;
            Provider->Chaining.MessageBlock = 1;
        }
    }
}

/* The libraries' tables, once: no DllUnload, the image stays as on Windows. */
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath);
NTSTATUS NTAPI DllInitialize(PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    ltc_mp = ltm_desc;
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(CngAlgorithms); Index++) {
        if (CngAlgorithms[Index].Hash != NULL && register_hash(CngAlgorithms[Index].Hash) < 0)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    CngInitializeObjects();
    CngInitializePseudo();
    CngInitializeRandom();
    return STATUS_SUCCESS;
}
