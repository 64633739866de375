# Sockets on request, for tests that look at what a client program sees: addresses, replies, how a connection ends.
# One JSON request a line on standard input, one JSON answer a line on standard output; each request has a thread.
import hashlib
import json
import socket
import struct
import sys
import threading

connections = {}
listeners = {}
lock = threading.Lock()
numbers = iter(range(1, 1 << 30))


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.pending = b""

    def view(self):
        with lock:
            number = next(numbers)
            connections[number] = self
        return {
            "connection": number,
            "local": list(self.sock.getsockname()[:2]),
            "peer": list(self.sock.getpeername()[:2]),
        }


def connect(request):
    family = socket.AF_INET6 if ":" in request["host"] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.settimeout(request.get("timeout", 20))
    sock.connect((request["host"], request["port"]))
    return Connection(sock).view()


def listen(request):
    """Without a port the system chooses one; with the control connection's own port it is FTP's default data port."""
    family = socket.AF_INET6 if ":" in request["host"] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((request["host"], request.get("port", 0)))
    sock.listen(5)
    with lock:
        number = next(numbers)
        listeners[number] = sock
    return {"listener": number, "port": sock.getsockname()[1]}


def accept(request):
    listener = listeners[request["listener"]]
    listener.settimeout(request.get("timeout", 20))
    sock, _ = listener.accept()
    return Connection(sock).view()


def deafen(request):
    listeners.pop(request["listener"]).close()
    return {}


def send(request):
    connections[request["connection"]].sock.sendall(request["text"].encode("latin-1"))
    return {}


def upload(request):
    """Sends so many bytes and ends the stream; a peer that breaks it off is an answer, not an error."""
    sock = connections[request["connection"]].sock
    sock.settimeout(request.get("timeout", 20))
    try:
        sock.sendall(b"U" * request["size"])
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
        return {"end": "eof"}
    except OSError as error:
        return {"end": type(error).__name__}


def line(request):
    """The next line, with its end; less when the connection ends, which `end` then says."""
    connection = connections[request["connection"]]
    connection.sock.settimeout(request.get("timeout", 20))
    end = None
    while b"\n" not in connection.pending:
        try:
            received = connection.sock.recv(65536)
        except ConnectionResetError:
            end = "reset"
            break
        if not received:
            end = "eof"
            break
        connection.pending += received
    text, newline, rest = connection.pending.partition(b"\n")
    connection.pending = rest
    answer = {"text": (text + newline).decode("latin-1")}
    return answer if end is None else {**answer, "end": end}


def drain(request):
    """Everything up to the end of the stream."""
    connection = connections[request["connection"]]
    connection.sock.settimeout(request.get("timeout", 20))
    digest, size, head, end = hashlib.sha256(), 0, b"", "eof"
    try:
        while True:
            received = connection.pending or connection.sock.recv(65536)
            connection.pending = b""
            if not received:
                break
            digest.update(received)
            size += len(received)
            head = (head + received)[:4096]
    except ConnectionResetError:
        end = "reset"
    return {"size": size, "sha256": digest.hexdigest(), "head": head.decode("latin-1"), "end": end}


def close(request):
    connection = connections.pop(request["connection"])
    if request.get("reset"):
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        connection.sock.shutdown(socket.SHUT_RDWR)
    connection.sock.close()
    return {}


actions = {action.__name__: action for action in (connect, listen, accept, deafen, send, upload, line, drain, close)}


def answer(request):
    try:
        result = actions[request["do"]](request)
    except Exception as error:
        result = {"error": type(error).__name__ + ": " + str(error)}
    with lock:
        print(json.dumps({"id": request["id"], **result}), flush=True)


for entry in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(entry),), daemon=True).start()
