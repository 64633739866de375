// A backend that understands the PROXY protocol, versions 1 and 2: it reads the header, prints what it says, and hands the rest to
// a server that does not.
import { start, waitFor } from '../harness/command.js';
import type { Lab } from '../harness/lab.js';

const program = `
import socket, socketserver, struct, sys, threading

def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data

def header(connection):
    start = exactly(connection, 12)
    if start == b"\\r\\n\\r\\n\\0\\r\\nQUIT\\n":
        version, family, length = struct.unpack("!BBH", exactly(connection, 4))
        body = exactly(connection, length)
        assert version == 0x21, version
        if family == 0x11:
            assert length == 12
            a, b, p, q = struct.unpack("!4s4sHH", body)
            return "v2", socket.inet_ntop(socket.AF_INET, a), socket.inet_ntop(socket.AF_INET, b), p, q
        assert family == 0x21 and length == 36
        a, b, p, q = struct.unpack("!16s16sHH", body)
        return "v2", socket.inet_ntop(socket.AF_INET6, a), socket.inet_ntop(socket.AF_INET6, b), p, q
    while not start.endswith(b"\\r\\n"):
        assert len(start) < 107
        start += exactly(connection, 1)
    word, family, a, b, p, q = start.decode("ascii").split()
    assert word == "PROXY" and family == ("TCP6" if ":" in a else "TCP4"), start
    return "v1", a, b, int(p), int(q)

def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass

class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        print(*header(self.request), flush=True)
        onward = socket.create_connection((sys.argv[1], int(sys.argv[2])))
        thread = threading.Thread(target=pump, args=(onward, self.request))
        thread.start()
        pump(self.request, onward)
        thread.join()

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

server = Server((sys.argv[1], 2100), Handler)
print("listening", flush=True)
server.serve_forever()
`;

export interface ProxyHeaderReader {
  /** Where it listens, on the server's own address, for data connections go there. */
  readonly address: string;
  log(): string;
  stop(): Promise<void>;
}

export async function proxyHeaderReader(lab: Lab, host: string, port: number): Promise<ProxyHeaderReader> {
  const running = start({ namespace: lab.network.srv }, [
    '/usr/bin/python3',
    '-c',
    program,
    host,
    String(port),
  ]);
  const log = (): string => running.stdout() + running.stderr();
  await waitFor(log, () => log().includes('listening'));
  return { address: `${host}:2100`, log, stop: () => running.stop() };
}
