/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * io's private declarations.
 *
 * Locks, outermost first:
 *   IopDriverLoadLock (ERESOURCE-like mutex)  loading and unloading of drivers
 *   IopFileSystemLock (mutex)                 the lists of file systems and of registration callbacks,
 * mounting IopDatabaseLock   (spin lock)             device lists, attachment, VPB contents, reference counts
 * of devices cancel spin lock                          cancel routines run under it; never taken inside
 * IopDatabaseLock ETHREAD.IrpListLock (spin lock)           the IRPs a thread has under way
 */
#ifndef FLTVM_IOP_H
#define FLTVM_IOP_H

#include <ntifs.h>
#include <trace.h>
#include <fltvm.h>
#include <rtl.h>
#include <ke.h>
#include <mm.h>
#include <ex.h>
#include <ob.h>
#include <ps.h>
#include <cm.h>
#include <io.h>
#include <ecp.h>

#define IOP_TAG_IRP    ' prI'
#define IOP_TAG_BUFFER 'fBoI'
#define IOP_TAG_NAME   'mNoI'
#define IOP_TAG_DEVICE 'DoI '
#define IOP_TAG_DRIVER 'rDoI'
#define IOP_TAG_VPB    ' bpV'
#define IOP_TAG_WORK   'iWoI'
#define IOP_TAG_TIMER  'iToI'
#define IOP_TAG_INTR   'nIoI'
#define IOP_TAG_LIST   'sLoI'
#define IOP_TAG_HEAD   'dHoI'
#define IOP_TAG_FILE   'lFoI'
#define IOP_TAG_ECP    'LEoI' /* fsrtl allocates the lists */

/* Nt and Io routines that the DDK's headers do not declare. */
NTSTATUS NTAPI NtFlushBuffersFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtFlushBuffersFileEx(HANDLE FileHandle, ULONG Flags, PVOID Parameters, ULONG ParametersSize,
                                    PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtCancelIoFile(HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtCancelIoFileEx(HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel, PIO_STATUS_BLOCK IoStatusBlock);
NTSTATUS NTAPI NtUnloadDriver(PUNICODE_STRING DriverServiceName);
NTSTATUS NTAPI IoRegisterFsRegistrationChangeEx(PDRIVER_OBJECT DriverObject,
                                                PDRIVER_FS_NOTIFICATION DriverNotificationRoutine);
PIRP NTAPI IoAllocateIrpEx(PDEVICE_OBJECT DeviceObject, CCHAR StackSize, BOOLEAN ChargeQuota);

/* ---- devices --------------------------------------------------------------------------------------------
 */

#define DOE_UNLOAD_PENDING   0x00000001
#define DOE_DELETE_PENDING   0x00000002
#define DOE_REMOVE_PENDING   0x00000004
#define DOE_REMOVE_PROCESSED 0x00000008
#define DOE_START_PENDING    0x00000010
#define DOE_SURPRISE_REMOVED 0x20000000 /* ours: it has been told, or will be */
#define DOE_SHUTDOWN_SENT    0x40000000 /* ours: a file system that has been told */

/* Windows's DEVOBJ_EXTENSION; the DDK shows its first three fields only. */
typedef struct _IOP_DEVICE_EXTENSION {
    CSHORT Type;
    USHORT Size;
    PDEVICE_OBJECT DeviceObject;
    ULONG PowerFlags;
    PVOID Dope;
    ULONG ExtensionFlags; /* DOE_*; IopDatabaseLock */
    PVOID DeviceNode;
    PDEVICE_OBJECT AttachedTo; /* IopDatabaseLock */
    LONG StartIoCount;
    LONG StartIoKey;
    ULONG StartIoFlags;
    PVPB Vpb;
    PDEVICE_OBJECT MountedOn; /* a volume's disk, referenced until the volume's device goes; Windows's DependencyNode */
    PVOID InterruptContext;
    LONG InterruptCount;
    PVOID VerifierContext;
} IOP_DEVICE_EXTENSION, *PIOP_DEVICE_EXTENSION;

C_ASSERT(FIELD_OFFSET(IOP_DEVICE_EXTENSION, AttachedTo) == 0x30);
C_ASSERT(sizeof(IOP_DEVICE_EXTENSION) == 0x70);

#define IopDevExt(DeviceObject) ((PIOP_DEVICE_EXTENSION)(DeviceObject)->DeviceObjectExtension)

extern KSPIN_LOCK IopDatabaseLock;
extern BOOLEAN IopVerifierOn; /* read once at start-up */

/* ---- drivers --------------------------------------------------------------------------------------------
 */

typedef struct _IO_CLIENT_EXTENSION {
    struct _IO_CLIENT_EXTENSION *NextExtension;
    PVOID ClientIdentificationAddress;
} IO_CLIENT_EXTENSION, *PIO_CLIENT_EXTENSION;

/* What follows DRIVER_OBJECT in its object body; the DDK shows the first four fields. */
typedef struct _IOP_DRIVER_EXTENSION {
    DRIVER_EXTENSION Public;
    PIO_CLIENT_EXTENSION ClientDriverExtension; /* IopDatabaseLock */
    PFS_FILTER_CALLBACKS FsFilterCallbacks;
    WORK_QUEUE_ITEM UnloadItem; /* for an unload that had to wait */
    BOOLEAN UnloadRequested;    /* NtUnloadDriver was called; IopDatabaseLock */
} IOP_DRIVER_EXTENSION, *PIOP_DRIVER_EXTENSION;

#define IopDrvExt(DriverObject) ((PIOP_DRIVER_EXTENSION)(DriverObject)->DriverExtension)

VOID IopInitializeDrivers(VOID);
NTSTATUS IopCreateDriverObject(PUNICODE_STRING Name, PDRIVER_OBJECT *DriverObject);
VOID IopDeleteDriver(PVOID Object);
VOID IopCheckDriverUnload(PDRIVER_OBJECT DriverObject);
/* PASSIVE_LEVEL: Prefix, Name and Suffix, terminated, in pool (IOP_TAG_NAME) that is the caller's. */
NTSTATUS IopConcatenate(PUNICODE_STRING Target, PCWSTR Prefix, PUNICODE_STRING Name, PCWSTR Suffix);
/* PASSIVE_LEVEL.  In pool (IOP_TAG_NAME) that is the caller's, or NULL. */
PKEY_VALUE_PARTIAL_INFORMATION IopReadServiceValue(PUNICODE_STRING RegistryPath, PCWSTR ValueName);
PCUNICODE_STRING IopImageName(PDRIVER_OBJECT DriverObject); /* of one that has an image */
/* unload.c: what stands behind the last separator of a service key's path; nothing is copied. */
BOOLEAN IopIsUnloading(PUNICODE_STRING ServiceName);
VOID IopServiceOfPath(PCUNICODE_STRING Path, PUNICODE_STRING Service);
/* left.c */
VOID IopCheckLeft(PDRIVER_OBJECT DriverObject);
VOID IopInitializeLinks(VOID);
VOID IopNoteLink(PUNICODE_STRING Name, const VOID *Maker);
VOID IopForgetLink(PUNICODE_STRING Name);
PVOID IopFindFsCallback(PDRIVER_OBJECT DriverObject);        /* filesys.c: a routine that is registered, or NULL */
PVOID IopFindPnpNotification(PDRIVER_OBJECT DriverObject);   /* pnpnotify.c: likewise */
PDEVICE_OBJECT IopFindShutdown(PDRIVER_OBJECT DriverObject); /* shutdown.c: a device of it that is to be told */
VOID IopStartDevicesOf(PDRIVER_OBJECT DriverObject, PUNICODE_STRING ServiceName);

/* ---- device references (device.c) ------------------------------------------------------------------------
 */

VOID IopDeleteTimer(PDEVICE_OBJECT DeviceObject);
VOID IopDeleteDevice(PVOID Object);
VOID IopDereferenceDevice(PDEVICE_OBJECT DeviceObject);
NTSTATUS IopReferenceDeviceForOpen(PDEVICE_OBJECT DeviceObject);
PDEVICE_OBJECT IopTopDeviceLocked(PDEVICE_OBJECT DeviceObject);

/* ---- volumes (volume.c, filesys.c) -----------------------------------------------------------------------
 */

PVPB IopCreateVpb(PDEVICE_OBJECT RealDevice);
NTSTATUS IopReferenceMountedVpb(PDEVICE_OBJECT RealDevice, BOOLEAN AllowRaw, PVPB *Vpb);
VOID IopDereferenceVpb(PVPB Vpb);
VOID IopInitializeFileSystems(VOID);
VOID IopLockFileSystems(VOID);
VOID IopUnlockFileSystems(VOID);
typedef BOOLEAN (*IOP_FILE_SYSTEM_VISITOR)(PDEVICE_OBJECT FsDevice, PVOID Context);
BOOLEAN IopVisitFileSystemsLocked(DEVICE_TYPE DeviceType, BOOLEAN WithRaw, IOP_FILE_SYSTEM_VISITOR Visitor,
                                  PVOID Context);
VOID IopShutdownFileSystems(VOID);
VOID IopSendShutdown(PDEVICE_OBJECT DeviceObject);

/* ---- IRPs ------------------------------------------------------------------------------------------------
 */

ULONG IopVerifyCalling(PIRP Irp, PIO_STACK_LOCATION Stack, PDRIVER_DISPATCH Routine, const VOID *Caller);
VOID IopVerifyReturned(ULONG Number, NTSTATUS Status);
VOID IopVerifyLocationDone(PIRP Irp, PIO_STACK_LOCATION Stack);
VOID IopInitializeIrps(VOID);
/* mdl.c, <= APC_LEVEL: Irp->MdlAddress describes the buffer, locked, or is NULL and the status says why. */
NTSTATUS IopLockBuffer(PIRP Irp, PVOID Buffer, ULONG Length, KPROCESSOR_MODE Mode, LOCK_OPERATION Operation);
/* output.c: what the verifier says of IoStatus.Information; the caller's buffer's size, before the way up and after it;
 * and the copying, bounded by it. */
VOID IopVerifyInformation(PIRP Irp, PVOID Caller);
ULONG IopOutputLimit(PIRP Irp);
VOID IopKeepOutputLimit(PIRP Irp, ULONG Limit);
VOID IopCopyOut(PIRP Irp);
VOID IopQueueThreadIrp(PIRP Irp);
VOID IopDequeueThreadIrp(PIRP Irp);
VOID IopCompleteInThread(PIRP Irp, PFILE_OBJECT FileObject);

/*
 * completionport.c.  A file's port, for good: STATUS_INVALID_PARAMETER for a synchronous file, or one that has a port.
 * TRUE: the port has the packet, which the caller must not touch any more (<= DISPATCH_LEVEL).  Of a request that needed no packet.
 */
typedef struct _FILE_IO_COMPLETION_INFORMATION {
    PVOID KeyContext;
    PVOID ApcContext;
    IO_STATUS_BLOCK IoStatusBlock;
} FILE_IO_COMPLETION_INFORMATION, *PFILE_IO_COMPLETION_INFORMATION;
NTSTATUS IopInitializePorts(VOID);
NTSTATUS IopSetPort(PFILE_OBJECT FileObject, HANDLE PortHandle, PVOID Key);
VOID IopReleasePort(PFILE_OBJECT FileObject);
BOOLEAN IopTellPort(PIRP Irp, PFILE_OBJECT FileObject);
VOID IopTellPortOfFast(PFILE_OBJECT FileObject, PVOID ApcContext, const IO_STATUS_BLOCK *Result);
NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE PortHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                                    ULONG Threads);
NTSTATUS NTAPI NtSetIoCompletion(HANDLE PortHandle, PVOID Key, PVOID ApcContext, NTSTATUS IoStatus, ULONG_PTR Bytes);
NTSTATUS NTAPI NtQueryIoCompletion(HANDLE PortHandle, ULONG Class, PVOID Buffer, ULONG Length, PULONG ReturnLength);
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE PortHandle, PVOID *Key, PVOID *ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
                                    PLARGE_INTEGER Timeout);
NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE PortHandle, PFILE_IO_COMPLETION_INFORMATION Packets, ULONG Count,
                                      PULONG Removed, PLARGE_INTEGER Timeout, BOOLEAN Alertable);

VOID IopReleaseIrpResources(PIRP Irp);
VOID IopCancelThreadIrps(PETHREAD Thread);
ULONG IopCancelFileIrps(PETHREAD Thread, PFILE_OBJECT FileObject, PIO_STATUS_BLOCK Iosb);
VOID IopInitializeCancel(VOID);
VOID IopInitializeMdls(VOID);

/* ---- files -----------------------------------------------------------------------------------------------
 */

#define IOP_OPEN_PACKET_CHECK 0xBEAA0251

typedef struct _IOP_OPEN_PACKET {
    CSHORT Type; /* IO_TYPE_OPEN_PACKET */
    CSHORT Size;
    PFILE_OBJECT FileObject;
    NTSTATUS FinalStatus;
    ULONG_PTR Information;
    ULONG ParseCheck; /* IOP_OPEN_PACKET_CHECK once the parse procedure made a file object */
    PFILE_OBJECT RelatedFileObject;
    LARGE_INTEGER AllocationSize;
    ULONG CreateOptions;
    USHORT FileAttributes;
    USHORT ShareAccess;
    PVOID EaBuffer;
    ULONG EaLength;
    ULONG Options;
    ULONG Disposition;
    CREATE_FILE_TYPE CreateFileType;
    PVOID ExtraCreateParameters;
    PDEVICE_OBJECT DeviceObjectHint;
    PECP_LIST EcpList;
    BOOLEAN CallersEcps;   /* it was there from the start: the caller's */
    BOOLEAN IgnoreSharing; /* IO_IGNORE_SHARE_ACCESS_CHECK */
    PTXN_PARAMETER_BLOCK TxnParameters;
    ACCESS_MASK DesiredAccess;
    ULONG Reparses; /* points that were followed */
    /* queryopen.c: what is wanted is not the file; NULL: it is. */
    PFILE_NETWORK_OPEN_INFORMATION Query;
    BOOLEAN QueryDone; /* it was told without an open, with QueryStatus; no object comes of the parse */
    NTSTATUS QueryStatus;
} IOP_OPEN_PACKET, *PIOP_OPEN_PACKET;

/* oplockkey.c: as it is told today, and as Windows 7 told it */
typedef struct _IOP_OPLOCK_KEY {
    OPLOCK_KEY_CONTEXT Key;
    OPLOCK_KEY_ECP_CONTEXT Target;
} IOP_OPLOCK_KEY, *PIOP_OPLOCK_KEY;

/* What an open's request writes: the caller's block, and with STATUS_REPARSE a reparse point's data, in pool, or NULL. */
typedef struct _IOP_CREATE_RESULT {
    IO_STATUS_BLOCK IoStatus;
    PREPARSE_DATA_BUFFER ReparseData;
} IOP_CREATE_RESULT, *PIOP_CREATE_RESULT;

/* ea.c: those of an open, into the packet. */
NTSTATUS IopCaptureEa(PIOP_OPEN_PACKET Packet, PVOID EaBuffer, ULONG EaLength);
/* queryopen.c: sets QueryDone where the call did it.  Irp: that of the open, which is not completed.  PASSIVE_LEVEL. */
VOID IopTryQueryOpen(PIOP_OPEN_PACKET Packet, PFILE_OBJECT Opening, PDEVICE_OBJECT Target, PIRP Irp);
/* fastio.c: the routine at Offset of the driver's table; NULL: it has none. */
PVOID IopFastRoutine(PDEVICE_OBJECT DeviceObject, ULONG Offset);
/* reparse.c */
NTSTATUS IopFollowReparsePoint(PIOP_OPEN_PACKET Packet, PFILE_OBJECT FileObject, PREPARSE_DATA_BUFFER Data,
                               PUNICODE_STRING CompleteName);

/* FILE_OBJECT.FileObjectExtension, made when first needed. */
typedef struct _IOP_FILE_EXTENSION {
    PDEVICE_OBJECT DeviceObjectHint; /* the file was opened below what is attached above this */
    PTXN_PARAMETER_BLOCK TxnParameters;
    PIO_FILE_CONTEXTS FilterContexts;
    PECP_LIST EcpList; /* while IRP_MJ_CREATE is under way */
    PIOP_OPLOCK_KEY OplockKey;
    BOOLEAN IgnoreSharing;
    UCHAR IoPriority; /* the hint plus one, or 0 */
} IOP_FILE_EXTENSION, *PIOP_FILE_EXTENSION;

NTSTATUS IopParseDevice(PVOID ParseObject, PVOID ObjectType, PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode,
                        ULONG Attributes, PUNICODE_STRING CompleteName, PUNICODE_STRING RemainingName, PVOID Context,
                        PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object);
NTSTATUS IopParseFile(PVOID ParseObject, PVOID ObjectType, PACCESS_STATE AccessState, KPROCESSOR_MODE AccessMode,
                      ULONG Attributes, PUNICODE_STRING CompleteName, PUNICODE_STRING RemainingName, PVOID Context,
                      PSECURITY_QUALITY_OF_SERVICE SecurityQos, PVOID *Object);
/* section.c */
NTSTATUS IopInitializeSections(VOID);
struct _MM_SEGMENT;
ACCESS_MASK IopFileAccessOfSection(ULONG Protection);
NTSTATUS IopOpenFileSection(PFILE_OBJECT FileObject, PULONG64 Size, ULONG Protection, struct _MM_SEGMENT **Segment);
/* imagesection.c */
NTSTATUS IopOpenImageSection(PFILE_OBJECT FileObject, PULONG64 Size, ULONG Protection, struct _MM_SEGMENT **Segment);
VOID IopNotifyImage(PFILE_OBJECT FileObject, PEPROCESS Process, ULONG64 Base, ULONG64 Size);
/* driver.c */
struct _MM_IMAGE;
NTSTATUS IopDescribeImage(const VOID *Bytes, SIZE_T Length, ULONG64 FileSize, struct _MM_IMAGE **Image);
/* paging.c */
NTSTATUS IopReadPages(PFILE_OBJECT FileObject, PMDL Mdl, PLARGE_INTEGER Offset, PULONG_PTR Bytes);
extern struct _MM_FILE_ROUTINES IopFileRoutines;

/* fsfilter.c: for the writer of what views have changed. */
BOOLEAN IopAcquireForWriter(PFILE_OBJECT FileObject, ULONG64 End, PVOID *Context);
VOID IopReleaseFromWriter(PFILE_OBJECT FileObject, PVOID Context);
/* transaction.c */
NTSTATUS IopInitializeTransactions(VOID);
/* access.c */
NTSTATUS IopCopyDeviceSecurity(PVOID Object, PSECURITY_DESCRIPTOR *Copy);
NTSTATUS IopReplaceDeviceSecurity(PVOID Object, PSECURITY_DESCRIPTOR New);
NTSTATUS IopCheckDeviceAccess(PDEVICE_OBJECT DeviceObject, PACCESS_STATE AccessState, BOOLEAN WithName,
                              PACCESS_MASK Access);
VOID IopCloseFile(PEPROCESS Process, PVOID Object, ULONG_PTR ProcessHandleCount, ULONG_PTR SystemHandleCount);
VOID IopDeleteFile(PVOID Object);
NTSTATUS IopQueryFileName(PVOID Object, BOOLEAN HasName, POBJECT_NAME_INFORMATION Information, ULONG Length,
                          PULONG ReturnLength, KPROCESSOR_MODE Mode);
PIOP_FILE_EXTENSION IopGetFileExtension(PFILE_OBJECT FileObject, BOOLEAN Create);
/* ecp.c: around an open, in the packet of which is the list. */
VOID IopBeginEcps(PIOP_OPEN_PACKET Packet);
VOID IopEndEcps(PIOP_OPEN_PACKET Packet);

NTSTATUS IopAcquireFileLock(PFILE_OBJECT FileObject, KPROCESSOR_MODE Mode);
VOID IopReleaseFileLock(PFILE_OBJECT FileObject);

#define IopIsSynchronous(FileObject) (((FileObject)->Flags & FO_SYNCHRONOUS_IO) != 0)

/* One request that a Zw/Nt routine makes: what is common to all of them (request.c). */
typedef struct _IOP_REQUEST {
    PFILE_OBJECT FileObject; /* referenced */
    PDEVICE_OBJECT DeviceObject;
    PKEVENT Event; /* the caller's, referenced, or NULL */
    KPROCESSOR_MODE Mode;
    BOOLEAN Synchronous; /* the file object's lock is held */
    PIRP Irp;
    PIO_STACK_LOCATION Stack;
} IOP_REQUEST, *PIOP_REQUEST;

NTSTATUS IopBeginRequest(PIOP_REQUEST Request, HANDLE FileHandle, ACCESS_MASK Access, HANDLE EventHandle,
                         PIO_APC_ROUTINE ApcRoutine, PACCESS_MASK GrantedAccess);
NTSTATUS IopAllocateRequestIrp(PIOP_REQUEST Request, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                               PIO_STATUS_BLOCK IoStatusBlock, UCHAR MajorFunction);
VOID IopAbandonRequest(PIOP_REQUEST Request);
NTSTATUS IopIssueRequest(PIOP_REQUEST Request);
NTSTATUS IopPrepareTransferBuffer(PIRP Irp, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                  LOCK_OPERATION Operation, KPROCESSOR_MODE Mode);

/*
 * One that is waited for, also on an asynchronous file object (synchronous.c).  After IopBeginRequest, IopStartSynchronous makes
 * the packet; what it needs is set up in Stack by the caller, then IopRunSynchronous tells the caller's block.
 */
typedef struct _IOP_SYNCHRONOUS {
    IOP_REQUEST Request;
    KEVENT Event;
    IO_STATUS_BLOCK IoStatus;
} IOP_SYNCHRONOUS, *PIOP_SYNCHRONOUS;
NTSTATUS IopStartSynchronous(PIOP_SYNCHRONOUS Call, UCHAR MajorFunction);
NTSTATUS IopRunSynchronous(PIOP_SYNCHRONOUS Call, PIO_STATUS_BLOCK IoStatusBlock);

/*
 * Whether user mode may pass these, when it is the caller: what is not there, or the kernel's, is no argument.  And its status
 * block, told; the status, or what came of telling.  PASSIVE_LEVEL.
 */
NTSTATUS IopProbeUser(PIO_STATUS_BLOCK IoStatusBlock, const VOID *Input, ULONG InputLength, PVOID Output,
                      ULONG OutputLength);
NTSTATUS IopTellUser(PIO_STATUS_BLOCK IoStatusBlock, NTSTATUS Status, ULONG_PTR Information);

/* capture.c: an open's arguments as user mode gives them. */
typedef struct _IOP_USER_OPEN {
    PHANDLE FileHandle;
    ACCESS_MASK DesiredAccess;
    POBJECT_ATTRIBUTES ObjectAttributes;
    PIO_STATUS_BLOCK IoStatusBlock;
    PLARGE_INTEGER AllocationSize;
    ULONG FileAttributes, ShareAccess, Disposition, CreateOptions;
    PVOID EaBuffer;
    ULONG EaLength;
} IOP_USER_OPEN;
NTSTATUS IopOpenForUser(const IOP_USER_OPEN *Open);

/* fastio.c: FALSE, it was not done.  PASSIVE_LEVEL, APC_LEVEL. */
BOOLEAN IopTryFastQuery(PIOP_REQUEST Request, PVOID Buffer, FILE_INFORMATION_CLASS Class, PIO_STATUS_BLOCK Result);
/* query.c: for who may be inside of a request that holds the lock of the file object. */
NTSTATUS IopSetUnlocked(PFILE_OBJECT FileObject, FILE_INFORMATION_CLASS Class, ULONG Length, PVOID Buffer);
/* rename.c */
BOOLEAN IopIsNaming(FILE_INFORMATION_CLASS Class);
NTSTATUS IopOpenNewParent(PIOP_REQUEST Request, ULONG Length, PHANDLE Handle);

/* ---- buses -----------------------------------------------------------------------------------------------
 */

#define IOP_PCI_BARS     6
#define IOP_PCI_MESSAGES 16

typedef struct _IOP_PCI_MESSAGE {
    ULONG Vector;
    ULONG Number; /* processor */
    KIRQL Irql;
    PKINTERRUPT Interrupt; /* while connected */
} IOP_PCI_MESSAGE, *PIOP_PCI_MESSAGE;

/* The device extension of a PCI function's physical device object. */
typedef struct _IOP_PCI_DEVICE {
    PDEVICE_OBJECT Pdo;
    LIST_ENTRY Entry; /* IopPciDevices; never changes after start-up */
    UCHAR Bus, Device, Function;
    UCHAR MsiXCapability; /* offset in configuration space, 0 for none */
    USHORT VendorId, DeviceId;
    USHORT ClassCode; /* class, subclass */
    UCHAR Revision;
    BOOLEAN Started;
    PDRIVER_OBJECT Driver; /* whose AddDevice took it; driver load lock */
    struct {
        ULONG64 Base;
        ULONG64 Size; /* 0: not there, or an I/O range */
    } Bar[IOP_PCI_BARS];
    ULONG Messages;
    volatile ULONG *MessageTable; /* mapped MSI-X table */
    IOP_PCI_MESSAGE Message[IOP_PCI_MESSAGES];
    PVOID Connection; /* IO_INTERRUPT_MESSAGE_INFO while connected by message */
} IOP_PCI_DEVICE, *PIOP_PCI_DEVICE;

extern LIST_ENTRY IopPciDevices;

NTSTATUS IopInitializePci(VOID);
PIOP_PCI_DEVICE IopPciFromPdo(PDEVICE_OBJECT Pdo);
VOID IopPciMaskMessage(PIOP_PCI_DEVICE Device, ULONG Index, BOOLEAN Mask);
VOID IopInitializePnp(VOID);
VOID IopRemoveDevicesOf(PDRIVER_OBJECT DriverObject);
/* PASSIVE_LEVEL.  What the stack answers to IRP_MN_QUERY_DEVICE_RELATIONS: pool, and references, that are the caller's. */
NTSTATUS IopSendPnp(PDEVICE_OBJECT Pdo, UCHAR MinorFunction, PCM_RESOURCE_LIST *Start, PULONG_PTR Information);
NTSTATUS IopQueryRelations(PDEVICE_OBJECT Pdo, DEVICE_RELATION_TYPE Type, PDEVICE_RELATIONS *Relations);

/* pdo.c */
#define IOP_INSTANCE_LENGTH 96 /* characters of an instance's name, or of a physical device object's */

NTSTATUS IopInitializeRootBus(VOID);
BOOLEAN IopIsPdo(PDEVICE_OBJECT Device);
NTSTATUS IopInstanceName(PDEVICE_OBJECT Pdo, WCHAR Separator, PUNICODE_STRING Name);
NTSTATUS IopPdoName(PDEVICE_OBJECT Pdo, PUNICODE_STRING Name);

/* interface.c, pnpnotify.c; PASSIVE_LEVEL */
typedef BOOLEAN (*IOP_INTERFACE_VISITOR)(const GUID *Class, PUNICODE_STRING Link, PVOID Context);

VOID IopInitializeInterfaces(VOID);
VOID IopVisitInterfaces(const GUID *Class, IOP_INTERFACE_VISITOR Visitor, PVOID Context);
VOID IopDisableInterfaces(PDEVICE_OBJECT Pdo);
VOID IopInitializePnpNotification(VOID);
VOID IopTellOfInterface(const GUID *Class, PCUNICODE_STRING Link, BOOLEAN Arrival);
VOID IopTellOfRemoval(PDEVICE_OBJECT Device);

/* removal.c.  With IopDatabaseLock: a device has no file any more. */
VOID IopDeviceUnusedLocked(VOID);

/* pnp.c.  PASSIVE_LEVEL. */
VOID IopForgetDriverOf(PDEVICE_OBJECT Pdo);

#endif
