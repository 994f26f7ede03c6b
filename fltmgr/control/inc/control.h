/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control.h: the device by which the scenario client commands. */
#ifndef FLTMGR_CONTROL_H
#define FLTMGR_CONTROL_H

#include <ntifs.h>

NTSTATUS FltpDeviceControl(PIRP Irp, PIO_STACK_LOCATION Stack);
NTSTATUS FltpCreateControlDevice(VOID);

#endif
