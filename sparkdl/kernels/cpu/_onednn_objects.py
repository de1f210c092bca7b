"""oneDNN's objects, owned: memory descriptors, primitive descriptors, primitives, memories.

Each is destroyed with the last Python reference to it. An implementation that oneDNN itself calls a reference is
refused: it is 100 to 1000 times slower than the rest (study/cpu_engine.md, section 5).
"""

import ctypes
import weakref
from collections.abc import Sequence
from functools import lru_cache

from sparkdl.base.errors import KernelError
from sparkdl.kernels.choice import listed, named
from sparkdl.kernels.cpu._onednn import library
from sparkdl.kernels.table import Unsupported

ANY = 1  # dnnl_format_tag_any: the layout is the implementation's choice
DTYPES = {"bfloat16": 2, "float32": 3, "int32": 4, "uint8": 6}
_INVALID, _UNIMPLEMENTED = 2, 3  # dnnl_status_t
_IMPLEMENTATION = 8  # dnnl_query_impl_info_str
_USER_SCRATCHPAD = 1  # dnnl_scratchpad_mode_user: we lend the memory
_DIMS = ctypes.c_int64 * 12


class Owned:
    """An object of oneDNN at an address. `kind` names its destroy function."""

    def __init__(self, kind: str, address: int) -> None:
        self.address = address
        destroy = getattr(library().functions, f"dnnl_{kind}_destroy")
        weakref.finalize(self, destroy, ctypes.c_void_p(address)).atexit = False

    @property
    def pointer(self) -> ctypes.c_void_p:
        """The address as an argument."""
        return ctypes.c_void_p(self.address)


def dims(numbers: Sequence[int]) -> ctypes.Array[ctypes.c_int64]:
    """oneDNN's dnnl_dims_t."""
    return _DIMS(*numbers)


def number(x: float) -> ctypes.c_float:
    """A float argument."""
    return ctypes.c_float(x)


class Layout(Owned):
    """A memory descriptor: shape, element type, and how the elements lie."""

    def __init__(self, address: int) -> None:
        super().__init__("memory_desc", address)

    @property
    def nbytes(self) -> int:
        """Bytes of memory of this layout, padding included."""
        return int(library().functions.dnnl_memory_desc_get_size(self.pointer))

    def same(self, other: "Layout") -> bool:
        """Whether both say the same."""
        return bool(library().call("dnnl_memory_desc_equal", self.pointer, other.pointer))


def plain(shape: Sequence[int], strides: Sequence[int] | None = None, dtype: str = "float32") -> Layout:
    """Elements at `strides` (counted in elements); C order by default."""
    made = ctypes.c_void_p()
    steps = dims(_c_order(shape) if strides is None else strides)
    arguments = (len(shape), dims(shape), DTYPES[dtype], steps)
    library().need("dnnl_memory_desc_create_with_strides", ctypes.byref(made), *arguments)
    return Layout(made.value or 0)


def free(shape: Sequence[int], dtype: str = "float32") -> Layout:
    """Elements in the layout that the implementation likes best."""
    made = ctypes.c_void_p()
    library().need("dnnl_memory_desc_create_with_tag", ctypes.byref(made), len(shape), dims(shape), DTYPES[dtype], ANY)
    return Layout(made.value or 0)


def _c_order(shape: Sequence[int]) -> list[int]:
    strides = [1]
    for n in reversed(shape[1:]):
        strides.append(strides[-1] * max(n, 1))
    return strides[::-1]


class Choice(Owned):
    """A primitive descriptor: an operation with the implementation that oneDNN chose."""

    def __init__(self, address: int) -> None:
        super().__init__("primitive_desc", address)

    @property
    def implementation(self) -> str:
        """Its name, as 'brgconv:avx512_core'."""
        said = ctypes.c_char_p()
        library().need("dnnl_primitive_desc_query", self.pointer, _IMPLEMENTATION, 0, ctypes.byref(said))
        return (said.value or b"").decode()

    def layout(self, what: int) -> Layout:
        """The layout it chose for an argument; `what` is a dnnl_query_..._md."""
        seen = library().functions.dnnl_primitive_desc_query_md(self.pointer, what, 0)
        made = ctypes.c_void_p()
        library().need("dnnl_memory_desc_clone", ctypes.byref(made), ctypes.c_void_p(seen))
        return Layout(made.value or 0)

    def next(self) -> bool:
        """Turn to the next implementation; False when there is none."""
        return library().call("dnnl_primitive_desc_next_impl", self.pointer) == 0


def choose(kind: str, *arguments: object, hint: bool = False, avoid: str = "ref", add: bool = False) -> Choice:
    """The first implementation of a primitive that is no reference, nor one whose name starts with `avoid`.

    `hint`: the descriptor is only wanted as the forward hint of a backward one, any implementation will do.
    `add`: the result is added to what lies in the output.
    Raises Unsupported when oneDNN has none.
    """
    choice = describe(kind, *arguments, add=add)
    if hint:
        return choice
    wanted = None if kind == "reorder" else named()
    if kind != "reorder" and (names := listed()) is not None:
        names += _implementations(describe(kind, *arguments, add=add))
    while not _fits(choice.implementation, wanted, avoid):
        if not choice.next():
            raise Unsupported(f"oneDNN has only {choice.implementation} for this {kind}")
    return choice


def _fits(implementation: str, wanted: str | None, avoid: str) -> bool:
    """Whether an implementation is no reference and the one named or, where none is, not to be avoided."""
    if is_reference(implementation):
        return False
    return implementation == wanted if wanted else not implementation.startswith(avoid)


def _implementations(choice: "Choice") -> list[str]:
    """The names of all that are no reference; the descriptor is used up."""
    found = [choice.implementation]
    while choice.next():
        found.append(choice.implementation)
    return [name for name in found if not is_reference(name)]


def describe(kind: str, *arguments: object, add: bool = False) -> Choice:
    """A primitive's descriptor, with oneDNN's own choice. Raises Unsupported when it has none."""
    made = ctypes.c_void_p()
    given = tuple(a.pointer if isinstance(a, Owned) else a for a in arguments)
    attributes = _attributes(add).pointer
    status = library().call(f"dnnl_{kind}_primitive_desc_create", ctypes.byref(made), *_placed(kind, given), attributes)
    if status in (_INVALID, _UNIMPLEMENTED):
        raise Unsupported(f"oneDNN has no {kind}")
    if status:
        raise KernelError(f"oneDNN: describing {kind} returned status {status}")
    return Choice(made.value or 0)


def _placed(kind: str, given: tuple[object, ...]) -> tuple[object, ...]:
    """The engine comes first, but a reorder has one at each end."""
    engine = library().engine
    return (given[0], engine, given[1], engine) if kind == "reorder" else (engine, *given)


def is_reference(implementation: str) -> bool:
    """Whether this is one of oneDNN's plain loops.

    >>> is_reference("ref:any"), is_reference("gemm:ref"), is_reference("brg:avx512_core")
    (True, True, False)
    """
    return any(part.startswith("ref") for part in implementation.split(":"))


@lru_cache(2)
def _attributes(add: bool) -> Owned:
    """What primitives have in common: scratch memory is ours. With `add`, the output's old value is added."""
    made = ctypes.c_void_p()
    library().need("dnnl_primitive_attr_create", ctypes.byref(made))
    library().need("dnnl_primitive_attr_set_scratchpad_mode", made, _USER_SCRATCHPAD)
    if add:
        copied = _sum()
        library().need("dnnl_primitive_attr_set_post_ops", made, copied.pointer)
    return Owned("primitive_attr", made.value or 0)


def _sum() -> Owned:
    """The post-op that adds what lies in the output, as it is and in its own dtype."""
    made = ctypes.c_void_p()
    library().need("dnnl_post_ops_create", ctypes.byref(made))
    library().need("dnnl_post_ops_append_sum", made, number(1.0), ctypes.c_int32(0), 0)
    return Owned("post_ops", made.value or 0)


class Primitive(Owned):
    """A primitive ready to execute."""

    def __init__(self, choice: Choice) -> None:
        made = ctypes.c_void_p()
        library().need("dnnl_primitive_create", ctypes.byref(made), choice.pointer)
        super().__init__("primitive", made.value or 0)


class Memory(Owned):
    """Memory at an address, seen in a layout; the memory itself stays the caller's."""

    def __init__(self, layout: Layout, address: int) -> None:
        made = ctypes.c_void_p()
        library().need(
            "dnnl_memory_create", ctypes.byref(made), layout.pointer, library().engine, ctypes.c_void_p(address)
        )
        super().__init__("memory", made.value or 0)
