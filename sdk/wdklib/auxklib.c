/* SPDX-License-Identifier: MIT */
/* Loaded modules, and the data of a bugcheck. */
#include <aux_klib.h>

#define AUX_TAG 'kxuA'

/* As ZwQuerySystemInformation tells them, class SystemModuleInformation. */
#define MODULES_CLASS 11

typedef struct _MODULE {
    HANDLE Section;
    PVOID MappedBase;
    PVOID ImageBase;
    ULONG ImageSize;
    ULONG Flags;
    USHORT LoadOrderIndex, InitOrderIndex, LoadCount;
    USHORT OffsetToFileName;
    UCHAR FullPathName[AUX_KLIB_MODULE_PATH_LEN];
} MODULE;

typedef struct _MODULES {
    ULONG Count;
    MODULE Module[ANYSIZE_ARRAY];
} MODULES;

NTSYSAPI NTSTATUS NTAPI ZwQuerySystemInformation(ULONG Class, PVOID Information, ULONG Length, PULONG ReturnLength);
extern __declspec(dllimport) ULONG_PTR KiBugCheckData[5];

static volatile LONG Initialized;

/* PASSIVE_LEVEL. */
NTSTATUS AuxKlibInitialize(VOID)
{
    InterlockedExchange(&Initialized, 1);
    return STATUS_SUCCESS;
}

/* In pool. */
static NTSTATUS QueryModules(MODULES **Result)
{
    ULONG Length = 0x4000, Needed;

    for (;;) {
        MODULES *Modules = ExAllocatePoolWithTag(PagedPool, Length, AUX_TAG);
        NTSTATUS Status;

        if (Modules == NULL)
            return STATUS_INSUFFICIENT_RESOURCES;
        Status = ZwQuerySystemInformation(MODULES_CLASS, Modules, Length, &Needed);
        if (NT_SUCCESS(Status)) {
            *Result = Modules;
            return Status;
        }
        ExFreePoolWithTag(Modules, AUX_TAG);
        if (Status != STATUS_INFO_LENGTH_MISMATCH)
            return Status;
        Length = Needed + 8 * sizeof(MODULE); /* more may have come */
    }
}

static VOID TellModule(const MODULE *Module, ULONG ElementSize, PVOID Element)
{
    PAUX_MODULE_EXTENDED_INFO Info = Element;

    Info->BasicInfo.ImageBase = Module->ImageBase;
    if (ElementSize == sizeof(AUX_MODULE_BASIC_INFO))
        return;
    Info->ImageSize = Module->ImageSize;
    Info->FileNameOffset = Module->OffsetToFileName;
    RtlCopyMemory(Info->FullPathName, Module->FullPathName, sizeof(Info->FullPathName));
}

/*
 * PASSIVE_LEVEL.  STATUS_BUFFER_TOO_SMALL; STATUS_INVALID_PARAMETER: ElementSize is that of neither structure;
 * STATUS_UNSUCCESSFUL: AuxKlibInitialize has not been called; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS AuxKlibQueryModuleInformation(PULONG BufferSize, ULONG ElementSize, PVOID QueryInfo)
{
    MODULES *Modules;
    NTSTATUS Status;
    ULONG Size;

    if (!Initialized)
        return STATUS_UNSUCCESSFUL;
    if (ElementSize != sizeof(AUX_MODULE_BASIC_INFO) && ElementSize != sizeof(AUX_MODULE_EXTENDED_INFO))
        return STATUS_INVALID_PARAMETER;
    Status = QueryModules(&Modules);
    if (!NT_SUCCESS(Status))
        return Status;
    Size = Modules->Count * ElementSize;
    if (QueryInfo != NULL && *BufferSize < Size) {
        Status = STATUS_BUFFER_TOO_SMALL;
    } else if (QueryInfo != NULL) {
        for (ULONG I = 0; I < Modules->Count; I++)
            TellModule(&Modules->Module[I], ElementSize, (PUCHAR)QueryInfo + I * ElementSize);
    }
    if (NT_SUCCESS(Status))
        *BufferSize = Size;
    ExFreePoolWithTag(Modules, AUX_TAG);
    return Status;
}

/* Any IRQL, in a bugcheck callback.  STATUS_INFO_LENGTH_MISMATCH: BugCheckDataSize is not the structure's. */
NTSTATUS AuxKlibGetBugCheckData(PKBUGCHECK_DATA BugCheckData)
{
    if (!Initialized)
        return STATUS_UNSUCCESSFUL;
    if (BugCheckData->BugCheckDataSize != sizeof(*BugCheckData))
        return STATUS_INFO_LENGTH_MISMATCH;
    BugCheckData->BugCheckCode = (ULONG)KiBugCheckData[0];
    BugCheckData->Parameter1 = KiBugCheckData[1];
    BugCheckData->Parameter2 = KiBugCheckData[2];
    BugCheckData->Parameter3 = KiBugCheckData[3];
    BugCheckData->Parameter4 = KiBugCheckData[4];
    return STATUS_SUCCESS;
}

/* NULL: no image, or one that exports nothing. */
PIMAGE_EXPORT_DIRECTORY AuxKlibGetImageExportDirectory(PVOID ImageBase)
{
    PIMAGE_DOS_HEADER Dos = ImageBase;
    PIMAGE_NT_HEADERS64 Nt;
    PIMAGE_DATA_DIRECTORY Directory;

    if (!Initialized || Dos->e_magic != IMAGE_DOS_SIGNATURE)
        return NULL;
    Nt = (PIMAGE_NT_HEADERS64)((PUCHAR)ImageBase + Dos->e_lfanew);
    if (Nt->Signature != IMAGE_NT_SIGNATURE || Nt->OptionalHeader.NumberOfRvaAndSizes <= IMAGE_DIRECTORY_ENTRY_EXPORT)
        return NULL;
    Directory = &Nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT];
    return Directory->VirtualAddress == 0 || Directory->Size == 0
               ? NULL
               : (PIMAGE_EXPORT_DIRECTORY)((PUCHAR)ImageBase + Directory->VirtualAddress);
}

/* PASSIVE_LEVEL.  The machine has firmware tables, but this is not built: STATUS_NOT_IMPLEMENTED, and a line in the log. */
NTSTATUS AuxKlibEnumerateSystemFirmwareTables(ULONG FirmwareTableProviderSignature, PVOID FirmwareTableBuffer,
                                              ULONG BufferLength, PULONG ReturnLength)
{
    UNREFERENCED_PARAMETER(FirmwareTableProviderSignature);
    UNREFERENCED_PARAMETER(FirmwareTableBuffer);
    UNREFERENCED_PARAMETER(BufferLength);
    if (ReturnLength != NULL)
        *ReturnLength = 0;
    DbgPrint("AuxKlibEnumerateSystemFirmwareTables is not implemented\n");
    return STATUS_NOT_IMPLEMENTED;
}

NTSTATUS AuxKlibGetSystemFirmwareTable(ULONG FirmwareTableProviderSignature, ULONG FirmwareTableID,
                                       PVOID FirmwareTableBuffer, ULONG BufferLength, PULONG ReturnLength)
{
    UNREFERENCED_PARAMETER(FirmwareTableProviderSignature);
    UNREFERENCED_PARAMETER(FirmwareTableID);
    UNREFERENCED_PARAMETER(FirmwareTableBuffer);
    UNREFERENCED_PARAMETER(BufferLength);
    if (ReturnLength != NULL)
        *ReturnLength = 0;
    DbgPrint("AuxKlibGetSystemFirmwareTable is not implemented\n");
    return STATUS_NOT_IMPLEMENTED;
}
