"""A mail server for the tests: it takes letters on a loopback port, keeps them, and says no where it is told to."""

import contextlib
import email
import email.policy
import socket
import threading
from collections import Counter


class Sink:
    """Keeps what it took in ``letters`` as (addressees, bytes).

    ``answers`` maps a stage («hello», «mail», «rcpt», «data», «body», or «rcpt:» with an address) to what is said
    there instead of yes: a reply; «drop» to hang up; or a function that answers with one of these, or None for yes.
    """

    def __init__(self, **answers):
        self.answers = answers
        self.letters = []
        self.connections = 0
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self._listening.getsockname()[1]
        self._open = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()

    def close(self):
        """As a server that is switched off: nobody can connect, and nobody stays connected."""
        self._listening.shutdown(socket.SHUT_RDWR)  # a close alone leaves the port open while somebody accepts
        self._listening.close()
        with self._lock:
            for talk in self._open:
                with contextlib.suppress(OSError):
                    talk.shutdown(socket.SHUT_RDWR)

    @property
    def message_ids(self):
        """How often each Message-ID came in."""
        return Counter(letter["Message-ID"] for _, letter in self.read())

    @property
    def recipients(self):
        with self._lock:
            return [list(recipients) for recipients, _ in self.letters]

    def read(self):
        """Every letter, parsed as a mail program would."""
        with self._lock:
            return [(to, email.message_from_bytes(raw, policy=email.policy.default)) for to, raw in self.letters]

    def _listen(self):
        while True:
            try:
                talk, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(talk)
            threading.Thread(target=self._talk, args=(talk,), daemon=True).start()

    def _talk(self, talk):
        lines = talk.makefile("rb")
        try:
            self._say(talk, "hello", "220 sink")
            recipients = []
            for line in lines:
                verb, _, rest = line.strip().decode().partition(" ")
                verb = verb.upper()
                if verb == "EHLO":
                    talk.sendall(b"250-sink\r\n250 SIZE 10000000\r\n")
                elif verb == "RCPT":
                    address = rest.partition("<")[2].partition(">")[0]
                    if self._say(talk, f"rcpt:{address}" if f"rcpt:{address}" in self.answers else "rcpt", "250 ok"):
                        recipients.append(address)
                elif verb == "DATA" and self._say(talk, "data", "354 go on"):
                    self._take(talk, lines, recipients)
                    recipients = []
                elif verb == "QUIT":
                    talk.sendall(b"221 bye\r\n")
                    break
                elif verb == "RSET":
                    recipients = []
                    talk.sendall(b"250 ok\r\n")
                elif verb == "MAIL":
                    self._say(talk, "mail", "250 ok")
        except (OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(talk)
            lines.close()
            talk.close()

    def _take(self, talk, lines, recipients):
        body = []
        for line in lines:
            if line == b".\r\n":
                break
            body.append(line[1:] if line.startswith(b".") else line)
        else:
            return  # hung up in the middle: no letter
        answer = self._answer("body")
        if answer in (None, "drop"):
            with self._lock:
                self.letters.append((list(recipients), b"".join(body).replace(b"\r\n", b"\n")))
        self._give(talk, answer or "250 queued")

    def _answer(self, stage):
        answer = self.answers.get(stage)
        return answer() if callable(answer) else answer

    def _say(self, talk, stage, yes):
        """Answer a stage; true where the answer is yes."""
        answer = self._answer(stage) or yes
        self._give(talk, answer)
        return answer[0] in "23"

    def _give(self, talk, answer):
        if answer == "drop":
            raise OSError("hangs up")
        talk.sendall(f"{answer}\r\n".encode())
