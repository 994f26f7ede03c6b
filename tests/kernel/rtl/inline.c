/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the headers define inline, called inside __try, where the compiler inlines nothing: each kind of them has a
 * body to link with.  The kinds: FORCEINLINE of wdm.h and ntifs.h, of ntintsafe.h and ntstrsafe.h, intrinsics of
 * mingw-w64's own, and ours.
 */
#include <fltKernel.h>
#include <ntintsafe.h>
#include <ntstrsafe.h>

#include <fltvm.h>

static DRIVER_UNLOAD Unload;

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
}

static VOID CheckLists(VOID)
{
    LIST_ENTRY Head, Entry;
    BOOLEAN Empty = FALSE;
    PLIST_ENTRY First = NULL;

    __try {
        InitializeListHead(&Head);
        InsertTailList(&Head, &Entry);
        First = RemoveHeadList(&Head);
        Empty = IsListEmpty(&Head);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
    FvCheck(First == &Entry && Empty);
}

static VOID CheckSafeMath(VOID)
{
    ULONG Sum = 0;
    NTSTATUS Added = STATUS_UNSUCCESSFUL, Overflown = STATUS_SUCCESS;

    __try {
        Added = RtlULongAdd(1, 2, &Sum);
        Overflown = RtlULongAdd(MAXULONG, 2, &Sum);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
    FvCheck(Added == STATUS_SUCCESS);
    FvCheck(Overflown == STATUS_INTEGER_OVERFLOW && Sum == MAXULONG);
}

static VOID CheckSafeStrings(VOID)
{
    CHAR Text[8];
    size_t Length = 0;

    __try {
        RtlStringCbPrintfA(Text, sizeof(Text), "%u", 1234u);
        RtlStringCbLengthA(Text, sizeof(Text), &Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
    FvCheck(Length == 4);
}

static VOID CheckPool(VOID)
{
    PUCHAR Block = NULL;
    BOOLEAN Zero = FALSE;

    __try {
        Block = ExAllocatePoolZero(PagedPool, 64, 'tset');
        Zero = Block != NULL && Block[0] == 0 && Block[63] == 0;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
    FvCheck(Zero);
    if (Block != NULL)
        ExFreePoolWithTag(Block, 'tset');
}

static VOID CheckIntrinsics(VOID)
{
    LONG Bits = 0;
    UCHAR Bytes[4] = {1, 2, 3, 4};
    BOOLEAN Was = TRUE;
    KIRQL Irql = HIGH_LEVEL;
    PETHREAD Thread = NULL;

    __try {
        Was = InterlockedBitTestAndSet(&Bits, 3);
        __stosb(Bytes, 7, sizeof(Bytes));
        Irql = KeGetCurrentIrql();
        Thread = PsGetCurrentThread();
    } __except (EXCEPTION_EXECUTE_HANDLER) {
    }
    FvCheck(!Was && Bits == 8);
    FvCheck(Bytes[0] == 7 && Bytes[3] == 7);
    FvCheck(Irql == PASSIVE_LEVEL);
    FvCheck(Thread == (PETHREAD)KeGetCurrentThread());
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = Unload;
    FvTestPlan(9);
    CheckLists();
    CheckSafeMath();
    CheckSafeStrings();
    CheckPool();
    CheckIntrinsics();
    return STATUS_SUCCESS;
}
