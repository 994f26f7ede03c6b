/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * direct.c: operations that come as calls and not as requests: fast I/O, and the file-system filter operations.
 *
 * They go through the same blocks, nodes and callbacks; but all in the caller's thread, and so that nobody can keep one:
 * what is below has returned when the post-callbacks are called.  A teardown waits for its instance's, as nothing is
 * gained by draining them.  IRQL: <= APC_LEVEL.
 */
#include "operation.h"

static VOID FltpDescribeCall(PFLTP_OPERATION Operation, PIO_STACK_LOCATION Stack, FLT_CALLBACK_DATA_FLAGS Kind)
{
    FltpDescribe(Operation, NULL, Kind, PsGetCurrentThread(),
                 FlagOn(Kind, FLTFL_CALLBACK_DATA_FAST_IO_OPERATION) ? ExGetPreviousMode() : KernelMode);
    RtlZeroMemory(&Operation->Iopb, sizeof(Operation->Iopb));
    Operation->Iopb.MajorFunction = Stack->MajorFunction;
    Operation->Iopb.TargetFileObject = Stack->FileObject;
    for (ULONG Index = 0; Index < Operation->Count; Index++)
        SetFlag(Operation->Nodes[Index].Flags, FLTP_NODE_SWAPPED); /* waited for, not drained */
}

PFLTP_OPERATION FltpBeginDirect(PDEVICE_OBJECT Device, UCHAR MajorFunction, PFILE_OBJECT FileObject,
                                FLT_CALLBACK_DATA_FLAGS Kind, NTSTATUS *Status)
{
    PFLTP_DEVICE Extension = Device->DeviceExtension;
    PFLT_VOLUME Volume = Extension->Volume;
    IO_STACK_LOCATION Stack;
    PFLTP_OPERATION Operation;

    *Status = STATUS_SUCCESS;
    if (Extension->Kind != FltpKindVolume || Volume->InstanceCount == 0)
        return NULL;
    Stack.MajorFunction = MajorFunction;
    Stack.FileObject = FileObject;
    Operation = FltpStartOperation(Volume, 0, &Stack, NULL, FALSE, Status);
    if (Operation != NULL)
        FltpDescribeCall(Operation, &Stack, Kind);
    return Operation;
}

VOID FltpEndDirect(PFLTP_OPERATION Operation, PIO_STATUS_BLOCK IoStatus)
{
    PMDL Mdl;

    FltpCallUp(Operation);
    *IoStatus = Operation->Data.IoStatus;
    Mdl = Operation->OriginalMdl; /* of a buffer that a filter has locked */
    if (Operation->Changed)
        FltpForgetChanges(Operation);
    if (Mdl != NULL) {
        MmUnlockPages(Mdl);
        IoFreeMdl(Mdl);
    }
    FltpReturnOperation(Operation);
}
