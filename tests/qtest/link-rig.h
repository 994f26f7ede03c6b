/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends of fltvm-link for tests: the guest's, through qtest, with a request and its buffers in memory, and the host's. */
#ifndef FLTVM_QTEST_LINK_RIG_H
#define FLTVM_QTEST_LINK_RIG_H

#include "rig.h"
#include "abi/link.h"

#define LINK_BASE FLTVM_LINK_IOBASE
#define LINK_IRQ  5

/* Where the guest keeps things. */
#define LINK_REQUEST 0x100000u
#define LINK_OUT     0x110000u
#define LINK_IN      0x130000u

typedef struct Link {
    Rig *rig;
    int host; /* the host's end */
} Link;

/* A machine with the device; `extra` are further arguments, NULL-terminated. */
Link link_start_with(const char *const *extra);
Link link_start(void);
void link_stop(Link *link);

/* A register. */
uint32_t link_get(Link *link, uint16_t offset);
void link_set(Link *link, uint16_t offset, uint32_t value);

/* The host: raw bytes, then whole frames whose payload is the pattern from `seed` on. */
void host_receive(Link *link, void *data, size_t size);
void host_assert_silent(Link *link);
void host_send(Link *link, const void *data, size_t size);
struct fltvm_link_frame host_expect(Link *link, uint16_t kind, uint32_t size, uint64_t seed);
void host_answer(Link *link, uint16_t kind, uint32_t size, uint64_t seed);

/* The guest: a request that nothing has answered, put where the doorbell is told, rung, and what became of it. */
struct fltvm_link_request guest_request(uint16_t op, uint16_t kind, uint32_t out_len, uint32_t in_cap);
void guest_put(Link *link, const struct fltvm_link_request *request);
struct fltvm_link_request guest_ring(Link *link, const struct fltvm_link_request *request);
struct fltvm_link_request guest_result(Link *link);

/* The pattern from `seed` on, put where records come from; sent as a record; expected where answers come to. */
void guest_fill(Link *link, uint32_t size, uint64_t seed);
int32_t guest_send(Link *link, uint16_t kind, uint32_t size, uint64_t seed);
void guest_assert_in(Link *link, uint32_t size, uint64_t seed);

#endif
