// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access control lists: a header and entries, each as long as it says.
 *
 * A list that a caller brings is walked entry by entry with bounds before anything in it is believed.  IRQL: <= APC_LEVEL.
 */
#include "rtlp.h"

NTSYSAPI BOOLEAN NTAPI RtlValidAcl(PACL Acl);
NTSYSAPI BOOLEAN NTAPI RtlFirstFreeAce(PACL Acl, PVOID *FirstFree);
NTSYSAPI NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid);
NTSYSAPI NTSTATUS NTAPI RtlAddAccessDeniedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags, ACCESS_MASK AccessMask,
                                                PSID Sid);

static BOOLEAN RtlpKnownRevision(ULONG Revision)
{
    return Revision >= ACL_REVISION && Revision <= ACL_REVISION4;
}

/*
 * Where the next entry would go, after Index entries: FALSE when the list is not well-formed up to there.  The result may
 * be the list's end, when there is no room left.
 */
static BOOLEAN RtlpWalkAcl(PACL Acl, ULONG Index, PUCHAR *Place)
{
    PUCHAR At = (PUCHAR)(Acl + 1), End = (PUCHAR)Acl + Acl->AclSize;

    if (!RtlpKnownRevision(Acl->AclRevision) || Acl->AclSize < sizeof(*Acl) || Index > Acl->AceCount) {
        return FALSE;
    }
    while (Index-- != 0) {
        PACE_HEADER Ace = (PACE_HEADER)At;

        if ((ULONG_PTR)(End - At) < sizeof(*Ace) || Ace->AceSize < sizeof(*Ace) || Ace->AceSize % sizeof(ULONG) != 0 ||
            Ace->AceSize > (ULONG_PTR)(End - At)) {
            return FALSE;
        }
        At += Ace->AceSize;
    }
    *Place = At;
    return TRUE;
}

/* The identifier of an entry that holds a mask and an identifier lies within it. */
static BOOLEAN RtlpValidAce(PACE_HEADER Ace)
{
    PSID Sid = &((PACCESS_ALLOWED_ACE)Ace)->SidStart;

    if (Ace->AceType > SYSTEM_ALARM_ACE_TYPE && Ace->AceType != SYSTEM_MANDATORY_LABEL_ACE_TYPE) {
        return TRUE; /* another layout */
    }
    return Ace->AceSize >= FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthRequiredSid(0) && RtlValidSid(Sid) &&
           Ace->AceSize >= FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthSid(Sid);
}

BOOLEAN NTAPI RtlValidAcl(PACL Acl)
{
    PUCHAR At, Next;

    if (!RtlpWalkAcl(Acl, 0, &At)) {
        return FALSE;
    }
    for (ULONG Index = 0; Index < Acl->AceCount; Index++, At = Next) {
        PACE_HEADER Ace = (PACE_HEADER)At;
        ULONG_PTR Left = (ULONG_PTR)((PUCHAR)Acl + Acl->AclSize - At);

        if (Left < sizeof(*Ace) || Ace->AceSize < sizeof(*Ace) || Ace->AceSize % sizeof(ULONG) != 0 ||
            Ace->AceSize > Left || !RtlpValidAce(Ace)) {
            return FALSE;
        }
        Next = At + Ace->AceSize;
    }
    return TRUE;
}

/* TRUE and NULL: the list is full. */
BOOLEAN NTAPI RtlFirstFreeAce(PACL Acl, PVOID *FirstFree)
{
    PUCHAR Place;

    *FirstFree = NULL;
    if (!RtlpWalkAcl(Acl, Acl->AceCount, &Place)) {
        return FALSE;
    }
    if (Place < (PUCHAR)Acl + Acl->AclSize) {
        *FirstFree = Place;
    }
    return TRUE;
}

NTSTATUS NTAPI RtlCreateAcl(PACL Acl, ULONG AclLength, ULONG AclRevision)
{
    if (AclLength < sizeof(*Acl)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (!RtlpKnownRevision(AclRevision) || AclLength > MAXUSHORT) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(Acl, sizeof(*Acl));
    Acl->AclRevision = (UCHAR)AclRevision;
    Acl->AclSize = (USHORT)(AclLength & ~3u); /* entries are aligned, so the rest holds none */
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlGetAce(PACL Acl, ULONG AceIndex, PVOID *Ace)
{
    PUCHAR Place;

    if (AceIndex >= Acl->AceCount || !RtlpWalkAcl(Acl, AceIndex, &Place) || Place >= (PUCHAR)Acl + Acl->AclSize) {
        return STATUS_INVALID_PARAMETER;
    }
    *Ace = Place;
    return STATUS_SUCCESS;
}

/* Entries that fill AceListLength exactly; 0 when they do not, or when one needs a later revision than AceRevision. */
static ULONG RtlpCountAces(PVOID AceList, ULONG AceListLength, ULONG AceRevision)
{
    ULONG Count = 0, Done = 0;

    while (Done != AceListLength) {
        PACE_HEADER Ace = (PACE_HEADER)((PUCHAR)AceList + Done);

        if (AceListLength - Done < sizeof(*Ace) || Ace->AceSize < sizeof(*Ace) || Ace->AceSize > AceListLength - Done ||
            (AceRevision < ACL_REVISION_DS && Ace->AceType >= ACCESS_ALLOWED_OBJECT_ACE_TYPE &&
             Ace->AceType <= SYSTEM_ALARM_OBJECT_ACE_TYPE)) {
            return 0;
        }
        Done += Ace->AceSize;
        Count++;
    }
    return Count;
}

NTSTATUS NTAPI RtlAddAce(PACL Acl, ULONG AceRevision, ULONG StartingAceIndex, PVOID AceList, ULONG AceListLength)
{
    PUCHAR Place, End;
    ULONG Count;

    if (!RtlValidAcl(Acl) || !RtlpWalkAcl(Acl, Acl->AceCount, &End) || !RtlpKnownRevision(AceRevision)) {
        return STATUS_INVALID_PARAMETER;
    }
    Count = RtlpCountAces(AceList, AceListLength, AceRevision);
    if (Count == 0 || Count + Acl->AceCount > MAXUSHORT) {
        return STATUS_INVALID_PARAMETER;
    }
    if (AceListLength > (ULONG_PTR)((PUCHAR)Acl + Acl->AclSize - End)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlpWalkAcl(Acl, min(StartingAceIndex, Acl->AceCount), &Place);
    RtlMoveMemory(Place + AceListLength, Place, (SIZE_T)(End - Place));
    RtlMoveMemory(Place, AceList, AceListLength);
    Acl->AceCount += (USHORT)Count;
    Acl->AclRevision = (UCHAR)max(Acl->AclRevision, AceRevision);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlDeleteAce(PACL Acl, ULONG AceIndex)
{
    PUCHAR Place, Next, End;

    if (AceIndex >= Acl->AceCount || !RtlpWalkAcl(Acl, Acl->AceCount, &End)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlpWalkAcl(Acl, AceIndex, &Place);
    Next = Place + ((PACE_HEADER)Place)->AceSize;
    RtlMoveMemory(Place, Next, (SIZE_T)(End - Next));
    RtlZeroMemory(End - (Next - Place), (SIZE_T)(Next - Place));
    Acl->AceCount--;
    return STATUS_SUCCESS;
}

static NTSTATUS RtlpAddKnownAce(PACL Acl, ULONG AceRevision, ULONG AceFlags, ACCESS_MASK AccessMask, PSID Sid,
                                UCHAR Type)
{
    PACCESS_ALLOWED_ACE Ace;
    PUCHAR Place;
    ULONG Size;

    if (!RtlValidSid(Sid)) {
        return STATUS_INVALID_SID;
    }
    if (!RtlpKnownRevision(AceRevision) || Acl->AclRevision > ACL_REVISION4) {
        return STATUS_REVISION_MISMATCH;
    }
    if ((AceFlags & ~VALID_INHERIT_FLAGS) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!RtlpWalkAcl(Acl, Acl->AceCount, &Place)) {
        return STATUS_INVALID_ACL;
    }
    Size = FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart) + RtlLengthSid(Sid);
    if (Size > (ULONG_PTR)((PUCHAR)Acl + Acl->AclSize - Place)) {
        return STATUS_ALLOTTED_SPACE_EXCEEDED;
    }
    Ace = (PACCESS_ALLOWED_ACE)Place;
    Ace->Header.AceType = Type;
    Ace->Header.AceFlags = (UCHAR)AceFlags;
    Ace->Header.AceSize = (USHORT)Size;
    Ace->Mask = AccessMask;
    RtlCopyMemory(&Ace->SidStart, Sid, RtlLengthSid(Sid));
    Acl->AceCount++;
    Acl->AclRevision = (UCHAR)max(Acl->AclRevision, AceRevision);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlAddAccessAllowedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddKnownAce(Acl, AceRevision, 0, AccessMask, Sid, ACCESS_ALLOWED_ACE_TYPE);
}

NTSTATUS NTAPI RtlAddAccessAllowedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags, ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddKnownAce(Acl, AceRevision, AceFlags, AccessMask, Sid, ACCESS_ALLOWED_ACE_TYPE);
}

NTSTATUS NTAPI RtlAddAccessDeniedAce(PACL Acl, ULONG AceRevision, ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddKnownAce(Acl, AceRevision, 0, AccessMask, Sid, ACCESS_DENIED_ACE_TYPE);
}

NTSTATUS NTAPI RtlAddAccessDeniedAceEx(PACL Acl, ULONG AceRevision, ULONG AceFlags, ACCESS_MASK AccessMask, PSID Sid)
{
    return RtlpAddKnownAce(Acl, AceRevision, AceFlags, AccessMask, Sid, ACCESS_DENIED_ACE_TYPE);
}
