"""What all tests share."""

import numpy as np
import pytest

from tests.spark_session import spark


@pytest.fixture
def rng() -> np.random.Generator:
    """The same numbers in every run, and in every order of the tests."""
    return np.random.default_rng(0)


__all__ = ["rng", "spark"]
