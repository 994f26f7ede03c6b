/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.c: filters that load the filters they depend on.  The service's key says which image; what the page says of the
 * outcome is told, whatever the I/O manager calls it.  IRQL: PASSIVE_LEVEL.
 */
#include <query.h>
#include "core.h"

/* A load under way, in its thread's frame.  A filter that is being loaded may load another. */
typedef struct _FLTP_LOAD {
    struct _FLTP_LOAD *Outer;
    PKTHREAD Thread;
    BOOLEAN IsMapped; /* the image is there: what comes next is DriverEntry */
} FLTP_LOAD, *PFLTP_LOAD;

static FAST_MUTEX FltpLoadLock;
static PFLTP_LOAD FltpLoads;  /* FltpLoadLock; the innermost of a thread first */
static BOOLEAN FltpNotified;  /* FltpNotifyTurn */
static KEVENT FltpNotifyTurn; /* a synchronization event: one registers */

static VOID NTAPI FltpImageIsMapped(PUNICODE_STRING FullImageName, HANDLE ProcessId, PIMAGE_INFO ImageInfo)
{
    UNREFERENCED_PARAMETER(FullImageName);
    UNREFERENCED_PARAMETER(ProcessId);
    UNREFERENCED_PARAMETER(ImageInfo);
    ExAcquireFastMutex(&FltpLoadLock);
    for (PFLTP_LOAD Load = FltpLoads; Load != NULL; Load = Load->Outer) {
        if (Load->Thread == KeGetCurrentThread()) {
            Load->IsMapped = TRUE;
            break;
        }
    }
    ExReleaseFastMutex(&FltpLoadLock);
}

VOID FltpInitializeLoads(VOID)
{
    ExInitializeFastMutex(&FltpLoadLock);
    KeInitializeEvent(&FltpNotifyTurn, SynchronizationEvent, TRUE);
}

/* Who loads for the first time wants to be told of images from then on. */
static NTSTATUS FltpWatchImages(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;

    KeWaitForSingleObject(&FltpNotifyTurn, Executive, KernelMode, FALSE, NULL);
    if (!FltpNotified)
        Status = PsSetLoadImageNotifyRoutine(FltpImageIsMapped);
    FltpNotified = NT_SUCCESS(Status);
    KeSetEvent(&FltpNotifyTurn, IO_NO_INCREMENT, FALSE);
    return Status;
}

static VOID FltpBeginLoad(PFLTP_LOAD Load)
{
    Load->Thread = KeGetCurrentThread();
    Load->IsMapped = FALSE;
    ExAcquireFastMutex(&FltpLoadLock);
    Load->Outer = FltpLoads;
    FltpLoads = Load;
    ExReleaseFastMutex(&FltpLoadLock);
}

static VOID FltpEndLoad(PFLTP_LOAD Load)
{
    PFLTP_LOAD *Place = &FltpLoads;

    ExAcquireFastMutex(&FltpLoadLock);
    while (*Place != Load)
        Place = &(*Place)->Outer;
    *Place = Load->Outer;
    ExReleaseFastMutex(&FltpLoadLock);
}

/* A name in the list of services, and not a path. */
static BOOLEAN FltpIsServiceName(PCUNICODE_STRING Name)
{
    for (ULONG Index = 0; Index < Name->Length / sizeof(WCHAR); Index++) {
        if (Name->Buffer[Index] == '\\')
            return FALSE;
    }
    return Name->Length > 0;
}

/* The key or the image is not there: no such filter. */
static NTSTATUS FltpLoadStatus(NTSTATUS Status, BOOLEAN IsMapped)
{
    if (NT_SUCCESS(Status))
        return Status;
    if (IsMapped)
        return STATUS_FAILED_DRIVER_ENTRY;
    return Status == STATUS_OBJECT_PATH_NOT_FOUND || Status == STATUS_NO_SUCH_FILE ? STATUS_OBJECT_NAME_NOT_FOUND
                                                                                   : Status;
}

NTSTATUS FLTAPI FltLoadFilter(PCUNICODE_STRING FilterName)
{
    static const UNICODE_STRING Control = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet");
    UNICODE_STRING Key;
    PFLT_FILTER Running;
    FLTP_LOAD Load;
    NTSTATUS Status;

    if (!FltpIsServiceName(FilterName))
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (NT_SUCCESS(FltpFindFilter(FilterName, &Running))) {
        FltpReleaseRundown(&Running->Object.Rundown);
        return STATUS_IMAGE_ALREADY_LOADED;
    }
    Status = FltpJoinKey(&Key, &Control, L"Services", FilterName);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltpWatchImages();
    if (NT_SUCCESS(Status)) {
        FltpBeginLoad(&Load);
        Status = ZwLoadDriver(&Key);
        FltpEndLoad(&Load);
        Status = FltpLoadStatus(Status, Load.IsMapped);
    }
    FltpFreeString(&Key);
    return Status;
}
