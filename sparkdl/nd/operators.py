"""The operators that arrays and symbols share: each is a call of an op."""

from typing import Any


class Operators:
    """Mixin of NDArray and Sym."""

    __array_ufunc__ = None  # numpy leaves `array + ours` to us

    def __add__(self, other: Any) -> Any:
        return _ops().add(self, other)

    def __radd__(self, other: Any) -> Any:
        return _ops().add(other, self)

    def __sub__(self, other: Any) -> Any:
        return _ops().subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return _ops().subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return _ops().multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _ops().multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return _ops().divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _ops().divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return _ops().power(self, other)

    def __neg__(self) -> Any:
        return _ops().negative(self)

    def __matmul__(self, other: Any) -> Any:
        from sparkdl.nd.ops.matmul import matmul

        return matmul(self, other)


def _ops() -> Any:
    from sparkdl.nd.ops import elementwise

    return elementwise
