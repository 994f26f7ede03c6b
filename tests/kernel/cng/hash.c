// SPDX-License-Identifier: GPL-2.0-or-later
/* Hashes (FIPS 180-4, RFC 1321), HMAC (RFC 2104, 2202, 4231) and PBKDF2 (RFC 6070, RFC 7914) of cng.sys. */
#include "vector.h"

static UCHAR Output[128];

/* What the hashes of "abc" are, and HMACs of RFC 4231's second case. */
static const struct {
    PCWSTR Name;
    ULONG Length, Block, Pseudo, PseudoKeyed;
    PCSTR Abc, Keyed;
} Hashes[] = {
    {BCRYPT_MD5_ALGORITHM, 16, 64, 0x21, 0x91, "900150983cd24fb0d6963f7d28e17f72", "750c783e6ab0b503eaa86e310a5db738"},
    {BCRYPT_SHA1_ALGORITHM, 20, 64, 0x31, 0xa1, "a9993e364706816aba3e25717850c26c9cd0d89d",
     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {BCRYPT_SHA256_ALGORITHM, 32, 64, 0x41, 0xb1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {BCRYPT_SHA384_ALGORITHM, 48, 128, 0x51, 0xc1,
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"},
    {BCRYPT_SHA512_ALGORITHM, 64, 128, 0x61, 0xd1,
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
};

#define MESSAGE (PUCHAR) "what do ya want for nothing?"

static VOID CheckHash(ULONG Index)
{
    BCRYPT_ALG_HANDLE Plain = OpenAlgorithm(Hashes[Index].Name, 0);
    BCRYPT_ALG_HANDLE Keyed = OpenAlgorithm(Hashes[Index].Name, BCRYPT_ALG_HANDLE_HMAC_FLAG);
    ULONG Length = Hashes[Index].Length;
    BCRYPT_HASH_HANDLE Hash, Copy;

    FvCheck(NumberOf(Plain, BCRYPT_HASH_LENGTH) == Length &&
            NumberOf(Plain, BCRYPT_HASH_BLOCK_LENGTH) == Hashes[Index].Block &&
            NumberOf(Plain, BCRYPT_IS_KEYED_HASH) == 0 && NumberOf(Keyed, BCRYPT_IS_KEYED_HASH) == 1);
    FvCheck(BCryptHash(Plain, NULL, 0, (PUCHAR) "abc", 3, Output, Length) == STATUS_SUCCESS &&
            IsHex(Output, Hashes[Index].Abc));
    FvCheck(BCryptHash(Keyed, (PUCHAR) "Jefe", 4, MESSAGE, 28, Output, Length) == STATUS_SUCCESS &&
            IsHex(Output, Hashes[Index].Keyed));
    FvCheck(BCryptHash((PVOID)(ULONG_PTR)Hashes[Index].Pseudo, NULL, 0, (PUCHAR) "abc", 3, Output, Length) ==
                STATUS_SUCCESS &&
            IsHex(Output, Hashes[Index].Abc));
    FvCheck(BCryptHash((PVOID)(ULONG_PTR)Hashes[Index].PseudoKeyed, (PUCHAR) "Jefe", 4, MESSAGE, 28, Output, Length) ==
                STATUS_SUCCESS &&
            IsHex(Output, Hashes[Index].Keyed));
    /* In pieces, and one that goes on where the other is left. */
    FvCheck(BCryptCreateHash(Plain, &Hash, NULL, 0, NULL, 0, 0) == STATUS_SUCCESS);
    FvCheck(BCryptHashData(Hash, (PUCHAR) "a", 1, 0) == STATUS_SUCCESS);
    FvCheck(BCryptDuplicateHash(Hash, &Copy, NULL, 0, 0) == STATUS_SUCCESS);
    FvCheck(BCryptHashData(Hash, (PUCHAR) "xyz", 3, 0) == STATUS_SUCCESS &&
            BCryptHashData(Copy, (PUCHAR) "bc", 2, 0) == STATUS_SUCCESS);
    FvCheck(BCryptFinishHash(Copy, Output, Length, 0) == STATUS_SUCCESS && IsHex(Output, Hashes[Index].Abc));
    FvCheck(BCryptDestroyHash(Hash) == STATUS_SUCCESS && BCryptDestroyHash(Copy) == STATUS_SUCCESS);
    FvCheck(BCryptCloseAlgorithmProvider(Plain, 0) == STATUS_SUCCESS &&
            BCryptCloseAlgorithmProvider(Keyed, 0) == STATUS_SUCCESS);
}

/* A key longer than a block is hashed first; a million letters. */
static VOID CheckLong(VOID)
{
    static UCHAR Key[131];
    BCRYPT_ALG_HANDLE Keyed = OpenAlgorithm(BCRYPT_SHA512_ALGORITHM, BCRYPT_ALG_HANDLE_HMAC_FLAG);
    BCRYPT_ALG_HANDLE Plain = OpenAlgorithm(BCRYPT_SHA256_ALGORITHM, 0);
    BCRYPT_HASH_HANDLE Hash;

    memset(Key, 0xaa, sizeof(Key));
    FvCheck(BCryptHash(Keyed, Key, sizeof(Key), (PUCHAR) "Test Using Larger Than Block-Size Key - Hash Key First", 54,
                       Output, 64) == STATUS_SUCCESS &&
            IsHex(Output, "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                          "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"));
    memset(Key, 'a', 100);
    BCryptCreateHash(Plain, &Hash, NULL, 0, NULL, 0, 0);
    for (ULONG Count = 0; Count < 10000; Count++)
        BCryptHashData(Hash, Key, 100, 0);
    FvCheck(BCryptFinishHash(Hash, Output, 32, 0) == STATUS_SUCCESS &&
            IsHex(Output, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    BCryptDestroyHash(Hash);
    BCryptCloseAlgorithmProvider(Keyed, 0);
    BCryptCloseAlgorithmProvider(Plain, 0);
}

static VOID CheckPasswords(VOID)
{
    BCRYPT_ALG_HANDLE Sha1 = OpenAlgorithm(BCRYPT_SHA1_ALGORITHM, BCRYPT_ALG_HANDLE_HMAC_FLAG);
    BCRYPT_ALG_HANDLE Sha256 = OpenAlgorithm(BCRYPT_SHA256_ALGORITHM, BCRYPT_ALG_HANDLE_HMAC_FLAG);
    BCRYPT_ALG_HANDLE Plain = OpenAlgorithm(BCRYPT_SHA1_ALGORITHM, 0);
    PUCHAR Password = (PUCHAR) "password", Salt = (PUCHAR) "salt";

    FvCheck(BCryptDeriveKeyPBKDF2(Sha1, Password, 8, Salt, 4, 1, Output, 20, 0) == STATUS_SUCCESS &&
            IsHex(Output, "0c60c80f961f0e71f3a9b524af6012062fe037a6"));
    FvCheck(BCryptDeriveKeyPBKDF2(Sha1, (PUCHAR) "passwordPASSWORDpassword", 24,
                                  (PUCHAR) "saltSALTsaltSALTsaltSALTsaltSALTsalt", 36, 4096, Output, 25,
                                  0) == STATUS_SUCCESS &&
            IsHex(Output, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"));
    FvCheck(BCryptDeriveKeyPBKDF2(Sha256, (PUCHAR) "passwd", 6, Salt, 4, 1, Output, 64, 0) == STATUS_SUCCESS &&
            IsHex(Output, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                          "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"));
    FvCheck(BCryptDeriveKeyPBKDF2(Plain, Password, 8, Salt, 4, 1, Output, 20, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptDeriveKeyPBKDF2(Sha1, Password, 8, Salt, 4, 0, Output, 20, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptDeriveKeyPBKDF2(Sha1, Password, 8, Salt, 4, 1, Output, 20, 1) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptDeriveKeyPBKDF2(NULL, Password, 8, Salt, 4, 1, Output, 20, 0) == STATUS_INVALID_HANDLE);
    BCryptCloseAlgorithmProvider(Sha1, 0);
    BCryptCloseAlgorithmProvider(Sha256, 0);
    BCryptCloseAlgorithmProvider(Plain, 0);
}

/* The memory is the caller's; a hash that is finished, and one that may be used again. */
static VOID CheckObjects(VOID)
{
    static UCHAR Object[2048];
    BCRYPT_ALG_HANDLE Sha256 = OpenAlgorithm(BCRYPT_SHA256_ALGORITHM, 0);
    ULONG Length = NumberOf(Sha256, BCRYPT_OBJECT_LENGTH);
    BCRYPT_HASH_HANDLE Hash;
    BCRYPT_ALG_HANDLE Provider;
    ULONG Written;

    FvCheck(Length < sizeof(Object) - 1);
    FvCheck(BCryptCreateHash(Sha256, &Hash, Object + 1, Length - 1, NULL, 0, 0) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(BCryptCreateHash(Sha256, &Hash, Object, 0, NULL, 0, 0) == STATUS_INVALID_PARAMETER);
    memset(Object, 'x', sizeof(Object));
    FvCheck(BCryptCreateHash(Sha256, &Hash, Object + 1, Length, NULL, 0, 0) == STATUS_SUCCESS);
    FvCheck((PUCHAR)Hash > Object && (PUCHAR)Hash < Object + 1 + Length && Object[0] == 'x' &&
            Object[Length + 1] == 'x');
    FvCheck(NumberOf(Hash, BCRYPT_HASH_LENGTH) == 32 && NumberOf(Hash, BCRYPT_IS_REUSABLE_HASH) == 0);
    FvCheck(BCryptGetProperty(Hash, BCRYPT_PROVIDER_HANDLE, (PUCHAR)&Provider, sizeof(Provider), &Written, 0) ==
                STATUS_SUCCESS &&
            Provider == Sha256);
    FvCheck(BCryptFinishHash(Hash, Output, 31, 0) == STATUS_INVALID_PARAMETER &&
            BCryptFinishHash(Hash, Output, 33, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptFinishHash(Hash, Output, 32, 0) == STATUS_SUCCESS &&
            IsHex(Output, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    FvCheck(BCryptFinishHash(Hash, Output, 32, 0) == STATUS_INVALID_HANDLE &&
            BCryptHashData(Hash, Output, 1, 0) == STATUS_INVALID_HANDLE);
    FvCheck(BCryptDestroyHash(Hash) == STATUS_SUCCESS && BCryptDestroyHash(Hash) == STATUS_INVALID_HANDLE);
    FvCheck(BCryptCreateHash(Sha256, &Hash, NULL, 0, NULL, 0, BCRYPT_HASH_REUSABLE_FLAG) == STATUS_SUCCESS);
    BCryptHashData(Hash, (PUCHAR) "xyz", 3, 0);
    BCryptFinishHash(Hash, Output, 32, 0);
    FvCheck(BCryptHashData(Hash, (PUCHAR) "abc", 3, 0) == STATUS_SUCCESS &&
            BCryptFinishHash(Hash, Output, 32, 0) == STATUS_SUCCESS && IsHex(Output, Hashes[2].Abc));
    /* A provider that is closed lives as long as its objects. */
    FvCheck(BCryptCloseAlgorithmProvider(Sha256, 0) == STATUS_SUCCESS);
    BCryptHashData(Hash, (PUCHAR) "abc", 3, 0);
    FvCheck(BCryptFinishHash(Hash, Output, 32, 0) == STATUS_SUCCESS && IsHex(Output, Hashes[2].Abc));
    FvCheck(BCryptDestroyHash(Hash) == STATUS_SUCCESS);
}

static VOID CheckRefusals(VOID)
{
    BCRYPT_ALG_HANDLE Handle = (PVOID)1, Aes = OpenAlgorithm(BCRYPT_AES_ALGORITHM, 0);
    BCRYPT_ALG_HANDLE Sha1 = OpenAlgorithm(BCRYPT_SHA1_ALGORITHM, 0);
    BCRYPT_HASH_HANDLE Hash;
    WCHAR Text[8];
    ULONG Length;

    FvCheck(BCryptOpenAlgorithmProvider(&Handle, L"ROT13", NULL, 0) == STATUS_NOT_FOUND && Handle == NULL);
    FvCheck(BCryptOpenAlgorithmProvider(&Handle, BCRYPT_SHA1_ALGORITHM, L"Nobody's", 0) == STATUS_NOT_FOUND);
    FvCheck(BCryptOpenAlgorithmProvider(&Handle, NULL, NULL, 0) == STATUS_INVALID_PARAMETER &&
            BCryptOpenAlgorithmProvider(NULL, BCRYPT_SHA1_ALGORITHM, NULL, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptOpenAlgorithmProvider(&Handle, BCRYPT_SHA1_ALGORITHM, NULL, 0x80000000) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptOpenAlgorithmProvider(&Handle, BCRYPT_AES_ALGORITHM, NULL, BCRYPT_ALG_HANDLE_HMAC_FLAG) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(BCryptOpenAlgorithmProvider(&Handle, BCRYPT_SHA1_ALGORITHM, MS_PRIMITIVE_PROVIDER, 0) == STATUS_SUCCESS &&
            BCryptCloseAlgorithmProvider(Handle, 0) == STATUS_SUCCESS);
    FvCheck(BCryptCloseAlgorithmProvider(NULL, 0) == STATUS_INVALID_HANDLE &&
            BCryptCloseAlgorithmProvider((PVOID)0x41, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptCreateHash(Aes, &Hash, NULL, 0, NULL, 0, 0) == STATUS_NOT_SUPPORTED &&
            BCryptHash(Aes, NULL, 0, NULL, 0, Output, 16) == STATUS_NOT_SUPPORTED);
    FvCheck(BCryptCreateHash(NULL, &Hash, NULL, 0, NULL, 0, 0) == STATUS_INVALID_HANDLE &&
            BCryptHashData(NULL, Output, 1, 0) == STATUS_INVALID_HANDLE &&
            BCryptHashData(Sha1, Output, 1, 0) == STATUS_INVALID_HANDLE);
    FvCheck(BCryptCreateHash(Sha1, &Hash, NULL, 0, (PUCHAR) "key", 3, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptHash(Sha1, NULL, 0, NULL, 0, Output, 16) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptGetProperty(Sha1, BCRYPT_BLOCK_LENGTH, (PUCHAR)&Length, sizeof(Length), &Length, 0) ==
            STATUS_NOT_SUPPORTED);
    FvCheck(BCryptGetProperty(Sha1, BCRYPT_ALGORITHM_NAME, NULL, 0, &Length, 0) == STATUS_SUCCESS && Length == 10);
    FvCheck(BCryptGetProperty(Sha1, BCRYPT_ALGORITHM_NAME, (PUCHAR)Text, 9, &Length, 0) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(BCryptGetProperty(Sha1, BCRYPT_ALGORITHM_NAME, (PUCHAR)Text, 10, &Length, 0) == STATUS_SUCCESS &&
            wcscmp(Text, L"SHA1") == 0);
    FvCheck(BCryptSetProperty(Sha1, BCRYPT_CHAINING_MODE, (PUCHAR)BCRYPT_CHAIN_MODE_CBC, sizeof(BCRYPT_CHAIN_MODE_CBC),
                              0) == STATUS_NOT_SUPPORTED);
    BCryptCloseAlgorithmProvider(Aes, 0);
    BCryptCloseAlgorithmProvider(Sha1, 0);
}

/* With the flag, all of it at DISPATCH_LEVEL, but for opening and closing. */
static VOID CheckDispatch(VOID)
{
    BCRYPT_ALG_HANDLE Sha1 = OpenAlgorithm(BCRYPT_SHA1_ALGORITHM, BCRYPT_PROV_DISPATCH);
    BCRYPT_HASH_HANDLE Hash;
    KIRQL Irql;

    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FvCheck(BCryptCreateHash(Sha1, &Hash, NULL, 0, NULL, 0, 0) == STATUS_SUCCESS);
    FvCheck(BCryptHashData(Hash, (PUCHAR) "abc", 3, 0) == STATUS_SUCCESS &&
            BCryptFinishHash(Hash, Output, 20, 0) == STATUS_SUCCESS && IsHex(Output, Hashes[1].Abc));
    FvCheck(BCryptDestroyHash(Hash) == STATUS_SUCCESS);
    KeLowerIrql(Irql);
    FvCheck(BCryptCloseAlgorithmProvider(Sha1, 0) == STATUS_SUCCESS);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(147);
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Hashes); Index++)
        CheckHash(Index);
    CheckLong();
    CheckPasswords();
    CheckObjects();
    CheckRefusals();
    CheckDispatch();
    return STATUS_SUCCESS;
}
