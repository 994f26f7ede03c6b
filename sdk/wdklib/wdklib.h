/* SPDX-License-Identifier: MIT */
/* wdklib: what its files share. */
#ifndef FLTVM_WDKLIB_H
#define FLTVM_WDKLIB_H

#include <ntifs.h>
#include <wdmsec.h>

#define WDKLIB_TAG 'bilW'

/*
 * A self-relative descriptor of the SDDL for device objects, "D:P" and "(A;;ACCESS;;;SID)" any number of times; generic
 * rights as they are.  Freed by ExFreePool.  STATUS_INVALID_PARAMETER: no such SDDL.  IRQL <= APC_LEVEL.
 * Source: "SDDL for Device Objects".
 */
NTSTATUS WdklibParseSddl(PCUNICODE_STRING Text, PSECURITY_DESCRIPTOR *Descriptor);

/* What the registry says of a device setup class in place of what the driver says. */
typedef struct _WDKLIB_CLASS {
    PSECURITY_DESCRIPTOR Descriptor; /* pool; NULL: nothing is said */
    BOOLEAN HasType, HasCharacteristics, HasExclusive;
    DEVICE_TYPE Type;
    ULONG Characteristics;
    BOOLEAN Exclusive;
} WDKLIB_CLASS;

/*
 * Of HKLM\System\CurrentControlSet\Control\Class\{GUID}\Properties; a class that is not there says nothing.
 * STATUS_INSUFFICIENT_RESOURCES.  PASSIVE_LEVEL.
 */
NTSTATUS WdklibReadClass(LPCGUID Guid, WDKLIB_CLASS *Class);

#endif
