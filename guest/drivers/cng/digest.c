// SPDX-License-Identifier: GPL-2.0-or-later
/* Hashes, and HMAC over them as RFC 2104 has it. */
#include "cng.h"

VOID CngBeginDigest(CNG_DIGEST *Digest, const struct ltc_hash_descriptor *Hash, BOOLEAN Keyed, const UCHAR *Secret,
                    ULONG Length)
{
    UCHAR Block[CNG_LARGEST_BLOCK] = {0};

    Digest->Hash = Hash;
    Digest->Keyed = Keyed;
    if (Keyed) {
        if (Length > Hash->blocksize) {
            Hash->init(&Digest->State);
            Hash->process(&Digest->State, Secret, Length);
            Hash->done(&Digest->State, Block);
        } else if (Length != 0) {
            RtlCopyMemory(Block, Secret, Length);
        }
        for (ULONG Index = 0; Index < Hash->blocksize; Index++)
            Block[Index] ^= 0x36;
        Hash->init(&Digest->Inner);
        Hash->process(&Digest->Inner, Block, Hash->blocksize);
        for (ULONG Index = 0; Index < Hash->blocksize; Index++)
            Block[Index] ^= 0x36 ^ 0x5c;
        Hash->init(&Digest->Outer);
        Hash->process(&Digest->Outer, Block, Hash->blocksize);
        RtlSecureZeroMemory(Block, sizeof(Block));
    }
    CngRestartDigest(Digest);
}

VOID CngRestartDigest(CNG_DIGEST *Digest)
{
    if (Digest->Keyed)
        Digest->State = Digest->Inner;
    else
        Digest->Hash->init(&Digest->State);
}

VOID CngAddToDigest(CNG_DIGEST *Digest, const UCHAR *Data, ULONG Length)
{
    if (Length != 0)
        Digest->Hash->process(&Digest->State, Data, Length);
}

VOID CngEndDigest(CNG_DIGEST *Digest, PUCHAR Output)
{
    UCHAR Inner[CNG_LARGEST_HASH];

    if (!Digest->Keyed) {
        Digest->Hash->done(&Digest->State, Output);
        return;
    }
    Digest->Hash->done(&Digest->State, Inner);
    Digest->State = Digest->Outer;
    Digest->Hash->process(&Digest->State, Inner, Digest->Hash->hashsize);
    Digest->Hash->done(&Digest->State, Output);
}
