/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * system: what the machine tells of itself, by information class: modules, processes, processors, time.
 *
 * Whatever is told is gathered in pool, as long as the caller's buffer is, and copied out at the end.
 */
#include "ldrp.h"
#include <hal.h>
#include <ob.h>
#include <snapshot.h>

#define LDRP_SYSTEM_TAG   'sySL'
#define LDRP_MOST_SYSTEM  0x1000000 /* bytes that anybody may ask for */
#define LDRP_MOST_CLASSES 256
#define LDRP_TICK         156250
#define LDRP_PATH         256
#define LDRP_GRANULARITY  0x10000
#define LDRP_AMD64        9 /* PROCESSOR_ARCHITECTURE_AMD64 */

enum {
    LdrpSystemBasic = 0,
    LdrpSystemProcessor = 1,
    LdrpSystemTimeOfDay = 3,
    LdrpSystemProcess = 5,
    LdrpSystemModule = 11,
    LdrpSystemKernelDebugger = 35,
};

typedef struct _LDRP_SYSTEM_BASIC {
    ULONG Reserved, TimerResolution, PageSize;
    ULONG NumberOfPhysicalPages, LowestPhysicalPageNumber, HighestPhysicalPageNumber;
    ULONG AllocationGranularity;
    ULONG_PTR MinimumUserModeAddress, MaximumUserModeAddress;
    KAFFINITY ActiveProcessorsAffinityMask;
    CCHAR NumberOfProcessors;
} LDRP_SYSTEM_BASIC;
C_ASSERT(sizeof(LDRP_SYSTEM_BASIC) == 0x40);

typedef struct _LDRP_SYSTEM_PROCESSOR {
    USHORT Architecture, Level, Revision, MaximumProcessors;
    ULONG FeatureBits;
} LDRP_SYSTEM_PROCESSOR;
C_ASSERT(sizeof(LDRP_SYSTEM_PROCESSOR) == 12);

typedef struct _LDRP_SYSTEM_TIME {
    LARGE_INTEGER BootTime, CurrentTime, TimeZoneBias;
    ULONG TimeZoneId, Reserved;
    ULONG64 BootTimeBias, SleepTimeBias;
} LDRP_SYSTEM_TIME;
C_ASSERT(sizeof(LDRP_SYSTEM_TIME) == 48);

typedef struct _LDRP_MODULE {
    HANDLE Section;
    PVOID MappedBase, ImageBase;
    ULONG ImageSize, Flags;
    USHORT LoadOrderIndex, InitOrderIndex, LoadCount, OffsetToFileName;
    CHAR FullPathName[LDRP_PATH];
} LDRP_MODULE;
C_ASSERT(sizeof(LDRP_MODULE) == 296);

typedef struct _LDRP_MODULES {
    ULONG Count;
    LDRP_MODULE Module[ANYSIZE_ARRAY];
} LDRP_MODULES;

static NTSTATUS LdrpTellBasic(PVOID Facts)
{
    LDRP_SYSTEM_BASIC *Basic = Facts;
    ULONG64 Top = 0;

    for (ULONG Range = 0; Range < HalLoaderBlock->ranges; Range++) {
        ULONG64 End = HalLoaderBlock->range[Range].base + HalLoaderBlock->range[Range].size;

        Basic->NumberOfPhysicalPages += (ULONG)(HalLoaderBlock->range[Range].size / PAGE_SIZE);
        Top = max(Top, End);
    }
    Basic->TimerResolution = LDRP_TICK;
    Basic->PageSize = PAGE_SIZE;
    Basic->LowestPhysicalPageNumber = 1;
    Basic->HighestPhysicalPageNumber = (ULONG)(Top / PAGE_SIZE) - 1;
    Basic->AllocationGranularity = LDRP_GRANULARITY;
    Basic->MinimumUserModeAddress = LDRP_GRANULARITY;
    Basic->MaximumUserModeAddress = MM_HIGHEST_USER;
    Basic->ActiveProcessorsAffinityMask = KeQueryActiveProcessors();
    Basic->NumberOfProcessors = (CCHAR)KeQueryActiveProcessorCount(NULL);
    return STATUS_SUCCESS;
}

static NTSTATUS LdrpTellProcessor(PVOID Facts)
{
    LDRP_SYSTEM_PROCESSOR *Processor = Facts;

    Processor->Architecture = LDRP_AMD64;
    Processor->Level = 6;
    Processor->MaximumProcessors = (USHORT)KeQueryActiveProcessorCount(NULL);
    return STATUS_SUCCESS;
}

static NTSTATUS LdrpTellTime(PVOID Facts)
{
    LDRP_SYSTEM_TIME *Time = Facts;

    KeQuerySystemTime(&Time->CurrentTime);
    Time->BootTime.QuadPart = Time->CurrentTime.QuadPart - (LONGLONG)KeQueryInterruptTime();
    return STATUS_SUCCESS;
}

/* There is none of Windows's kind: gdb stops the machine and is not seen. */
static NTSTATUS LdrpTellDebugger(PVOID Facts)
{
    PBOOLEAN EnabledAndNotPresent = Facts;

    EnabledAndNotPresent[0] = FALSE;
    EnabledAndNotPresent[1] = TRUE;
    return STATUS_SUCCESS;
}

static VOID LdrpTellModule(LDRP_MODULE *Module, PLDR_IMAGE Image, USHORT Index)
{
    ULONG Length = min(Image->FullDllName.Length / (ULONG)sizeof(WCHAR), LDRP_PATH - 1u);

    Module->ImageBase = Image->DllBase;
    Module->ImageSize = Image->SizeOfImage;
    Module->LoadOrderIndex = Index;
    Module->LoadCount = Image->LoadCount;
    for (ULONG At = 0; At < Length; At++) {
        WCHAR Char = Image->FullDllName.Buffer[At];

        Module->FullPathName[At] = Char < 0x80 ? (CHAR)Char : '?';
        if (Char == L'\\') {
            Module->OffsetToFileName = (USHORT)(At + 1);
        }
    }
}

static NTSTATUS LdrpTellModules(LDRP_MODULES *Modules, ULONG Length, PULONG Needed)
{
    USHORT Count = 0;

    LdrpLock();
    for (PLIST_ENTRY Entry = PsLoadedModuleList.Flink; Entry != &PsLoadedModuleList; Entry = Entry->Flink, Count++) {
        if (FIELD_OFFSET(LDRP_MODULES, Module[Count + 1]) <= Length) {
            LdrpTellModule(&Modules->Module[Count], CONTAINING_RECORD(Entry, LDR_IMAGE, InLoadOrderLinks), Count);
        }
    }
    LdrpUnlock();
    *Needed = (ULONG)FIELD_OFFSET(LDRP_MODULES, Module[Count]);
    if (*Needed > Length) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Modules->Count = Count;
    return STATUS_SUCCESS;
}

static const struct {
    ULONG Class, Length;
    NTSTATUS (*Tell)(PVOID Facts);
} LdrpSystemClasses[] = {
    {LdrpSystemBasic, sizeof(LDRP_SYSTEM_BASIC), LdrpTellBasic},
    {LdrpSystemProcessor, sizeof(LDRP_SYSTEM_PROCESSOR), LdrpTellProcessor},
    {LdrpSystemTimeOfDay, sizeof(LDRP_SYSTEM_TIME), LdrpTellTime},
    {LdrpSystemKernelDebugger, 2 * sizeof(BOOLEAN), LdrpTellDebugger},
};

static NTSTATUS LdrpTellSystem(ULONG Class, PVOID Facts, ULONG Length, PULONG Needed)
{
    *Needed = 0;
    if (Class == LdrpSystemProcess) {
        return PsTellProcesses(Facts, Length, Needed);
    }
    if (Class == LdrpSystemModule) {
        return LdrpTellModules(Facts, Length, Needed);
    }
    for (ULONG I = 0; I < RTL_NUMBER_OF(LdrpSystemClasses); I++) {
        if (LdrpSystemClasses[I].Class == Class) {
            *Needed = LdrpSystemClasses[I].Length;
            return Length < *Needed ? STATUS_INFO_LENGTH_MISMATCH : LdrpSystemClasses[I].Tell(Facts);
        }
    }
    if (Class >= LDRP_MOST_CLASSES) {
        return STATUS_INVALID_INFO_CLASS;
    }
    DbgPrint("information class %u of the system is not implemented\n", Class);
    return STATUS_NOT_IMPLEMENTED;
}

/* The names in SystemProcessInformation point into the caller's buffer. */
static VOID LdrpMoveNames(PUCHAR Facts, PUCHAR To)
{
    PS_SYSTEM_PROCESS *Process;
    ULONG At = 0;

    do {
        Process = (PS_SYSTEM_PROCESS *)(Facts + At);
        Process->ImageName.Buffer = (PWCH)(To + ((PUCHAR)Process->ImageName.Buffer - Facts));
        At += Process->NextEntryOffset;
    } while (Process->NextEntryOffset != 0);
}

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* drivers declare it themselves */

/*
 * PASSIVE_LEVEL.  STATUS_INFO_LENGTH_MISMATCH: *ReturnLength is what is needed; STATUS_INVALID_INFO_CLASS: no such class;
 * STATUS_NOT_IMPLEMENTED, and a line in the log: one that is not built; STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI NtQuerySystemInformation(ULONG SystemInformationClass, PVOID SystemInformation,
                                        ULONG SystemInformationLength, PULONG ReturnLength)
{
    ULONG Room = min(SystemInformationLength, LDRP_MOST_SYSTEM), Needed = 0;
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    PUCHAR Facts = ExAllocatePoolWithTag(PagedPool, Room + 1, LDRP_SYSTEM_TAG);
    NTSTATUS Status;

    PAGED_CODE();
    if (Facts == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(Facts, Room);
    Status = LdrpTellSystem(SystemInformationClass, Facts, Room, &Needed);
    __try {
        if (Mode != KernelMode) {
            ProbeForWrite(SystemInformation, SystemInformationLength, sizeof(ULONG));
            if (ReturnLength != NULL) {
                ProbeForWrite(ReturnLength, sizeof(*ReturnLength), sizeof(ULONG));
            }
        }
        if (NT_SUCCESS(Status) && SystemInformationClass == LdrpSystemProcess) {
            LdrpMoveNames(Facts, SystemInformation);
        }
        if (NT_SUCCESS(Status)) {
            RtlCopyMemory(SystemInformation, Facts, Needed);
        }
        if (ReturnLength != NULL) {
            *ReturnLength = Needed;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    ExFreePoolWithTag(Facts, LDRP_SYSTEM_TAG);
    return Status;
}

OB_ZW(QuerySystemInformation, (ULONG Class, PVOID Facts, ULONG Length, PULONG Returned),
      (Class, Facts, Length, Returned))
