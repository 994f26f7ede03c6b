/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ecp.h: extra create parameters, as io and fsrtl see them.
 *
 * A list travels with the open: from the caller's IO_DRIVER_CREATE_CONTEXT, or from the first driver that
 * attaches one, and through every reparse.  What the caller brought is the caller's; what drivers attach or
 * insert on the way is freed when the open is over.
 */
#ifndef FLTVM_ECP_H
#define FLTVM_ECP_H

#include <ntifs.h>

#define ECP_MAGIC      0x48706345u /* EcpH */
#define ECP_LIST_MAGIC 0x4C706345u /* EcpL */

#define ECP_FLAG_ACKNOWLEDGED 0x1
#define ECP_FLAG_USER_MODE    0x2
#define ECP_FLAG_NONPAGED     0x4

struct _ECP_LIST {
    ULONG Magic;
    ULONG Creates; /* opens under way with it, one inside the other */
    LIST_ENTRY Parameters;
};

typedef struct DECLSPEC_ALIGN(16) _ECP_HEADER {
    LIST_ENTRY Link; /* empty: in no list */
    ULONG Magic;
    ULONG Flags; /* ECP_FLAG_* */
    ULONG Depth; /* the list's Creates when it was inserted: 0 for the caller's own */
    ULONG Size;  /* of the context */
    ULONG Tag;
    GUID Type;
    PVOID Lookaside; /* where the memory goes back to, or NULL */
    PFSRTL_EXTRA_CREATE_PARAMETER_CLEANUP_CALLBACK Cleanup;
} ECP_HEADER;

C_ASSERT(sizeof(ECP_HEADER) % 16 == 0); /* the context behind it is aligned as pool is */

#define ECP_OF(Context_) ((PECP_HEADER)(Context_) - 1)

/* ecp.c.  IRQL <= APC_LEVEL. */
VOID IopFreeEcp(PECP_HEADER Ecp); /* in no list; its cleanup callback is called */
VOID IopFreeEcpList(PECP_LIST List);

#endif
