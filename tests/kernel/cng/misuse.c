// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver that hashes, and misuses it in the way that FAULT numbers: see misuse.lua. */
#include <ntifs.h>
#include <bcrypt.h>
#include <fltvm.h>

#ifndef FAULT
#define FAULT 0
#endif

static BCRYPT_ALG_HANDLE Algorithm;
static BCRYPT_HASH_HANDLE Hash;
static BCRYPT_KEY_HANDLE Key;
static UCHAR Output[32];

static VOID AtLevel(KIRQL Level, ULONG Fault)
{
    BCRYPT_ALG_HANDLE Handle;
    KIRQL Irql;

    KeRaiseIrql(Level, &Irql);
    if (Fault == 1)
        BCryptHashData(Hash, Output, 1, 0);
    if (Fault == 2)
        BCryptHash((PVOID)0x41, NULL, 0, Output, 1, Output, 32);
    if (Fault == 3)
        BCryptOpenAlgorithmProvider(&Handle, BCRYPT_SHA1_ALGORITHM, NULL, 0);
    if (Fault == 4)
        BCryptGenRandom(NULL, Output, 1, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    if (Fault == 5)
        BCryptCloseAlgorithmProvider(Algorithm, 0);
    KeLowerIrql(Irql);
}

static NTSTATUS Begin(VOID)
{
    NTSTATUS Status = BCryptOpenAlgorithmProvider(&Algorithm, BCRYPT_SHA256_ALGORITHM, NULL,
                                                  FAULT == 7 || FAULT == 10 ? BCRYPT_PROV_DISPATCH : 0);

    if (!NT_SUCCESS(Status))
        return Status;
    Status = BCryptCreateHash(Algorithm, &Hash, NULL, 0, NULL, 0, 0);
    if (!NT_SUCCESS(Status)) {
        BCryptCloseAlgorithmProvider(Algorithm, 0);
        return Status;
    }
    BCryptHashData(Hash, (PUCHAR) "abc", 3, 0);
    BCryptFinishHash(Hash, Output, sizeof(Output), 0);
    DbgPrint("misuse: %02x%02x\n", Output[0], Output[31]);
    BCryptGenRandom(NULL, Output, 4, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    DbgPrint("random: %02x%02x%02x%02x\n", Output[0], Output[1], Output[2], Output[3]);
    return STATUS_SUCCESS;
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (FAULT != 8)
        BCryptDestroyHash(Hash);
    if (FAULT != 9)
        BCryptCloseAlgorithmProvider(Algorithm, 0);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    BCRYPT_ALG_HANDLE Aes;
    NTSTATUS Status = Begin();

    UNREFERENCED_PARAMETER(RegistryPath);
    if (!NT_SUCCESS(Status))
        return Status;
    DriverObject->DriverUnload = Unload;
    if (FAULT >= 1 && FAULT <= 5)
        AtLevel(DISPATCH_LEVEL, FAULT);
    if (FAULT == 6)
        BCryptHashData((PVOID)0xffffc0ffdead0000, Output, 1, 0);
    if (FAULT == 7)
        BCryptCloseAlgorithmProvider(Algorithm, 0);
    if (FAULT == 10)
        AtLevel(DISPATCH_LEVEL + 1, 1);
    if (FAULT == 11) {
        BCryptOpenAlgorithmProvider(&Aes, BCRYPT_AES_ALGORITHM, NULL, 0);
        BCryptGenerateSymmetricKey(Aes, &Key, NULL, 0, Output, 16, 0);
        BCryptCloseAlgorithmProvider(Aes, 0);
    }
    if (FAULT == 12)
        AtLevel(APC_LEVEL, 1);
    return STATUS_SUCCESS;
}
