"""The mean over ranks: right, the same bits on all of them, and never by halves."""

import socket
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl.base.errors import ClusterError
from sparkdl.dist.collective import Ring
from sparkdl.dist.door import Door
from sparkdl.dist.handshake import MAGIC
from tests.dist.gangs import SECRET, ranks, rings

LENGTHS = (0, 1, 2, 3, 5, 64, 1000, 100_003)


def vectors(size, length, seed=0):
    return np.random.default_rng(seed).standard_normal((size, length)).astype(np.float32)


def averaged(data, weights):
    def work(ring):
        mine = data[ring.rank].copy()
        ring.average(mine, weights[ring.rank])
        return mine

    return rings(len(data), work)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_mean_is_float64s_and_the_same_bits_everywhere(size, length):
    data, weights = vectors(size, length), [32.0, 7.0, 1.0, 100.0][:size]
    got = averaged(data, weights)
    expected = np.average(data.astype(np.float64), axis=0, weights=weights).astype(np.float32)
    assert all(np.array_equal(g, got[0]) for g in got)
    np.testing.assert_allclose(got[0], expected, rtol=1.2e-7, atol=1e-12)


@pytest.mark.parametrize("weights", [(0.0, 5.0, 0.0), (3.0, 0.0, 2.0), (0.0, 0.0, 0.0)])
def test_ranks_without_examples_take_the_mean_of_the_others(weights):
    data = vectors(3, 101)
    got = averaged(data, weights)
    if sum(weights):
        expected = np.average(data.astype(np.float64), axis=0, weights=weights).astype(np.float32)
        assert all(np.allclose(g, expected, rtol=1.2e-7, atol=1e-12) for g in got)
        assert all(np.array_equal(g, got[0]) for g in got)
    else:
        assert all(np.array_equal(g, d) for g, d in zip(got, data, strict=True))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 4), st.integers(0, 50), st.integers(0, 2**31), st.lists(st.integers(0, 1000), min_size=4, max_size=4)
)
def test_equal_vectors_stay_what_they_are(size, length, seed, weights):
    one = vectors(1, length, seed)[0]
    for got in averaged(np.stack([one] * size), list(map(float, weights))):
        assert np.array_equal(got, one)


def test_two_runs_have_the_same_bits():
    data = vectors(4, 1003)
    assert np.array_equal(averaged(data, [1.0, 2.0, 3.0, 4.0])[0], averaged(data, [1.0, 2.0, 3.0, 4.0])[0])


def test_share_brings_all_numbers_to_all():
    got = rings(3, lambda ring: ring.share([ring.rank, 0.1]))
    assert all(np.array_equal(g, [[0, 0.1], [1, 0.1], [2, 0.1]]) for g in got)


def test_many_rounds_larger_than_the_socket_buffers():
    def work(ring):
        mine = np.full(3_000_000, ring.rank, np.float32)
        for _ in range(3):
            ring.average(mine, 1.0)
        return float(mine[0]), float(mine[-1])

    assert rings(2, work) == [(0.5, 0.5)] * 2


def test_a_wrong_secret_is_refused():
    started = time.monotonic()
    with pytest.raises(ClusterError, match=r"secret|did not connect"):
        rings(2, lambda ring: ring.share([1.0]), timeout=1.0, secrets=(SECRET, b"x" * 32))
    assert time.monotonic() - started < 10


def test_a_peer_that_dies_makes_the_others_raise_at_once():
    raised = {}

    def work(ring):
        ring.share([0.0])
        if ring.rank == 1:
            return ring.close()
        started = time.monotonic()
        with pytest.raises(ClusterError, match="lost rank"):
            ring.average(np.zeros(100_000, np.float32), 1.0)
        raised[ring.rank] = time.monotonic() - started
        return ring.close()

    rings(3, work, timeout=30.0)
    assert set(raised) == {0, 2} and max(raised.values()) < 2.0


def test_a_peer_that_is_stuck_makes_the_others_raise_in_time():
    let_go = threading.Event()

    def work(ring):
        if ring.rank == 1:
            return let_go.wait(20)
        try:
            with pytest.raises(ClusterError, match=r"waited 0\.5 s for rank 1"):
                ring.share([1.0])
        finally:
            let_go.set()
        return True

    assert rings(2, work, timeout=0.5) == [True, True]


def test_strangers_do_not_keep_the_ranks_from_meeting():
    """One sends garbage, one nothing, one a byte at a time, one a greeting without a proof, one hangs up."""
    stop, strangers = threading.Event(), []

    def pester(port):
        made = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        strangers.extend(made)
        made[0].sendall(b"GET / HTTP/1.1\r\n" * 20)
        made[3].sendall(MAGIC + b"\0\0\0\1" + b"n" * 32)
        made[4].close()
        while not stop.wait(0.05):
            made[2].sendall(MAGIC[:1])

    def one(gang):
        door = Door(gang.host)
        threading.Thread(target=pester, args=(door.port,), daemon=True).start()
        time.sleep(0.3)
        ports = [int(p) for p in gang.gather(str(door.port))]
        ring = Ring(gang.rank, 2, 10.0).join(door, [("127.0.0.1", p) for p in ports], SECRET, "run")
        got = ring.share([gang.rank])
        ring.close()
        return got[:, 0].tolist()

    try:
        assert ranks(2, one) == [[0.0, 1.0]] * 2
    finally:
        stop.set()
        for sock in strangers:
            sock.close()


def test_a_rank_of_an_earlier_attempt_cannot_join():
    def one(gang):
        door = Door(gang.host)
        ports = [int(p) for p in gang.gather(str(door.port))]
        ring = Ring(gang.rank, 2, 1.0)
        try:
            ring.join(door, [("127.0.0.1", p) for p in ports], SECRET, f"attempt {gang.rank}")
        except ClusterError:
            return "refused"
        finally:
            ring.close()

    assert "refused" in ranks(2, one)
