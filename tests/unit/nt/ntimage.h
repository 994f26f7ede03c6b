/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PE headers, for compilers of the host. */
#ifndef SHIM_NTIMAGE_H
#define SHIM_NTIMAGE_H

#include <ntifs.h>

#define IMAGE_DOS_SIGNATURE               0x5A4D
#define IMAGE_NT_SIGNATURE                0x00004550
#define IMAGE_FILE_MACHINE_AMD64          0x8664
#define IMAGE_FILE_RELOCS_STRIPPED        0x0001
#define IMAGE_FILE_EXECUTABLE_IMAGE       0x0002
#define IMAGE_NT_OPTIONAL_HDR64_MAGIC     0x20B
#define IMAGE_NUMBEROF_DIRECTORY_ENTRIES  16
#define IMAGE_DIRECTORY_ENTRY_EXPORT      0
#define IMAGE_DIRECTORY_ENTRY_IMPORT      1
#define IMAGE_DIRECTORY_ENTRY_EXCEPTION   3
#define IMAGE_DIRECTORY_ENTRY_BASERELOC   5
#define IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG 10
#define IMAGE_REL_BASED_ABSOLUTE          0
#define IMAGE_REL_BASED_DIR64             10
#define IMAGE_SCN_MEM_EXECUTE             0x20000000
#define IMAGE_FILE_DLL                    0x2000
#define IMAGE_ORDINAL_FLAG64              0x8000000000000000ULL

typedef struct _IMAGE_DOS_HEADER {
    USHORT e_magic, Rest[29];
    LONG e_lfanew;
} IMAGE_DOS_HEADER;
_Static_assert(sizeof(IMAGE_DOS_HEADER) == 64, "DOS header");
typedef struct _IMAGE_FILE_HEADER {
    USHORT Machine, NumberOfSections;
    ULONG TimeDateStamp, PointerToSymbolTable, NumberOfSymbols;
    USHORT SizeOfOptionalHeader, Characteristics;
} IMAGE_FILE_HEADER;
typedef struct _IMAGE_DATA_DIRECTORY {
    ULONG VirtualAddress, Size;
} IMAGE_DATA_DIRECTORY;
typedef struct _IMAGE_OPTIONAL_HEADER64 {
    USHORT Magic;
    UCHAR MajorLinkerVersion, MinorLinkerVersion;
    ULONG SizeOfCode, SizeOfInitializedData, SizeOfUninitializedData, AddressOfEntryPoint, BaseOfCode;
    ULONGLONG ImageBase;
    ULONG SectionAlignment, FileAlignment;
    USHORT Versions[6];
    ULONG Win32VersionValue, SizeOfImage, SizeOfHeaders, CheckSum;
    USHORT Subsystem, DllCharacteristics;
    ULONGLONG Sizes[4];
    ULONG LoaderFlags, NumberOfRvaAndSizes;
    IMAGE_DATA_DIRECTORY DataDirectory[IMAGE_NUMBEROF_DIRECTORY_ENTRIES];
} IMAGE_OPTIONAL_HEADER64;
_Static_assert(sizeof(IMAGE_OPTIONAL_HEADER64) == 240, "optional header");
typedef struct _IMAGE_SECTION_HEADER {
    UCHAR Name[8];
    union {
        ULONG VirtualSize;
    } Misc;
    ULONG VirtualAddress, SizeOfRawData, PointerToRawData, PointerToRelocations, PointerToLinenumbers;
    USHORT NumberOfRelocations, NumberOfLinenumbers;
    ULONG Characteristics;
} IMAGE_SECTION_HEADER;
_Static_assert(sizeof(IMAGE_SECTION_HEADER) == 40, "section header");
typedef struct _IMAGE_BASE_RELOCATION {
    ULONG VirtualAddress, SizeOfBlock;
} IMAGE_BASE_RELOCATION;
typedef struct _IMAGE_IMPORT_DESCRIPTOR {
    ULONG OriginalFirstThunk, TimeDateStamp, ForwarderChain, Name, FirstThunk;
} IMAGE_IMPORT_DESCRIPTOR;
typedef struct _IMAGE_EXPORT_DIRECTORY {
    ULONG Characteristics, TimeDateStamp, Version, Name, Base, NumberOfFunctions, NumberOfNames, AddressOfFunctions,
        AddressOfNames, AddressOfNameOrdinals;
} IMAGE_EXPORT_DIRECTORY;

#endif
