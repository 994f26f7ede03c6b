// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images of user mode: ntdll.dll and a program that imports from it alone, mapped into the current process.
 *
 * An image is laid out, relocated and bound in memory of the kernel's, where nobody can change it meanwhile, and then copied
 * to where it runs, in memory of its own: no image is shared.
 */
#include "ldrp.h"
#include <mm.h>

#define LDRP_USER_TAG     'uldL'
#define LDRP_LARGEST_USER (4u << 20)

/* An image, as it will be in user memory; Pe and Bytes are the kernel's. */
typedef struct _LDRP_USER_IMAGE {
    LDRP_PE Pe;
    PUCHAR Bytes;
    ULONG64 Address;
} LDRP_USER_IMAGE;

/* Who is asked for an import, and what could not be found. */
typedef struct _LDRP_USER_BIND {
    const LDRP_USER_IMAGE *Library; /* NULL: nobody */
    BOOLEAN Missing;
} LDRP_USER_BIND;

static ULONG64 LdrpUserExport(const LDRP_USER_IMAGE *Library, PCSTR Name, USHORT Ordinal)
{
    PCSTR Forwarder;
    ULONG Rva = LdrpFindExport(Library->Bytes, Library->Pe.SizeOfImage, Library->Pe.Export, Name, Ordinal, &Forwarder);

    return Rva != 0 ? Library->Address + Rva : 0;
}

static BOOLEAN LdrpBindUser(PVOID Context, PCSTR Module, PCSTR Name, USHORT Ordinal, PULONG64 Slot)
{
    LDRP_USER_BIND *Bind = Context;
    ULONG64 Address = 0;

    if (Bind->Library != NULL && _stricmp(Module, "ntdll.dll") == 0)
        Address = LdrpUserExport(Bind->Library, Name, Ordinal);
    if (Address == 0) {
        Bind->Missing = TRUE;
        if (Name != NULL)
            LdrpFail("%s!%s is not there for a program\n", Module, Name);
        else
            LdrpFail("%s!#%u is not there for a program\n", Module, Ordinal);
    }
    *Slot = Address;
    return TRUE;
}

/* What the image's pages are to allow, once its bytes are there. */
static NTSTATUS LdrpProtectUser(const LDRP_USER_IMAGE *Image)
{
    NTSTATUS Status = STATUS_SUCCESS;
    ULONG64 Base = Image->Address, Size = Image->Pe.SizeOfHeaders;
    ULONG Old;

    Status = MmProtectVirtual(&Base, &Size, PAGE_READONLY, &Old);
    for (ULONG Index = 0; Index < Image->Pe.Sections && NT_SUCCESS(Status); Index++) {
        const LDRP_SECTION *Section = &Image->Pe.Section[Index];
        BOOLEAN Execute = (Section->Characteristics & IMAGE_SCN_MEM_EXECUTE) != 0;
        BOOLEAN Write = (Section->Characteristics & IMAGE_SCN_MEM_WRITE) != 0;

        Base = Image->Address + Section->Rva;
        Size = Section->Size;
        Status = MmProtectVirtual(&Base, &Size,
                                  Execute ? Write ? PAGE_EXECUTE_READWRITE : PAGE_EXECUTE_READ
                                  : Write ? PAGE_READWRITE
                                          : PAGE_READONLY,
                                  &Old);
    }
    return Status;
}

/* Lays out and binds; the kernel's copy stays until LdrpFreeUser. */
static NTSTATUS LdrpMapUser(PCSTR What, const VOID *Bytes, SIZE_T Length, const LDRP_USER_IMAGE *Library,
                            LDRP_USER_IMAGE *Image)
{
    ULONG64 Size;
    LDRP_USER_BIND Bind = {Library, FALSE};
    NTSTATUS Status;
    PCSTR Reason = LdrpParseImage(Bytes, Length, &Image->Pe);

    if (Reason == NULL && Image->Pe.SizeOfImage > LDRP_LARGEST_USER)
        Reason = "the image is too large";
    if (Reason != NULL) {
        LdrpFail("%s: %s\n", What, Reason);
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    Image->Bytes = ExAllocatePoolWithTag(PagedPool, Image->Pe.SizeOfImage, LDRP_USER_TAG);
    if (Image->Bytes == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Image->Bytes, Image->Pe.SizeOfImage);
    LdrpLayOut(Bytes, &Image->Pe, Image->Bytes);
    Size = Image->Pe.SizeOfImage;
    Image->Address = Image->Pe.PreferredBase;
    Status = MmAllocateVirtual(&Image->Address, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (!NT_SUCCESS(Status)) {
        Image->Address = 0;
        Size = Image->Pe.SizeOfImage;
        Status = MmAllocateVirtual(&Image->Address, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    }
    if (!NT_SUCCESS(Status))
        return Status;
    Reason = LdrpRelocate(Image->Bytes, &Image->Pe, Image->Address);
    if (Reason == NULL)
        Reason = LdrpCheckExceptions(Image->Bytes, &Image->Pe);
    if (Reason == NULL)
        Reason = LdrpWalkImports(Image->Bytes, &Image->Pe, LdrpBindUser, &Bind);
    if (Reason != NULL) {
        LdrpFail("%s: %s\n", What, Reason);
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    if (Bind.Missing)
        return STATUS_ENTRYPOINT_NOT_FOUND;
    __try {
        RtlCopyMemory((PVOID)Image->Address, Image->Bytes, Image->Pe.SizeOfImage);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return LdrpProtectUser(Image);
}

static VOID LdrpFreeUser(LDRP_USER_IMAGE *Image)
{
    if (Image->Bytes != NULL)
        ExFreePoolWithTag(Image->Bytes, LDRP_USER_TAG);
}

NTSTATUS LdrMapProgram(const VOID *Library, SIZE_T LibraryLength, const VOID *Program, SIZE_T ProgramLength,
                       PLDR_PROGRAM Result)
{
    LDRP_USER_IMAGE *Images = ExAllocatePoolWithTag(PagedPool, 2 * sizeof(*Images), LDRP_USER_TAG);
    NTSTATUS Status;

    if (Images == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(Images, 2 * sizeof(*Images));
    LdrpBeginFailure();
    Status = LdrpMapUser("ntdll.dll", Library, LibraryLength, NULL, &Images[0]);
    if (NT_SUCCESS(Status))
        Status = LdrpMapUser("the program", Program, ProgramLength, &Images[0], &Images[1]);
    if (NT_SUCCESS(Status)) {
        Result->ImageBase = Images[1].Address;
        Result->Entry = Images[1].Address + Images[1].Pe.EntryPoint;
        Result->Start = LdrpUserExport(&Images[0], "RtlUserThreadStart", 0);
        Result->ApcDispatcher = LdrpUserExport(&Images[0], "KiUserApcDispatcher", 0);
        Result->ExceptionDispatcher = LdrpUserExport(&Images[0], "KiUserExceptionDispatcher", 0);
        if (Result->Start == 0 || Result->ApcDispatcher == 0 || Result->ExceptionDispatcher == 0)
            Status = STATUS_ENTRYPOINT_NOT_FOUND;
    }
    LdrpEndFailure();
    LdrpFreeUser(&Images[0]);
    LdrpFreeUser(&Images[1]);
    ExFreePoolWithTag(Images, LDRP_USER_TAG);
    return Status;
}
