# Stands in for inetd and for systemd: takes one connection at 127.0.0.1 and hands it over the way each of them does.
#   inetd_parent.py inetd|nowait-systemd|listening-systemd|wait-inetd <program...>
import os, socket, sys

how, program = sys.argv[1], sys.argv[2:]
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(5)
print(listener.getsockname()[1], file=sys.stderr, flush=True)

def hand_over(sock, fds):
    for fd in fds:
        os.dup2(sock.fileno(), fd, inheritable=True)

def null(*fds):
    for fd in fds:
        os.dup2(os.open('/dev/null', os.O_RDWR), fd)

if how == 'inetd':
    hand_over(listener.accept()[0], (0, 1, 2))
elif how == 'wait-inetd':
    hand_over(listener, (0, 1, 2))
else:
    sock = listener if how == 'listening-systemd' else listener.accept()[0]
    if sock.fileno() == 3 or listener.fileno() == 3:
        sock = socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM)
    hand_over(sock, (3,))
    null(0, 1)
    os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execvp(program[0], program)
