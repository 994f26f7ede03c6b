/* SPDX-License-Identifier: MIT */
/* scan.h: what the content scanner asks its user-mode client, what that answers, and what it may ask itself. */
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

/* A message of the client's is a command; the answer to this one is how many contents it was asked about, and did not like. */
typedef enum _SCAN_COMMAND { ScanGetCounts = 1 } SCAN_COMMAND;

typedef struct _SCAN_COUNTS {
    ULONG Asked;
    ULONG Foul;
} SCAN_COUNTS, *PSCAN_COUNTS;

#endif
