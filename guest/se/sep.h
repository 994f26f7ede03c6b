/* SPDX-License-Identifier: GPL-2.0-or-later */
/* se, privately: what a token is. */
#ifndef FLTVM_SEP_H
#define FLTVM_SEP_H

#include <ntifs.h>
#include <ob.h>
#include <se.h>

/* Attributes of a token's identifiers, as winnt.h has them. */

/* SeFilterToken's flags, where the headers lack them. */

#define SEP_RESTRICTING    (SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED)
#define SEP_TAG            'oTeS'
#define SEP_MAX_GROUPS     8
#define SEP_MAX_RESTRICTED 8
#define SEP_DEFAULT_DACL   512 /* bytes */
#define SEP_FIRST_LUID     2   /* SE_CREATE_TOKEN_PRIVILEGE */
#define SEP_LAST_LUID      36  /* SE_DELEGATE_SESSION_USER_IMPERSONATE_PRIVILEGE */

/* An identifier of any length. */
typedef ULONG SEP_SID_BYTES[(8 + 4 * SID_MAX_SUB_AUTHORITIES) / 4];

/*
 * What a token may do does not change once it is made.  Owner, PrimaryGroup and DefaultDacl, which ZwSetInformationToken
 * sets, are the token lock's.
 */
typedef struct _SEP_TOKEN {
    LUID TokenId;
    LUID AuthenticationId;
    LUID ModifiedId;
    TOKEN_TYPE Type;
    SECURITY_IMPERSONATION_LEVEL ImpersonationLevel;
    ULONG SessionId;
    ULONG Integrity; /* SECURITY_MANDATORY_*_RID */
    PSID User;
    ULONG UserAttributes; /* SE_GROUP_USE_FOR_DENY_ONLY or 0 */
    ULONG GroupCount;
    PSID Groups[SEP_MAX_GROUPS];
    ULONG GroupAttributes[SEP_MAX_GROUPS]; /* SE_GROUP_* */
    PSID Owner, PrimaryGroup;              /* of what it creates */
    ULONG RestrictedCount;
    SEP_SID_BYTES Restricted[SEP_MAX_RESTRICTED];
    BOOLEAN IsRestricted; /* SeFilterToken made it with restricting identifiers, or none were left */
    ULONG64 Privileges;   /* held, by LUID */
    ULONG64 Enabled;      /* of these */
    ULONG DefaultDacl[SEP_DEFAULT_DACL / sizeof(ULONG)];
} SEP_TOKEN, *PSEP_TOKEN;

/* What stands behind ACCESS_STATE.AuxData, as far as it is public knowledge. */
typedef struct _SEP_AUX_ACCESS_DATA {
    PPRIVILEGE_SET PrivilegesUsed;
    GENERIC_MAPPING GenericMapping;
} SEP_AUX_ACCESS_DATA, *PSEP_AUX_ACCESS_DATA;

extern POBJECT_TYPE SepTokenType;

/* A token of a user, of the type that its level says; referenced.  PASSIVE_LEVEL. */
NTSTATUS SepCopyToken(PSEP_TOKEN Existing, PSEP_TOKEN *Copy);
/* A copy of another type or level, or of what is enabled of it only.  PASSIVE_LEVEL. */
LUID SepNewLuid(VOID);

/* IRQL: <= APC_LEVEL, raised to it while the lock is held. */
VOID SepLockTokens(VOID);
VOID SepUnlockTokens(VOID);

/* Whether an entry for the identifier is about the token: one that denies also through deny-only identities. */
BOOLEAN SepTokenHolds(PSEP_TOKEN Token, PSID Sid, BOOLEAN Deny);
BOOLEAN SepTokenHasPrivilege(PSEP_TOKEN Token, LUID Privilege);

/* object.c: from now on ob asks. */
VOID SepServeObjects(VOID);

#endif
