// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event tracing: providers register and write, and nobody listens.
 *
 * There are no tracing sessions, so no provider is ever enabled and what is written goes where it goes on a
 * Windows on which no session has asked for it: nowhere.  Registrations are real: a handle that is none, or
 * none any more, is refused. A handle names a place of the table and how often that place was used, so it can
 * be checked at any IRQL without a lock.
 */
#include <ntifs.h>
#include <ke.h>
#include <ex.h>
#include <fltvm.h>

#define EXP_PROVIDERS 512

/* Odd: taken.  Each change is one step. */
static volatile LONG ExpProviders[EXP_PROVIDERS];
/* Who registered it, while it is taken: the caller of EtwRegister, and what is to be called back. */
static PVOID ExpProviderMaker[EXP_PROVIDERS], ExpProviderCallback[EXP_PROVIDERS];

static BOOLEAN ExpIsProvider(REGHANDLE Handle)
{
    ULONG Place = (ULONG)(Handle & 0xffffffff);

    return Place < EXP_PROVIDERS && (Handle >> 32 & 1) && (ULONG)ExpProviders[Place] == (ULONG)(Handle >> 32);
}

static NTSTATUS ExpWrite(REGHANDLE Handle, ULONG Count, const VOID *Data)
{
    if (!ExpIsProvider(Handle))
        return STATUS_INVALID_HANDLE;
    return Count != 0 && Data == NULL ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
}

/* IRQL: PASSIVE_LEVEL.  The callback is never called: no session enables a provider.  Source: the page
 * EtwRegister. */
NTSTATUS NTAPI EtwRegister(LPCGUID ProviderId, PETWENABLECALLBACK EnableCallback, PVOID CallbackContext,
                           PREGHANDLE RegHandle)
{
    ULONG Place;
    LONG Uses;

    UNREFERENCED_PARAMETER(CallbackContext);
    if (ProviderId == NULL || RegHandle == NULL)
        return STATUS_INVALID_PARAMETER;
    for (Place = 0; Place < EXP_PROVIDERS; Place++) {
        Uses = ExpProviders[Place];
        if (!(Uses & 1) && InterlockedCompareExchange(&ExpProviders[Place], Uses + 1, Uses) == Uses) {
            ExpProviderMaker[Place] = _ReturnAddress();
            ExpProviderCallback[Place] = (PVOID)EnableCallback;
            *RegHandle = (REGHANDLE)(ULONG)(Uses + 1) << 32 | Place;
            return STATUS_SUCCESS;
        }
    }
    *RegHandle = 0;
    return STATUS_NO_MEMORY;
}

/* IRQL: PASSIVE_LEVEL.  STATUS_INVALID_HANDLE when that is no registration.  Source: the page EtwUnregister.
 */
NTSTATUS NTAPI EtwUnregister(REGHANDLE RegHandle)
{
    LONG Uses = (LONG)(RegHandle >> 32);

    if (!ExpIsProvider(RegHandle) ||
        InterlockedCompareExchange(&ExpProviders[(ULONG)RegHandle], Uses + 1, Uses) != Uses)
        return STATUS_INVALID_HANDLE;
    return STATUS_SUCCESS;
}

VOID ExCheckLeft(PVOID Base, SIZE_T Size)
{
    if (!FvVerifierEnabled())
        return;
    for (ULONG Place = 0; Place < EXP_PROVIDERS; Place++) {
        if ((ExpProviders[Place] & 1) && ((ULONG_PTR)ExpProviderMaker[Place] - (ULONG_PTR)Base < Size ||
                                          (ULONG_PTR)ExpProviderCallback[Place] - (ULONG_PTR)Base < Size))
            KeReportLeft("event provider", (PVOID)((ULONG_PTR)(ULONG)ExpProviders[Place] << 32 | Place),
                         ExpProviderMaker[Place]);
    }
}

/* IRQL: any.  FALSE: no session listens.  Source: the page EtwEventEnabled. */
BOOLEAN NTAPI EtwEventEnabled(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor)
{
    UNREFERENCED_PARAMETER(RegHandle);
    UNREFERENCED_PARAMETER(EventDescriptor);
    return FALSE;
}

/* IRQL: any.  FALSE: no session listens.  Source: the page EtwProviderEnabled. */
BOOLEAN NTAPI EtwProviderEnabled(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword)
{
    UNREFERENCED_PARAMETER(RegHandle);
    UNREFERENCED_PARAMETER(Level);
    UNREFERENCED_PARAMETER(Keyword);
    return FALSE;
}

/* IRQL: any.  STATUS_INVALID_HANDLE when that is no registration.  Source: the page EtwWrite. */
NTSTATUS NTAPI EtwWrite(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId,
                        ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
    UNREFERENCED_PARAMETER(ActivityId);
    return EventDescriptor == NULL ? STATUS_INVALID_PARAMETER : ExpWrite(RegHandle, UserDataCount, UserData);
}

/* IRQL: any.  As EtwWrite.  Source: the page EtwWriteTransfer. */
NTSTATUS NTAPI EtwWriteTransfer(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, LPCGUID ActivityId,
                                LPCGUID RelatedActivityId, ULONG UserDataCount, PEVENT_DATA_DESCRIPTOR UserData)
{
    UNREFERENCED_PARAMETER(RelatedActivityId);
    return EtwWrite(RegHandle, EventDescriptor, ActivityId, UserDataCount, UserData);
}

/* IRQL: any.  As EtwWrite.  Source: the page EtwWriteEx. */
NTSTATUS NTAPI EtwWriteEx(REGHANDLE RegHandle, PCEVENT_DESCRIPTOR EventDescriptor, ULONG64 Filter, ULONG Flags,
                          LPCGUID ActivityId, LPCGUID RelatedActivityId, ULONG UserDataCount,
                          PEVENT_DATA_DESCRIPTOR UserData)
{
    UNREFERENCED_PARAMETER(Filter);
    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(RelatedActivityId);
    return EtwWrite(RegHandle, EventDescriptor, ActivityId, UserDataCount, UserData);
}

/* IRQL: any.  STATUS_INVALID_PARAMETER without a string.  Source: the page EtwWriteString. */
NTSTATUS NTAPI EtwWriteString(REGHANDLE RegHandle, UCHAR Level, ULONGLONG Keyword, LPCGUID ActivityId, PCWSTR String)
{
    UNREFERENCED_PARAMETER(Level);
    UNREFERENCED_PARAMETER(Keyword);
    UNREFERENCED_PARAMETER(ActivityId);
    return ExpWrite(RegHandle, 1, String);
}
