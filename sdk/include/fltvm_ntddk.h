/* SPDX-License-Identifier: MIT */
/*
 * fltvm_ntddk.h: what ntddk.h declares and mingw-w64's headers lack.
 * Made by scripts/ddi-headers.py from sdk/ddi/*.tsv; do not edit.
 */
#ifndef FLTVM_NTDDK_MORE_H
#define FLTVM_NTDDK_MORE_H

#ifdef __cplusplus
extern "C" {
#endif
#undef _PROCESS_EXTENDED_BASIC_INFORMATION
#undef PROCESS_EXTENDED_BASIC_INFORMATION
#define _PROCESS_EXTENDED_BASIC_INFORMATION _PROCESS_EXTENDED_BASIC_INFORMATION_19041
typedef FvNew_PROCESS_EXTENDED_BASIC_INFORMATION PROCESS_EXTENDED_BASIC_INFORMATION;
#undef _PS_CREATE_NOTIFY_INFO
#undef PS_CREATE_NOTIFY_INFO
#define _PS_CREATE_NOTIFY_INFO _PS_CREATE_NOTIFY_INFO_19041
typedef FvNew_PS_CREATE_NOTIFY_INFO PS_CREATE_NOTIFY_INFO;
#ifdef __cplusplus
}
#endif

#define MM_ALLOCATE_CONTIGUOUS_MEMORY_FAST_ONLY 0x1
#define KERNEL_SHADOW_STACK_SIZE PAGE_SIZE
#define CONTEXT_KERNEL_CET (CONTEXT_AMD64 | 0x00000080L)
#define CONTEXT_UNWOUND_TO_CALL 0x20000000
#define CONTEXT_ARM64 0x00400000L
#define CONTEXT_ARM64_CONTROL (CONTEXT_ARM64 | 0x1L)
#define CONTEXT_ARM64_INTEGER (CONTEXT_ARM64 | 0x2L)
#define CONTEXT_ARM64_FLOATING_POINT (CONTEXT_ARM64 | 0x4L)
#define CONTEXT_ARM64_DEBUG_REGISTERS (CONTEXT_ARM64 | 0x8L)
#define CONTEXT_ARM64_X18 (CONTEXT_ARM64 | 0x10L)
#define CONTEXT_ARM64_FULL (CONTEXT_ARM64_CONTROL | CONTEXT_ARM64_INTEGER | CONTEXT_ARM64_FLOATING_POINT)
#define CONTEXT_ARM64_ALL (CONTEXT_ARM64_CONTROL | CONTEXT_ARM64_INTEGER | CONTEXT_ARM64_FLOATING_POINT | CONTEXT_ARM64_DEBUG_REGISTERS | CONTEXT_ARM64_X18)
#define CONTEXT_ARM64_UNWOUND_TO_CALL 0x20000000
#define CONTEXT_ARM64_RET_TO_GUEST 0x04000000
#define SE_SIGNING_LEVEL_UNCHECKED 0x00000000
#define SE_SIGNING_LEVEL_UNSIGNED 0x00000001
#define SE_SIGNING_LEVEL_ENTERPRISE 0x00000002
#define SE_SIGNING_LEVEL_CUSTOM_1 0x00000003
#define SE_SIGNING_LEVEL_DEVELOPER SE_SIGNING_LEVEL_CUSTOM_1
#define SE_SIGNING_LEVEL_AUTHENTICODE 0x00000004
#define SE_SIGNING_LEVEL_CUSTOM_2 0x00000005
#define SE_SIGNING_LEVEL_STORE 0x00000006
#define SE_SIGNING_LEVEL_CUSTOM_3 0x00000007
#define SE_SIGNING_LEVEL_ANTIMALWARE SE_SIGNING_LEVEL_CUSTOM_3
#define SE_SIGNING_LEVEL_MICROSOFT 0x00000008
#define SE_SIGNING_LEVEL_CUSTOM_4 0x00000009
#define SE_SIGNING_LEVEL_CUSTOM_5 0x0000000A
#define SE_SIGNING_LEVEL_DYNAMIC_CODEGEN 0x0000000B
#define SE_SIGNING_LEVEL_WINDOWS 0x0000000C
#define SE_SIGNING_LEVEL_CUSTOM_7 0x0000000D
#define SE_SIGNING_LEVEL_WINDOWS_TCB 0x0000000E
#define SE_SIGNING_LEVEL_CUSTOM_6 0x0000000F
#define FLUSH_NV_MEMORY_IN_FLAG_NO_DRAIN (0x00000001)
#define FLUSH_NV_MEMORY_DEFAULT_TOKEN (ULONG_PTR)(-1)
#define WRITE_NV_MEMORY_FLAG_FLUSH (0x00000001)
#define WRITE_NV_MEMORY_FLAG_NON_TEMPORAL (0x00000002)
#define WRITE_NV_MEMORY_FLAG_PERSIST (WRITE_NV_MEMORY_FLAG_FLUSH | WRITE_NV_MEMORY_FLAG_NON_TEMPORAL)
#define WRITE_NV_MEMORY_FLAG_NO_DRAIN (0x00000100)
#define FILL_NV_MEMORY_FLAG_FLUSH (0x00000001)
#define FILL_NV_MEMORY_FLAG_NON_TEMPORAL (0x00000002)
#define FILL_NV_MEMORY_FLAG_PERSIST (FILL_NV_MEMORY_FLAG_FLUSH | FILL_NV_MEMORY_FLAG_NON_TEMPORAL)
#define FILL_NV_MEMORY_FLAG_NO_DRAIN (0x00000100)
#define RTL_CORRELATION_VECTOR_STRING_LENGTH 129
#define RTL_CORRELATION_VECTOR_VERSION_1 ((CHAR)1)
#define RTL_CORRELATION_VECTOR_VERSION_2 ((CHAR)2)
#define RTL_CORRELATION_VECTOR_VERSION_CURRENT RTL_CORRELATION_VECTOR_VERSION_2
#define RTL_CORRELATION_VECTOR_V1_PREFIX_LENGTH (16)
#define RTL_CORRELATION_VECTOR_V1_LENGTH (64)
#define RTL_CORRELATION_VECTOR_V2_PREFIX_LENGTH (22)
#define RTL_CORRELATION_VECTOR_V2_LENGTH (128)
#define RTL_VIRTUAL_UNWIND2_VALIDATE_PAC 0x00000001UL
#define FILE_DISPOSITION_DO_NOT_DELETE 0x00000000
#define FILE_DISPOSITION_DELETE 0x00000001
#define FILE_DISPOSITION_POSIX_SEMANTICS 0x00000002
#define FILE_DISPOSITION_FORCE_IMAGE_SECTION_CHECK 0x00000004
#define FILE_DISPOSITION_ON_CLOSE 0x00000008
#define FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE 0x00000010
#define SSINFO_FLAGS_ALIGNED_DEVICE 0x00000001
#define SSINFO_FLAGS_PARTITION_ALIGNED_ON_DEVICE 0x00000002
#define SSINFO_FLAGS_NO_SEEK_PENALTY 0x00000004
#define SSINFO_FLAGS_TRIM_ENABLED 0x00000008
#define SSINFO_FLAGS_BYTE_ADDRESSABLE 0x00000010
#define SSINFO_OFFSET_UNKNOWN (0xffffffff)
#define MEMORY_PRIORITY_LOWEST 0
#define MEMORY_PRIORITY_VERY_LOW 1
#define MEMORY_PRIORITY_LOW 2
#define MEMORY_PRIORITY_MEDIUM 3
#define MEMORY_PRIORITY_BELOW_NORMAL 4
#define MEMORY_PRIORITY_NORMAL 5
#define PROCESS_HANDLE_EXCEPTIONS_ENABLED 0x00000001ul
#define PROCESS_HANDLE_RAISE_UM_EXCEPTION_ON_INVALID_HANDLE_CLOSE_DISABLED 0x00000000ul
#define PROCESS_HANDLE_RAISE_UM_EXCEPTION_ON_INVALID_HANDLE_CLOSE_ENABLED 0x00000001ul
#define DYNAMIC_EH_CONTINUATION_TARGET_ADD (0x00000001)
#define DYNAMIC_EH_CONTINUATION_TARGET_PROCESSED (0x00000002)
#define DYNAMIC_ENFORCED_ADDRESS_RANGE_ADD (0x00000001)
#define DYNAMIC_ENFORCED_ADDRESS_RANGE_PROCESSED (0x00000002)
#define KUMS_UCH_VOLATILE_BIT (0)
#define KUMS_UCH_VOLATILE_MASK (1ULL << KUMS_UCH_VOLATILE_BIT)
#define XSTATE_AVX (XSTATE_GSSE)
#define XSTATE_MPX_BNDREGS (3)
#define XSTATE_MPX_BNDCSR (4)
#define XSTATE_AVX512_KMASK (5)
#define XSTATE_AVX512_ZMM_H (6)
#define XSTATE_AVX512_ZMM (7)
#define XSTATE_IPT (8)
#define XSTATE_PASID (10)
#define XSTATE_CET_U (11)
#define XSTATE_CET_S (12)
#define XSTATE_AMX_TILE_CONFIG (17)
#define XSTATE_AMX_TILE_DATA (18)
#define XSTATE_LWP (62)
#define XSTATE_MASK_AVX (XSTATE_MASK_GSSE)
#define XSTATE_MASK_MPX ((1ui64 << (XSTATE_MPX_BNDREGS)) | (1ui64 << (XSTATE_MPX_BNDCSR)))
#define XSTATE_MASK_AVX512 ((1ui64 << (XSTATE_AVX512_KMASK)) | (1ui64 << (XSTATE_AVX512_ZMM_H)) | (1ui64 << (XSTATE_AVX512_ZMM)))
#define XSTATE_MASK_IPT (1ui64 << (XSTATE_IPT))
#define XSTATE_MASK_PASID (1ui64 << (XSTATE_PASID))
#define XSTATE_MASK_CET_U (1ui64 << (XSTATE_CET_U))
#define XSTATE_MASK_CET_S (1ui64 << (XSTATE_CET_S))
#define XSTATE_MASK_AMX_TILE_CONFIG (1ui64 << (XSTATE_AMX_TILE_CONFIG))
#define XSTATE_MASK_AMX_TILE_DATA (1ui64 << (XSTATE_AMX_TILE_DATA))
#define XSTATE_MASK_LWP (1ui64 << (XSTATE_LWP))
#define XSTATE_MASK_PERSISTENT ((1ui64 << (XSTATE_MPX_BNDCSR)) | XSTATE_MASK_LWP)
#define XSTATE_MASK_USER_VISIBLE_SUPERVISOR (XSTATE_MASK_CET_U)
#define XSTATE_MASK_LARGE_FEATURES (XSTATE_MASK_AMX_TILE_DATA)
#define XSTATE_COMPACTION_ENABLE (63)
#define XSTATE_COMPACTION_ENABLE_MASK (1ui64 << (XSTATE_COMPACTION_ENABLE))
#define XSTATE_ALIGN_BIT (1)
#define XSTATE_ALIGN_MASK (1ui64 << (XSTATE_ALIGN_BIT))
#define XSTATE_XFD_BIT (2)
#define XSTATE_XFD_MASK (1ui64 << (XSTATE_XFD_BIT))
#define XSTATE_CONTROLFLAG_XSAVEOPT_MASK (1)
#define XSTATE_CONTROLFLAG_XSAVEC_MASK (2)
#define XSTATE_CONTROLFLAG_XFD_MASK (4)
#define XSTATE_CONTROLFLAG_VALID_MASK (XSTATE_CONTROLFLAG_XSAVEOPT_MASK | XSTATE_CONTROLFLAG_XSAVEC_MASK | XSTATE_CONTROLFLAG_XFD_MASK)
#define SEH_VALIDATION_POLICY_ON 0
#define SEH_VALIDATION_POLICY_OFF 1
#define SEH_VALIDATION_POLICY_TELEMETRY 2
#define SEH_VALIDATION_POLICY_DEFER 3
#define SHARED_GLOBAL_FLAGS_LKG_ENABLED_V 0x4
#define SHARED_GLOBAL_FLAGS_LKG_ENABLED (1UL << SHARED_GLOBAL_FLAGS_LKG_ENABLED_V)
#define SHARED_GLOBAL_FLAGS_CONSOLE_BROKER_ENABLED_V 0x6
#define SHARED_GLOBAL_FLAGS_CONSOLE_BROKER_ENABLED (1UL << SHARED_GLOBAL_FLAGS_CONSOLE_BROKER_ENABLED_V)
#define SHARED_GLOBAL_FLAGS_SECURE_BOOT_ENABLED_V 0x7
#define SHARED_GLOBAL_FLAGS_SECURE_BOOT_ENABLED (1UL << SHARED_GLOBAL_FLAGS_SECURE_BOOT_ENABLED_V)
#define SHARED_GLOBAL_FLAGS_MULTI_SESSION_SKU_V 0x8
#define SHARED_GLOBAL_FLAGS_MULTI_SESSION_SKU (1UL << SHARED_GLOBAL_FLAGS_MULTI_SESSION_SKU_V)
#define SHARED_GLOBAL_FLAGS_MULTIUSERS_IN_SESSION_SKU_V 0x9
#define SHARED_GLOBAL_FLAGS_MULTIUSERS_IN_SESSION_SKU (1UL << SHARED_GLOBAL_FLAGS_MULTIUSERS_IN_SESSION_SKU_V)
#define SHARED_GLOBAL_FLAGS_STATE_SEPARATION_ENABLED_V 0xA
#define SHARED_GLOBAL_FLAGS_STATE_SEPARATION_ENABLED (1UL << SHARED_GLOBAL_FLAGS_STATE_SEPARATION_ENABLED_V)
#define SHARED_GLOBAL_FLAGS_SET_GLOBAL_DATA_FLAG 0x40000000
#define SHARED_GLOBAL_FLAGS_CLEAR_GLOBAL_DATA_FLAG 0x80000000
#define SYSTEM_CALL_SYSCALL 0
#define SYSTEM_CALL_INT_2E 1
#define SHARED_GLOBAL_FLAGS_QPC_BYPASS_ENABLED (0x01)
#define SHARED_GLOBAL_FLAGS_QPC_BYPASS_USE_HV_PAGE (0x02)
#define SHARED_GLOBAL_FLAGS_QPC_BYPASS_DISABLE_32BIT (0x04)
#define SHARED_GLOBAL_FLAGS_QPC_BYPASS_USE_MFENCE (0x10)
#define SHARED_GLOBAL_FLAGS_QPC_BYPASS_USE_LFENCE (0x20)
#define SHARED_GLOBAL_FLAGS_QPC_BYPASS_A73_ERRATA (0x40)
#define SHARED_GLOBAL_FLAGS_QPC_BYPASS_USE_RDTSCP (0x80)
#define CmResourceTypeMaximum 8
#define CP_GET_SUCCESS 0
#define CP_GET_NODATA 1
#define CP_GET_ERROR 2
#define MM_ADD_PHYSICAL_MEMORY_ALREADY_ZEROED 0x1
#define MM_ADD_PHYSICAL_MEMORY_LARGE_PAGES_ONLY 0x2
#define MM_ADD_PHYSICAL_MEMORY_HUGE_PAGES_ONLY 0x4
#define MM_REMOVE_PHYSICAL_MEMORY_BAD_ONLY 0x1
#define MM_SYSTEM_PARTITION_OBJECT NULL
#define MM_CURRENT_PROCESS_PARTITION_OBJECT ((PVOID) MAXULONG_PTR)
#define MM_ALL_PARTITIONS_OBJECT ((PVOID) (MAXULONG_PTR - 1))
#define MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_FILE_ONLY 0x00000001
#define MM_GET_PHYSICAL_MEMORY_RANGES_INCLUDE_ALL_PARTITIONS 0x00000002
#define MM_COPY_MEMORY_PHYSICAL 0x1
#define MM_COPY_MEMORY_VIRTUAL 0x2
#define MM_GET_CACHE_ATTRIBUTE_IO_SPACE 0x1
#define MM_SECURE_EXCLUSIVE 0x1
#define MM_SECURE_NO_CHANGE 0x2
#define MM_SECURE_USER_MODE_ONLY 0x4
#define MM_SECURE_NO_INHERIT 0x8
#define MM_SYSTEM_VIEW_EXCEPTIONS_FOR_INPAGE_ERRORS 0x1
#define PS_IMAGE_NOTIFY_CONFLICTING_ARCHITECTURE 0x1
#define SILO_MONITOR_REGISTRATION_VERSION (1)
#define PS_INVALID_SILO_CONTEXT_SLOT (0xffffffffUL)
#define IRP_MN_NOTIFY_CHANGE_DIRECTORY_EX 0x03
#define IRP_MN_FLUSH_DATA_ONLY 0x02
#define IRP_MN_FLUSH_NO_SYNC 0x03
#define IRP_MN_FLUSH_DATA_SYNC_ONLY 0x04
#define OPLOCK_KEY_VERSION_WIN7 0x0001
#define OPLOCK_KEY_VERSION_WIN8 0x0002
#define OPLOCK_KEY_FLAG_PARENT_KEY 0x0001
#define OPLOCK_KEY_FLAG_TARGET_KEY 0x0002
#define IO_USE_AMBIENT_SILO ((PESILO)1)
#define BDCB_IMAGEFLAGS_FAILED_CODE_INTEGRITY (1UL << 0)
#define ARBITER_FLAG_ROOT_ENUM 0x00000002
#define ARBITER_FLAG_OTHER_ENUM 0x00000004
#define MAXIMUM_DEBUG_BARS 6
#define DBG_DEVICE_FLAG_HAL_SCRATCH_ALLOCATED 0x01
#define DBG_DEVICE_FLAG_BARS_MAPPED 0x02
#define DBG_DEVICE_FLAG_SCRATCH_ALLOCATED 0x04
#define DBG_DEVICE_FLAG_UNCACHED_MEMORY 0x08
#define DBG_DEVICE_FLAG_SYNTHETIC 0x10
#define DBG_DEVICE_FLAG_HOST_VISIBLE_ALLOCATED 0x20
#define FPB_VECTOR_SIZE_SUPPORTED_256BITS 0x0
#define FPB_VECTOR_SIZE_SUPPORTED_512BITS 0x1
#define FPB_VECTOR_SIZE_SUPPORTED_1KBITS 0x2
#define FPB_VECTOR_SIZE_SUPPORTED_2KBITS 0x3
#define FPB_VECTOR_SIZE_SUPPORTED_4KBITS 0x4
#define FPB_VECTOR_SIZE_SUPPORTED_8KBITS 0x5
#define FPB_RID_VECTOR_GRANULARITY_8RIDS 0x0
#define FPB_RID_VECTOR_GRANULARITY_64RIDS 0x3
#define FPB_RID_VECTOR_GRANULARITY_256RIDS 0x5
#define FPB_MEM_LOW_VECTOR_GRANULARITY_1MB 0x0
#define FPB_MEM_LOW_VECTOR_GRANULARITY_2MB 0x1
#define FPB_MEM_LOW_VECTOR_GRANULARITY_4MB 0x2
#define FPB_MEM_LOW_VECTOR_GRANULARITY_8MB 0x3
#define FPB_MEM_LOW_VECTOR_GRANULARITY_16MB 0x4
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_256MB 0x0
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_512MB 0x1
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_1GB 0x2
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_2GB 0x3
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_4GB 0x4
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_8GB 0x5
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_16GB 0x6
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_32GB 0x7
#define FPB_MEM_VECTOR_GRANULARITY_1B 0x8
#define FPB_MEM_HIGH_VECTOR_GRANULARITY_1MB 0x9
#define FPB_VECTOR_SELECT_RID 0x0
#define FPB_VECTOR_SELECT_MEM_LOW 0x1
#define FPB_VECTOR_SELECT_MEM_HIGH 0x2
#define NTPSHEDAPI DECLSPEC_IMPORT
#define ANY_SIZE 1
#define WCS_RAS_REGISTER_NAME_MAX_LENGTH 32

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _EJOB *PEJOB;
typedef struct _EJOB *PESILO;
typedef struct _SILO_MONITOR *PSILO_MONITOR;
typedef UCHAR SE_SIGNING_LEVEL;
typedef UCHAR *PSE_SIGNING_LEVEL;
typedef enum _SE_IMAGE_SIGNATURE_TYPE {
    SeImageSignatureNone,
    SeImageSignatureEmbedded,
    SeImageSignatureCache,
    SeImageSignatureCatalogCached,
    SeImageSignatureCatalogNotCached,
    SeImageSignatureCatalogHint,
    SeImageSignaturePackageCatalog,
    SeImageSignaturePplMitigated,
} SE_IMAGE_SIGNATURE_TYPE, *PSE_IMAGE_SIGNATURE_TYPE;
typedef ULONG RTL_RUN_ONCE_INIT_FN(PRTL_RUN_ONCE RunOnce, PVOID Parameter, PVOID *Context);
typedef RTL_GENERIC_COMPARE_RESULTS RTL_AVL_COMPARE_ROUTINE(struct _RTL_AVL_TABLE *Table, PVOID FirstStruct,
    PVOID SecondStruct);
typedef PVOID RTL_AVL_ALLOCATE_ROUTINE(struct _RTL_AVL_TABLE *Table, CLONG ByteSize);
typedef void RTL_AVL_FREE_ROUTINE(struct _RTL_AVL_TABLE *Table, PVOID Buffer);
typedef NTSTATUS RTL_AVL_MATCH_FUNCTION(struct _RTL_AVL_TABLE *Table, PVOID UserData, PVOID MatchData);
typedef RTL_GENERIC_COMPARE_RESULTS RTL_GENERIC_COMPARE_ROUTINE(struct _RTL_GENERIC_TABLE *Table,
    PVOID FirstStruct, PVOID SecondStruct);
typedef PVOID RTL_GENERIC_ALLOCATE_ROUTINE(struct _RTL_GENERIC_TABLE *Table, CLONG ByteSize);
typedef void RTL_GENERIC_FREE_ROUTINE(struct _RTL_GENERIC_TABLE *Table, PVOID Buffer);
typedef enum _STATE_LOCATION_TYPE {
    LocationTypeRegistry,
    LocationTypeFileSystem,
    LocationTypeMaximum,
} STATE_LOCATION_TYPE;
typedef struct _NV_MEMORY_RANGE {
    void *BaseAddress;
    SIZE_T Length;
} NV_MEMORY_RANGE, *PNV_MEMORY_RANGE;
typedef struct CORRELATION_VECTOR {
    CHAR Version;
    CHAR Vector[129];
} CORRELATION_VECTOR;
typedef CORRELATION_VECTOR *PCORRELATION_VECTOR;
typedef struct _CUSTOM_SYSTEM_EVENT_TRIGGER_CONFIG {
    ULONG Size;
    PCWSTR TriggerId;
} CUSTOM_SYSTEM_EVENT_TRIGGER_CONFIG, *PCUSTOM_SYSTEM_EVENT_TRIGGER_CONFIG;
typedef enum _RTL_SYSTEM_GLOBAL_DATA_ID {
    GlobalDataIdUnknown,
    GlobalDataIdRngSeedVersion,
    GlobalDataIdInterruptTime,
    GlobalDataIdTimeZoneBias,
    GlobalDataIdImageNumberLow,
    GlobalDataIdImageNumberHigh,
    GlobalDataIdTimeZoneId,
    GlobalDataIdNtMajorVersion,
    GlobalDataIdNtMinorVersion,
    GlobalDataIdSystemExpirationDate,
    GlobalDataIdKdDebuggerEnabled,
    GlobalDataIdCyclesPerYield,
    GlobalDataIdSafeBootMode,
    GlobalDataIdLastSystemRITEventTickCount,
    GlobalDataIdConsoleSharedDataFlags,
    GlobalDataIdNtSystemRootDrive,
    GlobalDataIdQpcShift,
    GlobalDataIdQpcBypassEnabled,
    GlobalDataIdQpcData,
    GlobalDataIdQpcBias,
} RTL_SYSTEM_GLOBAL_DATA_ID, *PRTL_SYSTEM_GLOBAL_DATA_ID;
typedef struct _FILE_DISPOSITION_INFORMATION_EX {
    ULONG Flags;
} FILE_DISPOSITION_INFORMATION_EX, *PFILE_DISPOSITION_INFORMATION_EX;
typedef struct _FILE_FS_FULL_SIZE_INFORMATION_EX {
    ULONGLONG ActualTotalAllocationUnits;
    ULONGLONG ActualAvailableAllocationUnits;
    ULONGLONG ActualPoolUnavailableAllocationUnits;
    ULONGLONG CallerTotalAllocationUnits;
    ULONGLONG CallerAvailableAllocationUnits;
    ULONGLONG CallerPoolUnavailableAllocationUnits;
    ULONGLONG UsedAllocationUnits;
    ULONGLONG TotalReservedAllocationUnits;
    ULONGLONG VolumeStorageReserveAllocationUnits;
    ULONGLONG AvailableCommittedAllocationUnits;
    ULONGLONG PoolAvailableAllocationUnits;
    ULONG SectorsPerAllocationUnit;
    ULONG BytesPerSector;
} FILE_FS_FULL_SIZE_INFORMATION_EX, *PFILE_FS_FULL_SIZE_INFORMATION_EX;
typedef struct _FILE_FS_METADATA_SIZE_INFORMATION {
    LARGE_INTEGER TotalMetadataAllocationUnits;
    ULONG SectorsPerAllocationUnit;
    ULONG BytesPerSector;
} FILE_FS_METADATA_SIZE_INFORMATION, *PFILE_FS_METADATA_SIZE_INFORMATION;
typedef struct _FILE_FS_SECTOR_SIZE_INFORMATION {
    ULONG LogicalBytesPerSector;
    ULONG PhysicalBytesPerSectorForAtomicity;
    ULONG PhysicalBytesPerSectorForPerformance;
    ULONG FileSystemEffectivePhysicalBytesPerSectorForAtomicity;
    ULONG Flags;
    ULONG ByteOffsetForSectorAlignment;
    ULONG ByteOffsetForPartitionAlignment;
} FILE_FS_SECTOR_SIZE_INFORMATION, *PFILE_FS_SECTOR_SIZE_INFORMATION;
typedef struct _KEY_NAME_INFORMATION {
    ULONG NameLength;
    WCHAR Name[1];
} KEY_NAME_INFORMATION, *PKEY_NAME_INFORMATION;
typedef struct _KEY_CACHED_INFORMATION {
    LARGE_INTEGER LastWriteTime;
    ULONG TitleIndex;
    ULONG SubKeys;
    ULONG MaxNameLen;
    ULONG Values;
    ULONG MaxValueNameLen;
    ULONG MaxValueDataLen;
    ULONG NameLength;
} KEY_CACHED_INFORMATION, *PKEY_CACHED_INFORMATION;
typedef struct _KEY_VIRTUALIZATION_INFORMATION {
    ULONG VirtualizationCandidate : 1;
    ULONG VirtualizationEnabled : 1;
    ULONG VirtualTarget : 1;
    ULONG VirtualStore : 1;
    ULONG VirtualSource : 1;
    ULONG Reserved : 27;
} KEY_VIRTUALIZATION_INFORMATION, *PKEY_VIRTUALIZATION_INFORMATION;
typedef struct _KEY_LAYER_INFORMATION {
    ULONG IsTombstone : 1;
    ULONG IsSupersedeLocal : 1;
    ULONG IsSupersedeTree : 1;
    ULONG ClassIsInherited : 1;
    ULONG Reserved : 28;
} KEY_LAYER_INFORMATION, *PKEY_LAYER_INFORMATION;
typedef struct _EXCEPTION_REGISTRATION_RECORD {
    struct _EXCEPTION_REGISTRATION_RECORD *Next;
    PEXCEPTION_ROUTINE Handler;
} EXCEPTION_REGISTRATION_RECORD;
typedef EXCEPTION_REGISTRATION_RECORD *PEXCEPTION_REGISTRATION_RECORD;
struct _PROCESS_EXTENDED_BASIC_INFORMATION_19041 {
    SIZE_T Size;
    PROCESS_BASIC_INFORMATION BasicInfo;
    union {
        ULONG Flags;
        struct {
            ULONG IsProtectedProcess : 1;
            ULONG IsWow64Process : 1;
            ULONG IsProcessDeleting : 1;
            ULONG IsCrossSessionCreate : 1;
            ULONG IsFrozen : 1;
            ULONG IsBackground : 1;
            ULONG IsStronglyNamed : 1;
            ULONG IsSecureProcess : 1;
            ULONG IsSubsystemProcess : 1;
            ULONG SpareBits : 23;
        };
    };
};
typedef struct _PROCESS_MEMBERSHIP_INFORMATION {
    ULONG ServerSiloId;
} PROCESS_MEMBERSHIP_INFORMATION, *PPROCESS_MEMBERSHIP_INFORMATION;
typedef struct _PROCESS_DYNAMIC_EH_CONTINUATION_TARGET {
    ULONG_PTR TargetAddress;
    ULONG_PTR Flags;
} PROCESS_DYNAMIC_EH_CONTINUATION_TARGET, *PPROCESS_DYNAMIC_EH_CONTINUATION_TARGET;
typedef struct _PROCESS_DYNAMIC_EH_CONTINUATION_TARGETS_INFORMATION {
    USHORT NumberOfTargets;
    USHORT Reserved;
    ULONG Reserved2;
    PPROCESS_DYNAMIC_EH_CONTINUATION_TARGET Targets;
} PROCESS_DYNAMIC_EH_CONTINUATION_TARGETS_INFORMATION, *PPROCESS_DYNAMIC_EH_CONTINUATION_TARGETS_INFORMATION;
typedef struct _PROCESS_DYNAMIC_ENFORCED_ADDRESS_RANGE {
    ULONG_PTR BaseAddress;
    SIZE_T Size;
    ULONG Flags;
} PROCESS_DYNAMIC_ENFORCED_ADDRESS_RANGE, *PPROCESS_DYNAMIC_ENFORCED_ADDRESS_RANGE;
typedef struct _PROCESS_DYNAMIC_ENFORCED_ADDRESS_RANGES_INFORMATION {
    USHORT NumberOfRanges;
    USHORT Reserved;
    ULONG Reserved2;
    PPROCESS_DYNAMIC_ENFORCED_ADDRESS_RANGE Ranges;
} PROCESS_DYNAMIC_ENFORCED_ADDRESS_RANGES_INFORMATION, *PPROCESS_DYNAMIC_ENFORCED_ADDRESS_RANGES_INFORMATION;
typedef struct _VM_COUNTERS_EX2 {
    VM_COUNTERS_EX CountersEx;
    SIZE_T PrivateWorkingSetSize;
    ULONGLONG SharedCommitUsage;
} VM_COUNTERS_EX2, *PVM_COUNTERS_EX2;
typedef enum _PROCESS_MITIGATION_POLICY {
    ProcessDEPPolicy,
    ProcessASLRPolicy,
    ProcessDynamicCodePolicy,
    ProcessStrictHandleCheckPolicy,
    ProcessSystemCallDisablePolicy,
    ProcessMitigationOptionsMask,
    ProcessExtensionPointDisablePolicy,
    ProcessControlFlowGuardPolicy,
    ProcessSignaturePolicy,
    ProcessFontDisablePolicy,
    ProcessImageLoadPolicy,
    ProcessSystemCallFilterPolicy,
    ProcessPayloadRestrictionPolicy,
    ProcessChildProcessPolicy,
    ProcessSideChannelIsolationPolicy,
    ProcessUserShadowStackPolicy,
    ProcessRedirectionTrustPolicy,
    ProcessUserPointerAuthPolicy,
    ProcessSEHOPPolicy,
    MaxProcessMitigationPolicy,
} PROCESS_MITIGATION_POLICY, *PPROCESS_MITIGATION_POLICY;
typedef struct _PROCESS_MITIGATION_ASLR_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG EnableBottomUpRandomization : 1;
            ULONG EnableForceRelocateImages : 1;
            ULONG EnableHighEntropy : 1;
            ULONG DisallowStrippedImages : 1;
            ULONG ReservedFlags : 28;
        };
    };
} PROCESS_MITIGATION_ASLR_POLICY, *PPROCESS_MITIGATION_ASLR_POLICY;
typedef struct _PROCESS_MITIGATION_DEP_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG Enable : 1;
            ULONG DisableAtlThunkEmulation : 1;
            ULONG ReservedFlags : 30;
        };
    };
    BOOLEAN Permanent;
} PROCESS_MITIGATION_DEP_POLICY, *PPROCESS_MITIGATION_DEP_POLICY;
typedef struct _PROCESS_MITIGATION_SEHOP_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG EnableSehop : 1;
            ULONG ReservedFlags : 31;
        };
    };
} PROCESS_MITIGATION_SEHOP_POLICY, *PPROCESS_MITIGATION_SEHOP_POLICY;
typedef struct _PROCESS_MITIGATION_STRICT_HANDLE_CHECK_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG RaiseExceptionOnInvalidHandleReference : 1;
            ULONG HandleExceptionsPermanentlyEnabled : 1;
            ULONG ReservedFlags : 30;
        };
    };
} PROCESS_MITIGATION_STRICT_HANDLE_CHECK_POLICY, *PPROCESS_MITIGATION_STRICT_HANDLE_CHECK_POLICY;
typedef struct _PROCESS_MITIGATION_SYSTEM_CALL_DISABLE_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG DisallowWin32kSystemCalls : 1;
            ULONG AuditDisallowWin32kSystemCalls : 1;
            ULONG ReservedFlags : 30;
        };
    };
} PROCESS_MITIGATION_SYSTEM_CALL_DISABLE_POLICY, *PPROCESS_MITIGATION_SYSTEM_CALL_DISABLE_POLICY;
typedef struct _PROCESS_MITIGATION_EXTENSION_POINT_DISABLE_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG DisableExtensionPoints : 1;
            ULONG ReservedFlags : 31;
        };
    };
} PROCESS_MITIGATION_EXTENSION_POINT_DISABLE_POLICY, *PPROCESS_MITIGATION_EXTENSION_POINT_DISABLE_POLICY;
typedef struct _PROCESS_MITIGATION_DYNAMIC_CODE_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG ProhibitDynamicCode : 1;
            ULONG AllowThreadOptOut : 1;
            ULONG AllowRemoteDowngrade : 1;
            ULONG AuditProhibitDynamicCode : 1;
            ULONG ReservedFlags : 28;
        };
    };
} PROCESS_MITIGATION_DYNAMIC_CODE_POLICY, *PPROCESS_MITIGATION_DYNAMIC_CODE_POLICY;
typedef struct _PROCESS_MITIGATION_CONTROL_FLOW_GUARD_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG EnableControlFlowGuard : 1;
            ULONG EnableExportSuppression : 1;
            ULONG StrictMode : 1;
            ULONG EnableXfg : 1;
            ULONG EnableXfgAuditMode : 1;
            ULONG ReservedFlags : 27;
        };
    };
} PROCESS_MITIGATION_CONTROL_FLOW_GUARD_POLICY, *PPROCESS_MITIGATION_CONTROL_FLOW_GUARD_POLICY;
typedef struct _PROCESS_MITIGATION_BINARY_SIGNATURE_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG MicrosoftSignedOnly : 1;
            ULONG StoreSignedOnly : 1;
            ULONG MitigationOptIn : 1;
            ULONG AuditMicrosoftSignedOnly : 1;
            ULONG AuditStoreSignedOnly : 1;
            ULONG ReservedFlags : 27;
        };
    };
} PROCESS_MITIGATION_BINARY_SIGNATURE_POLICY, *PPROCESS_MITIGATION_BINARY_SIGNATURE_POLICY;
typedef struct _PROCESS_MITIGATION_FONT_DISABLE_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG DisableNonSystemFonts : 1;
            ULONG AuditNonSystemFontLoading : 1;
            ULONG ReservedFlags : 30;
        };
    };
} PROCESS_MITIGATION_FONT_DISABLE_POLICY, *PPROCESS_MITIGATION_FONT_DISABLE_POLICY;
typedef struct _PROCESS_MITIGATION_IMAGE_LOAD_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG NoRemoteImages : 1;
            ULONG NoLowMandatoryLabelImages : 1;
            ULONG PreferSystem32Images : 1;
            ULONG AuditNoRemoteImages : 1;
            ULONG AuditNoLowMandatoryLabelImages : 1;
            ULONG ReservedFlags : 27;
        };
    };
} PROCESS_MITIGATION_IMAGE_LOAD_POLICY, *PPROCESS_MITIGATION_IMAGE_LOAD_POLICY;
typedef struct _PROCESS_MITIGATION_SYSTEM_CALL_FILTER_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG FilterId : 4;
            ULONG ReservedFlags : 28;
        };
    };
} PROCESS_MITIGATION_SYSTEM_CALL_FILTER_POLICY, *PPROCESS_MITIGATION_SYSTEM_CALL_FILTER_POLICY;
typedef struct _PROCESS_MITIGATION_PAYLOAD_RESTRICTION_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG EnableExportAddressFilter : 1;
            ULONG AuditExportAddressFilter : 1;
            ULONG EnableExportAddressFilterPlus : 1;
            ULONG AuditExportAddressFilterPlus : 1;
            ULONG EnableImportAddressFilter : 1;
            ULONG AuditImportAddressFilter : 1;
            ULONG EnableRopStackPivot : 1;
            ULONG AuditRopStackPivot : 1;
            ULONG EnableRopCallerCheck : 1;
            ULONG AuditRopCallerCheck : 1;
            ULONG EnableRopSimExec : 1;
            ULONG AuditRopSimExec : 1;
            ULONG ReservedFlags : 20;
        };
    };
} PROCESS_MITIGATION_PAYLOAD_RESTRICTION_POLICY, *PPROCESS_MITIGATION_PAYLOAD_RESTRICTION_POLICY;
typedef struct _PROCESS_MITIGATION_CHILD_PROCESS_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG NoChildProcessCreation : 1;
            ULONG AuditNoChildProcessCreation : 1;
            ULONG AllowSecureProcessCreation : 1;
            ULONG ReservedFlags : 29;
        };
    };
} PROCESS_MITIGATION_CHILD_PROCESS_POLICY, *PPROCESS_MITIGATION_CHILD_PROCESS_POLICY;
typedef struct _PROCESS_MITIGATION_SIDE_CHANNEL_ISOLATION_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG SmtBranchTargetIsolation : 1;
            ULONG IsolateSecurityDomain : 1;
            ULONG DisablePageCombine : 1;
            ULONG SpeculativeStoreBypassDisable : 1;
            ULONG RestrictCoreSharing : 1;
            ULONG ReservedFlags : 27;
        };
    };
} PROCESS_MITIGATION_SIDE_CHANNEL_ISOLATION_POLICY, *PPROCESS_MITIGATION_SIDE_CHANNEL_ISOLATION_POLICY;
typedef struct _PROCESS_MITIGATION_USER_SHADOW_STACK_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG EnableUserShadowStack : 1;
            ULONG AuditUserShadowStack : 1;
            ULONG SetContextIpValidation : 1;
            ULONG AuditSetContextIpValidation : 1;
            ULONG EnableUserShadowStackStrictMode : 1;
            ULONG BlockNonCetBinaries : 1;
            ULONG BlockNonCetBinariesNonEhcont : 1;
            ULONG AuditBlockNonCetBinaries : 1;
            ULONG CetDynamicApisOutOfProcOnly : 1;
            ULONG SetContextIpValidationRelaxedMode : 1;
            ULONG ReservedFlags : 22;
        };
    };
} PROCESS_MITIGATION_USER_SHADOW_STACK_POLICY, *PPROCESS_MITIGATION_USER_SHADOW_STACK_POLICY;
typedef struct _PROCESS_MITIGATION_USER_POINTER_AUTH_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG EnablePointerAuthUserIp : 1;
            ULONG ReservedFlags : 31;
        };
    };
} PROCESS_MITIGATION_USER_POINTER_AUTH_POLICY, *PPROCESS_MITIGATION_USER_POINTER_AUTH_POLICY;
typedef struct _PROCESS_MITIGATION_REDIRECTION_TRUST_POLICY {
    union {
        ULONG Flags;
        struct {
            ULONG EnforceRedirectionTrust : 1;
            ULONG AuditRedirectionTrust : 1;
            ULONG ReservedFlags : 30;
        };
    };
} PROCESS_MITIGATION_REDIRECTION_TRUST_POLICY, *PPROCESS_MITIGATION_REDIRECTION_TRUST_POLICY;
typedef struct _PROCESS_KEEPALIVE_COUNT_INFORMATION {
    ULONG WakeCount;
    ULONG NoWakeCount;
} PROCESS_KEEPALIVE_COUNT_INFORMATION, *PPROCESS_KEEPALIVE_COUNT_INFORMATION;
typedef struct _PROCESS_REVOKE_FILE_HANDLES_INFORMATION {
    UNICODE_STRING TargetDevicePath;
} PROCESS_REVOKE_FILE_HANDLES_INFORMATION, *PPROCESS_REVOKE_FILE_HANDLES_INFORMATION;
typedef enum _SUBSYSTEM_INFORMATION_TYPE {
    SubsystemInformationTypeWin32,
    SubsystemInformationTypeWSL,
    MaxSubsystemInformationType,
} SUBSYSTEM_INFORMATION_TYPE, *PSUBSYSTEM_INFORMATION_TYPE;
typedef struct _PROCESS_SYSCALL_PROVIDER_INFORMATION {
    GUID ProviderId;
    UCHAR Level;
} PROCESS_SYSCALL_PROVIDER_INFORMATION, *PPROCESS_SYSCALL_PROVIDER_INFORMATION;
typedef struct _KUMS_CONTEXT_HEADER {
    ULONG64 P1Home;
    ULONG64 P2Home;
    ULONG64 P3Home;
    ULONG64 P4Home;
    PVOID StackTop;
    ULONG64 StackSize;
    ULONG64 RspOffset;
    ULONG64 Rip;
    PXMM_SAVE_AREA32 FltSave;
    union {
        struct {
            ULONG64 Volatile : 1;
            ULONG64 Reserved : 63;
        };
        ULONG64 Flags;
    };
    PKTRAP_FRAME TrapFrame;
    PKEXCEPTION_FRAME ExceptionFrame;
    struct _KTHREAD *SourceThread;
    ULONG64 Return;
} KUMS_CONTEXT_HEADER, *PKUMS_CONTEXT_HEADER;
typedef struct _CM_PCCARD_DEVICE_DATA {
    UCHAR Flags;
    UCHAR ErrorCode;
    USHORT Reserved;
    ULONG BusData;
    ULONG DeviceId;
    ULONG LegacyBaseAddress;
    UCHAR IRQMap[16];
} CM_PCCARD_DEVICE_DATA, *PCM_PCCARD_DEVICE_DATA;
typedef void EXPAND_STACK_CALLOUT(PVOID Parameter);
typedef struct _MM_COPY_ADDRESS {
    union {
        PVOID VirtualAddress;
        PHYSICAL_ADDRESS PhysicalAddress;
    };
} MM_COPY_ADDRESS, *PMMCOPY_ADDRESS;
struct _PS_CREATE_NOTIFY_INFO_19041 {
    SIZE_T Size;
    union {
        ULONG Flags;
        struct {
            ULONG FileOpenNameAvailable : 1;
            ULONG IsSubsystemProcess : 1;
            ULONG Reserved : 30;
        };
    };
    HANDLE ParentProcessId;
    CLIENT_ID CreatingThreadId;
    struct _FILE_OBJECT *FileObject;
    PCUNICODE_STRING ImageFileName;
    PCUNICODE_STRING CommandLine;
    NTSTATUS CreationStatus;
};
typedef enum _PSCREATEPROCESSNOTIFYTYPE {
    PsCreateProcessNotifySubsystems,
} PSCREATEPROCESSNOTIFYTYPE;
typedef enum _PSCREATETHREADNOTIFYTYPE {
    PsCreateThreadNotifyNonSystem,
    PsCreateThreadNotifySubsystems,
} PSCREATETHREADNOTIFYTYPE;
typedef void (*SILO_CONTEXT_CLEANUP_CALLBACK)(PVOID SiloContext);
typedef NTSTATUS (*SILO_MONITOR_CREATE_CALLBACK)(PESILO Silo);
typedef void (*SILO_MONITOR_TERMINATE_CALLBACK)(PESILO Silo);
typedef struct _SILO_MONITOR_REGISTRATION {
    UCHAR Version;
    BOOLEAN MonitorHost;
    BOOLEAN MonitorExistingSilos;
    UCHAR Reserved[5];
    union {
        PUNICODE_STRING DriverObjectName;
        PUNICODE_STRING ComponentName;
    };
    SILO_MONITOR_CREATE_CALLBACK CreateCallback;
    SILO_MONITOR_TERMINATE_CALLBACK TerminateCallback;
} SILO_MONITOR_REGISTRATION, *PSILO_MONITOR_REGISTRATION;
typedef void DRIVER_REINITIALIZE(struct _DRIVER_OBJECT *DriverObject, PVOID Context, ULONG Count);
typedef struct _IO_FOEXT_SILO_PARAMETERS {
    ULONG Length;
    union {
        struct {
            ULONG HasHardReference : 1;
            ULONG SpareFlags : 31;
        };
        ULONG Flags;
    };
    PESILO SiloContext;
} IO_FOEXT_SILO_PARAMETERS, *PIO_FOEXT_SILO_PARAMETERS;
typedef struct _CREATE_USER_PROCESS_ECP_CONTEXT {
    USHORT Size;
    USHORT Reserved;
    PACCESS_TOKEN AccessToken;
} CREATE_USER_PROCESS_ECP_CONTEXT, *PCREATE_USER_PROCESS_ECP_CONTEXT;
typedef struct _OPLOCK_KEY_CONTEXT {
    USHORT Version;
    USHORT Flags;
    GUID ParentOplockKey;
    GUID TargetOplockKey;
    ULONG Reserved;
} OPLOCK_KEY_CONTEXT, *POPLOCK_KEY_CONTEXT;
typedef struct _IO_FOEXT_SHADOW_FILE {
    PFILE_OBJECT BackingFileObject;
    PVOID BackingFltInstance;
} IO_FOEXT_SHADOW_FILE, *PIO_FOEXT_SHADOW_FILE;
typedef enum _BDCB_CALLBACK_TYPE {
    BdCbStatusUpdate,
    BdCbInitializeImage,
} BDCB_CALLBACK_TYPE, *PBDCB_CALLBACK_TYPE;
typedef enum _BDCB_CLASSIFICATION {
    BdCbClassificationUnknownImage,
    BdCbClassificationKnownGoodImage,
    BdCbClassificationKnownBadImage,
    BdCbClassificationKnownBadImageBootCritical,
    BdCbClassificationEnd,
} BDCB_CLASSIFICATION, *PBDCB_CLASSIFICATION;
typedef enum _BDCB_STATUS_UPDATE_TYPE {
    BdCbStatusPrepareForDependencyLoad,
    BdCbStatusPrepareForDriverLoad,
    BdCbStatusPrepareForUnload,
} BDCB_STATUS_UPDATE_TYPE, *PBDCB_STATUS_UPDATE_TYPE;
typedef struct _BDCB_STATUS_UPDATE_CONTEXT {
    BDCB_STATUS_UPDATE_TYPE StatusType;
} BDCB_STATUS_UPDATE_CONTEXT, *PBDCB_STATUS_UPDATE_CONTEXT;
typedef struct _BDCB_IMAGE_INFORMATION {
    BDCB_CLASSIFICATION Classification;
    ULONG ImageFlags;
    UNICODE_STRING ImageName;
    UNICODE_STRING RegistryPath;
    UNICODE_STRING CertificatePublisher;
    UNICODE_STRING CertificateIssuer;
    PVOID ImageHash;
    PVOID CertificateThumbprint;
    ULONG ImageHashAlgorithm;
    ULONG ThumbprintHashAlgorithm;
    ULONG ImageHashLength;
    ULONG CertificateThumbprintLength;
} BDCB_IMAGE_INFORMATION, *PBDCB_IMAGE_INFORMATION;
typedef void BOOT_DRIVER_CALLBACK_FUNCTION(PVOID CallbackContext, BDCB_CALLBACK_TYPE Classification,
    PBDCB_IMAGE_INFORMATION ImageInformation);
typedef BOOT_DRIVER_CALLBACK_FUNCTION *PBOOT_DRIVER_CALLBACK_FUNCTION;
typedef enum KD_NAMESPACE_ENUM {
    KdNameSpacePCI,
    KdNameSpaceACPI,
    KdNameSpaceAny,
    KdNameSpaceNone,
    KdNameSpaceMax,
} KD_NAMESPACE_ENUM, *PKD_NAMESPACE_ENUM;
typedef enum KD_CALLBACK_ACTION {
    KdConfigureDeviceAndContinue,
    KdSkipDeviceAndContinue,
    KdConfigureDeviceAndStop,
    KdSkipDeviceAndStop,
} KD_CALLBACK_ACTION, *PKD_CALLBACK_ACTION;
typedef struct _DEBUG_TRANSPORT_DATA {
    ULONG HwContextSize;
    ULONG SharedVisibleDataSize;
    BOOLEAN UseSerialFraming;
    BOOLEAN ValidUSBCoreId;
    UCHAR USBCoreId;
} DEBUG_TRANSPORT_DATA, *PDEBUG_TRANSPORT_DATA;
typedef struct _DEBUG_IOMMU_EFI_DATA {
    PVOID PciIoProtocolHandle;
    PVOID Mapping;
} DEBUG_EFI_IOMMU_DATA, *PDEBUG_EFI_IOMMU_DATA;
typedef struct _PCI_DEBUGGING_DEVICE_IN_USE {
    USHORT Segment;
    ULONG Bus;
    ULONG Slot;
} PCI_DEBUGGING_DEVICE_IN_USE, *PPCI_DEBUGGING_DEVICE_IN_USE;
typedef struct _ACPI_DEBUGGING_DEVICE_IN_USE {
    ULONG NameSpacePathLength;
    WCHAR NameSpacePath[1];
} ACPI_DEBUGGING_DEVICE_IN_USE, *PACPI_DEBUGGING_DEVICE_IN_USE;
typedef struct _DEBUGGING_DEVICE_IN_USE {
    KD_NAMESPACE_ENUM NameSpace;
    ULONG StructureLength;
    union {
        ACPI_DEBUGGING_DEVICE_IN_USE AcpiDevice;
        PCI_DEBUGGING_DEVICE_IN_USE PciDevice;
    };
} DEBUGGING_DEVICE_IN_USE, *PDEBUGGING_DEVICE_IN_USE;
typedef struct _DEBUGGING_DEVICE_IN_USE_INFORMATION {
    ULONG DeviceCount;
    DEBUGGING_DEVICE_IN_USE Device[1];
} DEBUGGING_DEVICE_IN_USE_INFORMATION, *PDEBUGGING_DEVICE_IN_USE_INFORMATION;
typedef KD_CALLBACK_ACTION (*PDEBUG_DEVICE_FOUND_FUNCTION)(PDEBUG_DEVICE_DESCRIPTOR Device);
typedef NTSTATUS (*pKdEnumerateDebuggingDevices)(PVOID LoaderBlock, PDEBUG_DEVICE_DESCRIPTOR Device,
    PDEBUG_DEVICE_FOUND_FUNCTION Callback);
typedef NTSTATUS (*pKdSetupIntegratedDeviceForDebugging)(PVOID LoaderBlock,
    PDEBUG_DEVICE_DESCRIPTOR IntegratedDevice);
typedef NTSTATUS (*pKdReleaseIntegratedDeviceForDebugging)(PDEBUG_DEVICE_DESCRIPTOR IntegratedDevice);
typedef void (*pHalGetPrmCache)(PLIST_ENTRY *FirmwareList, PLIST_ENTRY *UpdateList);
typedef void (*PPHYSICAL_COUNTER_OVERFLOW_HANDLER)(ULONGLONG OverflowBits, HANDLE OwningHandle);
typedef void (*PPHYSICAL_COUNTER_EVENT_BUFFER_OVERFLOW_HANDLER)(PVOID EventBuffer, SIZE_T EntrySize,
    SIZE_T NumberOfEntries, HANDLE OwningHandle);
typedef struct _PHYSICAL_COUNTER_EVENT_BUFFER_CONFIGURATION {
    PPHYSICAL_COUNTER_EVENT_BUFFER_OVERFLOW_HANDLER OverflowHandler;
    ULONG CustomEventBufferEntrySize;
    ULONG EventThreshold;
} PHYSICAL_COUNTER_EVENT_BUFFER_CONFIGURATION, *PPHYSICAL_COUNTER_EVENT_BUFFER_CONFIGURATION;
typedef struct _SIGNAL_REG_VALUE *PSIGNAL_REG_VALUE;
typedef struct _EFI_ACPI_RAS_SIGNAL_TABLE EFI_ACPI_RAS_SIGNAL_TABLE;
typedef struct _EFI_ACPI_RAS_SIGNAL_TABLE *PEFI_ACPI_RAS_SIGNAL_TABLE;
#define WinApplicationPackageAuthoritySid (83)
#define WinBuiltinAnyPackageSid (84)
#define WinCapabilityInternetClientSid (85)
#define WinCapabilityInternetClientServerSid (86)
#define WinCapabilityPrivateNetworkClientServerSid (87)
#define WinCapabilityPicturesLibrarySid (88)
#define WinCapabilityVideosLibrarySid (89)
#define WinCapabilityMusicLibrarySid (90)
#define WinCapabilityDocumentsLibrarySid (91)
#define WinCapabilitySharedUserCertificatesSid (92)
#define WinCapabilityEnterpriseAuthenticationSid (93)
#define WinCapabilityRemovableStorageSid (94)
#define WinBuiltinRDSRemoteAccessServersSid (95)
#define WinBuiltinRDSEndpointServersSid (96)
#define WinBuiltinRDSManagementServersSid (97)
#define WinUserModeDriversSid (98)
#define WinBuiltinHyperVAdminsSid (99)
#define WinAccountCloneableControllersSid (100)
#define WinBuiltinAccessControlAssistanceOperatorsSid (101)
#define WinBuiltinRemoteManagementUsersSid (102)
#define WinAuthenticationAuthorityAssertedSid (103)
#define WinAuthenticationServiceAssertedSid (104)
#define WinLocalAccountSid (105)
#define WinLocalAccountAndAdministratorSid (106)
#define WinAccountProtectedUsersSid (107)
#define WinCapabilityAppointmentsSid (108)
#define WinCapabilityContactsSid (109)
#define WinAccountDefaultSystemManagedSid (110)
#define WinBuiltinDefaultSystemManagedGroupSid (111)
#define WinBuiltinStorageReplicaAdminsSid (112)
#define WinAccountKeyAdminsSid (113)
#define WinAccountEnterpriseKeyAdminsSid (114)
#define WinAuthenticationKeyTrustSid (115)
#define WinAuthenticationKeyPropertyMFASid (116)
#define WinAuthenticationKeyPropertyAttestationSid (117)
#define WinAuthenticationFreshKeyAuthSid (118)
#define WinBuiltinDeviceOwnersSid (119)
#define ProcessOwnerInformation ((enum _PROCESSINFOCLASS)49)
#define ProcessHandleInformation ((enum _PROCESSINFOCLASS)51)
#define ProcessMitigationPolicy ((enum _PROCESSINFOCLASS)52)
#define ProcessDynamicFunctionTableInformation ((enum _PROCESSINFOCLASS)53)
#define ProcessHandleCheckingMode ((enum _PROCESSINFOCLASS)54)
#define ProcessKeepAliveCount ((enum _PROCESSINFOCLASS)55)
#define ProcessRevokeFileHandles ((enum _PROCESSINFOCLASS)56)
#define ProcessWorkingSetControl ((enum _PROCESSINFOCLASS)57)
#define ProcessHandleTable ((enum _PROCESSINFOCLASS)58)
#define ProcessCheckStackExtentsMode ((enum _PROCESSINFOCLASS)59)
#define ProcessCommandLineInformation ((enum _PROCESSINFOCLASS)60)
#define ProcessProtectionInformation ((enum _PROCESSINFOCLASS)61)
#define ProcessMemoryExhaustion ((enum _PROCESSINFOCLASS)62)
#define ProcessFaultInformation ((enum _PROCESSINFOCLASS)63)
#define ProcessTelemetryIdInformation ((enum _PROCESSINFOCLASS)64)
#define ProcessCommitReleaseInformation ((enum _PROCESSINFOCLASS)65)
#define ProcessReserved1Information ((enum _PROCESSINFOCLASS)66)
#define ProcessReserved2Information ((enum _PROCESSINFOCLASS)67)
#define ProcessSubsystemProcess ((enum _PROCESSINFOCLASS)68)
#define ProcessInPrivate ((enum _PROCESSINFOCLASS)70)
#define ProcessRaiseUMExceptionOnInvalidHandleClose ((enum _PROCESSINFOCLASS)71)
#define ProcessSubsystemInformation ((enum _PROCESSINFOCLASS)75)
#define ProcessWin32kSyscallFilterInformation ((enum _PROCESSINFOCLASS)79)
#define ProcessEnergyTrackingState ((enum _PROCESSINFOCLASS)82)
#define ThreadCpuAccountingInformation ((enum _THREADINFOCLASS)34)
#define ThreadSuspendCount ((enum _THREADINFOCLASS)35)
#define ThreadActualGroupAffinity ((enum _THREADINFOCLASS)41)
#define ThreadDynamicCodePolicyInfo ((enum _THREADINFOCLASS)42)
#define ThreadSubsystemInformation ((enum _THREADINFOCLASS)45)
#define ResourceTypeEventBuffer ((enum _PHYSICAL_COUNTER_RESOURCE_DESCRIPTOR_TYPE)4)
#define ResourceTypeIdenitificationTag ((enum _PHYSICAL_COUNTER_RESOURCE_DESCRIPTOR_TYPE)5)

#ifndef FLTVM_NTAPI
#define FLTVM_NTAPI NTKERNELAPI
#endif
extern POBJECT_TYPE *PsSiloContextPagedType;
extern POBJECT_TYPE *PsSiloContextNonPagedType;
FLTVM_NTAPI void RtlDeleteElementGenericTableAvlEx(PRTL_AVL_TABLE Table, PVOID NodeOrParent);
FLTVM_NTAPI BOOLEAN RtlCreateHashTableEx(PRTL_DYNAMIC_HASH_TABLE *HashTable, ULONG InitialSize, ULONG Shift,
    ULONG Flags);
FLTVM_NTAPI BOOLEAN RtlInitStrongEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
    PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator);
FLTVM_NTAPI PRTL_DYNAMIC_HASH_TABLE_ENTRY RtlStronglyEnumerateEntryHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable, PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator);
FLTVM_NTAPI void RtlEndStrongEnumerationHashTable(PRTL_DYNAMIC_HASH_TABLE HashTable,
    PRTL_DYNAMIC_HASH_TABLE_ENUMERATOR Enumerator);
FLTVM_NTAPI BOOLEAN RtlSuffixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
    BOOLEAN CaseInSensitive);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS RtlQueryRegistryValueWithFallback(HANDLE PrimaryHandle,
    HANDLE FallbackHandle, PUNICODE_STRING ValueName, ULONG ValueLength, PULONG ValueType, PVOID ValueData,
    PULONG ResultLength);
FLTVM_NTAPI ULONG RtlGetActiveConsoleId(VOID);
FLTVM_NTAPI ULONGLONG RtlGetConsoleSessionForegroundProcessId(VOID);
FLTVM_NTAPI ULONG RtlGetSuiteMask(VOID);
FLTVM_NTAPI BOOLEAN RtlIsMultiSessionSku(VOID);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI BOOLEAN RtlIsStateSeparationEnabled(VOID);
FLTVM_NTAPI NTSTATUS RtlGetPersistedStateLocation(PCWSTR SourceID, PCWSTR CustomValue, PCWSTR DefaultPath,
    STATE_LOCATION_TYPE StateLocationType, PWCHAR TargetPath, ULONG BufferLengthIn, PULONG BufferLengthOut);
FLTVM_NTAPI NTSTATUS RtlIsApiSetImplemented(PCSTR apiSetName);
FLTVM_NTAPI BOOLEAN RtlIsMultiUsersInSessionSku(VOID);
FLTVM_NTAPI BOOLEAN RtlGetNtProductType(PNT_PRODUCT_TYPE NtProductType);
FLTVM_NTAPI PCWSTR RtlGetNtSystemRoot(VOID);
FLTVM_NTAPI NTSTATUS RtlGetNonVolatileToken(PVOID NvBuffer, SIZE_T Size, PVOID *NvToken);
FLTVM_NTAPI NTSTATUS RtlFreeNonVolatileToken(PVOID NvToken);
FLTVM_NTAPI NTSTATUS RtlFlushNonVolatileMemory(PVOID NvToken, PVOID NvBuffer, SIZE_T Size, ULONG Flags);
FLTVM_NTAPI NTSTATUS RtlDrainNonVolatileFlush(PVOID NvToken);
FLTVM_NTAPI NTSTATUS RtlWriteNonVolatileMemory(PVOID NvToken, void *NvDestination, const void *Source,
    SIZE_T Size, ULONG Flags);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI NTSTATUS RtlFillNonVolatileMemory(PVOID NvToken,
    void *NvDestination, SIZE_T Size, const UCHAR Value, ULONG Flags);
FLTVM_NTAPI NTSTATUS RtlFlushNonVolatileMemoryRanges(PVOID NvToken, PNV_MEMORY_RANGE NvRanges,
    SIZE_T NumRanges, ULONG Flags);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS RtlInitializeCorrelationVector(PCORRELATION_VECTOR CorrelationVector, int Version, const GUID *Guid);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS RtlIncrementCorrelationVector(PCORRELATION_VECTOR CorrelationVector);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS RtlExtendCorrelationVector(PCORRELATION_VECTOR CorrelationVector);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS RtlValidateCorrelationVector(PCORRELATION_VECTOR Vector);
FLTVM_NTAPI NTSTATUS RtlRaiseCustomSystemEventTrigger(PCUSTOM_SYSTEM_EVENT_TRIGGER_CONFIG TriggerConfig);
FLTVM_NTAPI BOOLEAN RtlIsZeroMemory(PVOID Buffer, SIZE_T Length);
_IRQL_requires_max_(APC_LEVEL) FLTVM_NTAPI BOOLEAN RtlNormalizeSecurityDescriptor(PSECURITY_DESCRIPTOR *SecurityDescriptor, ULONG SecurityDescriptorLength, PSECURITY_DESCRIPTOR *NewSecurityDescriptor, PULONG NewSecurityDescriptorLength, BOOLEAN CheckOnly);
FLTVM_NTAPI NTSTATUS RtlGetSystemGlobalData(RTL_SYSTEM_GLOBAL_DATA_ID DataId, PVOID Buffer, ULONG Size);
FLTVM_NTAPI NTSTATUS RtlSetSystemGlobalData(RTL_SYSTEM_GLOBAL_DATA_ID DataId, PVOID Buffer, ULONG Size);
extern ULONG KeLastBranchMSR;
FLTVM_NTAPI NTSTATUS KeExpandKernelStackAndCalloutEx(PEXPAND_STACK_CALLOUT Callout, PVOID Parameter,
    SIZE_T Size, BOOLEAN Wait, PVOID Context);
FLTVM_NTAPI PPHYSICAL_MEMORY_RANGE MmGetPhysicalMemoryRangesEx(PVOID PartitionObject);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI PPHYSICAL_MEMORY_RANGE MmGetPhysicalMemoryRangesEx2(PVOID PartitionObject, ULONG Flags);
FLTVM_NTAPI NTSTATUS MmGetCacheAttribute(PHYSICAL_ADDRESS PhysicalAddress, MEMORY_CACHING_TYPE *CacheType);
_IRQL_requires_max_(APC_LEVEL) NTSTATUS MmCopyMemory(PVOID TargetAddress, MM_COPY_ADDRESS SourceAddress,
    SIZE_T NumberOfBytes, ULONG Flags, PSIZE_T NumberOfBytesTransferred);
FLTVM_NTAPI NTSTATUS MmGetCacheAttributeEx(PHYSICAL_ADDRESS PhysicalAddress, ULONG Flags,
    MEMORY_CACHING_TYPE *CacheType);
_IRQL_requires_max_(APC_LEVEL) FLTVM_NTAPI HANDLE MmSecureVirtualMemoryEx(PVOID Address, SIZE_T Size,
    ULONG ProbeMode, ULONG Flags);
FLTVM_NTAPI NTSTATUS MmMapViewInSystemSpaceEx(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize,
    PLARGE_INTEGER SectionOffset, ULONG_PTR Flags);
FLTVM_NTAPI NTSTATUS MmMapViewInSessionSpaceEx(PVOID Section, PVOID *MappedBase, PSIZE_T ViewSize,
    PLARGE_INTEGER SectionOffset, ULONG_PTR Flags);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS PsSetCreateProcessNotifyRoutineEx2(PSCREATEPROCESSNOTIFYTYPE NotifyType, PVOID NotifyInformation, BOOLEAN Remove);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS PsSetCreateThreadNotifyRoutineEx(PSCREATETHREADNOTIFYTYPE NotifyType, PVOID NotifyInformation);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS PsSetLoadImageNotifyRoutineEx(PLOAD_IMAGE_NOTIFY_ROUTINE NotifyRoutine, ULONG_PTR Flags);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI ULONGLONG PsGetProcessStartKey(PEPROCESS Process);
_IRQL_requires_max_(APC_LEVEL) FLTVM_NTAPI NTSTATUS PsGetProcessExitStatus(PEPROCESS Process);
_IRQL_requires_max_(APC_LEVEL) FLTVM_NTAPI NTSTATUS PsGetThreadExitStatus(PETHREAD Thread);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI PVOID PsGetThreadProperty(PETHREAD Thread, ULONG_PTR Key,
    ULONG Flags);
FLTVM_NTAPI LONGLONG PsGetThreadCreateTime(PETHREAD Thread);
FLTVM_NTAPI PVOID PsGetCurrentThreadTeb(VOID);
FLTVM_NTAPI NTSTATUS PsGetJobSilo(PEJOB Job, PESILO *Silo);
FLTVM_NTAPI NTSTATUS PsGetJobServerSilo(PEJOB Job, PESILO *ServerSilo);
FLTVM_NTAPI PESILO PsGetEffectiveServerSilo(PESILO Silo);
FLTVM_NTAPI PESILO PsAttachSiloToCurrentThread(PESILO Silo);
FLTVM_NTAPI void PsDetachSiloFromCurrentThread(PESILO PreviousSilo);
FLTVM_NTAPI BOOLEAN PsIsHostSilo(PESILO Silo);
FLTVM_NTAPI PESILO PsGetHostSilo(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI PESILO PsGetCurrentSilo(VOID);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI PESILO PsGetCurrentServerSilo(VOID);
FLTVM_NTAPI PUNICODE_STRING PsGetCurrentServerSiloName(VOID);
FLTVM_NTAPI BOOLEAN PsIsCurrentThreadInServerSilo(VOID);
FLTVM_NTAPI NTSTATUS PsAcquireSiloHardReference(PESILO Silo);
FLTVM_NTAPI void PsReleaseSiloHardReference(PESILO Silo);
FLTVM_NTAPI NTSTATUS PsAllocSiloContextSlot(ULONG_PTR Reserved, ULONG *ReturnedContextSlot);
FLTVM_NTAPI NTSTATUS PsFreeSiloContextSlot(ULONG ContextSlot);
FLTVM_NTAPI NTSTATUS PsCreateSiloContext(PESILO Silo, ULONG Size, POOL_TYPE PoolType,
    SILO_CONTEXT_CLEANUP_CALLBACK ContextCleanupCallback, PVOID *ReturnedSiloContext);
FLTVM_NTAPI NTSTATUS PsInsertSiloContext(PESILO Silo, ULONG ContextSlot, PVOID SiloContext);
FLTVM_NTAPI NTSTATUS PsReplaceSiloContext(PESILO Silo, ULONG ContextSlot, PVOID NewSiloContext,
    PVOID *OldSiloContext);
FLTVM_NTAPI NTSTATUS PsGetSiloContext(PESILO Silo, ULONG ContextSlot, PVOID *ReturnedSiloContext);
FLTVM_NTAPI NTSTATUS PsRemoveSiloContext(PESILO Silo, ULONG ContextSlot, PVOID *RemovedSiloContext);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI void PsReferenceSiloContext(PVOID SiloContext);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI void PsDereferenceSiloContext(PVOID SiloContext);
FLTVM_NTAPI NTSTATUS PsInsertPermanentSiloContext(PESILO Silo, ULONG ContextSlot, PVOID SiloContext);
FLTVM_NTAPI NTSTATUS PsMakeSiloContextPermanent(PESILO Silo, ULONG ContextSlot);
FLTVM_NTAPI NTSTATUS PsGetPermanentSiloContext(PESILO Silo, ULONG ContextSlot, PVOID *ReturnedSiloContext);
FLTVM_NTAPI NTSTATUS PsRegisterSiloMonitor(PSILO_MONITOR_REGISTRATION Registration,
    PSILO_MONITOR *ReturnedMonitor);
FLTVM_NTAPI NTSTATUS PsStartSiloMonitor(PSILO_MONITOR Monitor);
FLTVM_NTAPI ULONG PsGetSiloMonitorContextSlot(PSILO_MONITOR Monitor);
FLTVM_NTAPI void PsUnregisterSiloMonitor(PSILO_MONITOR Monitor);
FLTVM_NTAPI ULONG PsGetServerSiloServiceSessionId(PESILO Silo);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI ULONG PsGetServerSiloActiveConsoleId(PESILO Silo);
FLTVM_NTAPI void PsTerminateServerSilo(PESILO ServerSilo, NTSTATUS ExitStatus);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI PESILO PsGetParentSilo(PEJOB Job);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI PESILO PsGetThreadServerSilo(PETHREAD Thread);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI GUID *PsGetSiloContainerId(PESILO Silo);
FLTVM_NTAPI PIRP IoMakeAssociatedIrpEx(PIRP Irp, PDEVICE_OBJECT DeviceObject, CCHAR StackSize);
FLTVM_NTAPI NTSTATUS IoVolumeDeviceToGuidPath(PVOID VolumeDeviceObject, PUNICODE_STRING GuidPath);
FLTVM_NTAPI NTSTATUS IoVolumeDeviceToGuid(PVOID VolumeDeviceObject, GUID *Guid);
FLTVM_NTAPI NTSTATUS IoVolumeDeviceNameToGuid(PUNICODE_STRING VolumeDeviceName, GUID *Guid);
FLTVM_NTAPI NTSTATUS IoVolumeDeviceNameToGuidPath(PUNICODE_STRING VolumeDeviceName, PUNICODE_STRING GuidPath);
FLTVM_NTAPI PIO_FOEXT_SILO_PARAMETERS IoGetSiloParameters(PFILE_OBJECT FileObject);
FLTVM_NTAPI PESILO IoGetSilo(PFILE_OBJECT FileObject);
_IRQL_requires_max_(DISPATCH_LEVEL) POPLOCK_KEY_CONTEXT IoGetOplockKeyContextEx(PFILE_OBJECT FileObject);
FLTVM_NTAPI PIO_FOEXT_SHADOW_FILE IoGetShadowFileInformation(PFILE_OBJECT FileObject);
FLTVM_NTAPI NTSTATUS IoSetShadowFileInformation(PFILE_OBJECT FileObject, PFILE_OBJECT BackingFileObject,
    PVOID BackingFltInstance);
FLTVM_NTAPI NTSTATUS IoQueryInformationByName(POBJECT_ATTRIBUTES ObjectAttributes,
    PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
    FILE_INFORMATION_CLASS FileInformationClass, ULONG Options, PIO_DRIVER_CREATE_CONTEXT DriverContext);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI PVOID IoRegisterBootDriverCallback(PBOOT_DRIVER_CALLBACK_FUNCTION CallbackFunction, PVOID CallbackContext);
_IRQL_requires_max_(APC_LEVEL) FLTVM_NTAPI void IoUnregisterBootDriverCallback(PVOID CallbackHandle);
FLTVM_NTAPI NTSTATUS IoGetActivityIdIrp(PIRP Irp, LPGUID Guid);
FLTVM_NTAPI NTSTATUS IoSetActivityIdIrp(PIRP Irp, LPCGUID Guid);
FLTVM_NTAPI NTSTATUS IoPropagateActivityIdToThread(PIRP Irp, LPGUID PropagatedId, LPCGUID *OriginalId);
FLTVM_NTAPI LPCGUID IoSetActivityIdThread(LPCGUID ActivityId);
FLTVM_NTAPI void IoClearActivityIdThread(LPCGUID OriginalId);
FLTVM_NTAPI LPCGUID IoGetActivityIdThread(VOID);
FLTVM_NTAPI void IoTransferActivityId(LPCGUID ActivityId, LPCGUID RelatedActivityId);
FLTVM_NTAPI NTSTATUS IoGetFsZeroingOffset(PIRP Irp, PULONG ZeroingOffset);
FLTVM_NTAPI NTSTATUS IoSetFsZeroingOffsetRequired(PIRP Irp);
FLTVM_NTAPI NTSTATUS IoSetFsZeroingOffset(PIRP Irp, ULONG ZeroingOffset);
FLTVM_NTAPI LOGICAL IoIsValidIrpStatus(NTSTATUS Status);
FLTVM_NTAPI NTSTATUS IoIncrementKeepAliveCount(PFILE_OBJECT FileObject, PEPROCESS Process);
FLTVM_NTAPI NTSTATUS IoDecrementKeepAliveCount(PFILE_OBJECT FileObject, PEPROCESS Process);
_IRQL_requires_max_(DISPATCH_LEVEL) FLTVM_NTAPI PEPROCESS IoGetInitiatorProcess(PFILE_OBJECT FileObject);
FLTVM_NTAPI void IoSetMasterIrpStatus(PIRP MasterIrp, NTSTATUS Status);
_IRQL_requires_max_(APC_LEVEL) FLTVM_NTAPI NTSTATUS IoQueryFullDriverPath(PDRIVER_OBJECT DriverObject,
    PUNICODE_STRING FullPath);
_IRQL_requires_(PASSIVE_LEVEL) FLTVM_NTAPI NTSTATUS IoReportRootDevice(PDRIVER_OBJECT DriverObject);

#ifdef __cplusplus
}
#endif

#endif
