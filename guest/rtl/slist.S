/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interlocked singly linked lists (S-lists): the public x64 header, changed by cmpxchg16b.
 *
 * First quadword: depth in 16 bits, then a sequence number that makes an old head fail the exchange.  Second: the
 * first entry's address, 16-byte aligned.  Popping reads the next pointer of an entry that another processor may
 * just have popped and freed; if that faults, mm resumes at ExpInterlockedPopEntrySListResume, which starts over.
 */
        .intel_syntax noprefix
        .text

/* PSLIST_ENTRY ExpInterlockedPopEntrySList(PSLIST_HEADER) */
        .globl ExpInterlockedPopEntrySList
        .def ExpInterlockedPopEntrySList; .scl 2; .type 32; .endef
        .globl ExpInterlockedPopEntrySListResume
        .globl ExpInterlockedPopEntrySListFault
        .seh_proc ExpInterlockedPopEntrySList
ExpInterlockedPopEntrySList:
        push    rbx
        .seh_pushreg rbx
        .seh_endprologue
        mov     r8, rcx
ExpInterlockedPopEntrySListResume:
        mov     rdx, [r8 + 8]
        mov     rax, [r8]
        mov     r10, rdx
        and     r10, -16
        jz      2f
ExpInterlockedPopEntrySListFault:
        mov     rcx, [r10]              /* the next entry */
        mov     ebx, edx
        and     ebx, 15                 /* the header's type */
        and     rcx, -16
        or      rcx, rbx
        lea     rbx, [rax + 0x0FFFF]    /* sequence + 1, depth - 1 */
        lock cmpxchg16b [r8]
        jnz     ExpInterlockedPopEntrySListResume
2:      mov     rax, r10
        pop     rbx
        ret
        .seh_endproc

/* PSLIST_ENTRY ExpInterlockedPushEntrySList(PSLIST_HEADER, PSLIST_ENTRY): returns the former first entry. */
        .globl ExpInterlockedPushEntrySList
        .def ExpInterlockedPushEntrySList; .scl 2; .type 32; .endef
        .seh_proc ExpInterlockedPushEntrySList
ExpInterlockedPushEntrySList:
        push    rbx
        .seh_pushreg rbx
        .seh_endprologue
        mov     r8, rcx
        mov     r9, rdx
        mov     rax, [r8]
        mov     rdx, [r8 + 8]
1:      mov     r10, rdx
        and     r10, -16
        mov     [r9], r10
        mov     ecx, edx
        and     ecx, 15
        or      rcx, r9
        lea     rbx, [rax + 0x10001]    /* sequence + 1, depth + 1 */
        lock cmpxchg16b [r8]
        jnz     1b
        mov     rax, r10
        pop     rbx
        ret
        .seh_endproc

/* PSLIST_ENTRY ExpInterlockedFlushSList(PSLIST_HEADER): empties the list, returns the chain. */
        .globl ExpInterlockedFlushSList
        .def ExpInterlockedFlushSList; .scl 2; .type 32; .endef
        .seh_proc ExpInterlockedFlushSList
ExpInterlockedFlushSList:
        push    rbx
        .seh_pushreg rbx
        .seh_endprologue
        mov     r8, rcx
        mov     rax, [r8]
        mov     rdx, [r8 + 8]
1:      mov     r10, rdx
        and     r10, -16
        jz      2f
        mov     ecx, edx
        and     ecx, 15
        mov     rbx, rax
        xor     bx, bx                  /* depth 0, sequence kept: the address part changes */
        add     rbx, 0x10000
        lock cmpxchg16b [r8]
        jnz     1b
2:      mov     rax, r10
        pop     rbx
        ret
        .seh_endproc

/* PSLIST_ENTRY FirstEntrySList(const SLIST_HEADER *) */
        .globl FirstEntrySList
        .def FirstEntrySList; .scl 2; .type 32; .endef
FirstEntrySList:
        mov     rax, [rcx + 8]
        and     rax, -16
        ret

/* USHORT ExQueryDepthSList(PSLIST_HEADER) */
        .globl ExQueryDepthSList
        .def ExQueryDepthSList; .scl 2; .type 32; .endef
ExQueryDepthSList:
        movzx   eax, word ptr [rcx]
        ret

/* VOID InitializeSListHead(PSLIST_HEADER) */
        .globl InitializeSListHead
        .def InitializeSListHead; .scl 2; .type 32; .endef
        .globl RtlInitializeSListHead
        .def RtlInitializeSListHead; .scl 2; .type 32; .endef
InitializeSListHead:
RtlInitializeSListHead:
        xor     eax, eax
        mov     [rcx], rax
        mov     qword ptr [rcx + 8], 1  /* HeaderType: 16-byte header */
        ret
