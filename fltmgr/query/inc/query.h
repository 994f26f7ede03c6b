/* SPDX-License-Identifier: GPL-2.0-or-later */
/* query.h: finding filters and volumes, for other rooms. */
#ifndef FLTMGR_QUERY_H
#define FLTMGR_QUERY_H

#include <core.h>

/*
 * find.c.  What is found is referenced; STATUS_FLT_DELETING_OBJECT when it is going.  Next… pass over what is
 * going, and end with NULL.  IRQL: <= DISPATCH_LEVEL.
 */
NTSTATUS FltpFindFilter(PCUNICODE_STRING Name, PFLT_FILTER *Found);
PFLT_FILTER FltpNextFilter(PFLT_FILTER Previous);
NTSTATUS FltpVolumeFromName(PCUNICODE_STRING VolumeName, PFLT_VOLUME *RetVolume); /* PASSIVE_LEVEL */
PFLT_VOLUME FltpNextVolume(PFLT_VOLUME Previous);

#endif
