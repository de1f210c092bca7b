"""The checks are checked: what is slightly wrong is caught.

The faulty ops below inherit name and kernel from a true one, and are not registered.
"""

from typing import Any

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import KernelError, SparkdlError
from sparkdl.base.spec import Spec
from sparkdl.graph.check import check_grads
from sparkdl.nd.op import OPS, apply
from sparkdl.nd.ops.analysis import Tanh
from sparkdl.nd.ops.arithmetic import Multiply
from sparkdl.nd.ops.reduce import Sum
from tests.conformance import test_coverage
from tests.conformance.ops import arrays, assert_close, oracle
from tests.conformance.test_ops import test_libraries_equal_the_oracle as libraries_equal_the_oracle
from tests.tables.ops import Arg, Case

X = np.linspace(-1.0, 1.0, 12).reshape(3, 4)


class SteepTanh(Tanh):
    """Its gradient is 0.1 % too large."""

    def vjp(self, grads: Any, outs: Any, *ins: Any) -> Any:
        return (super().vjp(grads, outs, *ins)[0] * 1.001,)


class SpottyTanh(Tanh):
    """Its gradient is 1 % too large in one element of twelve."""

    def vjp(self, grads: Any, outs: Any, *ins: Any) -> Any:
        factor = np.ones(X.shape)
        factor[1, 2] = 1.01
        return (super().vjp(grads, outs, *ins)[0] * factor,)


class FlatTanh(Tanh):
    """Its gradient is missing."""

    def vjp(self, grads: Any, outs: Any, *ins: Any) -> Any:
        return (None,)


class UnknownTanh(Tanh):
    """Its gradient is NaN."""

    def vjp(self, grads: Any, outs: Any, *ins: Any) -> Any:
        return (super().vjp(grads, outs, *ins)[0] * np.nan,)


class SwappedMultiply(Multiply):
    """The gradients of its inputs are each other's."""

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> Any:
        return super().parts(g, y, a, b)[::-1]


@pytest.mark.parametrize("faulty", [SteepTanh, SpottyTanh, FlatTanh, UnknownTanh])
def test_a_wrong_gradient_is_caught(faulty: type) -> None:
    check_grads(lambda x: apply(Tanh(), x), [X])
    with pytest.raises(AssertionError, match=r"the gradient of input 0 says .* differences say"):
        check_grads(lambda x: apply(faulty(), x), [X])


def test_a_wrong_gradient_is_caught_in_its_input() -> None:
    with pytest.raises(AssertionError, match="the gradient of input 1 says"):
        check_grads(lambda x, y: apply(SteepTanh(), y) * x, [X, X + 0.5])
    with pytest.raises(AssertionError, match="the gradient of input 0 says"):
        check_grads(lambda x, y: apply(SwappedMultiply(), x, y), [X, X + 0.5])


def test_a_wrong_gradient_is_caught_whatever_the_seed() -> None:
    for seed in range(50):
        with pytest.raises(AssertionError):
            check_grads(lambda x: apply(SteepTanh(), x), [X], seed=seed)
        check_grads(lambda x: apply(Tanh(), x), [X], seed=seed)


class WideSum(Sum):
    """Infers the shape of its input, to which the result would broadcast."""

    def infer(self, *ins: Spec) -> Spec:
        return ins[0]


class LongSum(Sum):
    """Keeps the reduced axes where it should not."""

    def infer(self, *ins: Spec) -> Spec:
        return Sum(self.axes, True).infer(*ins)


@pytest.mark.parametrize("faulty", [WideSum, LongSum])
def test_a_wrong_shape_rule_is_caught(faulty: type) -> None:
    case = Case("sum", lambda x: apply(faulty((0,)), x), (Arg((3, 4)),))
    with pytest.raises(KernelError, match=r"sum: the kernel made shape \(4,\), the op inferred"):
        oracle(case, arrays(case, "float64"))


class GrowingSum(Sum):
    """Its gradient has another shape than its input."""

    def vjp(self, grads: Any, outs: Any, *ins: Any) -> Any:
        return (nd.add(grads[0], np.zeros((2, *ins[0].spec.shape))),)


def test_a_gradient_of_the_wrong_shape_is_caught() -> None:
    with pytest.raises(AssertionError, match=r"the gradient of input 0 is float64\[2,3,4\], the input float64\[3,4\]"):
        check_grads(lambda x: apply(GrowingSum((0,)), x), [X])


class HalfSum(Sum):
    """Infers float32 whatever comes in."""

    def infer(self, *ins: Spec) -> Spec:
        return Spec(super().infer(*ins).shape, "float32")


def test_a_wrong_dtype_is_caught() -> None:
    with pytest.raises((AssertionError, SparkdlError)):
        check_grads(lambda x: apply(HalfSum((0,)), x), [X])


def test_a_kernel_that_is_slightly_wrong_is_caught() -> None:
    want = X * 3
    assert_close(np.float32(X) * np.float32(3), want)
    assert_close(want, want)
    for wrong in (np.float32(want * (1 + 1e-4)), want * (1 + 1e-9)):
        with pytest.raises(AssertionError):
            assert_close(wrong, want)
    with pytest.raises(AssertionError):
        assert_close(want[0], want)
    with pytest.raises(AssertionError):
        assert_close(np.full(2, np.nan), np.zeros(2))


def test_a_library_that_differs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from sparkdl.kernels import table

    case = Case("tanh", nd.tanh, (Arg((3, 4)),))
    libraries_equal_the_oracle(case, "float32")
    steep = table.rowwise(lambda op, x: np.tanh(x) * np.float32(1.001))
    monkeypatch.setitem(table._ROWS, ("tanh", "numpy"), [(table.always, steep)])
    table.prepare.cache_clear()
    with pytest.raises(AssertionError, match="output 0 of numpy"):
        libraries_equal_the_oracle(case, "float32")
    table.prepare.cache_clear()


def test_an_op_without_cases_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    test_coverage.test_every_op_has_cases()
    monkeypatch.setitem(OPS._items, "brand_new", SteepTanh)
    with pytest.raises(AssertionError):
        test_coverage.test_every_op_has_cases()
    with pytest.raises(AssertionError):
        test_coverage.test_every_op_has_a_reference_kernel()
