// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading PE files: strict, and safe with any bytes.
 *
 * The idea: nothing is read before its bounds are known.  LdrpParseImage looks only at the file's headers and copies
 * what it accepts into an LDRP_PE; from then on the headers are not looked at again.  Data inside the image is reached
 * through LdrpAt, which gives NULL unless all of it lies in the image.
 */
#include "pe.h"

#define LDRP_PAGE 0x1000u

#define LDRP_DEFAULT_COOKIE 0x00002B992DDFA232ULL

static ULONG LdrpRoundUp(ULONG Value)
{
    return (Value + LDRP_PAGE - 1) & ~(LDRP_PAGE - 1);
}

/* Size bytes at Rva, or NULL. */
static PVOID LdrpAt(PUCHAR Base, ULONG SizeOfImage, ULONG64 Rva, ULONG64 Size)
{
    return Rva <= SizeOfImage && Size <= SizeOfImage - Rva ? Base + Rva : NULL;
}

/* A NUL-terminated string, or NULL. */
static PCSTR LdrpTextAt(PUCHAR Base, ULONG SizeOfImage, ULONG64 Rva)
{
    for (ULONG64 End = Rva; End < SizeOfImage && End - Rva < 512; End++) {
        if (Base[End] == 0)
            return (PCSTR)(Base + Rva);
    }
    return NULL;
}

static PCSTR LdrpParseSections(const UCHAR *File, ULONG64 FileSize, ULONG Table, PLDRP_PE Pe)
{
    ULONG Next = LdrpRoundUp(Pe->SizeOfHeaders);

    for (ULONG Index = 0; Index < Pe->Sections; Index++) {
        IMAGE_SECTION_HEADER Header;
        LDRP_SECTION *Section = &Pe->Section[Index];
        ULONG InMemory;

        memcpy(&Header, File + Table + Index * sizeof(Header), sizeof(Header));
        memcpy(Section->Name, Header.Name, sizeof(Header.Name));
        Section->Name[8] = 0;
        InMemory = Header.Misc.VirtualSize != 0 ? Header.Misc.VirtualSize : Header.SizeOfRawData;
        if (InMemory == 0)
            return "a section is empty";
        if (Header.VirtualAddress % LDRP_PAGE != 0)
            return "a section is not page-aligned";
        if (Header.VirtualAddress < Next || Header.VirtualAddress >= Pe->SizeOfImage ||
            InMemory > Pe->SizeOfImage - Header.VirtualAddress)
            return "a section overlaps another or lies outside the image";
        if (Header.SizeOfRawData != 0 &&
            (Header.PointerToRawData > FileSize || Header.SizeOfRawData > FileSize - Header.PointerToRawData))
            return "a section's data lies outside the file";
        Section->Rva = Header.VirtualAddress;
        Section->Size = LdrpRoundUp(InMemory);
        Section->RawOffset = Header.PointerToRawData;
        Section->RawSize = Header.SizeOfRawData < InMemory ? Header.SizeOfRawData : InMemory;
        Section->Characteristics = Header.Characteristics;
        Next = Section->Rva + Section->Size;
    }
    return NULL;
}

static PCSTR LdrpParseDirectory(const IMAGE_OPTIONAL_HEADER64 *Optional, ULONG Index, const LDRP_PE *Pe,
                                LDRP_DIRECTORY *Directory)
{
    Directory->Rva = Directory->Size = 0;
    if (Index >= Optional->NumberOfRvaAndSizes || Optional->DataDirectory[Index].Size == 0 ||
        Optional->DataDirectory[Index].VirtualAddress == 0)
        return NULL;
    Directory->Rva = Optional->DataDirectory[Index].VirtualAddress;
    Directory->Size = Optional->DataDirectory[Index].Size;
    if (Directory->Rva > Pe->SizeOfImage || Directory->Size > Pe->SizeOfImage - Directory->Rva)
        return "a data directory lies outside the image";
    return NULL;
}

static BOOLEAN LdrpIsExecutable(const LDRP_PE *Pe, ULONG Rva)
{
    for (ULONG Index = 0; Index < Pe->Sections; Index++) {
        const LDRP_SECTION *Section = &Pe->Section[Index];
        if (Rva >= Section->Rva && Rva - Section->Rva < Section->Size)
            return (Section->Characteristics & IMAGE_SCN_MEM_EXECUTE) != 0;
    }
    return FALSE;
}

PCSTR LdrpParseImage(const VOID *Bytes, SIZE_T Size, PLDRP_PE Pe)
{
    return LdrpParseHeaders(Bytes, Size, Size, Pe);
}

PCSTR LdrpParseHeaders(const VOID *Bytes, SIZE_T Size, ULONG64 FileSize, PLDRP_PE Pe)
{
    const UCHAR *File = Bytes;
    IMAGE_DOS_HEADER Dos;
    IMAGE_FILE_HEADER FileHeader;
    IMAGE_OPTIONAL_HEADER64 Optional;
    ULONG Signature, Offset, Table, OptionalSize;
    PCSTR Reason;

    memset(Pe, 0, sizeof(*Pe));
    if (Size < sizeof(Dos))
        return "the file is too short for a PE image";
    if (FileSize > LDRP_MAXIMUM_IMAGE)
        return "the file is too long";
    memcpy(&Dos, File, sizeof(Dos));
    if (Dos.e_magic != IMAGE_DOS_SIGNATURE)
        return "not a PE image (no MZ)";
    if (Dos.e_lfanew < (LONG)sizeof(Dos) || (ULONG)Dos.e_lfanew % 4 != 0 ||
        (ULONG)Dos.e_lfanew > Size - sizeof(Signature) - sizeof(FileHeader) ||
        Size < sizeof(Dos) + sizeof(Signature) + sizeof(FileHeader))
        return "the PE header lies outside the file";
    Offset = (ULONG)Dos.e_lfanew;
    memcpy(&Signature, File + Offset, sizeof(Signature));
    if (Signature != IMAGE_NT_SIGNATURE)
        return "not a PE image (no PE signature)";
    Offset += sizeof(Signature);
    memcpy(&FileHeader, File + Offset, sizeof(FileHeader));
    Offset += sizeof(FileHeader);
    if (FileHeader.Machine != IMAGE_FILE_MACHINE_AMD64)
        return "not an x64 image";
    if (!(FileHeader.Characteristics & IMAGE_FILE_EXECUTABLE_IMAGE))
        return "not a linked image";
    OptionalSize = FileHeader.SizeOfOptionalHeader;
    if (OptionalSize < FIELD_OFFSET(IMAGE_OPTIONAL_HEADER64, DataDirectory) || OptionalSize > Size - Offset)
        return "the optional header does not fit";
    memset(&Optional, 0, sizeof(Optional));
    memcpy(&Optional, File + Offset, OptionalSize < sizeof(Optional) ? OptionalSize : sizeof(Optional));
    if (Optional.Magic != IMAGE_NT_OPTIONAL_HDR64_MAGIC)
        return "not a 64-bit image";
    if (Optional.NumberOfRvaAndSizes > IMAGE_NUMBEROF_DIRECTORY_ENTRIES ||
        FIELD_OFFSET(IMAGE_OPTIONAL_HEADER64, DataDirectory) +
                Optional.NumberOfRvaAndSizes * sizeof(IMAGE_DATA_DIRECTORY) >
            OptionalSize)
        return "the data directories do not fit the optional header";
    if (Optional.SectionAlignment < LDRP_PAGE || (Optional.SectionAlignment & (Optional.SectionAlignment - 1)) != 0)
        return "section alignment below a page";
    if (Optional.SizeOfImage == 0 || Optional.SizeOfImage > LDRP_MAXIMUM_IMAGE)
        return "unreasonable image size";
    Table = Offset + OptionalSize;
    if (FileHeader.NumberOfSections == 0 || FileHeader.NumberOfSections > LDRP_MAXIMUM_SECTIONS ||
        FileHeader.NumberOfSections * sizeof(IMAGE_SECTION_HEADER) > Size - Table)
        return "the section table does not fit";
    if (Optional.SizeOfHeaders > FileSize || Optional.SizeOfHeaders > Optional.SizeOfImage ||
        Optional.SizeOfHeaders < Table + FileHeader.NumberOfSections * sizeof(IMAGE_SECTION_HEADER))
        return "the headers' size is wrong";

    Pe->PreferredBase = Optional.ImageBase;
    Pe->SizeOfImage = LdrpRoundUp(Optional.SizeOfImage);
    Pe->SizeOfHeaders = Optional.SizeOfHeaders;
    Pe->EntryPoint = Optional.AddressOfEntryPoint;
    Pe->CheckSum = Optional.CheckSum;
    Pe->TimeDateStamp = FileHeader.TimeDateStamp;
    Pe->Subsystem = Optional.Subsystem;
    Pe->Characteristics = FileHeader.Characteristics;
    Pe->Sections = FileHeader.NumberOfSections;
    Reason = LdrpParseSections(File, FileSize, Table, Pe);
    if (Reason != NULL)
        return Reason;
    if (Pe->EntryPoint == 0 && !(Pe->Characteristics & IMAGE_FILE_DLL))
        return "the image has no entry point";
    if (Pe->EntryPoint != 0 && !LdrpIsExecutable(Pe, Pe->EntryPoint))
        return "the entry point is not in code";
    if ((Reason = LdrpParseDirectory(&Optional, IMAGE_DIRECTORY_ENTRY_EXPORT, Pe, &Pe->Export)) != NULL ||
        (Reason = LdrpParseDirectory(&Optional, IMAGE_DIRECTORY_ENTRY_IMPORT, Pe, &Pe->Import)) != NULL ||
        (Reason = LdrpParseDirectory(&Optional, IMAGE_DIRECTORY_ENTRY_EXCEPTION, Pe, &Pe->Exception)) != NULL ||
        (Reason = LdrpParseDirectory(&Optional, IMAGE_DIRECTORY_ENTRY_BASERELOC, Pe, &Pe->Relocation)) != NULL ||
        (Reason = LdrpParseDirectory(&Optional, IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG, Pe, &Pe->LoadConfig)) != NULL)
        return Reason;
    return NULL;
}

VOID LdrpLayOut(const VOID *Bytes, const LDRP_PE *Pe, PUCHAR Base)
{
    memcpy(Base, Bytes, Pe->SizeOfHeaders);
    for (ULONG Index = 0; Index < Pe->Sections; Index++)
        memcpy(Base + Pe->Section[Index].Rva, (const UCHAR *)Bytes + Pe->Section[Index].RawOffset,
               Pe->Section[Index].RawSize);
}

PCSTR LdrpRelocate(PUCHAR Base, const LDRP_PE *Pe, ULONG64 Address)
{
    ULONG64 Delta = Address - Pe->PreferredBase;
    ULONG Offset = 0;

    if (Delta == 0)
        return NULL;
    if (Pe->Relocation.Size == 0)
        /* Position-independent code may need none; one that was stripped of them cannot be moved. */
        return Pe->Characteristics & IMAGE_FILE_RELOCS_STRIPPED ? "the image has no relocations" : NULL;
    while (Pe->Relocation.Size - Offset >= sizeof(IMAGE_BASE_RELOCATION)) {
        IMAGE_BASE_RELOCATION Block;
        ULONG Entries;

        memcpy(&Block, Base + Pe->Relocation.Rva + Offset, sizeof(Block));
        if (Block.SizeOfBlock == 0 && Block.VirtualAddress == 0)
            break;
        if (Block.SizeOfBlock < sizeof(Block) || Block.SizeOfBlock % 2 != 0 ||
            Block.SizeOfBlock > Pe->Relocation.Size - Offset)
            return "a relocation block has a bad size";
        Entries = (Block.SizeOfBlock - sizeof(Block)) / sizeof(USHORT);
        for (ULONG Index = 0; Index < Entries; Index++) {
            USHORT Entry;
            ULONG64 Value;
            PUCHAR Target;

            memcpy(&Entry, Base + Pe->Relocation.Rva + Offset + sizeof(Block) + Index * sizeof(USHORT), sizeof(Entry));
            if (Entry >> 12 == IMAGE_REL_BASED_ABSOLUTE)
                continue;
            if (Entry >> 12 != IMAGE_REL_BASED_DIR64)
                return "a relocation has an unknown type";
            Target = LdrpAt(Base, Pe->SizeOfImage, (ULONG64)Block.VirtualAddress + (Entry & 0xFFF), sizeof(Value));
            if (Target == NULL)
                return "a relocation lies outside the image";
            memcpy(&Value, Target, sizeof(Value));
            Value += Delta;
            memcpy(Target, &Value, sizeof(Value));
        }
        Offset += Block.SizeOfBlock;
    }
    return NULL;
}

/* Unwind data: its header, codes, and what follows them, chained entries included. */
static PCSTR LdrpCheckUnwind(PUCHAR Base, const LDRP_PE *Pe, ULONG Rva)
{
    for (ULONG Chain = 0; Chain < 32; Chain++) {
        PUCHAR Info = LdrpAt(Base, Pe->SizeOfImage, Rva, 4);
        ULONG Codes, Flags, Tail;

        if (Info == NULL || Rva % 4 != 0)
            return "unwind data lies outside the image";
        if ((Info[0] & 7) != 1 && (Info[0] & 7) != 2)
            return "unwind data has an unknown version";
        Flags = Info[0] >> 3;
        Codes = (Info[2] + 1u) & ~1u;
        Tail = Flags & 4 ? 12 : Flags & 3 ? 4 : 0;
        Info = LdrpAt(Base, Pe->SizeOfImage, Rva, 4 + Codes * 2ULL + Tail);
        if (Info == NULL)
            return "unwind data lies outside the image";
        if (!(Flags & 4)) {
            ULONG Handler = 0;
            if (Flags & 3)
                memcpy(&Handler, Info + 4 + Codes * 2, sizeof(Handler));
            return Handler != 0 && !LdrpIsExecutable(Pe, Handler) ? "an exception handler is not in code" : NULL;
        }
        memcpy(&Rva, Info + 4 + Codes * 2 + 8, sizeof(Rva));
    }
    return "unwind data is chained in a circle";
}

PCSTR LdrpCheckExceptions(PUCHAR Base, const LDRP_PE *Pe)
{
    ULONG Last = 0;

    for (ULONG Offset = 0; Offset + 12 <= Pe->Exception.Size; Offset += 12) {
        ULONG Entry[3];
        PCSTR Reason;

        memcpy(Entry, Base + Pe->Exception.Rva + Offset, sizeof(Entry));
        if (Entry[0] < Last || Entry[1] <= Entry[0] || Entry[1] > Pe->SizeOfImage)
            return "the exception directory is not sorted or lies outside the image";
        Last = Entry[1];
        if (Entry[2] & 1) { /* another entry's data */
            if (LdrpAt(Base, Pe->SizeOfImage, Entry[2] & ~1u, 12) == NULL)
                return "unwind data lies outside the image";
            memcpy(&Entry[2], Base + (Entry[2] & ~1u) + 8, sizeof(Entry[2]));
        }
        Reason = LdrpCheckUnwind(Base, Pe, Entry[2]);
        if (Reason != NULL)
            return Reason;
    }
    return NULL;
}

BOOLEAN LdrpHoldsUnwindData(PUCHAR Base, ULONG SizeOfImage, LDRP_DIRECTORY Exception, ULONG Rva, ULONG Size)
{
    if (Exception.Size != 0 && Exception.Rva - Rva < Size)
        return TRUE;
    for (ULONG Offset = 0; Offset + 12 <= Exception.Size; Offset += 12) {
        PUCHAR Entry = LdrpAt(Base, SizeOfImage, Exception.Rva + Offset, 12);
        ULONG Data;

        if (Entry == NULL)
            return FALSE;
        memcpy(&Data, Entry + 8, sizeof(Data));
        if ((Data & ~1u) - Rva < Size)
            return TRUE;
    }
    return FALSE;
}

PCSTR LdrpSetCookie(PUCHAR Base, const LDRP_PE *Pe, ULONG64 Address, ULONG64 Cookie)
{
    ULONG64 Location, Value;
    PUCHAR Place;
    ULONG Declared;

    if (Pe->LoadConfig.Size < 4)
        return NULL;
    memcpy(&Declared, Base + Pe->LoadConfig.Rva, sizeof(Declared));
    /* SecurityCookie is the 64-bit field at 0x58. */
    Place = LdrpAt(Base, Pe->SizeOfImage, Pe->LoadConfig.Rva, 0x60);
    if (Declared < 0x60 || Place == NULL)
        return NULL;
    memcpy(&Location, Place + 0x58, sizeof(Location));
    if (Location == 0)
        return NULL;
    Place = LdrpAt(Base, Pe->SizeOfImage, Location - Address, sizeof(Value));
    if (Location < Address || Place == NULL)
        return "the security cookie lies outside the image";
    memcpy(&Value, Place, sizeof(Value));
    if (Value == LDRP_DEFAULT_COOKIE || Value == 0) {
        Cookie &= 0x0000FFFFFFFFFFFFULL;
        if (Cookie == 0 || Cookie == LDRP_DEFAULT_COOKIE)
            Cookie = LDRP_DEFAULT_COOKIE + 1;
        memcpy(Place, &Cookie, sizeof(Cookie));
    }
    return NULL;
}

static PCSTR LdrpWalkThunks(PUCHAR Base, const LDRP_PE *Pe, PCSTR Module, ULONG Names, ULONG Slots, PLDRP_BIND Bind,
                            PVOID Context)
{
    for (ULONG64 Index = 0;; Index++) {
        PUCHAR Entry = LdrpAt(Base, Pe->SizeOfImage, Names + Index * 8, 8);
        PUCHAR Slot = LdrpAt(Base, Pe->SizeOfImage, Slots + Index * 8, 8);
        ULONG64 Value;
        PCSTR Name = NULL;

        if (Entry == NULL || Slot == NULL)
            return "an import table has no end";
        memcpy(&Value, Entry, sizeof(Value));
        if (Value == 0)
            return NULL;
        if (!(Value & IMAGE_ORDINAL_FLAG64)) {
            Name = Value <= 0x7FFFFFFF ? LdrpTextAt(Base, Pe->SizeOfImage, Value + 2) : NULL;
            if (Name == NULL)
                return "an import's name lies outside the image";
            if (*Name == 0)
                return "an import has no name";
        }
        if ((ULONG_PTR)Slot % 8 != 0)
            return "an import's slot is not aligned";
        Bind(Context, Module, Name, (USHORT)Value, (PULONG64)Slot);
    }
}

PCSTR LdrpWalkImports(PUCHAR Base, const LDRP_PE *Pe, PLDRP_BIND Bind, PVOID Context)
{
    if (Pe->Import.Size == 0)
        return NULL;
    for (ULONG64 Rva = Pe->Import.Rva;; Rva += sizeof(IMAGE_IMPORT_DESCRIPTOR)) {
        IMAGE_IMPORT_DESCRIPTOR Descriptor;
        PUCHAR Place = LdrpAt(Base, Pe->SizeOfImage, Rva, sizeof(Descriptor));
        PCSTR Module, Reason;

        if (Place == NULL)
            return "the import directory has no end";
        memcpy(&Descriptor, Place, sizeof(Descriptor));
        if (Descriptor.Name == 0 && Descriptor.FirstThunk == 0)
            return NULL;
        Module = LdrpTextAt(Base, Pe->SizeOfImage, Descriptor.Name);
        if (Module == NULL || Descriptor.FirstThunk == 0)
            return "an import descriptor is broken";
        if (*Module == 0)
            return "an import descriptor names no module";
        Reason =
            LdrpWalkThunks(Base, Pe, Module,
                           Descriptor.OriginalFirstThunk != 0 ? Descriptor.OriginalFirstThunk : Descriptor.FirstThunk,
                           Descriptor.FirstThunk, Bind, Context);
        if (Reason != NULL)
            return Reason;
    }
}

static LONG LdrpCompareText(PCSTR A, PCSTR B)
{
    while (*A != 0 && *A == *B) {
        A++;
        B++;
    }
    return (LONG)(UCHAR)*A - (LONG)(UCHAR)*B;
}

/* An image may put its tables at any address. */
typedef ULONG __attribute__((aligned(1))) LDRP_UNALIGNED_ULONG;
typedef USHORT __attribute__((aligned(1))) LDRP_UNALIGNED_USHORT;

ULONG LdrpFindExport(PUCHAR Base, ULONG SizeOfImage, LDRP_DIRECTORY Directory, PCSTR Name, USHORT Ordinal,
                     PCSTR *Forwarder)
{
    IMAGE_EXPORT_DIRECTORY Exports;
    LDRP_UNALIGNED_ULONG *Functions, *Names;
    LDRP_UNALIGNED_USHORT *Ordinals;
    ULONG Index, Low = 0, High, Rva;

    *Forwarder = NULL;
    if (Directory.Size < sizeof(Exports))
        return 0;
    memcpy(&Exports, Base + Directory.Rva, sizeof(Exports));
    Functions = LdrpAt(Base, SizeOfImage, Exports.AddressOfFunctions, Exports.NumberOfFunctions * 4ULL);
    Names = LdrpAt(Base, SizeOfImage, Exports.AddressOfNames, Exports.NumberOfNames * 4ULL);
    Ordinals = LdrpAt(Base, SizeOfImage, Exports.AddressOfNameOrdinals, Exports.NumberOfNames * 2ULL);
    if (Functions == NULL || Names == NULL || Ordinals == NULL)
        return 0;
    Index = Ordinal - Exports.Base;
    if (Name != NULL) {
        Index = MAXULONG;
        High = Exports.NumberOfNames;
        while (Low < High) {
            ULONG Middle = (Low + High) / 2;
            PCSTR Text = LdrpTextAt(Base, SizeOfImage, Names[Middle]);
            LONG Order = Text != NULL ? LdrpCompareText(Name, Text) : 1;

            if (Order == 0) {
                Index = Ordinals[Middle];
                break;
            }
            if (Order < 0)
                High = Middle;
            else
                Low = Middle + 1;
        }
    }
    if (Index >= Exports.NumberOfFunctions)
        return 0;
    Rva = Functions[Index];
    if (Rva >= Directory.Rva && Rva - Directory.Rva < Directory.Size) {
        *Forwarder = LdrpTextAt(Base, SizeOfImage, Rva);
        return 0;
    }
    return Rva < SizeOfImage ? Rva : 0;
}
