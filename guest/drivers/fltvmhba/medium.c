/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A medium that can be changed.
 *
 * The controller refuses what needs the medium from the moment another one, or the same again, was put in.  The request that finds out ends with
 * STATUS_VERIFY_REQUIRED, so that the drivers above have doubted every volume of the disk before the controller is told to go on: nothing that was meant for one
 * medium reaches another.
 */
#include "adapter.h"

VOID HbaTakeMedium(PHBA_ADAPTER Adapter)
{
    if (HbaRead(Adapter, FLTVM_HBA_REG_MEDIUM_CHANGED) != 0) {
        InterlockedIncrement(&Adapter->MediaChanges);
        HbaWrite(Adapter, FLTVM_HBA_REG_MEDIUM_CHANGED, 1);
    }
}

NTSTATUS HbaCheckMedium(PHBA_ADAPTER Adapter)
{
    if (!HbaIsRemovable(Adapter)) {
        return STATUS_SUCCESS;
    }
    if (HbaRead(Adapter, FLTVM_HBA_REG_MEDIUM) == 0) {
        return STATUS_NO_MEDIA_IN_DEVICE;
    }
    return HbaRead(Adapter, FLTVM_HBA_REG_MEDIUM_CHANGED) != 0 ? STATUS_VERIFY_REQUIRED : STATUS_SUCCESS;
}

NTSTATUS HbaChangeMedium(PHBA_ADAPTER Adapter, PVOID Buffer, ULONG Length)
{
    if (!HbaIsRemovable(Adapter) || Adapter->Stopped) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Length != sizeof(ULONG) || *(PULONG)Buffer > HbaRead(Adapter, FLTVM_HBA_REG_MEDIA)) {
        return STATUS_INVALID_PARAMETER;
    }
    HbaWrite(Adapter, FLTVM_HBA_REG_MEDIUM, *(PULONG)Buffer);
    return STATUS_SUCCESS;
}
