// SPDX-License-Identifier: GPL-2.0-or-later
/* How tokens come to be: those of the three users, copies, and restricted versions (SeFilterToken). */
#include "sep.h"

#define SEP_BIT(Luid)      (1ULL << (Luid))
#define SEP_ALL_PRIVILEGES ((2ULL << SEP_LAST_LUID) - (1ULL << SEP_FIRST_LUID))
#define SEP_GROUP          (SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED)

/* An account of the machine's own domain. */
#define SEP_ACCOUNT(Name, Rid)                                                                                         \
    static struct {                                                                                                    \
        UCHAR Revision, Count, Authority[6];                                                                           \
        ULONG Sub[5];                                                                                                  \
    } Name = {1, 5, {0, 0, 0, 0, 0, 5}, {21, 1004336348, 1177238915, 682003330, Rid}}
SEP_ACCOUNT(SepAdministrator, 500);
SEP_ACCOUNT(SepLimitedUser, 1001);
SEP_ACCOUNT(SepDomainUsers, 513);

POBJECT_TYPE SepTokenType;
static FAST_MUTEX SepTokenLock;
static LONG SepLastLuid = 0x10000;

/* SDDL: D:(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x1200a0;;;WD), owned by the system. */
static ULONG SepDeviceAcl[32];
static SECURITY_DESCRIPTOR SepDeviceSecurity;
PSECURITY_DESCRIPTOR SeDeviceDescriptor = &SepDeviceSecurity;

static VOID SepDescribeDevices(VOID)
{
    PACL Acl = (PACL)SepDeviceAcl;

    RtlCreateAcl(Acl, sizeof(SepDeviceAcl), ACL_REVISION);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, FILE_ALL_ACCESS, SeExports->SeLocalSystemSid);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, FILE_ALL_ACCESS, SeExports->SeAliasAdminsSid);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, READ_CONTROL | SYNCHRONIZE | FILE_READ_ATTRIBUTES | FILE_TRAVERSE,
                           SeExports->SeWorldSid);
    RtlCreateSecurityDescriptor(&SepDeviceSecurity, SECURITY_DESCRIPTOR_REVISION);
    RtlSetOwnerSecurityDescriptor(&SepDeviceSecurity, SeExports->SeLocalSystemSid, FALSE);
    RtlSetGroupSecurityDescriptor(&SepDeviceSecurity, SeExports->SeLocalSystemSid, FALSE);
    RtlSetDaclSecurityDescriptor(&SepDeviceSecurity, TRUE, Acl, FALSE);
}

VOID SepLockTokens(VOID)
{
    ExAcquireFastMutex(&SepTokenLock);
}

VOID SepUnlockTokens(VOID)
{
    ExReleaseFastMutex(&SepTokenLock);
}

LUID SepNewLuid(VOID)
{
    return (LUID){.LowPart = (ULONG)InterlockedIncrement(&SepLastLuid)};
}

static NTSTATUS SepAllocateToken(PSEP_TOKEN *Token)
{
    NTSTATUS Status =
        ObCreateObject(KernelMode, SepTokenType, NULL, KernelMode, NULL, sizeof(**Token), 0, 0, (PVOID *)Token);

    if (NT_SUCCESS(Status)) {
        RtlZeroMemory(*Token, sizeof(**Token));
        (*Token)->TokenId = (*Token)->ModifiedId = SepNewLuid();
    }
    return Status;
}

static VOID SepAddGroup(PSEP_TOKEN Token, PSID Sid, ULONG Attributes)
{
    Token->Groups[Token->GroupCount] = Sid;
    Token->GroupAttributes[Token->GroupCount++] = Attributes;
}

static VOID SepMakeSystem(PSEP_TOKEN Token)
{
    Token->AuthenticationId.LowPart = 0x3E7; /* SYSTEM_LUID */
    Token->Integrity = 0x4000;
    Token->User = SeExports->SeLocalSystemSid;
    SepAddGroup(Token, SeExports->SeAliasAdminsSid, SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED | SE_GROUP_OWNER);
    SepAddGroup(Token, SeExports->SeWorldSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeAuthenticatedUsersSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeSystemMandatorySid, SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED);
    Token->Owner = SeExports->SeAliasAdminsSid;
    Token->PrimaryGroup = SeExports->SeLocalSystemSid;
    Token->Privileges = Token->Enabled = SEP_ALL_PRIVILEGES;
}

/* An elevated administrator: some privileges are held and not enabled, as after a logon. */
static VOID SepMakeAdministrator(PSEP_TOKEN Token)
{
    Token->AuthenticationId.LowPart = 0x1F5A1;
    Token->SessionId = 1;
    Token->Integrity = 0x3000;
    Token->User = &SepAdministrator;
    SepAddGroup(Token, &SepDomainUsers, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeWorldSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeAliasAdminsSid, SEP_GROUP | SE_GROUP_OWNER);
    SepAddGroup(Token, SeExports->SeAliasUsersSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeInteractiveSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeAuthenticatedUsersSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeLocalSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeHighMandatorySid, SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED);
    Token->Owner = SeExports->SeAliasAdminsSid;
    Token->PrimaryGroup = &SepDomainUsers;
    Token->Enabled =
        SEP_BIT(SE_CHANGE_NOTIFY_PRIVILEGE) | SEP_BIT(SE_IMPERSONATE_PRIVILEGE) | SEP_BIT(SE_CREATE_GLOBAL_PRIVILEGE);
    Token->Privileges = Token->Enabled | SEP_BIT(SE_INCREASE_QUOTA_PRIVILEGE) | SEP_BIT(SE_SECURITY_PRIVILEGE) |
                        SEP_BIT(SE_TAKE_OWNERSHIP_PRIVILEGE) | SEP_BIT(SE_LOAD_DRIVER_PRIVILEGE) |
                        SEP_BIT(SE_SYSTEM_PROFILE_PRIVILEGE) | SEP_BIT(SE_SYSTEMTIME_PRIVILEGE) |
                        SEP_BIT(SE_BACKUP_PRIVILEGE) | SEP_BIT(SE_RESTORE_PRIVILEGE) | SEP_BIT(SE_SHUTDOWN_PRIVILEGE) |
                        SEP_BIT(SE_DEBUG_PRIVILEGE) | SEP_BIT(SE_MANAGE_VOLUME_PRIVILEGE);
}

static VOID SepMakeLimited(PSEP_TOKEN Token)
{
    Token->AuthenticationId.LowPart = 0x1F5B2;
    Token->SessionId = 1;
    Token->Integrity = 0x2000;
    Token->User = &SepLimitedUser;
    SepAddGroup(Token, &SepDomainUsers, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeWorldSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeAliasUsersSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeInteractiveSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeAuthenticatedUsersSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeLocalSid, SEP_GROUP);
    SepAddGroup(Token, SeExports->SeMediumMandatorySid, SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED);
    Token->Owner = &SepLimitedUser;
    Token->PrimaryGroup = &SepDomainUsers;
    Token->Enabled = SEP_BIT(SE_CHANGE_NOTIFY_PRIVILEGE);
    Token->Privileges = Token->Enabled | SEP_BIT(SE_SHUTDOWN_PRIVILEGE) | SEP_BIT(SE_UNDOCK_PRIVILEGE) |
                        SEP_BIT(SE_INC_WORKING_SET_PRIVILEGE) | SEP_BIT(SE_TIME_ZONE_PRIVILEGE);
}

static NTSTATUS SepCreateToken(SE_USER User, TOKEN_TYPE Type, PSEP_TOKEN *Result)
{
    static VOID (*const Make[SeUsers])(PSEP_TOKEN) = {SepMakeSystem, SepMakeAdministrator, SepMakeLimited};
    PSEP_TOKEN Token;
    NTSTATUS Status;
    PACL Acl;

    if ((ULONG)User >= SeUsers) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = SepAllocateToken(&Token);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Make[User](Token);
    Token->Type = Type;
    Token->ImpersonationLevel = Type == TokenImpersonation ? SecurityImpersonation : SecurityAnonymous;
    Acl = (PACL)Token->DefaultDacl;
    RtlCreateAcl(Acl, sizeof(Token->DefaultDacl), ACL_REVISION);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, GENERIC_ALL, Token->Owner);
    RtlAddAccessAllowedAce(Acl, ACL_REVISION, GENERIC_ALL, SeExports->SeLocalSystemSid);
    *Result = Token;
    return STATUS_SUCCESS;
}

NTSTATUS SepCopyToken(PSEP_TOKEN Existing, PSEP_TOKEN *Copy)
{
    PSEP_TOKEN New;
    LUID Id;
    NTSTATUS Status = SepAllocateToken(&New);

    if (NT_SUCCESS(Status)) {
        Id = New->TokenId;
        SepLockTokens();
        *New = *Existing;
        SepUnlockTokens();
        New->TokenId = Id;
        *Copy = New;
    }
    return Status;
}

NTSTATUS SeCreateUserToken(SE_USER User, TOKEN_TYPE Type, PACCESS_TOKEN *Token)
{
    return SepCreateToken(User, Type, (PSEP_TOKEN *)Token);
}

NTSTATUS SeInitSystem(PACCESS_TOKEN *SystemToken)
{
    UNICODE_STRING TypeName = RTL_CONSTANT_STRING(L"Token");
    OBJECT_TYPE_INITIALIZER Initializer;
    NTSTATUS Status;

    RtlZeroMemory(&Initializer, sizeof(Initializer));
    Initializer.Length = sizeof(Initializer);
    Initializer.PoolType = NonPagedPool;
    Initializer.ValidAccessMask = TOKEN_ALL_ACCESS;
    Initializer.GenericMapping = (GENERIC_MAPPING){TOKEN_READ, TOKEN_WRITE, TOKEN_EXECUTE, TOKEN_ALL_ACCESS};
    Initializer.WaitOffset = OB_NOT_WAITABLE;
    Status = ObCreateObjectType(&TypeName, &Initializer, NULL, &SepTokenType);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    ExInitializeFastMutex(&SepTokenLock);
    SepDescribeDevices();
    SepServeObjects();
    return SepCreateToken(SeUserSystem, TokenPrimary, (PSEP_TOKEN *)SystemToken);
}

/* ---- restricted versions ---- */

static VOID SepDisableSid(PSEP_TOKEN Token, PSID Sid)
{
    if (RtlEqualSid(Token->User, Sid)) {
        Token->UserAttributes = SE_GROUP_USE_FOR_DENY_ONLY;
    }
    for (ULONG Index = 0; Index < Token->GroupCount; Index++) {
        if (RtlEqualSid(Token->Groups[Index], Sid)) {
            Token->GroupAttributes[Index] &= ~(SE_GROUP_ENABLED | SE_GROUP_ENABLED_BY_DEFAULT);
            Token->GroupAttributes[Index] |= SE_GROUP_USE_FOR_DENY_ONLY;
        }
    }
}

static BOOLEAN SepIsRestricting(PSEP_TOKEN Token, PSID Sid)
{
    for (ULONG Index = 0; Index < Token->RestrictedCount; Index++) {
        if (RtlEqualSid((PSID)Token->Restricted[Index], Sid)) {
            return TRUE;
        }
    }
    return FALSE;
}

static BOOLEAN SepValidGroups(PTOKEN_GROUPS Groups, BOOLEAN Restricting)
{
    if (Restricting && Groups->GroupCount > SEP_MAX_RESTRICTED) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < Groups->GroupCount; Index++) {
        if (!RtlValidSid(Groups->Groups[Index].Sid) || (Restricting && Groups->Groups[Index].Attributes != 0)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* Of a token that has some already, those that are in both: perhaps none, and then nothing is granted. */
static VOID SepRestrict(PSEP_TOKEN Token, PSEP_TOKEN Existing, PTOKEN_GROUPS Sids)
{
    Token->RestrictedCount = 0;
    Token->IsRestricted = Existing->IsRestricted || Sids->GroupCount != 0;
    for (ULONG Index = 0; Index < Sids->GroupCount; Index++) {
        PSID Sid = Sids->Groups[Index].Sid;

        if (!Existing->IsRestricted || SepIsRestricting(Existing, Sid)) {
            RtlCopySid(sizeof(SEP_SID_BYTES), (PSID)Token->Restricted[Token->RestrictedCount++], Sid);
        }
    }
}

/*
 * IRQL: < DISPATCH_LEVEL.  STATUS_INVALID_PARAMETER: unknown flags, a bad identifier, a restricting one with
 * attributes, or more than SEP_MAX_RESTRICTED of these.  Without memory: STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS NTAPI SeFilterToken(PACCESS_TOKEN ExistingToken, ULONG Flags, PTOKEN_GROUPS SidsToDisable,
                             PTOKEN_PRIVILEGES PrivilegesToDelete, PTOKEN_GROUPS RestrictedSids,
                             PACCESS_TOKEN *FilteredToken)
{
    PSEP_TOKEN Token;
    NTSTATUS Status;

    PAGED_CODE();
    if ((Flags & ~(ULONG)(DISABLE_MAX_PRIVILEGE | SANDBOX_INERT)) != 0 ||
        (SidsToDisable != NULL && !SepValidGroups(SidsToDisable, FALSE)) ||
        (RestrictedSids != NULL && !SepValidGroups(RestrictedSids, TRUE))) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = SepCopyToken(ExistingToken, &Token);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    for (ULONG Index = 0; SidsToDisable != NULL && Index < SidsToDisable->GroupCount; Index++) {
        SepDisableSid(Token, SidsToDisable->Groups[Index].Sid);
    }
    if ((Flags & DISABLE_MAX_PRIVILEGE) != 0) {
        Token->Privileges &= SEP_BIT(SE_CHANGE_NOTIFY_PRIVILEGE);
    }
    for (ULONG Index = 0;
         !(Flags & DISABLE_MAX_PRIVILEGE) && PrivilegesToDelete != NULL && Index < PrivilegesToDelete->PrivilegeCount;
         Index++) {
        LUID Luid = PrivilegesToDelete->Privileges[Index].Luid;

        if (Luid.HighPart == 0 && Luid.LowPart < 64) {
            Token->Privileges &= ~SEP_BIT(Luid.LowPart);
        }
    }
    Token->Enabled &= Token->Privileges;
    if (RestrictedSids != NULL) {
        SepRestrict(Token, ExistingToken, RestrictedSids);
    }
    *FilteredToken = Token;
    return STATUS_SUCCESS;
}
