"""Tables give every row once, in an order that depends on the key and the epoch alone."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl.base.errors import DataError
from sparkdl.base.rng import Key
from sparkdl.data.batches import Affine, Growing, Table, gather, permutation


def table(n: int, first_id: int = 0) -> Table:
    rows = np.arange(n)
    return Table({"x": np.stack([rows, -rows], 1).astype(np.float32)}, rows.astype(np.int32), rows / 2, first_id)


@settings(deadline=None)  # a loaded machine is no fault
@given(st.integers(0, 50), st.integers(1, 60), st.booleans(), st.integers(0, 3))
def test_an_epoch_has_every_row_once(n, size, shuffle, epoch):
    batches = list(table(n, 100).minibatches(size, Key.of(1), epoch, shuffle))
    ids = np.concatenate([b.ids for b in batches]) if batches else np.empty(0, int)
    assert sorted(ids) == list(range(100, 100 + n))
    assert all(len(b) == size for b in batches[:-1])
    for b in batches:
        assert b.ids.dtype == np.int64
        np.testing.assert_array_equal(b.x["x"][:, 0], b.ids - 100)
        np.testing.assert_array_equal(b.y, b.ids - 100)
        np.testing.assert_array_equal(b.weight, (b.ids - 100) / 2)


def test_the_order_repeats_and_changes_with_key_and_epoch():
    def order(key: Key, epoch: int) -> list[int]:
        return [int(i) for b in table(64).minibatches(10, key, epoch) for i in b.ids]

    assert order(Key.of(1), 0) == order(Key.of(1), 0)
    assert len({tuple(order(Key.of(seed), epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4
    assert [int(i) for b in table(5).minibatches(2, shuffle=False) for i in b.ids] == [0, 1, 2, 3, 4]


def test_the_permutation_never_changes():
    """Saved seeds must repeat on every platform and NumPy: this order is part of the format."""
    assert permutation(8, Key.of(7)).tolist() == [4, 3, 1, 6, 7, 0, 2, 5]


def test_narrow_inputs_are_scaled_a_batch_at_a_time():
    pixels = np.arange(12, dtype=np.uint8).reshape(6, 2)
    kept = Table({"x": pixels}, scales={"x": Affine(1 / 255)})
    assert kept.nbytes == 12
    (batch,) = kept.minibatches(6, shuffle=False)
    assert batch.x["x"].dtype == np.float32
    np.testing.assert_array_equal(batch.x["x"], Affine(1 / 255)(pixels))
    np.testing.assert_allclose(batch.x["x"], pixels / 255, rtol=1e-6)


@settings(deadline=None)  # a loaded machine is no fault
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_parts_gather_to_the_whole(sizes):
    whole, starts = table(sum(sizes)), np.cumsum([0, *sizes])
    parts = [Table({"x": whole.x["x"][a:b]}, whole.y[a:b], whole.weight[a:b]) for a, b in itertools.pairwise(starts)]
    made = gather(parts, first_id=5)
    assert made.first_id == 5
    for name, value in whole.parts().items():
        np.testing.assert_array_equal(made.parts()[name], value)
        assert made.parts()[name].dtype == value.dtype


def test_gathered_rows_are_copies():
    source = np.ones((2, 1), np.float32)
    made = gather([Table({"x": source})])
    source[:] = 7
    assert made.x["x"].tolist() == [[1], [1]]


def test_parts_must_agree():
    growing = Growing()
    growing.add(Table({"x": np.ones((1, 2), np.float32)}))
    with pytest.raises(DataError, match=r"must agree in shape and dtype"):
        growing.add(Table({"x": np.ones((1, 3), np.float32)}))
    with pytest.raises(DataError, match=r"must agree"):
        growing.add(Table({"x": np.ones((1, 2), np.uint8)}))
    with pytest.raises(DataError, match=r"one part at least"):
        gather([])
    with pytest.raises(DataError, match=r"one number of rows. Got"):
        Table({"x": np.ones(3)}, np.ones(2))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64"])
def test_affine_in_the_precision_of_its_source(dtype):
    x = np.array([[3], [100]], dtype)
    np.testing.assert_allclose(Affine(0.1, -4.0)(x), x.astype(float) * 0.1 - 4, rtol=1e-6)
    far = np.array([2**40 + 5], np.int64)
    assert Affine(1.0, -(2.0**40))(far).tolist() == [5]
