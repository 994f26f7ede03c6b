/* SPDX-License-Identifier: MIT */
/*
 * wdm.h: mingw-w64's, corrected to Windows 10 19041 and completed with routines that are newer than it.
 *
 * A structure is corrected by a macro in the place where the old header names its type; see ntifs.h for the
 * harder cases.  tests/layout holds the results.
 */
#ifndef FLTVM_WDM_H
#define FLTVM_WDM_H

#include <annotations.h>

/* `#pragma alloc_text` and `#pragma data_seg` work here as with Microsoft's compiler; drivers ask before they use them. */
#define ALLOC_PRAGMA      1
#define ALLOC_DATA_PRAGMA 1

/* DEVICE_OBJECT is aligned as pool is, so that the extension behind it is too. */
#define DEVICE_OBJECT __attribute__((aligned(16))) DEVICE_OBJECT

/*
 * Microsoft's import library makes these names the import's slot itself, a pointer to the kernel's variable;
 * mingw's declarations would go through one pointer more.
 */
#ifndef _NTOSKRNL_
#define CmKeyObjectType                FvMingw_CmKeyObjectType
#define ExEventObjectType              FvMingw_ExEventObjectType
#define ExSemaphoreObjectType          FvMingw_ExSemaphoreObjectType
#define IoFileObjectType               FvMingw_IoFileObjectType
#define PsThreadType                   FvMingw_PsThreadType
#define SeTokenObjectType              FvMingw_SeTokenObjectType
#define PsProcessType                  FvMingw_PsProcessType
#define TmEnlistmentObjectType         FvMingw_TmEnlistmentObjectType
#define TmResourceManagerObjectType    FvMingw_TmResourceManagerObjectType
#define TmTransactionManagerObjectType FvMingw_TmTransactionManagerObjectType
#define TmTransactionObjectType        FvMingw_TmTransactionObjectType
/* The kernel's own check the direction; mingw's inline ones do not. */
#define KeLowerIrql           FvMingw_KeLowerIrql
#define KfRaiseIrql           FvMingw_KfRaiseIrql
#define KeRaiseIrqlToDpcLevel FvMingw_KeRaiseIrqlToDpcLevel
#endif

/* Members that two unions of resources have got since: each word is the last of its union, and is used nowhere else. */
#define DeviceSpecificData                                                                                             \
    DeviceSpecificData;                                                                                                \
    struct {                                                                                                           \
        ULONG Channel;                                                                                                 \
        ULONG RequestLine;                                                                                             \
        UCHAR TransferWidth;                                                                                           \
        UCHAR Reserved1;                                                                                               \
        UCHAR Reserved2;                                                                                               \
        UCHAR Reserved3;                                                                                               \
    } DmaV3;                                                                                                           \
    struct {                                                                                                           \
        UCHAR Class;                                                                                                   \
        UCHAR Type;                                                                                                    \
        UCHAR Reserved1;                                                                                               \
        UCHAR Reserved2;                                                                                               \
        ULONG IdLowPart;                                                                                               \
        ULONG IdHighPart;                                                                                              \
    } Connection
#define FLTVM_MEMORY(Bits)                                                                                             \
    struct {                                                                                                           \
        ULONG Length##Bits;                                                                                            \
        ULONG Alignment##Bits;                                                                                         \
        PHYSICAL_ADDRESS MinimumAddress;                                                                               \
        PHYSICAL_ADDRESS MaximumAddress;                                                                               \
    } Memory##Bits
#define ConfigData                                                                                                     \
    ConfigData;                                                                                                        \
    struct {                                                                                                           \
        ULONG RequestLine;                                                                                             \
        ULONG Reserved;                                                                                                \
        ULONG Channel;                                                                                                 \
        ULONG TransferWidth;                                                                                           \
    } DmaV3;                                                                                                           \
    FLTVM_MEMORY(40);                                                                                                  \
    FLTVM_MEMORY(48);                                                                                                  \
    FLTVM_MEMORY(64);                                                                                                  \
    struct {                                                                                                           \
        UCHAR Class;                                                                                                   \
        UCHAR Type;                                                                                                    \
        UCHAR Reserved1;                                                                                               \
        UCHAR Reserved2;                                                                                               \
        ULONG IdLowPart;                                                                                               \
        ULONG IdHighPart;                                                                                              \
    } Connection

/* Members that Windows has overlaid on others since, or put behind the last: these words, too, are used nowhere else. */
#define MaximumVector                                                                                                  \
    MaximumVector;                                                                                                     \
    USHORT AffinityPolicy;                                                                                             \
    USHORT Group;                                                                                                      \
    ULONG PriorityPolicy;                                                                                              \
    KAFFINITY TargetedProcessors
#define WaitQueueEntry                                                                                                 \
    FvNothing[0];                                                                                                      \
    union {                                                                                                            \
        KDEVICE_QUEUE_ENTRY WaitQueueEntry;                                                                            \
        struct {                                                                                                       \
            LIST_ENTRY DmaWaitEntry;                                                                                   \
            ULONG NumberOfChannels;                                                                                    \
            ULONG SyncCallback : 1;                                                                                    \
            ULONG DmaContext : 1;                                                                                      \
            ULONG ZeroMapRegisters : 1;                                                                                \
            ULONG Reserved : 9;                                                                                        \
            ULONG NumberOfRemapPages : 20;                                                                             \
        };                                                                                                             \
    }
#define UserApcContext                                                                                                 \
    FvNothing[0];                                                                                                      \
    union {                                                                                                            \
        PVOID UserApcContext;                                                                                          \
        struct _IORING_OBJECT *IoRing;                                                                                 \
    }
#define UserIosb                                                                                                       \
    FvNothing[0];                                                                                                      \
    union {                                                                                                            \
        PIO_STATUS_BLOCK UserIosb;                                                                                     \
        PVOID IoRingContext;                                                                                           \
    }
#define MountVolume                                                                                                    \
    FvMountVolume;                                                                                                     \
    struct {                                                                                                           \
        PVPB Vpb;                                                                                                      \
        PDEVICE_OBJECT DeviceObject;                                                                                   \
        ULONG OutputBufferLength;                                                                                      \
    } MountVolume

#include <fltvm_wdm_old.h>
#include_next <wdm.h>

#undef DEVICE_OBJECT
#undef DeviceSpecificData
#undef ConfigData
#undef FLTVM_MEMORY
#undef MaximumVector
#undef WaitQueueEntry
#undef UserApcContext
#undef UserIosb
#undef MountVolume

#ifdef __cplusplus
extern "C" {
#endif

#ifndef _NTOSKRNL_
#undef CmKeyObjectType
#undef ExEventObjectType
#undef ExSemaphoreObjectType
#undef IoFileObjectType
#undef PsThreadType
#undef SeTokenObjectType
#undef PsProcessType
#undef TmEnlistmentObjectType
#undef TmResourceManagerObjectType
#undef TmTransactionManagerObjectType
#undef TmTransactionObjectType
#undef KeLowerIrql
#undef KfRaiseIrql
#undef KeRaiseIrqlToDpcLevel
NTKERNELAPI VOID NTAPI KeLowerIrql(KIRQL NewIrql);
NTKERNELAPI KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql);
NTKERNELAPI KIRQL NTAPI KeRaiseIrqlToDpcLevel(VOID);
extern POBJECT_TYPE *CmKeyObjectType;
extern POBJECT_TYPE *ExEventObjectType;
extern POBJECT_TYPE *ExSemaphoreObjectType;
extern POBJECT_TYPE *IoFileObjectType;
extern POBJECT_TYPE *PsThreadType;
extern POBJECT_TYPE *SeTokenObjectType;
extern POBJECT_TYPE *PsProcessType;
extern POBJECT_TYPE *TmEnlistmentObjectType;
extern POBJECT_TYPE *TmResourceManagerObjectType;
extern POBJECT_TYPE *TmTransactionManagerObjectType;
extern POBJECT_TYPE *TmTransactionObjectType;
#endif

/*
 * Reader-writer spin locks.  DISPATCH_LEVEL while held.
 */
typedef volatile LONG EX_SPIN_LOCK, *PEX_SPIN_LOCK;
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI KIRQL NTAPI ExAcquireSpinLockShared(_Inout_ PEX_SPIN_LOCK SpinLock);
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI KIRQL NTAPI ExAcquireSpinLockExclusive(_Inout_ PEX_SPIN_LOCK SpinLock);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID NTAPI
    ExAcquireSpinLockSharedAtDpcLevel(_Inout_ PEX_SPIN_LOCK SpinLock);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID NTAPI
    ExAcquireSpinLockExclusiveAtDpcLevel(_Inout_ PEX_SPIN_LOCK SpinLock);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID NTAPI
    ExReleaseSpinLockShared(_Inout_ PEX_SPIN_LOCK SpinLock, _In_ KIRQL OldIrql);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID NTAPI
    ExReleaseSpinLockExclusive(_Inout_ PEX_SPIN_LOCK SpinLock, _In_ KIRQL OldIrql);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID NTAPI
    ExReleaseSpinLockSharedFromDpcLevel(_Inout_ PEX_SPIN_LOCK SpinLock);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI VOID NTAPI
    ExReleaseSpinLockExclusiveFromDpcLevel(_Inout_ PEX_SPIN_LOCK SpinLock);
_IRQL_requires_(DISPATCH_LEVEL) NTKERNELAPI LOGICAL NTAPI
    ExTryConvertSharedSpinLockExclusive(_Inout_ PEX_SPIN_LOCK SpinLock);

NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(_Out_ PLARGE_INTEGER CurrentTime);
NTKERNELAPI ULONG64 NTAPI KeQueryInterruptTimePrecise(_Out_ PULONG64 QpcTimeStamp);

/*
 * Pool, as of Windows 10 2004.  Memory is zeroed unless POOL_FLAG_UNINITIALIZED says otherwise.
 */
typedef ULONG64 POOL_FLAGS;
#define POOL_FLAG_REQUIRED_START    0x0000000000000001ULL
#define POOL_FLAG_USE_QUOTA         0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED     0x0000000000000002ULL
#define POOL_FLAG_SESSION           0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED     0x0000000000000008ULL
#define POOL_FLAG_RESERVED1         0x0000000000000010ULL
#define POOL_FLAG_RAISE_ON_FAILURE  0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED         0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE 0x0000000000000080ULL
#define POOL_FLAG_PAGED             0x0000000000000100ULL
#define POOL_FLAG_RESERVED2         0x0000000000000200ULL
#define POOL_FLAG_RESERVED3         0x0000000000000400ULL
#define POOL_FLAG_REQUIRED_END      0x0000000080000000ULL
#define POOL_FLAG_OPTIONAL_START    0x0000000100000000ULL
#define POOL_FLAG_SPECIAL_POOL      0x0000000100000000ULL
#define POOL_FLAG_OPTIONAL_END      0x8000000000000000ULL

typedef struct _POOL_EXTENDED_PARAMETER POOL_EXTENDED_PARAMETER, *PPOOL_EXTENDED_PARAMETER;
typedef const POOL_EXTENDED_PARAMETER *PCPOOL_EXTENDED_PARAMETER;

_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PVOID NTAPI
    ExAllocatePool2(_In_ POOL_FLAGS Flags, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag);
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI PVOID NTAPI
    ExAllocatePool3(_In_ POOL_FLAGS Flags, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag,
                    _In_opt_ PCPOOL_EXTENDED_PARAMETER ExtendedParameters, _In_ ULONG ExtendedParametersCount);
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID NTAPI
    ExFreePool2(_In_ PVOID P, _In_ ULONG Tag, _In_opt_ PCPOOL_EXTENDED_PARAMETER ExtendedParameters,
                _In_ ULONG ExtendedParametersCount);

/* What drivers that also run on older Windows use: inline on every version. */
_IRQL_requires_max_(DISPATCH_LEVEL) FORCEINLINE PVOID
    ExAllocatePoolZero(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag)
{
    PVOID Memory = ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
    if (Memory != NULL)
        RtlZeroMemory(Memory, NumberOfBytes);
    return Memory;
}

_IRQL_requires_max_(DISPATCH_LEVEL) FORCEINLINE PVOID
    ExAllocatePoolUninitialized(_In_ POOL_TYPE PoolType, _In_ SIZE_T NumberOfBytes, _In_ ULONG Tag)
{
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag);
}

/* Drivers that call this mean NonPagedPool to be NonPagedPoolNx, which the header settles at compile time. */
#ifndef ExInitializeDriverRuntime
#define ExInitializeDriverRuntime(RuntimeFlags) ((void)(RuntimeFlags))
#endif

#ifdef __cplusplus
}
#endif

#include <fltvm_ntstatus.h>
#include <fltvm_wdm.h>
#include <fltvm_macros.h>

#endif
