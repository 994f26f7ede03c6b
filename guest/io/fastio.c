/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fast I/O: what the top of a file's stack may do by a call, before a request is made of it.  A routine that returns FALSE has
 * done nothing.  Reads and writes: readwrite.c; device controls: control.c.
 */
#include "iop.h"

PVOID IopFastRoutine(PDEVICE_OBJECT DeviceObject, ULONG Offset)
{
    PFAST_IO_DISPATCH Table = DeviceObject->DriverObject->FastIoDispatch;

    return Table != NULL && Table->SizeOfFastIoDispatch >= Offset + sizeof(PVOID) ? *(PVOID *)((PUCHAR)Table + Offset)
                                                                                  : NULL;
}

/* The three classes that have a routine, all of the same form. */
static const struct {
    FILE_INFORMATION_CLASS Class;
    ULONG Length, Offset;
} IopFastQueries[] = {
    {FileBasicInformation, sizeof(FILE_BASIC_INFORMATION), FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryBasicInfo)},
    {FileStandardInformation, sizeof(FILE_STANDARD_INFORMATION),
     FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryStandardInfo)},
    {FileNetworkOpenInformation, sizeof(FILE_NETWORK_OPEN_INFORMATION),
     FIELD_OFFSET(FAST_IO_DISPATCH, FastIoQueryNetworkOpenInfo)},
};

BOOLEAN IopTryFastQuery(PIOP_REQUEST Request, PVOID Buffer, FILE_INFORMATION_CLASS Class, PIO_STATUS_BLOCK Result)
{
    ULONG64 Information[(sizeof(FILE_NETWORK_OPEN_INFORMATION) + 7) / 8];
    PFAST_IO_QUERY_BASIC_INFO Routine = NULL;
    BOOLEAN Done;
    ULONG Length = 0;
    FV_CALL Call;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(IopFastQueries); Index++) {
        if (IopFastQueries[Index].Class == Class) {
            Routine = IopFastRoutine(Request->DeviceObject, IopFastQueries[Index].Offset);
            Length = IopFastQueries[Index].Length;
        }
    }
    if (Routine == NULL) {
        return FALSE;
    }
    RtlZeroMemory(Information, sizeof(Information));
    Result->Status = STATUS_SUCCESS;
    Result->Information = 0;
    FvBeginCall(&Call);
    Done = Routine(Request->FileObject, Request->Synchronous, (PFILE_BASIC_INFORMATION)Information, Result,
                   Request->DeviceObject);
    FvEndCall(&Call, (PVOID)Routine, "fast I/O routine", (ULONG_PTR)Request->DeviceObject);
    if (!Done || NT_ERROR(Result->Status)) {
        return Done;
    }
    __try {
        RtlCopyMemory(Buffer, Information, Length);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Result->Status = GetExceptionCode();
        Result->Information = 0;
    }
    return TRUE;
}
