/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootdrivers: the drivers that came in the initrd, and the loader as io sees it.
 *
 * As on Windows the order is the registry's: a service with Start 0 is loaded, by its Group's place in ServiceGroupOrder's List,
 * within a group by Tag, and then as it stands in the initrd.  services.c writes what the machine begins with.  A boot
 * driver that fails to load is logged and the machine goes on: the scenario will say what it misses.
 */
#include <ntifs.h>
#include <hal.h>
#include <kd.h>
#include <mm.h>
#include <ob.h>
#include <ps.h>
#include <cm.h>
#include <ex.h>
#include <io.h>
#include <ldr.h>
#include "initp.h"

/* A driver of the initrd, and when its turn is. */
typedef struct _INIT_MODULE {
    const struct fltvm_boot_module *Module;
    ULONG Length; /* of its name without ".sys" */
    ULONG64 Rank;
    BOOLEAN Done;
} INIT_MODULE;

static BOOLEAN InitBooting; /* what is loaded comes from the initrd */

/* What comes from the initrd, and the interrupt sources' driver, which the host brings when a scenario wants one. */
static BOOLEAN InitIsInBox(PUNICODE_STRING Name)
{
    UNICODE_STRING Sources = RTL_CONSTANT_STRING(L"fltvmirq.sys");

    return InitBooting || RtlEqualUnicodeString(Name, &Sources, TRUE);
}

static NTSTATUS InitImageLoad(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, PIO_LOADED_IMAGE Image)
{
    PLDR_IMAGE Loaded;
    NTSTATUS Status = LdrLoadImage(Name, Bytes, Size, InitIsInBox(Name), &Loaded);

    if (NT_SUCCESS(Status)) {
        Image->Section = Loaded;
        Image->Base = Loaded->DllBase;
        Image->Size = Loaded->SizeOfImage;
        Image->EntryPoint = (PDRIVER_INITIALIZE)Loaded->EntryPoint;
    }
    return Status;
}

static VOID InitImageStarted(PVOID Section)
{
    LdrDiscardInit(Section);
}

static VOID InitImageUnload(PVOID Section)
{
    LdrUnloadImage(Section);
}

static PCUNICODE_STRING InitImageName(PVOID Section)
{
    return &((PLDR_IMAGE)Section)->FullDllName;
}

static IO_IMAGE_LOADER InitImageLoader = {InitImageLoad, InitImageStarted, InitImageUnload, InitImageName,
                                          LdrDescribeImage};

/* A driver that goes must not leave a thread, a timer, a DPC, work, a routine or a handle; io has looked for the rest. */
static VOID InitCheckThreads(PVOID Base, SIZE_T Size, PUNICODE_STRING Name)
{
    PETHREAD Thread = PsFindThreadOfImage(Base, Size);

    KeCheckCodeRange(Base, Size);
    ExCheckWorkItemsInRange(Base, Size);
    ExCheckLeft(Base, Size);
    KeCheckLeft(Base, Size);
    PsCheckLeft(Base, Size);
    CmCheckLeft(Base, Size);
    ObCheckLeft(Base, Size);
    IoCheckLeft(Base, Size);
    if (Thread != NULL && FvVerifierEnabled()) {
        FvBlame((PVOID)Thread->StartAddress);
        FvReport("reason=driver unloaded while a thread that it created still runs\n");
        KeBugCheckEx(DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS, (ULONG_PTR)Thread->StartAddress, 8,
                     (ULONG_PTR)Thread, 0);
    }
}

static VOID InitLoadModule(const struct fltvm_boot_module *Module, ULONG NameLength)
{
    WCHAR Buffer[sizeof(Module->name)];
    UNICODE_STRING Name = {(USHORT)(NameLength * sizeof(WCHAR)), sizeof(Buffer), Buffer};
    CHAR Failure[200];
    NTSTATUS Status;

    for (ULONG i = 0; i < NameLength; i++) {
        Buffer[i] = (UCHAR)Module->name[i];
    }
    Buffer[NameLength] = 0;
    Status = IopLoadDriverImage(&Name, (PVOID)Module->base, Module->size);
    if (!NT_SUCCESS(Status)) {
        Failure[0] = 0;
        LdrQueryFailure(Failure, sizeof(Failure));
        DbgPrint("%s: not loaded: status 0x%08X %s\n", Module->name, Status, Failure);
    }
}

/* The length of a driver's name without ".sys"; 0 for another file. */
static ULONG InitDriverName(const CHAR *Name)
{
    ULONG Length = (ULONG)strlen(Name);

    return Length > 4 && strcmp(Name + Length - 4, ".sys") == 0 ? Length - 4 : 0;
}

/* The one to load next, not Done: the first of the lowest rank.  NULL when none is left. */
static INIT_MODULE *InitNextModule(INIT_MODULE *Modules, ULONG Count)
{
    INIT_MODULE *Next = NULL;

    for (ULONG i = 0; i < Count; i++) {
        if (!Modules[i].Done && (Next == NULL || Modules[i].Rank < Next->Rank)) {
            Next = &Modules[i];
        }
    }
    return Next;
}

/* Ranks anew those that were no boot drivers; returns how many are some now. */
static ULONG InitRankModules(INIT_MODULE *Modules, ULONG Count)
{
    ULONG Due = 0;

    for (ULONG i = 0; i < Count; i++) {
        if (!Modules[i].Done) {
            Modules[i].Rank = InitRankOfService(Modules[i].Module->name, Modules[i].Length);
            Due += Modules[i].Rank != INIT_NOT_AT_BOOT;
        }
    }
    return Due;
}

/* In rounds: a driver may find what another one is for, and make that a boot driver. */
static VOID InitLoadModules(const struct fltvm_loader_block *Block, ULONG Limit)
{
    static INIT_MODULE Modules[FLTVM_BOOT_MAX_MODULES];
    ULONG Count = 0;

    for (ULONG i = 0; i < Limit; i++) {
        ULONG Length = InitDriverName(Block->module[i].name);

        if (Length != 0) {
            Modules[Count++] = (INIT_MODULE){&Block->module[i], Length, INIT_NOT_AT_BOOT, FALSE};
        }
    }
    for (ULONG Due = InitRankModules(Modules, Count); Due != 0; Due = InitRankModules(Modules, Count)) {
        for (; Due != 0; Due--) {
            INIT_MODULE *Next = InitNextModule(Modules, Count);

            Next->Done = TRUE;
            InitLoadModule(Next->Module, Next->Length);
        }
    }
}

/* The export drivers of the initrd: they stay there until a driver imports from them. */
static VOID InitProvideLibraries(const struct fltvm_loader_block *Block, ULONG First)
{
    for (ULONG i = First; i < Block->modules; i++) {
        const struct fltvm_boot_module *Module = &Block->module[i];
        ANSI_STRING Text;
        UNICODE_STRING Name;

        RtlInitAnsiString(&Text, Module->name);
        if (NT_SUCCESS(RtlAnsiStringToUnicodeString(&Name, &Text, TRUE))) {
            LdrProvideLibrary(&Name, (PVOID)Module->base, Module->size, TRUE);
            RtlFreeUnicodeString(&Name);
        }
    }
}

/* The place of the first export driver in the initrd: they come last. */
static ULONG InitFirstLibrary(const struct fltvm_loader_block *Block)
{
    ULONG First = 0;

    while (First < Block->modules && strcmp(Block->module[First].name, "cng.sys") != 0) {
        First++;
    }
    return First;
}

NTSTATUS InitLoadBootDrivers(VOID)
{
    struct fltvm_loader_block *Block = HalLoaderBlock;
    ULONG FirstLibrary = InitFirstLibrary(Block);

    IoSetImageLoader(&InitImageLoader);
    LdrRegisterUnloadCheck(InitCheckThreads);
    InitBooting = TRUE;
    InitDescribeServices();
    InitLoadModules(Block, FirstLibrary);
    InitBooting = FALSE;
    InitProvideLibraries(Block, FirstLibrary);
    IoBootDriversStarted();
    for (ULONG i = 0; i < Block->ranges; i++) {
        if (Block->range[i].type == FLTVM_MEMORY_INITRD) {
            ULONG64 End = FirstLibrary < Block->modules ? Block->module[FirstLibrary].physical & ~(PAGE_SIZE - 1ULL)
                                                        : Block->range[i].base + Block->range[i].size;

            MmReleaseBootMemory(Block->range[i].base, End - Block->range[i].base);
        }
    }
    return STATUS_SUCCESS;
}
