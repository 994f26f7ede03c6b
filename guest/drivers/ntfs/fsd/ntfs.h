/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ntfs: the NTFS file system, a file-system driver of Windows's kind over libntfs-3g.
 *
 * What is a volume's metadata goes through the library (glue/library.h); the requests, the control blocks and all that a filter sees
 * are this folder's.  A major function a file.
 *
 * Locks, in order:
 *  - a stream's Resource: who reads and writes it by the cache shares it, who changes its size has it alone;
 *  - its PagingIoResource, the same for paging transfers;
 *  - the library's lock (NtfsLockLibrary, one for all volumes) guards the library and every field of the structures here that is not said to
 *    be another's.  The cache is not called under it: it may wait for a transfer that needs it;
 *  - a stream's RunsResource: shared while something is sent, and a write waited for, by the run list; alone while that changes.
 */
#ifndef FLTVM_NTFS_H
#define FLTVM_NTFS_H

#include <ntifs.h>
#include <ntdddisk.h>
#include <ntddvol.h>
#include <request.h>
#include <vpb.h>
#include "../glue/library.h"

#define NTFS_TAG_VOLUME 'VftN'
#define NTFS_TAG_VPB    ' bpV'
#define NTFS_TAG_FILE   'FftN'
#define NTFS_TAG_HANDLE 'HftN'

/* The volume itself, opened by its device's name: one stream, of its sectors. */
typedef struct _NTFS_VOLUME_STREAM {
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX HeaderMutex;
} NTFS_VOLUME_STREAM, *PNTFS_VOLUME_STREAM;

/* A file or directory that is open: one for all its streams and names.  It goes with the last of its streams. */
typedef struct _NTFS_FILE {
    LIST_ENTRY Link; /* of the volume's Files[] */
    LIST_ENTRY Streams;
    LIST_ENTRY Links; /* NTFS_LINK: of its names those by which it is open */
    struct _NTFS_VOLUME *Volume;
    ULONG64 Id;
    BOOLEAN IsDirectory;
    BOOLEAN IsGone; /* from the disk: file objects are all that is left of it */
    PVOID Contexts; /* per-file contexts: FsRtl's */
} NTFS_FILE, *PNTFS_FILE;

/* A name by which a file is open.  It goes with the last file object that was opened by it. */
typedef struct _NTFS_LINK {
    LIST_ENTRY Entry; /* of the file's Links */
    ULONG References; /* file objects */
    ULONG Handles;    /* of them those that have handles */
    ULONG64 Parent;
    UNICODE_STRING Path;   /* from the root, as on the disk; in pool of its own */
    UNICODE_STRING Fresh;  /* what Path will be, while a rename is under way */
    BOOLEAN DeletePending; /* it goes with the last handle */
    BOOLEAN IsGone;        /* it is no name of the file any more */
} NTFS_LINK, *PNTFS_LINK;

/*
 * A stream that is open, FsContext of its file objects.  The header comes first, with its resources, for FsRtl and filters.  It goes with the last file object.
 */
typedef struct _NTFS_STREAM {
    FSRTL_ADVANCED_FCB_HEADER Header;
    FAST_MUTEX HeaderMutex;
    ERESOURCE Resource, PagingIoResource;
    SECTION_OBJECT_POINTERS Sections;
    FILE_LOCK Locks; /* FsRtl's */
    LIST_ENTRY Link; /* of the file's Streams */
    PNTFS_FILE File;
    ULONG FlushPass;          /* the last that has seen it */
    ULONG References;         /* file objects */
    ULONG Handles;            /* of them those that have handles */
    SHARE_ACCESS ShareAccess; /* of these */
    BOOLEAN DeletePending;    /* a named one: it goes with the last handle */
    BOOLEAN IsGone;           /* a new one may have its name */
    BOOLEAN IsChanged;        /* written to, and nobody was told yet */
    LONG WritingThrough;      /* requests that wait until their bytes are on the medium; interlocked */
    ERESOURCE RunsResource;   /* what follows, and the sizes of the header */
    BOOLEAN Mapped;           /* the bytes are in clusters as they are */
    BOOLEAN RunsKnown;        /* Runs holds them */
    BOOLEAN Deleted;          /* the file is gone from the disk */
    LONGLONG ValidToDisk;     /* behind it the disk has nothing: zeros; the header's is the cache's */
    LARGE_MCB Runs;           /* clusters */
    UNICODE_STRING Name;      /* empty: the unnamed one; its characters are behind the structure */
} NTFS_STREAM, *PNTFS_STREAM;

/* What a query of a directory goes through: the names as they were when it began. */
typedef struct _NTFS_LISTING {
    PUCHAR Entries;
    ULONG Used, Size;       /* bytes */
    ULONG Next;             /* where the next query begins */
    UNICODE_STRING Pattern; /* in upper case; empty: all */
    BOOLEAN Told;           /* an entry was given */
} NTFS_LISTING, *PNTFS_LISTING;

/* One file object of a file, FsContext2; the volume's own have none. */
typedef struct _NTFS_HANDLE {
    PNTFS_LINK Link;
    NTFS_LISTING Listing;
    ULONG NextEa;       /* extended attributes told so far */
    ACCESS_MASK Access; /* granted when it was opened */
    BOOLEAN DeleteOnClose;
    BOOLEAN PosixDelete; /* with it the name goes at once, whoever has the file open */
    BOOLEAN MayRestore;  /* opened so, and with the privilege */
    BOOLEAN MayBackup;   /* the same */
    BOOLEAN KeepWritten; /* the time of the last write was set by hand */
} NTFS_HANDLE, *PNTFS_HANDLE;

#define NTFS_FILE_BUCKETS 64

typedef struct _NTFS_VOLUME {
    BOOLEAN IsVolume;      /* FALSE in the control device's extension, which ends here */
    PDEVICE_OBJECT Device; /* our own */
    PDEVICE_OBJECT Target; /* where the sectors are */
    PVPB Vpb;
    LIST_ENTRY Link; /* of NtfsVolumes */

    NTFS_LIBRARY_VOLUME *Library; /* NULL once dismounted */
    NTFS_SECTORS Sectors;
    NTFS_VOLUME_FACTS Facts;

    SHARE_ACCESS ShareAccess; /* of those who have the volume itself open */
    ULONG OpenCount;          /* file objects, of the volume and of its files */
    ULONG FileCount;          /* of them those of files */
    PNTFS_VOLUME_STREAM Stream;
    ULONG FlushPass;
    LIST_ENTRY Files[NTFS_FILE_BUCKETS]; /* NTFS_FILE, by record number */
    TUNNEL Tunnel;                       /* FsRtl's, by directory */
    PNOTIFY_SYNC NotifySync;             /* who waits for changes: FsRtl's, as the list */
    LIST_ENTRY Watches;
    PFILE_OBJECT LockHolder; /* FSCTL_LOCK_VOLUME */
    BOOLEAN RemovalPending;  /* it is locked, until it is removed or stays */
    PVPB NextVpb;            /* which the real device gets with the dismount */
    WORK_QUEUE_ITEM Forget;
    NTSTATUS LostBy;  /* what is open fails with, once dismounted */
    BOOLEAN OwesLook; /* the library has looked at the medium, and filters have not heard of it */
    BOOLEAN Dismounted;
    BOOLEAN Deleted;
} NTFS_VOLUME, *PNTFS_VOLUME;

/* ntfs.c */
extern LIST_ENTRY NtfsVolumes;
VOID NtfsLockLibrary(VOID);
/* For what ends something, and is not refused for want of memory. */
VOID NtfsLockLibraryToEnd(VOID);
VOID NtfsUnlockLibrary(VOID);
BOOLEAN NtfsHoldsLibrary(VOID); /* this thread does */

/* sectors.c.  PASSIVE_LEVEL: the library's transfers.  Flags: SL_WRITE_THROUGH of a write, SL_OVERRIDE_VERIFY_VOLUME. */
NTSTATUS NtfsSendSectors(PDEVICE_OBJECT Target, UCHAR MajorFunction, UCHAR Flags, LONGLONG Offset, PMDL Mdl,
                         ULONG Length);
NTSTATUS NtfsTransferSectors(NTFS_SECTORS *Sectors, BOOLEAN Write, LONGLONG Offset, PVOID Buffer, ULONG Length);
NTSTATUS NtfsInitializeSectors(NTFS_SECTORS *Sectors, PDEVICE_OBJECT Target);
VOID NtfsDeleteSectors(NTFS_SECTORS *Sectors);

/* mount.c.  NtfsDismountLocked: the volume's metadata are written, and it is clean; it may be called again. */
NTSTATUS NtfsMount(PDEVICE_OBJECT ControlDevice, PIO_STACK_LOCATION Stack);
NTSTATUS NtfsDismountLocked(PNTFS_VOLUME Volume);
/* Then: the real device is free for the next mount, and all that is open fails.  Once. */
VOID NtfsLeaveVpbLocked(PNTFS_VOLUME Volume);
/* Without the lock.  OwnReferences: how many of the VPB's the caller itself accounts for. */
VOID NtfsDeleteVolumeIfUnused(PNTFS_VOLUME Volume, ULONG OwnReferences);

/* file.c: control blocks.  With the lock, but NtfsFreeStream, which calls filters back. */
NTSTATUS NtfsReferenceStreamLocked(PNTFS_VOLUME Volume, const NTFS_FILE_FACTS *Facts, PCUNICODE_STRING Name,
                                   PNTFS_STREAM *Stream);
PNTFS_STREAM NtfsDereferenceStreamLocked(PNTFS_STREAM Stream);
VOID NtfsFreeStream(PNTFS_STREAM Stream);
/* The run list may have changed: it is read anew by the next who wants it.  RunsResource is held, alone. */
VOID NtfsTakeSizesLocked(PNTFS_STREAM Stream, const NTFS_STREAM_FACTS *Facts);
/* A named one's new name. */
NTSTATUS NtfsRenameStreamLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PCUNICODE_STRING Name);
NTSTATUS NtfsSetSizeLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, LONGLONG Size);
PNTFS_FILE NtfsFindFileLocked(PNTFS_VOLUME Volume, ULONG64 Id);
PNTFS_STREAM NtfsFindStreamLocked(PNTFS_FILE File, PCUNICODE_STRING Name);
VOID NtfsFreeHandle(PNTFS_HANDLE Handle);

/* link.c: the names of open files, with the lock.  Rename: Prepare…, then the change, then either of the others. */
UNICODE_STRING NtfsLinkName(PNTFS_LINK Link);
NTSTATUS NtfsReferenceLinkLocked(PNTFS_FILE File, ULONG64 Parent, PCUNICODE_STRING Path, PNTFS_LINK *Link);
VOID NtfsDereferenceLinkLocked(PNTFS_LINK Link);
PNTFS_LINK NtfsFindLinkLocked(PNTFS_FILE File, ULONG64 Parent, PCUNICODE_STRING Name);
BOOLEAN NtfsIsOpenBelowLocked(PNTFS_VOLUME Volume, PCUNICODE_STRING Directory);
NTSTATUS NtfsPrepareRenameLocked(PNTFS_VOLUME Volume, PNTFS_LINK Link, PCUNICODE_STRING Path);
VOID NtfsCommitRenameLocked(PNTFS_VOLUME Volume, PNTFS_LINK Link, ULONG64 Parent);
VOID NtfsForgetRenameLocked(PNTFS_VOLUME Volume);

/* Whether the file object is one of a file; its stream. */
static inline PNTFS_STREAM NtfsStreamOf(PFILE_OBJECT FileObject)
{
    return FileObject != NULL && FileObject->FsContext2 != NULL ? FileObject->FsContext : NULL;
}

static inline BOOLEAN NtfsIsDirectoryItself(PNTFS_STREAM Stream)
{
    return Stream->File->IsDirectory && Stream->Name.Length == 0;
}

/* name.c: from a name to a file */
typedef struct _NTFS_TARGET {
    ULONG64 Id, Parent;
    PWCH Buffer;             /* room for the longest path; NtfsFreeTarget frees it */
    UNICODE_STRING Path;     /* in Buffer: from the root, as on the disk, without the stream */
    UNICODE_STRING Stream;   /* in the name that was asked for */
    BOOLEAN DirectoryWanted; /* a backslash at the end */
    UNICODE_STRING Missing;  /* that, in the name that was asked for; Id is its directory's */
    BOOLEAN LastIsMissing;   /* all but the last component is there */
    PACCESS_STATE Traverser; /* who has to be let through directories, or NULL */
    const WCHAR *End;        /* of the name that was asked for */
    USHORT Unparsed;         /* with STATUS_REPARSE: what of the name is behind Id, in bytes */
} NTFS_TARGET, *PNTFS_TARGET;

/* STATUS_REPARSE: Id is a reparse point on the way. */
NTSTATUS NtfsFindTargetLocked(PNTFS_VOLUME Volume, PIRP Irp, PNTFS_TARGET Target);
NTSTATUS NtfsPathOfIdLocked(PNTFS_VOLUME Volume, ULONG64 Id, PNTFS_TARGET Target);
VOID NtfsFreeTarget(PNTFS_TARGET Target);

/* Path, one component longer. */
NTSTATUS NtfsAppendComponent(PNTFS_TARGET Target, const WCHAR *Name, ULONG Characters);
/* One component further.  STATUS_OBJECT_NAME_NOT_FOUND: it is not there. */
NTSTATUS NtfsStepLocked(PNTFS_VOLUME Volume, PNTFS_TARGET Target, const WCHAR *Name, ULONG Characters);
NTSTATUS NtfsBeginTarget(PNTFS_TARGET Target);
BOOLEAN NtfsIsLegalName(const WCHAR *Name, ULONG Characters);
BOOLEAN NtfsIsLegalStream(const WCHAR *Name, ULONG Characters);

/* A request of IRP_MJ_SET_INFORMATION under way; Buffer has the class's size at least. */
typedef struct _NTFS_SETTING {
    PNTFS_VOLUME Volume;
    PFILE_OBJECT FileObject;
    PNTFS_STREAM Stream;
    PNTFS_HANDLE Handle;
    PVOID Buffer;
    ULONG Length;
    FILE_INFORMATION_CLASS Class;
    PFILE_OBJECT NewParent; /* where a name is to go, or NULL */
} NTFS_SETTING, *PNTFS_SETTING;

/* delete.c: the last handle's end carries out a deletion. */
NTSTATUS NtfsDoomLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PNTFS_HANDLE Handle, BOOLEAN ReadOnlyToo);
VOID NtfsEndHandleLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PNTFS_HANDLE Handle);
ULONG NtfsNameFilter(PNTFS_FILE File);
BOOLEAN NtfsIsDoomed(PNTFS_STREAM Stream, PNTFS_HANDLE Handle);
/* What everything but cleanup, close and the cache's writes asks first: STATUS_VOLUME_DISMOUNTED, STATUS_FILE_DELETED.  Stream: NULL, of the volume itself. */
NTSTATUS NtfsCheckUsable(PNTFS_VOLUME Volume, PNTFS_STREAM Stream);
NTSTATUS NtfsRemoveLinkLocked(PNTFS_VOLUME Volume, PNTFS_FILE File, PNTFS_LINK Link);
NTSTATUS NtfsHideLinkLocked(PNTFS_VOLUME Volume, PNTFS_FILE File, PNTFS_LINK Link);
NTSTATUS NtfsSetDisposition(PNTFS_SETTING Setting);
NTSTATUS NtfsSetDispositionEx(PNTFS_SETTING Setting);

/* ea.c.  Buffer has passed IoCheckEaBufferValidity. */
NTSTATUS NtfsSetEasLocked(PNTFS_VOLUME Volume, ULONG64 Id, PVOID Buffer, BOOLEAN Fresh);
BOOLEAN NtfsNeedsEasLocked(PNTFS_VOLUME Volume, ULONG64 Id);

/* security.c.  Besides: what else has to be granted, without the handle having it. */
BOOLEAN NtfsIsChecked(PIRP Irp);
BOOLEAN NtfsMayRestore(PIRP Irp);
BOOLEAN NtfsMayBackup(PIRP Irp);
NTSTATUS NtfsCheckOpenLocked(PNTFS_VOLUME Volume, PIRP Irp, ULONG64 Id, ULONG64 Parent, ACCESS_MASK Besides);
NTSTATUS NtfsCheckCreateLocked(PNTFS_VOLUME Volume, PIRP Irp, ULONG64 Directory, BOOLEAN IsDirectory);
NTSTATUS NtfsCheckTraverseLocked(PNTFS_VOLUME Volume, PACCESS_STATE State, ULONG64 Directory);
NTSTATUS NtfsAssignSecurityLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack, ULONG64 Directory, ULONG64 Id,
                                  BOOLEAN IsDirectory);

/* A file-system control of a file, or of the volume itself. */
typedef struct _NTFS_CONTROL {
    PNTFS_VOLUME Volume;
    PNTFS_STREAM Stream; /* NULL: the volume's */
    PNTFS_HANDLE Handle; /* with the stream */
    ULONG Code;
    PVOID Input, Output;
    ULONG InputLength, OutputLength;
    ULONG Used;
} NTFS_CONTROL, *PNTFS_CONTROL;

/* filecontrol.c */
NTSTATUS NtfsControlLocked(PNTFS_CONTROL Control);
/* Format: COMPRESSION_FORMAT_…; Allocated: bytes on the disk. */
NTSTATUS NtfsCompressionLocked(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PUSHORT Format, PLONGLONG Allocated);

/* usn.c */
NTSTATUS NtfsReadFileUsn(PNTFS_CONTROL Control);
NTSTATUS NtfsAskJournal(PNTFS_CONTROL Control);

/* fscontrol.c: of the volume's own handle */
NTSTATUS NtfsGetVolumeBitmap(PNTFS_CONTROL Control);
NTSTATUS NtfsMarkVolumeDirty(PNTFS_CONTROL Control);
NTSTATUS NtfsIsPathValid(PNTFS_CONTROL Control);

/* reparse.c */
NTSTATUS NtfsMeetReparsePointLocked(PNTFS_VOLUME Volume, PIRP Irp, ULONG64 Id, USHORT Unparsed);
NTSTATUS NtfsSetReparsePoint(PNTFS_CONTROL Control);
NTSTATUS NtfsTrimFile(PNTFS_CONTROL Control); /* trim.c */
NTSTATUS NtfsGetReparsePoint(PNTFS_CONTROL Control);
NTSTATUS NtfsDeleteReparsePoint(PNTFS_CONTROL Control);

/* pnp.c.  Without a lock.  Lose: it cannot be reached any more, and what is open fails with Status; TRUE: NtfsForgetLater has to be called, as the last that
 * touches the volume. */
BOOLEAN NtfsLoseVolume(PNTFS_VOLUME Volume, NTSTATUS Status);
VOID NtfsForgetLater(PNTFS_VOLUME Volume);

/* verify.c.  Without a lock.  STATUS_SUCCESS: it is the same.  InPlace: with the library's lock. */
NTSTATUS NtfsVerifyVolume(PNTFS_VOLUME Volume);
NTSTATUS NtfsLookAtMedium(PNTFS_VOLUME Volume);
NTSTATUS NtfsLookInPlace(PNTFS_VOLUME Volume);

/* The medium may have changed. */
static inline BOOLEAN NtfsIsDoubted(PNTFS_VOLUME Volume)
{
    return Volume->IsVolume && !Volume->Dismounted &&
           ((Volume->Vpb->RealDevice->Flags & DO_VERIFY_VOLUME) != 0 || Volume->OwesLook);
}

/* dispatch.c.  Complete: the end of every request; what the disk has refused since the medium may have changed begins again once that has been looked at.  PASSIVE_LEVEL or
 * APC_LEVEL then, without the stream's locks. */
extern const PDRIVER_DISPATCH NtfsRoutines[IRP_MJ_MAXIMUM_FUNCTION + 1];
DRIVER_DISPATCH NtfsDispatch;
NTSTATUS NtfsComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);
/* Of a request that has come back from the disk with STATUS_VERIFY_REQUIRED.  Refused: for a completion routine, which has marked it pending if it
 * was; a caller that gets this status from IoCallDriver has the request again.  Later: of one that is pending.  <= DISPATCH_LEVEL. */
NTSTATUS NtfsTransferRefused(PIRP Irp);
VOID NtfsRetryLater(PIRP Irp);

/* notify.c */
VOID NtfsReportLocked(PNTFS_VOLUME Volume, PNTFS_LINK Link, PNTFS_STREAM Stream, ULONG Filter, ULONG Action);
NTSTATUS NtfsWatchDirectory(PNTFS_VOLUME Volume, PIRP Irp);

/* lock.c */
BOOLEAN NtfsMayTransfer(PNTFS_STREAM Stream, PIRP Irp);

/* rename.c */
NTSTATUS NtfsSetRename(PNTFS_SETTING Setting);
NTSTATUS NtfsSetLink(PNTFS_SETTING Setting);

/* tunnel.c.  LongName: has room for NTFS_NAME_MAX characters; Name's own where it has no other. */
#define NTFS_SHORT_MAX 12
typedef struct _NTFS_TUNNELED {
    int64_t Created;
    BOOLEAN ByShort; /* the name that was looked for is the short one */
    UNICODE_STRING Short, Long;
    WCHAR ShortBuffer[NTFS_SHORT_MAX], LongBuffer[NTFS_NAME_MAX];
} NTFS_TUNNELED, *PNTFS_TUNNELED;

NTSTATUS NtfsLongNameLocked(PNTFS_VOLUME Volume, ULONG64 Id, ULONG64 Parent, PCUNICODE_STRING Name,
                            PUNICODE_STRING LongName);
/* The file is about to lose this name. */
VOID NtfsRememberNameLocked(PNTFS_VOLUME Volume, ULONG64 Id, ULONG64 Parent, PCUNICODE_STRING Name);
VOID NtfsForgetDirectoryLocked(PNTFS_VOLUME Volume, ULONG64 Id);
BOOLEAN NtfsFindTunneledLocked(PNTFS_VOLUME Volume, ULONG64 Parent, PCUNICODE_STRING Name, PNTFS_TUNNELED Tunneled);
NTSTATUS NtfsApplyTunneledLocked(PNTFS_VOLUME Volume, ULONG64 Id, ULONG64 Parent, const NTFS_TUNNELED *Tunneled);
NTSTATUS NtfsSetShortName(PNTFS_SETTING Setting);

/* create.c: an open begins, or begins anew.  PASSIVE_LEVEL. */
NTSTATUS NtfsOpen(PDEVICE_OBJECT DeviceObject, PIRP Irp, BOOLEAN HandleBroken);
NTSTATUS NtfsShareStream(PIO_STACK_LOCATION Stack, PNTFS_STREAM Stream, BOOLEAN Update);

/* oplock.c.  STATUS_PENDING: the request waits for an acknowledgement, and begins anew then; nothing of it may be touched.
 * <= APC_LEVEL. */
NTSTATUS NtfsCheckOplock(PNTFS_STREAM Stream, PIRP Irp);
NTSTATUS NtfsAdmitLocked(PNTFS_STREAM Stream, PIRP Irp, BOOLEAN HandleBroken, PBOOLEAN InProgress);
VOID NtfsBackOutLocked(PNTFS_STREAM Stream, PIRP Irp);
VOID NtfsEndOplocksLocked(PNTFS_STREAM Stream, PIRP Irp);
BOOLEAN NtfsIsOplockControl(ULONG Code);
NTSTATUS NtfsOplockControl(PIRP Irp);

/* write.c.  PlaceWrite: with the resource that keeps the size. */
NTSTATUS NtfsWriteFile(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp);
NTSTATUS NtfsPlaceWrite(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset);

/* cached.c */
NTSTATUS NtfsReadCached(PNTFS_STREAM Stream, PIRP Irp);
NTSTATUS NtfsWriteCached(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp, PLONGLONG Offset);

extern FAST_IO_DISPATCH NtfsFastIo;
FAST_IO_LOCK NtfsFastLock;
FAST_IO_UNLOCK_SINGLE NtfsFastUnlockSingle;
FAST_IO_UNLOCK_ALL NtfsFastUnlockAll;
FAST_IO_UNLOCK_ALL_BY_KEY NtfsFastUnlockAllByKey;
FAST_IO_QUERY_OPEN NtfsFastQueryOpen; /* queryopen.c */

/* size.c.  Resize: the stream's resource is held alone, in a critical region. */
NTSTATUS NtfsResizeStream(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PFILE_OBJECT FileObject, LONGLONG Size);
BOOLEAN NtfsIsSizeClass(FILE_INFORMATION_CLASS Class);
NTSTATUS NtfsSetFileSize(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIO_STACK_LOCATION Stack, PLARGE_INTEGER Size);
BOOLEAN NtfsIsOverwriting(PIO_STACK_LOCATION Stack);
NTSTATUS NtfsOverwrite(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp);

/* runs.c.  Find: where the bytes from Offset on are, and how many there are one behind the other; FALSE: nowhere.  Count: 0: some of it is
 * in no run.  Both with the run list held.  Learn: PASSIVE_LEVEL or APC_LEVEL, with no lock. */
NTSTATUS NtfsLearnRuns(PNTFS_VOLUME Volume, PNTFS_STREAM Stream);
BOOLEAN NtfsFindRun(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, LONGLONG Offset, ULONG Length, PLONGLONG Place,
                    PULONG Bytes);
ULONG NtfsCountRuns(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, LONGLONG Offset, ULONG Length);

/* flush.c.  No lock is held.  Files: what the cache has of them is written.  Quiet: that is on the medium, and the cache has let go of what
 * nobody has open. */
NTSTATUS NtfsFlushFiles(PNTFS_VOLUME Volume, BOOLEAN Purge);
NTSTATUS NtfsQuietVolume(PNTFS_VOLUME Volume);
/* SL_WRITE_THROUGH of the write, or the file's FO_WRITE_THROUGH. */
BOOLEAN NtfsIsWriteThrough(PIRP Irp);
/* What the library has written is on the medium.  File: a request that has changed something (Status) ends so if the file was opened for
 * writing through; the status it ends with. */
NTSTATUS NtfsSettle(PNTFS_VOLUME Volume);
NTSTATUS NtfsSettleFile(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject, NTSTATUS Status);

/* read.c */
VOID NtfsMovePosition(PIRP Irp);
NTSTATUS NtfsReadFile(PNTFS_VOLUME Volume, PNTFS_STREAM Stream, PIRP Irp);

/* volume.c: opens of the volume itself */
NTSTATUS NtfsOpenVolumeLocked(PNTFS_VOLUME Volume, PIO_STACK_LOCATION Stack);
VOID NtfsCleanupVolumeLocked(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject);
/* Without the lock. */
VOID NtfsCloseVolume(PNTFS_VOLUME Volume, PFILE_OBJECT FileObject);

/* transfer.c */
NTSTATUS NtfsLockUserBuffer(PIRP Irp, LOCK_OPERATION Operation, ULONG Length);

DRIVER_DISPATCH NtfsCreate;
DRIVER_DISPATCH NtfsCleanup;
DRIVER_DISPATCH NtfsClose;
DRIVER_DISPATCH NtfsReadWrite;
DRIVER_DISPATCH NtfsForward;
DRIVER_DISPATCH NtfsFlush;
DRIVER_DISPATCH NtfsFileSystemControl;
DRIVER_DISPATCH NtfsDirectoryControl;
DRIVER_DISPATCH NtfsQueryVolume;
DRIVER_DISPATCH NtfsSetVolume;
DRIVER_DISPATCH NtfsQueryInformation;
DRIVER_DISPATCH NtfsSetInformation;
DRIVER_DISPATCH NtfsLockControl;
DRIVER_DISPATCH NtfsExtendedAttributes;
DRIVER_DISPATCH NtfsSecurity;
DRIVER_DISPATCH NtfsShutdown;
DRIVER_DISPATCH NtfsPnp;

#endif
