/* SPDX-License-Identifier: GPL-2.0-or-later */
/* se, privately: what a token is. */
#ifndef FLTVM_SEP_H
#define FLTVM_SEP_H

#include <ntifs.h>
#include <ob.h>
#include <se.h>

#define SEP_TAG         'oTeS'
#define SEP_MAX_GROUPS  8
#define SEP_FIRST_LUID  2  /* SE_CREATE_TOKEN_PRIVILEGE */
#define SEP_LAST_LUID   36 /* SE_DELEGATE_SESSION_USER_IMPERSONATE_PRIVILEGE */

/* A token does not change once it is made, so no lock guards it. */
typedef struct _SEP_TOKEN {
    LUID TokenId;
    LUID AuthenticationId;
    TOKEN_TYPE Type;
    SECURITY_IMPERSONATION_LEVEL ImpersonationLevel;
    ULONG SessionId;
    PSID User;
    ULONG GroupCount;
    PSID Groups[SEP_MAX_GROUPS];
    ULONG64 Privileges; /* held and enabled, by LUID */
} SEP_TOKEN, *PSEP_TOKEN;

extern POBJECT_TYPE SepTokenType;

ULONG SepSidLength(PSID Sid);
BOOLEAN SepTokenHasSid(PSEP_TOKEN Token, PSID Sid);

#endif
