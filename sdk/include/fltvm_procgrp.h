/* SPDX-License-Identifier: MIT */
/*
 * fltvm_procgrp.h: what procgrp.h declares and mingw-w64's headers lack.
 * Made by scripts/ddi-headers.py from sdk/ddi/*.tsv; do not edit.
 */
#ifndef FLTVM_PROCGRP_MORE_H
#define FLTVM_PROCGRP_MORE_H

#ifdef __cplusplus
extern "C" {
#endif


#ifndef FLTVM_NTAPI
#define FLTVM_NTAPI NTKERNELAPI
#endif
FLTVM_NTAPI void WdmlibProcgrpInitialize(VOID);
FLTVM_NTAPI ULONG WdmlibKeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber);
FLTVM_NTAPI ULONG WdmlibKeQueryActiveProcessorCountEx(USHORT GroupNumber);
FLTVM_NTAPI ULONG WdmlibKeQueryMaximumProcessorCountEx(USHORT GroupNumber);
FLTVM_NTAPI ULONG WdmlibKeQueryMaximumProcessorCount(VOID);
FLTVM_NTAPI KAFFINITY WdmlibKeQueryGroupAffinity(USHORT GroupNumber);
FLTVM_NTAPI USHORT WdmlibKeQueryActiveGroupCount(VOID);
FLTVM_NTAPI USHORT WdmlibKeQueryMaximumGroupCount(VOID);
FLTVM_NTAPI NTSTATUS WdmlibKeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber);
FLTVM_NTAPI ULONG WdmlibKeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber);
FLTVM_NTAPI KAFFINITY WdmlibKeSetSystemAffinityThreadEx(KAFFINITY Affinity);
FLTVM_NTAPI void WdmlibKeSetSystemGroupAffinityThread(PGROUP_AFFINITY NewAffinity,
    PGROUP_AFFINITY PreviousAffinity);
FLTVM_NTAPI void WdmlibKeRevertToUserAffinityThreadEx(KAFFINITY Affinity);
FLTVM_NTAPI void WdmlibKeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity);
FLTVM_NTAPI NTSTATUS WdmlibKeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber);

#ifdef __cplusplus
}
#endif

#endif
