// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Splay links and the generic tables built on them, in the public layout: a root is its own parent, and each element
 * also stands in a list in the order of insertion.
 */
#include "rtlp.h"

typedef struct _RTLP_SPLAY_NODE {
    RTL_SPLAY_LINKS Links;
    LIST_ENTRY Order;
    LONGLONG UserData;
} RTLP_SPLAY_NODE;

#define RTLP_DATA(Node) ((PVOID) & ((RTLP_SPLAY_NODE *)(Node))->UserData)

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

static BOOLEAN RtlpIsSplayRoot(PRTL_SPLAY_LINKS Node)
{
    return Node->Parent == Node;
}

static VOID RtlpReplaceSplayChild(PRTL_SPLAY_LINKS Node, PRTL_SPLAY_LINKS New)
{
    PRTL_SPLAY_LINKS Parent = Node->Parent;

    if (Parent == Node) {
        if (New != NULL)
            New->Parent = New;
        return;
    }
    if (Parent->LeftChild == Node)
        Parent->LeftChild = New;
    else
        Parent->RightChild = New;
    if (New != NULL)
        New->Parent = Parent;
}

static VOID RtlpRotateSplay(PRTL_SPLAY_LINKS Child)
{
    PRTL_SPLAY_LINKS Parent = Child->Parent;

    RtlpReplaceSplayChild(Parent, Child);
    if (Parent->LeftChild == Child) {
        Parent->LeftChild = Child->RightChild;
        if (Parent->LeftChild != NULL)
            Parent->LeftChild->Parent = Parent;
        Child->RightChild = Parent;
    } else {
        Parent->RightChild = Child->LeftChild;
        if (Parent->RightChild != NULL)
            Parent->RightChild->Parent = Parent;
        Child->LeftChild = Parent;
    }
    Parent->Parent = Child;
}

PRTL_SPLAY_LINKS NTAPI RtlSplay(PRTL_SPLAY_LINKS Links)
{
    while (!RtlpIsSplayRoot(Links)) {
        PRTL_SPLAY_LINKS Parent = Links->Parent;

        if (!RtlpIsSplayRoot(Parent)) {
            BOOLEAN Same = (Parent->LeftChild == Links) == (Parent->Parent->LeftChild == Parent);
            RtlpRotateSplay(Same ? Parent : Links);
        }
        RtlpRotateSplay(Links);
    }
    return Links;
}

PRTL_SPLAY_LINKS NTAPI RtlSubtreeSuccessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Node = Links->RightChild;

    while (Node != NULL && Node->LeftChild != NULL)
        Node = Node->LeftChild;
    return Node;
}

PRTL_SPLAY_LINKS NTAPI RtlSubtreePredecessor(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Node = Links->LeftChild;

    while (Node != NULL && Node->RightChild != NULL)
        Node = Node->RightChild;
    return Node;
}

PRTL_SPLAY_LINKS NTAPI RtlRealSuccessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->RightChild != NULL)
        return RtlSubtreeSuccessor(Links);
    while (!RtlpIsSplayRoot(Links) && Links->Parent->RightChild == Links)
        Links = Links->Parent;
    return RtlpIsSplayRoot(Links) ? NULL : Links->Parent;
}

PRTL_SPLAY_LINKS NTAPI RtlRealPredecessor(PRTL_SPLAY_LINKS Links)
{
    if (Links->LeftChild != NULL)
        return RtlSubtreePredecessor(Links);
    while (!RtlpIsSplayRoot(Links) && Links->Parent->LeftChild == Links)
        Links = Links->Parent;
    return RtlpIsSplayRoot(Links) ? NULL : Links->Parent;
}

/* Takes Links out; *Root follows. */
VOID NTAPI RtlDeleteNoSplay(PRTL_SPLAY_LINKS Links, PRTL_SPLAY_LINKS *Root)
{
    PRTL_SPLAY_LINKS New = Links->LeftChild != NULL ? Links->LeftChild : Links->RightChild;

    if (Links->LeftChild != NULL && Links->RightChild != NULL) {
        New = RtlSubtreePredecessor(Links);
        if (New->Parent != Links) {
            RtlpReplaceSplayChild(New, New->LeftChild);
            New->LeftChild = Links->LeftChild;
            New->LeftChild->Parent = New;
        }
        New->RightChild = Links->RightChild;
        New->RightChild->Parent = New;
    }
    RtlpReplaceSplayChild(Links, New);
    if (*Root == Links)
        *Root = New;
}

PRTL_SPLAY_LINKS NTAPI RtlDelete(PRTL_SPLAY_LINKS Links)
{
    PRTL_SPLAY_LINKS Root = Links, Around;

    while (!RtlpIsSplayRoot(Root))
        Root = Root->Parent;
    Around = RtlpIsSplayRoot(Links) ? NULL : Links->Parent;
    RtlDeleteNoSplay(Links, &Root);
    if (Around == NULL)
        return Root;
    return RtlSplay(Around);
}

static TABLE_SEARCH_RESULT RtlpFindInTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, PRTL_SPLAY_LINKS *NodeOrParent)
{
    PRTL_SPLAY_LINKS Node = Table->TableRoot, Next;

    if (Node == NULL)
        return TableEmptyTree;
    for (;; Node = Next) {
        RTL_GENERIC_COMPARE_RESULTS Order = Table->CompareRoutine(Table, Buffer, RTLP_DATA(Node));

        *NodeOrParent = Node;
        if (Order == GenericEqual)
            return TableFoundNode;
        Next = Order == GenericLessThan ? Node->LeftChild : Node->RightChild;
        if (Next == NULL)
            return Order == GenericLessThan ? TableInsertAsLeft : TableInsertAsRight;
    }
}

VOID NTAPI RtlInitializeGenericTable(PRTL_GENERIC_TABLE Table, PRTL_GENERIC_COMPARE_ROUTINE CompareRoutine,
                                     PRTL_GENERIC_ALLOCATE_ROUTINE AllocateRoutine,
                                     PRTL_GENERIC_FREE_ROUTINE FreeRoutine, PVOID TableContext)
{
    RtlpCheckTable((PVOID)CompareRoutine, (PVOID)AllocateRoutine, (PVOID)FreeRoutine);
    memset(Table, 0, sizeof(*Table));
    InitializeListHead(&Table->InsertOrderList);
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
}

PVOID NTAPI RtlInsertElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer, CLONG BufferSize, PBOOLEAN NewElement)
{
    PRTL_SPLAY_LINKS Where = NULL;
    TABLE_SEARCH_RESULT Result = RtlpFindInTable(Table, Buffer, &Where);
    RTLP_SPLAY_NODE *Node;

    if (NewElement != NULL)
        *NewElement = FALSE;
    if (Result == TableFoundNode) {
        Table->TableRoot = RtlSplay(Where);
        return RTLP_DATA(Where);
    }
    Node = Table->AllocateRoutine(Table, BufferSize + FIELD_OFFSET(RTLP_SPLAY_NODE, UserData));
    if (Node == NULL)
        return NULL;
    Node->Links.LeftChild = Node->Links.RightChild = NULL;
    Node->Links.Parent = Result == TableEmptyTree ? &Node->Links : Where;
    if (Result == TableInsertAsLeft)
        Where->LeftChild = &Node->Links;
    else if (Result == TableInsertAsRight)
        Where->RightChild = &Node->Links;
    InsertTailList(&Table->InsertOrderList, &Node->Order);
    Table->NumberGenericTableElements++;
    memcpy(RTLP_DATA(Node), Buffer, BufferSize);
    Table->TableRoot = RtlSplay(&Node->Links);
    if (NewElement != NULL)
        *NewElement = TRUE;
    return RTLP_DATA(Node);
}

BOOLEAN NTAPI RtlDeleteElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PRTL_SPLAY_LINKS Node = NULL;

    if (RtlpFindInTable(Table, Buffer, &Node) != TableFoundNode)
        return FALSE;
    Table->TableRoot = RtlDelete(Node);
    RemoveEntryList(&((RTLP_SPLAY_NODE *)Node)->Order);
    Table->NumberGenericTableElements--;
    Table->OrderedPointer = &Table->InsertOrderList;
    Table->WhichOrderedElement = 0;
    Table->FreeRoutine(Table, Node);
    return TRUE;
}

PVOID NTAPI RtlLookupElementGenericTable(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    PRTL_SPLAY_LINKS Node = NULL;

    if (RtlpFindInTable(Table, Buffer, &Node) != TableFoundNode)
        return NULL;
    Table->TableRoot = RtlSplay(Node);
    return RTLP_DATA(Node);
}

PVOID NTAPI RtlEnumerateGenericTableWithoutSplaying(PRTL_GENERIC_TABLE Table, PVOID *RestartKey)
{
    PRTL_SPLAY_LINKS Node = *RestartKey;

    if (Node != NULL) {
        Node = RtlRealSuccessor(Node);
    } else {
        for (Node = Table->TableRoot; Node != NULL && Node->LeftChild != NULL;)
            Node = Node->LeftChild;
    }
    if (Node == NULL)
        return NULL;
    *RestartKey = Node;
    return RTLP_DATA(Node);
}

PVOID NTAPI RtlEnumerateGenericTable(PRTL_GENERIC_TABLE Table, BOOLEAN Restart)
{
    PRTL_SPLAY_LINKS Node = Table->TableRoot;

    if (Node == NULL)
        return NULL;
    if (Restart) {
        while (Node->LeftChild != NULL)
            Node = Node->LeftChild;
    } else {
        Node = RtlRealSuccessor(Node);
        if (Node == NULL)
            return NULL;
    }
    Table->TableRoot = RtlSplay(Node);
    return RTLP_DATA(Node);
}

/* By the order of insertion. */
PVOID NTAPI RtlGetElementGenericTable(PRTL_GENERIC_TABLE Table, ULONG I)
{
    PLIST_ENTRY Entry = Table->InsertOrderList.Flink;

    if (I >= Table->NumberGenericTableElements)
        return NULL;
    while (I-- > 0)
        Entry = Entry->Flink;
    return RTLP_DATA(CONTAINING_RECORD(Entry, RTLP_SPLAY_NODE, Order));
}

ULONG NTAPI RtlNumberGenericTableElements(PRTL_GENERIC_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmpty(PRTL_GENERIC_TABLE Table)
{
    return Table->NumberGenericTableElements == 0;
}
