/* SPDX-License-Identifier: MIT */
/*
 * fltctl.h: what the scenario client, and fltlib in a program, ask of the filter manager, as fltmc does on Windows.
 *
 * Device controls (buffered) to FLTVM_FLTCTL_DEVICE.  Requests are a fltvm_fltctl_request, answers an array of the
 * record named at the code, as many as fit (STATUS_BUFFER_OVERFLOW when there are more).  Names are UTF-16, ended by a
 * zero; an empty one was not given.  Used by host and guest, hence <stdint.h> only.
 */
#ifndef FLTVM_FLTCTL_H
#define FLTVM_FLTCTL_H

#include <stdint.h>

#define FLTVM_FLTCTL_DEVICE "\\FileSystem\\Filters\\FltMgr"

#define FLTVM_FLTCTL_CODE(function) ((8u << 16) | ((function) << 2)) /* disk file system, buffered, any access */
#define FLTVM_FLTCTL_UNLOAD         FLTVM_FLTCTL_CODE(0x801u) /* request: filter, flags; returns when it is out */
#define FLTVM_FLTCTL_ATTACH                                                                                            \
    FLTVM_FLTCTL_CODE(                                                                                                 \
        0x802u) /* request: filter, volume; instance and altitude or neither.  answer, if there is room: the request with the instance's name */
#define FLTVM_FLTCTL_DETACH  FLTVM_FLTCTL_CODE(0x803u) /* request: filter, volume, instance if given */
#define FLTVM_FLTCTL_FILTERS FLTVM_FLTCTL_CODE(0x804u) /* answer: fltvm_fltctl_filter[], highest altitude first */
#define FLTVM_FLTCTL_INSTANCES                                                                                         \
    FLTVM_FLTCTL_CODE(0x805u) /* answer: fltvm_fltctl_instance[], by volume, highest altitude first */
#define FLTVM_FLTCTL_VOLUMES  FLTVM_FLTCTL_CODE(0x806u) /* answer: fltvm_fltctl_volume[] */
#define FLTVM_FLTCTL_COUNTERS FLTVM_FLTCTL_CODE(0x807u) /* answer: one fltvm_fltctl_counters */
#define FLTVM_FLTCTL_PORTS    FLTVM_FLTCTL_CODE(0x808u) /* answer: fltvm_fltctl_port[], oldest first */

#define FLTVM_FLTCTL_LOAD FLTVM_FLTCTL_CODE(0x809u) /* request: filter, the name of its service */
#define FLTVM_FLTCTL_FIND FLTVM_FLTCTL_CODE(0x80Au) /* request: fltvm_fltctl_find; answer: fltvm_fltctl_found */

#define FLTVM_FLTCTL_NAME_MAX 64

/* Of what FIND tells the index-th, each a documented structure: FltEnumerateFilterInformation and its kin. */
#define FLTVM_FLTCTL_FIND_FILTER             1u /* FILTER_INFORMATION_CLASS */
#define FLTVM_FLTCTL_FIND_VOLUME             2u /* FILTER_VOLUME_INFORMATION_CLASS */
#define FLTVM_FLTCTL_FIND_INSTANCE           3u /* INSTANCE_INFORMATION_CLASS; name: the filter's */
#define FLTVM_FLTCTL_FIND_INSTANCE_OF_VOLUME 4u /* the same; name: the volume's */
#define FLTVM_FLTCTL_FIND_FILTER_NAMED       5u /* FILTER_INFORMATION_CLASS, of the filter of that name */
#define FLTVM_FLTCTL_FIND_INSTANCE_NAMED     6u /* INSTANCE_INFORMATION_CLASS; name, volume, instance or the first */

/*
 * The client's side of communication ports: a file of this device is one connection.  Messages and replies begin with
 * the documented FILTER_MESSAGE_HEADER and FILTER_REPLY_HEADER.
 */
#define FLTVM_FLTMSG_DEVICE  "\\FileSystem\\Filters\\FltMgrMsg"
#define FLTVM_FLTMSG_CONNECT FLTVM_FLTCTL_CODE(0x811u) /* request: fltvm_fltmsg_connect and the context behind it */
#define FLTVM_FLTMSG_GET     FLTVM_FLTCTL_CODE(0x812u) /* answer: a message, when there is one */
#define FLTVM_FLTMSG_REPLY   FLTVM_FLTCTL_CODE(0x813u) /* request: a reply */
#define FLTVM_FLTMSG_SEND                                                                                              \
    (FLTVM_FLTCTL_CODE(0x814u) |                                                                                       \
     3u) /* request: what the filter gets; answer: what it returns; the buffers are the caller's */

struct fltvm_fltmsg_connect {
    uint16_t name[FLTVM_FLTCTL_NAME_MAX]; /* the port's, e.g. \ScannerPort */
};
_Static_assert(sizeof(struct fltvm_fltmsg_connect) == 128, "fltmsg connect");

#define FLTVM_FLTCTL_MANDATORY 0x1u /* UNLOAD: as a mandatory unload, which the filter cannot refuse */

struct fltvm_fltctl_request {
    uint32_t flags;
    uint32_t reserved;
    uint16_t filter[FLTVM_FLTCTL_NAME_MAX];
    uint16_t volume[FLTVM_FLTCTL_NAME_MAX]; /* e.g. \Device\HarddiskVolume1; a bare C: is understood too */
    uint16_t instance[FLTVM_FLTCTL_NAME_MAX];
    uint16_t altitude[FLTVM_FLTCTL_NAME_MAX];
};
_Static_assert(sizeof(struct fltvm_fltctl_request) == 520, "fltctl request");

struct fltvm_fltctl_find {
    uint32_t kind;  /* FLTVM_FLTCTL_FIND_* */
    uint32_t index; /* from 0 */
    uint32_t information_class;
    uint32_t size; /* bytes that the asker has room for */
    uint16_t name[FLTVM_FLTCTL_NAME_MAX];
    uint16_t volume[FLTVM_FLTCTL_NAME_MAX];
    uint16_t instance[FLTVM_FLTCTL_NAME_MAX];
};
_Static_assert(sizeof(struct fltvm_fltctl_find) == 400, "fltctl find");

struct fltvm_fltctl_found {
    uint32_t status; /* STATUS_NO_MORE_ENTRIES, STATUS_BUFFER_TOO_SMALL, … */
    uint32_t bytes;  /* that follow, or would */
};
_Static_assert(sizeof(struct fltvm_fltctl_found) == 8, "fltctl found");

struct fltvm_fltctl_filter {
    uint32_t instances;
    uint32_t started; /* FltStartFiltering has been called */
    uint16_t name[FLTVM_FLTCTL_NAME_MAX];
    uint16_t altitude[FLTVM_FLTCTL_NAME_MAX]; /* of its default instance */
};
_Static_assert(sizeof(struct fltvm_fltctl_filter) == 264, "fltctl filter");

struct fltvm_fltctl_instance {
    uint64_t operations; /* pre-callbacks called since it was attached */
    uint16_t filter[FLTVM_FLTCTL_NAME_MAX];
    uint16_t volume[FLTVM_FLTCTL_NAME_MAX];
    uint16_t instance[FLTVM_FLTCTL_NAME_MAX];
    uint16_t altitude[FLTVM_FLTCTL_NAME_MAX];
};
_Static_assert(sizeof(struct fltvm_fltctl_instance) == 520, "fltctl instance");

struct fltvm_fltctl_volume {
    uint32_t instances;
    uint32_t file_system; /* FLT_FILESYSTEM_TYPE */
    uint16_t name[FLTVM_FLTCTL_NAME_MAX];
};
_Static_assert(sizeof(struct fltvm_fltctl_volume) == 136, "fltctl volume");

struct fltvm_fltctl_port {
    uint32_t connections;
    uint32_t limit; /* of connections */
    uint16_t name[FLTVM_FLTCTL_NAME_MAX];
    uint16_t filter[FLTVM_FLTCTL_NAME_MAX];
};
_Static_assert(sizeof(struct fltvm_fltctl_port) == 264, "fltctl port");

struct fltvm_fltctl_counters {
    uint64_t work_items_allocated; /* generic ones that exist now */
    uint64_t work_items_queued;    /* waiting for a worker now */
    uint64_t work_items_running;   /* in their routine now */
    uint64_t work_items_total;     /* ever allocated */
    uint64_t work_items_run;       /* routines ever returned from */
    uint64_t deferred_allocated;   /* deferred I/O work items that exist now */
    uint64_t operations_active;    /* I/O operations that filters have seen and that are not over */
    uint64_t operations_total;
};
_Static_assert(sizeof(struct fltvm_fltctl_counters) == 64, "fltctl counters");

#endif
