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
FLTVM_NTAPI NTSTATUS AuxKlibInitialize(VOID);
FLTVM_NTAPI NTSTATUS AuxKlibQueryModuleInformation(PULONG BufferSize, ULONG ElementSize, PVOID QueryInfo);
FLTVM_NTAPI NTSTATUS AuxKlibGetBugCheckData(PKBUGCHECK_DATA BugCheckData);
FLTVM_NTAPI PIMAGE_EXPORT_DIRECTORY AuxKlibGetImageExportDirectory(PVOID ImageBase);
FLTVM_NTAPI NTSTATUS AuxKlibEnumerateSystemFirmwareTables(ULONG FirmwareTableProviderSignature,
    PVOID FirmwareTableBuffer, ULONG BufferLength, PULONG ReturnLength);
FLTVM_NTAPI NTSTATUS AuxKlibGetSystemFirmwareTable(ULONG FirmwareTableProviderSignature,
    ULONG FirmwareTableID, PVOID FirmwareTableBuffer, ULONG BufferLength, PULONG ReturnLength);

#ifdef __cplusplus
}
#endif

#endif
