// SPDX-License-Identifier: GPL-2.0-or-later
// Objects with destructors beside __try, without exceptions: a destructor runs when its scope is left in any usual way, and not
// when an exception unwinds through it.  What happens is written down letter by letter.
#include <ntddk.h>

static CHAR Said[64];
static int Length;

static void Say(char letter)
{
    if (Length < 63)
        Said[Length++] = letter;
}

static void Check(const char *what, const char *expected)
{
    Said[Length] = 0;
    DbgPrint("scopes: %s %s%s%s\n", what, Said, strcmp(Said, expected) ? ", expected " : " as expected", strcmp(Said, expected) ? expected : "");
    Length = 0;
}

struct Object {
    char letter;
    explicit Object(char c) : letter(c) { Say(c); }
    Object(const Object &other) : letter(other.letter) { Say('='); }
    ~Object() { Say(static_cast<char>(letter - 'a' + 'A')); }
    bool Yes() const { return true; }
};

struct Pair { Object one{'p'}, two{'q'}; };

static int Read(volatile int *p) { return *p; }
static Object Make(char c) { return Object(c); }
static bool Take(Object) { return true; }

static int Plain(int *p)
{
    Object a('a');
    __try {
        Object b('b');
        if (*p == 1)
            return 1;
        Object c('c');
        Say('0' + (char)Read(p));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Object d('d');
        Say('!');
    }
    Object e('e');
    return 0;
}

static int Loop(int *p)
{
    int sum = 0;
    for (int i = 0; i < 4; i++) {
        Object a('a');
        __try {
            Object b('b');
            if (i == 0)
                continue;
            if (i == 2)
                break;
            sum += p[i];
        } __finally {
            Object f('f');
            Say(AbnormalTermination() ? '!' : '.');
        }
    }
    return sum;
}

static int Nested(int *p)
{
    __try {
        Object a('a');
        __try {
            Object b('b');
            __try {
                Object c('c');
                Say('0' + (char)*p);
                __leave;
            } __finally {
                Say('1');
            }
            if (Take(Make('t')))
                goto Out;
        } __finally {
            Say('2');
        }
        Say('-');
    } __except (Say('?'), EXCEPTION_EXECUTE_HANDLER) {
        Say('3');
    }
    return 0;
Out:
    Say('4');
    return 1;
}

static int Heap(int *p)
{
    Pair *pair = nullptr;
    __try {
        pair = new Pair;
        Object array[2] = { Object('x'), Object('y') };
        Say(array[*p].letter);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Say('!');
    }
    delete pair;
    return 0;
}

static int Never(Object &o)
{
    Object a('a');
    auto say = [&](char c) { Say(c); return o.Yes(); };
    __try {
        for (Object b('b'); say('.');) {
            Object c('c');
            if (Object d('d'); d.Yes())
                return 5;
        }
    } __finally {
        Say('f');
    }
    return 0;
}

extern "C" void Gone(PDRIVER_OBJECT) {}

extern "C" DRIVER_INITIALIZE DriverEntry;
extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING)
{
    int one = 1, zero = 0, many[] = { 1, 2, 3, 4 };
    int *bad = reinterpret_cast<int *>(0x10);

    driver->DriverUnload = Gone;
    Plain(&zero);
    Check("plain", "abc0CBeEA");
    Plain(&one);
    Check("return", "abBA");
    Plain(bad);
    Check("fault", "abd!DeEA");
    Loop(many);
    Check("loop", "abBf!FAabBf.FAabBf!FA");
    Nested(&zero);
    Check("nested", "abc0C1tTB2A4");
    Nested(bad);
    Check("nested fault", "abc?123");
    Heap(&one);
    Check("heap", "pqxyyYXQP");
    Heap(bad);
    Check("heap fault", "pqxy!QP");
    {
        Object o('o');
        Never(o);
    }
    Check("return from a loop", "oab.cdDCBfAO");
    return STATUS_SUCCESS;
}
