"""A listening socket that lets in only who knows the key, and the way to knock on one.

Anybody may connect to an open port: port scanners, clients that send nothing, clients that drip a byte a minute. Each
is greeted in its own thread with its own deadline, so that none of them keeps a real peer waiting.
"""

import logging
import queue
import socket
import threading
import time
from collections.abc import Callable

from sparkdl.dist.faults import Lost
from sparkdl.dist.handshake import Refused, answer, knock

GREETING = 5.0  # seconds that a stranger has to prove itself
GREETED = 64  # strangers greeted at a time; more are turned away and may try again
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 6}  # a host that vanished is noticed in 40 s
log = logging.getLogger(__name__)


class Door:
    """A port on `host`; `admit` starts to let in. Close it when everybody is in."""

    def __init__(self, host: str) -> None:
        self._sock = _listen(host)
        self._slots = threading.Semaphore(GREETED)
        self._open = True

    @property
    def port(self) -> int:
        """The port that was free."""
        return int(self._sock.getsockname()[1])

    def admit(self, key: bytes, welcome: Callable[[socket.socket, int], None]) -> None:
        """From now on call `welcome(socket, rank)`, in a thread of its own, for each that proves to know the key."""
        threading.Thread(target=self._accept, args=(key, welcome), daemon=True, name="sparkdl-door").start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._open = False
        self._sock.close()

    def _accept(self, key: bytes, welcome: Callable[[socket.socket, int], None]) -> None:
        while self._open:
            try:
                sock, _ = self._sock.accept()
            except TimeoutError:
                continue
            except OSError:  # closed
                return
            if self._slots.acquire(blocking=False):
                threading.Thread(target=self._greet, args=(sock, key, welcome), daemon=True).start()
            else:
                sock.close()

    def _greet(self, sock: socket.socket, key: bytes, welcome: Callable[[socket.socket, int], None]) -> None:
        try:
            rank = answer(sock, key, GREETING)
        except (OSError, Refused) as error:
            log.warning("turned away a connection: %s", error)
            sock.close()
            return
        finally:
            self._slots.release()
        if self._open:
            welcome(tuned(sock), rank)
        else:
            sock.close()


def visit(address: tuple[str, int], key: bytes, rank: int, seconds: float) -> socket.socket:
    """Connect to a door and prove ourselves, trying again until `seconds` have passed. Raises Lost."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _try(address, key, rank, min(seconds, GREETING))
        except OSError as error:
            if time.monotonic() > deadline:
                where = f"{address[0]}:{address[1]}"
                raise Lost(f"no connection to {where} within {seconds:g} s: {error}") from None
            time.sleep(0.05)


def first(seconds: float, waited: "queue.SimpleQueue[socket.socket]", what: str) -> socket.socket:
    """The first that came in. Raises Lost when nobody does."""
    try:
        return waited.get(timeout=seconds)
    except queue.Empty:
        raise Lost(f"{what} did not connect within {seconds:g} s") from None


def tuned(sock: socket.socket) -> socket.socket:
    """Send at once, and notice a host that vanished without a word."""
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return sock


def _try(address: tuple[str, int], key: bytes, rank: int, seconds: float) -> socket.socket:
    sock = socket.create_connection(address, seconds)
    try:
        knock(sock, key, rank, seconds)
    except BaseException:
        sock.close()
        raise
    return tuned(sock)


def _listen(host: str) -> socket.socket:
    """A free port on `host`; on every interface where this machine does not carry that address itself."""
    try:
        sock = socket.create_server((host, 0), backlog=128)
    except OSError:
        sock = socket.create_server(("", 0), backlog=128)
    sock.settimeout(0.2)
    return sock
