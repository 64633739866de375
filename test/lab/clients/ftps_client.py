# FTPS with Python's ftplib. One argument: the task as JSON. Prints `@@step` before each step, and `ok` when it worked.
import ftplib
import io
import json
import os
import socket
import ssl
import sys
import traceback

task = json.loads(sys.argv[1])
os.chdir(task["folder"])
context = ssl.create_default_context(cafile=task.get("authorities"))
context.check_hostname = False
if "authorities" not in task:
    context.verify_mode = ssl.CERT_NONE
if "certificate" in task:
    context.load_cert_chain(task["certificate"])
if task.get("version") == 2:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
if task.get("version") == 3:
    context.minimum_version = ssl.TLSVersion.TLSv1_3


class Client(ftplib.FTP_TLS):
    """ftplib with any AUTH word, implicit TLS, a mode of one's choice, and data connections that resume the session."""

    def connect_as_told(self):
        port = 990 if task["word"] == "implicit" else 21
        self.timeout = 30
        self.sock = socket.create_connection((task["address"], port), 30)
        self.af = self.sock.family
        self.host = task["address"]
        if task["word"] == "implicit":
            self.sock = context.wrap_socket(self.sock)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        if task["word"] in ("implicit", "none"):
            return
        self.voidcmd("AUTH " + task["word"])
        self.sock = context.wrap_socket(self.sock)
        self.file = self.sock.makefile("r", encoding=self.encoding)

    def makepasv(self):
        if not task["extended"]:
            return super().makepasv()
        return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())

    def ntransfercmd(self, command, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, command, rest)
        if not task["private"]:
            return connection, size
        session = self.sock.session if task["reuse"] else None
        return context.wrap_socket(connection, session=session), size


def save(name, command, rest=None):
    with open(name, "wb") as file:
        ftp.retrbinary(command, file.write, rest=rest)


def store(name, command):
    with open(name, "rb") as file:
        ftp.storbinary(command, file)


def abort():
    ftp.voidcmd("TYPE I")
    connection = ftp.transfercmd("RETR long.bin")
    with open("aborted.bin", "wb") as file:
        while file.tell() < 1000000:
            file.write(connection.recv(65536))
    ftp.putcmd("ABOR")
    connection.close()
    first = ftp.getmultiline()
    print(first)
    ftp.sock.settimeout(30 if first.startswith("426") else 1)
    try:
        print(ftp.getmultiline())
    except TimeoutError:
        ftp.file = ftp.sock.makefile("r", encoding=ftp.encoding)
    ftp.sock.settimeout(30)
    save("after-abort.bin", "RETR hello.bin")


def say(lines):
    for line in lines:
        try:
            print(ftp.sendcmd(line))
        except ftplib.Error as error:
            print(error)


def cut():
    """An upload whose end is not announced: TCP ends, TLS does not."""
    ftp.voidcmd("TYPE I")
    connection = ftp.transfercmd("STOR cut.bin")
    connection.sendall(b"x" * 100000)
    raw = socket.socket(fileno=connection.detach())
    raw.shutdown(socket.SHUT_WR)
    print(ftp.getmultiline())
    raw.close()


def take(session):
    """A data connection with another session than its control connection's, or with none."""
    connection, _ = ftplib.FTP.ntransfercmd(ftp, "RETR hello.bin")
    try:
        connection = context.wrap_socket(connection, session=session)
        print("reused:", connection.session_reused, "bytes:", len(connection.recv(100)))
    except OSError as error:
        print("refused:", error)
    connection.close()
    print(ftp.getmultiline())


def foreign():
    other = Client(context=context)
    other.connect_as_told()
    ftplib.FTP.login(other, task["user"], task["password"])
    take(other.sock.session)
    other.close()


def crowd():
    """Many idle encrypted control connections; stays until its input ends."""
    held = []
    for _ in range(task["count"]):
        one = Client(context=context)
        one.connect_as_told()
        held.append(one)
    print("held", len(held), flush=True)
    sys.stdin.read()


def wait():
    """Until a line comes in."""
    print("waiting", flush=True)
    sys.stdin.readline()


steps = {
    "foreign": foreign,
    "unproven": lambda: take(None),
    "crowd": crowd,
    "wait": wait,
    "list": lambda: ftp.retrlines("LIST"),
    "nlst": lambda: ftp.retrlines("NLST"),
    "get": lambda: save("got.bin", "RETR hello.bin"),
    "put": lambda: store("hello.local", "STOR put.bin"),
    "empty": lambda: (store("empty.local", "STOR empty.up"), save("empty.down", "RETR empty.bin")),
    "large": lambda: (save("large.down", "RETR large.bin"), store("large.local", "STOR large.up")),
    "many": lambda: [save("got.bin", "RETR hello.bin") for _ in range(50)],
    "missing": lambda: print(missing()),
    "abort": abort,
    "cut": cut,
}


def missing():
    try:
        ftp.retrbinary("RETR missing.bin", io.BytesIO().write)
    except ftplib.error_perm as error:
        return error


try:
    ftp = Client(context=context)
    ftp.connect_as_told()
    print(ftp.welcome)
    if "before" in task:
        say(task["before"])
    if not task.get("nologin"):
        ftplib.FTP.login(ftp, task["user"], task["password"])
        if task.get("prot"):
            say(["PBSZ 0", "PROT " + task["prot"]])
        ftp.set_pasv(not task["active"])
        if task.get("remote"):
            ftp.cwd(task["remote"])
    for name in task["steps"]:
        print("@@" + name, flush=True)
        try:
            if name.startswith("say "):
                say([name[4:]])
            else:
                steps[name]()
            print("ok")
        except Exception:
            traceback.print_exc(file=sys.stdout)
    print("@@end")
    ftp.close()
except Exception:
    traceback.print_exc(file=sys.stdout)
