/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ntdllp: what the files of ntdll.dll share. */
#ifndef FLTVM_NTDLLP_H
#define FLTVM_NTDLLP_H

#include <ntifs.h>
#include <ntimage.h>

VOID NTAPI RtlExitUserProcess(NTSTATUS ExitStatus);

/* handler.c; by the first thread, before there is another. */
VOID NtdllInitializeExceptions(PVOID Peb);

#endif
