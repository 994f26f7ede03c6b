/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The volume's device as libntfs-3g wants it: any bytes at any place, in whole sectors underneath, by way of the bounce buffer, for
 * the library's own buffers are pageable.
 */
#include "glue.h"

static NTFS_SECTORS *GlueSectors(struct ntfs_device *Device)
{
    return Device->d_private;
}

static int GlueOpen(struct ntfs_device *Device, int Flags)
{
    if (NDevOpen(Device)) {
        errno = EBUSY;
        return -1;
    }
    if (Flags == O_RDONLY) {
        NDevSetReadOnly(Device);
    }
    NDevSetBlock(Device);
    NDevSetOpen(Device);
    return 0;
}

static int GlueSync(struct ntfs_device *Device)
{
    NTFS_SECTORS *Sectors = GlueSectors(Device);
    int32_t Status = NDevReadOnly(Device) || Sectors->Lost ? 0 : Sectors->Flush(Sectors->Context);

    if (Status < 0) {
        Sectors->Failed = Status;
        errno = EIO;
        return -1;
    }
    NDevClearDirty(Device);
    return 0;
}

static int GlueClose(struct ntfs_device *Device)
{
    int Result = NDevDirty(Device) ? GlueSync(Device) : 0;

    NDevClearOpen(Device);
    return Result;
}

/* One piece: the sectors around it are read, changed if that is wanted, and written.  Returns its length, or -1. */
static s64 GluePiece(NTFS_SECTORS *Sectors, int Write, u8 *Buffer, s64 Count, s64 Offset)
{
    u32 Skip = (u32)(Offset & (Sectors->SectorSize - 1));
    s64 Start = Offset - Skip;
    s64 Piece = Count < NTFS_BOUNCE_SIZE - Skip ? Count : NTFS_BOUNCE_SIZE - Skip;
    u32 Length = (u32)(Skip + Piece + Sectors->SectorSize - 1) & ~(Sectors->SectorSize - 1);
    int32_t Status = 0;

    if (!Write || Length != Piece) {
        Status = Sectors->Transfer(Sectors->Context, 0, Start, Sectors->Bounce, Length);
    }
    if (Status >= 0 && Write) {
        memcpy((u8 *)Sectors->Bounce + Skip, Buffer, Piece);
        Status = Sectors->Transfer(Sectors->Context, 1, Start, Sectors->Bounce, Length);
    }
    if (Status < 0) {
        Sectors->Failed = Status;
        Sectors->Spoiled |= Write;
        errno = EIO;
        return -1;
    }
    if (!Write) {
        memcpy(Buffer, (u8 *)Sectors->Bounce + Skip, Piece);
    }
    return Piece;
}

static s64 GlueTransfer(struct ntfs_device *Device, int Write, u8 *Buffer, s64 Count, s64 Offset)
{
    NTFS_SECTORS *Sectors = GlueSectors(Device);
    s64 Done = 0;

    if (Sectors->Lost) {
        errno = EIO;
        return -1;
    }
    if (Offset < 0 || Count < 0 || Offset > Sectors->Length) {
        errno = EINVAL;
        return -1;
    }
    if (Count > Sectors->Length - Offset) {
        Count = Sectors->Length - Offset;
    }
    while (Done < Count) {
        s64 Piece = GluePiece(Sectors, Write, Buffer + Done, Count - Done, Offset + Done);

        if (Piece < 0) {
            return Done != 0 ? Done : -1;
        }
        Done += Piece;
    }
    return Done;
}

static s64 GlueRead(struct ntfs_device *Device, void *Buffer, s64 Count, s64 Offset)
{
    return GlueTransfer(Device, 0, Buffer, Count, Offset);
}

static s64 GlueWrite(struct ntfs_device *Device, const void *Buffer, s64 Count, s64 Offset)
{
    if (NDevReadOnly(Device)) {
        errno = EROFS;
        return -1;
    }
    NDevSetDirty(Device);
    return GlueTransfer(Device, 1, (u8 *)Buffer, Count, Offset);
}

static s64 GlueSeek(struct ntfs_device *Device, s64 Offset, int Whence)
{
    NTFS_SECTORS *Sectors = GlueSectors(Device);
    s64 Base = Whence == SEEK_SET ? 0 : Whence == SEEK_CUR ? Sectors->Position : Sectors->Length;

    if (Offset < -Base || Offset > Sectors->Length - Base) {
        errno = EINVAL;
        return -1;
    }
    Sectors->Position = Base + Offset;
    return Sectors->Position;
}

static s64 GlueReadOn(struct ntfs_device *Device, void *Buffer, s64 Count)
{
    s64 Done = GlueRead(Device, Buffer, Count, GlueSectors(Device)->Position);

    if (Done > 0) {
        GlueSectors(Device)->Position += Done;
    }
    return Done;
}

static s64 GlueWriteOn(struct ntfs_device *Device, const void *Buffer, s64 Count)
{
    s64 Done = GlueWrite(Device, Buffer, Count, GlueSectors(Device)->Position);

    if (Done > 0) {
        GlueSectors(Device)->Position += Done;
    }
    return Done;
}

/* Sizes and geometry: the library does without. */
static int GlueStat(struct ntfs_device *Device, struct stat *Stat)
{
    (void)Device, (void)Stat;
    errno = ENOSYS;
    return -1;
}

static int GlueControl(struct ntfs_device *Device, unsigned long Request, void *Argument)
{
    (void)Device, (void)Request, (void)Argument;
    errno = ENOSYS;
    return -1;
}

struct ntfs_device_operations NtfsGlueDevice = {
    .open = GlueOpen,
    .close = GlueClose,
    .seek = GlueSeek,
    .read = GlueReadOn,
    .write = GlueWriteOn,
    .stat = GlueStat,
    .ioctl = GlueControl,
    .pread = GlueRead,
    .pwrite = GlueWrite,
    .sync = GlueSync,
};
