/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of extra create parameters that goes with an open; see ecp.h.  It is kept with the file object
 * while IRP_MJ_CREATE is under way, so that every driver of the stack sees the same one.  IRQL <= APC_LEVEL.
 */
#include "iop.h"

VOID IopFreeEcp(PECP_HEADER Ecp)
{
    FV_CALL Call;

    if (Ecp->Cleanup != NULL) {
        FvBeginCall(&Call);
        Ecp->Cleanup(Ecp + 1, &Ecp->Type);
        FvEndCall(&Call, (PVOID)Ecp->Cleanup, "extra create parameter's cleanup callback", (ULONG_PTR)(Ecp + 1));
    }
    Ecp->Magic = 0;
    if (Ecp->Lookaside == NULL) {
        ExFreePoolWithTag(Ecp, Ecp->Tag);
    } else if (Ecp->Flags & ECP_FLAG_NONPAGED) {
        ExFreeToNPagedLookasideList(Ecp->Lookaside, Ecp);
    } else {
        ExFreeToPagedLookasideList(Ecp->Lookaside, Ecp);
    }
}

/* Those that were inserted at this depth or deeper. */
static VOID IopFreeEcpsFrom(PECP_LIST List, ULONG Depth)
{
    PLIST_ENTRY Entry, Next;

    for (Entry = List->Parameters.Flink; Entry != &List->Parameters; Entry = Next) {
        PECP_HEADER Ecp = CONTAINING_RECORD(Entry, ECP_HEADER, Link);

        Next = Entry->Flink;
        if (Ecp->Depth >= Depth) {
            RemoveEntryList(&Ecp->Link);
            InitializeListHead(&Ecp->Link);
            IopFreeEcp(Ecp);
        }
    }
}

VOID IopFreeEcpList(PECP_LIST List)
{
    IopFreeEcpsFrom(List, 0);
    List->Magic = 0;
    ExFreePoolWithTag(List, IOP_TAG_ECP);
}

VOID IopBeginEcps(PIOP_OPEN_PACKET Packet)
{
    Packet->CallersEcps = Packet->EcpList != NULL;
    if (Packet->EcpList != NULL) {
        Packet->EcpList->Creates++;
    }
}

VOID IopEndEcps(PIOP_OPEN_PACKET Packet)
{
    if (Packet->EcpList == NULL) {
        return;
    }
    if (Packet->CallersEcps) {
        IopFreeEcpsFrom(Packet->EcpList, Packet->EcpList->Creates);
        Packet->EcpList->Creates--;
    } else {
        IopFreeEcpList(Packet->EcpList);
    }
    Packet->EcpList = NULL;
}

static BOOLEAN IopIsCreate(PIRP Irp)
{
    UCHAR Major = IoGetCurrentIrpStackLocation(Irp)->MajorFunction;

    return Major == IRP_MJ_CREATE || Major == IRP_MJ_CREATE_NAMED_PIPE || Major == IRP_MJ_CREATE_MAILSLOT;
}

/* The extension of an open's file object; NULL for any other request, or where there is none yet. */
static PIOP_FILE_EXTENSION IopExtensionOfCreate(PIRP Irp, BOOLEAN Create)
{
    PFILE_OBJECT FileObject = IoGetCurrentIrpStackLocation(Irp)->FileObject;

    return IopIsCreate(Irp) && FileObject != NULL ? IopGetFileExtension(FileObject, Create) : NULL;
}

/* <= APC_LEVEL.  NULL where the open has none; STATUS_INVALID_PARAMETER for what is no open. */
NTSTATUS NTAPI IoGetIrpExtraCreateParameter(PIRP Irp, struct _ECP_LIST **ExtraCreateParameter)
{
    PIOP_FILE_EXTENSION Extension = IopExtensionOfCreate(Irp, FALSE);

    if (!IopIsCreate(Irp)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (ExtraCreateParameter != NULL) {
        *ExtraCreateParameter = Extension != NULL ? Extension->EcpList : NULL;
    }
    return STATUS_SUCCESS;
}

/* <= APC_LEVEL.  The list is freed when the open is over.  An open that has one keeps it. */
NTSTATUS NTAPI IoSetIrpExtraCreateParameter(PIRP Irp, struct _ECP_LIST *ExtraCreateParameter)
{
    PIOP_FILE_EXTENSION Extension;

    if (!IopIsCreate(Irp)) {
        return STATUS_INVALID_PARAMETER_1;
    }
    Extension = IopExtensionOfCreate(Irp, TRUE);
    if (Extension == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Extension->EcpList != NULL) {
        return STATUS_INVALID_PARAMETER_2;
    }
    Extension->EcpList = ExtraCreateParameter;
    ExtraCreateParameter->Creates++;
    return STATUS_SUCCESS;
}

/* <= APC_LEVEL.  The list is the caller's again. */
VOID NTAPI IoClearIrpExtraCreateParameter(PIRP Irp)
{
    PIOP_FILE_EXTENSION Extension = IopExtensionOfCreate(Irp, FALSE);

    if (Extension != NULL && Extension->EcpList != NULL) {
        Extension->EcpList->Creates--;
        Extension->EcpList = NULL;
    }
}
