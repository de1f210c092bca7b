"""What arrays and symbols share: operators, each the call of a function of the namespace, and what a spec says."""

from collections.abc import Callable, Iterator
from typing import Any

from sparkdl.base.spec import Spec
from sparkdl.nd import elementwise as e
from sparkdl.nd.dtypes import DTYPES, DType
from sparkdl.nd.indexing import getitem
from sparkdl.nd.manipulation import matrix_transpose, permute_dims
from sparkdl.nd.products import matmul


def _both(fn: Callable[..., Any]) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
    """The operator, and the one for an operand that comes second. What is no operand is left to the other side."""

    def forward(self: Any, other: Any) -> Any:
        return fn(self, other) if _operand(other) else NotImplemented

    def backward(self: Any, other: Any) -> Any:
        return fn(other, self) if _operand(other) else NotImplemented

    return forward, backward


def _operand(x: Any) -> bool:
    return hasattr(x, "spec") or hasattr(x, "__array__") or isinstance(x, bool | int | float | complex)


class Operators:
    """Mixin of NDArray, Sym and Var."""

    __array_ufunc__ = None  # numpy leaves `array + ours` to us
    spec: Spec

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.spec.shape

    @property
    def dtype(self) -> DType:
        """The elements' type; it equals its name."""
        return DTYPES[self.spec.dtype]

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.spec.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return self.spec.size

    @property
    def device(self) -> str:
        """Where the elements lie."""
        return "cpu"

    def to_device(self, device: str, /, *, stream: Any = None) -> Any:
        """The array on that device, itself if it is there. "cpu" is the one there is."""
        if device != "cpu":
            raise ValueError(f"to_device: device must be 'cpu'. Got {device!r}.")
        if stream is not None:
            raise ValueError(f"to_device: stream must be None on 'cpu'. Got {stream!r}.")
        return self

    @property
    def T(self) -> Any:  # noqa: N802
        """The transposed matrix; all axes reversed where there are not two."""
        return permute_dims(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Any:  # noqa: N802
        """The last two axes exchanged."""
        return matrix_transpose(self)

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        from sparkdl import nd

        return nd.namespace(api_version)

    __add__, __radd__ = _both(e.add)
    __sub__, __rsub__ = _both(e.subtract)
    __mul__, __rmul__ = _both(e.multiply)
    __truediv__, __rtruediv__ = _both(e.divide)
    __floordiv__, __rfloordiv__ = _both(e.floor_divide)
    __mod__, __rmod__ = _both(e.remainder)
    __pow__, __rpow__ = _both(e.pow)
    __matmul__, __rmatmul__ = _both(matmul)
    __and__, __rand__ = _both(e.bitwise_and)
    __or__, __ror__ = _both(e.bitwise_or)
    __xor__, __rxor__ = _both(e.bitwise_xor)
    __lshift__, __rlshift__ = _both(e.bitwise_left_shift)
    __rshift__, __rrshift__ = _both(e.bitwise_right_shift)
    __lt__, __gt__ = _both(e.less)[0], _both(e.greater)[0]
    __le__, __ge__ = _both(e.less_equal)[0], _both(e.greater_equal)[0]

    def __eq__(self, other: object) -> Any:
        return e.equal(self, other) if _operand(other) else NotImplemented

    def __ne__(self, other: object) -> Any:
        return e.not_equal(self, other) if _operand(other) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # == gives an array

    def __neg__(self) -> Any:
        return e.negative(self)

    def __pos__(self) -> Any:
        return e.positive(self)

    def __abs__(self) -> Any:
        return e.abs(self)

    def __invert__(self) -> Any:
        return e.bitwise_invert(self)

    def __getitem__(self, key: Any) -> Any:
        return getitem(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            f"{self!r} cannot be written to: a function that is differentiated or compiled has no side effects. "
            "Take `nd.put(x, key, values)` or `nd.where`, which make a new array."
        )

    def __len__(self) -> int:
        if not self.spec.shape:
            raise TypeError("an array without axes has no length.")
        return self.spec.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.spec.shape:
            raise TypeError("an array without axes cannot be iterated.")
        return (self[k] for k in range(self.spec.shape[0]))

    def __bool__(self) -> bool:
        return bool(self._number("bool"))

    def __int__(self) -> int:
        return int(self._number("int"))

    def __float__(self) -> float:
        return float(self._number("float"))

    def __complex__(self) -> complex:
        return complex(self._number("complex"))

    def __index__(self) -> int:
        return int(self._number("index"))

    def _number(self, kind: str) -> Any:
        """The one element as a Python number of that kind; each class says how."""
        raise TypeError(f"{self!r} has no number yet: it is part of a program that is being traced.")
