/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the verifier's import thunks go when the IRQL is wrong: eax is the rule, the stack is that of the call.
 */
#define LDRP_COPIED_ARGUMENTS 12 /* ldrp.h */
        .intel_syntax noprefix
        .text
        .globl LdrpIrqlViolation
        .def LdrpIrqlViolation; .scl 2; .type 32; .endef
        .seh_proc LdrpIrqlViolation
LdrpIrqlViolation:
        sub     rsp, 0x28
        .seh_stackalloc 0x28
        .seh_endprologue
        mov     ecx, eax
        mov     rdx, [rsp + 0x28]
        call    LdrpReportIrql
        int3
        .seh_endproc

/*
 * Where a counted import goes (calls.c): r10 is the routine, r11 where to go on, the rest is that of the call.  It gets the arguments
 * and the stack as they are, unless its return is to be late: then it is called, with a copy of its stack arguments.
 */
        .globl LdrpCountedCall
        .def LdrpCountedCall; .scl 2; .type 32; .endef
        .seh_proc LdrpCountedCall
LdrpCountedCall:
        sub     rsp, 0xF8
        .seh_stackalloc 0xF8
        .seh_endprologue
        mov     [rsp + 0x80], rcx
        mov     [rsp + 0x88], rdx
        mov     [rsp + 0x90], r8
        mov     [rsp + 0x98], r9
        mov     [rsp + 0xA0], rax
        mov     [rsp + 0xA8], r11
        movaps  [rsp + 0xB0], xmm0
        movaps  [rsp + 0xC0], xmm1
        movaps  [rsp + 0xD0], xmm2
        movaps  [rsp + 0xE0], xmm3
        mov     rcx, [rsp + 0xF8]
        mov     rdx, r10
        lea     r8, [rsp + 0xF8 + 0x28]
        call    LdrpOnCall
        test    al, al
        movaps  xmm0, [rsp + 0xB0]
        movaps  xmm1, [rsp + 0xC0]
        movaps  xmm2, [rsp + 0xD0]
        movaps  xmm3, [rsp + 0xE0]
        mov     rcx, [rsp + 0x80]
        mov     rdx, [rsp + 0x88]
        mov     r8, [rsp + 0x90]
        mov     r9, [rsp + 0x98]
        mov     r11, [rsp + 0xA8]
        jnz     1f
        mov     rax, [rsp + 0xA0]
        add     rsp, 0xF8
        jmp     r11
1:
        .set    argument, 0
        .rept   LDRP_COPIED_ARGUMENTS
        mov     rax, [rsp + 0xF8 + 0x28 + 8 * argument]
        mov     [rsp + 0x20 + 8 * argument], rax
        .set    argument, argument + 1
        .endr
        mov     rax, [rsp + 0xA0]
        call    r11
        mov     [rsp + 0xA0], rax
        movaps  [rsp + 0xB0], xmm0
        call    LdrpOnReturn
        mov     rax, [rsp + 0xA0]
        movaps  xmm0, [rsp + 0xB0]
        add     rsp, 0xF8
        ret
        .seh_endproc
