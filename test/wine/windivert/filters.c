/* A stand-in for fwpuclnt.dll, the Windows Filtering Platform, which Wine has as empty functions. It reads what it is given by the
   structures of the platform's own headers, and its filters are files in the folder FTPSEAL_FILTERS, so that they outlive a process as
   lasting ones do: the name is the key, the text is one line. Whether a connection passes the test decides from them. A file `refuse`
   there, with a number, is the error that adding a filter fails with. */
#define _WIN32_WINNT 0x0601
#include <winsock2.h>
#include <windows.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fwpmu.h>

/* Not in the headers of mingw-w64. */
#ifndef FWPM_SESSION_FLAG_DYNAMIC
#define FWPM_SESSION_FLAG_DYNAMIC 0x00000001
#endif

#define SESSIONS 8
#define LINE 8192

static BOOL isDynamic[SESSIONS + 1];
static LONG sessions;

static const char *nameOf(const GUID *guid) {
  static char text[4][40];
  static int turn;
  char *into = text[turn++ % 4];
  const unsigned char *d = guid->Data4;
  sprintf(into, "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (unsigned long)guid->Data1, guid->Data2, guid->Data3,
          d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
  return into;
}

static void place(char *path, const char *kind, const char *name) {
  char folder[MAX_PATH] = "";
  GetEnvironmentVariableA("FTPSEAL_FILTERS", folder, sizeof folder);
  snprintf(path, MAX_PATH, "%s\\%s%s", folder, kind, name);
}

static BOOL exists(const char *path) { return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES; }

static DWORD write(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) return ERROR_PATH_NOT_FOUND;
  fputs(text, file);
  fclose(file);
  return 0;
}

/* Every filter whose line begins so, or the first one alone. */
static BOOL removeAll(const char *beginning, BOOL onlyAsk) {
  char path[MAX_PATH], line[LINE];
  WIN32_FIND_DATAA found;
  BOOL any = FALSE;
  place(path, "filter-*", "");
  HANDLE search = FindFirstFileA(path, &found);
  if (search == INVALID_HANDLE_VALUE) return FALSE;
  do {
    place(path, "", found.cFileName);
    FILE *file = fopen(path, "rb");
    size_t got = file == NULL ? 0 : fread(line, 1, sizeof line - 1, file);
    if (file != NULL) fclose(file);
    line[got] = 0;
    if (strncmp(line, beginning, strlen(beginning)) != 0) continue;
    any = TRUE;
    if (!onlyAsk) DeleteFileA(path);
  } while (FindNextFileA(search, &found));
  FindClose(search);
  return any;
}

DWORD WINAPI FwpmEngineOpen0(const wchar_t *server, UINT32 service, SEC_WINNT_AUTH_IDENTITY_W *identity,
                             const FWPM_SESSION0 *session, HANDLE *engine) {
  LONG number = InterlockedIncrement(&sessions);
  if (server != NULL || service != 10 || identity != NULL || number > SESSIONS) return ERROR_INVALID_PARAMETER;
  isDynamic[number] = session != NULL && session->flags == FWPM_SESSION_FLAG_DYNAMIC;
  *engine = (HANDLE)(INT_PTR)number;
  return 0;
}

DWORD WINAPI FwpmEngineClose0(HANDLE engine) {
  char beginning[40];
  sprintf(beginning, "for-life %lu-%d ", (unsigned long)GetCurrentProcessId(), (int)(INT_PTR)engine);
  if (isDynamic[(INT_PTR)engine]) removeAll(beginning, FALSE);
  return 0;
}

DWORD WINAPI FwpmTransactionBegin0(HANDLE engine, UINT32 flags) { return flags == 0 ? 0 : ERROR_INVALID_PARAMETER; }
DWORD WINAPI FwpmTransactionCommit0(HANDLE engine) { return 0; }
DWORD WINAPI FwpmTransactionAbort0(HANDLE engine) { return 0; }

DWORD WINAPI FwpmSubLayerAdd0(HANDLE engine, const FWPM_SUBLAYER0 *layer, PSECURITY_DESCRIPTOR security) {
  char path[MAX_PATH];
  place(path, "sublayer-", nameOf(&layer->subLayerKey));
  if (layer->displayData.name == NULL || layer->weight != 0xffff || layer->flags != 0) return ERROR_INVALID_PARAMETER;
  return exists(path) ? FWP_E_ALREADY_EXISTS : write(path, "");
}

DWORD WINAPI FwpmSubLayerDeleteByKey0(HANDLE engine, const GUID *key) {
  char path[MAX_PATH];
  place(path, "sublayer-", nameOf(key));
  if (!exists(path)) return FWP_E_SUBLAYER_NOT_FOUND;
  if (removeAll("", TRUE)) return FWP_E_IN_USE;
  DeleteFileA(path);
  return 0;
}

static int test(char *into, const FWPM_FILTER_CONDITION0 *one) {
  const FWP_CONDITION_VALUE0 *value = &one->conditionValue;
  int at = sprintf(into, " %s/%d/", nameOf(&one->fieldKey), one->matchType);
  switch (value->type) {
    case FWP_UINT8: return at + sprintf(into + at, "%u", value->uint8);
    case FWP_UINT32: return at + sprintf(into + at, "%u", value->uint32);
    case FWP_RANGE_TYPE:
      if (value->rangeValue->valueLow.type != FWP_UINT16 || value->rangeValue->valueHigh.type != FWP_UINT16) return -1;
      return at + sprintf(into + at, "%u-%u", value->rangeValue->valueLow.uint16, value->rangeValue->valueHigh.uint16);
    case FWP_V4_ADDR_MASK:
      return at + sprintf(into + at, "%08x&%08x", value->v4AddrMask->addr, value->v4AddrMask->mask);
    case FWP_V6_ADDR_MASK:
      for (int i = 0; i < 16; i++) at += sprintf(into + at, "%02x", value->v6AddrMask->addr[i]);
      return at + sprintf(into + at, "/%u", value->v6AddrMask->prefixLength);
    default: return -1;
  }
}

DWORD WINAPI FwpmFilterAdd0(HANDLE engine, const FWPM_FILTER0 *filter, PSECURITY_DESCRIPTOR security, UINT64 *id) {
  char path[MAX_PATH], line[LINE];
  int at;
  place(path, "refuse", "");
  if (exists(path)) {
    FILE *file = fopen(path, "rb");
    unsigned long error = 0;
    fscanf(file, "%lu", &error);
    fclose(file);
    return error;
  }
  place(path, "sublayer-", nameOf(&filter->subLayerKey));
  if (!exists(path)) return FWP_E_SUBLAYER_NOT_FOUND;
  place(path, "filter-", nameOf(&filter->filterKey));
  if (exists(path)) return FWP_E_ALREADY_EXISTS;
  if (filter->displayData.name == NULL || filter->flags != 0 || filter->weight.type != FWP_UINT8) return ERROR_INVALID_PARAMETER;
  at = isDynamic[(INT_PTR)engine]
         ? sprintf(line, "for-life %lu-%d", (unsigned long)GetCurrentProcessId(), (int)(INT_PTR)engine)
         : sprintf(line, "lasting 0");
  at += sprintf(line + at, " %s %u %s", nameOf(&filter->layerKey), filter->weight.uint8,
                filter->action.type == FWP_ACTION_BLOCK ? "block" : filter->action.type == FWP_ACTION_PERMIT ? "permit" : "?");
  for (UINT32 i = 0; i < filter->numFilterConditions; i++) {
    int more = at > LINE - 200 ? -1 : test(line + at, &filter->filterCondition[i]);
    if (more < 0) return ERROR_INVALID_PARAMETER;
    at += more;
  }
  return write(path, line);
}

DWORD WINAPI FwpmFilterDeleteByKey0(HANDLE engine, const GUID *key) {
  char path[MAX_PATH];
  place(path, "filter-", nameOf(key));
  return DeleteFileA(path) ? 0 : FWP_E_FILTER_NOT_FOUND;
}
