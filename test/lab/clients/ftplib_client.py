# The work list with Python's ftplib, without TLS. One argument: the task as JSON. Prints `@@operation` before each.
import ftplib
import io
import json
import os
import sys
import traceback

from ftplib_modes import ModeClient

task = json.loads(sys.argv[1])
os.chdir(task["folder"])


def save(name, command, rest=None, mode="wb"):
    with open(name, mode) as file:
        ftp.retrbinary(command, file.write, rest=rest)


def store(name, command):
    with open(name, "rb") as file:
        ftp.storbinary(command, file)


def abort():
    connection = ftp.transfercmd("RETR long.bin")
    with open("aborted.bin", "wb") as file:
        while file.tell() < 1000000:
            file.write(connection.recv(65536))
    connection.close()
    # Not ftp.abort(): its urgent last byte is the line's end, and ProFTPD loses that. After the transfer's own 426
    # the reply to ABOR is still to come; after a 226 nobody knows whose it was.
    ftp.putcmd("ABOR")
    first = ftp.getmultiline()
    print(first)
    ftp.sock.settimeout(30 if first.startswith("426") else 1)
    try:
        print(ftp.getmultiline())
    except TimeoutError:
        ftp.file = ftp.sock.makefile("r", encoding=ftp.encoding)
    ftp.sock.settimeout(30)
    save("after-abort.bin", "RETR hello.bin")


def failed_retr():
    try:
        ftp.retrbinary("RETR missing.bin", io.BytesIO().write)
    except ftplib.error_perm as error:
        print(error)


def many():
    for number in range(1, 201):
        store("many/up-%03d" % number, "STOR many/up-%03d" % number)
    for number in range(1, 201):
        save("many/down-%03d" % number, "RETR many/down-%03d" % number)


def empty():
    store("empty-up", "STOR empty-up")
    save("empty-down", "RETR empty-down")


def huge():
    save("huge.down", "RETR huge.bin")
    store("huge.local", "STOR huge.up")


work = {
    "list": lambda: ftp.retrlines("LIST"),
    "nlst": lambda: ftp.retrlines("NLST"),
    "mlsd": lambda: print(*ftp.mlsd(), sep="\n"),
    "get": lambda: save("got.bin", "RETR hello.bin"),
    "put": lambda: store("hello.bin", "STOR put.bin"),
    "append": lambda: store("tail.bin", "APPE append.bin"),
    "restart": lambda: save("restart.bin", "RETR hello.bin", rest=30000, mode="ab"),
    "rename": lambda: ftp.rename("rename-me", "renamed"),
    "delete": lambda: ftp.delete("delete-me"),
    "mkdir": lambda: ftp.mkd("new-dir"),
    "empty": empty,
    "failed-retr": failed_retr,
    "abort": abort,
    "many": many,
    "huge": huge,
}

ftp = ModeClient(task["extended"], timeout=30)
ftp.connect(task["address"], 21)
print(ftp.getwelcome())
ftp.login(task["user"], task["password"])
ftp.set_pasv(not task["active"])
ftp.cwd(task["remote"])
for name in task["work"]:
    print("@@" + name, flush=True)
    try:
        work[name]()
        print("ok")
    except Exception:
        traceback.print_exc(file=sys.stdout)
print("@@end")
ftp.quit()
