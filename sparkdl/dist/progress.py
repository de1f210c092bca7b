"""News from rank 0 to the driver while the job runs: JSON lines over a socket that asks for the fit's secret.

Spark itself tells the driver nothing before the tasks end. News are a comfort: where the driver cannot be reached,
training goes on without, and says so once.
"""

import contextlib
import json
import logging
import socket
from collections.abc import Callable
from typing import Any

from sparkdl.dist.door import Door, visit
from sparkdl.dist.faults import Lost
from sparkdl.dist.handshake import key_of

LINE = 1 << 16  # bytes of the longest line that is read
PATIENCE = 5.0  # seconds to reach the driver
Tell = Callable[[dict[str, Any]], None]
log = logging.getLogger(__name__)


class Board:
    """The driver's end. Calls `tell(news)` in a thread of its own for each line."""

    def __init__(self, host: str, secret: bytes, tell: Tell) -> None:
        self._tell = tell
        self._socks: list[socket.socket] = []
        self._door = Door(host)
        self.address = (host, self._door.port)
        self._door.admit(key_of(secret, "progress"), self._listen)

    def close(self) -> None:
        """Hear no more."""
        self._door.close()
        for sock in self._socks:
            with contextlib.suppress(OSError):  # hung up already
                sock.shutdown(socket.SHUT_RDWR)  # the thread that reads lines wakes up and closes it

    def _listen(self, sock: socket.socket, rank: int) -> None:
        self._socks.append(sock)
        try:
            with sock, sock.makefile("rb") as lines:
                while line := lines.readline(LINE):
                    self._tell(json.loads(line))
        except (OSError, ValueError):
            return  # the rank or the board went away
        except Exception:
            log.exception("the progress callback failed; no more news of this run")


class Reporter:
    """The rank's end. `tell` never raises and never waits long."""

    def __init__(self, address: tuple[str, int] | None, secret: bytes) -> None:
        self._sock = self._reach(address, secret) if address else None

    def tell(self, news: dict[str, Any]) -> None:
        """Send news, if anybody listens."""
        if self._sock is not None:
            try:
                self._sock.sendall(json.dumps(news).encode() + b"\n")
            except OSError as error:
                log.warning("the driver hears no progress from here on: %s", error)
                self.close()

    def close(self) -> None:
        """Hang up."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _reach(self, address: tuple[str, int], secret: bytes) -> socket.socket | None:
        try:
            sock = visit(address, key_of(secret, "progress"), 0, PATIENCE)
        except Lost as error:
            log.warning("the driver will hear no progress: %s", error)
            return None
        sock.settimeout(PATIENCE)
        return sock
