// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Properties of providers, hashes and keys, by name.
 *
 * IRQL: as the object's routines.  Sources: the pages BCryptGetProperty, BCryptSetProperty and "Cryptography Primitive
 * Property Identifiers".
 */
#include "cng.h"

/* The object that a handle means; exactly one of them, but for the provider, which is there always. */
typedef struct _CNG_SUBJECT {
    CNG_PROVIDER *Provider;
    CNG_HASH *Hash;
    CNG_KEY *Key;
} CNG_SUBJECT;

/* A property's value, before it is copied out. */
typedef struct _CNG_VALUE {
    const VOID *Bytes;
    ULONG Length;
    union {
        ULONG Number;
        BCRYPT_HANDLE Handle;
        BCRYPT_KEY_LENGTHS_STRUCT Lengths;
    };
} CNG_VALUE;

static const struct {
    PCWSTR Name;
    CNG_MODE Mode;
} CngModes[] = {
    {BCRYPT_CHAIN_MODE_CBC, CngModeCbc},
    {BCRYPT_CHAIN_MODE_ECB, CngModeEcb},
    {BCRYPT_CHAIN_MODE_CFB, CngModeCfb},
    {BCRYPT_CHAIN_MODE_GCM, CngModeGcm},
};

static BOOLEAN CngFindSubject(BCRYPT_HANDLE Handle, CNG_SUBJECT *Subject)
{
    RtlZeroMemory(Subject, sizeof(*Subject));
    Subject->Provider = CngProviderOf(Handle);
    if (Subject->Provider != NULL)
        return TRUE;
    if (CngIsObject(Handle, CNG_HASH_MAGIC)) {
        Subject->Hash = Handle;
        Subject->Provider = Subject->Hash->Provider;
    } else if (CngIsObject(Handle, CNG_KEY_MAGIC)) {
        Subject->Key = Handle;
        Subject->Provider = Subject->Key->Provider;
    }
    return Subject->Provider != NULL;
}

static CNG_CHAINING *CngChainingOf(CNG_SUBJECT *Subject)
{
    return Subject->Key != NULL ? &Subject->Key->Chaining : &Subject->Provider->Chaining;
}

static BOOLEAN CngNumber(CNG_VALUE *Value, ULONG Number)
{
    Value->Number = Number;
    Value->Bytes = &Value->Number;
    Value->Length = sizeof(Value->Number);
    return TRUE;
}

static BOOLEAN CngText(CNG_VALUE *Value, PCWSTR Text)
{
    Value->Bytes = Text;
    Value->Length = (ULONG)(wcslen(Text) + 1) * sizeof(WCHAR);
    return TRUE;
}

static BOOLEAN CngLengths(CNG_VALUE *Value, ULONG Minimum, ULONG Maximum, ULONG Step)
{
    Value->Lengths = (BCRYPT_KEY_LENGTHS_STRUCT){Minimum, Maximum, Step};
    Value->Bytes = &Value->Lengths;
    Value->Length = sizeof(Value->Lengths);
    return TRUE;
}

static BOOLEAN CngHashProperty(CNG_SUBJECT *Subject, PCWSTR Name, CNG_VALUE *Value)
{
    const struct ltc_hash_descriptor *Hash = Subject->Provider->Algorithm->Hash;
    BOOLEAN Reusable =
        Subject->Hash != NULL ? Subject->Hash->Reusable : (Subject->Provider->Flags & BCRYPT_HASH_REUSABLE_FLAG) != 0;

    if (wcscmp(Name, BCRYPT_OBJECT_LENGTH) == 0)
        return CngNumber(Value, CNG_ROOM_FOR(sizeof(CNG_HASH)));
    if (wcscmp(Name, BCRYPT_HASH_LENGTH) == 0)
        return CngNumber(Value, (ULONG)Hash->hashsize);
    if (wcscmp(Name, BCRYPT_HASH_BLOCK_LENGTH) == 0)
        return CngNumber(Value, (ULONG)Hash->blocksize);
    if (wcscmp(Name, BCRYPT_IS_KEYED_HASH) == 0)
        return CngNumber(Value, (Subject->Provider->Flags & BCRYPT_ALG_HANDLE_HMAC_FLAG) != 0);
    return wcscmp(Name, BCRYPT_IS_REUSABLE_HASH) == 0 && CngNumber(Value, Reusable);
}

static BOOLEAN CngCipherProperty(CNG_SUBJECT *Subject, PCWSTR Name, CNG_VALUE *Value)
{
    const CNG_CHAINING *Chaining = CngChainingOf(Subject);

    if (wcscmp(Name, BCRYPT_OBJECT_LENGTH) == 0 || wcscmp(Name, BCRYPT_KEY_OBJECT_LENGTH) == 0)
        return CngNumber(Value, CNG_ROOM_FOR(sizeof(CNG_KEY)));
    if (wcscmp(Name, BCRYPT_BLOCK_LENGTH) == 0 || wcscmp(Name, BCRYPT_BLOCK_SIZE_LIST) == 0)
        return CngNumber(Value, CNG_AES_BLOCK);
    if (wcscmp(Name, BCRYPT_KEY_LENGTHS) == 0)
        return CngLengths(Value, 128, 256, 64);
    if (wcscmp(Name, BCRYPT_AUTH_TAG_LENGTH) == 0)
        return Chaining->Mode == CngModeGcm && CngLengths(Value, 12, 16, 1);
    if (wcscmp(Name, BCRYPT_MESSAGE_BLOCK_LENGTH) == 0)
        return CngNumber(Value, Chaining->Mode == CngModeCfb ? Chaining->MessageBlock : CNG_AES_BLOCK);
    if (wcscmp(Name, BCRYPT_CHAINING_MODE) == 0) {
        for (ULONG Index = 0; Index < RTL_NUMBER_OF(CngModes); Index++) {
            if (CngModes[Index].Mode == Chaining->Mode)
                return CngText(Value, CngModes[Index].Name);
        }
    }
    return Subject->Key != NULL && (wcscmp(Name, BCRYPT_KEY_LENGTH) == 0 || wcscmp(Name, BCRYPT_KEY_STRENGTH) == 0) &&
           CngNumber(Value, Subject->Key->Length * 8);
}

static BOOLEAN CngSignatureProperty(CNG_SUBJECT *Subject, PCWSTR Name, CNG_VALUE *Value)
{
    ULONG Curve = Subject->Provider->Algorithm->Curve;
    const CNG_KEY *Key = Subject->Key;

    if (wcscmp(Name, BCRYPT_PADDING_SCHEMES) == 0)
        return Curve == 0 && CngNumber(Value, BCRYPT_SUPPORTED_PAD_PKCS1_SIG | BCRYPT_SUPPORTED_PAD_PSS);
    if (wcscmp(Name, BCRYPT_KEY_LENGTHS) == 0)
        return Curve != 0 ? CngLengths(Value, Curve * 8, Curve * 8, 0)
                          : CngLengths(Value, 512, CNG_LARGEST_RSA * 8, 64);
    if (Key == NULL)
        return FALSE;
    if (wcscmp(Name, BCRYPT_KEY_LENGTH) == 0)
        return CngNumber(Value, Key->FirstLength * 8);
    return wcscmp(Name, BCRYPT_SIGNATURE_LENGTH) == 0 && CngNumber(Value, Curve != 0 ? 2 * Curve : Key->FirstLength);
}

static BOOLEAN CngProperty(CNG_SUBJECT *Subject, PCWSTR Name, CNG_VALUE *Value)
{
    const CNG_ALGORITHM *Algorithm = Subject->Provider->Algorithm;

    if (wcscmp(Name, BCRYPT_ALGORITHM_NAME) == 0)
        return CngText(Value, Algorithm->Name);
    if (wcscmp(Name, BCRYPT_PRIMITIVE_TYPE) == 0)
        return CngNumber(Value, Algorithm->Interface);
    if (wcscmp(Name, BCRYPT_PROVIDER_HANDLE) == 0) {
        Value->Handle = Subject->Provider;
        Value->Bytes = &Value->Handle;
        Value->Length = sizeof(Value->Handle);
        return Subject->Hash != NULL || Subject->Key != NULL;
    }
    if (Algorithm->Interface == BCRYPT_HASH_INTERFACE)
        return CngHashProperty(Subject, Name, Value);
    if (Algorithm->Interface == BCRYPT_CIPHER_INTERFACE)
        return CngCipherProperty(Subject, Name, Value);
    return Algorithm->Interface == BCRYPT_SIGNATURE_INTERFACE && CngSignatureProperty(Subject, Name, Value);
}

/* STATUS_NOT_SUPPORTED: the object has no such property. */
NTSTATUS WINAPI BCryptGetProperty(BCRYPT_HANDLE Handle, LPCWSTR Name, PUCHAR Output, ULONG Room, ULONG *Length,
                                  ULONG Flags)
{
    CNG_SUBJECT Subject;
    CNG_VALUE Value;

    if (!CngFindSubject(Handle, &Subject))
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Subject.Provider, Handle, CNG_CALLER());
    if (Name == NULL || Length == NULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (!CngProperty(&Subject, Name, &Value))
        return STATUS_NOT_SUPPORTED;
    *Length = Value.Length;
    if (Output == NULL)
        return STATUS_SUCCESS;
    if (Room < Value.Length)
        return STATUS_BUFFER_TOO_SMALL;
    RtlCopyMemory(Output, Value.Bytes, Value.Length);
    return STATUS_SUCCESS;
}

/* The mode whose name the bytes are, with its terminator. */
static NTSTATUS CngSetMode(CNG_CHAINING *Chaining, PCWSTR Text, ULONG Length)
{
    if (Length < sizeof(WCHAR) || Length % sizeof(WCHAR) != 0 || Text[Length / sizeof(WCHAR) - 1] != 0)
        return STATUS_INVALID_PARAMETER;
    for (ULONG Index = 0; Index < RTL_NUMBER_OF(CngModes); Index++) {
        if (wcscmp(CngModes[Index].Name, Text) == 0) {
            Chaining->Mode = CngModes[Index].Mode;
            return STATUS_SUCCESS;
        }
    }
    return STATUS_NOT_SUPPORTED;
}

/* STATUS_NOT_SUPPORTED: no such property, or none that can be set; a mode that is not built, as CCM. */
NTSTATUS WINAPI BCryptSetProperty(BCRYPT_HANDLE Handle, LPCWSTR Name, PUCHAR Input, ULONG Length, ULONG Flags)
{
    CNG_SUBJECT Subject;
    ULONG Number;

    if (!CngFindSubject(Handle, &Subject))
        return STATUS_INVALID_HANDLE;
    CngCheckIrql(Subject.Provider, Handle, CNG_CALLER());
    if (Name == NULL || Input == NULL || Flags != 0)
        return STATUS_INVALID_PARAMETER;
    if (Subject.Provider->Algorithm->Interface != BCRYPT_CIPHER_INTERFACE)
        return STATUS_NOT_SUPPORTED;
    if (wcscmp(Name, BCRYPT_CHAINING_MODE) == 0)
        return CngSetMode(CngChainingOf(&Subject), (PCWSTR)Input, Length);
    if (wcscmp(Name, BCRYPT_MESSAGE_BLOCK_LENGTH) == 0) {
        if (Length != sizeof(ULONG))
            return STATUS_INVALID_PARAMETER;
        RtlCopyMemory(&Number, Input, sizeof(Number));
        if (CngChainingOf(&Subject)->Mode != CngModeCfb || (Number != 1 && Number != CNG_AES_BLOCK))
            return STATUS_INVALID_PARAMETER;
        CngChainingOf(&Subject)->MessageBlock = Number;
        return STATUS_SUCCESS;
    }
    if (Subject.Key != NULL && wcscmp(Name, BCRYPT_INITIALIZATION_VECTOR) == 0) {
        if (Length != CNG_AES_BLOCK)
            return STATUS_INVALID_PARAMETER;
        RtlCopyMemory(Subject.Key->Vector, Input, Length);
        return STATUS_SUCCESS;
    }
    return STATUS_NOT_SUPPORTED;
}
