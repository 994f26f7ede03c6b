/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How power IRPs travel: since Windows Vista as all others do, and these names are kept for older drivers. */
#include "iop.h"

/* IRQL: <= DISPATCH_LEVEL.  Returns what the driver returns.  (PoCallDriver) */
NTSTATUS NTAPI PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return IofCallDriver(DeviceObject, Irp);
}

/* IRQL: <= DISPATCH_LEVEL.  Performs nothing: the next power IRP does not wait.  (PoStartNextPowerIrp) */
VOID NTAPI PoStartNextPowerIrp(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
}
