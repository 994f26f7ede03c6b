// SPDX-License-Identifier: GPL-2.0-or-later
/* MDLs of the cache's pages, mapped and pinned data, logs, and fast I/O by the cache; over a file system that counts. */
#include "store.h"

DRIVER_INITIALIZE DriverEntry;

static UCHAR Buffer[0x1000];
static HANDLE Handle;
static PFILE_OBJECT File;
static PVOID Log = &Store;
static LONGLONG Flushed;
static ULONG Told;
static LONGLONG ToldOldest, ToldNewest;

static VOID CheckMdls(VOID)
{
    LARGE_INTEGER Place = At(0x3FF00);
    IO_STATUS_BLOCK Result;
    PMDL Chain = NULL;
    PUCHAR Bytes;
    LONG Reads, Writes;

    CcMdlRead(File, &Place, 0x300, &Chain, &Result);
    FvCheck(Result.Status == STATUS_SUCCESS && Result.Information == 0x300 && Chain != NULL && Chain->Next != NULL);
    Bytes = MmGetSystemAddressForMdlSafe(Chain, NormalPagePriority);
    FvCheck(MmGetMdlByteCount(Chain) == 0x100 && IsStored(Bytes, 0x3FF00, 0x100)); /* up to the view's end */
    Bytes = MmGetSystemAddressForMdlSafe(Chain->Next, NormalPagePriority);
    FvCheck(MmGetMdlByteCount(Chain->Next) == 0x200 && IsStored(Bytes, 0x40000, 0x200));
    FvCheck(!CcPurgeCacheSection(&Store.Sections, NULL, 0, 0)); /* the pages are locked */
    CcMdlReadComplete(File, Chain);
    FvCheck(CcPurgeCacheSection(&Store.Sections, NULL, 0, 0));

    Chain = NULL, Reads = Store.Reads, Writes = Store.Writes, Place = At(0x10000);
    CcPrepareMdlWrite(File, &Place, 0x1000, &Chain, &Result);
    FvCheck(Result.Status == STATUS_SUCCESS && Result.Information == 0x1000 && Store.Reads == Reads);
    RtlFillMemory(MmGetSystemAddressForMdlSafe(Chain, NormalPagePriority), 0x1000, 0x3C);
    CcMdlWriteComplete(File, &Place, Chain);
    FvCheck(Store.Writes == Writes);
    FvCheck(CcCopyRead(File, &Place, 16, TRUE, Buffer, &Result) && Buffer[0] == 0x3C && Buffer[15] == 0x3C);
    CcFlushCache(&Store.Sections, NULL, 0, &Result);
    FvCheck(Result.Status == STATUS_SUCCESS && Store.Bytes[0x10FFF] == 0x3C);
    Chain = NULL;
    CcPrepareMdlWrite(File, &Place, 0x1000, &Chain, &Result);
    CcMdlWriteAbort(File, Chain);
    FvCheck(CcPurgeCacheSection(&Store.Sections, NULL, 0, 0)); /* nothing is locked any more */
}

static VOID CheckMapping(VOID)
{
    LARGE_INTEGER Place = At(0x5000), Wide = At(0x3F000);
    PVOID Bcb, Data, Second, More;

    FvCheck(!CcMapData(File, &Place, 0x100, 0, &Bcb, &Data)); /* it is not there, and it must not wait */
    FvCheck(CcMapData(File, &Place, 0x100, MAP_WAIT, &Bcb, &Data) && IsStored(Data, 0x5000, 0x100));
    FvCheck(((PPUBLIC_BCB)Bcb)->MappedLength == 0x100 && ((PPUBLIC_BCB)Bcb)->MappedFileOffset.QuadPart == 0x5000);
    FvCheck(CcGetFileObjectFromBcb(Bcb) == File);
    FvCheck(CcMapData(File, &Wide, 0x3000, MAP_WAIT, &Second, &More) && IsStored(More, 0x3F000, 0x3000));
    CcUnpinData(Second);
    FvCheck(CcPinMappedData(File, &Place, 0x100, PIN_WAIT, &Bcb)); /* now it is pinned, where it was */
    FvCheck(CcPinMappedData(File, &Place, 0x100, PIN_WAIT, &Bcb)); /* again: nothing to do */
    FvCheck(!CcPurgeCacheSection(&Store.Sections, NULL, 0, 0));
    FvCheck(CcPinRead(File, &Place, 0x80, PIN_WAIT | PIN_IF_BCB, &Second, &More) && Second == Bcb && More == Data);
    CcUnpinData(Second);
    CcUnpinData(Bcb);
    FvCheck(!CcPinRead(File, &Place, 0x80, PIN_WAIT | PIN_IF_BCB, &Second, &More)); /* there is none any more */
    FvCheck(CcPurgeCacheSection(&Store.Sections, NULL, 0, 0));
    FvCheck(!CcPinRead(File, &Place, 0x80, 0, &Second, &More));
}

static VOID NTAPI FlushToLsn(PVOID LogHandle, LARGE_INTEGER Lsn)
{
    if (LogHandle == Log)
        Flushed = Lsn.QuadPart;
}

static VOID NTAPI DirtyPage(PFILE_OBJECT FileObject, PLARGE_INTEGER FileOffset, ULONG Length, PLARGE_INTEGER OldestLsn,
                            PLARGE_INTEGER NewestLsn, PVOID Context1, PVOID Context2)
{
    if (FileObject == File && FileOffset->QuadPart == 0x6000 && Length == 0x200 && Context1 == &Told &&
        Context2 == &Flushed)
        Told++;
    ToldOldest = OldestLsn->QuadPart;
    ToldNewest = NewestLsn->QuadPart;
}

static VOID CheckPinning(VOID)
{
    LARGE_INTEGER Place = At(0x6000), Lsn = At(700), Later = At(900), Fresh = At(0x7000);
    LONG Writes = Store.Writes;
    IO_STATUS_BLOCK Result;
    PVOID Bcb, Data, Again, More;

    CcSetLogHandleForFile(File, Log, FlushToLsn);
    FvCheck(CcPinRead(File, &Place, 0x200, PIN_WAIT | PIN_EXCLUSIVE, &Bcb, &Data) && IsStored(Data, 0x6000, 0x200));
    RtlFillMemory(Data, 0x200, 0x11);
    FvCheck(CcGetDirtyPages(Log, DirtyPage, &Told, &Flushed).QuadPart == 0 && Told == 0);
    CcSetDirtyPinnedData(Bcb, &Lsn);
    CcSetDirtyPinnedData(Bcb, &Later);
    FvCheck(CcGetDirtyPages(Log, DirtyPage, &Told, &Flushed).QuadPart == 700 && Told == 1 && ToldOldest == 700 &&
            ToldNewest == 900);
    FvCheck(CcGetDirtyPages(&Told, DirtyPage, &Told, &Flushed).QuadPart == 0 && Told == 1); /* another log */
    CcRepinBcb(Bcb);
    CcUnpinData(Bcb);
    FvCheck(CcPinRead(File, &Place, 0x200, PIN_WAIT, &Again, &More) && Again == Bcb);
    CcUnpinData(Again);
    FvCheck(Store.Writes == Writes && Flushed == 0);
    CcUnpinRepinnedBcb(Bcb, TRUE, &Result);
    FvCheck(Result.Status == STATUS_SUCCESS && Store.Writes == Writes + 1 && Store.Bytes[0x6000] == 0x11 &&
            Flushed == 900); /* the log came first */
    FvCheck(CcGetDirtyPages(Log, NULL, NULL, NULL).QuadPart == 0);

    FvCheck(CcPreparePinWrite(File, &Fresh, 0x300, TRUE, PIN_WAIT | PIN_EXCLUSIVE, &Bcb, &Data));
    FvCheck(((PUCHAR)Data)[0] == 0 && ((PUCHAR)Data)[0x2FF] == 0 && IsStored((PUCHAR)Data + 0x300, 0x7300, 16));
    CcSetBcbOwnerPointer(Bcb, (PVOID)((ULONG_PTR)&Store | 3));
    CcUnpinDataForThread(Bcb, (ULONG_PTR)&Store | 3);
    CcFlushCache(&Store.Sections, NULL, 0, &Result);
    FvCheck(Result.Status == STATUS_SUCCESS && Store.Bytes[0x7000] == 0 && Store.Bytes[0x72FF] == 0 &&
            Store.Bytes[0x7300] == StoreByte(0x7300));
}

static VOID CheckFastIo(VOID)
{
    LARGE_INTEGER Place = At(0x8000), End = At(-1), Beyond = At(STORE_SIZE);
    LONGLONG Size = Store.Header.FileSize.QuadPart;
    IO_STATUS_BLOCK Result;
    PMDL Chain = NULL;

    Store.Header.IsFastIoPossible = FastIoIsNotPossible;
    FvCheck(!FsRtlCopyRead(File, &Place, 16, TRUE, 0, Buffer, &Result, Store.Device));
    Store.Header.IsFastIoPossible = FastIoIsQuestionable; /* and nobody to ask */
    FvCheck(!FsRtlCopyRead(File, &Place, 16, TRUE, 0, Buffer, &Result, Store.Device));
    Store.Header.IsFastIoPossible = FastIoIsPossible;
    FvCheck(!FsRtlCopyRead(File, &Place, 16, FALSE, 0, Buffer, &Result, Store.Device)); /* not there */
    FvCheck(FsRtlCopyRead(File, &Place, 16, TRUE, 0, Buffer, &Result, Store.Device) && Result.Information == 16 &&
            IsStored(Buffer, 0x8000, 16) && File->CurrentByteOffset.QuadPart == 0x8010 &&
            (File->Flags & FO_FILE_FAST_IO_READ) != 0);
    FvCheck(FsRtlCopyRead(File, &Place, 0, TRUE, 0, Buffer, &Result, Store.Device) && Result.Information == 0);
    Beyond.QuadPart = Size;
    FvCheck(FsRtlCopyRead(File, &Beyond, 16, TRUE, 0, Buffer, &Result, Store.Device) &&
            Result.Status == STATUS_END_OF_FILE);
    Store.ReadStatus = STATUS_CRC_ERROR;
    Place = At(0x78000);
    FvCheck(!FsRtlCopyRead(File, &Place, 16, TRUE, 0, Buffer, &Result, Store.Device)); /* a request will tell */
    Store.ReadStatus = STATUS_SUCCESS;

    Place = At(0x8000);
    FvCheck(FsRtlCopyWrite(File, &Place, 16, TRUE, 0, "sixteen bytes it", &Result, Store.Device) &&
            Result.Status == STATUS_SUCCESS && Result.Information == 16 && (File->Flags & FO_FILE_MODIFIED) != 0);
    FvCheck(FsRtlCopyWrite(File, &End, 4, TRUE, 0, "tail", &Result, Store.Device) &&
            Store.Header.FileSize.QuadPart == Size + 4 && (File->Flags & FO_FILE_SIZE_CHANGED) != 0);
    FvCheck(CcGetCacheFileSize(&Store.Sections) == Size + 4);
    Beyond.QuadPart = Size + 0x2000;
    FvCheck(FsRtlCopyWrite(File, &Beyond, 4, TRUE, 0, "more", &Result, Store.Device) &&
            Store.Header.ValidDataLength.QuadPart == Size + 0x2004);
    Beyond.QuadPart = Size + 2;
    FvCheck(FsRtlCopyRead(File, &Beyond, 8, TRUE, 0, Buffer, &Result, Store.Device) &&
            RtlCompareMemory(Buffer, "il\0\0\0\0\0\0", 8) == 8); /* what was skipped is zeros */
    Beyond.QuadPart = STORE_SIZE - 2;
    FvCheck(!FsRtlCopyWrite(File, &Beyond, 4, TRUE, 0, "more", &Result, Store.Device)); /* more than is allocated */
    File->Flags |= FO_WRITE_THROUGH;
    FvCheck(!FsRtlCopyWrite(File, &Place, 4, TRUE, 0, "more", &Result, Store.Device));
    FvCheck(!FsRtlMdlWriteCompleteDev(File, &Place, NULL, Store.Device));
    File->Flags &= ~FO_WRITE_THROUGH;

    FvCheck(FsRtlMdlReadDev(File, &Place, 16, 0, &Chain, &Result, Store.Device) && Chain != NULL &&
            RtlCompareMemory(MmGetSystemAddressForMdlSafe(Chain, NormalPagePriority), "sixteen bytes it", 16) == 16);
    FvCheck(FsRtlMdlReadCompleteDev(File, Chain, Store.Device));
    Chain = NULL;
    FvCheck(FsRtlPrepareMdlWriteDev(File, &Place, 16, 0, &Chain, &Result, Store.Device) && Result.Information == 16);
    RtlFillMemory(MmGetSystemAddressForMdlSafe(Chain, NormalPagePriority), 16, 0x2B);
    FvCheck(FsRtlMdlWriteCompleteDev(File, &Place, Chain, Store.Device));
    CcFlushCache(&Store.Sections, NULL, 0, &Result);
    FvCheck(Store.Bytes[0x8000] == 0x2B && Store.Bytes[0x800F] == 0x2B && Store.Bytes[0x8010] == StoreByte(0x8010));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(54);
    if (!NT_SUCCESS(StoreCreate(DriverObject)))
        return STATUS_UNSUCCESSFUL;
    File = StoreOpen(&Handle);
    CcInitializeCacheMap(File, StoreSizes(), TRUE, &StoreCallbacks, &Store);
    CheckMdls();
    CheckMapping();
    CheckPinning();
    CheckFastIo();
    FvCheck(CcUninitializeCacheMap(File, NULL, NULL));
    StoreClose(Handle, File);
    return STATUS_SUCCESS;
}
