/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cng: cryptographic primitives for drivers, over libtomcrypt and libtommath.
 *
 * A handle is the address of its object.  Objects that drivers must give back are in one list, with the call that made
 * them: what a driver leaves behind is found when it goes.  Everything is nonpaged; a provider that was opened without
 * BCRYPT_PROV_DISPATCH is refused at DISPATCH_LEVEL all the same, where Windows's is paged out.
 */
#ifndef FLTVM_CNG_H
#define FLTVM_CNG_H

#include <ntifs.h>
#include <bcrypt.h>
#include <fltvm.h>
#include <tomcrypt.h>

#define CNG_TAG 'gnCF'

#define CNG_PROVIDER_MAGIC 'PgnC'
#define CNG_HASH_MAGIC     'HgnC'
#define CNG_KEY_MAGIC      'KgnC'

#define CNG_AES_BLOCK     16
#define CNG_LARGEST_HASH  64
#define CNG_LARGEST_BLOCK 128  /* of a hash */
#define CNG_LARGEST_RSA   2048 /* bytes of a modulus */

/* An algorithm of the table in provider.c. */
typedef struct _CNG_ALGORITHM {
    PCWSTR Name;
    ULONG Interface;                        /* BCRYPT_..._INTERFACE */
    const struct ltc_hash_descriptor *Hash; /* of BCRYPT_HASH_INTERFACE */
    ULONG Curve;                            /* bytes of a coordinate; 0: no curve */
    ULONG Pseudo, PseudoKeyed;              /* its pseudo handles, plain and with a key; 0: none */
    const UCHAR *Prefix;                    /* of a hash: what PKCS #1 puts before it */
    ULONG PrefixLength;
} CNG_ALGORITHM;

/* What every object begins with. */
typedef struct _CNG_OBJECT {
    ULONG Magic;
    BOOLEAN Ours;    /* the memory is cng's, and the object in the list */
    PVOID Memory;    /* what is freed */
    PVOID Caller;    /* who made it */
    LIST_ENTRY Link; /* CngLock */
} CNG_OBJECT;

typedef enum _CNG_MODE { CngModeCbc, CngModeEcb, CngModeCfb, CngModeGcm } CNG_MODE;

/* A key's way of chaining, which it has from its provider at first. */
typedef struct _CNG_CHAINING {
    CNG_MODE Mode;
    ULONG MessageBlock; /* of CFB: 1 or 16 bytes */
} CNG_CHAINING;

typedef struct _CNG_PROVIDER {
    CNG_OBJECT Object;
    const CNG_ALGORITHM *Algorithm;
    ULONG Flags; /* of BCryptOpenAlgorithmProvider */
    volatile LONG References;
    CNG_CHAINING Chaining;
} CNG_PROVIDER;

/* A hash, or with a key HMAC: RFC 2104. */
typedef struct _CNG_DIGEST {
    const struct ltc_hash_descriptor *Hash;
    BOOLEAN Keyed;
    hash_state State;
    hash_state Inner, Outer; /* with the key in them: where each computation begins */
} CNG_DIGEST;

typedef struct _CNG_HASH {
    CNG_OBJECT Object;
    CNG_PROVIDER *Provider;
    BOOLEAN Reusable, Finished;
    CNG_DIGEST Digest;
} CNG_HASH;

typedef struct _CNG_KEY {
    CNG_OBJECT Object;
    CNG_PROVIDER *Provider;
    union {
        struct { /* AES */
            CNG_CHAINING Chaining;
            symmetric_key Schedule;
            UCHAR Secret[32], Vector[CNG_AES_BLOCK];
            ULONG Length;
        };
        struct { /* the public half of RSA's, or of a curve's: first, second; big-endian */
            ULONG FirstLength, SecondLength;
            UCHAR Number[ANYSIZE_ARRAY]; /* the modulus and the exponent, or x and y */
        };
    };
} CNG_KEY;

#define CNG_CALLER() __builtin_return_address(0)

/* provider.c */
extern CNG_PROVIDER *CngProviderOf(BCRYPT_HANDLE Handle); /* NULL: no provider's handle */
const CNG_ALGORITHM *CngFindAlgorithm(PCWSTR Name);       /* NULL: there is none */
VOID CngReferenceProvider(CNG_PROVIDER *Provider);
VOID CngReleaseProvider(CNG_PROVIDER *Provider);
NTSTATUS CngStatusOf(int Error); /* of libtomcrypt's */

/*
 * object.c: memory for an object of Size bytes: the caller's, which must have room, or cng's when Buffer is NULL and
 * Room 0.  STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY.  IRQL <= DISPATCH_LEVEL.
 */
NTSTATUS CngMakeObject(ULONG Magic, ULONG Size, PUCHAR Buffer, ULONG Room, PVOID Caller, PVOID *Object);
VOID CngDropObject(CNG_OBJECT *Object);
/* Whether Handle is of such an object. */
BOOLEAN CngIsObject(PVOID Handle, ULONG Magic);
/* Room that the caller has to give for an object of Size bytes, wherever its buffer begins. */
#define CNG_ROOM_FOR(Size) ((ULONG)(Size) + MEMORY_ALLOCATION_ALIGNMENT)
/* The caller is at an IRQL at which the provider may be used, or it is a bugcheck that blames it. */
VOID CngCheckIrql(const CNG_PROVIDER *Provider, PVOID Handle, PVOID Caller);
VOID CngReport(PCSTR Reason, ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4, PVOID Caller);
VOID CngInitializeObjects(VOID);

/* digest.c.  IRQL <= DISPATCH_LEVEL. */
VOID CngBeginDigest(CNG_DIGEST *Digest, const struct ltc_hash_descriptor *Hash, BOOLEAN Keyed, const UCHAR *Secret,
                    ULONG Length);
VOID CngRestartDigest(CNG_DIGEST *Digest);
VOID CngAddToDigest(CNG_DIGEST *Digest, const UCHAR *Data, ULONG Length);
VOID CngEndDigest(CNG_DIGEST *Digest, PUCHAR Output);

/* chain.c: AES in blocks.  Output may be Input.  IRQL <= DISPATCH_LEVEL. */
VOID CngCrypt(CNG_KEY *Key, BOOLEAN Encrypt, const UCHAR *Input, ULONG Length, PUCHAR Vector, PUCHAR Output);

/* gcm.c: STATUS_AUTH_TAG_MISMATCH, and then the output is zero.  IRQL <= DISPATCH_LEVEL. */
NTSTATUS CngCryptGcm(CNG_KEY *Key, BOOLEAN Encrypt, const UCHAR *Input, ULONG Length, PUCHAR Vector, ULONG VectorLength,
                     BCRYPT_AUTHENTICATED_CIPHER_MODE_INFO *Info, PUCHAR Output);

/* random.c: bytes of the sequence that the machine's seed means.  IRQL <= DISPATCH_LEVEL. */
VOID CngRandom(PUCHAR Buffer, SIZE_T Length);
VOID CngInitializeRandom(VOID);

/* curve.c: whether x and y are a point of the curve; whether a signature holds. */
NTSTATUS CngCheckPoint(const CNG_ALGORITHM *Algorithm, const UCHAR *X, const UCHAR *Y);
NTSTATUS CngVerifyEcdsa(const CNG_KEY *Key, const UCHAR *Hash, ULONG HashLength, const UCHAR *Signature, ULONG Length);

#endif
