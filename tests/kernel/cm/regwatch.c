// SPDX-License-Identifier: GPL-2.0-or-later
/* Registry callbacks: registration, order, every class of notification, refusing, taking over, contexts, names. */
#include <ntifs.h>

#include <fltvm.h>

#define KEY  L"\\Registry\\Machine\\Software\\FltvmWatch"
#define HIGH ((PVOID)2)
#define LOW  ((PVOID)1)

typedef struct _SEEN {
    ULONG Who[32], Class[32], Count;
    UCHAR Information[sizeof(REG_CREATE_KEY_INFORMATION_V1)];
    WCHAR CompleteName[80];
    REG_POST_OPERATION_INFORMATION Post;
    BOOLEAN SamePre;
    PVOID PreInformation, Cleaned, CleanedObject;
    ULONG Cleanups;
} SEEN;

static SEEN Seen;
static LARGE_INTEGER HighCookie, LowCookie;
static PVOID Refuser; /* whose pre-notifications end with Answer */
static NTSTATUS Answer;
static PVOID Changer; /* whose post-notifications end with ReturnStatus = Changed */
static NTSTATUS Changed;
static PVOID Adopt;    /* the object that a bypassed open results in */
static BOOLEAN Attach; /* give the object of a post-create a context */
static BOOLEAN Quiet = TRUE;

static BOOLEAN IsPost(ULONG Class)
{
    return (Class >= RegNtPostDeleteKey && Class <= RegNtPostKeyHandleClose) || Class == RegNtPostCreateKeyEx ||
           Class == RegNtPostOpenKeyEx || Class == RegNtPostFlushKey;
}

static NTSTATUS Handle(PVOID Who, ULONG Class, PVOID Information)
{
    PREG_POST_OPERATION_INFORMATION Post = Information;

    if (Quiet)
        return STATUS_SUCCESS;
    if (Class == RegNtCallbackObjectContextCleanup) {
        Seen.Cleanups++;
        Seen.Cleaned = ((PREG_CALLBACK_CONTEXT_CLEANUP_INFORMATION)Information)->ObjectContext;
        Seen.CleanedObject = ((PREG_CALLBACK_CONTEXT_CLEANUP_INFORMATION)Information)->Object;
        return STATUS_SUCCESS;
    }
    if (Seen.Count < RTL_NUMBER_OF(Seen.Who)) {
        Seen.Who[Seen.Count] = (ULONG)(ULONG_PTR)Who;
        Seen.Class[Seen.Count++] = Class;
    }
    if (IsPost(Class)) {
        Seen.Post = *Post;
        Seen.SamePre = Post->PreInformation == Seen.PreInformation;
        if (Class == RegNtPostCreateKeyEx && Attach && Post->Object != NULL)
            CmSetCallbackObjectContext(Post->Object, Who == HIGH ? &HighCookie : &LowCookie, (PUCHAR)Who + 500, NULL);
        if (Who == Changer) {
            Post->ReturnStatus = Changed;
            return STATUS_CALLBACK_BYPASS;
        }
        return STATUS_SUCCESS;
    }
    Seen.PreInformation = Information;
    RtlCopyMemory(Seen.Information, Information, sizeof(REG_DELETE_KEY_INFORMATION));
    if (Class == RegNtPreCreateKeyEx || Class == RegNtPreOpenKeyEx) {
        PREG_CREATE_KEY_INFORMATION_V1 Create = Information;

        RtlCopyMemory(Seen.Information, Information, sizeof(*Create));
        RtlZeroMemory(Seen.CompleteName, sizeof(Seen.CompleteName));
        RtlCopyMemory(Seen.CompleteName, Create->CompleteName->Buffer,
                      min(Create->CompleteName->Length, sizeof(Seen.CompleteName) - 2));
        Create->CallContext = (PUCHAR)Who + 100;
        if (Who == Refuser && Adopt != NULL) {
            ObReferenceObject(Adopt);
            *Create->ResultObject = Adopt;
            Create->GrantedAccess = KEY_READ;
        }
    } else if (Class == RegNtPreSetValueKey) {
        RtlCopyMemory(Seen.Information, Information, sizeof(REG_SET_VALUE_KEY_INFORMATION));
        ((PREG_SET_VALUE_KEY_INFORMATION)Information)->CallContext = (PUCHAR)Who + 200;
    } else if (Class == RegNtPreQueryValueKey) {
        RtlCopyMemory(Seen.Information, Information, sizeof(REG_QUERY_VALUE_KEY_INFORMATION));
    }
    return Who == Refuser ? Answer : STATUS_SUCCESS;
}

static NTSTATUS NTAPI Callback(PVOID Context, PVOID Class, PVOID Information)
{
    return Handle(Context, (ULONG)(ULONG_PTR)Class, Information);
}

static NTSTATUS Register(PCWSTR Altitude, PVOID Context, PLARGE_INTEGER Cookie)
{
    UNICODE_STRING Text;

    RtlInitUnicodeString(&Text, Altitude);
    return CmRegisterCallbackEx(Callback, &Text, NULL, Context, Cookie, NULL);
}

static NTSTATUS Open(HANDLE Root, PCWSTR Path, BOOLEAN Create, PHANDLE Key)
{
    OBJECT_ATTRIBUTES Attributes;
    UNICODE_STRING Name;
    ULONG Disposition;

    RtlInitUnicodeString(&Name, Path);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, Root, NULL);
    RtlZeroMemory(&Seen, sizeof(Seen));
    return Create ? ZwCreateKey(Key, KEY_ALL_ACCESS, &Attributes, 0, NULL, REG_OPTION_VOLATILE, &Disposition)
                  : ZwOpenKey(Key, KEY_ALL_ACCESS, &Attributes);
}

static VOID Reset(VOID)
{
    RtlZeroMemory(&Seen, sizeof(Seen));
}

/* Both saw it, in this order: high pre, low pre, low post, high post. */
static BOOLEAN Pair(ULONG Pre, ULONG Post)
{
    return Seen.Count == 4 && Seen.Who[0] == 2 && Seen.Who[1] == 1 && Seen.Who[2] == 1 && Seen.Who[3] == 2 &&
           Seen.Class[0] == Pre && Seen.Class[1] == Pre && Seen.Class[2] == Post && Seen.Class[3] == Post &&
           NT_SUCCESS(Seen.Post.Status) && Seen.SamePre;
}

static VOID CheckRegistration(VOID)
{
    LARGE_INTEGER Cookie = {.QuadPart = 0x7777}, Second, Old;
    ULONG Major = 9, Minor = 9;
    KIRQL Irql;

    CmGetCallbackVersion(NULL, NULL);
    CmGetCallbackVersion(&Major, &Minor);
    FvCheck(Major == 1 && Minor == 1);
    FvCheck(CmUnRegisterCallback(Cookie) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"x", HIGH, &Cookie) == STATUS_INVALID_PARAMETER);
    FvCheck(Register(L"320000", HIGH, &Cookie) == STATUS_SUCCESS);
    FvCheck(Register(L"320000.0", HIGH, &Second) == STATUS_FLT_INSTANCE_ALTITUDE_COLLISION);
    FvCheck(Register(L"320001", HIGH, &Second) == STATUS_SUCCESS && Second.QuadPart != Cookie.QuadPart);
    FvCheck(CmUnRegisterCallback(Second) == STATUS_SUCCESS && CmUnRegisterCallback(Second) == STATUS_INVALID_PARAMETER);
    KeRaiseIrql(APC_LEVEL, &Irql);
    FvCheck(CmUnRegisterCallback(Cookie) == STATUS_SUCCESS);
    FvCheck(CmRegisterCallback(Callback, LOW, &Old) == STATUS_SUCCESS);
    FvCheck(CmRegisterCallback(Callback, LOW, &Second) == STATUS_SUCCESS); /* no altitude, no collision */
    KeLowerIrql(Irql);
    CmUnRegisterCallback(Old);
    CmUnRegisterCallback(Second);
}

static VOID CheckCreate(PHANDLE Key)
{
    PREG_CREATE_KEY_INFORMATION_V1 Create = (PVOID)Seen.Information;
    PVOID Object = NULL;
    HANDLE Child = NULL;

    FvCheck(Open(NULL, KEY, TRUE, Key) == STATUS_SUCCESS && Pair(RegNtPreCreateKeyEx, RegNtPostCreateKeyEx));
    FvCheck(_wcsicmp(Seen.CompleteName, KEY) == 0 && Create->Version == 1 && Create->RootObject != NULL);
    FvCheck(Create->DesiredAccess == KEY_ALL_ACCESS && Create->Options == REG_OPTION_VOLATILE &&
            Create->Disposition != NULL);
    ObReferenceObjectByHandle(*Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL);
    FvCheck(Object != NULL && Seen.Post.Object == Object && Seen.Post.CallContext == (PVOID)102);
    ObDereferenceObject(Object);
    FvCheck(Open(*Key, L"Child", TRUE, &Child) == STATUS_SUCCESS && _wcsicmp(Seen.CompleteName, L"Child") == 0 &&
            Create->RootObject == Object);
    Reset();
    ZwClose(Child);
    FvCheck(Pair(RegNtPreKeyHandleClose, RegNtPostKeyHandleClose));
    FvCheck(Open(*Key, L"Child", FALSE, &Child) == STATUS_SUCCESS && Pair(RegNtPreOpenKeyEx, RegNtPostOpenKeyEx));
    Reset();
    FvCheck(ZwDeleteKey(Child) == STATUS_SUCCESS && Pair(RegNtPreDeleteKey, RegNtPostDeleteKey));
    ZwClose(Child);
    FvCheck(Open(*Key, L"Missing", FALSE, &Child) == STATUS_OBJECT_NAME_NOT_FOUND && Seen.Count == 4);
    FvCheck(Seen.Post.Status == STATUS_OBJECT_NAME_NOT_FOUND && Seen.Post.Object == NULL);
}

static VOID CheckValues(HANDLE Key)
{
    PREG_SET_VALUE_KEY_INFORMATION Set = (PVOID)Seen.Information;
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Value");
    UCHAR Buffer[64];
    ULONG Data = 7, Length;

    Reset();
    FvCheck(ZwSetValueKey(Key, &Name, 3, REG_DWORD, &Data, 4) == STATUS_SUCCESS &&
            Pair(RegNtPreSetValueKey, RegNtPostSetValueKey));
    FvCheck(Set->ValueName == &Name && Set->TitleIndex == 3 && Set->Type == REG_DWORD && Set->Data == &Data &&
            Set->DataSize == 4);
    FvCheck(Seen.Post.CallContext == (PVOID)202 && Seen.Post.ReturnStatus == STATUS_SUCCESS);
    Reset();
    FvCheck(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length) ==
                STATUS_SUCCESS &&
            Pair(RegNtPreQueryValueKey, RegNtPostQueryValueKey));
    Reset();
    FvCheck(ZwEnumerateValueKey(Key, 0, KeyValueBasicInformation, Buffer, sizeof(Buffer), &Length) == STATUS_SUCCESS &&
            Pair(RegNtPreEnumerateValueKey, RegNtPostEnumerateValueKey));
    Reset();
    FvCheck(ZwQueryKey(Key, KeyBasicInformation, Buffer, sizeof(Buffer), &Length) == STATUS_SUCCESS &&
            Pair(RegNtPreQueryKey, RegNtPostQueryKey));
    Reset();
    FvCheck(ZwEnumerateKey(Key, 0, KeyBasicInformation, Buffer, sizeof(Buffer), &Length) == STATUS_NO_MORE_ENTRIES &&
            Seen.Count == 4 && Seen.Class[0] == RegNtPreEnumerateKey && Seen.Class[3] == RegNtPostEnumerateKey &&
            Seen.Post.Status == STATUS_NO_MORE_ENTRIES);
    Reset();
    FvCheck(ZwFlushKey(Key) == STATUS_SUCCESS && Pair(RegNtPreFlushKey, RegNtPostFlushKey));
    Reset();
    FvCheck(ZwDeleteValueKey(Key, &Name) == STATUS_SUCCESS && Pair(RegNtPreDeleteValueKey, RegNtPostDeleteValueKey));
}

static VOID CheckBlocking(HANDLE Key)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Value");
    HANDLE Child = NULL;
    ULONG Data = 7, Length;
    UCHAR Buffer[64];
    PVOID Object;

    Refuser = LOW, Answer = STATUS_ACCESS_DENIED;
    Reset();
    FvCheck(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Data, 4) == STATUS_ACCESS_DENIED);
    FvCheck(Seen.Count == 3 && Seen.Who[2] == 2 &&
            Seen.Post.Status == STATUS_ACCESS_DENIED); /* it gets no post, who let it pass does */
    Refuser = HIGH;
    Reset();
    FvCheck(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Data, 4) == STATUS_ACCESS_DENIED && Seen.Count == 1);
    Answer = STATUS_CALLBACK_BYPASS;
    FvCheck(ZwSetValueKey(Key, &Name, 0, REG_DWORD, &Data, 4) == STATUS_SUCCESS);
    Refuser = NULL;
    FvCheck(ZwQueryValueKey(Key, &Name, KeyValuePartialInformation, Buffer, sizeof(Buffer), &Length) ==
            STATUS_OBJECT_NAME_NOT_FOUND); /* nothing was done */
    Changer = LOW, Changed = STATUS_SUCCESS;
    FvCheck(ZwDeleteValueKey(Key, &Name) == STATUS_SUCCESS); /* a failure became a success */
    FvCheck(Seen.Post.Status == STATUS_SUCCESS);             /* as the one above sees it */
    Changed = STATUS_LOCK_NOT_GRANTED;
    FvCheck(Open(Key, L"New", TRUE, &Child) == STATUS_LOCK_NOT_GRANTED && Child == NULL);
    Changer = NULL;
    FvCheck(Open(Key, L"New", FALSE, &Child) == STATUS_SUCCESS && NT_SUCCESS(ZwDeleteKey(Child)));
    ZwClose(Child);
    ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL);
    Refuser = LOW, Answer = STATUS_CALLBACK_BYPASS, Adopt = Object;
    FvCheck(Open(NULL, KEY L"\\Nowhere", FALSE, &Child) == STATUS_SUCCESS && Seen.Post.Object == Object);
    Refuser = Adopt = NULL;
    ObDereferenceObject(Object);
    FvCheck(ZwFlushKey(Child) == STATUS_SUCCESS);
    ZwClose(Child);
    FvCheck(ZwDeleteKey((HANDLE)0x7FFC) == STATUS_INVALID_HANDLE);
}

static VOID CheckContexts(HANDLE Key)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"Value");
    LARGE_INTEGER Bad = {.QuadPart = 0x5555};
    PVOID Object, Old = (PVOID)9, ChildObject;
    HANDLE Child = NULL;

    ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL);
    FvCheck(CmSetCallbackObjectContext(NULL, &HighCookie, HIGH, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(CmSetCallbackObjectContext(PsGetCurrentProcess(), &HighCookie, HIGH, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(CmSetCallbackObjectContext(Object, &Bad, HIGH, NULL) == STATUS_INVALID_PARAMETER);
    FvCheck(CmSetCallbackObjectContext(Object, &HighCookie, (PVOID)111, &Old) == STATUS_SUCCESS && Old == NULL);
    FvCheck(CmSetCallbackObjectContext(Object, &HighCookie, (PVOID)222, &Old) == STATUS_SUCCESS && Old == (PVOID)111);
    Reset();
    ZwDeleteValueKey(Key, &Name);
    FvCheck(Seen.Post.ObjectContext == (PVOID)222); /* the last to be told is the higher one */
    FvCheck(((PREG_DELETE_KEY_INFORMATION)Seen.PreInformation) != NULL && Seen.Cleanups == 0);
    FvCheck(CmSetCallbackObjectContext(Object, &HighCookie, NULL, &Old) == STATUS_SUCCESS && Old == (PVOID)222);
    Attach = TRUE;
    FvCheck(Open(Key, L"Child", TRUE, &Child) == STATUS_SUCCESS);
    Attach = FALSE;
    ObReferenceObjectByHandle(Child, 0, *CmKeyObjectType, KernelMode, &ChildObject, NULL);
    ZwDeleteKey(Child);
    FvCheck(Seen.Post.ObjectContext == (PVOID)502);
    Reset();
    ZwClose(Child);
    FvCheck(Seen.Cleanups == 2 && Seen.CleanedObject == ChildObject);
    ObDereferenceObject(ChildObject);
    CmSetCallbackObjectContext(Object, &LowCookie, (PVOID)333, NULL);
    Reset();
    CmUnRegisterCallback(LowCookie);
    FvCheck(Seen.Cleanups == 1 && Seen.Cleaned == (PVOID)333 && Seen.CleanedObject == Object);
    Register(L"100", LOW, &LowCookie);
    ObDereferenceObject(Object);
}

static VOID CheckNames(HANDLE Key)
{
    UNICODE_STRING Wanted = RTL_CONSTANT_STRING(L"\\REGISTRY\\MACHINE\\SOFTWARE\\FltvmWatch");
    LARGE_INTEGER Bad = {.QuadPart = 0x5555};
    PCUNICODE_STRING Name = NULL, Again = NULL;
    PVOID Object, Other;
    ULONG_PTR Id = 0, OtherId = 1;
    HANDLE Second = NULL;

    Open(NULL, KEY, FALSE, &Second);
    ObReferenceObjectByHandle(Key, 0, *CmKeyObjectType, KernelMode, &Object, NULL);
    ObReferenceObjectByHandle(Second, 0, *CmKeyObjectType, KernelMode, &Other, NULL);
    FvCheck(Object != Other);
    FvCheck(CmCallbackGetKeyObjectIDEx(&Bad, Object, &Id, &Name, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(CmCallbackGetKeyObjectIDEx(&HighCookie, NULL, &Id, &Name, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(CmCallbackGetKeyObjectIDEx(&HighCookie, PsGetCurrentThread(), &Id, &Name, 0) == STATUS_INVALID_PARAMETER);
    FvCheck(CmCallbackGetKeyObjectIDEx(&HighCookie, Object, &Id, &Name, 1) == STATUS_INVALID_PARAMETER);
    FvCheck(CmCallbackGetKeyObjectIDEx(&HighCookie, Object, NULL, NULL, 0) == STATUS_SUCCESS);
    FvCheck(CmCallbackGetKeyObjectIDEx(&HighCookie, Object, &Id, &Name, 0) == STATUS_SUCCESS && Id != 0 &&
            RtlEqualUnicodeString(Name, &Wanted, TRUE));
    CmCallbackReleaseKeyObjectIDEx(Name);
    FvCheck(CmCallbackGetKeyObjectIDEx(&LowCookie, Other, &OtherId, NULL, 0) == STATUS_SUCCESS && OtherId == Id);
    FvCheck(CmCallbackGetKeyObjectID(&Bad, Object, &Id, &Name) == STATUS_INVALID_PARAMETER);
    FvCheck(CmCallbackGetKeyObjectID(&HighCookie, NULL, &Id, &Name) == STATUS_INVALID_PARAMETER);
    FvCheck(CmCallbackGetKeyObjectID(&HighCookie, Object, &OtherId, &Name) == STATUS_SUCCESS && OtherId == Id &&
            RtlEqualUnicodeString(Name, &Wanted, TRUE));
    FvCheck(CmCallbackGetKeyObjectID(&HighCookie, Object, NULL, &Again) == STATUS_SUCCESS && Again == Name);
    FvCheck(CmGetBoundTransaction(&HighCookie, Object) == NULL);
    ObDereferenceObject(Object);
    ObDereferenceObject(Other);
    ZwClose(Second);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    HANDLE Key = NULL;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(69);
    CheckRegistration();
    FvCheck(Register(L"100", LOW, &LowCookie) == STATUS_SUCCESS &&
            Register(L"99.9999", HIGH, &HighCookie) == STATUS_SUCCESS);
    CmUnRegisterCallback(HighCookie);
    FvCheck(Register(L"100.1", HIGH, &HighCookie) == STATUS_SUCCESS);
    Quiet = FALSE;
    CheckCreate(&Key);
    CheckValues(Key);
    CheckBlocking(Key);
    CheckContexts(Key);
    CheckNames(Key);
    CmUnRegisterCallback(HighCookie);
    CmUnRegisterCallback(LowCookie);
    Reset();
    FvCheck(ZwDeleteKey(Key) == STATUS_SUCCESS && Seen.Count == 0);
    ZwClose(Key);
    return STATUS_SUCCESS;
}
