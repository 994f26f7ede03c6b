/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Zw names of io's services: the Nt routine with the previous mode set to KernelMode, as the system-call
 * path does.
 */
#include "iop.h"

OB_ZW(CreateFile,
      (PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
       PIO_STATUS_BLOCK IoStatusBlock, PLARGE_INTEGER AllocationSize, ULONG FileAttributes, ULONG ShareAccess,
       ULONG CreateDisposition, ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength),
      (FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, AllocationSize, FileAttributes, ShareAccess,
       CreateDisposition, CreateOptions, EaBuffer, EaLength))

OB_ZW(OpenFile,
      (PHANDLE FileHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
       PIO_STATUS_BLOCK IoStatusBlock, ULONG ShareAccess, ULONG OpenOptions),
      (FileHandle, DesiredAccess, ObjectAttributes, IoStatusBlock, ShareAccess, OpenOptions))

OB_ZW(ReadFile,
      (HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
       PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key),
      (FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ByteOffset, Key))

OB_ZW(WriteFile,
      (HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
       PVOID Buffer, ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key),
      (FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, Buffer, Length, ByteOffset, Key))

OB_ZW(FlushBuffersFile, (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock), (FileHandle, IoStatusBlock))

OB_ZW(FlushBuffersFileEx,
      (HANDLE FileHandle, ULONG Flags, PVOID Parameters, ULONG ParametersSize, PIO_STATUS_BLOCK IoStatusBlock),
      (FileHandle, Flags, Parameters, ParametersSize, IoStatusBlock))

OB_ZW(DeviceIoControlFile,
      (HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
       ULONG IoControlCode, PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength),
      (FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, IoControlCode, InputBuffer, InputBufferLength,
       OutputBuffer, OutputBufferLength))

OB_ZW(FsControlFile,
      (HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
       ULONG FsControlCode, PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength),
      (FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, FsControlCode, InputBuffer, InputBufferLength,
       OutputBuffer, OutputBufferLength))

OB_ZW(QueryInformationFile,
      (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
       FILE_INFORMATION_CLASS FileInformationClass),
      (FileHandle, IoStatusBlock, FileInformation, Length, FileInformationClass))

OB_ZW(SetInformationFile,
      (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
       FILE_INFORMATION_CLASS FileInformationClass),
      (FileHandle, IoStatusBlock, FileInformation, Length, FileInformationClass))

OB_ZW(QueryVolumeInformationFile,
      (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FsInformation, ULONG Length,
       FS_INFORMATION_CLASS FsInformationClass),
      (FileHandle, IoStatusBlock, FsInformation, Length, FsInformationClass))

OB_ZW(SetVolumeInformationFile,
      (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock, PVOID FsInformation, ULONG Length,
       FS_INFORMATION_CLASS FsInformationClass),
      (FileHandle, IoStatusBlock, FsInformation, Length, FsInformationClass))

OB_ZW(CancelIoFile, (HANDLE FileHandle, PIO_STATUS_BLOCK IoStatusBlock), (FileHandle, IoStatusBlock))

OB_ZW(CancelIoFileEx, (HANDLE FileHandle, PIO_STATUS_BLOCK IoRequestToCancel, PIO_STATUS_BLOCK IoStatusBlock),
      (FileHandle, IoRequestToCancel, IoStatusBlock))

OB_ZW(UnloadDriver, (PUNICODE_STRING DriverServiceName), (DriverServiceName))

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                                    PIO_STATUS_BLOCK IoStatusBlock, PVOID FileInformation, ULONG Length,
                                    FILE_INFORMATION_CLASS FileInformationClass, BOOLEAN ReturnSingleEntry,
                                    PUNICODE_STRING FileName, BOOLEAN RestartScan);

OB_ZW(QueryDirectoryFile,
      (HANDLE FileHandle, HANDLE Event, PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
       PVOID FileInformation, ULONG Length, FILE_INFORMATION_CLASS FileInformationClass, BOOLEAN ReturnSingleEntry,
       PUNICODE_STRING FileName, BOOLEAN RestartScan),
      (FileHandle, Event, ApcRoutine, ApcContext, IoStatusBlock, FileInformation, Length, FileInformationClass,
       ReturnSingleEntry, FileName, RestartScan))
