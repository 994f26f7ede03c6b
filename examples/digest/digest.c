/* SPDX-License-Identifier: MIT */
/*
 * digest: a minifilter that tells the SHA-256 of what every read brings.
 *
 * A read completes in the disk driver's DPC, so the post-operation callback runs at DISPATCH_LEVEL: the provider is opened
 * with BCRYPT_PROV_DISPATCH, once, at PASSIVE_LEVEL, and everything that the hash touches is nonpaged.
 */
#include <fltKernel.h>
#include <bcrypt.h>

#define DIGEST_LENGTH 32

static PFLT_FILTER DigestFilter;
static BCRYPT_ALG_HANDLE DigestAlgorithm;

/* IRQL <= DISPATCH_LEVEL. */
static FLT_POSTOP_CALLBACK_STATUS FLTAPI DigestPostRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS FltObjects,
                                                        PVOID CompletionContext, FLT_POST_OPERATION_FLAGS Flags)
{
    PMDL Mdl = Data->Iopb->Parameters.Read.MdlAddress;
    ULONG Length = (ULONG)Data->IoStatus.Information;
    UCHAR Digest[DIGEST_LENGTH];
    PVOID Buffer;

    if (FlagOn(Flags, FLTFL_POST_OPERATION_DRAINING) || !NT_SUCCESS(Data->IoStatus.Status) || Mdl == NULL)
        return FLT_POSTOP_FINISHED_PROCESSING;
    Buffer = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority | MdlMappingNoExecute);
    if (Buffer == NULL)
        return FLT_POSTOP_FINISHED_PROCESSING;
    if (NT_SUCCESS(BCryptHash(DigestAlgorithm, NULL, 0, Buffer, Length, Digest, sizeof(Digest))))
        DbgPrint("%lu bytes at IRQL %d: SHA-256 %02x%02x%02x%02x…\n", Length, KeGetCurrentIrql(), Digest[0], Digest[1],
                 Digest[2], Digest[3]);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static NTSTATUS FLTAPI DigestUnload(FLT_FILTER_UNLOAD_FLAGS Flags)
{
    FltUnregisterFilter(DigestFilter); /* no callback runs afterwards */
    BCryptCloseAlgorithmProvider(DigestAlgorithm, 0);
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION DigestOperations[] = {
    {IRP_MJ_READ, 0, NULL, DigestPostRead, NULL},
    {.MajorFunction = IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION DigestRegistration = {
    .Size = sizeof(FLT_REGISTRATION),
    .Version = FLT_REGISTRATION_VERSION,
    .OperationRegistration = DigestOperations,
    .FilterUnloadCallback = DigestUnload,
};

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status =
        BCryptOpenAlgorithmProvider(&DigestAlgorithm, BCRYPT_SHA256_ALGORITHM, NULL, BCRYPT_PROV_DISPATCH);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = FltRegisterFilter(DriverObject, &DigestRegistration, &DigestFilter);
    if (NT_SUCCESS(Status)) {
        Status = FltStartFiltering(DigestFilter);
        if (!NT_SUCCESS(Status))
            FltUnregisterFilter(DigestFilter);
    }
    if (!NT_SUCCESS(Status))
        BCryptCloseAlgorithmProvider(DigestAlgorithm, 0);
    return Status;
}
