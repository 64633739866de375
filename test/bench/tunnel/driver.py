"""The measuring ends of the tunnel benchmark: the service behind the tunnel, an inetd, and the client with its clock.

A conversation is lines: `ping` is answered with `pong`; `get N` with N bytes; `put N` is followed by N bytes and answered
with `pong`; `both N` is followed by N bytes while N bytes come back. Results are one line of JSON; `ready` with the ids of the
programs at the client's end means that a line on standard input is waited for.
"""

import argparse
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

BLOCK = 256 * 1024
ZEROS = memoryview(bytes(BLOCK))


def exactly(connection, count):
    """Takes so many bytes and throws them away."""
    block = bytearray(BLOCK)
    while count > 0:
        got = connection.recv_into(block, min(count, BLOCK))
        if got == 0:
            raise SystemExit(f'the connection ended {count} bytes early')
        count -= got


def pour(connection, count):
    while count > 0:
        connection.sendall(ZEROS[: min(count, BLOCK)])
        count -= BLOCK


def line_of(connection):
    line = b''
    while not line.endswith(b'\n'):
        one = connection.recv(1)
        if not one:
            return line
        line += one
    return line


def ping(connection):
    connection.sendall(b'ping\n')
    if line_of(connection) != b'pong\n':
        raise SystemExit('no answer through the tunnel')


def converse(connection):
    """The service's side of one connection."""
    while words := line_of(connection).split():
        if words[0] == b'ping':
            connection.sendall(b'pong\n')
            continue
        count = int(words[1])
        sender = threading.Thread(target=pour, args=(connection, count))
        if words[0] != b'put':
            sender.start()
        if words[0] != b'get':
            exactly(connection, count)
        if words[0] != b'put':
            sender.join()
        else:
            connection.sendall(b'pong\n')


def serve(arguments, take):
    """Takes connections, each in a process of its own."""
    signal.signal(signal.SIGCHLD, lambda *_: reap())
    with socket.create_server((arguments.address, arguments.port), backlog=128) as listener:
        print('ready', flush=True)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                take(connection)
                os._exit(0)
            connection.close()


def reap():
    """Waits for all that have ended, so that their CPU time is counted."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def do_service(arguments):
    serve(arguments, converse)


def do_inetd(arguments):
    def become(connection):
        os.dup2(connection.fileno(), 0)
        os.dup2(connection.fileno(), 1)
        os.execv(arguments.argv[0], arguments.argv)

    serve(arguments, become)


class Tunnel:
    """The client's way in: a program that is handed a socket as its standard input and output, or a port."""

    def __init__(self, arguments):
        self.program = None
        if arguments.argv:
            self.connection, other = socket.socketpair()
            self.program = subprocess.Popen(arguments.argv, stdin=other, stdout=other)
            other.close()
        else:
            self.connection = socket.create_connection((arguments.address, arguments.port), timeout=60)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.connection.shutdown(socket.SHUT_WR)
        while self.connection.recv(BLOCK):
            pass
        self.connection.close()
        if self.program:
            self.program.wait()


def say_ready(tunnels):
    """Names the programs that were started, and waits for the word to go on."""
    print('ready', *(str(tunnel.program.pid) for tunnel in tunnels if tunnel.program), flush=True)
    sys.stdin.readline()


def on_open_tunnel(arguments, action):
    """Its time and CPU are those of the action: the tunnel is open before, and stays open until the result was looked at."""
    tunnel = Tunnel(arguments)
    ping(tunnel.connection)
    say_ready([tunnel])
    before = seconds_of(resource.RUSAGE_SELF)
    times = action(tunnel.connection)
    cpu = seconds_of(resource.RUSAGE_SELF) - before
    print(json.dumps({'times': times, 'cpu': cpu, 'programs': 0}), flush=True)
    sys.stdin.readline()
    tunnel.close()


def do_stream(arguments):
    def stream(connection):
        count = arguments.bytes
        start = time.perf_counter()
        connection.sendall(f'{arguments.way} {count}\n'.encode())
        sender = threading.Thread(target=pour, args=(connection, count))
        if arguments.way != 'get':
            sender.start()
        if arguments.way == 'put':
            line_of(connection)
        else:
            exactly(connection, count)
        if arguments.way != 'get':
            sender.join()
        return [time.perf_counter() - start]

    on_open_tunnel(arguments, stream)


def do_pings(arguments):
    def pings(connection):
        times = []
        for _ in range(arguments.count):
            start = time.perf_counter()
            ping(connection)
            times.append(time.perf_counter() - start)
        return times[len(times) // 20:]

    on_open_tunnel(arguments, pings)


def do_connects(arguments):
    times = []
    for _ in range(arguments.count):
        start = time.perf_counter()
        tunnel = Tunnel(arguments)
        ping(tunnel.connection)
        times.append(time.perf_counter() - start)
        tunnel.close()
    cpu, programs = (seconds_of(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({'times': times, 'cpu': cpu, 'programs': programs}))


def do_hold(arguments):
    """Holds open tunnels until it is told to go on."""
    tunnels = []
    for _ in range(arguments.count):
        tunnels.append(Tunnel(arguments))
        ping(tunnels[-1].connection)
    say_ready(tunnels)
    for tunnel in tunnels:
        ping(tunnel.connection)
        tunnel.close()


def parse():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    actions = {
        'service': do_service,
        'inetd': do_inetd,
        'stream': do_stream,
        'pings': do_pings,
        'connects': do_connects,
        'hold': do_hold,
    }
    for name, action in actions.items():
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument('--address', default='127.0.0.1')
        command.add_argument('--port', type=int, default=0)
        command.add_argument('--count', type=int, default=1)
        command.add_argument('--bytes', type=int, default=0)
        command.add_argument('--way', choices=['get', 'put', 'both'])
        command.add_argument('argv', nargs='*')
    return parser.parse_args()


def seconds_of(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


arguments = parse()
arguments.action(arguments)
