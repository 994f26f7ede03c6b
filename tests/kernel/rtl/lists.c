// SPDX-License-Identifier: GPL-2.0-or-later
/* Singly linked lists by the names that headers do not use, code pages' variables, a routine by its name, a stream's context inside. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'tsLT'

#undef ExpInterlockedPushEntrySList
#undef ExpInterlockedPopEntrySList
#undef ExpInterlockedFlushSList
#undef RtlInitializeSListHead
NTKERNELAPI PSLIST_ENTRY NTAPI ExpInterlockedPushEntrySList(PSLIST_HEADER Head, PSLIST_ENTRY Entry);
NTKERNELAPI PSLIST_ENTRY NTAPI ExpInterlockedPopEntrySList(PSLIST_HEADER Head);
NTKERNELAPI PSLIST_ENTRY NTAPI ExpInterlockedFlushSList(PSLIST_HEADER Head);
NTSYSAPI VOID NTAPI RtlInitializeSListHead(PSLIST_HEADER Head);
NTSYSAPI PVOID NTAPI RtlPcToFileHeader(PVOID Pc, PVOID *Base);
NTSYSAPI PVOID NTAPI RtlFindExportedRoutineByName(PVOID Base, PCSTR Name);
__declspec(dllimport) extern USHORT NlsAnsiCodePage, NlsOemCodePage;
__declspec(dllimport) extern PUSHORT NlsLeadByteInfo, NlsOemLeadByteInfo;

static VOID CheckLists(VOID)
{
    DECLSPEC_ALIGN(16) SLIST_HEADER Head;
    DECLSPEC_ALIGN(16) SLIST_ENTRY Entries[3];

    RtlFillMemory(&Head, sizeof(Head), 0xAA);
    RtlInitializeSListHead(&Head);
    FvCheck(ExQueryDepthSList(&Head) == 0 && FirstEntrySList(&Head) == NULL &&
            ExpInterlockedPopEntrySList(&Head) == NULL);
    FvCheck(ExpInterlockedPushEntrySList(&Head, &Entries[0]) == NULL);
    FvCheck(ExpInterlockedPushEntrySList(&Head, &Entries[1]) == &Entries[0]); /* what was first */
    FvCheck(FirstEntrySList(&Head) == &Entries[1] && ExQueryDepthSList(&Head) == 2);
    FvCheck(ExpInterlockedPopEntrySList(&Head) == &Entries[1] && ExQueryDepthSList(&Head) == 1);
    ExpInterlockedPushEntrySList(&Head, &Entries[2]);
    FvCheck(ExpInterlockedFlushSList(&Head) == &Entries[2] && Entries[2].Next == &Entries[0] &&
            Entries[0].Next == NULL);
    FvCheck(ExQueryDepthSList(&Head) == 0 && ExpInterlockedFlushSList(&Head) == NULL);
}

static VOID CheckCodePages(VOID)
{
    BOOLEAN Leads = FALSE;

    FvCheck(NlsAnsiCodePage == 1252 && NlsOemCodePage == 437);
    for (ULONG Byte = 0; Byte < 256; Byte++)
        Leads = Leads || NlsLeadByteInfo[Byte] != 0 || NlsOemLeadByteInfo[Byte] != 0;
    FvCheck(!Leads); /* one byte, one character */
}

static VOID CheckNames(VOID)
{
    PVOID Base = NULL;

    RtlPcToFileHeader(&NlsAnsiCodePage, &Base); /* a routine's address may be that of the verifier's way to it */
    FvCheck(Base != NULL && RtlFindExportedRoutineByName(Base, "NlsAnsiCodePage") == &NlsAnsiCodePage);
    FvCheck(FvIsCode(RtlFindExportedRoutineByName(Base, "ExFreePool")));
    FvCheck(RtlFindExportedRoutineByName(Base, "ExNoSuchRoutine") == NULL);
}

static ULONG Freed;

static VOID NTAPI FreeContext(PVOID Context)
{
    Freed++;
}

static VOID CheckStream(VOID)
{
    FSRTL_ADVANCED_FCB_HEADER Header = {.NodeByteSize = sizeof(Header)};
    FSRTL_PER_STREAM_CONTEXT One, Two;
    FAST_MUTEX Mutex;

    ExInitializeFastMutex(&Mutex);
    FsRtlSetupAdvancedHeader(&Header, &Mutex);
    FsRtlInitPerStreamContext(&One, &One, NULL, FreeContext);
    FsRtlInitPerStreamContext(&Two, &Two, &One, FreeContext);
    FvCheck(FsRtlLookupPerStreamContextInternal(&Header, NULL, NULL) == NULL);
    FsRtlInsertPerStreamContext(&Header, &One);
    FsRtlInsertPerStreamContext(&Header, &Two);
    FvCheck(FsRtlLookupPerStreamContextInternal(&Header, &One, NULL) == &One);
    FvCheck(FsRtlLookupPerStreamContextInternal(&Header, NULL, NULL) == &One); /* found last, hence first */
    FvCheck(FsRtlLookupPerStreamContextInternal(&Header, &Two, &One) == &Two);
    FvCheck(FsRtlLookupPerStreamContextInternal(&Header, &Two, &Two) == NULL);
    FsRtlTeardownPerStreamContexts(&Header);
    FvCheck(Freed == 2 && FsRtlLookupPerStreamContextInternal(&Header, &One, NULL) == NULL);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(7 + 2 + 3 + 6);
    CheckLists();
    CheckCodePages();
    CheckNames();
    CheckStream();
    return STATUS_SUCCESS;
}
