/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executive resources: what their short path and the rest of them share. */
#ifndef FLTVM_EX_RESOURCE_H
#define FLTVM_EX_RESOURCE_H

#include <ntifs.h>
#include <rtl.h>
#include <hal.h>
#include <ke.h>
#include <fltvm.h>

/* Which shared acquisition: who must wait behind exclusive waiters. */
typedef enum _EXP_SHARED_KIND { ExpShared, ExpSharedStarveExclusive, ExpSharedWaitForExclusive } EXP_SHARED_KIND;

BOOLEAN ExpAcquireExclusive(PERESOURCE Resource, BOOLEAN Wait, PVOID Caller);
BOOLEAN ExpAcquireShared(PERESOURCE Resource, BOOLEAN Wait, EXP_SHARED_KIND Kind, PVOID Caller);
VOID ExpRelease(PERESOURCE Resource, ERESOURCE_THREAD Owner, PVOID Caller);

#endif
