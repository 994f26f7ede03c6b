/* SPDX-License-Identifier: MIT */
/*
 * fltvm_aux_klib.h: what aux_klib.h declares and mingw-w64's headers lack.
 * Made by scripts/ddi-headers.py from sdk/ddi/*.tsv; do not edit.
 */
#ifndef FLTVM_AUX_KLIB_MORE_H
#define FLTVM_AUX_KLIB_MORE_H

#define AUX_KLIB_MODULE_PATH_LEN 256

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _AUX_MODULE_BASIC_INFO {
    PVOID ImageBase;
} AUX_MODULE_BASIC_INFO, *PAUX_MODULE_BASIC_INFO;
typedef struct _AUX_MODULE_EXTENDED_INFO {
    AUX_MODULE_BASIC_INFO BasicInfo;
    ULONG ImageSize;
    USHORT FileNameOffset;
    UCHAR FullPathName[256];
} AUX_MODULE_EXTENDED_INFO, *PAUX_MODULE_EXTENDED_INFO;
typedef struct _KBUGCHECK_DATA {
    ULONG BugCheckDataSize;
    ULONG BugCheckCode;
    ULONG_PTR Parameter1;
    ULONG_PTR Parameter2;
    ULONG_PTR Parameter3;
    ULONG_PTR Parameter4;
} KBUGCHECK_DATA, *PKBUGCHECK_DATA;

#ifndef FLTVM_NTAPI
#define FLTVM_NTAPI NTKERNELAPI
#endif
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS AuxKlibInitialize(VOID);
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS AuxKlibQueryModuleInformation(PULONG BufferSize,
    ULONG ElementSize, PVOID QueryInfo);
NTSTATUS AuxKlibGetBugCheckData(PKBUGCHECK_DATA BugCheckData);
PIMAGE_EXPORT_DIRECTORY AuxKlibGetImageExportDirectory(PVOID ImageBase);
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS AuxKlibEnumerateSystemFirmwareTables(ULONG FirmwareTableProviderSignature, PVOID FirmwareTableBuffer, ULONG BufferLength, PULONG ReturnLength);
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS AuxKlibGetSystemFirmwareTable(ULONG FirmwareTableProviderSignature, ULONG FirmwareTableID, PVOID FirmwareTableBuffer, ULONG BufferLength, PULONG ReturnLength);

#ifdef __cplusplus
}
#endif

#endif
