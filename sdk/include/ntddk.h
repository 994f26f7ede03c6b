/* SPDX-License-Identifier: MIT */
/*
 * ntddk.h: mingw-w64's, and what it lacks.
 *
 * Splay trees and generic tables are declared also where RTL_USE_AVL_TABLES asks that the names of generic tables mean
 * AVL tables; mingw-w64's header would drop them.
 */
#ifndef FLTVM_NTDDK_H
#define FLTVM_NTDDK_H

#ifdef RTL_USE_AVL_TABLES
#undef RTL_USE_AVL_TABLES
#define FLTVM_AVL_TABLES
#endif

/* PEPROCESS and PKPROCESS are one type with this header: what gives one is passed as the other. */
#if !defined(_NTOSKRNL_) && !defined(_EPROCESS)
#define _EPROCESS _KPROCESS
#define FLTVM_ONE_PROCESS
#endif
#include <fltvm_ntddk_old.h>
#include_next <ntddk.h>
#ifdef FLTVM_ONE_PROCESS
#undef FLTVM_ONE_PROCESS
#undef _EPROCESS
#endif

#include <fltvm_ntddk.h>

#ifdef FLTVM_AVL_TABLES
#define RTL_USE_AVL_TABLES                      0
#define RTL_GENERIC_COMPARE_ROUTINE             RTL_AVL_COMPARE_ROUTINE
#define PRTL_GENERIC_COMPARE_ROUTINE            PRTL_AVL_COMPARE_ROUTINE
#define RTL_GENERIC_ALLOCATE_ROUTINE            RTL_AVL_ALLOCATE_ROUTINE
#define PRTL_GENERIC_ALLOCATE_ROUTINE           PRTL_AVL_ALLOCATE_ROUTINE
#define RTL_GENERIC_FREE_ROUTINE                RTL_AVL_FREE_ROUTINE
#define PRTL_GENERIC_FREE_ROUTINE               PRTL_AVL_FREE_ROUTINE
#define RTL_GENERIC_TABLE                       RTL_AVL_TABLE
#define PRTL_GENERIC_TABLE                      PRTL_AVL_TABLE
#define RtlInitializeGenericTable               RtlInitializeGenericTableAvl
#define RtlInsertElementGenericTable            RtlInsertElementGenericTableAvl
#define RtlInsertElementGenericTableFull        RtlInsertElementGenericTableFullAvl
#define RtlDeleteElementGenericTable            RtlDeleteElementGenericTableAvl
#define RtlLookupElementGenericTable            RtlLookupElementGenericTableAvl
#define RtlLookupElementGenericTableFull        RtlLookupElementGenericTableFullAvl
#define RtlEnumerateGenericTable                RtlEnumerateGenericTableAvl
#define RtlEnumerateGenericTableWithoutSplaying RtlEnumerateGenericTableWithoutSplayingAvl
#define RtlGetElementGenericTable               RtlGetElementGenericTableAvl
#define RtlNumberGenericTableElements           RtlNumberGenericTableElementsAvl
#define RtlIsGenericTableEmpty                  RtlIsGenericTableEmptyAvl
#endif

#endif
