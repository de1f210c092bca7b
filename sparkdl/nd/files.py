"""Arrays in files: .npy (NumPy's format, numpy.org/doc/stable/reference/generated/numpy.lib.format.html) and .npz.

Nothing that a file says is trusted: sizes are held against the bytes there are before memory is taken, and Python
objects, which only pickle could read, are refused both ways. A path is written beside its place and renamed.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import ArchiveError, DTypeError
from sparkdl.base.spec import BFLOAT16, ITEMSIZE
from sparkdl.nd import npy
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.elementwise import array
from sparkdl.nd.mapped import mapped
from sparkdl.nd.npz import MOST, Arrays, pack
from sparkdl.nd.op import is_eager

File = str | os.PathLike[str] | IO[bytes]
_SIGNS = (  # first bytes of files that are none of ours, and what they are
    (b"\x80\x02", "a pickle"), (b"\x80\x03", "a pickle"), (b"\x80\x04", "a pickle"), (b"\x80\x05", "a pickle"),
    (b"\x89HDF", "an HDF5 file"), (b"PAR1", "a Parquet file"), (b"ARROW1", "an Arrow file"),
    (b"\x1f\x8b", "a gzip file: unpack it first"),
)  # fmt: skip


def save(file: File, x: Any) -> None:
    """Write an array as .npy.

    file: a path, taken as it is (no ending is added), or an open binary file
    x:    an array; Fortran order is kept. Raises DTypeError for bfloat16, which .npy has not (safetensors has), and
          for objects

    >>> import io
    >>> file = io.BytesIO()
    >>> save(file, NDArray([1.0, 2.0])); _ = file.seek(0); load(file)
    NDArray([1., 2.], dtype=float32, device=cpu)
    """
    data = _data("save", x)
    with output(file) as out:
        npy.write(out, data)


def savez(file: File, /, *arrays: Any, **named: Any) -> None:
    """Write arrays as .npz, a zip of .npy files; without a name as arr_0, arr_1, ... Equal arrays, equal bytes."""
    _savez(file, arrays, named, False)


def savez_compressed(file: File, /, *arrays: Any, **named: Any) -> None:
    """As `savez`, with every array deflated."""
    _savez(file, arrays, named, True)


def _savez(file: File, arrays: tuple[Any, ...], named: dict[str, Any], compressed: bool) -> None:
    numbered = {f"arr_{k}": x for k, x in enumerate(arrays)}
    if both := sorted(numbered.keys() & named.keys()):
        raise ValueError(f"savez: {both[0]} is the name of an array without a name, too. Give it another.")
    members = {name: _data("savez", x) for name, x in (numbered | named).items()}
    with output(file) as out:
        pack(out, members, compressed)


def load(file: File, *, mmap: bool = False, most: int = MOST) -> Any:
    """The array of a .npy file, or the arrays of a .npz by name: a read-only mapping that reads each when asked.

    file: a path, or an open binary file; of one that holds several .npy, the next
    mmap: an array in the file's own memory pages, read-only and not copied; of a .npy at a path only. Cutting the file
          while the array lives ends the process, as with every mapped file
    most: bytes that an array of a compressed .npz may take; more is refused, because a few bytes can say anything

    Raises ArchiveError naming file and fault for what is damaged, cut off, hostile, pickled or of another format, and
    the system's OSError for a path that cannot be opened.
    """
    if mmap:
        return wrap(_mapped(file))
    if not isinstance(file, str | os.PathLike):
        return _loaded(file, str(getattr(file, "name", "the file")), most)
    opened = open(file, "rb")  # noqa: SIM115  a .npz keeps it
    made = None
    try:
        made = _loaded(opened, os.fspath(file), most)
    finally:
        if not isinstance(made, Arrays):
            opened.close()
    return made


def _loaded(file: IO[bytes], origin: str, most: int) -> NDArray | Arrays:
    head = file.read(len(npy.MAGIC))
    if head == npy.MAGIC:
        return wrap(npy.read(file, origin))
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):  # the second begins a zip without members
        file.seek(-len(head), os.SEEK_CUR)
        return Arrays(file, origin, most)
    what = next((f"It is {what}" for sign, what in _SIGNS if head.startswith(sign)), f"It begins with {head!r}")
    raise ArchiveError(f"{origin}: must be a .npy or .npz file. {'It is empty' if not head else what}.")


def _mapped(file: File) -> Numpy[Any]:
    if not isinstance(file, str | os.PathLike):
        raise ValueError(f"load: mmap needs a path. Got {type(file).__name__}.")
    with open(file, "rb") as opened:
        if opened.read(len(npy.MAGIC)) != npy.MAGIC:
            raise ArchiveError(f"{os.fspath(file)}: must be a .npy file to be mapped; an .npz is read array by array.")
        header = npy.header(opened, os.fspath(file))
        return header.placed(mapped(opened), opened.tell(), os.fspath(file))


@contextlib.contextmanager
def output(file: File) -> Iterator[IO[bytes]]:
    """An open file as it is; for a path one beside it, which takes its place once the block has ended well."""
    if not isinstance(file, str | os.PathLike):
        yield file
        return
    path = os.path.abspath(os.fspath(file))
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name}.{os.urandom(6).hex()}.part")
    try:
        with open(beside, "xb") as opened:
            yield opened
        os.replace(beside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)


def _data(who: str, x: Any) -> Numpy[Any]:
    """What is to be written. Raises DTypeError for what .npy has not."""
    if isinstance(x, np.ndarray) and x.dtype.name not in ITEMSIZE:
        raise DTypeError(f"{who}: elements must be numbers or bools; objects would be pickled. Got {x.dtype}.")
    x = array(who, x)
    if not is_eager(x):
        raise TypeError(f"{who}: x must hold its elements. Got {x!r}; return it from the function first.")
    if x.dtype == BFLOAT16:
        raise DTypeError(f"{who}: .npy has no bfloat16. Take save_safetensors, or cast it to float32.")
    return x.numpy()  # type: ignore[no-any-return]
