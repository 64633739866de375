/* A stand-in for dnsapi.dll with a DNS cache, which Wine has none of. Records are the structures of windns.h; the lines of the cache's
   table are in no header. It counts what it has handed out, and answers no query that would go to the network. */
#define _WIN32_WINNT 0x0601
#define UNICODE
#include <winsock2.h>
#include <windows.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <windns.h>

/* As daemon/names/dns-cache-structures.ts reads them. */
_Static_assert(offsetof(DNS_RECORDW, pNext) == 0, "next");
_Static_assert(offsetof(DNS_RECORDW, pName) == 8, "name");
_Static_assert(offsetof(DNS_RECORDW, wType) == 16, "type");
_Static_assert(offsetof(DNS_RECORDW, dwTtl) == 24, "ttl");
_Static_assert(offsetof(DNS_RECORDW, Data) == 32, "data");
_Static_assert(offsetof(DNS_RECORDW, Data.AAAA.Ip6Address) == 32, "address");
_Static_assert(offsetof(DNS_RECORDW, Data.CNAME.pNameHost) == 32, "alias");
_Static_assert(DnsFreeFlat == 0 && DnsFreeRecordList == 1, "kinds of freeing");

typedef struct Line {
  struct Line *next;
  WCHAR *name;
  WORD type;
  WORD dataLength;
  DWORD flags;
} Line;
_Static_assert(sizeof(Line) == 24 && offsetof(Line, name) == 8 && offsetof(Line, type) == 16, "line");

static LONG held, wrong;

static void *hand(size_t size) {
  held++;
  return calloc(1, size);
}

static WCHAR *text(const WCHAR *from) {
  WCHAR *copy = hand((wcslen(from) + 1) * sizeof *from);
  return wcscpy(copy, from);
}

static Line *line(Line *next, const WCHAR *name, WORD type) {
  Line *made = hand(sizeof *made);
  made->next = next;
  made->name = text(name);
  made->type = type;
  return made;
}

__declspec(dllexport) BOOL WINAPI DnsGetCacheDataTable(Line **first) {
  *first = line(NULL, L"ftp.lab.test", DNS_TYPE_A);
  *first = line(*first, L"WWW.lab.test", DNS_TYPE_CNAME);
  *first = line(*first, L"six.lab.test", DNS_TYPE_AAAA);
  *first = line(*first, L"gone.lab.test", DNS_TYPE_A);
  *first = line(*first, L"lab.test", DNS_TYPE_MX);
  return TRUE;
}

static DNS_RECORDW *record(DNS_RECORDW *next, const WCHAR *name, WORD type, DWORD ttl) {
  DNS_RECORDW *made = hand(sizeof *made);
  made->pNext = next;
  made->pName = text(name);
  made->wType = type;
  made->dwTtl = ttl;
  return made;
}

__declspec(dllexport) DNS_STATUS WINAPI DnsQuery_W(PCWSTR name, WORD type, DWORD options, PIP4_ARRAY extra, PDNS_RECORD *found,
                                                    PVOID *reserved) {
  *found = NULL;
  if (options != DNS_QUERY_NO_WIRE_QUERY || extra != NULL || reserved != NULL) wrong++;
  if (wcscmp(name, L"six.lab.test") == 0 && type == DNS_TYPE_AAAA) {
    static const BYTE address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};
    *found = record(NULL, name, type, 60);
    memcpy(&(*found)->Data.AAAA.Ip6Address, address, sizeof address);
    return 0;
  }
  BOOL isAlias = wcscmp(name, L"www.lab.test") == 0;
  if (type != DNS_TYPE_A || (!isAlias && wcscmp(name, L"ftp.lab.test") != 0)) return DNS_ERROR_RECORD_DOES_NOT_EXIST;
  *found = record(NULL, L"ftp.lab.test", DNS_TYPE_A, 120);
  (*found)->Data.A.IpAddress = htonl(0x0a010203);
  if (isAlias) {
    *found = record(*found, name, DNS_TYPE_CNAME, 30);
    (*found)->Data.CNAME.pNameHost = text(L"ftp.lab.test");
  }
  return 0;
}

__declspec(dllexport) VOID WINAPI DnsFree(PVOID data, DNS_FREE_TYPE kind) {
  if (kind == DnsFreeFlat) {
    held--;
    free(data);
    return;
  }
  for (DNS_RECORDW *one = data, *next; one != NULL; one = next) {
    next = one->pNext;
    if (one->wType == DNS_TYPE_CNAME) DnsFree(one->Data.CNAME.pNameHost, DnsFreeFlat);
    DnsFree(one->pName, DnsFreeFlat);
    DnsFree(one, DnsFreeFlat);
  }
}

/* For the test: what was not freed yet, and how often it was asked for what it does not answer. */
__declspec(dllexport) int Held(void) { return held; }
__declspec(dllexport) int Wrong(void) { return wrong; }
