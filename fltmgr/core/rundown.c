/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rundown.c: references that a filter, an instance or a volume gives until it goes.  FltObjectReference hands
 * them to filters; queued work and operations under way hold them, so that unload and detach wait.
 */
#include "hold.h"

VOID FltpInitializeRundown(PFLTP_RUNDOWN Rundown)
{
    Rundown->Count = 0;
    KeInitializeEvent(&Rundown->Event, NotificationEvent, FALSE);
}

VOID FltpBeginRundown(PFLTP_RUNDOWN Rundown)
{
    if (InterlockedOr64(&Rundown->Count, 1) == 0)
        KeSetEvent(&Rundown->Event, IO_NO_INCREMENT, FALSE);
}

VOID FltpRundownReleasedLast(PFLTP_RUNDOWN Rundown)
{
    KeSetEvent(&Rundown->Event, IO_NO_INCREMENT, FALSE);
}

static PFLTP_OBJECT FltpCheckObject(PVOID FltObject, PCSTR Routine)
{
    PFLTP_OBJECT Object = FltObject;

    if (Object == NULL || (Object->Magic != FLTP_MAGIC_FILTER && Object->Magic != FLTP_MAGIC_VOLUME &&
                           Object->Magic != FLTP_MAGIC_INSTANCE))
        FltpViolation(FLTMGR_FILE_SYSTEM, FLTP_BAD_OBJECT, (ULONG_PTR)FltObject, 0, 0, Routine);
    return Object;
}

NTSTATUS FLTAPI FltObjectReference(PVOID FltObject)
{
    PFLTP_OBJECT Object = FltpCheckObject(
        FltObject, "rule=FltObjectReference was given something that is no filter, instance or volume\n");

    if (!FltpAcquireRundown(&Object->Rundown))
        return STATUS_FLT_DELETING_OBJECT;
    FltpHandOut(Object);
    return STATUS_SUCCESS;
}

VOID FLTAPI FltObjectDereference(PVOID FltObject)
{
    PFLTP_OBJECT Object = FltpCheckObject(
        FltObject, "rule=FltObjectDereference was given something that is no filter, instance or volume\n");

    if (FltpTakeBack(Object))
        FltpReleaseRundown(&Object->Rundown);
}
