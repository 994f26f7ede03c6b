/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the verifier's import thunks go when the IRQL is wrong: eax is the rule, the stack is that of the call.
 */
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
