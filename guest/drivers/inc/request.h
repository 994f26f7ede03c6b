/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request.h: what all drivers of the machine do with requests. */
#ifndef FLTVM_DRIVERS_REQUEST_H
#define FLTVM_DRIVERS_REQUEST_H

#include <ntifs.h>
#include <ntddstor.h>

/* IRQL: <= DISPATCH_LEVEL.  Completes the request; returns Status, for the dispatch routine to return. */
static inline NTSTATUS DriverComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  Sends a request that was built with this event and status block, and waits for its end.  NULL: there
 * was no memory to build it. */
static inline NTSTATUS DriverSend(PDEVICE_OBJECT Target, PIRP Irp, PKEVENT Event, PIO_STATUS_BLOCK IoStatus)
{
    NTSTATUS Status;

    if (Irp == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    Status = IoCallDriver(Target, Irp);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(Event, Executive, KernelMode, FALSE, NULL);
        Status = IoStatus->Status;
    }
    return Status;
}

/* IRQL: PASSIVE_LEVEL.  A control without input. */
static inline NTSTATUS DriverControl(PDEVICE_OBJECT Target, ULONG Code, PVOID Output, ULONG Length)
{
    IO_STATUS_BLOCK IoStatus;
    KEVENT Event;

    KeInitializeEvent(&Event, NotificationEvent, FALSE);
    return DriverSend(Target,
                      IoBuildDeviceIoControlRequest(Code, Target, NULL, 0, Output, Length, FALSE, &Event, &IoStatus),
                      &Event, &IoStatus);
}

/*
 * IRQL: PASSIVE_LEVEL.  What a file system asks before an open, where the medium can be changed: whether there is one.  That it has been changed shows in
 * the real device's flags then.
 */
static inline NTSTATUS DriverAskForMedium(PDEVICE_OBJECT RealDevice, PDEVICE_OBJECT Target)
{
    NTSTATUS Status;

    if ((RealDevice->Characteristics & FILE_REMOVABLE_MEDIA) == 0)
        return STATUS_SUCCESS;
    Status = DriverControl(Target, IOCTL_STORAGE_CHECK_VERIFY2, NULL, 0);
    return Status == STATUS_VERIFY_REQUIRED ? STATUS_SUCCESS : Status;
}

#endif
