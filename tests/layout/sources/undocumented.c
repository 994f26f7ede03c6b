/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What drivers use although no page documents it: macros of the headers, constants, push locks, ordered accesses. */
#include <fltKernel.h>
#include <ntstrsafe.h>
#include <dontuse.h>
#include <suppress.h>

EXTERN_C_START
DRIVER_INITIALIZE DriverEntry;
EXTERN_C_END

DECLARE_GLOBAL_CONST_UNICODE_STRING(GlobalName, L"\\Device\\x");
static EX_PUSH_LOCK Lock;
static IO_REMOVE_LOCK RemoveLock;
typedef enum _COLOURS { Red = 1, Blue = 2 } COLOURS;
DEFINE_ENUM_FLAG_OPERATORS(COLOURS)

static VOID Unused(const int A, _Unreferenced_parameter_ int B)
{
    if (A != 0)
        UNREFERENCED_PARAMETER(A);
    else
        UNREFERENCED_PARAMETER(B);
}

static ULONG Macros(PVOID Base)
{
    ULONG Sum = PtrOffset(Base, Add2Ptr(Base, 8)) + (ULONG)ROUND_TO_SIZE(5, 8) + IS_ALIGNED(Base, 8);

    Sum += UFIELD_OFFSET(UNICODE_STRING, Buffer) + RTL_PADDING_BETWEEN_FIELDS(UNICODE_STRING, MaximumLength, Buffer);
    Sum += POINTER_IS_ALIGNED(Base, 4) + NTSTATUS_FROM_WIN32(5);
    Sum += (ULONG)(SEF_DACL_AUTO_INHERIT | SE_GROUP_ENABLED | SEC_IMAGE | SEC_COMMIT | FILE_ALL_ACCESS | EVENT_ALL_ACCESS);
    Sum += FSCTL_MANAGE_BYPASS_IO + FSCTL_QUERY_FILE_REGIONS + FILE_SUPPORTS_GHOSTING + IO_REPARSE_TAG_WCI_LINK;
    Sum += COMPILETIME_OR_3FLAGS(1, 2, 4) + (ULONG)FileIdExtdBothDirectoryInformation + MdlMappingNoExecute;
    Sum += NT_VERIFY(Base != NULL) + RtlUlongByteSwap(Sum) + RtlUshortByteSwap((USHORT)Sum) + IsReparseTagDirectory(Sum);
    NT_ASSERTMSG("text", Base != NULL);
    NT_FRE_ASSERT(Base != NULL);
    ASSERTMSG("text", Base != NULL);
    return Sum;
}

static VOID Ordered(volatile LONG *Value, volatile LONG64 *Wide, PVOID volatile *Pointer)
{
    WriteRelease(Value, ReadAcquire(Value) + ReadNoFence(Value) + ReadRaw(Value));
    WriteNoFence64(Wide, ReadAcquire64(Wide));
    WritePointerRelease(Pointer, ReadPointerAcquire(Pointer));
    InterlockedIncrementAcquire(Value);
    InterlockedExchangeAddNoFence(Value, 1);
    InterlockedAdd64(Wide, InterlockedAdd(Value, 2));
    KeMemoryBarrier();
    if (InterlockedCompareExchangeRelease(Value, 0, 1) == 0)
        MemoryBarrier();
}

static VOID Locks(VOID)
{
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&Lock);
    ExReleasePushLockExclusive(&Lock);
    ExAcquirePushLockShared(&Lock);
    ExReleasePushLockShared(&Lock);
    KeLeaveCriticalRegion();
    IoInitializeRemoveLock(&RemoveLock, 'kcoL', 0, 0);
    if (NT_SUCCESS(IoAcquireRemoveLock(&RemoveLock, NULL)))
        IoReleaseRemoveLock(&RemoveLock, NULL);
}

static VOID Pool(VOID)
{
    PVOID Memory = ExAllocatePoolQuotaZero(PagedPool, 8, 'looP');
    FLT_CALLBACK_DATA_QUEUE_IO_CONTEXT Context;
    FILE_ID_128 Id;

    if (Memory != NULL)
        ExFreePool(Memory);
    Memory = ExAllocatePoolPriorityZero(NonPagedPool, 8, 'looP', NormalPoolPriority);
    if (Memory != NULL)
        ExFreePool(Memory);
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
    RtlZeroMemory(&Context, sizeof(Context));
    RtlZeroMemory(&Id, sizeof(Id));
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WCHAR Text[16];
    UNICODE_STRING Name, Rest;
    NTSTATUS Status;

    Unused(1, 2);
    Locks();
    Pool();
    Ordered((volatile LONG *)Text, (volatile LONG64 *)Text, (PVOID volatile *)Text);
    RtlInitEmptyUnicodeString(&Name, Text, sizeof(Text));
    Status = RtlUnicodeStringPrintf(&Name, L"%u %wZ", Macros(DriverObject), RegistryPath);
    Status |= RtlUnicodeStringCopyStringEx(&Name, L"x", &Rest, STRSAFE_FILL_BEHIND);
    Status |= RtlUnicodeStringCat(&Name, &GlobalName) | RtlUnicodeStringCbCatStringN(&Name, L"abc", 4);
    Status |= RtlStringCchCopyUnicodeString(Text, 16, RegistryPath);
    return FltGetIrpName(IRP_MJ_READ) != NULL ? Status : STATUS_SUCCESS;
}
