/* A stand-in for WinDivert.dll, for tests under Wine, which has no such drivers. The test is its network: it listens on a port of
   loopback and is connected once for every open handle. Filters and checksums are the real ones, from the genuine DLL beside this
   one (WinDivertReal.dll). What the driver does is done as its documentation says: packets that the filter does not match never
   reach the program; what is sent must be whole packets; sums whose valid bit is clear are computed.

   Every message is a length (4 bytes, little-endian), a kind (1 byte) and so many bytes:
     O filter       -> the test answers with a Windows error number (4 bytes), 0 for success
     P number value -> a parameter was set (4 and 8 bytes)
     B packets      <- arrive at once; each an address (80 bytes), a length (4 bytes) and bytes
     F              <- reading fails from now on, as with a broken driver
     N packet       -> not matched by the filter: goes its own way (address and bytes)
     S packet       -> sent by the program (address and bytes, sums computed)
     E number       -> a send was refused with this error (4 bytes)
     X, C           -> the handle was shut down, closed */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <windows.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __declspec(dllexport)
#define ADDRESS 80
#define FLAGS 10
#define IP_VALID 0x20
#define TCP_VALID 0x40
#define UDP_VALID 0x80
#define NO_IP_SUM 1
#define NO_ICMP_SUMS 6
#define NO_TCP_SUM 8
#define NO_UDP_SUM 16
#define HANDLES 8

typedef struct packet {
  struct packet *next;
  uint32_t length;
  uint8_t address[ADDRESS];
  uint8_t bytes[];
} packet;

typedef struct {
  SOCKET socket;
  char object[65536];
  CRITICAL_SECTION lock, sending;
  CONDITION_VARIABLE change;
  packet *first, **last;
  BOOL isShut, isBroken;
} handle;

static handle *handles[HANDLES];
static volatile LONG opened;
static BOOL (*compile)(const char *, int, char *, UINT, const char **, UINT *);
static BOOL (*evaluate)(const char *, const void *, UINT, const void *);
static BOOL (*sums)(void *, UINT, void *, UINT64);

static BOOL loadReal(void) {
  static const char name[] = "WinDivertReal.dll";
  char path[MAX_PATH];
  HMODULE self, real;
  if (evaluate != NULL) return TRUE;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     (const char *)&loadReal, &self);
  GetModuleFileNameA(self, path, sizeof path - sizeof name);
  strcpy(strrchr(path, '\\') + 1, name);
  real = LoadLibraryA(path);
  if (real == NULL) return FALSE;
  compile = (void *)GetProcAddress(real, "WinDivertHelperCompileFilter");
  sums = (void *)GetProcAddress(real, "WinDivertHelperCalcChecksums");
  evaluate = (void *)GetProcAddress(real, "WinDivertHelperEvalFilter");
  return compile != NULL && sums != NULL && evaluate != NULL;
}

static void tell(handle *one, char kind, const void *a, uint32_t aSize, const void *b, uint32_t bSize) {
  uint32_t length = aSize + bSize;
  EnterCriticalSection(&one->sending);
  send(one->socket, (const char *)&length, 4, 0);
  send(one->socket, &kind, 1, 0);
  if (aSize > 0) send(one->socket, a, aSize, 0);
  if (bSize > 0) send(one->socket, b, bSize, 0);
  LeaveCriticalSection(&one->sending);
}

static BOOL readAll(SOCKET from, void *into, uint32_t size) {
  for (uint32_t at = 0; at < size;) {
    int got = recv(from, (char *)into + at, size - at, 0);
    if (got <= 0) return FALSE;
    at += got;
  }
  return TRUE;
}

/* Called with the lock held, so that packets that arrive at once are read at once. */
static void arrive(handle *one, const uint8_t *address, const uint8_t *bytes, uint32_t length) {
  packet *new;
  if (one->isShut || !evaluate(one->object, bytes, length, address)) {
    tell(one, 'N', address, ADDRESS, bytes, length);
    return;
  }
  new = malloc(sizeof *new + length);
  new->next = NULL;
  new->length = length;
  memcpy(new->address, address, ADDRESS);
  memcpy(new->bytes, bytes, length);
  *one->last = new;
  one->last = &new->next;
}

static DWORD WINAPI listenToTest(void *argument) {
  handle *one = argument;
  struct { uint32_t length; char kind; } __attribute__((packed)) head;
  while (readAll(one->socket, &head, 5)) {
    uint8_t *message = malloc(head.length + 1);
    if (!readAll(one->socket, message, head.length)) break;
    EnterCriticalSection(&one->lock);
    if (head.kind == 'F') one->isBroken = TRUE;
    for (uint32_t at = 0; at + ADDRESS + 4 <= head.length;) {
      uint32_t length;
      memcpy(&length, message + at + ADDRESS, 4);
      arrive(one, message + at, message + at + ADDRESS + 4, length);
      at += ADDRESS + 4 + length;
    }
    LeaveCriticalSection(&one->lock);
    WakeAllConditionVariable(&one->change);
    free(message);
  }
  return 0;
}

static SOCKET connectToTest(void) {
  struct sockaddr_in to = {0};
  WSADATA data;
  char port[16] = "";
  BOOL noDelay = TRUE;
  SOCKET made;
  WSAStartup(MAKEWORD(2, 2), &data);
  GetEnvironmentVariableA("FTPSEAL_STAND_IN", port, sizeof port);
  to.sin_family = AF_INET;
  to.sin_port = htons((u_short)atoi(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  made = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, (const char *)&noDelay, sizeof noDelay);
  if (connect(made, (struct sockaddr *)&to, sizeof to) == 0) return made;
  closesocket(made);
  return INVALID_SOCKET;
}

static handle *of(HANDLE number) {
  INT_PTR index = (INT_PTR)number - 1;
  return index >= 0 && index < HANDLES ? handles[index] : NULL;
}

EXPORT HANDLE WinDivertOpen(const char *filter, int layer, INT16 priority, UINT64 flags) {
  handle *one = calloc(1, sizeof *one);
  LONG number = InterlockedIncrement(&opened);
  uint32_t error;
  if (!loadReal() || number > HANDLES || (one->socket = connectToTest()) == INVALID_SOCKET) {
    SetLastError(ERROR_FILE_NOT_FOUND);
    return INVALID_HANDLE_VALUE;
  }
  InitializeCriticalSection(&one->lock);
  InitializeCriticalSection(&one->sending);
  InitializeConditionVariable(&one->change);
  one->last = &one->first;
  if (!compile(filter, layer, one->object, sizeof one->object, NULL, NULL) || priority != 0 || flags != 0) {
    SetLastError(ERROR_INVALID_PARAMETER);
    return INVALID_HANDLE_VALUE;
  }
  tell(one, 'O', filter, (uint32_t)strlen(filter), NULL, 0);
  if (!readAll(one->socket, &error, 4) || error != 0) {
    SetLastError(error);
    return INVALID_HANDLE_VALUE;
  }
  handles[number - 1] = one;
  CloseHandle(CreateThread(NULL, 0, listenToTest, one, 0, NULL));
  return (HANDLE)(INT_PTR)number;
}

EXPORT BOOL WinDivertSetParam(HANDLE number, int parameter, UINT64 value) {
  tell(of(number), 'P', &parameter, 4, &value, 8);
  return TRUE;
}

EXPORT BOOL WinDivertRecvEx(HANDLE number, void *bytes, UINT size, UINT *length, UINT64 flags, void *addresses,
                            UINT *addressesLength, void *overlapped) {
  handle *one = of(number);
  uint32_t count = 0, at = 0, room = *addressesLength / ADDRESS;
  if (one == NULL || room == 0 || room > 255 || flags != 0 || overlapped != NULL) {
    SetLastError(ERROR_INVALID_PARAMETER);
    return FALSE;
  }
  EnterCriticalSection(&one->lock);
  while (one->first == NULL && !one->isShut && !one->isBroken)
    SleepConditionVariableCS(&one->change, &one->lock, INFINITE);
  while (one->first != NULL && count < room && at + one->first->length <= size) {
    packet *taken = one->first;
    memcpy((uint8_t *)bytes + at, taken->bytes, taken->length);
    memcpy((uint8_t *)addresses + count * ADDRESS, taken->address, ADDRESS);
    at += taken->length;
    count += 1;
    one->first = taken->next;
    if (one->first == NULL) one->last = &one->first;
    free(taken);
  }
  LeaveCriticalSection(&one->lock);
  *length = at;
  *addressesLength = count * ADDRESS;
  if (count > 0) return TRUE;
  SetLastError(one->isBroken ? ERROR_INVALID_HANDLE : ERROR_NO_DATA);
  return FALSE;
}

static uint32_t lengthOf(const uint8_t *bytes, uint32_t left) {
  if (left >= 20 && bytes[0] >> 4 == 4) return bytes[2] << 8 | bytes[3];
  if (left >= 40 && bytes[0] >> 4 == 6) return 40 + (bytes[4] << 8 | bytes[5]);
  return 0;
}

EXPORT BOOL WinDivertSendEx(HANDLE number, const void *bytes, UINT length, UINT *sent, UINT64 flags,
                            const void *addresses, UINT addressesLength, void *overlapped) {
  handle *one = of(number);
  const uint8_t *from = bytes;
  const uint8_t *address = addresses;
  uint32_t left = length;
  for (; addressesLength >= ADDRESS; addressesLength -= ADDRESS, address += ADDRESS) {
    uint32_t size = lengthOf(from, left);
    UINT64 kept = NO_ICMP_SUMS;
    uint8_t *copy;
    if (size < 20 || size > left) break;
    copy = malloc(size);
    memcpy(copy, from, size);
    if (address[FLAGS] & IP_VALID) kept |= NO_IP_SUM;
    if (address[FLAGS] & TCP_VALID) kept |= NO_TCP_SUM;
    if (address[FLAGS] & UDP_VALID) kept |= NO_UDP_SUM;
    sums(copy, size, NULL, kept);
    tell(one, 'S', address, ADDRESS, copy, size);
    free(copy);
    from += size;
    left -= size;
  }
  if (sent != NULL) *sent = length - left;
  if (left == 0 && addressesLength == 0 && flags == 0 && overlapped == NULL) return TRUE;
  left = ERROR_INVALID_PARAMETER;
  tell(one, 'E', &left, 4, NULL, 0);
  SetLastError(ERROR_INVALID_PARAMETER);
  return FALSE;
}

EXPORT BOOL WinDivertShutdown(HANDLE number, int how) {
  handle *one = of(number);
  EnterCriticalSection(&one->lock);
  if (how & 1) one->isShut = TRUE;
  LeaveCriticalSection(&one->lock);
  WakeAllConditionVariable(&one->change);
  tell(one, 'X', NULL, 0, NULL, 0);
  return TRUE;
}

EXPORT BOOL WinDivertClose(HANDLE number) {
  handle *one = of(number);
  tell(one, 'C', NULL, 0, NULL, 0);
  handles[(INT_PTR)number - 1] = NULL;
  shutdown(one->socket, SD_SEND);
  return TRUE;
}
