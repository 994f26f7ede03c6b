/* SPDX-License-Identifier: MIT */
/* scan.h: what the content scanner asks its user-mode client, and what that answers. */
#ifndef SCAN_H
#define SCAN_H

#define SCAN_PORT_NAME L"\\ScanPort"
#define SCAN_BUFFER    1024

typedef struct _SCAN_NOTIFICATION {
    ULONG Length;
    ULONG Reserved;
    UCHAR Contents[SCAN_BUFFER];
} SCAN_NOTIFICATION, *PSCAN_NOTIFICATION;

typedef struct _SCAN_REPLY {
    BOOLEAN Safe;
} SCAN_REPLY, *PSCAN_REPLY;

#endif
