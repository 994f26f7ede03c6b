// SPDX-License-Identifier: GPL-2.0-or-later
/* Extra create parameters as file systems meet them: lists, look-aside lists, a request's list; and a file object's contexts. */
#include <ntifs.h>

#include <fltvm.h>

#define TAG 'pcET'

static const GUID First = {0x11111111, 1, 2, {1}}, Second = {0x22222222, 1, 2, {2}};
static LONG Cleanups;
static GUID Cleaned;
static PVOID CleanedContext;

static VOID NTAPI CleanUp(PVOID Context, LPCGUID Type)
{
    Cleanups++;
    CleanedContext = Context;
    Cleaned = *Type;
}

static BOOLEAN Is(const GUID *One, const GUID *Other)
{
    return RtlEqualMemory(One, Other, sizeof(*One));
}

static PVOID New(const GUID *Type, ULONG Size, PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK Callback)
{
    PVOID Context = NULL;

    FvCheck(FsRtlAllocateExtraCreateParameter(Type, Size, 0, Callback, TAG, &Context) == STATUS_SUCCESS);
    return Context;
}

static VOID CheckList(VOID)
{
    PECP_LIST List = NULL;
    PVOID One = New(&First, 4, CleanUp), Two = New(&Second, 12, CleanUp), Again = New(&First, 4, NULL), Found = NULL;
    GUID Type;
    ULONG Size = 7;

    FvCheck(FsRtlAllocateExtraCreateParameterList(FSRTL_ALLOCATE_ECPLIST_FLAG_CHARGE_QUOTA, &List) == STATUS_SUCCESS);
    FvCheck(FsRtlGetNextExtraCreateParameter(List, NULL, NULL, &Found, &Size) == STATUS_NOT_FOUND && Found == NULL &&
            Size == 0);
    FvCheck(FsRtlGetNextExtraCreateParameter(NULL, NULL, NULL, &Found, &Size) == STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlInsertExtraCreateParameter(List, One) == STATUS_SUCCESS &&
            FsRtlInsertExtraCreateParameter(List, Two) == STATUS_SUCCESS);
    FvCheck(FsRtlInsertExtraCreateParameter(List, Again) == STATUS_INVALID_PARAMETER);
    FsRtlFreeExtraCreateParameter(Again);
    FvCheck(Cleanups == 0); /* it had no callback */
    FvCheck(FsRtlFindExtraCreateParameter(List, &Second, &Found, &Size) == STATUS_SUCCESS && Found == Two &&
            Size == 12);
    FvCheck(FsRtlFindExtraCreateParameter(List, &Second, NULL, NULL) == STATUS_SUCCESS);
    FvCheck(FsRtlGetNextExtraCreateParameter(List, One, &Type, &Found, &Size) == STATUS_SUCCESS && Found == Two &&
            Is(&Type, &Second) && Size == 12);
    FvCheck(FsRtlGetNextExtraCreateParameter(List, Two, NULL, NULL, NULL) == STATUS_NOT_FOUND);
    FvCheck(!FsRtlIsEcpAcknowledged(One) && !FsRtlIsEcpFromUserMode(One));
    FsRtlAcknowledgeEcp(One);
    FvCheck(FsRtlIsEcpAcknowledged(One) && !FsRtlIsEcpAcknowledged(Two));
    FsRtlPrepareToReuseEcp(One);
    FvCheck(!FsRtlIsEcpAcknowledged(One));
    FvCheck(FsRtlRemoveExtraCreateParameter(List, &First, &Found, &Size) == STATUS_SUCCESS && Found == One &&
            Size == 4);
    FvCheck(FsRtlRemoveExtraCreateParameter(List, &First, &Found, &Size) == STATUS_NOT_FOUND && Found == NULL);
    FsRtlFreeExtraCreateParameter(One);
    FvCheck(Cleanups == 1 && Is(&Cleaned, &First) && CleanedContext == One);
    FsRtlFreeExtraCreateParameterList(List);
    FvCheck(Cleanups == 2 && Is(&Cleaned, &Second) && CleanedContext == Two);
}

static VOID CheckLookaside(VOID)
{
    static NPAGED_LOOKASIDE_LIST Nonpaged;
    static PAGED_LOOKASIDE_LIST Paged;
    PVOID Small = NULL, Large = NULL, Other = NULL;

    Cleanups = 0;
    FsRtlInitExtraCreateParameterLookasideList(&Nonpaged, FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL, 32, TAG);
    FsRtlInitExtraCreateParameterLookasideList(&Paged, 0, 32, TAG);
    FvCheck(FsRtlAllocateExtraCreateParameterFromLookasideList(&First, 32, FSRTL_ALLOCATE_ECP_FLAG_NONPAGED_POOL,
                                                               CleanUp, &Nonpaged, &Small) == STATUS_SUCCESS);
    FvCheck(FsRtlAllocateExtraCreateParameterFromLookasideList(&First, 33, 0, CleanUp, &Paged, &Large) ==
            STATUS_SUCCESS);
    FvCheck(FsRtlAllocateExtraCreateParameterFromLookasideList(&First, 1, 0, CleanUp, &Paged, &Other) ==
            STATUS_SUCCESS);
    RtlFillMemory(Small, 32, 0xFF);
    RtlFillMemory(Large, 33, 0xFF);
    FsRtlFreeExtraCreateParameter(Small);
    FsRtlFreeExtraCreateParameter(Large);
    FsRtlFreeExtraCreateParameter(Other);
    FvCheck(Cleanups == 3);
    FsRtlDeleteExtraCreateParameterLookasideList(&Nonpaged, FSRTL_ECP_LOOKASIDE_FLAG_NONPAGED_POOL);
    FsRtlDeleteExtraCreateParameterLookasideList(&Paged, 0);
}

/* A request as a file system gets it; only an open has parameters. */
static VOID CheckRequest(PFILE_OBJECT File)
{
    PIRP Irp = IoAllocateIrp(2, FALSE);
    PECP_LIST List = NULL, Found = (PECP_LIST)1;

    IoSetNextIrpStackLocation(Irp);
    IoGetCurrentIrpStackLocation(Irp)->MajorFunction = IRP_MJ_READ;
    IoGetCurrentIrpStackLocation(Irp)->FileObject = File;
    FvCheck(NT_SUCCESS(FsRtlAllocateExtraCreateParameterList(0, &List)));
    FvCheck(FsRtlGetEcpListFromIrp(Irp, &Found) == STATUS_INVALID_PARAMETER &&
            IoGetIrpExtraCreateParameter(Irp, &Found) == STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlSetEcpListIntoIrp(Irp, List) == STATUS_INVALID_PARAMETER_2 &&
            IoSetIrpExtraCreateParameter(Irp, List) == STATUS_INVALID_PARAMETER_1);
    IoGetCurrentIrpStackLocation(Irp)->MajorFunction = IRP_MJ_CREATE;
    FvCheck(FsRtlGetEcpListFromIrp(Irp, &Found) == STATUS_SUCCESS && Found == NULL);
    FvCheck(FsRtlSetEcpListIntoIrp(Irp, List) == STATUS_SUCCESS);
    FvCheck(FsRtlSetEcpListIntoIrp(Irp, List) == STATUS_INVALID_PARAMETER_3 &&
            IoSetIrpExtraCreateParameter(Irp, List) == STATUS_INVALID_PARAMETER_2); /* it has one */
    FvCheck(FsRtlGetEcpListFromIrp(Irp, &Found) == STATUS_SUCCESS && Found == List);
    IoClearIrpExtraCreateParameter(Irp);
    FvCheck(IoGetIrpExtraCreateParameter(Irp, &Found) == STATUS_SUCCESS && Found == NULL);
    FsRtlFreeExtraCreateParameterList(List);
    IoFreeIrp(Irp);
}

static VOID CheckContexts(PFILE_OBJECT File)
{
    FSRTL_PER_FILEOBJECT_CONTEXT One, Two;
    static CHAR Owner, Other;

    FsRtlInitPerFileObjectContext(&One, &Owner, &One);
    FsRtlInitPerFileObjectContext(&Two, &Owner, &Two);
    FvCheck(FsRtlInsertPerFileObjectContext(NULL, &One) == STATUS_INVALID_PARAMETER);
    FvCheck(FsRtlLookupPerFileObjectContext(File, &Owner, NULL) == NULL);
    FvCheck(FsRtlInsertPerFileObjectContext(File, &One) == STATUS_SUCCESS &&
            FsRtlInsertPerFileObjectContext(File, &Two) == STATUS_SUCCESS);
    FvCheck(FsRtlLookupPerFileObjectContext(File, &Owner, &One) == &One &&
            FsRtlLookupPerFileObjectContext(File, &Owner, &Two) == &Two);
    FvCheck(FsRtlLookupPerFileObjectContext(File, &Other, NULL) == NULL &&
            FsRtlLookupPerFileObjectContext(File, &Owner, &Other) == NULL);
    FvCheck(FsRtlLookupPerFileObjectContext(File, &Owner, NULL) != NULL);
    FvCheck(FsRtlRemovePerFileObjectContext(File, &Owner, &One) == &One &&
            FsRtlRemovePerFileObjectContext(File, &Owner, &One) == NULL);
    FvCheck(FsRtlRemovePerFileObjectContext(File, &Owner, NULL) == &Two &&
            FsRtlRemovePerFileObjectContext(File, &Owner, NULL) == NULL);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PDEVICE_OBJECT Device;
    PFILE_OBJECT File;

    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(41);
    CheckList();
    CheckLookaside();
    if (!FvCheck(NT_SUCCESS(IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &Device))))
        return STATUS_UNSUCCESSFUL;
    File = IoCreateStreamFileObjectLite(NULL, Device);
    CheckRequest(File);
    CheckContexts(File);
    ObDereferenceObject(File);
    IoDeleteDevice(Device);
    return STATUS_SUCCESS;
}
