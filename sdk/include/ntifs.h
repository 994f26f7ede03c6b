/* SPDX-License-Identifier: MIT */
/*
 * ntifs.h: mingw-w64's, with the structures that Windows has changed since corrected to Windows 10 19041.
 *
 * The old header defines `struct _X {...} X, *PX;`.  For a structure to be replaced, X is a macro meanwhile
 * that ends the old definition under another name and starts the right one, so that PX, and with it every
 * prototype that follows, speaks of the right structure.
 */
#ifndef FLTVM_NTIFS_H
#define FLTVM_NTIFS_H

/* With this header PETHREAD and PKTHREAD are one type too, as PEPROCESS and PKPROCESS are with ntddk.h. */
#ifndef _NTOSKRNL_
#define _EPROCESS _KPROCESS
#define _ETHREAD  _KTHREAD
#endif
#include <ntddk.h>
#undef _EPROCESS
#undef _ETHREAD

#define _FSRTL_ADVANCED_FCB_HEADER _FVOLD_FSRTL_ADVANCED_FCB_HEADER
#define FSRTL_ADVANCED_FCB_HEADER                                                                                      \
    FVOLD_FSRTL_ADVANCED_FCB_HEADER;                                                                                   \
    typedef struct _FSRTL_ADVANCED_FCB_HEADER_19041 {                                                                  \
        FSRTL_COMMON_FCB_HEADER_LAYOUT                                                                                 \
        PFAST_MUTEX FastMutex;                                                                                         \
        LIST_ENTRY FilterContexts;                                                                                     \
        EX_PUSH_LOCK PushLock;                                                                                         \
        PVOID *FileContextSupportPointer;                                                                              \
        union {                                                                                                        \
            PVOID Oplock;                                                                                              \
            PVOID ReservedForRemote;                                                                                   \
        };                                                                                                             \
        PVOID ReservedContext;                                                                                         \
    } FVNEW_FSRTL_ADVANCED_FCB_HEADER

#define _FS_FILTER_PARAMETERS    _FVOLD_FS_FILTER_PARAMETERS
#define FS_FILTER_PARAMETERS     FVOLD_FS_FILTER_PARAMETERS
#define _FS_FILTER_CALLBACK_DATA _FVOLD_FS_FILTER_CALLBACK_DATA
#define FS_FILTER_CALLBACK_DATA                                                                                        \
    FVOLD_FS_FILTER_CALLBACK_DATA;                                                                                     \
    typedef union _FS_FILTER_PARAMETERS_19041 {                                                                        \
        struct {                                                                                                       \
            PLARGE_INTEGER EndingOffset;                                                                               \
            PERESOURCE *ResourceToRelease;                                                                             \
        } AcquireForModifiedPageWriter;                                                                                \
        struct {                                                                                                       \
            PERESOURCE ResourceToRelease;                                                                              \
        } ReleaseForModifiedPageWriter;                                                                                \
        struct {                                                                                                       \
            FS_FILTER_SECTION_SYNC_TYPE SyncType;                                                                      \
            ULONG PageProtection;                                                                                      \
            struct _FS_FILTER_SECTION_SYNC_OUTPUT *OutputInformation;                                                  \
            ULONG Flags;                                                                                               \
        } AcquireForSectionSynchronization;                                                                            \
        struct {                                                                                                       \
            PIRP Irp;                                                                                                  \
            PVOID FileInformation;                                                                                     \
            PULONG Length;                                                                                             \
            FILE_INFORMATION_CLASS FileInformationClass;                                                               \
            NTSTATUS CompletionStatus;                                                                                 \
        } QueryOpen;                                                                                                   \
        struct {                                                                                                       \
            PVOID Argument1;                                                                                           \
            PVOID Argument2;                                                                                           \
            PVOID Argument3;                                                                                           \
            PVOID Argument4;                                                                                           \
            PVOID Argument5;                                                                                           \
        } Others;                                                                                                      \
    } FVNEW_FS_FILTER_PARAMETERS;                                                                                      \
    typedef struct _FS_FILTER_CALLBACK_DATA_19041 {                                                                    \
        ULONG SizeOfFsFilterCallbackData;                                                                              \
        UCHAR Operation;                                                                                               \
        UCHAR Reserved;                                                                                                \
        struct _DEVICE_OBJECT *DeviceObject;                                                                           \
        struct _FILE_OBJECT *FileObject;                                                                               \
        union _FS_FILTER_PARAMETERS_19041 Parameters;                                                                  \
    } FVNEW_FS_FILTER_CALLBACK_DATA
#define _FS_FILTER_CALLBACKS _FVOLD_FS_FILTER_CALLBACKS
#define FS_FILTER_CALLBACKS                                                                                            \
    FVOLD_FS_FILTER_CALLBACKS;                                                                                         \
    typedef struct _FS_FILTER_CALLBACKS_19041 {                                                                        \
        ULONG SizeOfFsFilterCallbacks;                                                                                 \
        ULONG Reserved;                                                                                                \
        PFS_FILTER_CALLBACK PreAcquireForSectionSynchronization;                                                       \
        PFS_FILTER_COMPLETION_CALLBACK PostAcquireForSectionSynchronization;                                           \
        PFS_FILTER_CALLBACK PreReleaseForSectionSynchronization;                                                       \
        PFS_FILTER_COMPLETION_CALLBACK PostReleaseForSectionSynchronization;                                           \
        PFS_FILTER_CALLBACK PreAcquireForCcFlush;                                                                      \
        PFS_FILTER_COMPLETION_CALLBACK PostAcquireForCcFlush;                                                          \
        PFS_FILTER_CALLBACK PreReleaseForCcFlush;                                                                      \
        PFS_FILTER_COMPLETION_CALLBACK PostReleaseForCcFlush;                                                          \
        PFS_FILTER_CALLBACK PreAcquireForModifiedPageWriter;                                                           \
        PFS_FILTER_COMPLETION_CALLBACK PostAcquireForModifiedPageWriter;                                               \
        PFS_FILTER_CALLBACK PreReleaseForModifiedPageWriter;                                                           \
        PFS_FILTER_COMPLETION_CALLBACK PostReleaseForModifiedPageWriter;                                               \
        PFS_FILTER_CALLBACK PreQueryOpen;                                                                              \
        PFS_FILTER_COMPLETION_CALLBACK PostQueryOpen;                                                                  \
    } FVNEW_FS_FILTER_CALLBACKS
#define _FILE_RENAME_INFORMATION _FVOLD_FILE_RENAME_INFORMATION
#define FILE_RENAME_INFORMATION                                                                                        \
    FVOLD_FILE_RENAME_INFORMATION;                                                                                     \
    typedef struct _FILE_RENAME_INFORMATION_19041 {                                                                    \
        union {                                                                                                        \
            BOOLEAN ReplaceIfExists;                                                                                   \
            ULONG Flags;                                                                                               \
        };                                                                                                             \
        HANDLE RootDirectory;                                                                                          \
        ULONG FileNameLength;                                                                                          \
        WCHAR FileName[1];                                                                                             \
    } FVNEW_FILE_RENAME_INFORMATION
#define _FILE_LINK_INFORMATION _FVOLD_FILE_LINK_INFORMATION
#define FILE_LINK_INFORMATION                                                                                          \
    FVOLD_FILE_LINK_INFORMATION;                                                                                       \
    typedef struct _FILE_LINK_INFORMATION_19041 {                                                                      \
        union {                                                                                                        \
            BOOLEAN ReplaceIfExists;                                                                                   \
            ULONG Flags;                                                                                               \
        };                                                                                                             \
        HANDLE RootDirectory;                                                                                          \
        ULONG FileNameLength;                                                                                          \
        WCHAR FileName[1];                                                                                             \
    } FVNEW_FILE_LINK_INFORMATION

#include <fltvm_ntifs_old.h>
#include_next <ntifs.h>

#undef _FSRTL_ADVANCED_FCB_HEADER
#undef FSRTL_ADVANCED_FCB_HEADER
#undef _FS_FILTER_PARAMETERS
#undef FS_FILTER_PARAMETERS
#undef _FS_FILTER_CALLBACK_DATA
#undef FS_FILTER_CALLBACK_DATA
#undef _FS_FILTER_CALLBACKS
#undef FS_FILTER_CALLBACKS
#undef _FILE_RENAME_INFORMATION
#undef FILE_RENAME_INFORMATION
#undef _FILE_LINK_INFORMATION
#undef FILE_LINK_INFORMATION
#define _FSRTL_ADVANCED_FCB_HEADER _FSRTL_ADVANCED_FCB_HEADER_19041
#define _FS_FILTER_PARAMETERS      _FS_FILTER_PARAMETERS_19041
#define _FS_FILTER_CALLBACK_DATA   _FS_FILTER_CALLBACK_DATA_19041
#define _FS_FILTER_CALLBACKS       _FS_FILTER_CALLBACKS_19041
#define _FILE_RENAME_INFORMATION   _FILE_RENAME_INFORMATION_19041
#define _FILE_LINK_INFORMATION     _FILE_LINK_INFORMATION_19041
typedef FVNEW_FSRTL_ADVANCED_FCB_HEADER FSRTL_ADVANCED_FCB_HEADER;
typedef FVNEW_FS_FILTER_PARAMETERS FS_FILTER_PARAMETERS;
typedef FVNEW_FS_FILTER_CALLBACK_DATA FS_FILTER_CALLBACK_DATA;
typedef FVNEW_FS_FILTER_CALLBACKS FS_FILTER_CALLBACKS;
typedef FVNEW_FILE_RENAME_INFORMATION FILE_RENAME_INFORMATION;
typedef FVNEW_FILE_LINK_INFORMATION FILE_LINK_INFORMATION;

/* The old header's lacks a parenthesis. */
#undef FsRtlSupportsPerStreamContexts
#define FsRtlSupportsPerStreamContexts(FO)                                                                             \
    ((BOOLEAN)(FsRtlGetPerStreamContextPointer(FO) != NULL &&                                                          \
               FlagOn(FsRtlGetPerStreamContextPointer(FO)->Flags2, FSRTL_FLAG2_SUPPORTS_FILTER_CONTEXTS)))

#define FILE_RENAME_REPLACE_IF_EXISTS 0x00000001
#define FILE_RENAME_POSIX_SEMANTICS   0x00000002

/* Reparse points that an open skips; the list travels as an extra create parameter. */
typedef struct _OPEN_REPARSE_LIST_ENTRY {
    LIST_ENTRY OpenReparseListEntry;
    ULONG ReparseTag;
    ULONG Flags;
    GUID ReparseGuid;
    USHORT Size;
    USHORT RemainingLength;
} OPEN_REPARSE_LIST_ENTRY, *POPEN_REPARSE_LIST_ENTRY;

typedef struct _OPEN_REPARSE_LIST {
    LIST_ENTRY OpenReparseList;
} OPEN_REPARSE_LIST, *POPEN_REPARSE_LIST;

/* Tells a filter that an operation belongs to a file copy, and of which file. */
typedef struct _COPY_INFORMATION {
    PFILE_OBJECT SourceFileObject;
    LONGLONG SourceFileOffset;
} COPY_INFORMATION, *PCOPY_INFORMATION;

#include <fltvm_ntifs.h>

/* The extra create parameter that brings oplock keys: DUAL_OPLOCK_KEY_ECP_CONTEXT. */
DEFINE_GUID(GUID_ECP_DUAL_OPLOCK_KEY, 0x41621a14, 0xb08b, 0x4df1, 0xb6, 0x76, 0xa0, 0x5f, 0xfd, 0xf0, 0x1b, 0xea);

/* What sections and virtual memory are, and how tokens are filtered. */
#define MEM_REPLACE_PLACEHOLDER     0x00004000
#define MEM_RESERVE_PLACEHOLDER     0x00040000
#define MEM_WRITE_WATCH             0x00200000
#define MEM_PHYSICAL                0x00400000
#define MEM_ROTATE                  0x00800000
#define MEM_DIFFERENT_IMAGE_BASE_OK 0x00800000
#define MEM_64K_PAGES               (MEM_LARGE_PAGES | MEM_PHYSICAL)
#define MEM_COALESCE_PLACEHOLDERS   0x00000001
#define MEM_PRESERVE_PLACEHOLDER    0x00000002
#define MEM_IMAGE                   0x01000000
#define SEC_64K_PAGES               0x00080000
#define SEC_PROTECTED_IMAGE         0x02000000
#define SEC_WRITECOMBINE            0x40000000
#define DISABLE_MAX_PRIVILEGE       0x1 /* SeFilterToken */
#define SANDBOX_INERT               0x2
#define LUA_TOKEN                   0x4
#define WRITE_RESTRICTED            0x8

#ifndef FILE_ID_IS_INVALID
#define FILE_ID_IS_INVALID(Id) ((Id).QuadPart == -1LL)
#define FILE_ID_128_IS_INVALID(Id)                                                                                     \
    (((PULONGLONG)(Id).Identifier)[0] == ~0ULL && ((PULONGLONG)(Id).Identifier)[1] == ~0ULL)
#define MAKE_INVALID_FILE_ID_128(Id) ((void)memset((Id).Identifier, 0xff, sizeof((Id).Identifier)))
#endif
#ifndef IsReparseTagDirectory
#define IsReparseTagDirectory(Tag) ((Tag) & 0x10000000)
#endif
#ifndef SECURITY_SID_SIZE
#define SECURITY_SID_SIZE(Count) (sizeof(SID) - sizeof(ULONG) + (Count) * sizeof(ULONG))
#endif
#ifndef SECURITY_APP_PACKAGE_AUTHORITY
#define SECURITY_APP_PACKAGE_AUTHORITY      {0, 0, 0, 0, 0, 15}
#define SECURITY_SCOPED_POLICY_ID_AUTHORITY {0, 0, 0, 0, 0, 17}
#define SECURITY_AUTHENTICATION_AUTHORITY   {0, 0, 0, 0, 0, 18}
#define SECURITY_PROCESS_TRUST_AUTHORITY    {0, 0, 0, 0, 0, 19}
#endif
#ifndef SecInvalidateHandle
#define SecInvalidateHandle(x) ((x)->dwLower = (x)->dwUpper = (ULONG_PTR) - 1)
#define SecIsValidHandle(x)    ((x)->dwLower != (ULONG_PTR) - 1 && (x)->dwUpper != (ULONG_PTR) - 1)
#endif

/* The versions that the target's control codes speak of. */
#define MFT_ENUM_DATA          MFT_ENUM_DATA_V1
#define PMFT_ENUM_DATA         PMFT_ENUM_DATA_V1
#define READ_USN_JOURNAL_DATA  READ_USN_JOURNAL_DATA_V1
#define PREAD_USN_JOURNAL_DATA PREAD_USN_JOURNAL_DATA_V1
#define USN_JOURNAL_DATA       USN_JOURNAL_DATA_V1
#define PUSN_JOURNAL_DATA      PUSN_JOURNAL_DATA_V1

#endif
