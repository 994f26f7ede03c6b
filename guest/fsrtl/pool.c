/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pool that raises STATUS_INSUFFICIENT_RESOURCES instead of returning NULL.  There are no quotas: nothing is charged. */
#include <ntifs.h>

/* IRQL <= DISPATCH_LEVEL, <= APC_LEVEL for paged pool. */
PVOID NTAPI FsRtlAllocatePoolWithTag(_In_ POOL_TYPE PoolType, _In_ ULONG NumberOfBytes, _In_ ULONG Tag)
{
    PVOID Block = ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);

    if (!Block)
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    return Block;
}

PVOID NTAPI FsRtlAllocatePool(_In_ POOL_TYPE PoolType, _In_ ULONG NumberOfBytes)
{
    return FsRtlAllocatePoolWithTag(PoolType, NumberOfBytes, 'tRsF');
}

PVOID NTAPI FsRtlAllocatePoolWithQuotaTag(_In_ POOL_TYPE PoolType, _In_ ULONG NumberOfBytes, _In_ ULONG Tag)
{
    return FsRtlAllocatePoolWithTag(PoolType & ~POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, NumberOfBytes, Tag);
}

PVOID NTAPI FsRtlAllocatePoolWithQuota(_In_ POOL_TYPE PoolType, _In_ ULONG NumberOfBytes)
{
    return FsRtlAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, 'tRsF');
}
