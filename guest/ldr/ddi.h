/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verifier's IRQL rules: for each export that has a limit, the IRQLs at which a driver may call it.
 * The table is made by the build (scripts/ddi.py) from sdk/ddi/ddi.tsv; sorted by name, as strcmp does.
 */
#ifndef LDR_DDI_H
#define LDR_DDI_H

typedef struct _DDI_IRQL_RULE {
    PCSTR Name;
    UCHAR LowestIrql;  /* 0: no lower limit */
    UCHAR HighestIrql; /* 15: no upper limit */
} DDI_IRQL_RULE;

extern const DDI_IRQL_RULE LdrpIrqlRules[];
extern const ULONG LdrpIrqlRuleCount;

#endif
