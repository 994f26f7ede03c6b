// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generic tables on AVL trees, in the public layout.
 *
 * BalancedRoot is a sentinel whose right child is the tree's root (its parent is itself), so the root has a parent like
 * any node.  Balance is the right subtree's depth less the left's.  User data follow the links of a node at a
 * 16-byte boundary.  The caller synchronizes.  IRQL: the caller's routines and memory decide.
 */
#include "rtlp.h"

/* Offset of user data behind RTL_BALANCED_LINKS. */
typedef struct _RTLP_AVL_NODE {
    RTL_BALANCED_LINKS Links;
    LONGLONG UserData;
} RTLP_AVL_NODE;
C_ASSERT(FIELD_OFFSET(RTLP_AVL_NODE, UserData) == 0x20);

#define RTLP_DATA(Node) ((PVOID) & ((RTLP_AVL_NODE *)(Node))->UserData)
#define RTLP_NODE(Data) ((PRTL_BALANCED_LINKS)CONTAINING_RECORD(Data, RTLP_AVL_NODE, UserData))

#pragma clang diagnostic ignored "-Wmissing-prototypes" /* some exports are in no public header */

static PRTL_BALANCED_LINKS RtlpAvlRoot(PRTL_AVL_TABLE Table)
{
    return Table->BalancedRoot.RightChild;
}

/* Puts New (or nothing) where Node hangs from its parent. */
static VOID RtlpAvlReplaceChild(PRTL_BALANCED_LINKS Node, PRTL_BALANCED_LINKS New)
{
    if (Node->Parent->LeftChild == Node && Node->Parent != Node)
        Node->Parent->LeftChild = New;
    else
        Node->Parent->RightChild = New;
    if (New != NULL)
        New->Parent = Node->Parent;
}

/* Rotates Child above its parent. */
static VOID RtlpAvlPromote(PRTL_BALANCED_LINKS Child)
{
    PRTL_BALANCED_LINKS Parent = Child->Parent;

    RtlpAvlReplaceChild(Parent, Child);
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

/* Node is two deeper on one side.  TRUE when the subtree is as deep as it was before that. */
static BOOLEAN RtlpAvlRebalance(PRTL_BALANCED_LINKS Node)
{
    CHAR Side = Node->Balance > 0 ? 1 : -1;
    PRTL_BALANCED_LINKS Child = Side > 0 ? Node->RightChild : Node->LeftChild, Grandchild;

    if (Child->Balance == Side) {
        RtlpAvlPromote(Child);
        Child->Balance = Node->Balance = 0;
        return FALSE;
    }
    if (Child->Balance == -Side) {
        Grandchild = Side > 0 ? Child->LeftChild : Child->RightChild;
        RtlpAvlPromote(Grandchild);
        RtlpAvlPromote(Grandchild);
        Node->Balance = Grandchild->Balance == Side ? -Side : 0;
        Child->Balance = Grandchild->Balance == -Side ? Side : 0;
        Grandchild->Balance = 0;
        return FALSE;
    }
    /* Only when deleting: the depth stays. */
    RtlpAvlPromote(Child);
    Child->Balance = -Side;
    Node->Balance = Side;
    return TRUE;
}

static VOID RtlpAvlInsertNode(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node, PRTL_BALANCED_LINKS Parent,
                              TABLE_SEARCH_RESULT Where)
{
    Node->LeftChild = Node->RightChild = NULL;
    Node->Balance = 0;
    Table->NumberGenericTableElements++;
    if (Where == TableEmptyTree) {
        Table->BalancedRoot.RightChild = Node;
        Node->Parent = &Table->BalancedRoot;
        Table->DepthOfTree = 1;
        return;
    }
    if (Where == TableInsertAsLeft)
        Parent->LeftChild = Node;
    else
        Parent->RightChild = Node;
    Node->Parent = Parent;
    for (; Parent != &Table->BalancedRoot; Node = Parent, Parent = Parent->Parent) {
        Parent->Balance += Parent->LeftChild == Node ? -1 : 1;
        if (Parent->Balance == 0)
            return;
        if (Parent->Balance == 2 || Parent->Balance == -2) {
            RtlpAvlRebalance(Parent);
            return;
        }
    }
    Table->DepthOfTree++;
}

static PRTL_BALANCED_LINKS RtlpAvlFirst(PRTL_BALANCED_LINKS Node)
{
    while (Node != NULL && Node->LeftChild != NULL)
        Node = Node->LeftChild;
    return Node;
}

/* In order; NULL behind the last. */
static PRTL_BALANCED_LINKS RtlpAvlSuccessor(PRTL_BALANCED_LINKS Node)
{
    if (Node->RightChild != NULL)
        return RtlpAvlFirst(Node->RightChild);
    while (Node->Parent->RightChild == Node && Node->Parent != Node->Parent->Parent)
        Node = Node->Parent;
    Node = Node->Parent;
    return Node->Parent == Node ? NULL : Node;
}

static PRTL_BALANCED_LINKS RtlpAvlPredecessor(PRTL_BALANCED_LINKS Node)
{
    if (Node->LeftChild != NULL) {
        Node = Node->LeftChild;
        while (Node->RightChild != NULL)
            Node = Node->RightChild;
        return Node;
    }
    while (Node->Parent->LeftChild == Node)
        Node = Node->Parent;
    Node = Node->Parent;
    return Node->Parent == Node ? NULL : Node;
}

static VOID RtlpAvlRemoveNode(PRTL_AVL_TABLE Table, PRTL_BALANCED_LINKS Node)
{
    PRTL_BALANCED_LINKS Parent, Successor, Child;
    CHAR Step;

    if (Node->LeftChild != NULL && Node->RightChild != NULL) {
        /* Its successor takes its place; what is cut out is the successor's old place. */
        Successor = RtlpAvlFirst(Node->RightChild);
        Parent = Successor->Parent == Node ? Successor : Successor->Parent;
        Step = Successor->Parent == Node ? -1 : 1; /* what shrinks: the right or the left side of Parent */
        if (Successor->Parent != Node) {
            RtlpAvlReplaceChild(Successor, Successor->RightChild);
            Successor->RightChild = Node->RightChild;
            Successor->RightChild->Parent = Successor;
        }
        Successor->LeftChild = Node->LeftChild;
        Successor->LeftChild->Parent = Successor;
        Successor->Balance = Node->Balance;
        RtlpAvlReplaceChild(Node, Successor);
    } else {
        Child = Node->LeftChild != NULL ? Node->LeftChild : Node->RightChild;
        Parent = Node->Parent;
        Step = Parent->LeftChild == Node && Parent != &Table->BalancedRoot ? 1 : -1;
        RtlpAvlReplaceChild(Node, Child);
    }
    Table->NumberGenericTableElements--;
    Table->DeleteCount++;
    while (Parent != &Table->BalancedRoot) {
        PRTL_BALANCED_LINKS Above = Parent->Parent;
        BOOLEAN Left = Above->LeftChild == Parent && Above != &Table->BalancedRoot;

        Parent->Balance += Step;
        if (Parent->Balance == 1 || Parent->Balance == -1)
            return;
        if (Parent->Balance != 0 && RtlpAvlRebalance(Parent))
            return;
        Step = Left ? 1 : -1;
        Parent = Above;
    }
    Table->DepthOfTree--;
}

/* Where Buffer is, or the node below which it belongs. */
static TABLE_SEARCH_RESULT RtlpAvlFind(PRTL_AVL_TABLE Table, PVOID Buffer, PRTL_BALANCED_LINKS *NodeOrParent)
{
    PRTL_BALANCED_LINKS Node = RtlpAvlRoot(Table), Next;

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

VOID NTAPI RtlInitializeGenericTableAvl(PRTL_AVL_TABLE Table, PRTL_AVL_COMPARE_ROUTINE CompareRoutine,
                                        PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine, PRTL_AVL_FREE_ROUTINE FreeRoutine,
                                        PVOID TableContext)
{
    RtlpCheckTable((PVOID)CompareRoutine, (PVOID)AllocateRoutine, (PVOID)FreeRoutine);
    memset(Table, 0, sizeof(*Table));
    Table->BalancedRoot.Parent = &Table->BalancedRoot;
    Table->CompareRoutine = CompareRoutine;
    Table->AllocateRoutine = AllocateRoutine;
    Table->FreeRoutine = FreeRoutine;
    Table->TableContext = TableContext;
}

PVOID NTAPI RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, CLONG BufferSize,
                                                PBOOLEAN NewElement, PVOID NodeOrParent,
                                                TABLE_SEARCH_RESULT SearchResult)
{
    PRTL_BALANCED_LINKS Node = NodeOrParent;

    if (NewElement != NULL)
        *NewElement = SearchResult != TableFoundNode;
    if (SearchResult == TableFoundNode)
        return RTLP_DATA(Node);
    Node = Table->AllocateRoutine(Table, BufferSize + FIELD_OFFSET(RTLP_AVL_NODE, UserData));
    if (Node == NULL) {
        if (NewElement != NULL)
            *NewElement = FALSE;
        return NULL;
    }
    memset(Node, 0, sizeof(*Node));
    memcpy(RTLP_DATA(Node), Buffer, BufferSize);
    RtlpAvlInsertNode(Table, Node, NodeOrParent, SearchResult);
    Table->OrderedPointer = NULL;
    Table->WhichOrderedElement = 0;
    return RTLP_DATA(Node);
}

PVOID NTAPI RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, CLONG BufferSize, PBOOLEAN NewElement)
{
    PRTL_BALANCED_LINKS NodeOrParent = NULL;
    TABLE_SEARCH_RESULT Result = RtlpAvlFind(Table, Buffer, &NodeOrParent);

    return RtlInsertElementGenericTableFullAvl(Table, Buffer, BufferSize, NewElement, NodeOrParent, Result);
}

BOOLEAN NTAPI RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    PRTL_BALANCED_LINKS Node = NULL;

    if (RtlpAvlFind(Table, Buffer, &Node) != TableFoundNode)
        return FALSE;
    if (Table->RestartKey == Node) /* an enumeration stands here: it goes on with the next */
        Table->RestartKey = RtlpAvlPredecessor(Node);
    RtlpAvlRemoveNode(Table, Node);
    Table->OrderedPointer = NULL;
    Table->WhichOrderedElement = 0;
    Table->FreeRoutine(Table, Node);
    return TRUE;
}

VOID NTAPI RtlDeleteElementGenericTableAvlEx(PRTL_AVL_TABLE Table, PVOID NodeOrParent)
{
    RtlpAvlRemoveNode(Table, NodeOrParent);
    Table->OrderedPointer = NULL;
    Table->WhichOrderedElement = 0;
    Table->FreeRoutine(Table, NodeOrParent);
}

PVOID NTAPI RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE Table, PVOID Buffer, PVOID *NodeOrParent,
                                                TABLE_SEARCH_RESULT *SearchResult)
{
    PRTL_BALANCED_LINKS Node = NULL;

    *SearchResult = RtlpAvlFind(Table, Buffer, &Node);
    *NodeOrParent = Node;
    return *SearchResult == TableFoundNode ? RTLP_DATA(Node) : NULL;
}

PVOID NTAPI RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer)
{
    PVOID NodeOrParent;
    TABLE_SEARCH_RESULT Result;

    return RtlLookupElementGenericTableFullAvl(Table, Buffer, &NodeOrParent, &Result);
}

PVOID NTAPI RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE Table, PVOID *RestartKey)
{
    PRTL_BALANCED_LINKS Node = *RestartKey == NULL ? RtlpAvlFirst(RtlpAvlRoot(Table)) : RtlpAvlSuccessor(*RestartKey);

    if (Node == NULL)
        return NULL;
    *RestartKey = Node;
    return RTLP_DATA(Node);
}

PVOID NTAPI RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE Table, BOOLEAN Restart)
{
    PVOID Key = Restart ? NULL : Table->RestartKey;
    PVOID Data = RtlEnumerateGenericTableWithoutSplayingAvl(Table, &Key);

    if (Data != NULL)
        Table->RestartKey = Key;
    return Data;
}

/* The first element that the match routine calls equal; the tree's order must agree with it. */
PVOID NTAPI RtlLookupFirstMatchingElementGenericTableAvl(PRTL_AVL_TABLE Table, PVOID Buffer, PVOID *RestartKey)
{
    PRTL_BALANCED_LINKS Node = NULL, Previous;

    *RestartKey = NULL;
    if (RtlpAvlFind(Table, Buffer, &Node) != TableFoundNode)
        return NULL;
    while ((Previous = RtlpAvlPredecessor(Node)) != NULL &&
           Table->CompareRoutine(Table, Buffer, RTLP_DATA(Previous)) == GenericEqual)
        Node = Previous;
    *RestartKey = Node;
    return RTLP_DATA(Node);
}

PVOID NTAPI RtlEnumerateGenericTableLikeADirectory(PRTL_AVL_TABLE Table, PRTL_AVL_MATCH_FUNCTION MatchFunction,
                                                   PVOID MatchData, ULONG NextFlag, PVOID *RestartKey,
                                                   PULONG DeleteCount, PVOID Buffer)
{
    PRTL_BALANCED_LINKS Node = NULL;

    if (RtlpAvlRoot(Table) == NULL) {
        *RestartKey = NULL;
        return NULL;
    }
    if (*RestartKey != NULL && *DeleteCount == Table->DeleteCount) {
        Node = *RestartKey;
        if (NextFlag)
            Node = RtlpAvlSuccessor(Node);
    } else {
        TABLE_SEARCH_RESULT Result = RtlpAvlFind(Table, Buffer, &Node);
        if ((Result == TableFoundNode && NextFlag) || Result == TableInsertAsRight)
            Node = RtlpAvlSuccessor(Node);
    }
    for (; Node != NULL; Node = RtlpAvlSuccessor(Node)) {
        NTSTATUS Status = MatchFunction != NULL ? MatchFunction(Table, RTLP_DATA(Node), MatchData) : STATUS_SUCCESS;
        if (Status == STATUS_NO_MORE_MATCHES)
            return NULL;
        if (Status == STATUS_SUCCESS) {
            *RestartKey = Node;
            *DeleteCount = Table->DeleteCount;
            return RTLP_DATA(Node);
        }
    }
    return NULL;
}

PVOID NTAPI RtlGetElementGenericTableAvl(PRTL_AVL_TABLE Table, ULONG I)
{
    PRTL_BALANCED_LINKS Node = Table->OrderedPointer;
    ULONG At = Table->WhichOrderedElement; /* counted from 1; 0: unknown */

    if (I >= Table->NumberGenericTableElements)
        return NULL;
    if (Node == NULL || At == 0 || At > I + 1) {
        Node = RtlpAvlFirst(RtlpAvlRoot(Table));
        At = 1;
    }
    for (; At < I + 1; At++)
        Node = RtlpAvlSuccessor(Node);
    Table->OrderedPointer = Node;
    Table->WhichOrderedElement = At;
    return RTLP_DATA(Node);
}

ULONG NTAPI RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements;
}

BOOLEAN NTAPI RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE Table)
{
    return Table->NumberGenericTableElements == 0;
}
