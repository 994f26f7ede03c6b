// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access control lists from others: copied with generic rights mapped, and inherited from a parent.
 *
 * Inheritance: into a directory goes what has CONTAINER_INHERIT_ACE, and what has only OBJECT_INHERIT_ACE as
 * an entry that is only handed on; into anything else what has OBJECT_INHERIT_ACE.  NO_PROPAGATE_INHERIT_ACE
 * ends it there.  CREATOR OWNER and CREATOR GROUP become the new object's owner and group; when that, or
 * mapping a generic right, changes an entry that goes on to children, these get the original, as an entry of
 * its own that is only inherited.
 */
#include "sd.h"

#define SEP_INHERITS (OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE)
#define SEP_GENERIC  (GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL)

/* The list's end is looked at for every entry: a descriptor may be a driver's own making. */
PACE_HEADER SepNextAce(PACL Acl, PACE_HEADER Ace)
{
    PUCHAR At = Ace == NULL ? (PUCHAR)(Acl + 1) : (PUCHAR)Ace + Ace->AceSize, End = (PUCHAR)Acl + Acl->AclSize;

    Ace = (PACE_HEADER)At;
    if (At + sizeof(ACE_HEADER) > End || Ace->AceSize < sizeof(ACE_HEADER) || At + Ace->AceSize > End) {
        return NULL;
    }
    return Ace;
}

BOOLEAN SepIsSidAce(PACE_HEADER Ace)
{
    ULONG Fixed = FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart);

    return (Ace->AceType <= SYSTEM_AUDIT_ACE_TYPE || Ace->AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE) &&
           Ace->AceSize >= Fixed + RtlLengthRequiredSid(0) &&
           Ace->AceSize >= Fixed + RtlLengthSid(&((PACCESS_ALLOWED_ACE)Ace)->SidStart);
}

/* Room for an entry, NULL while the list is measured. */
static PACE_HEADER SepTakeAce(PSEP_LIST List, ULONG Length)
{
    PACE_HEADER Ace = List->Acl != NULL ? (PACE_HEADER)((PUCHAR)List->Acl + List->Used) : NULL;

    List->Used += Length;
    List->Count++;
    return Ace;
}

static VOID SepAppendAce(PSEP_LIST List, PACE_HEADER From, UCHAR Flags, PSID Sid, PGENERIC_MAPPING Mapping)
{
    ULONG Fixed = FIELD_OFFSET(ACCESS_ALLOWED_ACE, SidStart);
    ULONG Length = Sid != NULL ? Fixed + RtlLengthSid(Sid) : From->AceSize;
    PACCESS_ALLOWED_ACE To = (PACCESS_ALLOWED_ACE)SepTakeAce(List, Length);

    if (To == NULL) {
        return;
    }
    RtlCopyMemory(To, From, Sid != NULL ? Fixed : Length);
    if (Sid != NULL) {
        RtlCopySid(Length - Fixed, &To->SidStart, Sid);
    }
    To->Header.AceSize = (USHORT)Length;
    To->Header.AceFlags = Flags;
    if (Mapping != NULL && SepIsSidAce(&To->Header) && To->Header.AceType != SYSTEM_MANDATORY_LABEL_ACE_TYPE) {
        RtlMapGenericMask(&To->Mask, Mapping);
    }
}

VOID SepAppendAcl(PSEP_LIST List, PACL Acl, BOOLEAN WithInherited, PGENERIC_MAPPING Mapping)
{
    PACE_HEADER Ace = NULL;

    for (ULONG Left = Acl->AceCount; Left != 0 && (Ace = SepNextAce(Acl, Ace)) != NULL; Left--) {
        if (WithInherited || (Ace->AceFlags & INHERITED_ACE) == 0) {
            SepAppendAce(List, Ace, Ace->AceFlags, NULL, (Ace->AceFlags & INHERIT_ONLY_ACE) != 0 ? NULL : Mapping);
        }
    }
}

/* Who the entry is about in the new object. */
static PSID SepHeirSid(PACE_HEADER Ace, PSEP_HEIR Heir)
{
    PSID Sid = &((PACCESS_ALLOWED_ACE)Ace)->SidStart;

    if (!SepIsSidAce(Ace)) {
        return NULL;
    }
    if (RtlEqualSid(Sid, SeExports->SeCreatorOwnerSid)) {
        return Heir->Owner;
    }
    return RtlEqualSid(Sid, SeExports->SeCreatorGroupSid) && Heir->Group != NULL ? Heir->Group : Sid;
}

static VOID SepInheritAce(PSEP_LIST List, PACE_HEADER Ace, PSEP_HEIR Heir)
{
    UCHAR Mark = (UCHAR)(Ace->AceFlags & (SUCCESSFUL_ACCESS_ACE_FLAG | FAILED_ACCESS_ACE_FLAG)) |
                 (Heir->Automatic ? INHERITED_ACE : 0);
    UCHAR On = Ace->AceFlags & NO_PROPAGATE_INHERIT_ACE ? 0 : Ace->AceFlags & SEP_INHERITS;
    PSID Sid = SepHeirSid(Ace, Heir);
    BOOLEAN Changed;

    if (!Heir->IsDirectory) {
        if ((Ace->AceFlags & OBJECT_INHERIT_ACE) != 0) {
            SepAppendAce(List, Ace, Mark, Sid, Heir->Mapping);
        }
        return;
    }
    if ((Ace->AceFlags & CONTAINER_INHERIT_ACE) == 0) {
        if (On != 0) {
            SepAppendAce(List, Ace, Mark | On | INHERIT_ONLY_ACE, NULL, NULL);
        }
        return;
    }
    Changed = Sid != NULL && (Sid != (PSID) & ((PACCESS_ALLOWED_ACE)Ace)->SidStart ||
                              (((PACCESS_ALLOWED_ACE)Ace)->Mask & SEP_GENERIC) != 0);
    SepAppendAce(List, Ace, Changed ? Mark : Mark | On, Sid, Heir->Mapping);
    if (Changed && On != 0) {
        SepAppendAce(List, Ace, Mark | On | INHERIT_ONLY_ACE, NULL, NULL);
    }
}

VOID SepAppendInherited(PSEP_LIST List, PACL Acl, PSEP_HEIR Heir)
{
    PACE_HEADER Ace = NULL;

    for (ULONG Left = Acl->AceCount; Left != 0 && (Ace = SepNextAce(Acl, Ace)) != NULL; Left--) {
        if ((Ace->AceFlags & SEP_INHERITS) != 0) {
            SepInheritAce(List, Ace, Heir);
        }
    }
}
