// SPDX-License-Identifier: GPL-2.0-or-later
/* ECDSA on the curves P-256 and P-384 (FIPS 186-4), over the library's arithmetic of points. */
#include "cng.h"

/* The numbers of a verification; all are there, or none. */
typedef struct _CNG_CURVE {
    VOID *Prime, *Order, *R, *S, *E, *U1, *U2;
    ecc_point *Base, *Public;
} CNG_CURVE;

static const ltc_ecc_set_type *CngFindCurve(ULONG Size)
{
    for (const ltc_ecc_set_type *Set = ltc_ecc_sets; Set->size != 0; Set++) {
        if ((ULONG)Set->size == Size)
            return Set;
    }
    return NULL;
}

static VOID CngFreeCurve(CNG_CURVE *Curve)
{
    if (Curve->Base != NULL)
        ltc_ecc_del_point(Curve->Base);
    if (Curve->Public != NULL)
        ltc_ecc_del_point(Curve->Public);
    if (Curve->Prime != NULL)
        ltc_deinit_multi(Curve->Prime, Curve->Order, Curve->R, Curve->S, Curve->E, Curve->U1, Curve->U2, NULL);
}

static int CngMakeCurve(CNG_CURVE *Curve, const ltc_ecc_set_type *Set, const UCHAR *X, const UCHAR *Y)
{
    int Error;

    RtlZeroMemory(Curve, sizeof(*Curve));
    Error = ltc_init_multi(&Curve->Prime, &Curve->Order, &Curve->R, &Curve->S, &Curve->E, &Curve->U1, &Curve->U2, NULL);
    if (Error != CRYPT_OK) {
        Curve->Prime = NULL;
        return Error;
    }
    Curve->Base = ltc_ecc_new_point();
    Curve->Public = ltc_ecc_new_point();
    if (Curve->Base == NULL || Curve->Public == NULL)
        return CRYPT_MEM;
    if ((Error = mp_read_radix(Curve->Prime, Set->prime, 16)) != CRYPT_OK ||
        (Error = mp_read_radix(Curve->Order, Set->order, 16)) != CRYPT_OK ||
        (Error = mp_read_radix(Curve->Base->x, Set->Gx, 16)) != CRYPT_OK ||
        (Error = mp_read_radix(Curve->Base->y, Set->Gy, 16)) != CRYPT_OK ||
        (Error = mp_set(Curve->Base->z, 1)) != CRYPT_OK ||
        (Error = mp_read_unsigned_bin(Curve->Public->x, (UCHAR *)X, (ULONG)Set->size)) != CRYPT_OK ||
        (Error = mp_read_unsigned_bin(Curve->Public->y, (UCHAR *)Y, (ULONG)Set->size)) != CRYPT_OK ||
        (Error = mp_set(Curve->Public->z, 1)) != CRYPT_OK)
        return Error;
    return CRYPT_OK;
}

/* y² + 3x = x³ + b, and both below the prime. */
static int CngIsOnCurve(CNG_CURVE *Curve, const ltc_ecc_set_type *Set, BOOLEAN *Is)
{
    VOID *X = Curve->Public->x, *Y = Curve->Public->y, *Left = Curve->U1, *Right = Curve->U2, *Term = Curve->E;
    int Error;

    *Is = FALSE;
    if (mp_cmp(X, Curve->Prime) != LTC_MP_LT || mp_cmp(Y, Curve->Prime) != LTC_MP_LT)
        return CRYPT_OK;
    if ((Error = mp_sqrmod(Y, Curve->Prime, Left)) != CRYPT_OK || (Error = mp_mul_d(X, 3, Term)) != CRYPT_OK ||
        (Error = mp_add(Left, Term, Left)) != CRYPT_OK || (Error = mp_mod(Left, Curve->Prime, Left)) != CRYPT_OK ||
        (Error = mp_sqrmod(X, Curve->Prime, Right)) != CRYPT_OK ||
        (Error = mp_mulmod(Right, X, Curve->Prime, Right)) != CRYPT_OK ||
        (Error = mp_read_radix(Term, Set->B, 16)) != CRYPT_OK || (Error = mp_add(Right, Term, Right)) != CRYPT_OK ||
        (Error = mp_mod(Right, Curve->Prime, Right)) != CRYPT_OK)
        return Error;
    *Is = mp_cmp(Left, Right) == LTC_MP_EQ;
    return CRYPT_OK;
}

NTSTATUS CngCheckPoint(const CNG_ALGORITHM *Algorithm, const UCHAR *X, const UCHAR *Y)
{
    const ltc_ecc_set_type *Set = CngFindCurve(Algorithm->Curve);
    CNG_CURVE Curve;
    BOOLEAN Is = FALSE;
    int Error = CngMakeCurve(&Curve, Set, X, Y);

    if (Error == CRYPT_OK)
        Error = CngIsOnCurve(&Curve, Set, &Is);
    CngFreeCurve(&Curve);
    if (Error != CRYPT_OK)
        return CngStatusOf(Error);
    return Is ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* FIPS 186-4, section 6.4: x of (e/s)·G + (r/s)·Q is r, modulo the order. */
static int CngVerifyOnCurve(CNG_CURVE *Curve, const UCHAR *Hash, ULONG HashLength, const UCHAR *Signature, ULONG Size,
                            BOOLEAN *Holds)
{
    int Error;

    *Holds = FALSE;
    if ((Error = mp_read_unsigned_bin(Curve->R, (UCHAR *)Signature, Size)) != CRYPT_OK ||
        (Error = mp_read_unsigned_bin(Curve->S, (UCHAR *)Signature + Size, Size)) != CRYPT_OK ||
        (Error = mp_read_unsigned_bin(Curve->E, (UCHAR *)Hash, min(HashLength, Size))) != CRYPT_OK)
        return Error;
    if (mp_iszero(Curve->R) || mp_iszero(Curve->S) || mp_cmp(Curve->R, Curve->Order) != LTC_MP_LT ||
        mp_cmp(Curve->S, Curve->Order) != LTC_MP_LT)
        return CRYPT_OK;
    if ((Error = mp_invmod(Curve->S, Curve->Order, Curve->S)) != CRYPT_OK ||
        (Error = mp_mulmod(Curve->E, Curve->S, Curve->Order, Curve->U1)) != CRYPT_OK ||
        (Error = mp_mulmod(Curve->R, Curve->S, Curve->Order, Curve->U2)) != CRYPT_OK ||
        (Error = ltc_mp.ecc_mul2add(Curve->Base, Curve->U1, Curve->Public, Curve->U2, Curve->Base, Curve->Prime)) !=
            CRYPT_OK ||
        (Error = mp_mod(Curve->Base->x, Curve->Order, Curve->Base->x)) != CRYPT_OK)
        return Error;
    *Holds = mp_cmp(Curve->Base->x, Curve->R) == LTC_MP_EQ;
    return CRYPT_OK;
}

NTSTATUS CngVerifyEcdsa(const CNG_KEY *Key, const UCHAR *Hash, ULONG HashLength, const UCHAR *Signature, ULONG Length)
{
    ULONG Size = Key->Provider->Algorithm->Curve;
    CNG_CURVE Curve;
    BOOLEAN Holds = FALSE;
    int Error;

    if (Length != 2 * Size)
        return STATUS_INVALID_SIGNATURE;
    Error = CngMakeCurve(&Curve, CngFindCurve(Size), Key->Number, Key->Number + Size);
    if (Error == CRYPT_OK)
        Error = CngVerifyOnCurve(&Curve, Hash, HashLength, Signature, Size, &Holds);
    CngFreeCurve(&Curve);
    if (Error != CRYPT_OK)
        return CngStatusOf(Error);
    return Holds ? STATUS_SUCCESS : STATUS_INVALID_SIGNATURE;
}
