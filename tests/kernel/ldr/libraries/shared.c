// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An export driver: it says when it begins and ends, and what it was given.  FAIL: DllInitialize refuses.  LEAK: it
 * leaves pool behind.  HOLD: it returns from DllInitialize with APCs disabled.
 */
#include <ntddk.h>

#ifdef LEAK
static PVOID Left;
#endif

DECLSPEC_EXPORT ULONG SharedAdd(ULONG A, ULONG B);
ULONG SharedAdd(ULONG A, ULONG B)
{
    return A + B;
}

DECLSPEC_EXPORT ULONG SharedCalls = 41;

NTSTATUS DllInitialize(PUNICODE_STRING RegistryPath);
NTSTATUS DllInitialize(PUNICODE_STRING RegistryPath)
{
    DbgPrint("shared: begins with %wZ at IRQL %u\n", RegistryPath, KeGetCurrentIrql());
    SharedCalls++;
#ifdef LEAK
    Left = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, 'tfeL');
#endif
#ifdef HOLD
    KeEnterCriticalRegion();
#endif
#ifdef FAIL
    return STATUS_DEVICE_CONFIGURATION_ERROR;
#else
    return STATUS_SUCCESS;
#endif
}

NTSTATUS DllUnload(VOID);
NTSTATUS DllUnload(VOID)
{
    DbgPrint("shared: ends\n");
    return STATUS_SUCCESS;
}
