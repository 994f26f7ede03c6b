/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partition tables.  Whatever does not make sense as a table is no table: the disk is one volume then.
 */
#include "volume.h"

#define MBR_SIGNATURE  0xAA55
#define MBR_PROTECTIVE 0xEE
#define MBR_NTFS       0x07

#pragma pack(push, 1)
typedef struct _MBR_ENTRY {
    UCHAR Status; /* 0x00 or 0x80 */
    UCHAR FirstChs[3];
    UCHAR Type;
    UCHAR LastChs[3];
    ULONG Start;
    ULONG Sectors;
} MBR_ENTRY;

typedef struct _MBR {
    UCHAR Code[440];
    ULONG DiskSignature;
    USHORT Reserved;
    MBR_ENTRY Entry[4];
    USHORT Signature;
} MBR;

typedef struct _GPT_HEADER {
    CHAR Signature[8]; /* "EFI PART" */
    ULONG Revision;
    ULONG HeaderSize;
    ULONG HeaderCrc;
    ULONG Reserved;
    ULONG64 MyLba, AlternateLba, FirstUsableLba, LastUsableLba;
    GUID DiskId;
    ULONG64 EntriesLba;
    ULONG EntryCount;
    ULONG EntrySize;
    ULONG EntriesCrc;
} GPT_HEADER;

typedef struct _GPT_ENTRY {
    GUID Type;
    GUID Id;
    ULONG64 FirstLba, LastLba;
    ULONG64 Attributes;
    WCHAR Name[36];
} GPT_ENTRY;
#pragma pack(pop)

C_ASSERT(sizeof(MBR) == 512);
C_ASSERT(sizeof(GPT_ENTRY) == 128);

/* A file system's boot sector ends with the same signature: it begins with a jump and the system's name. */
static BOOLEAN VolumeIsBootSector(const MBR *Sector)
{
    static const CHAR Names[][9] = {"NTFS    ", "EXFAT   ",  "MSDOS5.0",    "MSWIN4.1",
                                    "mkfs.fat", "mkdosfs\0", "ReFS\0\0\0\0"};
    ULONG Index;

    for (Index = 0; Index < RTL_NUMBER_OF(Names); Index++) {
        if (RtlCompareMemory(Sector->Code + 3, Names[Index], 8) == 8) {
            return TRUE;
        }
    }
    return RtlCompareMemory(Sector->Code + 0x36, "FAT", 3) == 3 ||
           RtlCompareMemory(Sector->Code + 0x52, "FAT32", 5) == 5;
}

/* Only the first entry is a protective one, which covers the disk, and more where the disk has become smaller. */
static BOOLEAN VolumeIsProtective(const MBR *Sector, ULONG Index)
{
    return Index == 0 && Sector->Entry[Index].Type == MBR_PROTECTIVE;
}

static BOOLEAN VolumeIsMbr(const MBR *Sector, PVOLUME_DISK Disk)
{
    ULONG64 Sectors = (ULONG64)Disk->Length / Disk->SectorSize;
    ULONG Used = 0;
    ULONG Index;

    if (Sector->Signature != MBR_SIGNATURE || VolumeIsBootSector(Sector)) {
        return FALSE;
    }
    for (Index = 0; Index < RTL_NUMBER_OF(Sector->Entry); Index++) {
        const MBR_ENTRY *Entry = &Sector->Entry[Index];

        if ((Entry->Status & 0x7F) != 0) {
            return FALSE;
        }
        if (Entry->Type == 0) {
            continue;
        }
        if (Entry->Start == 0 || Entry->Start >= Sectors ||
            (!VolumeIsProtective(Sector, Index) && (ULONG64)Entry->Start + Entry->Sectors > Sectors)) {
            return FALSE;
        }
        Used++;
    }
    return Used != 0;
}

static ULONG VolumeFromMbr(const MBR *Sector, PVOLUME_DISK Disk, PVOLUME_RANGE Ranges)
{
    ULONG Count = 0;
    ULONG Index;

    Disk->Signature = Sector->DiskSignature;
    for (Index = 0; Index < RTL_NUMBER_OF(Sector->Entry); Index++) {
        const MBR_ENTRY *Entry = &Sector->Entry[Index];

        if (Entry->Type == 0 || Entry->Sectors == 0 || Entry->Type == 0x05 || Entry->Type == 0x0F) {
            continue; /* extended partitions' contents are not looked at */
        }
        RtlZeroMemory(&Ranges[Count], sizeof(Ranges[Count]));
        Ranges[Count].Start = (LONGLONG)Entry->Start * Disk->SectorSize;
        Ranges[Count].Length = (LONGLONG)Entry->Sectors * Disk->SectorSize;
        Ranges[Count].PartitionNumber = Count + 1;
        Ranges[Count].Style = PARTITION_STYLE_MBR;
        Ranges[Count].MbrType = Entry->Type;
        Ranges[Count].MayBeNtfs = Entry->Type == MBR_NTFS;
        Count++;
    }
    return Count;
}

static ULONG VolumeFromGpt(PVOLUME_DISK Disk, PUCHAR Buffer, ULONG Size, PVOLUME_RANGE Ranges)
{
    static const GUID BasicData = {0xEBD0A0A2, 0xB9E5, 0x4433, {0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7}};
    static const GUID Unused;
    ULONG64 Sectors = (ULONG64)Disk->Length / Disk->SectorSize;
    ULONG Count = 0;
    GPT_HEADER Header;
    ULONG Index;

    if (!NT_SUCCESS(VolumeReadDisk(Disk, Disk->SectorSize, Buffer, Disk->SectorSize))) {
        return 0;
    }
    Header = *(GPT_HEADER *)Buffer;
    if (RtlCompareMemory(Header.Signature, "EFI PART", 8) != 8 || Header.EntrySize < sizeof(GPT_ENTRY) ||
        Header.EntrySize > Size || Size % Header.EntrySize != 0 || Header.EntriesLba >= Sectors) {
        return 0;
    }
    for (Index = 0; Index < Header.EntryCount && Index < 128 && Count < VOLUME_MAX_RANGES; Index++) {
        ULONG Offset = Index * Header.EntrySize % Size;
        const GPT_ENTRY *Entry = (const GPT_ENTRY *)(Buffer + Offset);

        if (Offset == 0 &&
            !NT_SUCCESS(VolumeReadDisk(
                Disk, (LONGLONG)Header.EntriesLba * Disk->SectorSize + (LONGLONG)Index * Header.EntrySize, Buffer,
                Size))) {
            break;
        }
        if (RtlCompareMemory(&Entry->Type, &Unused, sizeof(GUID)) == sizeof(GUID) || Entry->LastLba < Entry->FirstLba ||
            Entry->LastLba >= Sectors) {
            continue;
        }
        RtlZeroMemory(&Ranges[Count], sizeof(Ranges[Count]));
        Ranges[Count].Start = (LONGLONG)(Entry->FirstLba * Disk->SectorSize);
        Ranges[Count].Length = (LONGLONG)((Entry->LastLba - Entry->FirstLba + 1) * Disk->SectorSize);
        Ranges[Count].PartitionNumber = Count + 1;
        Ranges[Count].Style = PARTITION_STYLE_GPT;
        Ranges[Count].GptType = Entry->Type;
        Ranges[Count].MayBeNtfs = RtlCompareMemory(&Entry->Type, &BasicData, sizeof(GUID)) == sizeof(GUID);
        Ranges[Count].GptId = Entry->Id;
        Count++;
    }
    return Count;
}

ULONG VolumeReadTable(PVOLUME_DISK Disk, PVOLUME_RANGE Ranges)
{
    BOOLEAN Read = FALSE;
    ULONG Count = 0;
    PUCHAR Buffer;
    MBR Sector;

    Buffer = ExAllocatePoolWithTag(NonPagedPoolNx, PAGE_SIZE, VOLUME_TAG);
    if (Buffer != NULL && NT_SUCCESS(VolumeReadDisk(Disk, 0, Buffer, Disk->SectorSize))) {
        Sector = *(MBR *)Buffer;
        Read = TRUE;
        if (VolumeIsMbr(&Sector, Disk)) {
            if (VolumeIsProtective(&Sector, 0)) {
                Count = VolumeFromGpt(Disk, Buffer, PAGE_SIZE, Ranges);
            } else {
                Count = VolumeFromMbr(&Sector, Disk, Ranges);
            }
        }
    }
    if (Buffer != NULL) {
        ExFreePoolWithTag(Buffer, VOLUME_TAG);
    }
    if (Count == 0) {
        RtlZeroMemory(&Ranges[0], sizeof(Ranges[0]));
        Ranges[0].Length = Disk->Length;
        Ranges[0].Style = PARTITION_STYLE_RAW;
        Ranges[0].MayBeNtfs = Read && RtlCompareMemory(Sector.Code + 3, "NTFS    ", 8) == 8;
        Count = 1;
    }
    return Count;
}
