"""The measuring client of the benchmark: does one piece of work and prints what it took as one line of JSON.

Runs on a lab host as an ordinary user. The clock runs here, beside the work, so that starting a program in another
namespace is in no number. Every failure is a non-zero exit code with the reason on standard error.
"""

import argparse
import ftplib
import json
import os
import resource
import socket
import ssl
import subprocess
import sys
import time


class ReusingFTPS(ftplib.FTP_TLS):
    """Data connections resume the control connection's TLS session, as strict servers demand."""

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size


class WrappedFTP(ftplib.FTP):
    """FTP that knows nothing of TLS, inside TLS from the first byte on, control and data connections alike."""

    def __init__(self, context):
        super().__init__(timeout=60)
        self.context = context

    def connect(self, host, port):
        raw = socket.create_connection((host, port), self.timeout)
        self.host, self.af = host, raw.family
        self.sock = self.context.wrap_socket(raw)
        self.file = self.sock.makefile('r', encoding=self.encoding)
        self.welcome = self.getresp()

    def ntransfercmd(self, cmd, rest=None):
        """The handshake comes before the command: only then does the wrapper connect to the server, whose 150 waits for that."""
        host, port = self.makepasv()
        conn = self.context.wrap_socket(socket.create_connection((host, port), self.timeout))
        if not self.sendcmd(cmd).startswith('1'):
            raise SystemExit(f'{cmd} was not begun')
        return conn, None


def unverified():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def open_session(arguments):
    makers = {
        'none': lambda: ftplib.FTP(timeout=60),
        'explicit': lambda: ReusingFTPS(timeout=60, context=unverified()),
        'wrapped': lambda: WrappedFTP(unverified()),
    }
    session = makers[arguments.protection]()
    session.connect(arguments.address, arguments.port)
    session.login(arguments.user, arguments.password)
    if arguments.protection == 'explicit':
        session.prot_p()
    return session


def timed(action, count):
    """The seconds that each of `count` calls took."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return times


def login(arguments):
    session = open_session(arguments)
    session.pwd()
    session.quit()


def first_listing(arguments):
    session = open_session(arguments)
    lines = []
    session.retrlines('LIST small', lines.append)
    if not lines:
        raise SystemExit('the listing was empty')
    return session


def do_logins(arguments):
    return {'times': timed(lambda: login(arguments), arguments.count)}


def do_listings(arguments):
    times = []
    for _ in range(arguments.count):
        start = time.perf_counter()
        session = first_listing(arguments)
        times.append(time.perf_counter() - start)
        session.quit()
    return {'times': times}


def do_entries(arguments):
    """Sessions one after the other, timed from the connection to the reply to PASS."""
    times = []
    for _ in range(arguments.count):
        start = time.perf_counter()
        session = open_session(arguments)
        times.append(time.perf_counter() - start)
        session.quit()
    return {'times': times}


def greeting(arguments):
    with socket.create_connection((arguments.address, arguments.port), timeout=60) as connection:
        if not connection.recv(3).startswith(b'220'):
            raise SystemExit('no greeting')


def do_greetings(arguments):
    return {'times': timed(lambda: greeting(arguments), arguments.count)}


def do_noops(arguments):
    session = open_session(arguments)
    timed(lambda: session.voidcmd('NOOP'), min(20, arguments.count))
    times = timed(lambda: session.voidcmd('NOOP'), arguments.count)
    session.quit()
    return {'times': times}


def do_idle(arguments):
    """Holds open sessions from the line `ready` until standard input ends."""
    sessions = []
    for _ in range(arguments.count):
        session = open_session(arguments)
        session.pwd()
        sessions.append(session)
    print('ready', flush=True)
    sys.stdin.read()
    for session in sessions:
        session.voidcmd('NOOP')
        session.quit()
    return {'times': []}


BLOCK = 256 * 1024


def fetch(session, name, rest=None):
    """Fetches a file, or what is behind its first bytes, and throws it away; returns the size."""
    size = 0
    block = bytearray(BLOCK)
    connection, _ = session.ntransfercmd('RETR ' + name, rest)
    with connection:
        while count := connection.recv_into(block):
            size += count
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
    session.voidresp()
    return size


def store(session, name, path, skipped=0):
    """Stores a local file, or what is behind its first bytes; returns the size."""
    size = 0
    connection, _ = session.ntransfercmd('STOR ' + name)
    with connection, open(path, 'rb', buffering=0) as file:
        file.seek(skipped)
        while block := file.read(BLOCK):
            connection.sendall(block)
            size += len(block)
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()
    session.voidresp()
    return size


def do_bulk(arguments):
    """One file, timed from the transfer command to the last reply. With `--local` it is stored, else fetched."""
    session = open_session(arguments)
    session.voidcmd('TYPE I')
    start = time.perf_counter()
    if arguments.local:
        size = store(session, arguments.remote, arguments.local)
    else:
        size = fetch(session, arguments.remote)
    seconds = time.perf_counter() - start
    session.quit()
    return {'times': [seconds], 'bytes': size}


def fetch_all(arguments):
    """One session that fetches the small files one after the other; returns their bytes."""
    session = open_session(arguments)
    session.voidcmd('TYPE I')
    size = sum(fetch(session, f'small/f{index:04}.bin') for index in range(arguments.count))
    session.quit()
    return size


def do_files(arguments):
    """Sessions side by side, each a process of its own, each with all the files."""
    start = time.perf_counter()
    results = [fetch_in_child(arguments) for _ in range(arguments.sessions)]
    moved = sum(int(result.read() or 0) for result in results)
    codes = [os.wait()[1] for _ in results]
    seconds = time.perf_counter() - start
    if any(codes):
        raise SystemExit(f'sessions ended with {codes}')
    return {'times': [seconds], 'bytes': moved}


def fetch_in_child(arguments):
    """The open end of a pipe that will hold the number of bytes."""
    readable, writable = os.pipe()
    if os.fork() == 0:
        os.close(readable)
        os.write(writable, str(fetch_all(arguments)).encode())
        os._exit(0)
    os.close(writable)
    return open(readable)


def do_streams(arguments):
    """Sessions side by side, each with one transfer of all but the first `--skip` bytes of the file, timed from when all have logged in.

    Says `ready` then, and begins when standard input ends.
    """
    gate = os.pipe()
    streams = [start_stream(arguments, index, gate) for index in range(arguments.sessions)]
    os.close(gate[0])
    for stream in streams:
        if stream.readline() != 'ready\n':
            raise SystemExit('a session did not come up')
    print('ready', flush=True)
    sys.stdin.read()
    start = time.perf_counter()
    os.close(gate[1])
    moved = sum(int(stream.readline() or 0) for stream in streams)
    seconds = time.perf_counter() - start
    codes = [os.wait()[1] for _ in streams]
    if any(codes):
        raise SystemExit(f'sessions ended with {codes}')
    return {'times': [seconds], 'bytes': moved}


def start_stream(arguments, index, gate):
    """A process with a session that waits until the gate's last writer has gone. The open end of a pipe with what it says."""
    readable, writable = os.pipe()
    if os.fork() == 0:
        os.close(readable)
        os.close(gate[1])
        session = open_session(arguments)
        session.voidcmd('TYPE I')
        os.write(writable, b'ready\n')
        os.read(gate[0], 1)
        if arguments.local:
            size = store(session, f'{arguments.remote}-{index}', arguments.local, arguments.skip)
        else:
            size = fetch(session, arguments.remote, arguments.skip)
        os.write(writable, f'{size}\n'.encode())
        session.quit()
        os._exit(0)
    os.close(writable)
    return open(readable)


def do_curl(arguments):
    """One transfer with curl. The time is that from the transfer command to the last reply."""
    child = subprocess.run(['curl', '-q', '--config', arguments.file], stdout=subprocess.PIPE, text=True)
    if child.returncode != 0:
        raise SystemExit(f'curl ended with {child.returncode}')
    down, up, total, before = child.stdout.split()
    return {'times': [float(total) - float(before)], 'bytes': int(down) + int(up)}


def connect_once(address, port):
    with socket.create_connection((address, port), timeout=10) as connection:
        if connection.recv(1) != b'.':
            raise SystemExit('the acceptor did not answer')
        connection.recv(1)


def do_connect(arguments):
    return {'times': timed(lambda: connect_once(arguments.address, arguments.port), arguments.count)}


def do_accept(arguments):
    """Answers every connection with one byte and closes it first, so that the client's host keeps no port busy."""
    with socket.create_server((arguments.address, arguments.port), backlog=512) as listener:
        print('ready', flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b'.')


def parse():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    sessions = {
        'logins': do_logins,
        'greetings': do_greetings,
        'listings': do_listings,
        'noops': do_noops,
        'idle': do_idle,
        'files': do_files,
        'bulk': do_bulk,
        'streams': do_streams,
        'entries': do_entries,
    }
    for name, action in sessions.items():
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        for option in ['--address', '--user', '--password']:
            command.add_argument(option, required=True)
        command.add_argument('--port', type=int, default=21)
        command.add_argument('--protection', choices=['none', 'explicit', 'wrapped'], default='none')
        command.add_argument('--count', type=int, required=True)
        command.add_argument('--sessions', type=int, default=1)
        command.add_argument('--remote')
        command.add_argument('--local')
        command.add_argument('--skip', type=int, default=0)
    curl = commands.add_parser('curl')
    curl.set_defaults(action=do_curl)
    curl.add_argument('file')
    for name, action in [('connect', do_connect), ('accept', do_accept)]:
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument('--address', required=True)
        command.add_argument('--port', type=int, required=True)
        command.add_argument('--count', type=int, default=1)
    return parser.parse_args()


def cpu_seconds():
    """What this client and the programs that it ran and waited for have used."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def main():
    arguments = parse()
    before = cpu_seconds()
    result = arguments.action(arguments)
    result['cpu'] = cpu_seconds() - before
    print(json.dumps(result))


main()
