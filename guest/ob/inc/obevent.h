/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event objects with names and handles. */
#ifndef FLTVM_OBEVENT_H
#define FLTVM_OBEVENT_H

#include <ntifs.h>

/* Makes the object type; ob is up.  PASSIVE_LEVEL, once. */
NTSTATUS ObInitEventObjects(VOID);

NTSTATUS NTAPI NtCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                             EVENT_TYPE Type, BOOLEAN InitialState);
NTSTATUS NTAPI NtOpenEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes);
NTSTATUS NTAPI NtSetEvent(HANDLE EventHandle, PLONG PreviousState);
NTSTATUS NTAPI NtResetEvent(HANDLE EventHandle, PLONG PreviousState);
NTSTATUS NTAPI NtClearEvent(HANDLE EventHandle);

#endif
