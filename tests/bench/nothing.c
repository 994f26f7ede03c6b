// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that ends at once. */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);

NTSTATUS Main(PVOID Peb)
{
    UNREFERENCED_PARAMETER(Peb);
    return STATUS_SUCCESS;
}
