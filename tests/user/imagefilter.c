// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Watches programs come to run from a volume, as a scanner does: the open for execution, the section, paging reads, the process,
 * its images; and refuses what the value Refuse of its key says.  What it sees it says, in words that images.lua looks for.
 */
#include "../inc/minifilter.h"

#define REFUSE_OPEN    1
#define REFUSE_SECTION 2
#define REFUSE_PROCESS 3

static PFLT_FILTER Filter;
static ULONG Refuse;
static volatile LONG Paged;
static PFILE_OBJECT Told; /* the process's, to be compared: not referenced */

static BOOLEAN IsProgram(PFILE_OBJECT FileObject)
{
    static const UNICODE_STRING Suffix = RTL_CONSTANT_STRING(L".exe");

    return RtlSuffixUnicodeString(&Suffix, &FileObject->FileName, TRUE);
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreCreate(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects,
                                                  PVOID *Context)
{
    ACCESS_MASK Access = Data->Iopb->Parameters.Create.SecurityContext->DesiredAccess;

    UNREFERENCED_PARAMETER(Context);
    if (!IsProgram(Objects->FileObject) || (Access & FILE_EXECUTE) == 0)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    DbgPrint("imagefilter: opened for execution, access 0x%X\n", Access);
    if (Refuse != REFUSE_OPEN)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Data->IoStatus.Status = STATUS_VIRUS_INFECTED;
    Data->IoStatus.Information = 0;
    return FLT_PREOP_COMPLETE;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreSection(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects,
                                                   PVOID *Context)
{
    ULONG Protection = (ULONG)Data->Iopb->Parameters.AcquireForSectionSynchronization.PageProtection;

    UNREFERENCED_PARAMETER(Context);
    if (!IsProgram(Objects->FileObject) ||
        Data->Iopb->Parameters.AcquireForSectionSynchronization.SyncType != SyncTypeCreateSection)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    DbgPrint("imagefilter: a section of protection 0x%X\n", Protection);
    if (Refuse != REFUSE_SECTION || Protection != PAGE_EXECUTE)
        return FLT_PREOP_SUCCESS_NO_CALLBACK;
    Data->IoStatus.Status = STATUS_INSUFFICIENT_RESOURCES;
    return FLT_PREOP_COMPLETE;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS Objects, PVOID *Context)
{
    UNREFERENCED_PARAMETER(Context);
    if (IsProgram(Objects->FileObject) && (Data->Iopb->IrpFlags & IRP_PAGING_IO) != 0) {
        InterlockedIncrement(&Paged);
        if (Data->Iopb->Parameters.Read.ByteOffset.QuadPart % 512 != 0 || Data->Iopb->Parameters.Read.Length % 512 != 0)
            DbgPrint("imagefilter: a paging read of no whole sectors\n");
    }
    return FLT_PREOP_SUCCESS_NO_CALLBACK;
}

static VOID OnProcess(PEPROCESS Process, HANDLE Id, PPS_CREATE_NOTIFY_INFO Info)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(Id);
    if (Info == NULL) {
        if (Refuse == REFUSE_PROCESS)
            DbgPrint("imagefilter: end of a process\n");
        return;
    }
    Told = Info->FileObject;
    DbgPrint("imagefilter: process of %wZ, %s\n", Info->ImageFileName,
             Info->FileObject != NULL ? "with its file" : "without a file");
    if (Refuse == REFUSE_PROCESS)
        Info->CreationStatus = STATUS_ACCESS_DENIED;
}

static VOID OnImage(PUNICODE_STRING Name, HANDLE Id, PIMAGE_INFO Info)
{
    PFILE_OBJECT FileObject = NULL;

    if (Id == NULL)
        return; /* a driver's */
    if (Info->ExtendedInfoPresent)
        FileObject = CONTAINING_RECORD(Info, IMAGE_INFO_EX, ImageInfo)->FileObject;
    DbgPrint("imagefilter: image %wZ, %u pages, %s, %s, in %s\n", Name, (ULONG)(Info->ImageSize / PAGE_SIZE),
             FileObject == NULL   ? "without a file"
             : FileObject == Told ? "with the process's file"
                                  : "with a file",
             Info->SystemModeImage ? "system" : "user", Id == PsGetCurrentProcessId() ? "its process" : "another");
    if (*(PUSHORT)Info->ImageBase != 0x5A4D)
        DbgPrint("imagefilter: no image is there\n");
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    UNREFERENCED_PARAMETER(Flags);
    DbgPrint("imagefilter: %s\n", Paged != 0 ? "pages came through it" : "no page came");
    PsRemoveLoadImageNotifyRoutine(OnImage);
    PsSetCreateProcessNotifyRoutineEx(OnProcess, TRUE);
    FltUnregisterFilter(Filter);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION Operations[] = {{IRP_MJ_CREATE, 0, PreCreate, NULL, NULL},
                                                        {IRP_MJ_ACQUIRE_FOR_SECTION_SYNCHRONIZATION, 0, PreSection},
                                                        {IRP_MJ_READ, 0, PreRead, NULL, NULL},
                                                        {IRP_MJ_OPERATION_END}};

static const FLT_REGISTRATION Registration = {.Size = sizeof(FLT_REGISTRATION),
                                              .Version = FLT_REGISTRATION_VERSION,
                                              .OperationRegistration = Operations,
                                              .FilterUnloadCallback = Unload};

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status = FltRegisterFilter(DriverObject, &Registration, &Filter);

    if (!NT_SUCCESS(Status))
        return Status;
    Refuse = ReadNumber(RegistryPath, L"Refuse");
    Status = PsSetCreateProcessNotifyRoutineEx(OnProcess, FALSE);
    if (NT_SUCCESS(Status))
        Status = PsSetLoadImageNotifyRoutine(OnImage);
    if (NT_SUCCESS(Status))
        Status = FltStartFiltering(Filter);
    if (!NT_SUCCESS(Status))
        FltUnregisterFilter(Filter);
    return Status;
}
