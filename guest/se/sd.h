/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd: lists under construction, for descriptors that are assigned and changed. */
#ifndef FLTVM_SE_SD_H
#define FLTVM_SE_SD_H

#include "sep.h"

/* A list that is made: measured when Acl is NULL, written else.  Used counts the header. */
typedef struct _SEP_LIST {
    PACL Acl;
    ULONG Used;
    USHORT Count;
} SEP_LIST, *PSEP_LIST;

/* What an entry is inherited into. */
typedef struct _SEP_HEIR {
    BOOLEAN IsDirectory;
    BOOLEAN Automatic; /* inherited entries are marked */
    PSID Owner, Group; /* who stands for the creator */
    PGENERIC_MAPPING Mapping;
} SEP_HEIR, *PSEP_HEIR;

/* The list's next entry (NULL: the first), or NULL where its bytes end, whatever its header says. */
PACE_HEADER SepNextAce(PACL Acl, PACE_HEADER Ace);
/* An entry of the four kinds that are a mask and an identifier, both within it. */
BOOLEAN SepIsSidAce(PACE_HEADER Ace);

/* Entries of Acl as they are, generic rights mapped; those that were inherited only WithInherited. */
VOID SepAppendAcl(PSEP_LIST List, PACL Acl, BOOLEAN WithInherited, PGENERIC_MAPPING Mapping);
/* What Acl, the parent's, leaves to the heir. */
VOID SepAppendInherited(PSEP_LIST List, PACL Acl, PSEP_HEIR Heir);

#endif
