# A service at port 21 that is no FTP server, or an odd one. One argument: how it behaves, as JSON. Every line that it hears
# goes to standard output with the number of the connection.
import json
import socketserver
import socket
import sys

how = json.loads(sys.argv[1])
count = iter(range(1, 1 << 30))


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        number = next(count)
        self.wfile.write(how.get("banner", "").encode("latin-1"))
        while line := self.rfile.readline(65536):
            print(number, line.decode("latin-1").rstrip("\r\n"), flush=True)
            verb = line.decode("latin-1").split(" ")[0].strip().upper()
            if verb in how.get("hangUpOn", []):
                return
            answer = how.get("answers", {}).get(verb, how.get("otherwise"))
            # Without an answer it is an echo.
            self.wfile.write(line if answer is None else answer.encode("latin-1"))


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6 if ":" in how["address"] else socket.AF_INET
    allow_reuse_address = True
    daemon_threads = True


Server((how["address"], how.get("port", 21)), Handler).serve_forever()
