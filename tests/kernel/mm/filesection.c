// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sections of files over a file system that counts: which file and size they may have, pages that come and go by paging transfers, what
 * file systems ask before they delete and cut, and the callbacks around them.
 */
#include "../cc/store.h"

DRIVER_INITIALIZE DriverEntry;

NTKERNELAPI NTSTATUS NTAPI FsRtlCreateSectionForDataScan(PHANDLE SectionHandle, PVOID *SectionObject,
                                                         PLARGE_INTEGER SectionFileSize, PFILE_OBJECT FileObject,
                                                         ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                                                         PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection,
                                                         ULONG AllocationAttributes, ULONG Flags);

#define GRANULE 0x10000

static UCHAR Buffer[0x1000];
static HANDLE Handle;
static PFILE_OBJECT File;
static LONG Acquired, Released, WriterAcquired, WriterReleased, FlushAcquired, FlushReleased, Posts;
static ULONG Protection;
static NTSTATUS Refusal;

/* ---- callbacks ---- */

static NTSTATUS NTAPI PreAcquire(PFS_FILTER_CALLBACK_DATA Data, PVOID *CompletionContext)
{
    Acquired++;
    Protection = Data->Parameters.AcquireForSectionSynchronization.PageProtection;
    *CompletionContext = &Acquired;
    if (!NT_SUCCESS(Refusal))
        return Refusal;
    return Data->FileObject == File && Data->DeviceObject == Store.Device &&
                   Data->Operation == FS_FILTER_ACQUIRE_FOR_SECTION_SYNCHRONIZATION &&
                   Data->Parameters.AcquireForSectionSynchronization.SyncType == SyncTypeCreateSection
               ? STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY
               : STATUS_INVALID_PARAMETER;
}

static VOID NTAPI PostAcquire(PFS_FILTER_CALLBACK_DATA Data, NTSTATUS OperationStatus, PVOID CompletionContext)
{
    UNREFERENCED_PARAMETER(Data);
    if (CompletionContext == &Acquired && OperationStatus == (NT_SUCCESS(Refusal) ? STATUS_SUCCESS : Refusal))
        Posts++;
}

static NTSTATUS NTAPI Count(PFS_FILTER_CALLBACK_DATA Data, PVOID *CompletionContext)
{
    UNREFERENCED_PARAMETER(CompletionContext);
    switch (Data->Operation) {
    case FS_FILTER_RELEASE_FOR_SECTION_SYNCHRONIZATION: Released++; break;
    case FS_FILTER_ACQUIRE_FOR_MOD_WRITE: WriterAcquired++; break;
    case FS_FILTER_RELEASE_FOR_MOD_WRITE: WriterReleased++; break;
    case FS_FILTER_ACQUIRE_FOR_CC_FLUSH: FlushAcquired++; break;
    case FS_FILTER_RELEASE_FOR_CC_FLUSH: FlushReleased++; break;
    }
    return STATUS_FSFILTER_OP_COMPLETED_SUCCESSFULLY;
}

static NTSTATUS RegisterCallbacks(PDRIVER_OBJECT DriverObject)
{
    FS_FILTER_CALLBACKS Callbacks = {.SizeOfFsFilterCallbacks = sizeof(Callbacks),
                                     .PreAcquireForSectionSynchronization = PreAcquire,
                                     .PostAcquireForSectionSynchronization = PostAcquire,
                                     .PreReleaseForSectionSynchronization = Count,
                                     .PreAcquireForCcFlush = Count,
                                     .PreReleaseForCcFlush = Count,
                                     .PreAcquireForModifiedPageWriter = Count,
                                     .PreReleaseForModifiedPageWriter = Count};

    return FsRtlRegisterFileSystemFilterCallbacks(DriverObject, &Callbacks);
}

/* ---- small words ---- */

static NTSTATUS Create(PHANDLE Section, LONGLONG Size, ULONG Protect)
{
    LARGE_INTEGER Maximum = At(Size);
    OBJECT_ATTRIBUTES Attributes;

    *Section = NULL;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateSection(Section, SECTION_ALL_ACCESS, &Attributes, Size == 0 ? NULL : &Maximum, Protect, SEC_COMMIT,
                           Handle);
}

static NTSTATUS Map(HANDLE Section, PUCHAR *View, LONGLONG Offset, SIZE_T Size, ULONG Protect)
{
    LARGE_INTEGER Place = At(Offset);

    *View = NULL;
    return ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)View, 0, 0, &Place, &Size, ViewUnmap, 0, Protect);
}

static VOID Unmap(PUCHAR View)
{
    ZwUnmapViewOfSection(ZwCurrentProcess(), View);
}

static VOID Sleep(LONG Milliseconds)
{
    LARGE_INTEGER Time = At(-10000LL * Milliseconds);

    KeDelayExecutionThread(KernelMode, FALSE, &Time);
}

static BOOLEAN IsCutTo(LONGLONG Size)
{
    LARGE_INTEGER New = At(Size);

    return MmCanFileBeTruncated(&Store.Sections, &New);
}

/* ---- cases ---- */

static VOID CheckCreating(VOID)
{
    LONGLONG Size = Store.Header.FileSize.QuadPart;
    PSECTION_OBJECT_POINTERS Sections = File->SectionObjectPointer;
    FILE_END_OF_FILE_INFORMATION End = {.EndOfFile.QuadPart = Size};
    HANDLE Section;
    PUCHAR View;

    FvCheck(Create(&Section, Size + 1, PAGE_READONLY) == STATUS_SECTION_TOO_BIG);
    FvCheck(Create(&Section, 1LL << 50, PAGE_READWRITE) == STATUS_SECTION_TOO_BIG);
    FvCheck(Create(&Section, -1, PAGE_READONLY) == STATUS_INVALID_PARAMETER_4);
    Store.Header.FileSize.QuadPart = 0;
    FvCheck(Create(&Section, 0, PAGE_READONLY) == STATUS_MAPPED_FILE_SIZE_ZERO);
    Store.Header.FileSize.QuadPart = Size;
    File->SectionObjectPointer = NULL;
    FvCheck(Create(&Section, 0, PAGE_READONLY) == STATUS_INVALID_FILE_FOR_SECTION);
    File->SectionObjectPointer = Sections;
    Acquired = Released = Posts = 0;
    Refusal = STATUS_FILE_LOCK_CONFLICT;
    FvCheck(Create(&Section, 0, PAGE_READONLY) == STATUS_FILE_LOCK_CONFLICT && Acquired == 1 && Released == 0 &&
            Posts == 1);
    Refusal = STATUS_SUCCESS;
    FvCheck(Create(&Section, 0, PAGE_READONLY) == STATUS_SUCCESS && Acquired == 2 && Released == 1 && Posts == 2 &&
            Protection == PAGE_READONLY);
    FvCheck(Store.Sections.DataSectionObject != NULL && Store.Sections.SharedCacheMap == NULL);
    FvCheck(Map(Section, &View, 0, 0, PAGE_READWRITE) == STATUS_SECTION_PROTECTION);
    FvCheck(Map(Section, &View, STORE_SIZE, 0, PAGE_READONLY) == STATUS_INVALID_VIEW_SIZE);
    ZwClose(Section);
    FvCheck(Store.Sections.DataSectionObject == NULL);
    FvCheck(Create(&Section, Size + 0x3000, PAGE_READWRITE) == STATUS_SUCCESS); /* the file grows */
    FvCheck(Store.Header.FileSize.QuadPart == Size + 0x3000);
    ZwClose(Section);
    FvCheck(IoSetInformation(File, FileEndOfFileInformation, sizeof(End), &End) == STATUS_SUCCESS &&
            Store.Header.FileSize.QuadPart == Size);
    FvCheck(IoSetInformation(File, FileDispositionInformation, sizeof(End), &End) == STATUS_INVALID_PARAMETER);
}

static VOID CheckPages(VOID)
{
    ULONG Size = (ULONG)Store.Header.FileSize.QuadPart, Rest = Size % PAGE_SIZE;
    LONG Reads = Store.Reads, Writes = Store.Writes;
    HANDLE Section;
    PUCHAR View, Other;

    FvCheck(Create(&Section, 0, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Map(Section, &View, 0, 0, PAGE_READWRITE) == STATUS_SUCCESS && Store.Reads == Reads);
    FvCheck(IsStored(View, 0, 16) && Store.Reads == Reads + 1 && Store.LastRead == 0);
    FvCheck((Store.Flags & (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO | IRP_NOCACHE)) ==
            (IRP_PAGING_IO | IRP_SYNCHRONOUS_PAGING_IO | IRP_NOCACHE));
    FvCheck(IsStored(View, 0, PAGE_SIZE) && Store.Reads == Reads + 1);
    FvCheck(IsStored(View, 0, Size));
    FvCheck(View[Size] == 0 && View[Size - Rest + PAGE_SIZE - 1] == 0); /* behind the file's end */
    FvCheck(Map(Section, &Other, GRANULE, GRANULE, PAGE_READONLY) == STATUS_SUCCESS);
    View[GRANULE + 7] = 0x99;
    FvCheck(Other[7] == 0x99 && Store.Bytes[GRANULE + 7] != 0x99);
    Unmap(View);
    Sleep(1500); /* nobody may write it any more by a view, but the section may */
    FvCheck(Store.Writes == Writes + 1 && Store.LastWrite == GRANULE && Store.Bytes[GRANULE + 7] == 0x99);
    FvCheck(WriterAcquired == 1 && WriterReleased == 1);
    Unmap(Other);

    FvCheck(Map(Section, &View, 0, GRANULE, PAGE_WRITECOPY) == STATUS_SUCCESS);
    View[0] = (UCHAR)~StoreByte(0);
    FvCheck(Map(Section, &Other, 0, GRANULE, PAGE_READONLY) == STATUS_SUCCESS && Other[0] == StoreByte(0));
    Unmap(View);
    Unmap(Other);
    FvCheck(Map(Section, &View, 2 * GRANULE, GRANULE, PAGE_READWRITE) == STATUS_SUCCESS);
    View[0] = 0x42;
    ZwClose(Section);
    Writes = Store.Writes;
    Unmap(View); /* the last: a worker writes, and lets the file go */
    Sleep(100);
    FvCheck(Store.Writes == Writes + 1 && Store.Bytes[2 * GRANULE] == 0x42 && Store.Sections.DataSectionObject == NULL);
    Store.Bytes[2 * GRANULE] = StoreByte(2 * GRANULE);
    Store.Bytes[GRANULE + 7] = StoreByte(GRANULE + 7);
}

static NTSTATUS Fault(PUCHAR Address, PEXCEPTION_RECORD Record)
{
    __try {
        (void)*(volatile UCHAR *)Address;
    } __except (*Record = *((PEXCEPTION_POINTERS)GetExceptionInformation())->ExceptionRecord,
                EXCEPTION_EXECUTE_HANDLER) {
        return Record->ExceptionCode;
    }
    return STATUS_SUCCESS;
}

static VOID CheckErrors(VOID)
{
    EXCEPTION_RECORD Record;
    HANDLE Section;
    PUCHAR View;

    FvCheck(Create(&Section, 0, PAGE_READONLY) == STATUS_SUCCESS);
    FvCheck(Map(Section, &View, 0, GRANULE, PAGE_READONLY) == STATUS_SUCCESS);
    Store.ReadStatus = STATUS_CRC_ERROR;
    FvCheck(Fault(View + 5, &Record) == STATUS_IN_PAGE_ERROR);
    FvCheck(Record.NumberParameters == 3 && Record.ExceptionInformation[0] == 0 &&
            Record.ExceptionInformation[1] == (ULONG_PTR)View + 5 &&
            (NTSTATUS)Record.ExceptionInformation[2] == STATUS_CRC_ERROR);
    Store.ReadStatus = STATUS_SUCCESS;
    FvCheck(Fault(View + 5, &Record) == STATUS_SUCCESS && View[5] == StoreByte(5));
    Unmap(View);
    ZwClose(Section);
}

static VOID CheckQuestions(VOID)
{
    LONGLONG Size = Store.Header.FileSize.QuadPart;
    HANDLE Section;
    PUCHAR View;

    FvCheck(MmFlushImageSection(&Store.Sections, MmFlushForDelete) && IsCutTo(0) &&
            MmForceSectionClosed(&Store.Sections, FALSE) && MmDoesFileHaveUserWritableReferences(&Store.Sections) == 0);
    FvCheck(Create(&Section, 0, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(MmDoesFileHaveUserWritableReferences(&Store.Sections) == 1);
    FvCheck(Map(Section, &View, 0, GRANULE, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(MmDoesFileHaveUserWritableReferences(&Store.Sections) == 2);
    ZwClose(Section);
    FvCheck(!MmFlushImageSection(&Store.Sections, MmFlushForDelete) &&
            MmFlushImageSection(&Store.Sections, MmFlushForWrite));
    FvCheck(!IsCutTo(0) && !IsCutTo(Size) && IsCutTo(Size + PAGE_SIZE) && !MmCanFileBeTruncated(&Store.Sections, NULL));
    FvCheck(!MmForceSectionClosed(&Store.Sections, FALSE));
    FvCheck(!CcPurgeCacheSection(&Store.Sections, NULL, 0, 0)); /* somebody has it mapped */
    Unmap(View);
    FvCheck(MmForceSectionClosed(&Store.Sections, TRUE) && Store.Sections.DataSectionObject == NULL);
}

static VOID CheckPrefetch(VOID)
{
    READ_LIST List = {File, 1, FALSE, {{.Alignment = 0x15000}}};
    PREAD_LIST Lists[] = {&List};
    LONG Reads = Store.Reads;
    HANDLE Section;
    PUCHAR View;

    FvCheck(MmPrefetchPages(1, Lists) == STATUS_INVALID_PARAMETER_1); /* there is no section */
    FvCheck(Create(&Section, 0, PAGE_READONLY) == STATUS_SUCCESS);
    FvCheck(MmPrefetchPages(1, Lists) == STATUS_SUCCESS && Store.Reads == Reads + 1 && Store.LastRead == 0x15000 &&
            Store.LastReadLength == PAGE_SIZE);
    FvCheck(Map(Section, &View, 0x10000, 0, PAGE_READONLY) == STATUS_SUCCESS && IsStored(View + 0x5000, 0x15000, 16) &&
            Store.Reads == Reads + 1);
    Store.ReadStatus = STATUS_CRC_ERROR;
    List.List[0].Alignment = 0x20000;
    FvCheck(MmPrefetchPages(1, Lists) == STATUS_CRC_ERROR);
    Store.ReadStatus = STATUS_SUCCESS;
    Unmap(View);
    ZwClose(Section);
}

/* A view and the cache show the same bytes. */
static VOID CheckCoherence(VOID)
{
    LARGE_INTEGER Place = At(0x20010);
    IO_STATUS_BLOCK Result;
    HANDLE Section;
    PUCHAR View;

    CcInitializeCacheMap(File, StoreSizes(), FALSE, &StoreCallbacks, &Store);
    FvCheck(Create(&Section, 0, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(Map(Section, &View, 0x20000, GRANULE, PAGE_READWRITE) == STATUS_SUCCESS);
    FvCheck(CcCopyWrite(File, &Place, 4, TRUE, "copy") && RtlCompareMemory(View + 0x10, "copy", 4) == 4);
    RtlCopyMemory(View + 0x10, "view", 4);
    FvCheck(CcCopyRead(File, &Place, 4, TRUE, Buffer, &Result) && RtlCompareMemory(Buffer, "view", 4) == 4);
    FlushAcquired = FlushReleased = 0;
    CcFlushCache(&Store.Sections, &Place, 4, &Result);
    FvCheck(Result.Status == STATUS_SUCCESS && RtlCompareMemory(Store.Bytes + 0x20010, "view", 4) == 4 &&
            FlushAcquired == 1 && FlushReleased == 1);
    RtlCopyMemory(View + 0x10, "late", 4); /* after a flush it is dirty again */
    CcFlushCache(&Store.Sections, &Place, 4, &Result);
    FvCheck(RtlCompareMemory(Store.Bytes + 0x20010, "late", 4) == 4);
    Unmap(View);
    ZwClose(Section);
    FvCheck(CcUninitializeCacheMap(File, NULL, NULL) && Store.Sections.DataSectionObject == NULL);
}

static NTSTATUS Scan(PHANDLE Section, PVOID *Object, PLARGE_INTEGER Size, ULONG Protect, ULONG Attributes)
{
    OBJECT_ATTRIBUTES Named;

    InitializeObjectAttributes(&Named, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return FsRtlCreateSectionForDataScan(Section, Object, Size, File, SECTION_MAP_READ | SECTION_QUERY, &Named, NULL,
                                         Protect, Attributes, 0);
}

static VOID CheckScan(VOID)
{
    LARGE_INTEGER Size = At(0);
    LONGLONG Whole = Store.Header.FileSize.QuadPart;
    HANDLE Section = NULL;
    PVOID Object, Base = NULL;
    SIZE_T ViewSize = 0;

    FvCheck(Scan(&Section, &Object, &Size, PAGE_EXECUTE_READ, SEC_COMMIT) == STATUS_INVALID_PARAMETER_8);
    FvCheck(Scan(&Section, &Object, &Size, PAGE_READONLY, SEC_RESERVE) == STATUS_INVALID_PARAMETER_9);
    Store.Header.FileSize.QuadPart = 0;
    FvCheck(Scan(&Section, &Object, &Size, PAGE_READONLY, SEC_COMMIT) == STATUS_END_OF_FILE);
    Store.Header.FileSize.QuadPart = Whole;
    FvCheck(Scan(&Section, &Object, &Size, PAGE_READONLY, SEC_COMMIT) == STATUS_SUCCESS && Size.QuadPart == Whole);
    FvCheck(MmMapViewInSystemSpace(Object, &Base, &ViewSize) == STATUS_SUCCESS && IsStored(Base, 0, 0x5000));
    FvCheck(MmUnmapViewInSystemSpace(Base) == STATUS_SUCCESS);
    ObDereferenceObject(Object);
    ZwClose(Section);
    FvCheck(Store.Sections.DataSectionObject == NULL);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(65);
    if (!NT_SUCCESS(StoreCreate(DriverObject)))
        return STATUS_UNSUCCESSFUL;
    File = StoreOpen(&Handle);
    FvCheck(NT_SUCCESS(RegisterCallbacks(DriverObject)));
    CheckCreating();
    CheckPages();
    CheckErrors();
    CheckQuestions();
    CheckPrefetch();
    CheckCoherence();
    CheckScan();
    StoreClose(Handle, File);
    return STATUS_SUCCESS;
}
