"""Random streams: the same numbers wherever, however and in whichever parts they are drawn."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import sparkdl
from sparkdl import nd
from sparkdl.base.rng import Key, philox
from sparkdl.kernels.threads import using
from sparkdl.nd import random
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.random import RandomBits, RandomExponential, RandomNormal, RandomUniform

KEY = random.key(42)
LOGITS = np.log(np.array([0.2, 0.3, 0.5]))
DRAWS: dict[str, Any] = {  # (key, n, start): whatever is drawn element by element
    "bits": lambda k, n, at: random.bits(k, n, start=at),
    "bits uint64": lambda k, n, at: random.bits(k, n, "uint64", start=at),
    "uniform": lambda k, n, at: random.uniform(k, n, start=at),
    "uniform float64": lambda k, n, at: random.uniform(k, n, "float64", -1.0, 3.0, start=at),
    "uniform float16": lambda k, n, at: random.uniform(k, n, "float16", start=at),
    "uniform bfloat16": lambda k, n, at: random.uniform(k, n, "bfloat16", start=at),
    "normal": lambda k, n, at: random.normal(k, n, "float32", 1.0, 2.0, start=at),
    "normal float64": lambda k, n, at: random.normal(k, n, "float64", start=at),
    "truncated_normal": lambda k, n, at: random.truncated_normal(k, n, start=at),
    "lognormal": lambda k, n, at: random.lognormal(k, n, start=at),
    "exponential": lambda k, n, at: random.exponential(k, n, start=at),
    "exponential float64": lambda k, n, at: random.exponential(k, n, "float64", start=at),
    "gumbel": lambda k, n, at: random.gumbel(k, n, start=at),
    "bernoulli": lambda k, n, at: random.bernoulli(k, 0.3, n, start=at),
    "dropout_mask": lambda k, n, at: random.dropout_mask(k, n, 0.3, start=at),
    "categorical": lambda k, n, at: random.categorical(k, LOGITS, shape=n, start=at),
    "randint": lambda k, n, at: random.randint(k, n, -3, 3_000_000_000, start=at),
    "randint wide": lambda k, n, at: random.randint(k, n, -(2**63), 2**62 + 1, start=at),
    "gamma": lambda k, n, at: random.gamma(k, 0.7, n, start=at),
    "beta": lambda k, n, at: random.beta(k, 0.7, 2.0, n, start=at),
    "poisson": lambda k, n, at: random.poisson(k, 3.0, n, start=at),
    "poisson many": lambda k, n, at: random.poisson(k, 30.0, n, start=at),
    "binomial": lambda k, n, at: random.binomial(k, 10, 0.3, n, start=at),
    "binomial many": lambda k, n, at: random.binomial(k, 100, 0.6, n, start=at),
    "choice": lambda k, n, at: random.choice(k, 7, n, p=np.arange(7.0), start=at),
}
TRACED = [name for name in DRAWS if name.split()[0] not in ("gamma", "beta", "poisson", "binomial", "choice")]
named = pytest.mark.parametrize("name", DRAWS)
GOLDEN = {
    "bits": [1540420383, 2301912082, 3421385576, 4224523945],
    "bits uint64": [9886637111997690655, 18144192188365288296, 7221269055836871780, 17802566035586231375],
    "uniform": [0.358657062, 0.535955667, 0.796603382, 0.98359859],
    "uniform float64": [1.1438226870807418, 2.9343945177240327, 0.5658631196881365, 2.860316154319849],
    "uniform float16": [0.358398438, 0.535644531, 0.796386719, 0.983398438],
    "uniform bfloat16": [0.35546875, 0.53515625, 0.79296875, 0.98046875],
    "normal": [0.0683560967, 2.46440721, 3.54386735, -3.79971838],
    "normal float64": [-0.7322035658156546, 2.3998593929628367, 0.5121668806940611, -2.109273724826062],
    "truncated_normal": [-0.443143457, 0.692807317, 1.17588127, -1.87237048],
    "lognormal": [0.627619028, 2.07965827, 3.56774473, 0.0907307267],
    "exponential": [0.444190979, 0.767775178, 1.5925976, 4.11039019],
    "exponential float64": [0.7677751963410087, 4.110390376363883, 0.4967021313601617, 3.354668016315346],
    "gumbel": [0.811500669, 0.264258325, -0.465366393, -1.41351795],
    "bernoulli": [False, False, False, False],
    "dropout_mask": [True, True, True, True],
    "categorical": [2, 2, 2, 1],
    "randint": [1075971205, 1607867013, 2389810216, 2950795887],
    "randint wide": [1204700759987946794, -6613126522640058888, 992519028286135329, 2201528424052147229],
    "gamma": [1.84848762, 0.128629878, 0.312912822, 0.0116804391],
    "beta": [0.481495887, 0.573173523, 0.0853020251, 0.608178794],
    "poisson": [3, 1, 3, 3],
    "poisson many": [31, 23, 31, 32],
    "binomial": [3, 1, 3, 3],
    "binomial many": [59, 66, 59, 58],
    "choice": [5, 6, 4, 6],
}  # fmt: skip


def test_known_answers_of_philox() -> None:
    """Random123's kat_vectors."""
    for counter, key, want in (
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ):
        np.testing.assert_array_equal(philox(np.array(counter, np.uint32), np.array(key, np.uint32)), want)


@pytest.mark.parametrize("start", [0, 3, 2**34 + 1, 2**63 - 9])
def test_words_are_philoxs_at_their_counters(start: int) -> None:
    got = random.bits(KEY, 9, start=start).tolist()
    for k, word in enumerate(got):
        block = (start + k) // 4
        counter = np.array([block & 0xFFFFFFFF, block >> 32, 0, 1], np.uint32)
        assert word == philox(counter, KEY.numpy())[(start + k) % 4]


@named
def test_the_stream_never_changes(name: str) -> None:
    got = DRAWS[name](KEY, 4, 0).tolist()
    if isinstance(got[0], float):
        np.testing.assert_allclose(got, GOLDEN[name], rtol=1e-6)
    else:
        assert got == GOLDEN[name]


@named
def test_a_draw_in_parts_is_the_whole(name: str) -> None:
    whole = DRAWS[name](KEY, 40_003, 5).numpy()
    cuts = (0, 1, 2, 7, 4099, 33_000, 40_003)
    parts = [DRAWS[name](KEY, b - a, 5 + a).numpy() for a, b in pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_parameters_of_others_do_not_matter() -> None:
    rates = np.resize([0.1, 5.0, 30.0, 2000.0], 1000)
    mixed = random.poisson(KEY, rates).numpy()
    for rate in np.unique(rates):
        np.testing.assert_array_equal(mixed[rates == rate], random.poisson(KEY, rate, 1000).numpy()[rates == rate])
    highs = np.resize(np.array([3, 2**40, 2**63], object), 1000)
    mixed = random.randint(KEY, 1000, 0, highs).numpy()
    for high in (3, 2**40, 2**63):
        rows = highs == high
        np.testing.assert_array_equal(mixed[rows], random.randint(KEY, 1000, 0, high).numpy()[rows])


def test_another_process_draws_the_same() -> None:
    code = (
        "from tests.nd.test_random import DRAWS, KEY; import hashlib;"
        "print(hashlib.sha256(b''.join(f(KEY, 500, 3).numpy().tobytes() for f in DRAWS.values())).hexdigest())"
    )
    here = hashlib.sha256(b"".join(f(KEY, 500, 3).numpy().tobytes() for f in DRAWS.values())).hexdigest()
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert there.strip() == here


@pytest.mark.parametrize("name", TRACED)
def test_a_compiled_function_draws_the_same(name: str) -> None:
    compiled = sparkdl.compile(lambda k: DRAWS[name](k, 5000, 7))
    for seed in (1, 2):
        got, want = compiled(random.key(seed)).numpy(), DRAWS[name](random.key(seed), 5000, 7).numpy()
        if got.dtype.kind == "f":  # scaled by other loops, which may contract
            np.testing.assert_allclose(got.astype(float), want.astype(float), rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(got, want)
    assert compiled.traces == 1


@pytest.mark.parametrize("start", [0, 1, 2**33 + 2])
@pytest.mark.parametrize("op", [
    *(RandomBits((300_001,), d) for d in ("uint32", "uint64")),
    *(RandomUniform((300_001,), d) for d in ("float32", "float64")),
    *(RandomNormal((300_001,), d, bound=b) for d in ("float32", "float64") for b in (np.inf, 2.0)),
    *(RandomExponential((300_001,), d) for d in ("float32", "float64")),
], ids=str)  # fmt: skip
def test_every_kernel_makes_the_same_bits(op: Any, start: int) -> None:
    placed = replace(op, start=start)
    (want,) = execute(placed, (KEY.numpy(),))
    for threads in (1, 2):
        with using(threads):
            (got,) = execute(placed, (KEY.numpy(),), ("numba",))
        np.testing.assert_array_equal(got, want)


def test_large_draws_go_another_way_to_the_same_numbers() -> None:
    large = random.normal(KEY, (1000, 1001)).numpy().ravel()
    np.testing.assert_array_equal(large[-1000:], random.normal(KEY, 1000, start=1_000_000).numpy())


# --- keys -------------------------------------------------------------------------------------------------------------


def test_keys() -> None:
    np.testing.assert_array_equal(KEY.numpy(), Key.of(42).words())
    for given in (Key.of(42), KEY.numpy(), KEY):
        np.testing.assert_array_equal(random.uniform(given, 3).numpy(), random.uniform(KEY, 3).numpy())
    assert random.split(KEY, 3).shape == (3, 2) and random.split(KEY, (2, 5)).shape == (2, 5, 2)
    np.testing.assert_array_equal(random.split(KEY, (2, 3)).numpy().reshape(6, 2), random.split(KEY, 6).numpy())


def test_folded_keys() -> None:
    folded = random.fold_in(KEY, NDArray([3, -1])).tolist()
    assert folded == [random.fold_in(KEY, 3).tolist(), random.fold_in(KEY, -1).tolist()]
    assert random.fold_in(KEY, 2**64 - 1).tolist() == folded[1]
    assert random.fold_in(KEY, np.int32(3)).tolist() == folded[0]
    assert random.fold_in(KEY, "dropout").tolist() != random.fold_in(KEY, "noise").tolist()
    step = sparkdl.compile(lambda k, n: random.fold_in(k, n))
    assert step(KEY, NDArray(3)).tolist() == folded[0]


def test_all_keys_are_different() -> None:
    keys = [KEY.numpy()[None], random.split(KEY, 1000).numpy(), random.fold_in(KEY, NDArray(np.arange(1000))).numpy()]
    keys += [random.split(k, 3).numpy() for k in keys[1][:100]]
    assert len(np.unique(np.concatenate(keys), axis=0)) == 2001 + 300


def test_streams_of_split_keys_are_independent() -> None:
    keys = [KEY, *random.split(KEY, 4), random.fold_in(KEY, 0), random.fold_in(KEY, 1), random.key(43)]
    z = np.stack([random.normal(k, 100_000).numpy() for k in keys])
    z = np.concatenate([z, np.roll(z[:1], 1, 1)])  # and a stream of its own next numbers
    r = np.corrcoef(z) - np.eye(len(z))
    assert np.abs(r).max() < 5 / np.sqrt(100_000)


# --- gradients --------------------------------------------------------------------------------------------------------


def test_gradients_flow_into_what_shifts_and_scales() -> None:
    z = random.normal(KEY, 1000, "float64").numpy()
    loc, scale = NDArray(np.array(0.5)), NDArray(np.array(2.0))

    def f(loc: Any, scale: Any) -> Any:
        return nd.sum(random.normal(KEY, 1000, "float64", loc, scale))

    for g in (f, sparkdl.compile(f)):
        by_loc, by_scale = sparkdl.grad(g, (0, 1))(loc, scale)
        assert by_loc.item() == pytest.approx(1000) and by_scale.item() == pytest.approx(z.sum())
    u = random.uniform(KEY, 1000, "float64").numpy()
    spread = sparkdl.grad(lambda a, b: nd.sum(random.uniform(KEY, 1000, "float64", a, b)), (0, 1))(loc, scale)
    np.testing.assert_allclose([s.item() for s in spread], [1000 - u.sum(), u.sum()])
    rate = sparkdl.grad(lambda s: nd.sum(random.exponential(KEY, 1000, "float64", s)))(scale)
    assert rate.item() == pytest.approx(random.exponential(KEY, 1000, "float64").numpy().sum())
    log = sparkdl.grad(lambda m: nd.sum(random.lognormal(KEY, 1000, "float64", m, 0.5)))(loc)
    assert log.item() == pytest.approx(random.lognormal(KEY, 1000, "float64", 0.5, 0.5).numpy().sum())


# --- the generator ----------------------------------------------------------------------------------------------------


def test_a_generator_counts_its_draws() -> None:
    rng = random.Generator(7)
    first = [rng.random(3).tolist(), rng.integers(10, size=3).tolist(), rng.normal(1.0, 2.0, 3).tolist()]
    assert rng.state["draws"] == 3
    again = random.default_rng(7)
    assert [again.random(3).tolist(), again.integers(10, size=3).tolist(), again.normal(1.0, 2.0, 3).tolist()] == first
    assert first[0] == random.uniform(random.fold_in(random.key(7), 0), 3).tolist()
    assert random.default_rng(rng) is rng
    assert random.Generator(random.key(7)).random(3).tolist() == first[0]
    assert random.Generator(Key.of(7)).random(3).tolist() == first[0]
    assert random.Generator().random(4).tolist() != random.Generator().random(4).tolist()


def test_a_state_goes_on() -> None:
    rng = random.Generator(7)
    rng.random(5)
    state, other = rng.state, random.Generator(8)
    other.state = state
    assert other.random(5).tolist() == rng.random(5).tolist()
    for wrong in (
        {},
        {"key": [1, 2]},
        {"key": [1], "draws": 0},
        {"key": [1, -2], "draws": 0},
        {"key": [1, 2], "draws": -1},
    ):
        with pytest.raises((TypeError, ValueError), match="state must"):
            other.state = wrong


def test_a_draw_that_fails_does_not_count() -> None:
    rng = random.Generator(7)
    with pytest.raises(ValueError, match="scale must be"):
        rng.normal(0.0, -1.0, 3)
    assert rng.state["draws"] == 0


def test_methods_of_a_generator() -> None:
    rng, wide = random.Generator(3), np.ones((2, 3))
    for made, shape, dtype in (
        (rng.random(), (), "float32"), (rng.uniform(0.0, wide), (2, 3), "float32"),
        (rng.standard_normal(4, "float64"), (4,), "float64"), (rng.truncated_normal(size=4), (4,), "float32"),
        (rng.lognormal(sigma=wide), (2, 3), "float32"), (rng.exponential(wide), (2, 3), "float32"),
        (rng.gumbel(size=(2,)), (2,), "float32"), (rng.gamma(wide), (2, 3), "float32"),
        (rng.beta(1.0, wide), (2, 3), "float32"), (rng.poisson(wide), (2, 3), "int64"),
        (rng.binomial(5, 0.5, 3), (3,), "int64"), (rng.bernoulli(size=3), (3,), "bool"),
        (rng.categorical(wide), (2,), "int64"), (rng.integers(3), (), "int64"),
        (rng.choice(5, 3, replace=False), (3,), "int64"), (rng.permutation(wide, 1), (2, 3), "float64"),
        (rng.permuted(wide, 1), (2, 3), "float64"),
    ):  # fmt: skip
        assert (made.shape, made.dtype) == (shape, dtype)
    assert set(rng.integers(2, 4, 100, endpoint=True).tolist()) == {2, 3, 4}
    assert len(rng.bytes(7)) == 7 and rng.bytes(0) == b""
    x = NDArray(np.arange(20))
    rng.shuffle(x)
    assert x.tolist() != list(range(20)) and sorted(x.tolist()) == list(range(20))
    children = rng.spawn(2)
    assert children[0].random(4).tolist() != children[1].random(4).tolist()


# --- bad input --------------------------------------------------------------------------------------------------------

WRONG: tuple[tuple[Any, type[Exception], str], ...] = (
    (lambda: random.key(1.5), TypeError, "seed must be an int. Got 1.5"),
    (lambda: random.Generator("a"), TypeError, "seed must be an int"),
    (lambda: random.uniform(7, 3), TypeError, "uniform: key must be uint32[2] or a Key. Got int; take nd.random.key"),
    (lambda: random.uniform(np.zeros(2), 3), TypeError, "key must be uint32[2] or a Key. Got float64[2]"),
    (lambda: random.split(KEY, -1), ValueError, "split: lengths must be >= 0. Got -1"),
    (lambda: random.fold_in(KEY, 1.5), TypeError, "data must be ints or a name"),
    (lambda: random.fold_in(KEY, NDArray([1.5])), TypeError, "data must be ints or a name. Got float32[1]"),
    (lambda: random.bits(KEY, 3, "int32"), TypeError, "bits: dtype must be an unsigned integer one. Got int32"),
    (lambda: random.bits(KEY, 3, "uint8"), TypeError, "dtype must be one of uint32, uint64. Got uint8"),
    (lambda: random.normal(KEY, (2, -1)), ValueError, "normal: lengths must be >= 0. Got (2, -1)"),
    (lambda: random.normal(KEY, 2.5), TypeError, "normal: shape must be an int or ints. Got 2.5"),
    (lambda: random.normal(KEY, 3, "int32"), TypeError, "normal: dtype must be a real floating one. Got int32"),
    (lambda: random.normal(KEY, 3, start=-1), ValueError, "normal: start must be >= 0 and < 2^63. Got -1"),
    (lambda: random.normal(KEY, 3, start=0.5), TypeError, "normal: start must be an int. Got 0.5"),
    (lambda: random.normal(KEY, 3, scale=-1.0), ValueError, "normal: scale must be finite and >= 0. Got -1.0"),
    (lambda: random.normal(KEY, 3, loc=np.nan), ValueError, "normal: loc must be finite. Got nan"),
    (lambda: random.normal(KEY, 3, loc="a"), TypeError, "normal: loc must be real numbers. Got str"),
    (lambda: random.normal(KEY, 3, loc=np.zeros(2)), ValueError, "must broadcast to the shape (3,). Got one of (2,)"),
    (lambda: random.normal(KEY, 3, loc=np.zeros((1, 3))), ValueError, "must broadcast to the shape (3,)"),
    (lambda: random.truncated_normal(KEY, 3, bound=0.0), ValueError, "bound must be > 0. Got 0.0"),
    (lambda: random.uniform(KEY, 3, minval=2.0), ValueError, "maxval - minval must be finite and >= 0. Got -1.0"),
    (lambda: random.uniform(KEY, 3, "float64", -1.7e308, 1.7e308), ValueError, "maxval - minval must be finite"),
    (lambda: random.exponential(KEY, 3, scale=[1.0, -2.0, 1.0]), ValueError, "scale must be finite and >= 0. Got -2.0"),
    (lambda: random.bernoulli(KEY, 1.5), ValueError, "bernoulli: p must be within 0 .. 1. Got 1.5"),
    (lambda: random.bernoulli(KEY, np.nan), ValueError, "bernoulli: p must be within 0 .. 1. Got nan"),
    (lambda: random.dropout_mask(KEY, 3, 1.0), ValueError, "rate must be a number >= 0 and < 1. Got 1.0"),
    (lambda: random.categorical(KEY, NDArray([1, 2])), TypeError, "logits must be floats with an axis of classes"),
    (lambda: random.categorical(KEY, NDArray(1.0)), TypeError, "logits must be floats with an axis of classes"),
    (lambda: random.categorical(KEY, NDArray([np.nan])), ValueError, "logits must be below infinity, and no NaN"),
    (lambda: random.categorical(KEY, NDArray([1.0]), 1), IndexError, "axis must be one of logits' 1. Got 1"),
    (lambda: random.categorical(KEY, np.zeros((2, 0))), ValueError, "there must be a class"),
    (lambda: random.categorical(KEY, np.zeros((2, 3)), shape=5), ValueError, "parameters must broadcast"),
    (lambda: random.randint(KEY, 3, 5, 5), ValueError, "minval must be below maxval. Got 5 and 5"),
    (lambda: random.randint(KEY, 3, 0.0, 5.0), TypeError, "minval must be ints. Got float64"),
    (lambda: random.randint(KEY, 3, 0, 300, "uint8"), ValueError, "maxval must be at most 256 for uint8. Got 300"),
    (lambda: random.randint(KEY, 3, -1, 3, "uint8"), ValueError, "minval must be at least 0 for uint8. Got -1"),
    (lambda: random.randint(KEY, 3, 0, 2**63 + 1), ValueError, "maxval must be at most 9223372036854775808"),
    (lambda: random.gamma(KEY, 0.0), ValueError, "gamma: a must be finite and > 0. Got 0.0"),
    (lambda: random.beta(KEY, 1.0, -1.0), ValueError, "beta: b must be finite and > 0. Got -1.0"),
    (lambda: random.poisson(KEY, -1.0), ValueError, "poisson: lam must be >= 0 and at most 9.22337e+18. Got -1.0"),
    (lambda: random.poisson(KEY, 1e19), ValueError, "poisson: lam must be >= 0 and at most"),
    (lambda: random.poisson(KEY, 1.0, dtype="float32"), TypeError, "dtype must be an integer one. Got float32"),
    (lambda: random.poisson(KEY, 1000.0, 3, "uint8"), OverflowError, "does not fit into uint8"),
    (lambda: random.binomial(KEY, 2.5, 0.5), ValueError, "binomial: n must be whole and within 0 .. 2^53. Got 2.5"),
    (lambda: random.binomial(KEY, 5, 1.5), ValueError, "binomial: p must be within 0 .. 1. Got 1.5"),
    (lambda: random.binomial(KEY, [5, 6], [0.5] * 3), ValueError, "binomial: shapes must broadcast"),
    (lambda: random.choice(KEY, 3, 4, False), ValueError, "without replacement at most 3 can be picked. Got 4"),
    (lambda: random.choice(KEY, 3, 3, False, [0.5, 0.5, 0]), ValueError, "at most 2 can be picked. Got 3"),
    (lambda: random.choice(KEY, 3, 2, False, start=1), ValueError, "without replacement `start` must be 0. Got 1"),
    (lambda: random.choice(KEY, 0, 2), ValueError, "there is nothing to pick 2 of"),
    (lambda: random.choice(KEY, -1), ValueError, "there must be >= 0 items. Got -1"),
    (lambda: random.choice(KEY, 3, p=[0.5, 0.5]), ValueError, "p must have one number for each of 3 items"),
    (lambda: random.choice(KEY, 3, p=[0, 0, 0]), ValueError, "p must have a number > 0"),
    (lambda: random.choice(KEY, 3, p=[1, -1, 1]), ValueError, "p must be finite and >= 0. Got -1"),
    (lambda: random.permutation(KEY, NDArray([1, 2]), 1), IndexError, "axis must be one of x's 1. Got 1"),
    (lambda: random.permutation(KEY, NDArray(1.0)), IndexError, "axis must be one of x's 0. Got 0"),
    (lambda: random.Generator(1).shuffle([1, 2]), TypeError, "x must be an array that can be written to. Got list"),
)  # fmt: skip


@pytest.mark.parametrize(("call", "error", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_bad_input(call: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert said in str(caught.value)


def test_what_needs_known_values_says_so() -> None:
    for call in (
        lambda k: random.gamma(k, 1.0),
        lambda k: random.beta(k, 1.0, 1.0),
        lambda k: random.poisson(k, 1.0),
        lambda k: random.binomial(k, 1, 0.5),
        lambda k: random.permutation(k, 3),
        lambda k: random.choice(k, 3),
    ):
        with pytest.raises(TypeError, match="the values of key must be known"):
            sparkdl.compile(call)(KEY)
    with pytest.raises(TypeError, match="gamma: the values of a must be known"):
        sparkdl.compile(lambda a: random.gamma(KEY, a))(NDArray(1.0))
