// SPDX-License-Identifier: GPL-2.0-or-later
/* Cache maps, copying, reading ahead, writing behind, flushing, purging, sizes, zeroing: over a file system that counts. */
#include "store.h"

DRIVER_INITIALIZE DriverEntry;

static UCHAR Buffer[0x20000];
static HANDLE Handle;
static PFILE_OBJECT File;
static LONG Deferred;

static NTSTATUS TryRead(LONGLONG Offset, ULONG Length, PVOID To)
{
    LARGE_INTEGER Place = At(Offset);
    IO_STATUS_BLOCK Result;
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        if (!CcCopyRead(File, &Place, Length, TRUE, To, &Result))
            Status = STATUS_CANT_WAIT;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

static NTSTATUS TryWrite(LONGLONG Offset, ULONG Length, PVOID From)
{
    LARGE_INTEGER Place = At(Offset);
    NTSTATUS Status = STATUS_SUCCESS;

    __try {
        if (!CcCopyWrite(File, &Place, Length, TRUE, From))
            Status = STATUS_CANT_WAIT;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    return Status;
}

static NTSTATUS Flush(LONGLONG Offset, ULONG Length)
{
    LARGE_INTEGER Place = At(Offset);
    IO_STATUS_BLOCK Result;

    CcFlushCache(&Store.Sections, Length != 0 ? &Place : NULL, Length, &Result);
    return Result.Status;
}

static VOID Sleep(LONG Milliseconds)
{
    LARGE_INTEGER Time = At(-10000LL * Milliseconds);

    KeDelayExecutionThread(KernelMode, FALSE, &Time);
}

static VOID CheckReading(VOID)
{
    LARGE_INTEGER Place = At(0x3F00);
    IO_STATUS_BLOCK Result;
    LONG Reads;

    FvCheck(!CcIsFileCached(File) && File->PrivateCacheMap == NULL);
    CcInitializeCacheMap(File, StoreSizes(), FALSE, &StoreCallbacks, &Store);
    FvCheck(CcIsFileCached(File) && File->PrivateCacheMap != NULL);
    FvCheck(CcGetCacheFileSize(&Store.Sections) == Store.Header.FileSize.QuadPart);
    FvCheck(!CcCopyRead(File, &Place, 0x200, FALSE, Buffer, &Result)); /* it would have to wait */
    Sleep(20);
    FvCheck(Store.Aheads == 1); /* but it is on its way */
    FvCheck(CcCopyRead(File, &Place, 0x200, FALSE, Buffer, &Result) && Result.Information == 0x200 &&
            Result.Status == STATUS_SUCCESS && IsStored(Buffer, 0x3F00, 0x200));
    FvCheck((Store.Flags & (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO | IRP_NOCACHE)) ==
            (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO | IRP_NOCACHE));
    Reads = Store.Reads;
    FvCheck(TryRead(0x3F00, 0x200, Buffer) == STATUS_SUCCESS && Store.Reads == Reads); /* it is there */
    FvCheck(CcCopyReadEx(File, &Place, 0x200, TRUE, Buffer, &Result, PsGetCurrentThread()) && Store.Reads == Reads);
    FvCheck(TryRead(0x38000, 0x10000, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x38000, 0x10000)); /* two views */
    FvCheck(Store.LastReadLength <= 0x10000 && Store.LastReadLength % PAGE_SIZE == 0);
    Place = At(Store.Header.FileSize.QuadPart - 50);
    FvCheck(CcCopyRead(File, &Place, 500, TRUE, Buffer, &Result) && Result.Information == 50);
    CcFastCopyRead(File, 0x3F10, 32, 1, Buffer, &Result);
    FvCheck(Result.Information == 32 && IsStored(Buffer, 0x3F10, 32));
    FvCheck(TryRead(0x3F00, 0x200, (PVOID)0x10000) == STATUS_INVALID_USER_BUFFER);
    Store.ReadStatus = STATUS_CRC_ERROR;
    FvCheck(TryRead(0x60000, 16, Buffer) == STATUS_CRC_ERROR);
    Store.ReadStatus = STATUS_SUCCESS;
    FvCheck(TryRead(0x60000, 16, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x60000, 16));
}

static VOID CheckAhead(VOID)
{
    LONG Aheads = Store.Aheads, Reads;
    LARGE_INTEGER Place = At(0x50000);

    FvCheck(CcPurgeCacheSection(&Store.Sections, NULL, 0, 0));
    CcSetReadAheadGranularity(File, 0x8000);
    TryRead(0, 0x1000, Buffer);
    TryRead(0x1000, 0x1000, Buffer);
    Sleep(20);
    FvCheck(Store.Aheads == Aheads + 1); /* the second in a row */
    Reads = Store.Reads;
    FvCheck(TryRead(0x2000, 0x1000, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x2000, 0x1000));
    FvCheck(Store.Reads == Reads);
    CcSetAdditionalCacheAttributes(File, TRUE, FALSE);
    CcScheduleReadAhead(File, &Place, 0x1000);
    Sleep(20);
    FvCheck(Store.Aheads == Aheads + 1);
    CcSetAdditionalCacheAttributesEx(File, 0);
    CcScheduleReadAheadEx(File, &Place, 0x1000, PsGetCurrentThread());
    Sleep(20);
    FvCheck(Store.Aheads == Aheads + 2 && Store.LastRead == 0x50000 && Store.LastReadLength == 0x1000);
}

static VOID CheckWriting(VOID)
{
    LARGE_INTEGER Place = At(0x10100), Early = At(0x200), Whole = At(0x20000);
    LONG Reads, Writes = Store.Writes;
    IO_STATUS_BLOCK Result;

    FvCheck(CcPurgeCacheSection(&Store.Sections, NULL, 0, 0));
    RtlFillMemory(Buffer, sizeof(Buffer), 0xA5);
    Reads = Store.Reads;
    FvCheck(TryWrite(0x20000, 0x2000, Buffer) == STATUS_SUCCESS && Store.Reads == Reads); /* whole pages are not read */
    FvCheck(TryWrite(0x10100, 0x100, Buffer) == STATUS_SUCCESS && Store.Reads == Reads + 1);
    FvCheck(Store.Writes == Writes && Store.Bytes[0x20000] == StoreByte(0x20000));
    FvCheck(TryRead(0x10000, 0x300, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x10000, 0x100) &&
            Buffer[0x100] == 0xA5 && Buffer[0x1FF] == 0xA5 && IsStored(Buffer + 0x200, 0x10200, 0x100));
    FvCheck(CcIsThereDirtyData(File->Vpb));
    FvCheck(!CcPurgeCacheSection(&Store.Sections, NULL, 0, DO_NOT_PURGE_DIRTY_PAGES));
    FvCheck(CcGetFlushedValidData(&Store.Sections, FALSE).QuadPart == 0x10000);
    FvCheck(Flush(0x20000, 0x1000) == STATUS_SUCCESS && Store.Writes == Writes + 1 && Store.LastWrite == 0x20000 &&
            Store.LastWriteLength == 0x1000 && Store.Bytes[0x20000] == 0xA5 && Store.Bytes[0x21000] != 0xA5);
    FvCheck((Store.Flags & (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO | IRP_NOCACHE)) ==
            (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO | IRP_NOCACHE));
    FvCheck(Flush(0, 0) == STATUS_SUCCESS && Store.Bytes[0x21000] == 0xA5 && Store.Bytes[0x10100] == 0xA5);
    FvCheck(!CcIsThereDirtyData(File->Vpb));
    Writes = Store.Writes;
    FvCheck(Flush(0, 0) == STATUS_SUCCESS && Store.Writes == Writes);
    FvCheck(TryWrite(0x20000, 0x1000, (PVOID)0x10000) == STATUS_INVALID_USER_BUFFER);
    FvCheck(TryWrite(0x2A000, 0x1000, (PVOID)0x10000) == STATUS_INVALID_USER_BUFFER); /* a page that was not there */
    FvCheck(TryRead(0x2A000, 0x1000, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x2A000, 0x1000));
    RtlFillMemory(Buffer, sizeof(Buffer), 0xA5);
    FvCheck(!CcCopyWrite(File, &Early, 16, FALSE, Buffer)); /* its page is not there */
    FvCheck(CcCopyWrite(File, &Place, 16, FALSE, Buffer));
    FvCheck(CcCopyWriteEx(File, &Whole, 16, TRUE, Buffer, PsGetCurrentThread()));
    CcFastCopyWrite(File, 0x20010, 16, Buffer);
    FvCheck(TryRead(0x20010, 16, Buffer + 0x1000) == STATUS_SUCCESS &&
            RtlCompareMemory(Buffer, Buffer + 0x1000, 16) == 16);
    FvCheck(CcCopyWriteWontFlush(File, &Place, 0x10000) && !CcCopyWriteWontFlush(File, &Place, 0x10001));
    File->Flags |= FO_WRITE_THROUGH;
    Writes = Store.Writes;
    FvCheck(!CcCopyWriteWontFlush(File, &Place, 16) && !CcCopyWrite(File, &Place, 16, FALSE, Buffer));
    RtlFillMemory(Buffer, 16, 0x77);
    FvCheck(TryWrite(0x10100, 16, Buffer) == STATUS_SUCCESS && Store.Writes == Writes + 1 &&
            Store.Bytes[0x10100] == 0x77);
    Store.WriteStatus = STATUS_DISK_FULL;
    FvCheck(TryWrite(0x10100, 16, Buffer) == STATUS_DISK_FULL);
    FvCheck(Flush(0, 0) == STATUS_DISK_FULL);
    Store.WriteStatus = STATUS_SUCCESS;
    File->Flags &= ~FO_WRITE_THROUGH;
    FvCheck(Flush(0, 0) == STATUS_SUCCESS); /* it was kept */
    FvCheck(TryWrite(0x10100, 16, Buffer) == STATUS_SUCCESS && CcPurgeCacheSection(&Store.Sections, NULL, 0, 0));
    Writes = Store.Writes;
    FvCheck(Flush(0, 0) == STATUS_SUCCESS && Store.Writes == Writes); /* what is purged is lost */
    Store.Bytes[0x10100] = 0x55;
    CcCoherencyFlushAndPurgeCache(&Store.Sections, &Place, 16, &Result, 0);
    FvCheck(Result.Status == STATUS_SUCCESS && TryRead(0x10100, 1, Buffer) == STATUS_SUCCESS && Buffer[0] == 0x55);
    Store.Bytes[0x10100] = 0x56;
    CcCoherencyFlushAndPurgeCache(&Store.Sections, &Place, 16, &Result, CC_FLUSH_AND_PURGE_NO_PURGE);
    FvCheck(Result.Status == STATUS_SUCCESS && TryRead(0x10100, 1, Buffer) == STATUS_SUCCESS && Buffer[0] == 0x55);
}

static VOID NTAPI Posted(PVOID Context1, PVOID Context2)
{
    if (Context1 == &Store && Context2 == File)
        InterlockedIncrement(&Deferred);
}

static VOID CheckLazy(VOID)
{
    LONG Writes, Lazy;
    ULONG Pages = 0;

    Flush(0, 0);
    Writes = Store.Writes, Lazy = Store.LazyWrites;
    FvCheck(TryWrite(0x30000, 0x3000, Buffer) == STATUS_SUCCESS && Store.Writes == Writes);
    FvCheck(CcIsThereDirtyDataEx(File->Vpb, &Pages) && Pages == 3);
    Sleep(500);
    FvCheck(Store.Writes == Writes);
    Sleep(700);
    FvCheck(Store.Writes == Writes + 1 && Store.LazyWrites == Lazy + 1 && Store.LastWrite == 0x30000 &&
            Store.LastWriteLength == 0x3000);
    Sleep(1200);
    FvCheck(Store.Writes == Writes + 1 && Store.LazyWrites == Lazy + 1); /* it rests */
    FvCheck(TryWrite(0x30000, 0x1000, Buffer) == STATUS_SUCCESS);
    FvCheck(CcWaitForCurrentLazyWriterActivity() == STATUS_SUCCESS && Store.Writes == Writes + 2);
    CcSetAdditionalCacheAttributes(File, FALSE, TRUE);
    TryWrite(0x30000, 0x1000, Buffer);
    Sleep(1200);
    FvCheck(Store.Writes == Writes + 2); /* nobody writes it behind */
    CcSetAdditionalCacheAttributes(File, FALSE, FALSE);
    Sleep(1200);
    FvCheck(Store.Writes == Writes + 3);

    FvCheck(CcCanIWrite(File, 0x10000, FALSE, FALSE));
    FvCheck(!CcCanIWrite(File, MAXLONG, FALSE, FALSE) || Store.Writes == Writes + 3);
    CcSetDirtyPageThreshold(File, 2);
    TryWrite(0x30000, 0x2000, Buffer);
    FvCheck(!CcCanIWrite(File, 0x1000, FALSE, FALSE));
    FvCheck(CcCanIWrite(File, 0x1000, TRUE, FALSE) && Store.Writes > Writes + 3); /* it waited for the writer */
    CcSetDirtyPageThreshold(File, 0);
    CcDeferWrite(File, Posted, &Store, File, 0x1000, FALSE);
    Sleep(100);
    FvCheck(Deferred == 1);
}

static VOID CheckSizes(VOID)
{
    LARGE_INTEGER From, To;

    FvCheck(TryRead(0x40000, 0x2000, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x40000, 0x2000));
    Store.Header.FileSize.QuadPart = Store.Header.ValidDataLength.QuadPart = 0x40800;
    CcSetFileSizes(File, StoreSizes());
    FvCheck(CcGetCacheFileSize(&Store.Sections) == 0x40800);
    RtlZeroMemory(Store.Bytes + 0x40800, STORE_SIZE - 0x40800);
    Store.Header.FileSize.QuadPart = 0x50000;
    CcSetFileSizes(File, StoreSizes());
    FvCheck(TryRead(0x40000, 0x2000, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x40000, 0x800));
    FvCheck(Buffer[0x800] == 0 && Buffer[0xFFF] == 0 && Buffer[0x1000] == 0); /* the rest of the page, and the next */
    Store.Header.FileSize.QuadPart = STORE_SIZE;
    CcSetFileSizes(File, StoreSizes());
    FvCheck(TryWrite(STORE_SIZE - 0x1000, 0x1000, Buffer) == STATUS_SUCCESS);

    From = At(0x1100), To = At(0x3300);
    FvCheck(CcZeroData(File, &From, &To, TRUE));
    FvCheck(TryRead(0x1000, 0x3000, Buffer) == STATUS_SUCCESS && IsStored(Buffer, 0x1000, 0x100) &&
            Buffer[0x100] == 0 && Buffer[0x22FF] == 0 && IsStored(Buffer + 0x2300, 0x3300, 0x100));
    FvCheck(Store.Bytes[0x1100] != 0 && Flush(0, 0) == STATUS_SUCCESS && Store.Bytes[0x1100] == 0);
}

static VOID CheckEnd(VOID)
{
    CACHE_UNINITIALIZE_EVENT Event;
    HANDLE OtherHandle;
    PFILE_OBJECT Other = StoreOpen(&OtherHandle);
    LARGE_INTEGER Nothing = At(0), From = At(0x8000), To = At(0x9000);
    LONG Writes, Closes = Store.Closes;

    CcInitializeCacheMap(Other, StoreSizes(), FALSE, &StoreCallbacks, &Store);
    FvCheck(CcGetFileObjectFromSectionPtrs(&Store.Sections) == File);
    FvCheck(CcGetFileObjectFromSectionPtrsRef(&Store.Sections) == File);
    ObDereferenceObject(File);
    FvCheck(!CcUninitializeCacheMap(File, NULL, NULL) && File->PrivateCacheMap == NULL); /* another uses it */
    FvCheck(CcIsFileCached(File));
    CcInitializeCacheMap(File, StoreSizes(), FALSE, &StoreCallbacks, &Store);
    FvCheck(!CcUninitializeCacheMap(Other, NULL, NULL));
    StoreClose(OtherHandle, Other);
    FvCheck(Store.Closes == Closes + 1);

    Writes = Store.Writes;
    FvCheck(TryWrite(0x30000, 0x1000, Buffer) == STATUS_SUCCESS);
    KeInitializeEvent(&Event.Event, NotificationEvent, FALSE);
    FvCheck(!CcUninitializeCacheMap(File, NULL, &Event)); /* there is something to write */
    FvCheck(KeReadStateEvent(&Event.Event) == 0 && CcIsFileCached(File));
    KeWaitForSingleObject(&Event.Event, Executive, KernelMode, FALSE, NULL);
    FvCheck(Store.Writes == Writes + 1 && !CcIsFileCached(File) && Store.Sections.DataSectionObject == NULL);

    CcInitializeCacheMap(File, StoreSizes(), FALSE, &StoreCallbacks, &Store);
    FvCheck(TryWrite(0x30000, 0x1000, Buffer) == STATUS_SUCCESS);
    FvCheck(CcUninitializeCacheMap(File, &Nothing, NULL)); /* what is cut needs not be written */
    FvCheck(Store.Writes == Writes + 1 && !CcIsFileCached(File));
    CcInitializeCacheMap(File, StoreSizes(), FALSE, &StoreCallbacks, &Store);
    FvCheck(CcPurgeCacheSection(&Store.Sections, NULL, 0, UNINITIALIZE_CACHE_MAPS));
    FvCheck(File->PrivateCacheMap == NULL && !CcIsFileCached(File));
    FvCheck(Store.Bytes[0x8000] != 0 && CcZeroData(File, &From, &To, TRUE) && Store.Bytes[0x8000] == 0 &&
            Store.Bytes[0x8FFF] == 0 && Store.LastWrite == 0x8000); /* a file that is not cached: on the disk */
    Closes = Store.Closes;
    StoreClose(Handle, File);
    Sleep(20);
    FvCheck(Store.Closes == Closes + 1);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(91);
    if (!NT_SUCCESS(StoreCreate(DriverObject)))
        return STATUS_UNSUCCESSFUL;
    File = StoreOpen(&Handle);
    CheckReading();
    CheckAhead();
    CheckWriting();
    CheckLazy();
    CheckSizes();
    CheckEnd();
    return STATUS_SUCCESS;
}
