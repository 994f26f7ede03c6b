/* SPDX-License-Identifier: MIT */
/*
 * fltvm-link: the register map of the host link and the records that cross it.
 *
 * The link is a synchronous transport of framed records between the guest kernel and the host command.
 * The device does not look inside a record.  A CALL returns only when the host has answered, and no
 * virtual time passes meanwhile.  docs/specs/fltvm-link.rst is the contract; all numbers are
 * little-endian.
 */
#ifndef FLTVM_ABI_LINK_H
#define FLTVM_ABI_LINK_H

#include <stdint.h>

/*
 * Registers: 32-bit I/O ports at FLTVM_LINK_IOBASE; any other access reads as all ones,
 * writes nothing, and sets FLTVM_LINK_STATUS_BAD_ACCESS.
 */
#define FLTVM_LINK_IOBASE 0x0B00u
#define FLTVM_LINK_IOSIZE 0x40u

#define FLTVM_LINK_REG_ID         0x00u /* RO: FLTVM_LINK_ID */
#define FLTVM_LINK_REG_VERSION    0x04u /* RO: FLTVM_LINK_VERSION */
#define FLTVM_LINK_REG_STATUS     0x08u /* RO: FLTVM_LINK_STATUS_*; write 1 to clear BAD_* */
#define FLTVM_LINK_REG_DOORBELL   0x0Cu /* WO: physical address of a request, 64-byte aligned */
#define FLTVM_LINK_REG_IRQ_STATUS 0x10u /* RO; write 1 to clear: FLTVM_LINK_IRQ_* */
#define FLTVM_LINK_REG_IRQ_ENABLE 0x14u /* RW: FLTVM_LINK_IRQ_* */
#define FLTVM_LINK_REG_TIME_LO    0x18u /* RO: virtual time in ns, low half; latches the high half */
#define FLTVM_LINK_REG_TIME_HI    0x1Cu /* RO: the latched high half */
#define FLTVM_LINK_REG_TRACE      0x20u /* WO: what a trace point says (abi/tracepoint.h) */

#define FLTVM_LINK_ID      0x4B4E4C46u /* "FLNK" */
#define FLTVM_LINK_VERSION 1u

#define FLTVM_LINK_STATUS_CONNECTED   0x1u /* the host's end is open */
#define FLTVM_LINK_STATUS_BAD_REQUEST 0x2u /* a doorbell was unaligned, or its request not in memory */
#define FLTVM_LINK_STATUS_BAD_ACCESS  0x4u /* an access of another size, alignment or direction */

#define FLTVM_LINK_IRQ_WAKE 0x1u /* the host has a command for a parked guest */

/* A request, in guest memory.  The device copies it in once, then writes back in_len, status and in_kind
 * only. */
#define FLTVM_LINK_OP_SEND 1u /* pass a record to the host; no answer */
#define FLTVM_LINK_OP_CALL 2u /* pass a record to the host and wait for the answer */
#define FLTVM_LINK_OP_EXIT 3u /* as SEND, then shut the machine down */

#define FLTVM_LINK_MAX_PAYLOAD 0x10000u /* bytes, each way */

struct fltvm_link_request {
    uint16_t op;       /* FLTVM_LINK_OP_* */
    uint16_t kind;     /* FLTVM_RECORD_*, passed through */
    uint32_t cpu;      /* processor that sends */
    uint32_t out_len;  /* bytes at out_addr */
    uint32_t in_cap;   /* bytes available at in_addr (CALL only) */
    uint64_t out_addr; /* physical, contiguous */
    uint64_t in_addr;  /* physical, contiguous */
    uint32_t in_len;   /* written by the device: bytes of the answer */
    int32_t status;    /* written by the device: FLTVM_LINK_S_* */
    uint32_t in_kind;  /* written by the device: FLTVM_ANSWER_*, the kind of the answer's frame (CALL only) */
    uint8_t reserved[20];
};
_Static_assert(sizeof(struct fltvm_link_request) == 64, "link request");

#define FLTVM_LINK_S_OK           0
#define FLTVM_LINK_S_BAD_REQUEST  (-1) /* unknown op, a record that only the device tells, length over the maximum */
#define FLTVM_LINK_S_BAD_ADDRESS  (-2) /* a buffer is not in guest memory */
#define FLTVM_LINK_S_DISCONNECTED (-3) /* the host's end is closed */
#define FLTVM_LINK_S_TRUNCATED    (-4) /* the answer was longer than in_cap; in_len says how long */

/* A frame on the character device, both ways: this header, then length bytes. */
struct fltvm_link_frame {
    uint32_t length;  /* bytes of payload */
    uint16_t kind;    /* FLTVM_RECORD_*; in an answer FLTVM_ANSWER_* */
    uint16_t cpu;     /* sender; 0 in an answer */
    uint64_t time_ns; /* virtual time the record was sent; 0 in an answer */
};
_Static_assert(sizeof(struct fltvm_link_frame) == 16, "link frame");

/* Guest to host.  C: sent with CALL. */
#define FLTVM_RECORD_HELLO    1u /* C: kernel is up; the answer is the option text "name=value\n"... */
#define FLTVM_RECORD_LOG      2u /* struct fltvm_log_header, then text (UTF-8, no NUL) */
#define FLTVM_RECORD_TRACE    3u /* struct fltvm_trace_record; the device makes them at trace points */
#define FLTVM_RECORD_MODULE   4u /* struct fltvm_module_header, then name (UTF-8, no NUL) */
#define FLTVM_RECORD_BUGCHECK 5u /* struct fltvm_bugcheck, then frames of every stack */
#define FLTVM_RECORD_COMMAND                                                                                           \
    6u                           /* C: result of the last command (empty at first); answer: the next command   \
                                */
#define FLTVM_RECORD_STACKS  7u  /* struct fltvm_stack..., on request or at a time-out */
#define FLTVM_RECORD_REPORT  8u  /* verifier detail: "name=value\n" text, addresses as 0x hex */
#define FLTVM_RECORD_TEST    9u  /* one line of a guest test: "ok name" / "not ok name # file:line: why" / "plan N" */
#define FLTVM_RECORD_EXIT    10u /* struct fltvm_exit, or its first four bytes */
#define FLTVM_RECORD_CRASH   11u /* struct fltvm_crash; from the device, the last record of a machine */
#define FLTVM_RECORD_FAILURE 12u /* "what should have been: what was": the run fails; stacks sent before belong to it */

#define FLTVM_RECORD_CHECKPOINT                                                                                        \
    13u /* from the device, to FLTVM_ANSWER_CHECKPOINT: nothing if it was done, or why it was not                      \
         */
#define FLTVM_RECORD_MEDIUM                                                                                            \
    15u /* struct fltvm_medium, then bytes; from the device, before POWER_CUT: what the guest has changed on a disk */
#define FLTVM_RECORD_POWER_CUT                                                                                         \
    16u /* from the device, the last record of a machine: nothing, or why a disk's state cannot be told */
#define FLTVM_RECORD_HELD 14u /* "name=value\n" text of the STACKS before it: who holds what others may wait for */

#define FLTVM_ANSWER_DATA 0u /* payload is the answer */
#define FLTVM_ANSWER_PARK 1u /* nothing now: halt until FLTVM_LINK_IRQ_WAKE, then call again */
#define FLTVM_ANSWER_END  2u /* no more commands: shut down */
/* Not to be seen by the guest: struct fltvm_checkpoint, then text.  The CALL goes on waiting for its answer. */
#define FLTVM_ANSWER_CHECKPOINT 3u /* save the machine as it stands; the device answers FLTVM_RECORD_CHECKPOINT */
#define FLTVM_ANSWER_RESTORE    4u /* put it back; it then waits for the answer to the CALL at which it was saved */

/* Not to be seen by the guest, either: struct fltvm_power_cut.  There is no answer to the CALL any more. */
#define FLTVM_ANSWER_POWER_CUT 5u

#define FLTVM_EXIT_DONE        0u
#define FLTVM_EXIT_BUGCHECK    1u
#define FLTVM_EXIT_LINK_LOST   2u
#define FLTVM_EXIT_BOOT_FAILED 3u

/* Behind it, in each line the number of a disk, a blank, and fault rules as its property "faults" has them. */
struct fltvm_checkpoint {
    uint32_t flags; /* FLTVM_CHECKPOINT_* */
    uint32_t reserved;
    uint64_t seed; /* of the schedule from there on */
};
_Static_assert(sizeof(struct fltvm_checkpoint) == 16, "checkpoint");
#define FLTVM_CHECKPOINT_SAVE   0x1u /* CHECKPOINT: save it; without, only what a saved one would begin with is made */
#define FLTVM_CHECKPOINT_SEED   0x2u /* there is a seed; without, the one that there was goes on */
#define FLTVM_CHECKPOINT_VERIFY 0x4u /* RESTORE: see whether all is as it was */

struct fltvm_power_cut {
    uint32_t keep; /* FLTVM_HBA_KEEP_* */
    uint32_t reserved;
    uint64_t seed; /* for KEEP_SOME */
};
_Static_assert(sizeof(struct fltvm_power_cut) == 16, "power cut");

/* A piece of a disk; many of them, one behind the other, are what the property "medium" of fltvm-hba reads. */
struct fltvm_medium {
    uint64_t offset; /* bytes */
    uint32_t length; /* bytes that follow */
    uint32_t disk;
};
_Static_assert(sizeof(struct fltvm_medium) == 16, "medium");

struct fltvm_log_header {
    uint64_t thread; /* KTHREAD address; 0 before the first thread */
    uint64_t caller; /* return address of the caller of DbgPrint */
    uint8_t irql;
    uint8_t level;      /* DPFLTR_*_LEVEL */
    uint16_t component; /* DPFLTR_*_ID */
    uint32_t reserved;
};
_Static_assert(sizeof(struct fltvm_log_header) == 24, "log header");

#define FLTVM_MODULE_LOADED   1u
#define FLTVM_MODULE_UNLOADED 2u
#define FLTVM_MODULE_IN_BOX   0x100u /* with LOADED: it came with the machine */
struct fltvm_module_header {
    uint64_t base;
    uint32_t size;
    uint32_t what; /* FLTVM_MODULE_* */
};
_Static_assert(sizeof(struct fltvm_module_header) == 16, "module header");

/* A stack: header, then `frames` addresses (uint64_t), innermost first. */
struct fltvm_stack {
    uint64_t thread; /* KTHREAD; 0 for an idle or early processor context */
    uint32_t cpu;    /* processor it ran on, or last ran on */
    uint8_t irql;
    uint8_t state; /* KTHREAD_STATE */
    uint8_t priority;
    uint8_t wait_reason; /* KWAIT_REASON when waiting */
    uint32_t frames;
    uint32_t flags;   /* FLTVM_STACK_* */
    char name[24];    /* thread name, NUL-padded */
    uint64_t trapped; /* bit n: frame n is the address of an instruction, not one to return to */
};
_Static_assert(sizeof(struct fltvm_stack) == 56, "stack");
#define FLTVM_STACK_RUNNING 0x1u /* was running on `cpu` */
#define FLTVM_STACK_CULPRIT 0x2u /* the stack that raised the bugcheck */
#define FLTVM_STACK_SCANNED 0x4u /* the host's: not walked, the frames are what looks like addresses of code */

struct fltvm_bugcheck {
    uint32_t code;
    uint32_t stacks; /* number of struct fltvm_stack that follow */
    uint64_t parameters[4];
    uint64_t driver; /* an address in the code that is blamed, or 0 */
    uint32_t flags;  /* FLTVM_BUGCHECK_* */
    uint32_t reserved;
};
_Static_assert(sizeof(struct fltvm_bugcheck) == 56, "bugcheck");
#define FLTVM_BUGCHECK_BLAMES_RETURN 0x1u /* `driver` is an address to return to */

/* With FLTVM_EXIT_BUGCHECK the last words: what of the bugcheck a kernel in ruins can still tell. */
struct fltvm_exit {
    uint32_t status; /* FLTVM_EXIT_* */
    uint32_t code;
    uint64_t parameters[4];
};
_Static_assert(sizeof(struct fltvm_exit) == 40, "exit");

/* A processor at its triple fault: what it was to execute, and the top of its stack. */
#define FLTVM_CRASH_WORDS 512u
struct fltvm_crash {
    uint64_t rip;
    uint64_t rsp;
    uint64_t cr2;
    uint64_t cr3;
    uint32_t cpu;
    uint32_t words; /* that could be read */
    uint64_t stack[FLTVM_CRASH_WORDS];
};
_Static_assert(sizeof(struct fltvm_crash) == 40 + 8 * FLTVM_CRASH_WORDS, "crash");

/* A trace record.  Events and their arguments: abi/trace.h. */
struct fltvm_trace_record {
    uint64_t time_ns;
    uint32_t sequence; /* one counter for the machine, from 0 */
    uint8_t cpu;
    uint8_t irql;
    uint16_t event; /* FLTVM_TRACE_* */
    uint64_t thread;
    uint64_t args[5];
};
_Static_assert(sizeof(struct fltvm_trace_record) == 64, "trace record");

#endif
