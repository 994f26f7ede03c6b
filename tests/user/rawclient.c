// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that sends a filter (rawport.c) addresses of all kinds.  Its status is 0x600D, or how many checks failed. */
#include <fltUser.h>

NTSTATUS Main(PVOID Peb);

#define NOWHERE  ((PVOID)0x12340)
#define KERNEL   ((PVOID)0xFFFFF80000001000)
#define NOACCESS HRESULT_FROM_WIN32(998)

static ULONG Failed;
static HANDLE Port;

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static HRESULT Send(PVOID Input, ULONG InputLength, PVOID Output, ULONG OutputLength)
{
    ULONG Returned = 0;

    return FilterSendMessage(Port, Input, InputLength, Output, OutputLength, &Returned);
}

NTSTATUS Main(PVOID Peb)
{
    static CHAR Text[] = "-raw"; /* not aligned */
    struct {
        ULONG64 Calls;
        PVOID Input;
    } Answer = {0, NULL};

    Check(FilterConnectCommunicationPort(L"\\RawPort", 0, NULL, 0, NULL, &Port) == S_OK, "a connection");
    Check(Send(Text + 1, 3, &Answer, sizeof(Answer)) == S_OK && Answer.Calls == 1 && Answer.Input == Text + 1,
          "the callback gets the program's buffer, and writes into it");
    Check(Send(KERNEL, 3, &Answer, sizeof(Answer)) == NOACCESS, "it never sees an address of the kernel's");
    Check(Send(Text + 1, 3, NOWHERE, sizeof(Answer)) == NOACCESS, "or one that cannot be written");
    Check(Send(Text + 1, 3, (PVOID) "constant", 8) == NOACCESS, "or may not be");
    Check(Send(Text + 1, 3, &Answer, sizeof(Answer)) == S_OK && Answer.Calls == 2, "it was not called");
    Check(Send(NOWHERE, 3, &Answer, sizeof(Answer)) == NOACCESS, "what cannot be read");
    Check(Send(Text + 1, 3, &Answer, sizeof(Answer)) == S_OK && Answer.Calls == 4, "is the callback's to find");
    return Failed == 0 ? 0x600D : (NTSTATUS)Failed;
}
