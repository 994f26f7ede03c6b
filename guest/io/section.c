// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Section objects, and the services that map views of them.
 *
 * A section of the paging file is memory that several views share; one of a file shows the file (filesection.c), or the file as it is
 * run (imagesection.c).
 */
#include "iop.h"
#include <mm.h>

#define IOP_ALLOCATION_ATTRIBUTES                                                                                      \
    (SEC_COMMIT | SEC_RESERVE | SEC_IMAGE | SEC_NOCACHE | SEC_LARGE_PAGES | 0x00200000 /* SEC_BASED */)

typedef struct _IOP_SECTION {
    ULONG Protection;
    ULONG64 Size;
    PMM_SEGMENT Segment;
    BOOLEAN Image;
} IOP_SECTION, *PIOP_SECTION;

POBJECT_TYPE IopSectionType;

/* Does it let the file be written? */
static BOOLEAN IopIsWriter(PIOP_SECTION Section)
{
    return !Section->Image && (Section->Protection & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0;
}

static VOID IopDeleteSection(PVOID Object)
{
    PIOP_SECTION Section = Object;

    if (Section->Segment != NULL) {
        MmCountSegmentUser(Section->Segment, IopIsWriter(Section), -1);
        MmDereferenceSegment(Section->Segment);
    }
}

NTSTATUS IopInitializeSections(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Section");
    OBJECT_TYPE_INITIALIZER Type;

    RtlZeroMemory(&Type, sizeof(Type));
    Type.Length = sizeof(Type);
    Type.Secured = TRUE;
    Type.PoolType = NonPagedPoolNx;
    Type.WaitOffset = OB_NOT_WAITABLE;
    Type.ValidAccessMask = SECTION_ALL_ACCESS;
    Type.GenericMapping = (GENERIC_MAPPING){STANDARD_RIGHTS_READ | SECTION_MAP_READ | SECTION_QUERY,
                                            STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE,
                                            STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE, SECTION_ALL_ACCESS};
    Type.DeleteProcedure = IopDeleteSection;
    MmSetFileRoutines(&IopFileRoutines);
    return ObCreateObjectType(&Name, &Type, NULL, &IopSectionType);
}

/* ---- making sections ---- */

static NTSTATUS IopCheckSection(ULONG Protection, ULONG Attributes, HANDLE File, ULONG64 Size)
{
    ULONG Kind = Attributes & (SEC_COMMIT | SEC_RESERVE | SEC_IMAGE);

    if ((Attributes & ~(ULONG)(IOP_ALLOCATION_ATTRIBUTES | SEC_FILE)) != 0 ||
        (Kind != SEC_COMMIT && Kind != SEC_RESERVE && Kind != SEC_IMAGE)) {
        return STATUS_INVALID_PARAMETER_6;
    }
    if (!MmIsViewProtection(Protection) || (Protection & PAGE_NOACCESS) != 0) {
        return STATUS_INVALID_PAGE_PROTECTION;
    }
    if (File == NULL && Kind == SEC_IMAGE) {
        return STATUS_INVALID_FILE_FOR_SECTION;
    }
    if ((Attributes & (SEC_LARGE_PAGES | 0x00200000)) != 0 || (Kind == SEC_IMAGE && (Attributes & SEC_NOCACHE) != 0)) {
        DbgPrint("NtCreateSection: %s is not implemented\n",
                 Kind == SEC_IMAGE ? "an image that is not executed" : "a based section or large pages");
        return STATUS_NOT_IMPLEMENTED;
    }
    return (LONG64)Size < 0 || (Size == 0 && File == NULL) ? STATUS_INVALID_PARAMETER_4 : STATUS_SUCCESS;
}

static NTSTATUS IopFillSection(PIOP_SECTION Section, PFILE_OBJECT FileObject, ULONG64 Size, ULONG Attributes)
{
    NTSTATUS Status;

    if (Section->Image) {
        Status = IopOpenImageSection(FileObject, &Size, Section->Protection, &Section->Segment);
    } else if (FileObject != NULL) {
        Status = IopOpenFileSection(FileObject, &Size, Section->Protection, &Section->Segment);
    } else {
        Status = MmCreateSegment(Size, (Attributes & SEC_COMMIT) != 0, &Section->Segment);
    }
    Section->Size = Size;
    return Status;
}

/* Object NULL, or where the section goes, referenced. */
NTSTATUS IopCreateSection(PHANDLE Handle, PVOID *Object, ACCESS_MASK Access, POBJECT_ATTRIBUTES ObjectAttributes,
                          ULONG64 Size, ULONG Protection, ULONG Attributes, PFILE_OBJECT FileObject)
{
    KPROCESSOR_MODE Mode = Object != NULL ? KernelMode : ExGetPreviousMode();
    PIOP_SECTION Section;
    NTSTATUS Status =
        ObCreateObject(Mode, IopSectionType, ObjectAttributes, Mode, NULL, sizeof(*Section), 0, 0, (PVOID *)&Section);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Section->Segment = NULL;
    Section->Protection = Protection;
    Section->Image = (Attributes & SEC_IMAGE) != 0;
    Status = IopFillSection(Section, FileObject, Size, Attributes);
    if (!NT_SUCCESS(Status)) {
        ObDereferenceObject(Section);
        return Status;
    }
    return ObInsertObject(Section, NULL, Access, Object != NULL ? 1 : 0, Object, Handle);
}

/* The file must be open for what the section's protection lets views do. */
static NTSTATUS IopCreateSectionOf(HANDLE File, PHANDLE Handle, ACCESS_MASK Access, POBJECT_ATTRIBUTES ObjectAttributes,
                                   ULONG64 Size, ULONG Protection, ULONG Attributes)
{
    PFILE_OBJECT FileObject = NULL;
    NTSTATUS Status = STATUS_SUCCESS;

    if (File != NULL) {
        Status = ObReferenceObjectByHandle(File, IopFileAccessOfSection(Protection), *IoFileObjectType,
                                           ExGetPreviousMode(), (PVOID *)&FileObject, NULL);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopCreateSection(Handle, NULL, Access, ObjectAttributes, Size, Protection, Attributes, FileObject);
    if (FileObject != NULL) {
        ObDereferenceObject(FileObject);
    }
    return Status;
}

/*
 * IRQL: PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER_4: no size; STATUS_INVALID_PARAMETER_6: not one kind of allocation;
 * STATUS_INVALID_PAGE_PROTECTION; STATUS_SECTION_TOO_BIG: also more than a file has, without the right to make it grow;
 * STATUS_COMMITMENT_LIMIT; STATUS_INVALID_FILE_FOR_SECTION: an image of no file, a directory, a file that has no sections;
 * STATUS_MAPPED_FILE_SIZE_ZERO; STATUS_ACCESS_DENIED: the file is not open for this; STATUS_INVALID_IMAGE_NOT_MZ,
 * STATUS_INVALID_IMAGE_FORMAT: the file is no image; STATUS_NOT_IMPLEMENTED: large pages.  (Page "ZwCreateSection".)
 */
NTSTATUS NTAPI NtCreateSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                               PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection, ULONG AllocationAttributes,
                               HANDLE FileHandle)
{
    ULONG64 Size = 0;
    OB_CAPTURED Captured;
    HANDLE Handle = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    __try {
        if (ExGetPreviousMode() != KernelMode) {
            if (MaximumSize != NULL) {
                ProbeForRead(MaximumSize, sizeof(*MaximumSize), sizeof(ULONG));
            }
        }
        if (MaximumSize != NULL) {
            Size = (ULONG64)MaximumSize->QuadPart;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Status = IopCheckSection(SectionPageProtection, AllocationAttributes, FileHandle, Size);
    if (NT_SUCCESS(Status)) {
        Status = ObCapture(ObjectAttributes, SectionHandle, &Captured);
    }
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = IopCreateSectionOf(FileHandle, &Handle, DesiredAccess, Captured.Attributes, Size, SectionPageProtection,
                                AllocationAttributes);
    ObReleaseCaptured(&Captured);
    return ObTellHandle(Status, Handle, SectionHandle);
}

NTSTATUS NTAPI NtOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes);
/* IRQL: PASSIVE_LEVEL.  STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED. */
NTSTATUS NTAPI NtOpenSection(PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    OB_CAPTURED Captured;
    HANDLE Handle = NULL;
    NTSTATUS Status;

    PAGED_CODE();
    Status = ObCapture(ObjectAttributes, SectionHandle, &Captured);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObOpenObjectByName(Captured.Attributes, IopSectionType, ExGetPreviousMode(), NULL, DesiredAccess, NULL,
                                &Handle);
    ObReleaseCaptured(&Captured);
    return ObTellHandle(Status, Handle, SectionHandle);
}

/* ---- views in processes ---- */

static NTSTATUS IopCaptureView(PMM_VIEW_REQUEST Request, PVOID *BaseAddress, PLARGE_INTEGER Offset, PSIZE_T ViewSize)
{
    __try {
        if (ExGetPreviousMode() != KernelMode) {
            ProbeForWrite(BaseAddress, sizeof(*BaseAddress), sizeof(PVOID));
            ProbeForWrite(ViewSize, sizeof(*ViewSize), sizeof(SIZE_T));
            if (Offset != NULL) {
                ProbeForWrite(Offset, sizeof(*Offset), sizeof(ULONG));
            }
        }
        Request->Base = (ULONG64)*BaseAddress;
        Request->Size = *ViewSize;
        Request->Offset = Offset != NULL ? (ULONG64)Offset->QuadPart : 0;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static VOID IopReturnView(PMM_VIEW_REQUEST Request, PVOID *BaseAddress, PLARGE_INTEGER Offset, PSIZE_T ViewSize)
{
    __try {
        *ViewSize = Request->Size;
        *BaseAddress = (PVOID)Request->Base;
        if (Offset != NULL) {
            Offset->QuadPart = (LONGLONG)Request->Offset;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return; /* the view is there all the same */
    }
}

static NTSTATUS IopCheckView(PMM_VIEW_REQUEST Request, SECTION_INHERIT Inherit)
{
    if (Inherit != ViewShare && Inherit != ViewUnmap) {
        return STATUS_INVALID_PARAMETER_8;
    }
    if ((Request->Type & ~(ULONG)(MEM_RESERVE | MEM_TOP_DOWN)) != 0) {
        return STATUS_INVALID_PARAMETER_9;
    }
    if (!MmIsViewProtection(Request->Protect)) {
        return STATUS_INVALID_PAGE_PROTECTION;
    }
    return Request->ZeroBits > 21 ? STATUS_INVALID_PARAMETER_4 : STATUS_SUCCESS;
}

/* The right to a section that a view of this protection needs. */
static ACCESS_MASK IopAccessOfView(ULONG Protect)
{
    if ((Protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE)) != 0) {
        return SECTION_MAP_WRITE;
    }
    return (Protect & 0xF0) != 0 ? SECTION_MAP_EXECUTE : SECTION_MAP_READ;
}

static NTSTATUS IopMapView(HANDLE SectionHandle, HANDLE ProcessHandle, PMM_VIEW_REQUEST Request)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    KAPC_STATE ApcState;
    PIOP_SECTION Section;
    PEPROCESS Process;
    NTSTATUS Status = ObReferenceObjectByHandle(ProcessHandle, 0x8 /* PROCESS_VM_OPERATION */, PsProcessTypeObject,
                                                Mode, (PVOID *)&Process, NULL);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObReferenceObjectByHandle(SectionHandle, IopAccessOfView(Request->Protect), IopSectionType, Mode,
                                       (PVOID *)&Section, NULL);
    if (NT_SUCCESS(Status) && !Section->Image && !MmIsProtectionAllowed(Section->Protection, Request->Protect)) {
        ObDereferenceObject(Section);
        Status = STATUS_SECTION_PROTECTION;
    }
    if (NT_SUCCESS(Status)) {
        Request->Segment = Section->Segment;
        Request->SectionSize = Section->Size;
        Request->SectionProtect = Section->Protection;
        KeStackAttachProcess((PRKPROCESS)Process, &ApcState);
        Status = MmMapView(Request);
        if (NT_SUCCESS(Status) && Section->Image) {
            IopNotifyImage(MmQuerySegmentFile(Section->Segment), Process, Request->Base, Request->Size);
        }
        KeUnstackDetachProcess(&ApcState);
        ObDereferenceObject(Section); /* the view keeps the pages */
    }
    ObDereferenceObject(Process);
    return Status;
}

NTSTATUS IoMapImage(PVOID Section, PULONG64 Base, PULONG64 Size)
{
    PIOP_SECTION Object = Section;
    MM_VIEW_REQUEST Request = {.Segment = Object->Segment, .SectionSize = Object->Size, .Protect = PAGE_EXECUTE_READ};
    NTSTATUS Status = Object->Image ? MmMapView(&Request) : STATUS_SECTION_NOT_IMAGE;

    *Base = Request.Base;
    *Size = Request.Size;
    return Status;
}

NTSTATUS NTAPI NtMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
                                  SIZE_T CommitSize, PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
                                  SECTION_INHERIT InheritDisposition, ULONG AllocationType, ULONG Win32Protect);
/*
 * IRQL: PASSIVE_LEVEL.  STATUS_INVALID_PARAMETER_4, _5, _8, _9: ZeroBits, CommitSize, InheritDisposition, AllocationType;
 * STATUS_INVALID_PAGE_PROTECTION; STATUS_SECTION_PROTECTION: more than the section allows; STATUS_MAPPED_ALIGNMENT: the offset
 * is no multiple of 64 KiB; STATUS_INVALID_VIEW_SIZE; STATUS_CONFLICTING_ADDRESSES; STATUS_NO_MEMORY;
 * STATUS_PROCESS_IS_TERMINATING.  An image is mapped with the protections of its sections, whatever Win32Protect says, and drivers are
 * told of it; STATUS_IMAGE_NOT_AT_BASE, a success: elsewhere than where it would like to lie.  (Page "ZwMapViewOfSection".)
 */
NTSTATUS NTAPI NtMapViewOfSection(HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits,
                                  SIZE_T CommitSize, PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize,
                                  SECTION_INHERIT InheritDisposition, ULONG AllocationType, ULONG Win32Protect)
{
    MM_VIEW_REQUEST Request = {
        .ZeroBits = ZeroBits, .CommitSize = CommitSize, .Type = AllocationType, .Protect = Win32Protect};
    NTSTATUS Status;

    PAGED_CODE();
    Status = IopCheckView(&Request, InheritDisposition);
    if (NT_SUCCESS(Status)) {
        Status = IopCaptureView(&Request, BaseAddress, SectionOffset, ViewSize);
    }
    if (NT_SUCCESS(Status)) {
        Status = IopMapView(SectionHandle, ProcessHandle, &Request);
    }
    if (NT_SUCCESS(Status)) {
        IopReturnView(&Request, BaseAddress, SectionOffset, ViewSize);
    }
    return Status;
}

NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress);
/* IRQL: PASSIVE_LEVEL.  BaseAddress: any within the view.  STATUS_NOT_MAPPED_VIEW. */
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE ProcessHandle, PVOID BaseAddress)
{
    KAPC_STATE ApcState;
    PEPROCESS Process;
    NTSTATUS Status;

    PAGED_CODE();
    Status = ObReferenceObjectByHandle(ProcessHandle, 0x8 /* PROCESS_VM_OPERATION */, PsProcessTypeObject,
                                       ExGetPreviousMode(), (PVOID *)&Process, NULL);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    KeStackAttachProcess((PRKPROCESS)Process, &ApcState);
    Status = MmUnmapView((ULONG64)BaseAddress);
    KeUnstackDetachProcess(&ApcState);
    ObDereferenceObject(Process);
    return Status;
}

OB_ZW(CreateSection,
      (PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
       PLARGE_INTEGER MaximumSize, ULONG SectionPageProtection, ULONG AllocationAttributes, HANDLE FileHandle),
      (SectionHandle, DesiredAccess, ObjectAttributes, MaximumSize, SectionPageProtection, AllocationAttributes,
       FileHandle))

OB_ZW(OpenSection, (PHANDLE SectionHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes),
      (SectionHandle, DesiredAccess, ObjectAttributes))

OB_ZW(MapViewOfSection,
      (HANDLE SectionHandle, HANDLE ProcessHandle, PVOID *BaseAddress, ULONG_PTR ZeroBits, SIZE_T CommitSize,
       PLARGE_INTEGER SectionOffset, PSIZE_T ViewSize, SECTION_INHERIT InheritDisposition, ULONG AllocationType,
       ULONG Win32Protect),
      (SectionHandle, ProcessHandle, BaseAddress, ZeroBits, CommitSize, SectionOffset, ViewSize, InheritDisposition,
       AllocationType, Win32Protect))

OB_ZW(UnmapViewOfSection, (HANDLE ProcessHandle, PVOID BaseAddress), (ProcessHandle, BaseAddress))

/* ---- views in system space ---- */

NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize);
/*
 * IRQL: <= APC_LEVEL.  The view has the section's protection; *ViewSize 0: all of it.  STATUS_INVALID_VIEW_SIZE;
 * STATUS_NO_MEMORY: no room in system space.  (Page "MmMapViewInSystemSpace".)
 */
NTSTATUS NTAPI MmMapViewInSystemSpace(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize)
{
    PIOP_SECTION Object = Section;
    MM_VIEW_REQUEST Request = {.Segment = Object->Segment,
                               .SectionSize = Object->Size,
                               .SectionProtect = Object->Protection,
                               .Protect = Object->Protection,
                               .Size = *ViewSize};
    NTSTATUS Status;

    PAGED_CODE();
    Status = MmMapSystemView(&Request);
    if (NT_SUCCESS(Status)) {
        *MappedBase = (PVOID)Request.Base;
        *ViewSize = Request.Size;
    }
    return Status;
}

NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID MappedBase);
/* IRQL: <= APC_LEVEL.  STATUS_NOT_MAPPED_VIEW: no view begins there.  (Page "MmUnmapViewInSystemSpace".) */
NTSTATUS NTAPI MmUnmapViewInSystemSpace(PVOID MappedBase)
{
    PAGED_CODE();
    return MmUnmapSystemView((ULONG64)MappedBase);
}
