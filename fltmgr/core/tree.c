/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.c: a volume's instances by altitude and by name, so that the thousandth costs what the tenth did.
 *
 * Search trees kept in balance by a number that each node gets: below a node are smaller ones only (a treap).  The numbers
 * are scattered, but always the same ones, so a run repeats.  Who uses a tree holds its lock.  IRQL: any.
 */
#include "core.h"

PFLTP_TREE_NODE FltpFindNode(const FLTP_TREE *Tree, const VOID *Key, PFLTP_TREE_NODE *Lower)
{
    PFLTP_TREE_NODE Node = Tree->Root;

    *Lower = NULL;
    while (Node != NULL) {
        int Order = Tree->Compare(Key, Node);

        if (Order == 0)
            break;
        if (Order > 0)
            *Lower = Node;
        Node = Order < 0 ? Node->Left : Node->Right;
    }
    return Node;
}

VOID FltpInsertNode(PFLTP_TREE Tree, const VOID *Key, PFLTP_TREE_NODE New)
{
    PFLTP_TREE_NODE *Place = &Tree->Root, *Left = &New->Left, *Right = &New->Right, Node;

    New->Priority = ++Tree->Sequence * 0x9E3779B1u;
    New->Priority ^= New->Priority >> 15;
    New->Priority *= 0x85EBCA77u;
    while (*Place != NULL && (*Place)->Priority >= New->Priority)
        Place = Tree->Compare(Key, *Place) < 0 ? &(*Place)->Left : &(*Place)->Right;
    /* What stood there is divided into what is below the new node on either side. */
    for (Node = *Place; Node != NULL;) {
        if (Tree->Compare(Key, Node) < 0) {
            *Right = Node;
            Right = &Node->Left;
            Node = Node->Left;
        } else {
            *Left = Node;
            Left = &Node->Right;
            Node = Node->Right;
        }
    }
    *Left = *Right = NULL;
    *Place = New;
}

VOID FltpRemoveNode(PFLTP_TREE Tree, const VOID *Key, PFLTP_TREE_NODE Node)
{
    PFLTP_TREE_NODE *Place = &Tree->Root, Left = Node->Left, Right = Node->Right;

    while (*Place != Node)
        Place = Tree->Compare(Key, *Place) < 0 ? &(*Place)->Left : &(*Place)->Right;
    while (Left != NULL && Right != NULL) {
        if (Left->Priority >= Right->Priority) {
            *Place = Left;
            Place = &Left->Right;
            Left = Left->Right;
        } else {
            *Place = Right;
            Place = &Right->Left;
            Right = Right->Left;
        }
    }
    *Place = Left != NULL ? Left : Right;
}
