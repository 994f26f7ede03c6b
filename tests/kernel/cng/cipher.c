// SPDX-License-Identifier: GPL-2.0-or-later
/* AES of cng.sys: ECB, CBC and CFB by NIST SP 800-38A, GCM by the cases of "The Galois/Counter Mode of Operation". */
#include "vector.h"

static const CHAR Plain[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                            "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
static const PCSTR Keys[] = {"2b7e151628aed2a6abf7158809cf4f3c", "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
                             "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"};

/* F.1, F.2 and F.3 of the publication: for each key, what the mode makes of the text. */
static const struct {
    PCWSTR Mode;
    ULONG Segment, Length;
    PCSTR Cipher[3];
} Modes[] = {
    {BCRYPT_CHAIN_MODE_ECB,
     0,
     64,
     {"3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
      "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
      "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"
      "ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e",
      "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
      "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7"}},
    {BCRYPT_CHAIN_MODE_CBC,
     0,
     64,
     {"7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
      "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
      "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
      "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
      "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
      "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"}},
    {BCRYPT_CHAIN_MODE_CFB,
     1,
     18,
     {"3b79424c9c0dd436bace9e0ed4586a4f32b9", "cda2521ef0a905ca44cd057cbf0d47a0678a",
      "dc1f1a8520a64db55fcc8ac554844e889700"}},
    {BCRYPT_CHAIN_MODE_CFB,
     16,
     64,
     {"3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
      "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6",
      "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a"
      "2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff",
      "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b"
      "df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471"}},
};

static UCHAR Buffer[128], Text[128], Vector[16], Secret[32];
static ULONG Written;

static BCRYPT_KEY_HANDLE MakeKey(BCRYPT_ALG_HANDLE Aes, PCSTR Hex)
{
    BCRYPT_KEY_HANDLE Key = NULL;

    FvCheck(BCryptGenerateSymmetricKey(Aes, &Key, NULL, 0, Secret, FromHex(Hex, Secret), 0) == STATUS_SUCCESS);
    return Key;
}

static NTSTATUS SetMode(BCRYPT_HANDLE Handle, PCWSTR Mode)
{
    return BCryptSetProperty(Handle, BCRYPT_CHAINING_MODE, (PUCHAR)Mode, (ULONG)(wcslen(Mode) + 1) * sizeof(WCHAR), 0);
}

static VOID ResetVector(VOID)
{
    for (UCHAR Index = 0; Index < sizeof(Vector); Index++)
        Vector[Index] = Index;
}

/* All at once in place, and in two calls that the vector connects. */
static VOID CheckMode(BCRYPT_ALG_HANDLE Aes, ULONG Mode, ULONG Which)
{
    ULONG Length = Modes[Mode].Length, Half = Length == 18 ? 5 : 32;
    BCRYPT_KEY_HANDLE Key;

    FvCheck(SetMode(Aes, Modes[Mode].Mode) == STATUS_SUCCESS);
    Key = MakeKey(Aes, Keys[Which]);
    FvCheck(NumberOf(Key, BCRYPT_KEY_LENGTH) == 128 + 64 * Which);
    if (Modes[Mode].Segment == 16)
        FvCheck(BCryptSetProperty(Key, BCRYPT_MESSAGE_BLOCK_LENGTH, (PUCHAR)&Modes[Mode].Segment, sizeof(ULONG), 0) ==
                STATUS_SUCCESS);
    FromHex(Plain, Buffer);
    ResetVector();
    FvCheck(BCryptEncrypt(Key, Buffer, Length, NULL, Vector, 16, Buffer, Length, &Written, 0) == STATUS_SUCCESS &&
            Written == Length && IsHex(Buffer, Modes[Mode].Cipher[Which]));
    ResetVector();
    FvCheck(BCryptDecrypt(Key, Buffer, Half, NULL, Vector, 16, Text, Half, &Written, 0) == STATUS_SUCCESS &&
            BCryptDecrypt(Key, Buffer + Half, Length - Half, NULL, Vector, 16, Text + Half, Length - Half, &Written,
                          0) == STATUS_SUCCESS);
    FromHex(Plain, Buffer);
    FvCheck(RtlEqualMemory(Text, Buffer, Length));
    ResetVector();
    FvCheck(BCryptEncrypt(Key, Buffer, Half, NULL, Vector, 16, Text, Half, &Written, 0) == STATUS_SUCCESS &&
            BCryptEncrypt(Key, Buffer + Half, Length - Half, NULL, Vector, 16, Text + Half, Length - Half, &Written,
                          0) == STATUS_SUCCESS &&
            IsHex(Text, Modes[Mode].Cipher[Which]));
    FvCheck(BCryptDestroyKey(Key) == STATUS_SUCCESS && BCryptDestroyKey(NULL) == STATUS_INVALID_HANDLE);
}

/* Every length from nothing to three blocks, back and forth; what is not what padding makes is refused. */
static VOID CheckPadding(BCRYPT_ALG_HANDLE Aes, PCWSTR Mode)
{
    BCRYPT_KEY_HANDLE Key;
    BOOLEAN Ok = TRUE;

    SetMode(Aes, Mode);
    Key = MakeKey(Aes, Keys[0]);
    for (ULONG Length = 0; Length <= 48; Length++) {
        ULONG Padded = (Length / 16 + 1) * 16;

        FromHex(Plain, Text);
        memset(Buffer, 'x', sizeof(Buffer));
        ResetVector();
        Ok = Ok && BCryptEncrypt(Key, Text, Length, NULL, Vector, 16, NULL, 0, &Written, BCRYPT_BLOCK_PADDING) == 0 &&
             Written == Padded;
        Ok = Ok &&
             BCryptEncrypt(Key, Text, Length, NULL, Vector, 16, Buffer, Padded, &Written, BCRYPT_BLOCK_PADDING) == 0 &&
             Written == Padded && Buffer[Padded] == 'x';
        ResetVector();
        memset(Text, 'y', sizeof(Text));
        Ok = Ok &&
             BCryptDecrypt(Key, Buffer, Padded, NULL, Vector, 16, Text, Length, &Written, BCRYPT_BLOCK_PADDING) == 0 &&
             Written == Length && Text[Length] == 'y';
        FromHex(Plain, Buffer);
        Ok = Ok && RtlEqualMemory(Text, Buffer, Length);
    }
    FvCheck(Ok);
    FromHex(Plain, Buffer);
    ResetVector();
    BCryptEncrypt(Key, Buffer, 20, NULL, Vector, 16, Text, 32, &Written, BCRYPT_BLOCK_PADDING);
    ResetVector();
    FvCheck(BCryptDecrypt(Key, Text, 32, NULL, Vector, 16, Buffer, 19, &Written, BCRYPT_BLOCK_PADDING) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(BCryptDecrypt(Key, Text, 16, NULL, Vector, 16, Buffer, 32, &Written, BCRYPT_BLOCK_PADDING) ==
            STATUS_DATA_ERROR);
    FvCheck(BCryptDecrypt(Key, Text, 31, NULL, Vector, 16, Buffer, 32, &Written, BCRYPT_BLOCK_PADDING) ==
            STATUS_INVALID_BUFFER_SIZE);
    FvCheck(BCryptEncrypt(Key, Buffer, 20, NULL, Vector, 16, Text, 31, &Written, BCRYPT_BLOCK_PADDING) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(BCryptEncrypt(Key, Buffer, 20, NULL, Vector, 16, Text, 32, &Written, 0) == STATUS_INVALID_BUFFER_SIZE);
    BCryptDestroyKey(Key);
}

/* What is the vector when none is given: the key's. */
static VOID CheckVector(BCRYPT_ALG_HANDLE Aes)
{
    BCRYPT_KEY_HANDLE Key, Copy;

    SetMode(Aes, BCRYPT_CHAIN_MODE_CBC);
    Key = MakeKey(Aes, Keys[0]);
    ResetVector();
    FvCheck(BCryptSetProperty(Key, BCRYPT_INITIALIZATION_VECTOR, Vector, 15, 0) == STATUS_INVALID_PARAMETER &&
            BCryptSetProperty(Key, BCRYPT_INITIALIZATION_VECTOR, Vector, 16, 0) == STATUS_SUCCESS);
    FvCheck(BCryptDuplicateKey(Key, &Copy, NULL, 0, 0) == STATUS_SUCCESS);
    FromHex(Plain, Buffer);
    FvCheck(BCryptEncrypt(Copy, Buffer, 64, NULL, NULL, 0, Text, 64, &Written, 0) == STATUS_SUCCESS &&
            IsHex(Text, Modes[1].Cipher[0]));
    FvCheck(BCryptEncrypt(Key, Buffer, 64, NULL, Vector, 12, Text, 64, &Written, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptEncrypt(Key, Buffer, 64, NULL, Vector, 16, Text, 63, &Written, 0) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(BCryptEncrypt(Key, NULL, 0, NULL, Vector, 16, NULL, 0, &Written, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptEncrypt(Key, Buffer, 64, NULL, Vector, 16, NULL, 0, &Written, 0) == STATUS_SUCCESS && Written == 64);
    FvCheck(BCryptEncrypt(Aes, Buffer, 64, NULL, Vector, 16, Text, 64, &Written, 0) == STATUS_INVALID_HANDLE);
    BCryptDestroyKey(Key);
    BCryptDestroyKey(Copy);
}

/* As a blob and back; the caller's memory; lengths that AES has not. */
static VOID CheckKeys(BCRYPT_ALG_HANDLE Aes)
{
    static UCHAR Object[1024];
    struct {
        BCRYPT_KEY_DATA_BLOB_HEADER Header;
        UCHAR Data[32];
    } Blob;
    ULONG Length = NumberOf(Aes, BCRYPT_OBJECT_LENGTH);
    BCRYPT_KEY_HANDLE Key;
    BCRYPT_KEY_LENGTHS_STRUCT Lengths;

    FvCheck(Length <= sizeof(Object) && NumberOf(Aes, BCRYPT_BLOCK_LENGTH) == 16);
    FvCheck(BCryptGetProperty(Aes, BCRYPT_KEY_LENGTHS, (PUCHAR)&Lengths, sizeof(Lengths), &Written, 0) ==
                STATUS_SUCCESS &&
            Lengths.dwMinLength == 128 && Lengths.dwMaxLength == 256 && Lengths.dwIncrement == 64);
    FromHex(Keys[2], Secret);
    FvCheck(BCryptGenerateSymmetricKey(Aes, &Key, Object, Length - 1, Secret, 16, 0) == STATUS_BUFFER_TOO_SMALL);
    FvCheck(BCryptGenerateSymmetricKey(Aes, &Key, NULL, 0, Secret, 15, 0) == STATUS_INVALID_PARAMETER &&
            BCryptGenerateSymmetricKey(Aes, &Key, NULL, 0, Secret, 17, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptGenerateSymmetricKey(Aes, &Key, Object, Length, Secret, 24, 0) == STATUS_SUCCESS);
    FvCheck(BCryptExportKey(Key, NULL, BCRYPT_KEY_DATA_BLOB, NULL, 0, &Written, 0) == STATUS_SUCCESS && Written == 36);
    FvCheck(BCryptExportKey(Key, NULL, BCRYPT_KEY_DATA_BLOB, (PUCHAR)&Blob, 35, &Written, 0) ==
            STATUS_BUFFER_TOO_SMALL);
    FvCheck(BCryptExportKey(Key, NULL, BCRYPT_KEY_DATA_BLOB, (PUCHAR)&Blob, sizeof(Blob), &Written, 0) ==
                STATUS_SUCCESS &&
            Blob.Header.dwMagic == BCRYPT_KEY_DATA_BLOB_MAGIC && Blob.Header.cbKeyData == 24 &&
            RtlEqualMemory(Blob.Data, Secret, 24));
    FvCheck(BCryptExportKey(Key, NULL, BCRYPT_OPAQUE_KEY_BLOB, (PUCHAR)&Blob, sizeof(Blob), &Written, 0) ==
            STATUS_NOT_SUPPORTED);
    BCryptDestroyKey(Key);
    SetMode(Aes, BCRYPT_CHAIN_MODE_ECB);
    Blob.Header.cbKeyData = 16;
    FromHex(Keys[0], Blob.Data);
    FvCheck(BCryptImportKey(Aes, NULL, BCRYPT_KEY_DATA_BLOB, &Key, NULL, 0, (PUCHAR)&Blob, 27, 0) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(BCryptImportKey(Aes, NULL, BCRYPT_KEY_DATA_BLOB, &Key, NULL, 0, (PUCHAR)&Blob, 28, 0) == STATUS_SUCCESS);
    FromHex(Plain, Buffer);
    FvCheck(BCryptEncrypt(Key, Buffer, 64, NULL, NULL, 0, Text, 64, &Written, 0) == STATUS_SUCCESS &&
            IsHex(Text, Modes[0].Cipher[0]));
    BCryptDestroyKey(Key);
}

static const CHAR GcmPlain[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                               "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const CHAR GcmCipher[] = "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                                "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091";
static UCHAR Nonce[12], Data[20], Tag[16], Mac[16];
static BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO Info;

static VOID ResetInfo(VOID)
{
    FromHex("cafebabefacedbaddecaf888", Nonce);
    FromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2", Data);
    BCRYPT_INIT_AUTH_MODE_INFO(Info);
    Info.pbNonce = Nonce;
    Info.cbNonce = sizeof(Nonce);
    Info.pbAuthData = Data;
    Info.cbAuthData = sizeof(Data);
    Info.pbTag = Tag;
    Info.cbTag = sizeof(Tag);
    Info.pbMacContext = Mac;
    Info.cbMacContext = sizeof(Mac);
}

/* Case 4, whole. */
static VOID CheckGcm(BCRYPT_KEY_HANDLE Key)
{
    ResetInfo();
    FromHex(GcmPlain, Buffer);
    FvCheck(BCryptEncrypt(Key, Buffer, 60, &Info, NULL, 0, NULL, 0, &Written, 0) == STATUS_SUCCESS && Written == 60);
    FvCheck(BCryptEncrypt(Key, Buffer, 60, &Info, NULL, 0, Buffer, 60, &Written, 0) == STATUS_SUCCESS &&
            IsHex(Buffer, GcmCipher) && IsHex(Tag, "5bc94fbc3221a5db94fae95ae7121a47"));
    FvCheck(BCryptDecrypt(Key, Buffer, 60, &Info, NULL, 0, Text, 60, &Written, 0) == STATUS_SUCCESS &&
            IsHex(Text, GcmPlain));
    Info.cbTag = 12;
    FvCheck(BCryptDecrypt(Key, Buffer, 60, &Info, NULL, 0, Text, 60, &Written, 0) == STATUS_SUCCESS);
    Tag[11] ^= 1;
    FvCheck(BCryptDecrypt(Key, Buffer, 60, &Info, NULL, 0, Text, 60, &Written, 0) == STATUS_AUTH_TAG_MISMATCH &&
            Text[0] == 0 && Text[59] == 0);
    Tag[11] ^= 1;
    Data[0] ^= 1;
    FvCheck(BCryptDecrypt(Key, Buffer, 60, &Info, NULL, 0, Text, 60, &Written, 0) == STATUS_AUTH_TAG_MISMATCH);
    Data[0] ^= 1;
    Buffer[59] ^= 1;
    FvCheck(BCryptDecrypt(Key, Buffer, 60, &Info, NULL, 0, Text, 60, &Written, 0) == STATUS_AUTH_TAG_MISMATCH);
}

/* In three calls: only the last may end within a block, and makes the tag. */
static VOID CheckGcmChain(BCRYPT_KEY_HANDLE Key)
{
    UCHAR State[16] = {0};

    ResetInfo();
    FromHex(GcmPlain, Buffer);
    Info.dwFlags = BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG;
    FvCheck(BCryptEncrypt(Key, Buffer, 17, &Info, State, 16, Text, 60, &Written, 0) == STATUS_INVALID_BUFFER_SIZE);
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, State, 16, Text, 60, &Written, 0) == STATUS_SUCCESS &&
            Written == 16 && (Info.dwFlags & BCRYPT_AUTH_MODE_IN_PROGRESS_FLAG));
    FvCheck(BCryptEncrypt(Key, Buffer + 16, 32, &Info, State, 16, Text + 16, 44, &Written, 0) == STATUS_SUCCESS);
    Info.dwFlags &= ~BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG;
    FvCheck(BCryptEncrypt(Key, Buffer + 48, 12, &Info, State, 16, Text + 48, 12, &Written, 0) == STATUS_SUCCESS &&
            IsHex(Text, GcmCipher) && IsHex(Tag, "5bc94fbc3221a5db94fae95ae7121a47") && Info.cbData == 60 &&
            Info.cbAAD == 20);
    ResetInfo();
    Info.dwFlags = BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG;
    FvCheck(BCryptDecrypt(Key, Text, 48, &Info, State, 16, Buffer, 60, &Written, 0) == STATUS_SUCCESS);
    Info.dwFlags &= ~BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG;
    FvCheck(BCryptDecrypt(Key, Text + 48, 12, &Info, State, 16, Buffer + 48, 12, &Written, 0) == STATUS_SUCCESS &&
            IsHex(Buffer, GcmPlain));
}

static VOID CheckGcmRefusals(BCRYPT_KEY_HANDLE Key)
{
    ResetInfo();
    FvCheck(BCryptEncrypt(Key, Buffer, 16, NULL, NULL, 0, Text, 16, &Written, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, NULL, 0, Text, 16, &Written, BCRYPT_BLOCK_PADDING) ==
            STATUS_INVALID_PARAMETER);
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, NULL, 0, Text, 15, &Written, 0) == STATUS_BUFFER_TOO_SMALL);
    Info.cbNonce = 11;
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, NULL, 0, Text, 16, &Written, 0) == STATUS_INVALID_PARAMETER);
    ResetInfo();
    Info.cbTag = 11;
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, NULL, 0, Text, 16, &Written, 0) == STATUS_INVALID_PARAMETER);
    ResetInfo();
    Info.cbSize--;
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, NULL, 0, Text, 16, &Written, 0) == STATUS_INVALID_PARAMETER);
    ResetInfo();
    Info.dwFlags = BCRYPT_AUTH_MODE_CHAIN_CALLS_FLAG;
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, NULL, 0, Text, 16, &Written, 0) == STATUS_INVALID_PARAMETER);
}

/* Cases 1 and 2: nothing at all, and zeros; at DISPATCH_LEVEL. */
static VOID CheckGcmZero(VOID)
{
    BCRYPT_ALG_HANDLE Aes = OpenAlgorithm(BCRYPT_AES_ALGORITHM, BCRYPT_PROV_DISPATCH);
    BCRYPT_KEY_HANDLE Key = NULL;
    KIRQL Irql;

    FvCheck(SetMode(Aes, BCRYPT_CHAIN_MODE_GCM) == STATUS_SUCCESS);
    ResetInfo();
    RtlZeroMemory(Nonce, sizeof(Nonce));
    RtlZeroMemory(Secret, sizeof(Secret));
    RtlZeroMemory(Buffer, sizeof(Buffer));
    Info.cbAuthData = 0;
    KeRaiseIrql(DISPATCH_LEVEL, &Irql);
    FvCheck(BCryptGenerateSymmetricKey(Aes, &Key, NULL, 0, Secret, 16, 0) == STATUS_SUCCESS);
    FvCheck(BCryptEncrypt(Key, NULL, 0, &Info, NULL, 0, NULL, 0, &Written, 0) == STATUS_SUCCESS && Written == 0 &&
            IsHex(Tag, "58e2fccefa7e3061367f1d57a4e7455a"));
    FvCheck(BCryptDecrypt(Key, NULL, 0, &Info, NULL, 0, NULL, 0, &Written, 0) == STATUS_SUCCESS);
    FvCheck(BCryptEncrypt(Key, Buffer, 16, &Info, NULL, 0, Buffer, 16, &Written, 0) == STATUS_SUCCESS &&
            IsHex(Buffer, "0388dace60b6a392f328c2b971b2fe78") && IsHex(Tag, "ab6e47d42cec13bdf53a67b21257bddf"));
    FvCheck(BCryptDestroyKey(Key) == STATUS_SUCCESS);
    KeLowerIrql(Irql);
    BCryptCloseAlgorithmProvider(Aes, 0);
}

static VOID CheckRandom(VOID)
{
    BCRYPT_ALG_HANDLE Random = OpenAlgorithm(BCRYPT_RNG_ALGORITHM, 0);
    BCRYPT_ALG_HANDLE Aes = OpenAlgorithm(BCRYPT_AES_ALGORITHM, 0);

    RtlZeroMemory(Buffer, sizeof(Buffer));
    FvCheck(BCryptGenRandom(Random, Buffer, 21, 0) == STATUS_SUCCESS && Buffer[21] == 0);
    FvCheck(BCryptGenRandom(NULL, Text, 21, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == STATUS_SUCCESS &&
            !RtlEqualMemory(Text, Buffer, 21));
    FvCheck(BCryptGenRandom(NULL, Text, 21, 0) == STATUS_INVALID_HANDLE &&
            BCryptGenRandom(Aes, Text, 21, 0) == STATUS_INVALID_HANDLE);
    FvCheck(BCryptGenRandom(Random, Text, 21, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == STATUS_INVALID_PARAMETER &&
            BCryptGenRandom(Random, NULL, 1, 0) == STATUS_INVALID_PARAMETER &&
            BCryptGenRandom(Random, Text, 1, 4) == STATUS_INVALID_PARAMETER);
    DbgPrint("random: %02x%02x%02x%02x\n", Buffer[0], Buffer[1], Buffer[2], Buffer[3]);
    BCryptCloseAlgorithmProvider(Random, 0);
    BCryptCloseAlgorithmProvider(Aes, 0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    BCRYPT_ALG_HANDLE Aes;
    BCRYPT_KEY_HANDLE Key;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(185);
    Aes = OpenAlgorithm(BCRYPT_AES_ALGORITHM, 0);
    for (ULONG Mode = 0; Mode < RTL_NUMBER_OF(Modes); Mode++) {
        for (ULONG Which = 0; Which < RTL_NUMBER_OF(Keys); Which++)
            CheckMode(Aes, Mode, Which);
    }
    CheckPadding(Aes, BCRYPT_CHAIN_MODE_CBC);
    CheckPadding(Aes, BCRYPT_CHAIN_MODE_ECB);
    CheckVector(Aes);
    CheckKeys(Aes);
    FvCheck(SetMode(Aes, BCRYPT_CHAIN_MODE_CCM) == STATUS_NOT_SUPPORTED);
    FvCheck(SetMode(Aes, BCRYPT_CHAIN_MODE_GCM) == STATUS_SUCCESS);
    Key = MakeKey(Aes, "feffe9928665731c6d6a8f9467308308");
    CheckGcm(Key);
    CheckGcmChain(Key);
    CheckGcmRefusals(Key);
    BCryptDestroyKey(Key);
    CheckGcmZero();
    CheckRandom();
    BCryptCloseAlgorithmProvider(Aes, 0);
    return STATUS_SUCCESS;
}
