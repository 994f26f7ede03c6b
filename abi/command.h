/* SPDX-License-Identifier: MIT */
/*
 * Scenario commands: what the host answers to FLTVM_RECORD_COMMAND, and the results the guest's client sends.
 *
 * The client's fetcher thread carries no command out that could block; each operation runs on a client
 * thread, so that one that never returns is reported by its time-out in virtual time while the machine still
 * answers.  A result comes with the next FLTVM_RECORD_COMMAND record; the first such record is empty.
 * All numbers are little-endian.  Strings are UTF-8 and end with a NUL byte.
 */
#ifndef FLTVM_ABI_COMMAND_H
#define FLTVM_ABI_COMMAND_H

#include <stdint.h>

#define FLTVM_COMMAND_DATA_MAX 0xF000u /* bytes of data behind one command or result */

struct fltvm_command {
    uint32_t op;         /* FLTVM_COMMAND_* */
    uint32_t id;         /* chosen by the host; not 0; names the operation from here on */
    uint32_t thread;     /* operations: client thread that runs it; FLTVM_COMMAND_THREAD_NEW: one of its own */
    uint32_t flags;      /* FLTVM_COMMAND_FLAG_* */
    uint64_t timeout_ns; /* virtual time to wait for the operation; 0: none */
    uint64_t args[6];
    uint32_t length; /* bytes of data that follow */
    uint32_t user;   /* operations: FLTVM_USER_*, on whose behalf; or the id of the process whose program does it */
};
_Static_assert(sizeof(struct fltvm_command) == 80, "command");

/* Who an operation is done for.  With another than NONE its thread impersonates the user, and access is checked. */
#define FLTVM_USER_NONE          0u /* the kernel itself */
#define FLTVM_USER_SYSTEM        1u
#define FLTVM_USER_ADMINISTRATOR 2u
#define FLTVM_USER_LIMITED       3u

#define FLTVM_COMMAND_THREAD_NEW 0xFFFFFFFFu
#define FLTVM_COMMAND_THREAD_MAX 63u

#define FLTVM_COMMAND_FLAG_ASYNC 0x1u /* start only: answer STATUS_PENDING at once, WAIT comes later */
#define FLTVM_COMMAND_FLAG_INPUT 0x2u /* the operation's input is what was staged, not `data` */

struct fltvm_result {
    uint32_t id;        /* of the command */
    int32_t status;     /* NTSTATUS */
    uint32_t operation; /* not 0: that operation still exists; the host RELEASEs it when it has what it wants */
    uint32_t length;    /* bytes of data that follow */
    uint64_t values[4]; /* per command, below */
};
_Static_assert(sizeof(struct fltvm_result) == 48, "result");

/*
 * Commands of the fetcher.  "in" is data behind the command, "out" data behind the result.
 */
#define FLTVM_COMMAND_PING    1u  /* nothing */
#define FLTVM_COMMAND_STAGE   2u  /* args: total bytes, offset; in: bytes.  Offset 0 begins a new input */
#define FLTVM_COMMAND_WAIT    3u  /* args: operation; timeout_ns.  The operation's result, or STATUS_TIMEOUT */
#define FLTVM_COMMAND_FETCH   4u  /* args: operation, offset.  out: its output from there on */
#define FLTVM_COMMAND_RELEASE 5u  /* args: operation.  One that still runs goes when it is done */
#define FLTVM_COMMAND_SLEEP   6u  /* args: ns.  Lets virtual time pass, the other threads run */
#define FLTVM_COMMAND_STACKS  7u  /* sends a FLTVM_RECORD_STACKS of every thread */
#define FLTVM_COMMAND_POOL    8u  /* out: struct fltvm_pool_use[]; values: bytes in all pools, physical bytes in use */
#define FLTVM_COMMAND_POLL    10u /* as WAIT, but tells only whether it is over: STATUS_SUCCESS or STATUS_TIMEOUT */
#define FLTVM_COMMAND_CHOOSE                                                                                           \
    11u /* args: which fails of the allocations from now on that come of drivers under test, or 0 */
#define FLTVM_COMMAND_MEMORY 9u /* values: physical bytes in all, in use, nonpaged pool bytes, paged pool bytes */

/*
 * Operations.  values[0] is IoStatus.Information, values[1] the whole length of the output, of which the
 * result carries the beginning.  A timed-out operation goes on: the result is STATUS_TIMEOUT and names it.
 */
#define FLTVM_COMMAND_REGISTRY                                                                                         \
    32u /* in: key path, value name, the value as stored; args: REG_* type, value bytes, FLTVM_REGISTRY_* */
#define FLTVM_COMMAND_DRIVER_LOAD   33u /* in: service name, then the image */
#define FLTVM_COMMAND_DRIVER_UNLOAD 34u /* in: key path of the service */
/*
 * in: path, then extended attributes as ZwCreateFile takes them, or with FILE_OPEN_BY_FILE_ID the identifier, which is behind the path;
 * args: access, share, disposition, options, attributes, handle that the path begins at, or 0.  values[0]: handle, [2]: what was done
 */
#define FLTVM_COMMAND_OPEN  35u
#define FLTVM_COMMAND_CLOSE 36u /* args: handle */
#define FLTVM_COMMAND_READ  37u /* args: handle, offset, bytes, FLTVM_COMMAND_BUFFER_*, address, FLTVM_TELL_* */
#define FLTVM_COMMAND_WRITE                                                                                            \
    38u /* args: handle, offset, bytes, FLTVM_COMMAND_BUFFER_*, address, FLTVM_TELL_*; in: bytes */
#define FLTVM_COMMAND_FLUSH  39u /* args: handle */
#define FLTVM_COMMAND_IOCTL  40u /* args: handle, code, input bytes, output bytes, address, FLTVM_TELL_*; in: input */
#define FLTVM_COMMAND_FSCTL  41u /* the same */
#define FLTVM_COMMAND_CANCEL 42u /* args: handle.  Cancels what the file has pending */
#define FLTVM_COMMAND_QUERY  43u /* args: handle, FILE_INFORMATION_CLASS, output bytes */
/*
 * in: path of its image; args: bytes of ntdll.dll and of a program, which follow: it runs in user mode; a program of no bytes is the file
 * of that path; FLTVM_USER_* whose its token is; 1 for a client of the machine's own, which is no operation of the script's.  values[0]: id
 */
#define FLTVM_COMMAND_PROCESS      44u
#define FLTVM_COMMAND_PROCESS_END  45u /* args: id, exit status */
#define FLTVM_COMMAND_PROCESS_WAIT 46u /* args: id, of one that runs a program.  values[0]: exit status */
#define FLTVM_COMMAND_DIRECTORY                                                                                        \
    56u /* in: pattern, may be empty; args: handle, FILE_INFORMATION_CLASS, output bytes, FLTVM_DIRECTORY_* */
#define FLTVM_COMMAND_LOCK   59u /* args: handle, offset, length, key, FLTVM_LOCK_*, FLTVM_TELL_* */
#define FLTVM_COMMAND_UNLOCK 60u /* args: handle, offset, length, key */
#define FLTVM_COMMAND_NOTIFY                                                                                           \
    61u /* args: handle, FILE_NOTIFY_CHANGE_*, output bytes, whether below it, 0, FLTVM_TELL_* */
#define FLTVM_COMMAND_EA_QUERY 62u /* args: handle, output bytes; in: FILE_GET_EA_INFORMATION, or nothing for all */
#define FLTVM_COMMAND_EA_SET   63u /* args: handle; in: FILE_FULL_EA_INFORMATION */
#define FLTVM_COMMAND_SD_QUERY 64u /* args: handle, SECURITY_INFORMATION, output bytes */
#define FLTVM_COMMAND_SD_SET   65u /* args: handle, SECURITY_INFORMATION; in: a self-relative descriptor */
#define FLTVM_COMMAND_FS_QUERY 66u /* args: handle, FS_INFORMATION_CLASS, output bytes */
#define FLTVM_COMMAND_FS_SET   67u /* args: handle, FS_INFORMATION_CLASS; in: the information */

/* in: ntdll.dll and the program that serves; args: id, bytes of either, as the fourth above.  From then on the process does operations itself. */
#define FLTVM_COMMAND_PROCESS_SERVE 68u

/*
 * The rest only a process does, named by `user`.  Where an operation above has an address, the process's buffer is there: its
 * data is neither behind the command nor the result.
 */
#define FLTVM_COMMAND_MEMORY_ALLOCATE                                                                                  \
    69u                                  /* args: address or 0, bytes, MEM_*, PAGE_*.  values[0]: address, [2]: bytes */
#define FLTVM_COMMAND_MEMORY_FREE    70u /* args: address, bytes, MEM_* */
#define FLTVM_COMMAND_MEMORY_PROTECT 71u /* args: address, bytes, PAGE_*.  values[0]: what it was */
#define FLTVM_COMMAND_MEMORY_QUERY   72u /* args: address.  out: MEMORY_BASIC_INFORMATION */
#define FLTVM_COMMAND_MEMORY_READ    73u /* args: address, bytes.  out: the bytes */
#define FLTVM_COMMAND_MEMORY_WRITE   74u /* args: address; in: bytes */
#define FLTVM_COMMAND_SECTION        75u /* args: file or 0, bytes, PAGE_*, SEC_*.  values[0]: handle */
#define FLTVM_COMMAND_MAP                                                                                              \
    76u /* args: section, address or 0, offset, bytes or 0, PAGE_*.  values[0]: address, [2]: bytes */
#define FLTVM_COMMAND_UNMAP     77u /* args: address */
#define FLTVM_COMMAND_PORT      78u /* args: threads.  values[0]: handle of a completion port */
#define FLTVM_COMMAND_PORT_POST 79u /* args: port, key, context, status, information */
#define FLTVM_COMMAND_PORT_REMOVE                                                                                      \
    80u /* args: port, most, ns to wait or FLTVM_FOREVER.  out: FILE_IO_COMPLETION_INFORMATION */
#define FLTVM_COMMAND_PORT_DEPTH 81u /* args: port.  values[0]: packets in it */
#define FLTVM_COMMAND_THREAD     82u /* args: FLTVM_THREAD_*, thread, status.  values[0]: how often it was stopped before */
#define FLTVM_COMMAND_EXIT       83u /* args: status.  The process ends itself */

#define FLTVM_FOREVER UINT64_MAX

/* How the end of a request is told of beside its event: not at all, by an APC, or with any other number as its ApcContext. */
#define FLTVM_TELL_NOTHING 0u
#define FLTVM_TELL_APC     UINT64_MAX

#define FLTVM_THREAD_SUSPEND 0u
#define FLTVM_THREAD_RESUME  1u
#define FLTVM_THREAD_ALERT   2u
#define FLTVM_THREAD_APC     3u /* the operation is over when the APC has run */
#define FLTVM_THREAD_END     4u

#define FLTVM_LOCK_SHARED 0x1u
#define FLTVM_LOCK_WAIT   0x2u /* until it is granted */

#define FLTVM_COMMAND_LIBRARY 58u /* in: an export driver's file name, then the image */

#define FLTVM_COMMAND_BUFFER_PAGED    0u /* as a program's buffer would be: pageable */
#define FLTVM_COMMAND_BUFFER_NONPAGED 1u

#define FLTVM_COMMAND_SET 57u /* args: handle, FILE_INFORMATION_CLASS; in: the information */

#define FLTVM_DIRECTORY_RESTART 0x1u
#define FLTVM_DIRECTORY_SINGLE  0x2u

/* How FLTVM_COMMAND_REGISTRY changes the registry; 0: the value is set, and the key made if need be. */
#define FLTVM_REGISTRY_NO_CLOBBER     0x01u /* not if the value is there */
#define FLTVM_REGISTRY_OVERWRITE_ONLY 0x02u /* only if the value is there */
#define FLTVM_REGISTRY_APPEND         0x04u /* REG_MULTI_SZ: the strings that are not there yet are appended */
#define FLTVM_REGISTRY_KEY_ONLY       0x08u /* the key is made, and no value */
#define FLTVM_REGISTRY_DELETE_VALUE   0x10u /* what is not there need not be deleted */
#define FLTVM_REGISTRY_DELETE_KEY     0x20u /* with all keys below it */

/* What one tag holds. */
struct fltvm_pool_use {
    char tag[4];
    uint32_t paged;       /* 0: nonpaged pool, 1: paged pool */
    uint64_t allocations; /* made so far */
    uint64_t frees;
    uint64_t bytes; /* in use now */
};
_Static_assert(sizeof(struct fltvm_pool_use) == 32, "pool use");

#endif
