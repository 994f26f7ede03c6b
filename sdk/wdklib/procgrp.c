/* SPDX-License-Identifier: MIT */
/* Processor groups for drivers that also run where the kernel knows none: here it does, so each is the kernel's. */
#include <ntddk.h>
#include <procgrp.h>

void WdmlibProcgrpInitialize(VOID)
{
}

ULONG WdmlibKeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    return KeGetCurrentProcessorNumberEx(ProcNumber);
}

ULONG WdmlibKeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return KeQueryActiveProcessorCountEx(GroupNumber);
}

ULONG WdmlibKeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return KeQueryMaximumProcessorCountEx(GroupNumber);
}

ULONG WdmlibKeQueryMaximumProcessorCount(VOID)
{
    return KeQueryMaximumProcessorCount();
}

KAFFINITY WdmlibKeQueryGroupAffinity(USHORT GroupNumber)
{
    return KeQueryGroupAffinity(GroupNumber);
}

USHORT WdmlibKeQueryActiveGroupCount(VOID)
{
    return KeQueryActiveGroupCount();
}

USHORT WdmlibKeQueryMaximumGroupCount(VOID)
{
    return KeQueryMaximumGroupCount();
}

NTSTATUS WdmlibKeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
    return KeGetProcessorNumberFromIndex(ProcIndex, ProcNumber);
}

ULONG WdmlibKeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
    return KeGetProcessorIndexFromNumber(ProcNumber);
}

KAFFINITY WdmlibKeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    return KeSetSystemAffinityThreadEx(Affinity);
}

void WdmlibKeSetSystemGroupAffinityThread(PGROUP_AFFINITY NewAffinity, PGROUP_AFFINITY PreviousAffinity)
{
    KeSetSystemGroupAffinityThread(NewAffinity, PreviousAffinity);
}

void WdmlibKeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    KeRevertToUserAffinityThreadEx(Affinity);
}

void WdmlibKeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
    KeRevertToUserGroupAffinityThread(PreviousAffinity);
}

NTSTATUS WdmlibKeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber)
{
    return KeSetTargetProcessorDpcEx(Dpc, ProcNumber);
}
