// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The documented pool routines: what each flag means, what is refused, and how failure is told.
 *
 * A driver's mistake is a bugcheck while the verifier is on: Driver Verifier's code 0xC4 where it has one for the
 * case, else the pool's own.  The kernel's own calls are checked by the pool's codes.
 */
#include "mip.h"

#define MI_POOL_REQUIRED_FLAGS 0x00000000FFFFFFFFULL /* unknown ones among these are refused */
#define MI_POOL_KNOWN_FLAGS                                                                                            \
    (POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_SESSION | POOL_FLAG_CACHE_ALIGNED |                     \
     POOL_FLAG_RAISE_ON_FAILURE | POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED)

#define MI_BIG_TAG 0x00474942 /* "BIG" */

BOOLEAN MiStarted;

DECLSPEC_NORETURN VOID MiPoolBugCheck(PCSTR Rule, PVOID Address, PVOID Caller, ULONG Code, ULONG64 P1, ULONG64 P2,
                                      ULONG64 P3, ULONG64 P4)
{
    CHAR Text[1024];
    int Used = _snprintf(Text, 128, "rule=%s\ncaller=0x%I64x\n", Rule, (ULONG64)Caller);

    MmDescribePoolAddress(Address, Text + Used, sizeof(Text) - (ULONG)Used);
    FvReport(Text);
    KeBugCheckEx(Code, P1, P2, P3, P4);
}

FORCEINLINE BOOLEAN MiVerifies(ULONG Owner)
{
    return Owner != MM_OWNER_KERNEL && KiDriverVerifierOn;
}

static BOOLEAN MiHasLetter(ULONG Tag)
{
    for (; Tag != 0; Tag >>= 8) {
        UCHAR c = (UCHAR)(Tag & 0x7F);
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
            return TRUE;
    }
    return FALSE;
}

static ULONG MiGoodTag; /* the tag that was found good last */

static DECLSPEC_NOINLINE VOID MiCheckTag(PMI_REQUEST Request)
{
    if (Request->Tag == MI_BIG_TAG)
        MiPoolBugCheck("tag-big", NULL, Request->Caller, BAD_POOL_CALLER, 0x9C, Request->PoolType, Request->Size,
                       (ULONG64)Request->Caller);
    if (!MiHasLetter(Request->Tag))
        MiPoolBugCheck("tag-unprintable", NULL, Request->Caller, BAD_POOL_CALLER, 0x9D, Request->Tag, Request->PoolType,
                       (ULONG64)Request->Caller);
    MiGoodTag = Request->Tag;
}

/* What every allocation must satisfy, whoever asks. */
FORCEINLINE VOID MiCheckRequest(PMI_REQUEST Request)
{
    KIRQL Irql = (KIRQL)__readcr8();
    BOOLEAN Verify;

    if (Request->Tag == 0)
        MiPoolBugCheck("tag-zero", NULL, Request->Caller, BAD_POOL_CALLER, 0x9B, Request->PoolType, Request->Size,
                       (ULONG64)Request->Caller);
    if (Request->Owner == MM_OWNER_KERNEL) {
        if (MiStarted && Irql > (Request->Paged ? APC_LEVEL : DISPATCH_LEVEL))
            MiPoolBugCheck("irql", NULL, Request->Caller, BAD_POOL_CALLER, 8, Irql, Request->PoolType, Request->Size);
        return;
    }
    Verify = MiVerifies(Request->Owner);
    if (Irql > (Request->Paged ? APC_LEVEL : DISPATCH_LEVEL)) {
        if (Verify)
            MiPoolBugCheck("irql", NULL, Request->Caller, DRIVER_VERIFIER_DETECTED_VIOLATION, Request->Paged ? 1 : 2,
                           Irql, Request->PoolType, Request->Size);
        MiPoolBugCheck("irql", NULL, Request->Caller, BAD_POOL_CALLER, 8, Irql, Request->PoolType, Request->Size);
    }
    if (!Verify)
        return;
    if (Request->Size == 0)
        MiPoolBugCheck("zero-bytes", NULL, Request->Caller, DRIVER_VERIFIER_DETECTED_VIOLATION, 0, Irql,
                       Request->PoolType, 0);
    if (Request->Tag != MiGoodTag)
        MiCheckTag(Request);
}

/* There is no memory, or the allocation is to Fail. */
static DECLSPEC_NOINLINE PVOID MiAllocateAgain(PMI_REQUEST Request, BOOLEAN Fail)
{
    PVOID Address = !Fail && MiGiveBackResting() ? MiAllocateBlock(Request) : NULL;

    if (Address == NULL) {
        MiOwner[Request->Owner].Counters.Failures++;
        if (Request->Raise)
            RtlRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    }
    return Address;
}

FORCEINLINE PVOID MiAllocate(PMI_REQUEST Request)
{
    PVOID Address = NULL;

    MiCheckRequest(Request);
    if (Request->Size == 0)
        Request->Size = 1;
    Request->Stack = MiVerifies(Request->Owner) ? MiRecordStack() : 0;
    if (Request->Owner != MM_OWNER_KERNEL) {
        if (MiIsAllocationFailed(Request))
            return MiAllocateAgain(Request, TRUE);
        if (KiDriverVerifierOn)
            Address = MiAllocateSpecial(Request);
    }
    if (Address == NULL)
        Address = MiAllocateBlock(Request);
    return Address != NULL ? Address : MiAllocateAgain(Request, FALSE);
}

FORCEINLINE VOID MiDecodePoolType(PMI_REQUEST Request, POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    ULONG Base = (ULONG)PoolType & 7;

    Request->Paged = Base & 1;
    Request->Execute = !Request->Paged && !(PoolType & POOL_NX_ALLOCATION);
    Request->Zero = (PoolType & POOL_ZERO_ALLOCATION) != 0;
    Request->Raise = (PoolType & POOL_RAISE_IF_ALLOCATION_FAILURE) != 0;
    Request->Tag = Tag;
    Request->Size = Size;
    Request->Caller = Caller;
    Request->Owner = MiFindOwner(Caller);
    Request->PoolType = PoolType;
    /* The kernel itself never executes pool. */
    if (Request->Owner == MM_OWNER_KERNEL)
        Request->Execute = FALSE;
    if ((Base & 2) != 0)
        MiPoolBugCheck("must-succeed", NULL, Caller, BAD_POOL_CALLER, 0x9A, PoolType, Size, Tag);
    /* Cache-aligned: from 64 bytes up a multiple of 64 at the end of a page is aligned as asked. */
    if ((Base & 4) != 0 && Request->Owner == MM_OWNER_KERNEL && Size < PAGE_SIZE)
        Request->Size = PAGE_SIZE;
    else if ((Base & 4) != 0)
        Request->Size = (Size + 63) & ~(SIZE_T)63;
}

static PVOID MiAllocateOfType(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    MI_REQUEST Request;

    MiDecodePoolType(&Request, PoolType, Size, Tag, Caller);
    return MiAllocate(&Request);
}

/* Above APC_LEVEL. */
static DECLSPEC_NOINLINE VOID MiCheckFreeIrql(PVOID Address, PVOID Caller, KIRQL Irql)
{
    ULONG64 Value = (ULONG64)Address;
    BOOLEAN Paged = MiIsSpecialAddress(Value) ? MiIsSpecialPaged(Address) : MiInRegion(&MiPagedRegion, Value);
    BOOLEAN Verify = MiVerifies(MiFindOwner(Caller));

    if (Irql > DISPATCH_LEVEL)
        MiPoolBugCheck("irql", Address, Caller, Verify ? DRIVER_VERIFIER_DETECTED_VIOLATION : BAD_POOL_CALLER,
                       Verify ? 0x12 : 9, Irql, NonPagedPool, Value);
    if (Paged)
        MiPoolBugCheck("irql", Address, Caller, Verify ? DRIVER_VERIFIER_DETECTED_VIOLATION : BAD_POOL_CALLER,
                       Verify ? 0x11 : 9, Irql, PagedPool, Value);
}

static VOID MiFree(PVOID Address, ULONG Tag, PVOID Caller)
{
    ULONG64 Value = (ULONG64)Address;
    KIRQL Irql = (KIRQL)__readcr8();

    if (Value < FLTVM_VA_DIRECT_MAP)
        MiPoolBugCheck("bad-free", Address, Caller, BAD_POOL_CALLER, Value == 0 ? 0x46 : 0x40, Value,
                       Value == 0 ? 0 : FLTVM_VA_DIRECT_MAP, 0);
    if (Irql > APC_LEVEL && MiStarted)
        MiCheckFreeIrql(Address, Caller, Irql);
    if (MiIsSpecialAddress(Value))
        MiFreeSpecial(Address, Tag, Caller);
    else if (MiInRegion(&MiNonPagedRegion, Value))
        MiFreeBlock(Address, Tag, Caller, FALSE);
    else if (MiInRegion(&MiPagedRegion, Value))
        MiFreeBlock(Address, Tag, Caller, TRUE);
    else
        MiPoolBugCheck("bad-free", Address, Caller, BAD_POOL_CALLER, 0x42, Value, 0, 0);
}

PVOID MmAllocatePoolForCaller(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    return MiAllocateOfType(PoolType, Size, Tag, Caller);
}

PVOID NTAPI FvAllocatePoolForCaller(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    return MiAllocateOfType(PoolType, Size, Tag, Caller);
}

PVOID MmAllocateGuarded(SIZE_T Size, ULONG Tag)
{
    PVOID Address = NULL;
    MI_REQUEST Request;

    MiDecodePoolType(&Request, NonPagedPoolNx, Size, Tag, (PVOID)MmAllocateGuarded);
    if (KiDriverVerifierOn) {
        Request.Stack = MiRecordStack();
        Address = MiAllocateSpecial(&Request);
    }
    return Address != NULL ? Address : MiAllocate(&Request);
}

#define MI_CALLER __builtin_return_address(0)

#undef ExAllocatePool
#undef ExFreePool
#undef ExAllocatePoolWithQuota

DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return MiAllocateOfType(PoolType, NumberOfBytes, Tag, MI_CALLER);
}

DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return MiAllocateOfType(PoolType, NumberOfBytes, 'enoN', MI_CALLER);
}

/* Processes have no quota limits here; what is kept is how failure is told. */
static PVOID MiAllocateWithQuota(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    if (!(PoolType & POOL_QUOTA_FAIL_INSTEAD_OF_RAISE))
        PoolType |= POOL_RAISE_IF_ALLOCATION_FAILURE;
    return MiAllocateOfType(PoolType & ~POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, Size, Tag, Caller);
}

DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithQuotaTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return MiAllocateWithQuota(PoolType, NumberOfBytes, Tag, MI_CALLER);
}

DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithQuota(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return MiAllocateWithQuota(PoolType, NumberOfBytes, 'enoN', MI_CALLER);
}

/* Priority only matters when pool is nearly exhausted: low priorities then fail first, as documented. */
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePoolWithTagPriority(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                                            EX_POOL_PRIORITY Priority)
{
    SIZE_T Keep = Priority < NormalPoolPriority ? MiTotalPages / 16
                  : Priority < HighPoolPriority ? MiTotalPages / 64
                                                : 0;

    if (MiFreePages < Keep + BYTES_TO_PAGES(NumberOfBytes))
        return NULL;
    return MiAllocateOfType(PoolType, NumberOfBytes, Tag, MI_CALLER);
}

static PVOID MiAllocateByFlags(ULONG64 Flags, SIZE_T Size, ULONG Tag, PVOID Caller)
{
    ULONG64 Type = Flags & (POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED);
    MI_REQUEST Request = {0};

    if (Tag == 0 || Size == 0 || Type == 0 || (Type & (Type - 1)) != 0 ||
        (Flags & MI_POOL_REQUIRED_FLAGS & ~MI_POOL_KNOWN_FLAGS) != 0) {
        if (Flags & POOL_FLAG_RAISE_ON_FAILURE)
            RtlRaiseStatus(STATUS_INVALID_PARAMETER);
        return NULL;
    }
    Request.Paged = Type == POOL_FLAG_PAGED;
    Request.Execute = Type == POOL_FLAG_NON_PAGED_EXECUTE;
    Request.Zero = !(Flags & POOL_FLAG_UNINITIALIZED);
    Request.Raise = (Flags & POOL_FLAG_RAISE_ON_FAILURE) != 0;
    Request.Tag = Tag;
    Request.Size = Flags & POOL_FLAG_CACHE_ALIGNED ? (Size + 63) & ~(SIZE_T)63 : Size;
    Request.Caller = Caller;
    Request.Owner = MiFindOwner(Caller);
    Request.PoolType = Request.Paged ? PagedPool : Request.Execute ? NonPagedPool : NonPagedPoolNx;
    if ((Flags & POOL_FLAG_CACHE_ALIGNED) && Request.Owner == MM_OWNER_KERNEL)
        Request.Size = ROUND_TO_PAGES(Size);
    return MiAllocate(&Request);
}

PVOID NTAPI ExAllocatePool2(ULONG64 Flags, SIZE_T NumberOfBytes, ULONG Tag);
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePool2(ULONG64 Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    return MiAllocateByFlags(Flags, NumberOfBytes, Tag, MI_CALLER);
}

/* An extended parameter, as wdm.h has it: type, then an "optional" bit, then a value. */
typedef struct _MI_EXTENDED_PARAMETER {
    ULONG64 Type : 8;
    ULONG64 Optional : 1;
    ULONG64 Reserved : 55;
    ULONG64 Value;
} MI_EXTENDED_PARAMETER;

#define MI_EXTENDED_PRIORITY  1
#define MI_EXTENDED_NUMA_NODE 4

PVOID NTAPI ExAllocatePool3(ULONG64 Flags, SIZE_T NumberOfBytes, ULONG Tag,
                            PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount);
DECLSPEC_NOINLINE PVOID NTAPI ExAllocatePool3(ULONG64 Flags, SIZE_T NumberOfBytes, ULONG Tag,
                                              PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                                              ULONG ExtendedParametersCount)
{
    const MI_EXTENDED_PARAMETER *Parameter = (const MI_EXTENDED_PARAMETER *)ExtendedParameters;

    for (ULONG Index = 0; Index < ExtendedParametersCount; Index++, Parameter++) {
        if (ExtendedParameters == NULL || (Parameter->Type != MI_EXTENDED_PRIORITY &&
                                           Parameter->Type != MI_EXTENDED_NUMA_NODE && !Parameter->Optional)) {
            if (Flags & POOL_FLAG_RAISE_ON_FAILURE)
                RtlRaiseStatus(STATUS_INVALID_PARAMETER);
            return NULL;
        }
    }
    return MiAllocateByFlags(Flags, NumberOfBytes, Tag, MI_CALLER);
}

DECLSPEC_NOINLINE VOID NTAPI ExFreePool(PVOID P)
{
    MiFree(P, 0, MI_CALLER);
}

DECLSPEC_NOINLINE VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    MiFree(P, Tag, MI_CALLER);
}

VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters, ULONG ExtendedParametersCount);
DECLSPEC_NOINLINE VOID NTAPI ExFreePool2(PVOID P, ULONG Tag, PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                                         ULONG ExtendedParametersCount)
{
    UNREFERENCED_PARAMETER(ExtendedParameters);
    UNREFERENCED_PARAMETER(ExtendedParametersCount);
    MiFree(P, Tag, MI_CALLER);
}
