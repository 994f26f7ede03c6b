/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ldr: PE images, their imports and exports, and what is checked when a driver goes.
 *
 * Rules: loading and unloading happen at PASSIVE_LEVEL, one at a time; looking an address up may happen at any
 * IRQL.  A file is validated before anything of it is used: a broken one is refused with a reason, never a fault.
 */
#ifndef FLTVM_LDR_H
#define FLTVM_LDR_H

#include <boot.h>

/* Windows's layout up to LoadedImports; what follows is ours.  DriverObject->DriverSection points to it. */
typedef struct _LDR_IMAGE {
    LIST_ENTRY InLoadOrderLinks; /* PsLoadedModuleList */
    PVOID ExceptionTable;
    ULONG ExceptionTableSize;
    PVOID GpValue;
    PVOID NonPagedDebugInfo;
    PVOID DllBase; /* 030 */
    PVOID EntryPoint;
    ULONG SizeOfImage;
    UNICODE_STRING FullDllName; /* 048 */
    UNICODE_STRING BaseDllName; /* 058 */
    ULONG Flags;
    USHORT LoadCount;
    USHORT SignatureInformation;
    PVOID SectionPointer;
    ULONG CheckSum;
    ULONG CoverageSectionSize;
    PVOID CoverageSection;
    PVOID LoadedImports;
    PVOID Spare;
    ULONG SizeOfImageNotRounded;
    ULONG TimeDateStamp;

    ULONG Owner;   /* of pool: MmRegisterDriver */
    CHAR Name[40]; /* as the host knows it */
    PVOID Thunks;  /* the verifier's */
    SIZE_T ThunksSize;
    ULONG References;              /* images that import from it */
    BOOLEAN Unloading;             /* its driver is gone, but References are not */
    BOOLEAN InBox;                 /* of the machine itself: not to blame while another driver can be */
    struct _LDRP_LIBRARY *Library; /* the file, when it was loaded because another image imports from it */
    ULONG Imports;
    struct _LDR_IMAGE *Import[8];
} LDR_IMAGE, *PLDR_IMAGE;
C_ASSERT(FIELD_OFFSET(LDR_IMAGE, DllBase) == 0x30);
C_ASSERT(FIELD_OFFSET(LDR_IMAGE, BaseDllName) == 0x58);

extern LIST_ENTRY PsLoadedModuleList;

/* Takes the kernel's own image over.  After MmInitSystem(0). */
VOID LdrInitSystem(struct fltvm_loader_block *LoaderBlock);

/*
 * Maps, relocates, binds and protects an image.  Name is the file's ("x.sys"; without a dot ".sys" is added).
 * STATUS_INVALID_IMAGE_FORMAT: the file is broken.  STATUS_DRIVER_ENTRYPOINT_NOT_FOUND,
 * STATUS_DRIVER_ORDINAL_NOT_FOUND: an import is not there (all of them are logged).  STATUS_DLL_NOT_FOUND: a whole
 * image that it imports from.  STATUS_INSUFFICIENT_RESOURCES.  LdrQueryFailure has the details.
 * InBox: it came with the machine.  IRQL: PASSIVE_LEVEL.
 */
NTSTATUS LdrLoadImage(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, BOOLEAN InBox, PLDR_IMAGE *Image);

/*
 * Puts a file beside the drivers, as installing an export driver does (\SystemRoot\System32\drivers\Name): when an image
 * that imports from Name is loaded and no image of that name is, this one is loaded first and its DllInitialize called; a
 * failure fails the load.  When the last image that imports from it is gone its DllUnload is called and it goes, unless it
 * lacks either routine.  Bytes are copied; InBox: it came with the machine, and they stay where they are.  STATUS_OBJECT_NAME_COLLISION: a file of this name is in use.
 * STATUS_OBJECT_NAME_INVALID: not a name with an extension and without folders.  STATUS_INSUFFICIENT_RESOURCES.
 * IRQL: PASSIVE_LEVEL.
 * Source: "Creating Export Drivers".
 */
NTSTATUS LdrProvideLibrary(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, BOOLEAN InBox);

/* After DriverEntry: INIT sections and relocations go.  IRQL: PASSIVE_LEVEL. */
VOID LdrDiscardInit(PLDR_IMAGE Image);

/*
 * Checks that nothing of the driver is left behind (pool, timers, DPCs, work items, threads: each a bugcheck with a
 * report), then unmaps it; while another image imports from it, the last of those does both as it goes, as on Windows.
 * IRQL: PASSIVE_LEVEL.
 */
VOID LdrUnloadImage(PLDR_IMAGE Image);

/* IO_IMAGE_LOADER's: how a file lies in memory when it is run, from what it begins with.  IRQL: PASSIVE_LEVEL. */
struct _MM_IMAGE;
NTSTATUS LdrDescribeImage(const VOID *Bytes, SIZE_T Length, ULONG64 FileSize, struct _MM_IMAGE **Image);

/*
 * A program of user mode and its ntdll.dll, into the current process.  Section NULL: the program is Program's bytes; else it is
 * mapped from that image section.  Statuses as LdrLoadImage and ZwMapViewOfSection; STATUS_ENTRYPOINT_NOT_FOUND: an import is not
 * there.  What was mapped stays, for the process's end.  IRQL: PASSIVE_LEVEL.
 */
typedef struct _LDR_PROGRAM {
    ULONG64 ImageBase, ImageSize;
    ULONG64 LibraryBase, LibrarySize; /* ntdll.dll */
    ULONG64 Entry;
    ULONG64 Start; /* ntdll.dll's RtlUserThreadStart; it has the dispatchers, too */
    ULONG64 ApcDispatcher, ExceptionDispatcher;
} LDR_PROGRAM, *PLDR_PROGRAM;
NTSTATUS LdrMapProgram(const VOID *Library, SIZE_T LibraryLength, const VOID *Program, SIZE_T ProgramLength,
                       PVOID Section, PLDR_PROGRAM Result);

/* IRQL: any. */
PLDR_IMAGE LdrFindImageByAddress(PVOID Address);

/* IRQL: PASSIVE_LEVEL. */
PLDR_IMAGE LdrFindImageByName(PCUNICODE_STRING Name);

/* Why the last LdrLoadImage refused, as text for a person; its length.  IRQL: PASSIVE_LEVEL. */
ULONG LdrQueryFailure(PCHAR Buffer, ULONG Size);

/*
 * Others that can hold addresses of an image (ex: work items; io: queued IRPs).  A routine reports and bugchecks if it
 * finds one of the image; called before the image is unmapped.  IRQL: PASSIVE_LEVEL.
 */
typedef VOID (*PLDR_UNLOAD_CHECK)(PVOID Base, SIZE_T Size, PUNICODE_STRING Name);
VOID LdrRegisterUnloadCheck(PLDR_UNLOAD_CHECK Routine);

#endif
