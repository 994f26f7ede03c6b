/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capturing and restoring processor contexts, and the two frames that stand between the exception
 * dispatcher and a language handler.  Offsets are those of CONTEXT and DISPATCHER_CONTEXT; exception.c
 * asserts them.
 */
        .intel_syntax noprefix

        .set CxContextFlags, 0x30
        .set CxMxCsr, 0x34
        .set CxSegCs, 0x38
        .set CxSegDs, 0x3A
        .set CxSegEs, 0x3C
        .set CxSegFs, 0x3E
        .set CxSegGs, 0x40
        .set CxSegSs, 0x42
        .set CxEFlags, 0x44
        .set CxRax, 0x78
        .set CxRcx, 0x80
        .set CxRdx, 0x88
        .set CxRbx, 0x90
        .set CxRsp, 0x98
        .set CxRbp, 0xA0
        .set CxRsi, 0xA8
        .set CxRdi, 0xB0
        .set CxR8, 0xB8
        .set CxR9, 0xC0
        .set CxR10, 0xC8
        .set CxR11, 0xD0
        .set CxR12, 0xD8
        .set CxR13, 0xE0
        .set CxR14, 0xE8
        .set CxR15, 0xF0
        .set CxRip, 0xF8
        .set CxFltSave, 0x100
        .set CxXmm0, 0x1A0
        .set DcLanguageHandler, 0x30
        .set CONTEXT_FULL_AND_SEGMENTS, 0x10000F

        .text

/* VOID RtlCaptureContext(PCONTEXT): the caller's registers, as they will be when this returns. */
        .globl RtlCaptureContext
        .def RtlCaptureContext; .scl 2; .type 32; .endef
        .seh_proc RtlCaptureContext
RtlCaptureContext:
        pushfq
        .seh_stackalloc 8
        .seh_endprologue
        mov     [rcx + CxRax], rax
        mov     [rcx + CxRcx], rcx
        mov     [rcx + CxRdx], rdx
        mov     [rcx + CxRbx], rbx
        mov     [rcx + CxRbp], rbp
        mov     [rcx + CxRsi], rsi
        mov     [rcx + CxRdi], rdi
        mov     [rcx + CxR8], r8
        mov     [rcx + CxR9], r9
        mov     [rcx + CxR10], r10
        mov     [rcx + CxR11], r11
        mov     [rcx + CxR12], r12
        mov     [rcx + CxR13], r13
        mov     [rcx + CxR14], r14
        mov     [rcx + CxR15], r15
        fxsave  [rcx + CxFltSave]
        mov     word ptr [rcx + CxSegCs], cs
        mov     word ptr [rcx + CxSegDs], ds
        mov     word ptr [rcx + CxSegEs], es
        mov     word ptr [rcx + CxSegFs], fs
        mov     word ptr [rcx + CxSegGs], gs
        mov     word ptr [rcx + CxSegSs], ss
        stmxcsr [rcx + CxMxCsr]
        mov     dword ptr [rcx + CxContextFlags], CONTEXT_FULL_AND_SEGMENTS
        lea     rax, [rsp + 16]
        mov     [rcx + CxRsp], rax
        mov     rax, [rsp + 8]
        mov     [rcx + CxRip], rax
        mov     rax, [rsp]
        mov     [rcx + CxEFlags], eax
        mov     rax, [rcx + CxRax]
        add     rsp, 8
        ret
        .seh_endproc

/* VOID RtlpRestoreContext(PCONTEXT): load every register and continue there.  Does not return. */
        .globl RtlpRestoreContext
        .def RtlpRestoreContext; .scl 2; .type 32; .endef
        .seh_proc RtlpRestoreContext
RtlpRestoreContext:
        sub     rsp, 0x28
        .seh_stackalloc 0x28
        .seh_endprologue
        movaps  xmm0, [rcx + CxXmm0 + 0x00]
        movaps  xmm1, [rcx + CxXmm0 + 0x10]
        movaps  xmm2, [rcx + CxXmm0 + 0x20]
        movaps  xmm3, [rcx + CxXmm0 + 0x30]
        movaps  xmm4, [rcx + CxXmm0 + 0x40]
        movaps  xmm5, [rcx + CxXmm0 + 0x50]
        movaps  xmm6, [rcx + CxXmm0 + 0x60]
        movaps  xmm7, [rcx + CxXmm0 + 0x70]
        movaps  xmm8, [rcx + CxXmm0 + 0x80]
        movaps  xmm9, [rcx + CxXmm0 + 0x90]
        movaps  xmm10, [rcx + CxXmm0 + 0xA0]
        movaps  xmm11, [rcx + CxXmm0 + 0xB0]
        movaps  xmm12, [rcx + CxXmm0 + 0xC0]
        movaps  xmm13, [rcx + CxXmm0 + 0xD0]
        movaps  xmm14, [rcx + CxXmm0 + 0xE0]
        movaps  xmm15, [rcx + CxXmm0 + 0xF0]
        ldmxcsr [rcx + CxMxCsr]
        movzx   eax, word ptr [rcx + CxSegSs]
        mov     [rsp + 0x20], rax
        mov     rax, [rcx + CxRsp]
        mov     [rsp + 0x18], rax
        mov     eax, [rcx + CxEFlags]
        mov     [rsp + 0x10], rax
        movzx   eax, word ptr [rcx + CxSegCs]
        mov     [rsp + 0x08], rax
        mov     rax, [rcx + CxRip]
        mov     [rsp + 0x00], rax
        mov     rax, [rcx + CxRax]
        mov     rdx, [rcx + CxRdx]
        mov     rbx, [rcx + CxRbx]
        mov     rbp, [rcx + CxRbp]
        mov     rsi, [rcx + CxRsi]
        mov     rdi, [rcx + CxRdi]
        mov     r8, [rcx + CxR8]
        mov     r9, [rcx + CxR9]
        mov     r10, [rcx + CxR10]
        mov     r11, [rcx + CxR11]
        mov     r12, [rcx + CxR12]
        mov     r13, [rcx + CxR13]
        mov     r14, [rcx + CxR14]
        mov     r15, [rcx + CxR15]
        mov     rcx, [rcx + CxRcx]
        iretq
        .seh_endproc

/*
 * EXCEPTION_DISPOSITION RtlpExecuteHandlerFor...(Record, EstablisherFrame, Context, DispatcherContext)
 * The dispatcher context stays at rsp + 0x20, where the handlers of these frames find it.
 */
        .globl RtlpExecuteHandlerForException
        .def RtlpExecuteHandlerForException; .scl 2; .type 32; .endef
        .seh_proc RtlpExecuteHandlerForException
        .seh_handler RtlpExceptionHandler, @except, @unwind
RtlpExecuteHandlerForException:
        sub     rsp, 0x28
        .seh_stackalloc 0x28
        .seh_endprologue
        mov     [rsp + 0x20], r9
        call    qword ptr [r9 + DcLanguageHandler]
        nop
        add     rsp, 0x28
        ret
        .seh_endproc

        .globl RtlpExecuteHandlerForUnwind
        .def RtlpExecuteHandlerForUnwind; .scl 2; .type 32; .endef
        .seh_proc RtlpExecuteHandlerForUnwind
        .seh_handler RtlpUnwindHandler, @except, @unwind
RtlpExecuteHandlerForUnwind:
        sub     rsp, 0x28
        .seh_stackalloc 0x28
        .seh_endprologue
        mov     [rsp + 0x20], r9
        call    qword ptr [r9 + DcLanguageHandler]
        nop
        add     rsp, 0x28
        ret
        .seh_endproc

/* __chkstk: touch each page of a frame of rax bytes.  Kernel stacks are mapped at once, so only the rule is kept. */
        .globl __chkstk
        .def __chkstk; .scl 2; .type 32; .endef
        .seh_proc __chkstk
__chkstk:
        push    rcx
        .seh_pushreg rcx
        push    rax
        .seh_pushreg rax
        .seh_endprologue
        lea     rcx, [rsp + 0x18]
1:      cmp     rax, 0x1000
        jb      2f
        sub     rcx, 0x1000
        test    qword ptr [rcx], rcx
        sub     rax, 0x1000
        jmp     1b
2:      sub     rcx, rax
        test    qword ptr [rcx], rcx
        pop     rax
        pop     rcx
        ret
        .seh_endproc

/* int _setjmp(jmp_buf, frame): saves what longjmp needs. */
        .globl _setjmp
        .def _setjmp; .scl 2; .type 32; .endef
_setjmp:
        .globl _setjmpex
        .def _setjmpex; .scl 2; .type 32; .endef
_setjmpex:
        mov     [rcx], rdx
        mov     [rcx + 0x08], rbx
        lea     r8, [rsp + 8]
        mov     [rcx + 0x10], r8
        mov     [rcx + 0x18], rbp
        mov     [rcx + 0x20], rsi
        mov     [rcx + 0x28], rdi
        mov     [rcx + 0x30], r12
        mov     [rcx + 0x38], r13
        mov     [rcx + 0x40], r14
        mov     [rcx + 0x48], r15
        mov     r8, [rsp]
        mov     [rcx + 0x50], r8
        stmxcsr [rcx + 0x58]
        fnstcw  [rcx + 0x5C]
        movaps  [rcx + 0x60], xmm6
        movaps  [rcx + 0x70], xmm7
        movaps  [rcx + 0x80], xmm8
        movaps  [rcx + 0x90], xmm9
        movaps  [rcx + 0xA0], xmm10
        movaps  [rcx + 0xB0], xmm11
        movaps  [rcx + 0xC0], xmm12
        movaps  [rcx + 0xD0], xmm13
        movaps  [rcx + 0xE0], xmm14
        movaps  [rcx + 0xF0], xmm15
        xor     eax, eax
        ret
