/* SPDX-License-Identifier: MIT */
/* fltlib, privately: how its files speak with the filter manager. */
#ifndef FLTVM_FLTLIBP_H
#define FLTVM_FLTLIBP_H

#include <fltUser.h>
#include <fltctl.h>

/* The documented HRESULT of a status. */
HRESULT FltLibResult(NTSTATUS Status);

/* A device of the filter manager's; Size is the name's with its end. */
NTSTATUS FltLibOpen(LPCWSTR Device, USHORT Size, ULONG Options, PHANDLE Handle);

/* A control that is over when this returns. */
NTSTATUS FltLibControl(HANDLE Port, ULONG Code, PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength,
                       PULONG_PTR Information);

#endif
