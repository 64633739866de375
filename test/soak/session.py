"""One session with Python's ftplib, without TLS: a list of things to do, in JSON. Exit code 0: all were done."""

import json
import sys
import time

from ftplib_modes import ModeClient

task = json.loads(sys.argv[1])


def slowly(data):
    if task["rate"]:
        time.sleep(len(data) / task["rate"])


def down(remote, local):
    with open(local, "wb") as file:
        ftp.retrbinary("RETR " + remote, lambda data: (file.write(data), slowly(data)), blocksize=65536)


def up(local, remote):
    with open(local, "rb") as file:
        ftp.storbinary("STOR " + remote, file, blocksize=65536, callback=slowly)


def names(remote, local):
    with open(local, "w") as file:
        ftp.retrlines("NLST " + remote, lambda line: print(line, file=file))


ftp = ModeClient(task["extended"], timeout=task["patience"])
ftp.connect(task["address"], 21)
ftp.login(task["user"], task["password"])
ftp.set_pasv(not task["active"])
for kind, one, other in task["work"]:
    {"down": down, "up": up, "names": names}[kind](one, other)
    print(kind, one, other, ftp.lastresp, flush=True)
ftp.quit()
