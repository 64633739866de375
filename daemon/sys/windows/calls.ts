// The calls of Windows that tell who owns a connection or a process, and who may use a file, bound through koffi at first use.
// No policy here.
import koffi from 'koffi';

type Call = (...args: readonly unknown[]) => unknown;

const signatures = {
  'shell32.dll': {
    SHGetFolderPathW:
      'int SHGetFolderPathW(void *window, int folder, void *token, uint32_t flags, void *path)',
  },
  'iphlpapi.dll': {
    GetExtendedTcpTable:
      'uint32_t GetExtendedTcpTable(void *table, void *size, int order, uint32_t family, int kind, uint32_t reserved)',
  },
  'kernel32.dll': {
    LocalFree: 'intptr_t LocalFree(intptr_t memory)',
    lstrcpynW: 'intptr_t lstrcpynW(void *target, intptr_t source, int units)',
    CloseHandle: 'int CloseHandle(intptr_t handle)',
    OpenProcess: 'intptr_t OpenProcess(uint32_t access, int inherit, uint32_t pid)',
    ProcessIdToSessionId: 'int ProcessIdToSessionId(uint32_t pid, void *session)',
    QueryFullProcessImageNameW:
      'int QueryFullProcessImageNameW(intptr_t process, uint32_t flags, void *name, void *size)',
  },
  'advapi32.dll': {
    AdjustTokenPrivileges:
      'int AdjustTokenPrivileges(intptr_t token, int disableAll, void *change, uint32_t length, void *before, void *needed)',
    ConvertSecurityDescriptorToStringSecurityDescriptorW:
      'int ConvertSecurityDescriptorToStringSecurityDescriptorW(void *descriptor, uint32_t revision, uint32_t parts, void *text, void *length)',
    ConvertStringSecurityDescriptorToSecurityDescriptorW:
      'int ConvertStringSecurityDescriptorToSecurityDescriptorW(const char16_t *text, uint32_t revision, void *descriptor, void *size)',
    GetFileSecurityW:
      'int GetFileSecurityW(const char16_t *file, uint32_t parts, void *descriptor, uint32_t length, void *needed)',
    SetFileSecurityW: 'int SetFileSecurityW(const char16_t *file, uint32_t parts, intptr_t descriptor)',
    RegDeleteKeyValueW: 'int RegDeleteKeyValueW(intptr_t root, const char16_t *key, const char16_t *value)',
    RegGetValueW:
      'int RegGetValueW(intptr_t root, const char16_t *key, const char16_t *value, uint32_t types, void *type, void *data, void *size)',
    RegSetKeyValueW:
      'int RegSetKeyValueW(intptr_t root, const char16_t *key, const char16_t *value, uint32_t type, void *data, uint32_t size)',
    CheckTokenMembership: 'int CheckTokenMembership(intptr_t token, void *sid, void *isMember)',
    CopySid: 'int CopySid(uint32_t length, void *destination, intptr_t source)',
    DuplicateToken: 'int DuplicateToken(intptr_t token, int level, void *duplicate)',
    GetTokenInformation:
      'int GetTokenInformation(intptr_t token, int kind, void *information, uint32_t length, void *needed)',
    LookupAccountNameW:
      'int LookupAccountNameW(void *system, const char16_t *name, void *sid, void *sidSize, void *domain, void *domainSize, void *use)',
    LookupAccountSidW:
      'int LookupAccountSidW(void *system, void *sid, void *name, void *nameSize, void *domain, void *domainSize, void *use)',
    OpenProcessToken: 'int OpenProcessToken(intptr_t process, uint32_t access, void *token)',
  },
} as const;

type Library = keyof typeof signatures;
type Name = { [L in Library]: keyof (typeof signatures)[L] }[Library];

let loaded: ReadonlyMap<string, Call> | undefined;

function load(): ReadonlyMap<string, Call> {
  const calls = Object.entries(signatures).flatMap(([dll, functions]) => {
    const library = koffi.load(dll);
    return Object.entries(functions).map(([name, text]): [string, Call] => [name, library.func(text)]);
  });
  return new Map(calls);
}

/** Calls a function of Windows by its name; the result as a number (a handle, a BOOL or an error code). */
export function callWindows(name: Name, ...args: readonly unknown[]): number {
  loaded ??= load();
  return Number(loaded.get(name)?.(...args));
}
