"""Whether all processes of a run are still there.

In: this process's place among them. Out: if one is lost, one message, and the end of the others.

An operation of all processes raises somewhere in C++ if one was killed, and waits for one that is stopped; neither says
which one it was. Hence connections of our own, from each process to the first: the system closes them when a process
ends, however it ends, and over them each process says every second that it is there.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import selectors
import signal
import socket
import time
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from torch import distributed

from archspec.compiler.training.parallel.launch import PARENT
from archspec.compiler.training.parallel.lost import DONE, FAILED, KILLED, SILENT, LostProcess, is_speaker, tell

BEAT = 1.0  # seconds
GRACE = 2.0  # seconds in which a process may end by itself, with its own message
CONNECTING = 10.0  # seconds
MOST = 4096  # bytes of an unfinished line
AT_ONCE = getattr(socket, "MSG_DONTWAIT", 0)
STATUS = 1


class Peer:
    """A connection; `rank` is unknown until the other side has shown the token."""

    def __init__(self, connection: socket.socket, rank: int | None) -> None:
        self.connection, self.rank = connection, rank
        self.buffer = b""
        self.silent = 0  # beats

    def say(self, line: str) -> None:
        """Send a line; what cannot be sent shows when reading."""
        with suppress(OSError):
            self.connection.sendall(f"{line}\n".encode())

    def lines(self) -> list[str] | None:
        """Return the lines that have come, or None at the end of the connection."""
        try:
            data = self.connection.recv(MOST, AT_ONCE)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data or len(self.buffer) > MOST:
            return None
        self.silent = 0
        *found, self.buffer = (self.buffer + data).split(b"\n")
        return [line.decode(errors="replace") for line in found]


class Watch:
    """A thread that watches the other processes: the first one all of them, the others the first."""

    def __init__(self, rank: int, size: int, patience: int) -> None:
        self.rank, self.size, self.patience = rank, size, patience
        self.folder = ""  # of the run, once it has one
        self._peers: dict[int, Peer] = {}  # by file number
        self._selector = selectors.DefaultSelector()
        self._left, self._has_lost = Event(), Event()
        self._waker, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._listener = self._listen() if rank == 0 else None
        said: list[Any] = [(self._listener.getsockname()[1] if self._listener else 0, secrets.token_hex(16))]
        distributed.broadcast_object_list(said)
        port, self._token = said[0]
        if rank and port:
            self._connect(port)
        self._parent = os.environ.get(PARENT, "") if os.name == "posix" else ""
        self._before = signal.signal(signal.SIGTERM, self._terminate)
        self._thread = Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    # ---- from the main thread
    def settle(self) -> None:
        """Return unless a process is lost; otherwise this one ends here."""
        if self._has_lost.wait(GRACE):
            time.sleep(2 * GRACE + BEAT)

    def leave(self, word: str) -> None:
        """Stop watching. `word` tells the others why: `done` or `failed`."""
        self._left.set()
        self._waker.send(b".")
        self._thread.join(GRACE)
        for peer in self._peers.values():
            peer.say(word)
            peer.connection.close()
        if self._listener is not None:
            self._listener.close()
        self._selector.close()
        self._waker.close()
        self._woken.close()
        signal.signal(signal.SIGTERM, self._before)

    def _terminate(self, number: int, _frame: Any) -> None:
        """End as by default, but not before the loss of a process is told: torchrun ends the others with SIGTERM."""
        if not self._has_lost.wait(BEAT):
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    # ---- connections
    def _listen(self) -> socket.socket | None:
        """Listen where the processes meet. Without a connection only the operations themselves show a loss."""
        with suppress(OSError):
            family, *_, address = socket.getaddrinfo(os.environ["MASTER_ADDR"], 0, type=socket.SOCK_STREAM)[0]
            listener = socket.create_server(address[:2], family=family, backlog=self.size)
            self._selector.register(listener, selectors.EVENT_READ)
            return listener
        return None

    def _connect(self, port: int) -> None:
        with suppress(OSError):
            connection = socket.create_connection((os.environ["MASTER_ADDR"], port), CONNECTING)
            self._add(connection, 0).say(f"{self._token} {self.rank}")

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            connection = listener.accept()[0]
            if len(self._peers) < 2 * self.size:
                self._add(connection, None)
            else:
                connection.close()

    def _add(self, connection: socket.socket, rank: int | None) -> Peer:
        connection.settimeout(BEAT)
        self._selector.register(connection, selectors.EVENT_READ)
        return self._peers.setdefault(connection.fileno(), Peer(connection, rank))

    def _drop(self, peer: Peer) -> None:
        self._peers.pop(peer.connection.fileno(), None)
        self._selector.unregister(peer.connection)
        peer.connection.close()

    # ---- in the thread
    def _run(self) -> None:
        beat = time.monotonic() + BEAT
        while not self._left.is_set():
            for key, _ in self._selector.select(max(0.0, beat - time.monotonic())):
                if key.fileobj is self._listener and self._listener is not None:
                    self._accept(self._listener)
                elif key.fd in self._peers:
                    self._read(self._peers[key.fd])
            if time.monotonic() >= beat:
                self._beat()
                beat = time.monotonic() + BEAT  # a process that was stopped itself blames nobody

    def _beat(self) -> None:
        if self._parent and str(os.getppid()) != self._parent:  # it was killed: stop, as it would have asked
            self._parent = ""
            os.kill(os.getpid(), signal.SIGTERM)
        for peer in [*self._peers.values()]:
            peer.silent += 1
            if peer.silent <= self.patience:
                peer.say(".")
            elif peer.rank is None:
                self._drop(peer)
            else:
                self._lose(LostProcess(peer.rank, SILENT))

    def _read(self, peer: Peer) -> None:
        lines = peer.lines()
        if lines is None:
            self._drop(peer)
            if peer.rank is not None:
                self._lose(LostProcess(peer.rank, KILLED))
            return
        for line in lines:
            if peer.rank is None:
                self._introduce(peer, line)
            elif line == DONE:
                self._drop(peer)
                return
            elif line == FAILED:
                self._lose(LostProcess(peer.rank, FAILED))
            elif line == "lost":  # the first process says what was lost
                self._end(None)

    def _introduce(self, peer: Peer, line: str) -> None:
        token, _, rank = line.partition(" ")
        if secrets.compare_digest(token.encode(), self._token.encode()) and rank.isdecimal():
            peer.rank = int(rank)
        else:
            with suppress(OSError):  # it may have gone by itself
                peer.connection.shutdown(socket.SHUT_RDWR)

    def _lose(self, loss: LostProcess) -> None:
        for peer in self._peers.values():
            if peer.rank not in (0, None, loss.rank):
                peer.say("lost")
        self._end(loss)

    def _end(self, loss: LostProcess | None) -> None:
        """End this process, unless it ends by itself; tell a loss that nobody else tells."""
        self._has_lost.set()
        if self._left.wait(GRACE):
            return
        if loss is not None and (self.rank == 0 or is_speaker(self._token, self.rank)):
            tell(loss, self.size, self.patience, self.folder)
            time.sleep(GRACE * (self.rank > 0))  # until the others have asked who speaks
        for child in multiprocessing.active_children():
            child.terminate()
        os._exit(STATUS)
