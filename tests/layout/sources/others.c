/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers beside the usual ones. */
#include <wdm.h>
#include <wsk.h>
#include <wdmsec.h>
#include <aux_klib.h>
#include <procgrp.h>
#include <fltKernel.h>
#include <ntsecapi.h>
#include <fltUser.h>

static WSK_PROVIDER_NPI Provider;
static WSK_CLIENT_DISPATCH Dispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };

NTSTATUS Others(PDRIVER_OBJECT Driver, PDEVICE_OBJECT *Device);
NTSTATUS Others(PDRIVER_OBJECT Driver, PDEVICE_OBJECT *Device)
{
    ULONG Size = 0;
    NTSTATUS Status = AuxKlibInitialize();

    Status |= AuxKlibQueryModuleInformation(&Size, sizeof(AUX_MODULE_EXTENDED_INFO), NULL);
    Status |= IoCreateDeviceSecure(Driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &SDDL_DEVOBJ_SYS_ALL, NULL, Device);
    return Provider.Dispatch == NULL && Dispatch.Version != 0 ? Status : STATUS_SUCCESS;
}
