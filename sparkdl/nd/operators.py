"""The operators that arrays and symbols share: each is a call of an op."""

from typing import Any


class Operators:
    """Mixin of NDArray and Sym."""

    __array_ufunc__ = None  # numpy leaves `array + ours` to us

    def __add__(self, other: Any) -> Any:
        return _arithmetic().add(self, other)

    def __radd__(self, other: Any) -> Any:
        return _arithmetic().add(other, self)

    def __sub__(self, other: Any) -> Any:
        return _arithmetic().subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return _arithmetic().subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return _arithmetic().multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _arithmetic().multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return _arithmetic().divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _arithmetic().divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return _analysis().power(self, other)

    def __neg__(self) -> Any:
        return _arithmetic().negative(self)

    def __matmul__(self, other: Any) -> Any:
        from sparkdl.nd.ops.matmul import matmul

        return matmul(self, other)


def _arithmetic() -> Any:
    from sparkdl.nd.ops import arithmetic

    return arithmetic


def _analysis() -> Any:
    from sparkdl.nd.ops import analysis

    return analysis
