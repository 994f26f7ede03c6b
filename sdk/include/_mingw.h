/* SPDX-License-Identifier: MIT */
/*
 * _mingw.h: mingw-w64's, with inline routines that have a body.
 *
 * Its headers mark them gnu_inline: never emitted, always to be inlined.  Inside __try clang inlines no call, and
 * such a routine would then be missing at the link.  Plain inline ones are, for this target, discardable COMDATs.
 * The kernel, which defines some of these routines itself, keeps them as they are.
 */
#ifndef FLTVM_MINGW_H
#define FLTVM_MINGW_H

#include_next <_mingw.h>

#if !defined(__cplusplus) && !defined(_NTOSKRNL_)
#undef __forceinline
#define __forceinline __inline__ __attribute__((__always_inline__))
#undef __MINGW_INTRIN_INLINE
#define __MINGW_INTRIN_INLINE __inline__ __attribute__((__always_inline__))
#undef __CRT_INLINE
#define __CRT_INLINE __inline__
#endif

#endif
