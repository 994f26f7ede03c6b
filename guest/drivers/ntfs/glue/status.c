/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From errno to NTSTATUS.
 */
#include "glue.h"

static const struct {
    int Error;
    uint32_t Status;
} NtfsGlueErrors[] = {
    {ENOENT, 0xC0000034u /* STATUS_OBJECT_NAME_NOT_FOUND */},
    {EEXIST, 0xC0000035u /* STATUS_OBJECT_NAME_COLLISION */},
    {ENOMEM, 0xC000009Au /* STATUS_INSUFFICIENT_RESOURCES */},
    {ENOSPC, 0xC000007Fu /* STATUS_DISK_FULL */},
    {EROFS, 0xC00000A2u /* STATUS_MEDIA_WRITE_PROTECTED */},
    {EPERM, 0xC0000022u /* STATUS_ACCESS_DENIED */},
    {EACCES, 0xC0000022u /* STATUS_ACCESS_DENIED */},
    {ENOTEMPTY, 0xC0000101u /* STATUS_DIRECTORY_NOT_EMPTY */},
    {ENOTDIR, 0xC0000103u /* STATUS_NOT_A_DIRECTORY */},
    {EISDIR, 0xC00000BAu /* STATUS_FILE_IS_A_DIRECTORY */},
    {ENAMETOOLONG, 0xC0000033u /* STATUS_OBJECT_NAME_INVALID */},
    {EMLINK, 0xC0000265u /* STATUS_TOO_MANY_LINKS */},
    {EFBIG, 0xC0000904u /* STATUS_FILE_TOO_LARGE */},
    {EOPNOTSUPP, 0xC00000BBu /* STATUS_NOT_SUPPORTED */},
    {ENOSYS, 0xC00000BBu /* STATUS_NOT_SUPPORTED */},
};

/* What is left (EIO, EINVAL, ERANGE …) is what the library says of a structure that it cannot believe. */
int32_t NtfsGlueStatus(NTFS_SECTORS *Sectors)
{
    int32_t Failed = Sectors->Failed;

    Sectors->Failed = 0;
    if (Failed != 0) {
        return Failed;
    }
    for (unsigned Index = 0; Index < sizeof(NtfsGlueErrors) / sizeof(*NtfsGlueErrors); Index++) {
        if (NtfsGlueErrors[Index].Error == errno) {
            return (int32_t)NtfsGlueErrors[Index].Status;
        }
    }
    return GLUE_STATUS_FILE_CORRUPT_ERROR;
}
