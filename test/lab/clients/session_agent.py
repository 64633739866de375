"""Plain FTP sessions in one process, told line by line what to do: for tests that kill things under a client.

Each line of standard input is a request in JSON with an id; each line of standard output the answer with that id.
Nothing here is retried: what happens to a socket is the answer (`refused`, `reset`, `closed`, `timeout`).
"""

import json
import re
import socket
import sys
import threading
import time

TIMEOUT = 60
PIECE = 65536

sessions = {}


class Session:
    def __init__(self, host, patience):
        self.control = socket.create_connection((host, 21), timeout=patience)
        self.unread = b""
        self.host = host
        self.passive = None
        self.data = None
        self.pause = 0.0
        self.moved = 0
        self.over = None

    def line(self):
        while b"\n" not in self.unread:
            piece = self.control.recv(PIECE)
            if not piece:
                raise EOFError
            self.unread += piece
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode("latin-1").rstrip("\r")

    def reply(self):
        line = self.line()
        if line[3:4] == "-":
            code = line[:3]
            while not line.startswith(code + " "):
                line = self.line()
        return line

    def say(self, text):
        self.control.sendall(text.encode() + b"\r\n")
        return self.reply()

    def find_passive(self):
        reply = self.say("EPSV" if ":" in self.host else "PASV")
        if reply.startswith("227"):
            numbers = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", reply).groups()
            self.passive = (".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5]))
        elif reply.startswith("229"):
            self.passive = (self.host, int(re.search(r"\|\|\|(\d+)\|", reply).group(1)))
        return reply

    def start(self, command, path, port):
        if self.passive is None:
            self.find_passive()
        passive, self.passive = self.passive, None
        self.data = socket.create_connection((passive[0], port or passive[1]), timeout=TIMEOUT)
        reply = self.say(command)
        self.moved, self.over = 0, None
        self.mover = threading.Thread(target=self.move, args=(path, command.startswith("STOR")), daemon=True)
        self.mover.start()
        return reply

    def move(self, path, upload):
        try:
            (self.send if upload else self.receive)(path)
            self.over = "end"
        except OSError as error:
            self.over = name_of(error)
        self.data.close()

    def receive(self, path):
        with open(path, "wb") as file:
            while True:
                piece = self.data.recv(PIECE)
                if not piece:
                    return
                file.write(piece)
                self.moved += len(piece)
                time.sleep(self.pause)

    def send(self, path):
        with open(path, "rb") as file:
            while True:
                piece = file.read(PIECE)
                if not piece:
                    return
                self.data.sendall(piece)
                self.moved += len(piece)
                time.sleep(self.pause)


def name_of(error):
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "timeout"
    return "closed" if isinstance(error, EOFError) else repr(error)


def attempt(action):
    try:
        return action()
    except (OSError, EOFError) as error:
        return name_of(error)


def open_one(host, login, patience):
    session = Session(host, patience)
    greeting = session.reply()
    if login and greeting.startswith("220"):
        greeting = session.say("USER " + login[0])
        if greeting.startswith("331"):
            greeting = session.say("PASS " + login[1])
    return session, greeting


def do_open(request):
    """Opens `count` sessions; with `login` the reply is the login's last, else the greeting."""
    opened, replies = [], []
    for _ in range(request.get("count", 1)):
        result = attempt(lambda: open_one(request["host"], request.get("login"), request.get("patience", TIMEOUT)))
        if isinstance(result, str):
            replies.append(result)
        else:
            opened.append(result[0])
            replies.append(result[1])
    sessions[request["name"]] = opened
    ports = [one.control.getsockname()[1] for one in opened]
    return {"replies": replies, "ports": ports}


def do_say(request):
    return {"replies": [attempt(lambda: one.say(request["text"])) for one in sessions[request["name"]]]}


def do_insist(request):
    """Writes lines without reading, as a program that has not noticed yet, until the socket refuses to take more."""
    one = sessions[request["name"]][0]
    sent = 0
    for _ in range(40):
        if isinstance(attempt(lambda: one.control.sendall(request["text"].encode() + b"\r\n")), str):
            break
        sent += 1
        time.sleep(0.02)
    return {"sent": sent}


def do_listen(request):
    """Waits for the next line that the server says by itself."""
    return {"replies": [attempt(sessions[request["name"]][0].reply)]}


def do_passive(request):
    return {"replies": [attempt(sessions[request["name"]][0].find_passive)]}


def do_start(request):
    one = sessions[request["name"]][0]
    one.pause = request.get("pause", 0.0)
    return {"replies": [attempt(lambda: one.start(request["command"], request["path"], request.get("port")))]}


def do_moved(request):
    return {"bytes": sessions[request["name"]][0].moved}


def do_hurry(request):
    """From now on without rests."""
    sessions[request["name"]][0].pause = 0.0
    return {}


def do_finish(request):
    """Waits for the end of the transfer; `data` is how the data connection ended, the reply what followed."""
    one = sessions[request["name"]][0]
    one.mover.join()
    return {"bytes": one.moved, "data": one.over, "replies": [attempt(one.reply)]}


def do_close(request):
    for one in sessions.pop(request["name"]):
        one.control.close()
    return {}


OPERATIONS = {name[3:]: operation for name, operation in list(globals().items()) if name.startswith("do_")}
output = threading.Lock()


def perform(request):
    try:
        answer = OPERATIONS[request["op"]](request)
    except Exception as error:  # the test shall read it, whatever it is
        answer = {"fault": repr(error)}
    with output:
        print(json.dumps({"id": request["id"], **answer}), flush=True)


for text in sys.stdin:
    threading.Thread(target=perform, args=(json.loads(text),), daemon=True).start()
