"""Two ends of a socket prove to each other that they know a key, before a byte of data is believed.

    knocker -> answerer   MAGIC, rank, nonce
    answerer -> knocker   nonce, HMAC(key, "answer", all of the above)
    knocker -> answerer   HMAC(key, "knock", all of the above)

HMAC-SHA256 with fresh nonces on both sides; the role is part of what is signed, so that nothing can be echoed back.
This keeps strangers out. It does not hide or sign the traffic that follows: on a network that others can tap, run
Spark and its tasks in a private one. This module must not know what the sockets are for.
"""

import hashlib
import hmac
import secrets
import socket
import struct
import time

from sparkdl.dist.faults import Lost

MAGIC = b"sparkdl1"
_NONCE, _MAC = 32, 32
_HELLO = struct.Struct(f"!{len(MAGIC)}sI{_NONCE}s")


class Refused(Lost):
    """The other end does not know the key, or does not speak this language."""


def key_of(secret: bytes, run: str) -> bytes:
    """The key of one run of a fit: what is left over from an earlier attempt cannot join a later one."""
    return hmac.digest(secret, run.encode(), hashlib.sha256)


def knock(sock: socket.socket, key: bytes, rank: int, seconds: float) -> None:
    """The connecting side: say who we are, prove it, have the other end prove itself. Raises Refused."""
    deadline = time.monotonic() + seconds
    hello = _HELLO.pack(MAGIC, rank, secrets.token_bytes(_NONCE))
    sock.settimeout(seconds)
    sock.sendall(hello)
    answer = receive(sock, _NONCE + _MAC, deadline)
    nonce, mac = answer[:_NONCE], answer[_NONCE:]
    if not hmac.compare_digest(mac, _sign(key, b"answer", hello, nonce)):
        raise Refused("the other end of a connection does not know this fit's secret")
    sock.sendall(_sign(key, b"knock", hello, nonce))


def answer(sock: socket.socket, key: bytes, seconds: float) -> int:
    """The accepting side: returns the rank of who knocked. Raises Refused."""
    deadline = time.monotonic() + seconds
    hello = receive(sock, _HELLO.size, deadline)
    magic, rank, _ = _HELLO.unpack(hello)
    if magic != MAGIC:
        raise Refused("a stranger connected: no sparkdl greeting")
    nonce = secrets.token_bytes(_NONCE)
    sock.sendall(nonce + _sign(key, b"answer", hello, nonce))
    if not hmac.compare_digest(receive(sock, _MAC, deadline), _sign(key, b"knock", hello, nonce)):
        raise Refused("a connection was made without this fit's secret")
    return int(rank)


def receive(sock: socket.socket, size: int, deadline: float) -> bytes:
    """`size` bytes before `deadline` (of time.monotonic), however slowly they drip. Raises OSError otherwise."""
    parts: list[bytes] = []
    while size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        sock.settimeout(left)
        part = sock.recv(size)
        if not part:
            raise ConnectionResetError("the other end closed the connection")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _sign(key: bytes, role: bytes, hello: bytes, nonce: bytes) -> bytes:
    return hmac.digest(key, role + hello + nonce, hashlib.sha256)
