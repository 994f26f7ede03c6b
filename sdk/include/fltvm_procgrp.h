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
void WdmlibProcgrpInitialize(VOID);
ULONG WdmlibKeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber);
ULONG WdmlibKeQueryActiveProcessorCountEx(USHORT GroupNumber);
ULONG WdmlibKeQueryMaximumProcessorCountEx(USHORT GroupNumber);
ULONG WdmlibKeQueryMaximumProcessorCount(VOID);
KAFFINITY WdmlibKeQueryGroupAffinity(USHORT GroupNumber);
USHORT WdmlibKeQueryActiveGroupCount(VOID);
USHORT WdmlibKeQueryMaximumGroupCount(VOID);
NTSTATUS WdmlibKeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber);
ULONG WdmlibKeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber);
KAFFINITY WdmlibKeSetSystemAffinityThreadEx(KAFFINITY Affinity);
void WdmlibKeSetSystemGroupAffinityThread(PGROUP_AFFINITY NewAffinity, PGROUP_AFFINITY PreviousAffinity);
void WdmlibKeRevertToUserAffinityThreadEx(KAFFINITY Affinity);
void WdmlibKeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity);
NTSTATUS WdmlibKeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber);

#ifdef __cplusplus
}
#endif

#endif
