"""The errors that sparkdl raises on purpose, so that a caller can tell them from a bug.

SparkdlError
  ConfError      (ValueError)    a record or a conf file says something that cannot be
  ShapeError     (ValueError)    arrays or layers that do not fit together
    DTypeError   (TypeError)     elements of a kind that an op does not take
    AxisError    (IndexError)    an axis that an array does not have
  BoundsError    (IndexError)    an index outside of an array
  DataError      (ValueError)    a table that cannot be trained on or scored
  ArchiveError   (ValueError)    a saved file that is damaged, foreign or hostile
  ClusterError   (RuntimeError)  Spark cannot give what the job needs
  KernelError    (RuntimeError)  a kernel failed or is missing
"""


class SparkdlError(Exception):
    """What all of them are."""


class ConfError(SparkdlError, ValueError):
    """A value in a record or conf. `path` leads to it; `what` says the fault.

    >>> str(ConfError("units must be an int >= 1. Got -3.", ("network", "layers", 2)))
    'network.layers[2]: units must be an int >= 1. Got -3.'
    """

    def __init__(self, what: str, path: tuple[str | int, ...] = ()) -> None:
        self.what, self.path = what, path
        super().__init__(f"{dotted(path)}: {what}" if path else what)

    def under(self, *path: str | int) -> "ConfError":
        """The same fault, seen from further out."""
        return ConfError(self.what, (*path, *self.path))


class ShapeError(SparkdlError, ValueError):
    """Shapes or dtypes that do not fit."""


class DTypeError(ShapeError, TypeError):
    """Dtypes that do not fit."""


class AxisError(ShapeError, IndexError):
    """An axis that is not there, or given twice."""


class BoundsError(SparkdlError, IndexError):
    """An index that leads out of an array."""


class DataError(SparkdlError, ValueError):
    """A table that cannot be used as asked."""


class ArchiveError(SparkdlError, ValueError):
    """A file that is not what it should be."""


class ClusterError(SparkdlError, RuntimeError):
    """Spark lacks what the job needs, or lost it."""


class KernelError(SparkdlError, RuntimeError):
    """A kernel failed, or none serves."""


def dotted(path: tuple[str | int, ...]) -> str:
    """('network', 'layers', 2, 'units') -> 'network.layers[2].units'."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
