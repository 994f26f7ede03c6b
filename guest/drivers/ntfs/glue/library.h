/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * library.h: libntfs-3g as the file-system driver sees it, in plain types: the library's headers and ntifs.h cannot be
 * included together.
 *
 * Rules: PASSIVE_LEVEL, with the library's lock held (fsd/lock.c), for the library's errno and its caches are nobody's in
 * particular.  Nothing of the library stays open between two calls but the volume itself: an inode that is open
 * twice would be two copies that do not know of each other.  What returns int32_t returns an NTSTATUS.
 */
#ifndef FLTVM_NTFS_LIBRARY_H
#define FLTVM_NTFS_LIBRARY_H

#include <stdint.h>

/* The volume's sectors: offsets and lengths are multiples of the sector size.  They return an NTSTATUS. */
typedef struct _NTFS_SECTORS {
    void *Context; /* of both */
    void *Target;  /* the device */
    int Mounting;  /* whatever the medium is */
    int Lost;      /* nothing is read or written any more */
    int64_t Length;
    uint32_t SectorSize;
    int32_t (*Transfer)(void *Context, int Write, int64_t Offset, void *Buffer, uint32_t Length);
    int32_t (*Flush)(void *Context);
    void *Bounce; /* NTFS_BOUNCE_SIZE bytes that may be transferred */
    int64_t Position;
    int Spoiled;    /* a write has failed: half a change may be on the disk */
    int32_t Failed; /* the last status of a transfer that was not a success, until it is taken */
} NTFS_SECTORS;

#define NTFS_BOUNCE_SIZE 0x10000u

typedef struct _NTFS_LIBRARY_VOLUME NTFS_LIBRARY_VOLUME;

#define NTFS_LABEL_MAX 32

/* What does not change while the volume is mounted, but the label. */
typedef struct _NTFS_VOLUME_FACTS {
    uint64_t Serial;
    int64_t Created; /* Windows's time */
    uint64_t Clusters;
    uint32_t SectorSize;
    uint32_t ClusterSize;
    uint32_t MftRecordSize;
    uint32_t IndexRecordSize;
    uint64_t MftStart, MftMirrorStart; /* clusters */
    uint16_t MajorVersion, MinorVersion;
    uint16_t LabelLength; /* characters */
    uint16_t Label[NTFS_LABEL_MAX];
    uint8_t ReadOnly;
    uint8_t Dirty; /* at the time it was mounted */
} NTFS_VOLUME_FACTS;

/* fsd/ntfs.c: what the library logs. */
void NtfsLibraryComplaint(const char *Function, const char *Format, __builtin_va_list Arguments);

/*
 * file.c: an operation begins, with the lock held, while there are volumes.  Without memory in reserve it is refused with STATUS_INSUFFICIENT_RESOURCES, as a whole, unless it must go on:
 * closing and cleaning up make do with what is left.
 */
void NtfsLibraryBegin(int MustGoOn);
/* There is no volume any more. */
void NtfsLibraryFreeReserve(void);

/* volume.c */
int32_t NtfsLibraryMount(NTFS_SECTORS *Sectors, NTFS_LIBRARY_VOLUME **Volume, NTFS_VOLUME_FACTS *Facts);
/* The volume is gone afterwards, whatever is returned. */
int32_t NtfsLibraryDismount(NTFS_LIBRARY_VOLUME *Volume);
/* What the volume's own files keep in memory is written.  Through: and flushed to the medium, if anything was written since the last time. */
int32_t NtfsLibrarySync(NTFS_LIBRARY_VOLUME *Volume, int Through);
int32_t NtfsLibrarySetLabel(NTFS_LIBRARY_VOLUME *Volume, const uint16_t *Label, uint32_t Length);
uint64_t NtfsLibraryFreeClusters(NTFS_LIBRARY_VOLUME *Volume);
uint64_t NtfsLibraryMftLength(NTFS_LIBRARY_VOLUME *Volume);
/* A bit a cluster that is used, from the eighth of Offset on. */
int32_t NtfsLibraryBitmap(NTFS_LIBRARY_VOLUME *Volume, uint64_t Offset, void *Buffer, uint32_t Bytes);

/* ---- files: each is named by its reference, sequence number and all ---- */

#define NTFS_ROOT_ID  0x0005000000000005ull
#define NTFS_NAME_MAX 255

typedef struct _NTFS_FILE_FACTS {
    uint64_t Id;
    int64_t Created, Accessed, Written, Changed; /* Windows's time */
    int64_t Size, Allocated;                     /* of the unnamed stream */
    uint32_t Attributes;                         /* FILE_ATTRIBUTE_…, never 0 */
    uint32_t Links;
    uint32_t EaSize;
    uint32_t ReparseTag;
    uint32_t SecurityId; /* in $Secure; 0: the descriptor is the file's own */
    int64_t Usn;         /* of its last record in a change journal, or 0 */
} NTFS_FILE_FACTS;

typedef struct _NTFS_STREAM_FACTS {
    int64_t Size, Valid, Allocated;
    uint16_t NameLength; /* characters */
    uint16_t Name[NTFS_NAME_MAX];
    uint8_t Mapped; /* its bytes are in clusters as they are: not resident, compressed or encrypted */
    uint8_t Compressed;
} NTFS_STREAM_FACTS;

/* A name in a directory, with what its index says of the file. */
typedef struct _NTFS_ENTRY_FACTS {
    NTFS_FILE_FACTS File;
    uint16_t NameLength; /* characters */
    uint16_t Name[NTFS_NAME_MAX];
    uint8_t IsShort; /* the 8.3 name of one that is told as well */
} NTFS_ENTRY_FACTS;

/* They return 0 to go on. */
typedef int NTFS_ENTRY_VISITOR(void *Context, const NTFS_ENTRY_FACTS *Entry);
typedef int NTFS_STREAM_VISITOR(void *Context, const NTFS_STREAM_FACTS *Stream);
typedef int NTFS_NAME_VISITOR(void *Context, uint64_t Parent, const uint16_t *Name, uint32_t Length, int IsShort);
typedef int NTFS_RUN_VISITOR(void *Context, int64_t Vcn, int64_t Lcn, int64_t Clusters); /* Lcn < 0: a hole */

/* file.c.  RealName has room for NTFS_NAME_MAX characters: the name as it is on the disk. */
int32_t NtfsLibraryLookup(NTFS_LIBRARY_VOLUME *Volume, uint64_t Directory, const uint16_t *Name, uint32_t Length,
                          uint64_t *Id, uint16_t *RealName, uint32_t *RealLength);
int32_t NtfsLibraryFileFacts(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_FILE_FACTS *Facts);
int32_t NtfsLibraryParent(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t *Parent, uint16_t *Name, uint32_t *Length);

/* A new, empty file or directory, in a directory where the name is not yet. */
int32_t NtfsLibraryCreate(NTFS_LIBRARY_VOLUME *Volume, uint64_t Directory, const uint16_t *Name, uint32_t Length,
                          int IsDirectory, uint32_t Attributes, uint64_t *Id);

/* change.c.  SetFacts: the times and these attributes.  Delete: STATUS_DIRECTORY_NOT_EMPTY. */
#define NTFS_SETTABLE_ATTRIBUTES 0x3127u
int32_t NtfsLibrarySetFacts(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const NTFS_FILE_FACTS *Facts);
int32_t NtfsLibraryTouch(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id); /* changed now */
int32_t NtfsLibraryDelete(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
                          uint32_t Length);

/*
 * attribute.c: what a file may have, as it is on the disk.  ReadPart: *Size is the room, then how much there is, 0 for nothing; STATUS_BUFFER_TOO_SMALL.
 * WritePart: size 0 takes it away.  STATUS_OBJECT_NAME_COLLISION: another file has the identifier.
 */
typedef enum _NTFS_FILE_PART { NtfsPartEas, NtfsPartSecurity, NtfsPartReparse, NtfsPartObjectId } NTFS_FILE_PART;
#define NTFS_PART_MAX 0x10000u
int32_t NtfsLibraryReadPart(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_FILE_PART Part, void *Buffer,
                            uint32_t *Size);
int32_t NtfsLibraryWritePart(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_FILE_PART Part, const void *Bytes,
                             uint32_t Size);

/* link.c: names.  Hide: the name goes, and one that nobody sees comes for it; ForgetHidden deletes what has such a one. */
#define NTFS_HIDDEN_LENGTH 16
int32_t NtfsLibraryLink(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
                        uint32_t Length);
int32_t NtfsLibraryRename(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t OldDirectory, const uint16_t *OldName,
                          uint32_t OldLength, uint64_t Directory, const uint16_t *Name, uint32_t Length);
/* The one beside the long name of the directory; another's is not looked for. */
int32_t NtfsLibrarySetShortName(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
                                uint32_t Length);
void NtfsLibraryHiddenName(uint64_t Id, uint16_t *Name);
int32_t NtfsLibraryHide(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, uint64_t Directory, const uint16_t *Name,
                        uint32_t Length, uint64_t *Place);
void NtfsLibraryForgetHidden(NTFS_LIBRARY_VOLUME *Volume);
int32_t NtfsLibraryNames(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_NAME_VISITOR *Visitor, void *Context);

/* directory.c: in the index's order.  Files of the file system itself are not told. */
int32_t NtfsLibraryList(NTFS_LIBRARY_VOLUME *Volume, uint64_t Directory, NTFS_ENTRY_VISITOR *Visitor, void *Context);

/* stream.c: a stream of data by its name, of length 0 for the unnamed one. */
int32_t NtfsLibraryStreamFacts(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                               NTFS_STREAM_FACTS *Facts);
int32_t NtfsLibraryStreams(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_STREAM_VISITOR *Visitor, void *Context);
int32_t NtfsLibraryRuns(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                        NTFS_RUN_VISITOR *Visitor, void *Context);
/* Of a directory's index, none where that is in its record. */
int32_t NtfsLibraryIndexRuns(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, NTFS_RUN_VISITOR *Visitor, void *Context);
int32_t NtfsLibraryRead(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length, int64_t Offset,
                        void *Buffer, uint32_t *Bytes);

/* AddStream: an empty one, which is not yet there.  RenameStream: its bytes go to the new one, plainly. */
int32_t NtfsLibraryAddStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length);
int32_t NtfsLibraryRemoveStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length);
int32_t NtfsLibraryRenameStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *OldName, uint32_t OldLength,
                                const uint16_t *Name, uint32_t Length, NTFS_STREAM_FACTS *Facts);

/* All of the bytes, or a status; Facts are the stream's afterwards.  Touch: the times of change are now. */
int32_t NtfsLibraryWrite(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                         int64_t Offset, const void *Buffer, uint32_t Bytes, int Touch, NTFS_STREAM_FACTS *Facts);

int32_t NtfsLibrarySetSize(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                           int64_t Size, NTFS_STREAM_FACTS *Facts);

/*
 * sparse.c.  SetSparse 0: takes it back, of a stream without holes; STATUS_NOT_IMPLEMENTED: one with holes, a named or compressed one.
 * Punch: the clusters of [*Offset, *End) in whole units of sixteen are given back, if the stream is sparse; what became holes is returned.
 */
int32_t NtfsLibrarySetSparse(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                             int Sparse, NTFS_STREAM_FACTS *Facts);
int32_t NtfsLibraryPunch(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                         int64_t *Offset, int64_t *End, NTFS_STREAM_FACTS *Facts);

/* compression.c.  Stream: STATUS_NOT_IMPLEMENTED: one that is not empty, or sparse, or has a name. */
int32_t NtfsLibraryCompressDirectory(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, int Compressed);
int32_t NtfsLibraryCompressStream(NTFS_LIBRARY_VOLUME *Volume, uint64_t Id, const uint16_t *Name, uint32_t Length,
                                  int Compressed, NTFS_STREAM_FACTS *Facts);

#endif
