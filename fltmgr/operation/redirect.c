/* SPDX-License-Identifier: GPL-2.0-or-later */
/* redirect.c: whether operations may go on below an instance on another volume, which is decided by the sizes of device
 * stacks.  IRQL: <= DISPATCH_LEVEL. */
#include "operation.h"

/* The locations that a request needs from our device on down. */
static CCHAR FltpLocations(PFLT_INSTANCE Instance)
{
    return Instance->Volume->Device->StackSize;
}

/* As documented for a changed target: an instance of the same filter, at the same altitude. */
static BOOLEAN FltpMayRedirect(PFLT_INSTANCE Source, PFLT_INSTANCE Target)
{
    return Source->Filter == Target->Filter && FltCompareInstanceAltitudes(Source, Target) == 0;
}

NTSTATUS FLTAPI FltIsIoRedirectionAllowed(PFLT_INSTANCE SourceInstance, PFLT_INSTANCE TargetInstance,
                                          PBOOLEAN RedirectionAllowed)
{
    *RedirectionAllowed = FALSE;
    if (!FltpMayRedirect(SourceInstance, TargetInstance))
        return STATUS_NOT_SUPPORTED;
    *RedirectionAllowed = FltpLocations(SourceInstance) >= FltpLocations(TargetInstance);
    return STATUS_SUCCESS;
}

/* This request may have room where others have not, or the other way round. */
NTSTATUS FLTAPI FltIsIoRedirectionAllowedForOperation(PFLT_CALLBACK_DATA Data, PFLT_INSTANCE TargetInstance,
                                                      PBOOLEAN RedirectionAllowedThisIo,
                                                      PBOOLEAN RedirectionAllowedAllIo)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(Data, "rule=FltIsIoRedirectionAllowedForOperation was given no operation under way\n");
    PFLT_INSTANCE Source = Operation->Current < Operation->Count ? Operation->Nodes[Operation->Current].Instance : NULL;

    *RedirectionAllowedThisIo = FALSE;
    if (RedirectionAllowedAllIo != NULL)
        *RedirectionAllowedAllIo = FALSE;
    if (Source == NULL || !FLT_IS_IRP_OPERATION(Data) || !FltpMayRedirect(Source, TargetInstance))
        return STATUS_NOT_SUPPORTED;
    *RedirectionAllowedThisIo = Operation->Irp->CurrentLocation > TargetInstance->Volume->Below->StackSize;
    if (RedirectionAllowedAllIo != NULL)
        *RedirectionAllowedAllIo = FltpLocations(Source) >= FltpLocations(TargetInstance);
    return STATUS_SUCCESS;
}

/* STATUS_INVALID_PARAMETER: the stack would be too large for a request. */
NTSTATUS FLTAPI FltAdjustDeviceStackSizeForIoRedirection(PFLT_INSTANCE SourceInstance, PFLT_INSTANCE TargetInstance,
                                                         PBOOLEAN SourceDeviceStackSizeModified)
{
    PDEVICE_OBJECT Source = SourceInstance->Volume->Device;
    CCHAR Needed = FltpLocations(TargetInstance);

    if (SourceDeviceStackSizeModified != NULL)
        *SourceDeviceStackSizeModified = FALSE;
    if (!FltpMayRedirect(SourceInstance, TargetInstance))
        return STATUS_NOT_SUPPORTED;
    if (Needed <= Source->StackSize)
        return STATUS_SUCCESS;
    if (Needed == MAXCHAR)
        return STATUS_INVALID_PARAMETER;
    Source->StackSize = Needed;
    if (SourceDeviceStackSizeModified != NULL)
        *SourceDeviceStackSizeModified = TRUE;
    return STATUS_SUCCESS;
}
