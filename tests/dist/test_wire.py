"""Result rows: back in any order, and never with a piece missing."""

import numpy as np
import pyarrow as pa
import pytest

from sparkdl.base.errors import ClusterError, ConfError, DataError
from sparkdl.dist import wire


def table(data, size=4, drop=(), kind="result"):
    made = [b for k, b in enumerate(wire.rows(kind, data, size)) if k not in drop]
    return pa.Table.from_batches(made[::-1], wire.SCHEMA)


@pytest.mark.parametrize("data", [b"", b"a", b"abcd", b"abcdefghi"])
def test_round_trip_in_any_order(data):
    assert wire.payload(table(data)) == data


@pytest.mark.parametrize("drop", [(0,), (2,), (0, 1, 2)])
def test_lost_rows_are_noticed(drop):
    with pytest.raises(ClusterError, match="lost"):
        wire.payload(table(b"abcdefghi", drop=drop))


def test_a_damaged_row_is_noticed():
    good = table(b"abcdefghi")
    bad = good.set_column(4, "bytes", pa.array([b"i", b"efgX", b"abcd"], pa.binary()))
    with pytest.raises(ClusterError, match=r"\[1\] of 3 came damaged"):
        wire.payload(bad)


@pytest.mark.parametrize("error", [DataError("no rows"), ConfError("units", ("a",)), ClusterError("gone")])
def test_errors_come_back_as_what_they_were(error):
    with pytest.raises(type(error), match=str(error)):
        wire.payload(pa.Table.from_batches(list(wire.error_rows(error))))


def test_a_name_that_is_no_error_of_ours_is_not_made():
    assert type(wire.error_of(b'{"type": "dotted", "what": "x"}')) is ClusterError


def test_state_and_report():
    state = np.arange(300_000, dtype=np.float32)
    made = pa.Table.from_batches(list(wire.rows("result", wire.pack(state, {"loss": [0.5]}))))
    got, report = wire.unpack(wire.payload(made))
    assert made.num_rows == 2 and np.array_equal(got, state) and report == {"loss": [0.5]}
