// SPDX-License-Identifier: GPL-2.0-or-later
/* Well-known identities and privileges, as SeExports tells them to drivers. */
#include "sep.h"

typedef struct _SEP_SID {
    UCHAR Revision;
    UCHAR SubAuthorityCount;
    UCHAR Authority[6];
    ULONG SubAuthority[2];
} SEP_SID;

#define SEP_SID_1(Name, Authority, First) static SEP_SID Name = {1, 1, {0, 0, 0, 0, 0, Authority}, {First}}
#define SEP_SID_2(Name, Authority, First, Second)                                                                      \
    static SEP_SID Name = {1, 2, {0, 0, 0, 0, 0, Authority}, {First, Second}}

SEP_SID_1(SepNull, 0, 0);
SEP_SID_1(SepWorld, 1, 0);
SEP_SID_1(SepLocal, 2, 0);
SEP_SID_1(SepCreatorOwner, 3, 0);
SEP_SID_1(SepCreatorGroup, 3, 1);
SEP_SID_1(SepOwnerRights, 3, 4);
static SEP_SID SepNtAuthority = {1, 0, {0, 0, 0, 0, 0, 5}, {0}};
SEP_SID_1(SepDialup, 5, 1);
SEP_SID_1(SepNetwork, 5, 2);
SEP_SID_1(SepBatch, 5, 3);
SEP_SID_1(SepInteractive, 5, 4);
SEP_SID_1(SepAnonymous, 5, 7);
SEP_SID_1(SepAuthenticatedUsers, 5, 11);
SEP_SID_1(SepRestricted, 5, 12);
SEP_SID_1(SepIUser, 5, 17);
SEP_SID_1(SepLocalSystem, 5, 18);
SEP_SID_1(SepLocalService, 5, 19);
SEP_SID_1(SepNetworkService, 5, 20);
SEP_SID_2(SepAdmins, 5, 32, 544);
SEP_SID_2(SepUsers, 5, 32, 545);
SEP_SID_2(SepGuests, 5, 32, 546);
SEP_SID_2(SepPowerUsers, 5, 32, 547);
SEP_SID_2(SepAccountOps, 5, 32, 548);
SEP_SID_2(SepSystemOps, 5, 32, 549);
SEP_SID_2(SepPrintOps, 5, 32, 550);
SEP_SID_2(SepBackupOps, 5, 32, 551);
SEP_SID_1(SepUntrusted, 16, 0x0000);
SEP_SID_1(SepLow, 16, 0x1000);
SEP_SID_1(SepMedium, 16, 0x2000);
SEP_SID_1(SepHigh, 16, 0x3000);
SEP_SID_1(SepSystem, 16, 0x4000);

static SE_EXPORTS SepExports = {
    .SeCreateTokenPrivilege = {2, 0},
    .SeAssignPrimaryTokenPrivilege = {3, 0},
    .SeLockMemoryPrivilege = {4, 0},
    .SeIncreaseQuotaPrivilege = {5, 0},
    .SeUnsolicitedInputPrivilege = {6, 0},
    .SeTcbPrivilege = {7, 0},
    .SeSecurityPrivilege = {8, 0},
    .SeTakeOwnershipPrivilege = {9, 0},
    .SeLoadDriverPrivilege = {10, 0},
    .SeSystemProfilePrivilege = {11, 0},
    .SeSystemtimePrivilege = {12, 0},
    .SeProfileSingleProcessPrivilege = {13, 0},
    .SeIncreaseBasePriorityPrivilege = {14, 0},
    .SeCreatePagefilePrivilege = {15, 0},
    .SeCreatePermanentPrivilege = {16, 0},
    .SeBackupPrivilege = {17, 0},
    .SeRestorePrivilege = {18, 0},
    .SeShutdownPrivilege = {19, 0},
    .SeDebugPrivilege = {20, 0},
    .SeAuditPrivilege = {21, 0},
    .SeSystemEnvironmentPrivilege = {22, 0},
    .SeChangeNotifyPrivilege = {23, 0},
    .SeRemoteShutdownPrivilege = {24, 0},
    .SeUndockPrivilege = {25, 0},
    .SeSyncAgentPrivilege = {26, 0},
    .SeEnableDelegationPrivilege = {27, 0},
    .SeManageVolumePrivilege = {28, 0},
    .SeImpersonatePrivilege = {29, 0},
    .SeCreateGlobalPrivilege = {30, 0},
    .SeTrustedCredManAccessPrivilege = {31, 0},
    .SeRelabelPrivilege = {32, 0},
    .SeIncreaseWorkingSetPrivilege = {33, 0},
    .SeTimeZonePrivilege = {34, 0},
    .SeCreateSymbolicLinkPrivilege = {35, 0},
    .SeNullSid = &SepNull,
    .SeWorldSid = &SepWorld,
    .SeLocalSid = &SepLocal,
    .SeCreatorOwnerSid = &SepCreatorOwner,
    .SeCreatorGroupSid = &SepCreatorGroup,
    .SeNtAuthoritySid = &SepNtAuthority,
    .SeDialupSid = &SepDialup,
    .SeNetworkSid = &SepNetwork,
    .SeBatchSid = &SepBatch,
    .SeInteractiveSid = &SepInteractive,
    .SeLocalSystemSid = &SepLocalSystem,
    .SeAliasAdminsSid = &SepAdmins,
    .SeAliasUsersSid = &SepUsers,
    .SeAliasGuestsSid = &SepGuests,
    .SeAliasPowerUsersSid = &SepPowerUsers,
    .SeAliasAccountOpsSid = &SepAccountOps,
    .SeAliasSystemOpsSid = &SepSystemOps,
    .SeAliasPrintOpsSid = &SepPrintOps,
    .SeAliasBackupOpsSid = &SepBackupOps,
    .SeAuthenticatedUsersSid = &SepAuthenticatedUsers,
    .SeRestrictedSid = &SepRestricted,
    .SeAnonymousLogonSid = &SepAnonymous,
    .SeLocalServiceSid = &SepLocalService,
    .SeNetworkServiceSid = &SepNetworkService,
    .SeIUserSid = &SepIUser,
    .SeUntrustedMandatorySid = &SepUntrusted,
    .SeLowMandatorySid = &SepLow,
    .SeMediumMandatorySid = &SepMedium,
    .SeHighMandatorySid = &SepHigh,
    .SeSystemMandatorySid = &SepSystem,
    .SeOwnerRightsSid = &SepOwnerRights,
};

PSE_EXPORTS SeExports = &SepExports;

BOOLEAN SepTokenHolds(PSEP_TOKEN Token, PSID Sid, BOOLEAN Deny)
{
    if (RtlEqualSid(Token->User, Sid)) {
        return Deny || (Token->UserAttributes & SE_GROUP_USE_FOR_DENY_ONLY) == 0;
    }
    for (ULONG Index = 0; Index < Token->GroupCount; Index++) {
        if (RtlEqualSid(Token->Groups[Index], Sid)) {
            return (Token->GroupAttributes[Index] & SE_GROUP_ENABLED) != 0 ||
                   (Deny && (Token->GroupAttributes[Index] & SE_GROUP_USE_FOR_DENY_ONLY) != 0);
        }
    }
    return FALSE;
}
