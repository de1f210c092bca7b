import numpy as np
import pytest

from sparkdl.data.samples.tables import ADULT_COLUMNS, SAMPLES, concrete, digits

ROWS = {"digits": (3823, 1797), "adult": (4000, 2000), "concrete": (927, 103)}


@pytest.mark.parametrize("name", list(SAMPLES))
def test_samples_are_whole(name):
    tables = SAMPLES[name]()
    assert (tables["train"].num_rows, tables["test"].num_rows) == ROWS[name]
    assert all(table[column].null_count == 0 for table in tables.values() for column in table.column_names)


def test_digits_hold_the_same_pixels_twice():
    table = digits()["test"]
    pixels = np.array(table["pixels"].to_pylist(), np.float32)
    image = np.frombuffer(b"".join(table["image"].to_pylist()), np.uint8).reshape(-1, 64)
    assert (pixels == image).all()
    assert (pixels.min(), pixels.max()) == (0, 16)
    assert sorted(set(table["digit"].to_pylist())) == list(range(10))


def test_adult_has_no_stray_spaces():
    table = SAMPLES["adult"]()["train"]
    assert table.column_names == list(ADULT_COLUMNS)
    texts = [v for c in table.column_names if table[c].type == "string" for v in table[c].to_pylist()]
    assert all(text == text.strip() and text for text in texts)


def test_concrete_is_split_the_same_way_each_time():
    first, second = concrete(), concrete()
    assert all(first[part].equals(second[part]) for part in first)
    ages = [*first["train"]["age"].to_pylist(), *first["test"]["age"].to_pylist()]
    assert (len(ages), sum(ages)) == (1030, 47032)
