/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which exceptions a file system expects, and what it makes of the others. */
#include <ntifs.h>

/* IRQL: any.  FALSE for the exceptions that only a fault in the code raises: the documented four. */
BOOLEAN NTAPI FsRtlIsNtstatusExpected(_In_ NTSTATUS Exception)
{
    switch (Exception) {
    case STATUS_DATATYPE_MISALIGNMENT:
    case STATUS_ACCESS_VIOLATION:
    case STATUS_ILLEGAL_INSTRUCTION:
    case STATUS_INSTRUCTION_MISALIGNMENT: return FALSE;
    default: return TRUE;
    }
}

/* IRQL: any. */
NTSTATUS NTAPI FsRtlNormalizeNtstatus(_In_ NTSTATUS Exception, _In_ NTSTATUS GenericException)
{
    return FsRtlIsNtstatusExpected(Exception) ? Exception : GenericException;
}
