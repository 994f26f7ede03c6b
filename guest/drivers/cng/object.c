// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects: their memory, the list of those that are to be given back, and what is said of a driver that misuses them. */
#include "cng.h"

static KSPIN_LOCK CngLock;
static LIST_ENTRY CngObjects; /* CngLock */

VOID CngReport(PCSTR Reason, ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4, PVOID Caller)
{
    FvReport(Reason);
    FvBlame(Caller);
    KeBugCheckEx(Code, P1, P2, P3, P4);
}

/* Source: the pages of the routines: "Kernel mode callers can execute either at PASSIVE_LEVEL IRQL or DISPATCH_LEVEL IRQL",
 * there with a handle of a provider that was opened with BCRYPT_PROV_DISPATCH. */
VOID CngCheckIrql(const CNG_PROVIDER *Provider, PVOID Handle, PVOID Caller)
{
    KIRQL Irql = KeGetCurrentIrql();

    if (Irql > DISPATCH_LEVEL)
        CngReport("rule=bcrypt-irql\nreason=a BCrypt routine is called above DISPATCH_LEVEL\n",
                  DRIVER_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Handle, Irql, 0, (ULONG_PTR)Caller, Caller);
    if (Irql > APC_LEVEL && (Provider == NULL || !(Provider->Flags & BCRYPT_PROV_DISPATCH)))
        CngReport("rule=bcrypt-irql\nreason=a BCrypt routine is called at DISPATCH_LEVEL with a provider that was not "
                  "opened with BCRYPT_PROV_DISPATCH\n",
                  DRIVER_IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Handle, Irql, 0, (ULONG_PTR)Caller, Caller);
}

BOOLEAN CngIsObject(PVOID Handle, ULONG Magic)
{
    return Handle != NULL && ((ULONG_PTR)Handle & (MEMORY_ALLOCATION_ALIGNMENT - 1)) == 0 &&
           ((CNG_OBJECT *)Handle)->Magic == Magic;
}

NTSTATUS CngMakeObject(ULONG Magic, ULONG Size, PUCHAR Buffer, ULONG Room, PVOID Caller, PVOID *Object)
{
    CNG_OBJECT *New;
    KIRQL Irql;

    if ((Buffer == NULL) != (Room == 0))
        return STATUS_INVALID_PARAMETER;
    if (Buffer != NULL && Room < CNG_ROOM_FOR(Size))
        return STATUS_BUFFER_TOO_SMALL;
    if (Buffer == NULL) {
        New = ExAllocatePoolWithTag(NonPagedPoolNx, Size, CNG_TAG);
        if (New == NULL)
            return STATUS_NO_MEMORY;
    } else {
        New = (CNG_OBJECT *)(((ULONG_PTR)Buffer + MEMORY_ALLOCATION_ALIGNMENT - 1) &
                             ~(ULONG_PTR)(MEMORY_ALLOCATION_ALIGNMENT - 1));
    }
    RtlZeroMemory(New, Size);
    New->Magic = Magic;
    New->Ours = Buffer == NULL;
    New->Memory = New;
    New->Caller = Caller;
    if (New->Ours) {
        KeAcquireSpinLock(&CngLock, &Irql);
        InsertTailList(&CngObjects, &New->Link);
        KeReleaseSpinLock(&CngLock, Irql);
    }
    *Object = New;
    return STATUS_SUCCESS;
}

VOID CngDropObject(CNG_OBJECT *Object)
{
    KIRQL Irql;

    Object->Magic = 0;
    if (!Object->Ours)
        return;
    KeAcquireSpinLock(&CngLock, &Irql);
    RemoveEntryList(&Object->Link);
    KeReleaseSpinLock(&CngLock, Irql);
    ExFreePoolWithTag(Object->Memory, CNG_TAG);
}

/* What the image that goes has made and not given back. */
static VOID NTAPI CngCheckUnload(PVOID Base, SIZE_T Size, PUNICODE_STRING Name)
{
    CNG_OBJECT *Left = NULL;
    ULONG Count = 0;
    KIRQL Irql;

    KeAcquireSpinLock(&CngLock, &Irql);
    for (PLIST_ENTRY Entry = CngObjects.Flink; Entry != &CngObjects; Entry = Entry->Flink) {
        CNG_OBJECT *Object = CONTAINING_RECORD(Entry, CNG_OBJECT, Link);

        if ((ULONG_PTR)Object->Caller - (ULONG_PTR)Base < Size) {
            if (Left == NULL || Left->Magic == CNG_PROVIDER_MAGIC)
                Left = Object; /* a provider may only be held by the others */
            Count++;
        }
    }
    KeReleaseSpinLock(&CngLock, Irql);
    if (Left == NULL)
        return;
    CngReport(Left->Magic == CNG_PROVIDER_MAGIC
                  ? "rule=bcrypt-leak\nreason=driver unloaded without closing an algorithm provider\n"
              : Left->Magic == CNG_HASH_MAGIC ? "rule=bcrypt-leak\nreason=driver unloaded without destroying a hash\n"
                                              : "rule=bcrypt-leak\nreason=driver unloaded without destroying a key\n",
              DRIVER_VERIFIER_DETECTED_VIOLATION, FV_LEFT_BEHIND, (ULONG_PTR)Left, (ULONG_PTR)Left->Caller, Count,
              Left->Caller);
}

VOID CngInitializeObjects(VOID)
{
    KeInitializeSpinLock(&CngLock);
    InitializeListHead(&CngObjects);
    FvRegisterUnloadCheck(CngCheckUnload);
}
