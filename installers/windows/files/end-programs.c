// end-programs.exe <folder>: ends every process whose program lies below the folder, but neither itself nor who started it. Exit code 0 when
// none is left, 1 when one stays. Needs kernel32 alone; no C runtime is in it.
#include <windows.h>
#include <tlhelp32.h>

#define LONGEST 32000
#define ROUNDS 20
#define PAUSE_MS 250

static WCHAR folder[LONGEST];
static WCHAR image[LONGEST];

// The folder as Windows writes it in full, with a backslash at its end.
static BOOL readFolder(void) {
  const WCHAR *text = GetCommandLineW();
  BOOL quoted = FALSE;
  for (; *text != 0 && (quoted || *text != L' '); text++)
    if (*text == L'"') quoted = !quoted;
  while (*text == L' ' || *text == L'"') text++;
  if (*text == 0 || lstrlenW(text) > LONGEST - 2) return FALSE;
  lstrcpyW(image, text);
  int length = lstrlenW(image);
  while (length > 0 && (image[length - 1] == L'"' || image[length - 1] == L'\\' || image[length - 1] == L' ')) image[--length] = 0;
  DWORD full = GetLongPathNameW(image, folder, LONGEST - 2);
  if (full == 0 || full > LONGEST - 2) lstrcpyW(folder, image);
  lstrcatW(folder, L"\\");
  return TRUE;
}

static BOOL isBelow(HANDLE process) {
  DWORD size = LONGEST;
  if (!QueryFullProcessImageNameW(process, 0, image, &size)) return FALSE;
  int length = lstrlenW(folder);
  if ((int)size <= length) return FALSE;
  return CompareStringOrdinal(image, length, folder, length, TRUE) == CSTR_EQUAL;
}

static DWORD parentOf(HANDLE all, DWORD pid) {
  PROCESSENTRY32W entry;
  entry.dwSize = sizeof entry;
  for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry))
    if (entry.th32ProcessID == pid) return entry.th32ParentProcessID;
  return 0;
}

// How many were there.
static int endAll(void) {
  int found = 0;
  HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  if (all == INVALID_HANDLE_VALUE) return 1;
  DWORD self = GetCurrentProcessId(), parent = parentOf(all, self);
  PROCESSENTRY32W entry;
  entry.dwSize = sizeof entry;
  for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry)) {
    DWORD pid = entry.th32ProcessID;
    if (pid == self || pid == parent) continue;
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);
    if (process == NULL) continue;
    if (WaitForSingleObject(process, 0) == WAIT_TIMEOUT && isBelow(process)) {
      found++;
      TerminateProcess(process, 1);
      WaitForSingleObject(process, PAUSE_MS);
    }
    CloseHandle(process);
  }
  CloseHandle(all);
  return found;
}

void start(void) {
  if (!readFolder()) ExitProcess(1);
  for (int round = 0; round < ROUNDS; round++) {
    if (endAll() == 0) ExitProcess(0);
    Sleep(PAUSE_MS);
  }
  ExitProcess(1);
}
