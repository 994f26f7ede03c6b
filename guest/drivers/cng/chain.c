// SPDX-License-Identifier: GPL-2.0-or-later
/* AES in chains of blocks: ECB, CBC, and CFB with segments of one byte or of a block (NIST SP 800-38A). */
#include "cng.h"

static VOID CngMix(PUCHAR To, const UCHAR *With, ULONG Length)
{
    for (ULONG Index = 0; Index < Length; Index++)
        To[Index] ^= With[Index];
}

static VOID CngChainCbc(CNG_KEY *Key, BOOLEAN Encrypt, const UCHAR *Input, ULONG Length, PUCHAR Vector, PUCHAR Output)
{
    UCHAR Block[CNG_AES_BLOCK];

    for (ULONG At = 0; At < Length; At += CNG_AES_BLOCK) {
        RtlCopyMemory(Block, Input + At, CNG_AES_BLOCK);
        if (Encrypt) {
            CngMix(Block, Vector, CNG_AES_BLOCK);
            rijndael_ecb_encrypt(Block, Output + At, &Key->Schedule);
            RtlCopyMemory(Vector, Output + At, CNG_AES_BLOCK);
        } else {
            rijndael_ecb_decrypt(Block, Output + At, &Key->Schedule);
            CngMix(Output + At, Vector, CNG_AES_BLOCK);
            RtlCopyMemory(Vector, Block, CNG_AES_BLOCK);
        }
    }
}

/* The vector is a register that each segment of ciphertext is shifted into. */
static VOID CngChainCfb(CNG_KEY *Key, BOOLEAN Encrypt, const UCHAR *Input, ULONG Length, PUCHAR Vector, PUCHAR Output)
{
    ULONG Segment = Key->Chaining.MessageBlock;
    UCHAR Stream[CNG_AES_BLOCK], Cipher[CNG_AES_BLOCK];

    for (ULONG At = 0; At < Length; At += Segment) {
        rijndael_ecb_encrypt(Vector, Stream, &Key->Schedule);
        RtlCopyMemory(Cipher, Input + At, Segment);
        for (ULONG Index = 0; Index < Segment; Index++)
            Output[At + Index] = Cipher[Index] ^ Stream[Index];
        if (Encrypt)
            RtlCopyMemory(Cipher, Output + At, Segment);
        RtlMoveMemory(Vector, Vector + Segment, CNG_AES_BLOCK - Segment);
        RtlCopyMemory(Vector + CNG_AES_BLOCK - Segment, Cipher, Segment);
    }
}

VOID CngCrypt(CNG_KEY *Key, BOOLEAN Encrypt, const UCHAR *Input, ULONG Length, PUCHAR Vector, PUCHAR Output)
{
    if (Key->Chaining.Mode == CngModeCbc) {
        CngChainCbc(Key, Encrypt, Input, Length, Vector, Output);
    } else if (Key->Chaining.Mode == CngModeCfb) {
        CngChainCfb(Key, Encrypt, Input, Length, Vector, Output);
    } else {
        for (ULONG At = 0; At < Length; At += CNG_AES_BLOCK) {
            if (Encrypt)
                rijndael_ecb_encrypt(Input + At, Output + At, &Key->Schedule);
            else
                rijndael_ecb_decrypt(Input + At, Output + At, &Key->Schedule);
        }
    }
}
