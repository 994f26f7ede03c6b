// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loading and unloading of images.
 *
 * An image is laid out, relocated and checked in memory that only the loader knows, bound, and then published: to
 * the unwinder, to the owners of pool, to the list of modules, and to the host, in this order.  Whatever fails before
 * takes it all back.  One load or unload at a time: LdrpMutex, which the thread that has it may take again, since what is
 * loaded for another's imports (library.c) runs code of its own meanwhile.
 */
#include "ldrp.h"

LIST_ENTRY PsLoadedModuleList = {&PsLoadedModuleList, &PsLoadedModuleList}; /* LdrpListLock; writers LdrpMutex too */
PLDR_IMAGE LdrpKernelImage;
LDRP_DIRECTORY LdrpKernelExports;

static LDR_IMAGE LdrpKernelEntry;
static KSPIN_LOCK LdrpListLock;
static KMUTANT LdrpMutex;
static CHAR LdrpFailure[2048]; /* LdrpMutex */
static ULONG64 LdrpCookieSeed;

static const WCHAR LdrpDirectoryName[] = L"\\SystemRoot\\System32\\drivers\\";

VOID LdrpLock(VOID)
{
    KeWaitForSingleObject(&LdrpMutex, Executive, KernelMode, FALSE, NULL);
}

VOID LdrpUnlock(VOID)
{
    KeReleaseMutant(&LdrpMutex, 0, FALSE, FALSE);
}

VOID LdrpFail(PCSTR Format, ...)
{
    SIZE_T Used = strlen(LdrpFailure);
    va_list Arguments;

    va_start(Arguments, Format);
    _vsnprintf(LdrpFailure + Used, sizeof(LdrpFailure) - Used - 1, Format, Arguments);
    va_end(Arguments);
    LdrpFailure[sizeof(LdrpFailure) - 1] = 0;
}

VOID LdrpForgetFailure(VOID)
{
    LdrpLock();
    LdrpFailure[0] = 0;
    LdrpUnlock();
}

LDRP_DIRECTORY LdrpExportsOf(PLDR_IMAGE Image)
{
    PIMAGE_DOS_HEADER Dos = Image->DllBase;
    PIMAGE_NT_HEADERS64 Nt = (PIMAGE_NT_HEADERS64)((PUCHAR)Image->DllBase + Dos->e_lfanew);
    PIMAGE_DATA_DIRECTORY Entry = &Nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_EXPORT];
    LDRP_DIRECTORY Directory = {Entry->VirtualAddress, Entry->Size};

    return Directory;
}

static KIRQL LdrpLockList(VOID)
{
    KIRQL OldIrql = (KIRQL)__readcr8();

    /* Above DISPATCH_LEVEL (a bugcheck, an interrupt) one reads without the lock. */
    if (OldIrql <= DISPATCH_LEVEL)
        KeAcquireSpinLock(&LdrpListLock, &OldIrql);
    return OldIrql;
}

static VOID LdrpUnlockList(KIRQL OldIrql)
{
    if (OldIrql <= DISPATCH_LEVEL)
        KeReleaseSpinLock(&LdrpListLock, OldIrql);
}

PLDR_IMAGE LdrFindImageByAddress(PVOID Address)
{
    PLDR_IMAGE Found = NULL;
    KIRQL OldIrql = LdrpLockList();

    for (PLIST_ENTRY Link = PsLoadedModuleList.Flink; Link != &PsLoadedModuleList && Found == NULL;
         Link = Link->Flink) {
        PLDR_IMAGE Image = CONTAINING_RECORD(Link, LDR_IMAGE, InLoadOrderLinks);
        if ((ULONG_PTR)Address - (ULONG_PTR)Image->DllBase < Image->SizeOfImage)
            Found = Image;
    }
    LdrpUnlockList(OldIrql);
    return Found;
}

PLDR_IMAGE LdrFindImageByName(PCUNICODE_STRING Name)
{
    PLDR_IMAGE Found = NULL;

    /* Not under the lock: comparing reads the caller's text. */
    for (PLIST_ENTRY Link = PsLoadedModuleList.Flink; Link != &PsLoadedModuleList && Found == NULL;
         Link = Link->Flink) {
        PLDR_IMAGE Image = CONTAINING_RECORD(Link, LDR_IMAGE, InLoadOrderLinks);
        if (RtlEqualUnicodeString(&Image->BaseDllName, Name, TRUE))
            Found = Image;
    }
    return Found;
}

/* Where images lie and lay, for KiClassifyCode: a table of its own, since a broken list must not break a report. */
#define LDRP_RANGES 256

static struct {
    ULONG64 Base, Size;
    KI_CODE Code;
    ULONG Number; /* of the load: what was unloaded longest ago is forgotten first */
    BOOLEAN Unloaded;
} LdrpRange[LDRP_RANGES]; /* LdrpMutex; read without */
static ULONG LdrpLoads;

static VOID LdrpNoteRange(PVOID Base, ULONG64 Size, KI_CODE Code)
{
    ULONG Oldest = 0;

    for (ULONG Index = 0; Index < LDRP_RANGES; Index++) {
        if (LdrpRange[Index].Base == (ULONG64)Base || LdrpRange[Index].Size == 0) {
            Oldest = Index;
            break;
        }
        if (LdrpRange[Index].Unloaded &&
            (!LdrpRange[Oldest].Unloaded || LdrpRange[Index].Number < LdrpRange[Oldest].Number))
            Oldest = Index;
    }
    LdrpRange[Oldest].Base = (ULONG64)Base;
    LdrpRange[Oldest].Size = Size;
    LdrpRange[Oldest].Code = Code;
    LdrpRange[Oldest].Number = ++LdrpLoads;
    LdrpRange[Oldest].Unloaded = FALSE;
}

static VOID LdrpForgetRange(PVOID Base)
{
    for (ULONG Index = 0; Index < LDRP_RANGES; Index++) {
        if (LdrpRange[Index].Base == (ULONG64)Base)
            LdrpRange[Index].Unloaded = TRUE;
    }
}

/* Loaded images come first: another may lie where one was. */
static KI_CODE LdrpClassifyCode(ULONG64 Address)
{
    KI_CODE Code = KiNoCode;

    for (ULONG Index = 0; Index < LDRP_RANGES && LdrpRange[Index].Size != 0; Index++) {
        if (Address - LdrpRange[Index].Base >= LdrpRange[Index].Size)
            continue;
        Code = LdrpRange[Index].Code;
        if (!LdrpRange[Index].Unloaded)
            break;
    }
    return Code;
}

static BOOLEAN LdrpIsInit(const LDRP_SECTION *Section)
{
    return strncmp(Section->Name, "INIT", 4) == 0 || (Section->Characteristics & IMAGE_SCN_MEM_DISCARDABLE) != 0;
}

/* INIT goes after DriverEntry, but until then it stays in memory. */
static BOOLEAN LdrpIsPageable(const LDRP_SECTION *Section)
{
    return strncmp(Section->Name, "PAGE", 4) == 0;
}

/* Never writable and executable at once: a section that asks for both (INIT often does) stays executable. */
static VOID LdrpProtect(PLDR_IMAGE Image, const LDRP_PE *Pe)
{
    MmProtectImage(Image->DllBase, Pe->SizeOfHeaders, MM_IMAGE_READ);
    for (ULONG Index = 0; Index < Pe->Sections; Index++) {
        const LDRP_SECTION *Section = &Pe->Section[Index];
        ULONG Protection = MM_IMAGE_READ;

        if (Section->Characteristics & IMAGE_SCN_MEM_EXECUTE)
            Protection |= MM_IMAGE_EXECUTE;
        else if (Section->Characteristics & IMAGE_SCN_MEM_WRITE)
            Protection |= MM_IMAGE_WRITE;
        if (LdrpIsPageable(Section))
            Protection |= MM_IMAGE_PAGEABLE;
        MmProtectImage((PUCHAR)Image->DllBase + Section->Rva, Section->Size, Protection);
    }
}

static NTSTATUS LdrpNameImage(PLDR_IMAGE Image, PUNICODE_STRING Name)
{
    UNICODE_STRING File = *Name, Dot = RTL_CONSTANT_STRING(L".sys");
    BOOLEAN Extend = TRUE;
    USHORT Prefix = sizeof(LdrpDirectoryName) - sizeof(WCHAR);
    PUNICODE_STRING Full = &Image->FullDllName;

    for (USHORT Index = 0; Index < File.Length / sizeof(WCHAR); Index++) {
        if (File.Buffer[Index] == '.')
            Extend = FALSE;
    }
    if (File.Length == 0 || File.Length > 200)
        return STATUS_OBJECT_NAME_INVALID;
    Full->MaximumLength = Prefix + File.Length + Dot.Length + sizeof(WCHAR);
    Full->Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, Full->MaximumLength, LDRP_TAG);
    if (Full->Buffer == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlAppendUnicodeToString(Full, LdrpDirectoryName);
    RtlAppendUnicodeStringToString(Full, &File);
    if (Extend)
        RtlAppendUnicodeStringToString(Full, &Dot);
    Image->BaseDllName.Buffer = Full->Buffer + Prefix / sizeof(WCHAR);
    Image->BaseDllName.Length = Full->Length - Prefix;
    Image->BaseDllName.MaximumLength = Full->MaximumLength - Prefix;
    _snprintf(Image->Name, sizeof(Image->Name) - 1, "%wZ", &Image->BaseDllName);
    return STATUS_SUCCESS;
}

static VOID LdrpUnload(PLDR_IMAGE Image);

/* Whether an image that nobody imports from any more goes: its driver is gone, or it was loaded for those imports. */
static BOOLEAN LdrpIsDone(PLDR_IMAGE Image)
{
    return Image->Unloading || (Image->Library != NULL && LdrpMayEndLibrary(Image));
}

/* Frees an image that nobody can find any more; those that it imports from go with it if nothing else keeps them. */
static VOID LdrpFreeImage(PLDR_IMAGE Image)
{
    PLDR_IMAGE Import[ARRAYSIZE(Image->Import)];
    ULONG Imports = Image->Imports;

    memcpy(Import, Image->Import, sizeof(Import));
    KeForgetRoutines();
    if (Image->Thunks != NULL)
        MmFreeImage(Image->Thunks, Image->ThunksSize);
    if (Image->DllBase != NULL)
        MmFreeImage(Image->DllBase, Image->SizeOfImage);
    if (Image->FullDllName.Buffer != NULL)
        ExFreePoolWithTag(Image->FullDllName.Buffer, LDRP_TAG);
    ExFreePoolWithTag(Image, LDRP_TAG);
    for (ULONG Index = 0; Index < Imports; Index++) {
        if (--Import[Index]->References == 0 && LdrpIsDone(Import[Index]))
            LdrpUnload(Import[Index]);
    }
}

/*
 * The option "pool-fail" = NAME:SKIP:COUNT[:TAG] makes COUNT pool allocations of the driver NAME fail after SKIP have
 * passed.  A scenario that runs it for SKIP = 0, 1, 2... makes every allocation fail once.
 */
static VOID LdrpArmPoolFault(PLDR_IMAGE Image)
{
    MM_POOL_FAULT Fault = {.Owner = Image->Owner};
    CHAR Text[96], *Next;

    if (!FvOption("pool-fail", Text, sizeof(Text)) || (Next = strchr(Text, ':')) == NULL)
        return;
    *Next++ = 0;
    if (_stricmp(Text, Image->Name) != 0)
        return;
    Fault.Skip = _strtoui64(Next, &Next, 10);
    Fault.Fail = *Next == ':' ? _strtoui64(Next + 1, &Next, 10) : 1;
    if (*Next == ':')
        memcpy(&Fault.Tag, Next + 1, strnlen(Next + 1, sizeof(Fault.Tag)));
    MmSetPoolFault(&Fault);
}

/* The option "fail-allocation" = N: the Nth allocation that comes of any driver under test fails. */
static VOID LdrpArmAllocation(VOID)
{
    static BOOLEAN Armed;
    CHAR Text[24];

    if (!Armed && FvOption("fail-allocation", Text, sizeof(Text)))
        MmFailAllocation(_strtoui64(Text, NULL, 10));
    Armed = TRUE;
}

static NTSTATUS LdrpPublish(PLDR_IMAGE Image)
{
    KIRQL OldIrql;

    if (!MmRegisterDriver(Image->DllBase, Image->SizeOfImage, &Image->BaseDllName, !Image->InBox, &Image->Owner)) {
        LdrpFail("too many drivers are loaded");
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!RtlInsertInvertedFunctionTable(Image->DllBase, Image->SizeOfImage)) {
        MmUnregisterDriver(Image->Owner);
        LdrpFail("too many images are loaded");
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&LdrpListLock, &OldIrql);
    InsertTailList(&PsLoadedModuleList, &Image->InLoadOrderLinks);
    KeReleaseSpinLock(&LdrpListLock, OldIrql);
    LdrpArmPoolFault(Image);
    if (!Image->InBox)
        LdrpArmAllocation();
    LdrpNoteRange(Image->DllBase, Image->SizeOfImage, Image->InBox ? KiInBoxCode : KiDriverCode);
    KdReportModule(Image->DllBase, Image->SizeOfImage, FLTVM_MODULE_LOADED | (Image->InBox ? FLTVM_MODULE_IN_BOX : 0),
                   Image->Name);
    return STATUS_SUCCESS;
}

/* A number that differs from image to image and from seed to seed, but not from run to run. */
static ULONG64 LdrpNextCookie(VOID)
{
    if (LdrpCookieSeed == 0) {
        CHAR Seed[24];
        FvOption("seed", Seed, sizeof(Seed));
        LdrpCookieSeed = _strtoui64(Seed, NULL, 0) | 1;
    }
    LdrpCookieSeed = LdrpCookieSeed * 6364136223846793005ULL + 1442695040888963407ULL;
    return LdrpCookieSeed >> 13;
}

static NTSTATUS LdrpMapImage(PLDR_IMAGE Image, PVOID Bytes, const LDRP_PE *Pe)
{
    PUCHAR Base = MmAllocateImage(Pe->SizeOfImage);
    PCSTR Reason;
    NTSTATUS Status;

    if (Base == NULL) {
        LdrpFail("no memory for %u bytes of image", (unsigned)Pe->SizeOfImage);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Image->DllBase = Base;
    Image->SizeOfImage = Pe->SizeOfImage;
    Image->SizeOfImageNotRounded = Pe->SizeOfImage;
    Image->EntryPoint = Pe->EntryPoint != 0 ? Base + Pe->EntryPoint : NULL;
    Image->CheckSum = Pe->CheckSum;
    Image->TimeDateStamp = Pe->TimeDateStamp;
    Image->ExceptionTable = Base + Pe->Exception.Rva;
    Image->ExceptionTableSize = Pe->Exception.Size;
    LdrpLayOut(Bytes, Pe, Base);
    if ((Reason = LdrpRelocate(Base, Pe, (ULONG64)Base)) != NULL || (Reason = LdrpCheckExceptions(Base, Pe)) != NULL ||
        (Reason = LdrpSetCookie(Base, Pe, (ULONG64)Base, LdrpNextCookie())) != NULL) {
        LdrpFail("%s", Reason);
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    Status = LdrpBindImports(Image, Pe);
    if (NT_SUCCESS(Status))
        LdrpProtect(Image, Pe);
    return Status;
}

NTSTATUS LdrpLoad(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, LDRP_KIND Kind, PLDR_IMAGE *Image)
{
    PLDR_IMAGE New = NULL;
    PCSTR Reason;
    NTSTATUS Status = STATUS_INSUFFICIENT_RESOURCES;
    LDRP_PE *Pe = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Pe), LDRP_TAG);

    *Image = NULL;
    if (Pe == NULL)
        goto Exit;
    Reason = LdrpParseImage(Bytes, Size, Pe);
    if (Reason == NULL && Pe->EntryPoint == 0 && Kind != LdrpLibraryImage && Kind != LdrpInBoxLibraryImage)
        Reason = "the image has no entry point";
    if (Reason != NULL) {
        LdrpFail("%s", Reason);
        Status = STATUS_INVALID_IMAGE_FORMAT;
        goto Exit;
    }
    New = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*New), LDRP_TAG);
    if (New == NULL)
        goto Exit;
    memset(New, 0, sizeof(*New));
    New->LoadCount = 1;
    New->InBox = Kind == LdrpInBoxImage || Kind == LdrpInBoxLibraryImage;
    Status = LdrpNameImage(New, Name);
    if (NT_SUCCESS(Status) && LdrFindImageByName(&New->BaseDllName) != NULL) {
        LdrpFail("an image of this name is loaded");
        Status = STATUS_IMAGE_ALREADY_LOADED;
    }
    if (NT_SUCCESS(Status))
        Status = LdrpMapImage(New, Bytes, Pe);
    if (NT_SUCCESS(Status))
        Status = LdrpPublish(New);
Exit:
    if (!NT_SUCCESS(Status)) {
        if (LdrpFailure[0] == 0)
            LdrpFail("no memory");
        if (New != NULL)
            LdrpFreeImage(New);
        New = NULL;
    }
    if (Pe != NULL)
        ExFreePoolWithTag(Pe, LDRP_TAG);
    *Image = New;
    return Status;
}

NTSTATUS LdrLoadImage(PUNICODE_STRING Name, PVOID Bytes, SIZE_T Size, BOOLEAN InBox, PLDR_IMAGE *Image)
{
    NTSTATUS Status;

    LdrpLock();
    LdrpFailure[0] = 0;
    Status = LdrpLoad(Name, Bytes, Size, InBox ? LdrpInBoxImage : LdrpDriverImage, Image);
    if (!NT_SUCCESS(Status))
        DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "%wZ is not loaded: %s\n", Name, LdrpFailure);
    LdrpUnlock();
    if (NT_SUCCESS(Status))
        PsNotifyImage(&(*Image)->FullDllName, NULL, NULL, (*Image)->DllBase, (*Image)->SizeOfImage);
    return Status;
}

VOID LdrDiscardInit(PLDR_IMAGE Image)
{
    PIMAGE_DOS_HEADER Dos = Image->DllBase;
    PIMAGE_NT_HEADERS64 Nt = (PIMAGE_NT_HEADERS64)((PUCHAR)Image->DllBase + Dos->e_lfanew);
    PIMAGE_SECTION_HEADER Header = IMAGE_FIRST_SECTION(Nt);
    LDRP_DIRECTORY Exception = {(ULONG)((PUCHAR)Image->ExceptionTable - (PUCHAR)Image->DllBase),
                                Image->ExceptionTableSize};

    LdrpLock();
    for (USHORT Index = 0; Index < Nt->FileHeader.NumberOfSections; Index++, Header++) {
        LDRP_SECTION Section = {.Characteristics = Header->Characteristics};
        ULONG Size = Header->Misc.VirtualSize != 0 ? Header->Misc.VirtualSize : Header->SizeOfRawData;

        memcpy(Section.Name, Header->Name, sizeof(Header->Name));
        if (!LdrpIsInit(&Section))
            continue;
        if (LdrpHoldsUnwindData(Image->DllBase, Image->SizeOfImage, Exception, Header->VirtualAddress, Size))
            DbgPrintEx(
                DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,
                "%wZ: section %s holds unwind data and is discardable: kept here, but Windows would discard it\n",
                &Image->BaseDllName, Section.Name);
        else
            MmProtectImage((PUCHAR)Image->DllBase + Header->VirtualAddress, Size, MM_IMAGE_NOACCESS);
    }
    KeForgetRoutines();
    LdrpUnlock();
}

static VOID LdrpUnload(PLDR_IMAGE Image)
{
    KIRQL OldIrql;

    if (Image->Library != NULL)
        LdrpEndLibrary(Image);
    LdrpCheckUnload(Image);
    KdReportModule(Image->DllBase, Image->SizeOfImage, FLTVM_MODULE_UNLOADED, Image->Name);
    KeAcquireSpinLock(&LdrpListLock, &OldIrql);
    RemoveEntryList(&Image->InLoadOrderLinks);
    KeReleaseSpinLock(&LdrpListLock, OldIrql);
    RtlRemoveInvertedFunctionTable(Image->DllBase);
    LdrpForgetRange(Image->DllBase);
    MmUnregisterDriver(Image->Owner);
    LdrpFreeImage(Image);
}

VOID LdrUnloadImage(PLDR_IMAGE Image)
{
    LdrpLock();
    if (Image->References != 0)
        Image->Unloading = TRUE;
    else
        LdrpUnload(Image);
    LdrpUnlock();
}

ULONG LdrQueryFailure(PCHAR Buffer, ULONG Size)
{
    ULONG Length;

    if (Size == 0)
        return 0;
    LdrpLock();
    strncpy(Buffer, LdrpFailure, Size - 1);
    Buffer[Size - 1] = 0;
    Length = (ULONG)strlen(Buffer);
    LdrpUnlock();
    return Length;
}

VOID LdrInitSystem(struct fltvm_loader_block *LoaderBlock)
{
    PLDR_IMAGE Image = &LdrpKernelEntry;

    KeInitializeMutant(&LdrpMutex, FALSE);
    KeInitializeSpinLock(&LdrpListLock);
    Image->DllBase = (PVOID)LoaderBlock->kernel_base;
    Image->SizeOfImage = (ULONG)LoaderBlock->kernel_size;
    Image->LoadCount = 1;
    Image->References = 1;
    RtlInitUnicodeString(&Image->FullDllName, L"\\SystemRoot\\System32\\ntoskrnl.exe");
    RtlInitUnicodeString(&Image->BaseDllName, Image->FullDllName.Buffer + 21);
    strcpy(Image->Name, "ntoskrnl.exe");
    InsertTailList(&PsLoadedModuleList, &Image->InLoadOrderLinks);
    LdrpKernelImage = Image;
    LdrpKernelExports = LdrpExportsOf(Image);
    LdrpNoteRange(Image->DllBase, Image->SizeOfImage, KiKernelCode);
    KiClassifyCode = LdrpClassifyCode;
}
