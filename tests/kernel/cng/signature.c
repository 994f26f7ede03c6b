// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signatures that cng.sys verifies: RSA with PKCS #1 and PSS by NIST's SigGen15_186-3 and SigGenPSS_186-3, and with a
 * longer key and a salt by OpenSSL; ECDSA by RFC 6979, A.2.5 and A.2.6.
 */
#include "vector.h"

static const CHAR Modulus15[] =
    "a3ecf80ff1804833c36a89a1583f58ef3332476a50a153e73ced17796139636045c131a6b17222ba8848f70150b18dfa"
    "390bfb1670ae982dfbc311fd0ede055564687af3805ca883944bb5ac9ec19b0e0cfbd9a314d70b17080c3d49b50cbf41"
    "7062eb41bd639d67a5fb330ec55a0489fee08eeec97ed487c114b20393fe0aef";
static const CHAR Hash15[] = "de9187482aedcb60d01d0751bed52f5d729c2523e2e406af6b5556c1a77dfa9a";
static const CHAR Signature15[] =
    "8D9D30A87DF0C2F6CD651FCAF2B9AC1296287AD3D4B03132E330F08AB701FC197040D0A261F631E7E34478B592551E1F"
    "682395C9E2B54C8CE8B0C72C1B5A79748CC34F9152730A7F67FAE1225A4CE750F1D5D4E288176DF197E7503C88B5BAEC"
    "EF3ABCF2875F111E6D7F7B4DC8AFA2ED3C1D7AD8E7CF45A77F0B1CB178518402";
static const CHAR ModulusPss[] =
    "c87155f3d9f3771f6ab89ef30cd36230463902ff0633aa869b6dbd7592c83f4b2f882739ff499f1499fb0db4586c7f7b"
    "2dfd5a37dbe0df37dea9d0d5814a4047b647c1d8eb356ebae6a198899f97c25f9182fab2b6be88384a1b8cb16a82a05a"
    "aadf610ce2e045b41b8880a13b7133ea07296126471c9a450ae48bc880102c8b";
static const CHAR HashPss[] = "9788dd200b804ed06aa81a332bfad7154fbc0ad61cf194a07150bf74ccf2861d";
static const CHAR SignaturePss[] =
    "A3263F4C84AB6EF687A3853E5D91D296B125428F80F3C4DCEFCF4FB7F1C41CEBF9AA3CFD0CF2B617EC2DF8AB3379FFCC"
    "7FDF72EC659940E0DCDFA453BEF7E9172941B5C8AAF87E58DE3316F103856D922AE5929B3B6CF2A7BBF95C49DDBD8C15"
    "B4AC73370D0A28B20514637ABFF56157E15DF57C5860EDEBED44D4917F2D1F8B";
static const CHAR ModulusOwn[] =
    "c7d18ba819ba80964a2a2e26855a751b9f73dd95d3a09697f095f7c13f08859b566276b7e10e96783fc2b81ebaa4fe88"
    "ee663e0f5d183c2a61a228cad62b4c7d01f647d72a6a153dc37fcfcc63be6394280835a039454763b61f699c99df1204"
    "335ff21d08a15342c4390ab28e1adc827ef149e2f82b2e182f40abdf84dfb98a8a6fc9179fa18dc4ef39a998f02b18b8"
    "0e0805766fdfbd723e90445118cdc0f01338384a0523ccf5cae573030cad5ce9f0acce04a1c5fcf811d163c195ecc39b"
    "b8d5888b14a0da64fdc71b40966e87ac9b68a73436e7d4c1f40c1a5482d8d426d796d4132432248766fe845f2e450495"
    "e5a42a092369170e77dd627e01ff4c97";
static const CHAR SignatureOwn15[] =
    "8dab5caec5927d76d700882e0020df23a54a21af8189a1c6e7d34128a226971d166c8494df3f32ed6474dce2bb2fa978"
    "789214143349c30988b8d80d4a9a3772c1fea00e44d5b9dbcb83fa853dee80e1af63603d614b2a39d2e2a8b9808a6956"
    "e1917a86540a31290b9bb40032dafbe6ceafcd3673d074f04df563befb8a7a5223c020a52d7cc31530f94a6dca721093"
    "1d0f3d5f05123d2b566aad62f131f65b0b63252e2e66dd9a667550576200c128862aae6629daca949a621d5aca26a681"
    "de123724a50433d801b4730d271966814deb69f7e2c982766327c477a280f6028357b714d5f5a67c47c9ec4c14738b4b"
    "2002c0be0439fc6c665bc13f47fc655b";
static const CHAR SignatureOwnPss[] =
    "816216fe1be4366b23f2ccc0df6107359296ebf2b805b0a2de5920fae2423c1665f72c83a9c634a9ce8f71764fdc9884"
    "fd1cde98b78ec01878b243caad08497f316749551b2df4a33c327916fb448ea7d0875caf00a3ab4a1b180af25ad7db9b"
    "3824ebc154238ea55bfbbb006f944ecb1688280b35a0e64f955a42ed26d3fb24271d7ac0c615b47535c242129fe00ca7"
    "94767d2ab56ada8629972fad0ebb6eced77dfbc1e0c70b0c6530217345153ff085d9b650fe0b61ab24f4819fc4e1ba79"
    "834ba92cafb5972a63c60499ba7b19c1eea2c62b9588fd78443426c5ebc4a9e5269c8caf2eda10f4f6427ed866e89168"
    "5dce0bb699ef80eb8ee08e0bd53687e6";
/* Of "sample". */
static const CHAR Hash256[] = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf";
static const CHAR Hash384[] =
    "9a9083505bc92276aec4be312696ef7bf3bf603f4bbd381196a029f340585312313bca4a9b5b890efee42c77b1ee25fe";
static const CHAR Hash512[] = "39a5e04aaff7455d9850c605364f514c11324ce64016960d23d5dc57d3ffd8f4"
                              "9a739468ab8049bf18eef820cdb1ad6c9015f838556bc7fad4138b23fdf986c7";
static const CHAR Point256[] = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
                               "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
static const CHAR Ecdsa256[] = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                               "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
static const CHAR Ecdsa256Sha512[] = "8496A60B5E9B47C825488827E0495B0E3FA109EC4568FD3F8D1097678EB97F00"
                                     "2362AB1ADBE2B8ADF9CB9EDAB740EA6049C028114F2460F96554F61FAE3302FE";
static const CHAR Point384[] =
    "EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13"
    "8015D9B72D7D57244EA8EF9AC0C621896708A59367F9DFB9F54CA84B3F1C9DB1288B231C3AE0D4FE7344FD2533264720";
static const CHAR Ecdsa384[] =
    "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
    "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8";

static UCHAR Blob[400], Hash[64], Signature[256];
static ULONG BlobLength;

/* A public key as a blob, with the exponent in hexadecimal. */
static BCRYPT_RSAKEY_BLOB *MakeRsaBlob(PCSTR Modulus, PCSTR Exponent)
{
    BCRYPT_RSAKEY_BLOB *Rsa = (BCRYPT_RSAKEY_BLOB *)Blob;

    RtlZeroMemory(Blob, sizeof(Blob));
    Rsa->Magic = BCRYPT_RSAPUBLIC_MAGIC;
    Rsa->cbPublicExp = FromHex(Exponent, (PUCHAR)(Rsa + 1));
    Rsa->cbModulus = FromHex(Modulus, (PUCHAR)(Rsa + 1) + Rsa->cbPublicExp);
    Rsa->BitLength = Rsa->cbModulus * 8;
    BlobLength = sizeof(*Rsa) + Rsa->cbPublicExp + Rsa->cbModulus;
    return Rsa;
}

static BCRYPT_ECCKEY_BLOB *MakePointBlob(ULONG Magic, PCSTR Point)
{
    BCRYPT_ECCKEY_BLOB *Ecc = (BCRYPT_ECCKEY_BLOB *)Blob;
    ULONG Length = FromHex(Point, (PUCHAR)(Ecc + 1));

    Ecc->dwMagic = Magic;
    Ecc->cbKey = Length / 2;
    BlobLength = sizeof(*Ecc) + Length;
    return Ecc;
}

static NTSTATUS Import(BCRYPT_ALG_HANDLE Algorithm, PCWSTR Type, BCRYPT_KEY_HANDLE *Key)
{
    return BCryptImportKeyPair(Algorithm, NULL, Type, Key, Blob, BlobLength, 0);
}

static NTSTATUS Verify(BCRYPT_KEY_HANDLE Key, PVOID Padding, PCSTR HashHex, PCSTR SignatureHex, ULONG Flags)
{
    ULONG HashLength = FromHex(HashHex, Hash), Length = FromHex(SignatureHex, Signature);

    return BCryptVerifySignature(Key, Padding, Hash, HashLength, Signature, Length, Flags);
}

static VOID CheckPkcs1(BCRYPT_ALG_HANDLE Rsa)
{
    BCRYPT_PKCS1_PADDING_INFO Sha256 = {BCRYPT_SHA256_ALGORITHM}, Sha1 = {BCRYPT_SHA1_ALGORITHM}, None = {L"ROT13"};
    BCRYPT_PKCS1_PADDING_INFO Sha512 = {BCRYPT_SHA512_ALGORITHM};
    BCRYPT_KEY_HANDLE Key = NULL;

    MakeRsaBlob(Modulus15, "001001");
    FvCheck(Import(Rsa, BCRYPT_RSAPUBLIC_BLOB, &Key) == STATUS_SUCCESS);
    FvCheck(NumberOf(Key, BCRYPT_KEY_LENGTH) == 1024 && NumberOf(Key, BCRYPT_SIGNATURE_LENGTH) == 128);
    FvCheck(Verify(Key, &Sha256, Hash15, Signature15, BCRYPT_PAD_PKCS1) == STATUS_SUCCESS);
    FvCheck(Verify(Key, &Sha256, HashPss, Signature15, BCRYPT_PAD_PKCS1) == STATUS_INVALID_SIGNATURE);
    FvCheck(Verify(Key, &Sha256, Hash15, SignaturePss, BCRYPT_PAD_PKCS1) == STATUS_INVALID_SIGNATURE);
    FvCheck(Verify(Key, &Sha256, Hash15, Modulus15, BCRYPT_PAD_PKCS1) == STATUS_INVALID_SIGNATURE);
    FvCheck(Verify(Key, &Sha256, Hash15, Hash15, BCRYPT_PAD_PKCS1) == STATUS_INVALID_SIGNATURE);
    FvCheck(Verify(Key, &Sha1, Hash15, Signature15, BCRYPT_PAD_PKCS1) == STATUS_INVALID_PARAMETER);
    FvCheck(Verify(Key, &None, Hash15, Signature15, BCRYPT_PAD_PKCS1) == STATUS_NOT_SUPPORTED);
    FvCheck(Verify(Key, NULL, Hash15, Signature15, BCRYPT_PAD_PKCS1) == STATUS_INVALID_PARAMETER &&
            Verify(Key, &Sha256, Hash15, Signature15, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptDestroyKey(Key) == STATUS_SUCCESS);
    MakeRsaBlob(ModulusOwn, "010001");
    FvCheck(Import(Rsa, BCRYPT_PUBLIC_KEY_BLOB, &Key) == STATUS_SUCCESS);
    FvCheck(Verify(Key, &Sha512, Hash512, SignatureOwn15, BCRYPT_PAD_PKCS1) == STATUS_SUCCESS);
    FvCheck(Verify(Key, &Sha256, Hash256, SignatureOwn15, BCRYPT_PAD_PKCS1) == STATUS_INVALID_SIGNATURE);
    BCryptDestroyKey(Key);
}

static VOID CheckPss(BCRYPT_ALG_HANDLE Rsa)
{
    BCRYPT_PSS_PADDING_INFO NoSalt = {BCRYPT_SHA256_ALGORITHM, 0}, Salt = {BCRYPT_SHA256_ALGORITHM, 32};
    BCRYPT_KEY_HANDLE Key = NULL;

    MakeRsaBlob(ModulusPss, "1001");
    FvCheck(Import(Rsa, BCRYPT_RSAPUBLIC_BLOB, &Key) == STATUS_SUCCESS);
    FvCheck(Verify(Key, &NoSalt, HashPss, SignaturePss, BCRYPT_PAD_PSS) == STATUS_SUCCESS);
    FvCheck(Verify(Key, &Salt, HashPss, SignaturePss, BCRYPT_PAD_PSS) == STATUS_INVALID_SIGNATURE);
    FvCheck(Verify(Key, &NoSalt, Hash15, SignaturePss, BCRYPT_PAD_PSS) == STATUS_INVALID_SIGNATURE);
    BCryptDestroyKey(Key);
    MakeRsaBlob(ModulusOwn, "010001");
    FvCheck(Import(Rsa, BCRYPT_RSAPUBLIC_BLOB, &Key) == STATUS_SUCCESS);
    FvCheck(Verify(Key, &Salt, Hash256, SignatureOwnPss, BCRYPT_PAD_PSS) == STATUS_SUCCESS);
    FvCheck(Verify(Key, &NoSalt, Hash256, SignatureOwnPss, BCRYPT_PAD_PSS) == STATUS_INVALID_SIGNATURE);
    BCryptDestroyKey(Key);
}

static VOID CheckBlobs(BCRYPT_ALG_HANDLE Rsa)
{
    BCRYPT_KEY_HANDLE Key = NULL;

    MakeRsaBlob(Modulus15, "1001");
    FvCheck(Import(Rsa, BCRYPT_RSAPRIVATE_BLOB, &Key) == STATUS_NOT_SUPPORTED &&
            Import(Rsa, BCRYPT_ECCPUBLIC_BLOB, &Key) == STATUS_NOT_SUPPORTED);
    FvCheck(BCryptImportKeyPair(NULL, NULL, BCRYPT_RSAPUBLIC_BLOB, &Key, Blob, BlobLength, 0) == STATUS_INVALID_HANDLE);
    BlobLength--;
    FvCheck(Import(Rsa, BCRYPT_RSAPUBLIC_BLOB, &Key) == STATUS_INVALID_PARAMETER);
    MakeRsaBlob(Modulus15, "1001")->BitLength += 8;
    FvCheck(Import(Rsa, BCRYPT_RSAPUBLIC_BLOB, &Key) == STATUS_INVALID_PARAMETER);
    MakeRsaBlob(Modulus15, "1001")->Magic = BCRYPT_RSAPRIVATE_MAGIC;
    FvCheck(Import(Rsa, BCRYPT_RSAPUBLIC_BLOB, &Key) == STATUS_INVALID_PARAMETER);
    MakeRsaBlob(Modulus15, "1001")->cbModulus = 0xfffffff0;
    FvCheck(Import(Rsa, BCRYPT_RSAPUBLIC_BLOB, &Key) == STATUS_INVALID_PARAMETER && Key == NULL);
}

static VOID CheckCurve(PCWSTR Name, ULONG Magic, PCSTR Point, PCSTR HashHex, PCSTR SignatureHex)
{
    BCRYPT_ALG_HANDLE Algorithm = OpenAlgorithm(Name, 0);
    BCRYPT_KEY_HANDLE Key = NULL;
    ULONG Half;

    MakePointBlob(Magic, Point);
    FvCheck(Import(Algorithm, BCRYPT_ECCPUBLIC_BLOB, &Key) == STATUS_SUCCESS);
    FvCheck(Verify(Key, NULL, HashHex, SignatureHex, 0) == STATUS_SUCCESS);
    Half = NumberOf(Key, BCRYPT_SIGNATURE_LENGTH) / 2;
    Signature[2 * Half - 1] ^= 1;
    FvCheck(BCryptVerifySignature(Key, NULL, Hash, 32, Signature, 2 * Half, 0) == STATUS_INVALID_SIGNATURE);
    RtlZeroMemory(Signature, Half);
    FvCheck(BCryptVerifySignature(Key, NULL, Hash, 32, Signature, 2 * Half, 0) == STATUS_INVALID_SIGNATURE);
    memset(Signature, 0xff, Half);
    FvCheck(BCryptVerifySignature(Key, NULL, Hash, 32, Signature, 2 * Half, 0) == STATUS_INVALID_SIGNATURE);
    FvCheck(BCryptVerifySignature(Key, NULL, Hash, 32, Signature, 2 * Half - 1, 0) == STATUS_INVALID_SIGNATURE);
    FvCheck(Verify(Key, NULL, HashHex, SignatureHex, BCRYPT_PAD_PKCS1) == STATUS_INVALID_PARAMETER);
    BCryptDestroyKey(Key);
    Key = NULL;
    /* A point that is not on the curve. */
    Blob[BlobLength - 1] ^= 1;
    FvCheck(Import(Algorithm, BCRYPT_ECCPUBLIC_BLOB, &Key) == STATUS_INVALID_PARAMETER && Key == NULL);
    FvCheck(BCryptImportKeyPair(Algorithm, NULL, BCRYPT_ECCPUBLIC_BLOB, &Key, Blob, BlobLength,
                                BCRYPT_NO_KEY_VALIDATION) == STATUS_SUCCESS &&
            BCryptDestroyKey(Key) == STATUS_SUCCESS);
    MakePointBlob(Magic + 0x01000000, Point);
    FvCheck(Import(Algorithm, BCRYPT_ECCPUBLIC_BLOB, &Key) == STATUS_INVALID_PARAMETER);
    BCryptCloseAlgorithmProvider(Algorithm, 0);
}

/* The hash is longer than the order: its first bytes count.  What is no key for signatures. */
static VOID CheckMore(VOID)
{
    BCRYPT_ALG_HANDLE P256 = OpenAlgorithm(BCRYPT_ECDSA_P256_ALGORITHM, BCRYPT_PROV_DISPATCH);
    BCRYPT_ALG_HANDLE Aes = OpenAlgorithm(BCRYPT_AES_ALGORITHM, 0);
    BCRYPT_KEY_HANDLE Key, AesKey;
    KIRQL Irql;

    MakePointBlob(BCRYPT_ECDSA_PUBLIC_P256_MAGIC, Point256);
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FvCheck(Import(P256, BCRYPT_ECCPUBLIC_BLOB, &Key) == STATUS_SUCCESS);
    FvCheck(Verify(Key, NULL, Hash512, Ecdsa256Sha512, 0) == STATUS_SUCCESS);
    BCryptDestroyKey(Key);
    KeLowerIrql(Irql);
    FvCheck(BCryptGenerateSymmetricKey(Aes, &AesKey, NULL, 0, Hash, 32, 0) == STATUS_SUCCESS);
    FvCheck(Verify(AesKey, NULL, Hash256, Ecdsa256, 0) == STATUS_NOT_SUPPORTED &&
            Verify(NULL, NULL, Hash256, Ecdsa256, 0) == STATUS_INVALID_HANDLE);
    BCryptDestroyKey(AesKey);
    BCryptCloseAlgorithmProvider(P256, 0);
    BCryptCloseAlgorithmProvider(Aes, 0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    BCRYPT_ALG_HANDLE Rsa;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(60);
    Rsa = OpenAlgorithm(BCRYPT_RSA_ALGORITHM, 0);
    CheckPkcs1(Rsa);
    CheckPss(Rsa);
    CheckBlobs(Rsa);
    BCryptCloseAlgorithmProvider(Rsa, 0);
    CheckCurve(BCRYPT_ECDSA_P256_ALGORITHM, BCRYPT_ECDSA_PUBLIC_P256_MAGIC, Point256, Hash256, Ecdsa256);
    CheckCurve(BCRYPT_ECDSA_P384_ALGORITHM, BCRYPT_ECDSA_PUBLIC_P384_MAGIC, Point384, Hash384, Ecdsa384);
    CheckMore();
    return STATUS_SUCCESS;
}
