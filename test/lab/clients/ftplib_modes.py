"""Python's ftplib, without TLS, made to use the commands of the wanted mode instead of those of the address family."""

import ftplib
import socket


class ModeClient(ftplib.FTP):
    """`extended`: EPSV and EPRT, else PASV and PORT."""

    def __init__(self, extended, **options):
        self.extended = extended
        super().__init__(**options)

    def makepasv(self):
        if not self.extended:
            return super().makepasv()
        return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())

    def makeport(self):
        listener = socket.create_server(("", 0), family=self.af, backlog=1)
        host, port = self.sock.getsockname()[0], listener.getsockname()[1]
        (self.sendeprt if self.extended else self.sendport)(host, port)
        listener.settimeout(self.timeout)
        return listener
