// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A minifilter that counts transfers, and makes some of its own: what is cached and mapped comes to it as paging reads and writes, which it may
 * refuse; what NTFS says to who cuts, deletes or outgrows.  See paging.lua.
 */
#include <fltKernel.h>

#include <fltvm.h>

DRIVER_INITIALIZE DriverEntry;

#define CHECKS 23

static PFLT_FILTER Filter;
static UNICODE_STRING Big = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\big");
static UNICODE_STRING New = RTL_CONSTANT_STRING(L"\\Device\\HarddiskVolume1\\new");
static volatile LONG Reads, Writes, PagingReads, PagingWrites, Refuse;
static UCHAR Buffer[0x8000];

static FLT_PREOP_CALLBACK_STATUS FLTAPI Count(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                              PVOID *CompletionContext)
{
    BOOLEAN Paging = (Data->Iopb->IrpFlags & IRP_PAGING_IO) != 0;
    BOOLEAN Read = Data->Iopb->MajorFunction == IRP_MJ_READ;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (FltObjects->FileObject == NULL || FltObjects->FileObject->SectionObjectPointer == NULL)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    if (Paging)
        InterlockedIncrement(Read ? &PagingReads : &PagingWrites);
    else
        InterlockedIncrement(Read ? &Reads : &Writes);
    if (Paging && Read && Refuse) {
        Data->IoStatus.Status = STATUS_VIRUS_INFECTED;
        Data->IoStatus.Information = 0;
        return FLT_PREOP_COMPLETE;
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static NTSTATUS Open(PUNICODE_STRING Name, PHANDLE Handle, ULONG Disposition)
{
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Result;

    InitializeObjectAttributes(&Attributes, Name, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateFile(Handle, GENERIC_READ | GENERIC_WRITE | DELETE | SYNCHRONIZE, &Attributes, &Result, NULL, 0,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, Disposition,
                        FILE_SYNCHRONOUS_IO_NONALERT | FILE_NON_DIRECTORY_FILE, NULL, 0);
}

static NTSTATUS Map(HANDLE File, PUCHAR *View)
{
    SIZE_T Size = 0;
    HANDLE Section;
    NTSTATUS Status = ZwCreateSection(&Section, SECTION_ALL_ACCESS, NULL, NULL, PAGE_READWRITE, SEC_COMMIT, File);

    *View = NULL;
    if (NT_SUCCESS(Status)) {
        Status = ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)View, 0, 0, NULL, &Size, ViewUnmap, 0,
                                    PAGE_READWRITE);
        ZwClose(Section);
    }
    return Status;
}

static NTSTATUS Read(HANDLE File, ULONG Offset)
{
    LARGE_INTEGER Place = {.QuadPart = Offset};
    IO_STATUS_BLOCK Result;

    return ZwReadFile(File, NULL, NULL, NULL, &Result, Buffer, 100, &Place, NULL);
}

static NTSTATUS Write(HANDLE File, LONGLONG Offset, ULONG Length)
{
    LARGE_INTEGER Place = {.QuadPart = Offset};
    IO_STATUS_BLOCK Result;

    return ZwWriteFile(File, NULL, NULL, NULL, &Result, Buffer, Length, &Place, NULL);
}

static NTSTATUS Set(HANDLE File, FILE_INFORMATION_CLASS Class, LONGLONG Value)
{
    IO_STATUS_BLOCK Result;

    return ZwSetInformationFile(File, &Result, &Value, Class == FileDispositionInformation ? 1 : 8, Class);
}

static LONGLONG SizeOf(HANDLE File)
{
    FILE_STANDARD_INFORMATION Standard = {0};
    IO_STATUS_BLOCK Result;

    ZwQueryInformationFile(File, &Result, &Standard, sizeof(Standard), FileStandardInformation);
    return Standard.EndOfFile.QuadPart;
}

static VOID CheckReads(VOID)
{
    HANDLE File;
    PUCHAR View;

    FvCheck(NT_SUCCESS(Open(&Big, &File, FILE_OPEN)));
    FvCheck(Reads == 0 && PagingReads == 0);
    Refuse = TRUE;
    FvCheck(Read(File, 0) ==
            STATUS_VIRUS_INFECTED); /* what a filter says of the paging read is what the reader hears */
    Refuse = FALSE;
    FvCheck(Read(File, 0) == STATUS_SUCCESS && Buffer[0] == 'b' && Reads == 2 && PagingReads == 2);
    FvCheck(Read(File, 50) == STATUS_SUCCESS && PagingReads == 2); /* from memory */
    FvCheck(NT_SUCCESS(Map(File, &View)) && View[0] == 'b' && PagingReads == 2);
    FvCheck(View[0x20000] == 'b' && PagingReads == 3 && Reads == 3); /* a page fault */
    ZwUnmapViewOfSection(ZwCurrentProcess(), View);
    ZwClose(File);
}

static VOID CheckWrites(VOID)
{
    IO_STATUS_BLOCK Result;
    HANDLE File;
    PUCHAR View;

    RtlFillMemory(Buffer, sizeof(Buffer), 'n');
    FvCheck(NT_SUCCESS(Open(&New, &File, FILE_CREATE)));
    FvCheck(Write(File, 0, sizeof(Buffer)) == STATUS_SUCCESS && Writes == 1 && PagingWrites == 0);
    FvCheck(NT_SUCCESS(ZwFlushBuffersFile(File, &Result)) && PagingWrites == 1);
    FvCheck(NT_SUCCESS(ZwFlushBuffersFile(File, &Result)) && PagingWrites == 1);
    FvCheck(NT_SUCCESS(Map(File, &View)) && View[0x7FFF] == 'n');
    View[0x1000] = 'v';
    FvCheck(Read(File, 0x1000) == STATUS_SUCCESS && Buffer[0] == 'v');
    FvCheck(NT_SUCCESS(ZwFlushBuffersFile(File, &Result)) && PagingWrites == 2 && Writes == 1);

    FvCheck(Set(File, FileEndOfFileInformation, 100) == STATUS_USER_MAPPED_FILE);
    FvCheck(Set(File, FileDispositionInformation, 1) == STATUS_CANNOT_DELETE);
    FvCheck(Set(File, FileEndOfFileInformation, 0x9000) == STATUS_SUCCESS); /* longer it may be */
    ZwUnmapViewOfSection(ZwCurrentProcess(), View);
    FvCheck(Set(File, FileEndOfFileInformation, 100) == STATUS_SUCCESS);
    FvCheck(Set(File, FileEndOfFileInformation, 0x2000) == STATUS_SUCCESS && Read(File, 90) == STATUS_SUCCESS &&
            Buffer[9] == 'n' && Buffer[10] == 0 && Buffer[99] == 0);
    FvCheck(Write(File, 1LL << 30, 10) == STATUS_DISK_FULL && SizeOf(File) == 0x2000);
    FvCheck(Write(File, 0x2000, 10) == STATUS_SUCCESS && SizeOf(File) == 0x200A);
    FvCheck(Set(File, FileDispositionInformation, 1) == STATUS_SUCCESS);
    PagingWrites = 0;
    ZwClose(File);
    FvCheck(PagingWrites == 0 &&
            Open(&New, &File, FILE_OPEN) == STATUS_OBJECT_NAME_NOT_FOUND); /* nothing is written of it */
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {
    {IRP_MJ_READ, 0, Count, NULL, NULL}, {IRP_MJ_WRITE, 0, Count, NULL, NULL}, {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION Registration = {
    .Size = sizeof(Registration),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = Operations,
    .FilterUnloadCallback = Unload,
};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE File;
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    FvTestPlan(CHECKS);
    if (NT_SUCCESS(Open(&Big, &File, FILE_OPEN))) /* the volume is mounted, and the filter attaches to it */
        ZwClose(File);
    Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status)) {
        FltUnregisterFilter(Filter);
        return Status;
    }
    CheckReads();
    CheckWrites();
    return STATUS_SUCCESS;
}
