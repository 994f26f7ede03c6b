// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encryption and decryption with a symmetric key, with padding as PKCS #7 has it.
 *
 * IRQL: PASSIVE_LEVEL; DISPATCH_LEVEL with a provider that was opened with BCRYPT_PROV_DISPATCH.  Sources: the pages
 * BCryptEncrypt and BCryptDecrypt.
 */
#include "cng.h"

/* What both routines are called with. */
typedef struct _CNG_CALL {
    CNG_KEY *Key;
    BOOLEAN Encrypt;
    PUCHAR Input;
    ULONG Length;
    BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *Info;
    PUCHAR Vector;
    ULONG VectorLength;
    PUCHAR Output;
    ULONG Room;
    ULONG *Result;
    ULONG Flags;
} CNG_CALL;

static NTSTATUS CngCallGcm(const CNG_CALL *Call)
{
    if (Call->Info == NULL || Call->Info->cbSize != sizeof(*Call->Info) || Call->Flags != 0 ||
        (Call->Input == NULL && Call->Length != 0))
        return STATUS_INVALID_PARAMETER;
    *Call->Result = Call->Length;
    if (Call->Output == NULL && Call->Input != NULL)
        return STATUS_SUCCESS; /* the size is asked for */
    if (Call->Output != NULL && Call->Room < Call->Length)
        return STATUS_BUFFER_TOO_SMALL;
    return CngCryptGcm(Call->Key, Call->Encrypt, Call->Input, Call->Length, Call->Vector, Call->VectorLength,
                       Call->Info, Call->Output);
}

/* The last block with what fills it: the number of bytes that fill it, as often. */
static VOID CngEncryptPadded(const CNG_CALL *Call, PUCHAR Vector, ULONG Block)
{
    ULONG Whole = Call->Length - Call->Length % Block, Rest = Call->Length - Whole;
    UCHAR Last[CNG_AES_BLOCK];

    RtlCopyMemory(Last, Call->Input + Whole, Rest);
    RtlFillMemory(Last + Rest, Block - Rest, (UCHAR)(Block - Rest));
    CngCrypt(Call->Key, TRUE, Call->Input, Whole, Vector, Call->Output);
    CngCrypt(Call->Key, TRUE, Last, Block, Vector, Call->Output + Whole);
    *Call->Result = Whole + Block;
}

/* STATUS_DATA_ERROR: what fills the last block is not what encryption puts there. */
static NTSTATUS CngDecryptPadded(const CNG_CALL *Call, PUCHAR Vector, ULONG Block)
{
    ULONG Whole = Call->Length - Block, Fill;
    UCHAR Last[CNG_AES_BLOCK], Cipher[CNG_AES_BLOCK], LastVector[CNG_AES_BLOCK];

    RtlCopyMemory(Cipher, Call->Input + Whole, Block);
    /* The last block first: it says how much room is needed. */
    RtlCopyMemory(LastVector, Vector, CNG_AES_BLOCK);
    if (Whole != 0 && Call->Key->Chaining.Mode != CngModeEcb) {
        ULONG Before = min(Whole, CNG_AES_BLOCK);

        RtlMoveMemory(LastVector, LastVector + Before, CNG_AES_BLOCK - Before);
        RtlCopyMemory(LastVector + CNG_AES_BLOCK - Before, Call->Input + Whole - Before, Before);
    }
    CngCrypt(Call->Key, FALSE, Cipher, Block, LastVector, Last);
    Fill = Last[Block - 1];
    if (Fill == 0 || Fill > Block)
        return STATUS_DATA_ERROR;
    for (ULONG Index = Block - Fill; Index < Block; Index++) {
        if (Last[Index] != Fill)
            return STATUS_DATA_ERROR;
    }
    *Call->Result = Call->Length - Fill;
    if (Call->Room < *Call->Result)
        return STATUS_BUFFER_TOO_SMALL;
    CngCrypt(Call->Key, FALSE, Call->Input, Whole, Vector, Call->Output);
    RtlCopyMemory(Call->Output + Whole, Last, Block - Fill);
    RtlCopyMemory(Vector, LastVector, CNG_AES_BLOCK);
    return STATUS_SUCCESS;
}

static NTSTATUS CngCallBlocks(const CNG_CALL *Call)
{
    ULONG Block = Call->Key->Chaining.Mode == CngModeCfb ? Call->Key->Chaining.MessageBlock : CNG_AES_BLOCK;
    BOOLEAN Padded = (Call->Flags & BCRYPT_BLOCK_PADDING) != 0;
    ULONG Needed = Padded && Call->Encrypt ? Call->Length - Call->Length % Block + Block : Call->Length;
    UCHAR Own[CNG_AES_BLOCK];
    PUCHAR Vector = Own;

    if (Call->Input == NULL || Call->Info != NULL || (Call->Flags & ~BCRYPT_BLOCK_PADDING) != 0 ||
        Needed < Call->Length || (Call->Vector != NULL && Call->VectorLength != CNG_AES_BLOCK))
        return STATUS_INVALID_PARAMETER;
    if (Call->Length % Block != 0 && !(Padded && Call->Encrypt))
        return STATUS_INVALID_BUFFER_SIZE;
    if (Padded && !Call->Encrypt && Call->Length == 0)
        return STATUS_INVALID_BUFFER_SIZE;
    *Call->Result = Needed;
    if (Call->Output == NULL)
        return STATUS_SUCCESS;
    if (Call->Room < Needed && !(Padded && !Call->Encrypt))
        return STATUS_BUFFER_TOO_SMALL;
    if (Call->Vector != NULL)
        Vector = Call->Vector;
    else
        RtlCopyMemory(Own, Call->Key->Vector, CNG_AES_BLOCK);
    if (Padded && Call->Encrypt)
        CngEncryptPadded(Call, Vector, Block);
    else if (Padded)
        return CngDecryptPadded(Call, Vector, Block);
    else
        CngCrypt(Call->Key, Call->Encrypt, Call->Input, Call->Length, Vector, Call->Output);
    return STATUS_SUCCESS;
}

static NTSTATUS CngCall(const CNG_CALL *Call, PVOID Caller)
{
    if (Call->Key == NULL)
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Call->Key->Provider, Call->Key, Caller);
    if (Call->Key->Provider->Algorithm->Interface != BCRYPT_CIPHER_INTERFACE)
        return STATUS_NOT_SUPPORTED;
    if (Call->Result == NULL)
        return STATUS_INVALID_PARAMETER;
    return Call->Key->Chaining.Mode == CngModeGcm ? CngCallGcm(Call) : CngCallBlocks(Call);
}

NTSTATUS WINAPI BCryptEncrypt(BCRYPT_KEY_HANDLE Handle, PUCHAR Input, ULONG Length, VOID *Info, PUCHAR Vector,
                              ULONG VectorLength, PUCHAR Output, ULONG Room, ULONG *Result, ULONG Flags)
{
    CNG_CALL Call = {CngIsObject(Handle, CNG_KEY_MAGIC) ? Handle : NULL,
                     TRUE,
                     Input,
                     Length,
                     Info,
                     Vector,
                     VectorLength,
                     Output,
                     Room,
                     Result,
                     Flags};

    return CngCall(&Call, CNG_CALLER());
}

NTSTATUS WINAPI BCryptDecrypt(BCRYPT_KEY_HANDLE Handle, PUCHAR Input, ULONG Length, VOID *Info, PUCHAR Vector,
                              ULONG VectorLength, PUCHAR Output, ULONG Room, ULONG *Result, ULONG Flags)
{
    CNG_CALL Call = {CngIsObject(Handle, CNG_KEY_MAGIC) ? Handle : NULL,
                     FALSE,
                     Input,
                     Length,
                     Info,
                     Vector,
                     VectorLength,
                     Output,
                     Room,
                     Result,
                     Flags};

    return CngCall(&Call, CNG_CALLER());
}
