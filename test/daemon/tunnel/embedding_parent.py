# A parent that embeds two tunnels, client and server, in socket pairs, as Amanda embedded sst: clear data on one pair,
# TLS on the other. Sends bytes both ways, then half-closes, and says what arrived.
#   embedding_parent.py <bytes> <certificate> <program...>
import hashlib, json, os, socket, subprocess, sys, threading

size, certificate, program = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
client_clear, client_clear_far = socket.socketpair()
server_clear, server_clear_far = socket.socketpair()
# The two pairs of TLS, and the parent in between carries the encrypted bytes and looks at them.
client_tls, client_tls_far = socket.socketpair()
server_tls, server_tls_far = socket.socketpair()

client = subprocess.Popen(program + ['-c', '-v'], stdin=client_clear_far, stdout=client_tls_far, stderr=subprocess.PIPE)
server = subprocess.Popen(program + ['-s', '-C', certificate], stdin=server_tls_far, stdout=server_clear_far, stderr=subprocess.PIPE)
for far in (client_clear_far, client_tls_far, server_tls_far, server_clear_far):
    far.close()

result = {}
marker = b'this must never be seen on the encrypted side'

def carry(name, source, sink):
    first = b''
    seen = False
    tail = b''
    while True:
        data = source.recv(65536)
        if not data:
            break
        first = first or data[:1]
        seen = seen or marker in tail + data
        tail = data[-len(marker):]
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
    result[name] = {'first': first.hex(), 'seen': seen}

def send(name, sock):
    digest = hashlib.sha256()
    block = (marker + os.urandom(65536))[:65536]
    left = size
    while left > 0:
        piece = block[:left]
        digest.update(piece)
        sock.sendall(piece)
        left -= len(piece)
    if name == 'client':
        sock.shutdown(socket.SHUT_WR)
    result[name + ' sent'] = digest.hexdigest()

def receive(name, sock):
    digest = hashlib.sha256()
    while True:
        data = sock.recv(65536)
        if not data:
            break
        digest.update(data)
    result[name + ' received'] = digest.hexdigest()

def serve():
    # The server speaks after the client's end has come through: half-close.
    receive('server', server_clear)
    send('server', server_clear)
    server_clear.shutdown(socket.SHUT_WR)

threads = [
    threading.Thread(target=carry, args=('up', client_tls, server_tls)),
    threading.Thread(target=carry, args=('down', server_tls, client_tls)),
    threading.Thread(target=send, args=('client', client_clear)),
    threading.Thread(target=receive, args=('client', client_clear)),
    threading.Thread(target=serve),
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
result['codes'] = [client.wait(20), server.wait(20)]
result['said'] = client.stderr.read().decode() + server.stderr.read().decode()
print(json.dumps(result))
