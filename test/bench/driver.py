"""The measuring client of the benchmark: does one piece of work and prints what it took as one line of JSON.

Runs on a lab host as an ordinary user. The clock runs here, beside the work, so that starting a program in another
namespace is in no number. Every failure is a non-zero exit code with the reason on standard error.
"""

import argparse
import ftplib
import json
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


def open_session(arguments):
    if not arguments.tls:
        session = ftplib.FTP(arguments.address, timeout=60)
        session.login(arguments.user, arguments.password)
        return session
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    session = ReusingFTPS(arguments.address, timeout=60, context=context)
    session.login(arguments.user, arguments.password)
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


def do_curl(arguments):
    """Runs one curl for each configuration file, all at the same time."""
    start = time.perf_counter()
    children = [
        subprocess.Popen(['curl', '-q', '--config', file], stdout=subprocess.PIPE, text=True)
        for file in arguments.files
    ]
    outputs = [child.communicate()[0] for child in children]
    seconds = time.perf_counter() - start
    codes = [child.returncode for child in children]
    if any(codes):
        raise SystemExit(f'curl ended with {codes}')
    moved = sum(int(number) for output in outputs for number in output.split())
    return {'times': [seconds], 'bytes': moved}


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
    for name, action in [('logins', do_logins), ('listings', do_listings), ('noops', do_noops), ('idle', do_idle)]:
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        for option in ['--address', '--user', '--password']:
            command.add_argument(option, required=True)
        command.add_argument('--tls', action='store_true')
        command.add_argument('--count', type=int, required=True)
    curl = commands.add_parser('curl')
    curl.set_defaults(action=do_curl)
    curl.add_argument('files', nargs='+')
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
