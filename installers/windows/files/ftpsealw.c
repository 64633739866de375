// ftpsealw.exe: ftpseal with the same arguments and without a console window, for the Run key and the Start menu. Needs kernel32 and user32
// alone; no C runtime is in it.
#include <windows.h>

#define LONGEST 32000

static WCHAR folder[LONGEST];
static WCHAR command[LONGEST];

// What follows the first word of the command line, which may stand in quotation marks.
static const WCHAR *arguments(const WCHAR *text) {
  BOOL quoted = FALSE;
  for (; *text != 0 && (quoted || (*text != L' ' && *text != L'\t')); text++)
    if (*text == L'"') quoted = !quoted;
  return text;
}

static BOOL build(void) {
  DWORD length = GetModuleFileNameW(NULL, folder, LONGEST);
  if (length == 0 || length >= LONGEST) return FALSE;
  while (length > 0 && folder[length - 1] != L'\\') length--;
  folder[length] = 0;
  const WCHAR *rest = arguments(GetCommandLineW());
  if (2 * length + lstrlenW(rest) + 64 > LONGEST) return FALSE;
  lstrcatW(command, L"\"");
  lstrcatW(command, folder);
  lstrcatW(command, L"node.exe\" \"");
  lstrcatW(command, folder);
  lstrcatW(command, L"dist\\daemon\\main.js\"");
  lstrcatW(command, rest);
  return TRUE;
}

void start(void) {
  static STARTUPINFOW how;
  PROCESS_INFORMATION made;
  how.cb = sizeof how;
  if (build() && CreateProcessW(NULL, command, NULL, NULL, FALSE, CREATE_NO_WINDOW, NULL, NULL, &how, &made)) {
    // The one that runs may show its window over this one's.
    AllowSetForegroundWindow(made.dwProcessId);
    ExitProcess(0);
  }
  MessageBoxW(NULL, L"ftpseal could not be started. Install it again.", L"ftpseal", MB_ICONERROR);
  ExitProcess(1);
}
