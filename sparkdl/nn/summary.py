"""A network as a table of text."""

from collections.abc import Sequence

from sparkdl.nn.params import ParamSpec
from sparkdl.nn.topology import Topology, batched

Row = tuple[str, ...]


def table(topology: Topology) -> str:
    """One line a layer: name, kind, output shape, parameters, and what feeds it where that is not the line above.

    >>> from sparkdl.nn.layers.dense import Dense
    >>> from sparkdl.nn.wiring import Node
    >>> print(table(Topology({"x": (4,)}, (Node(Dense(3)), Node(Dense(2, use_bias=False))))))
    Layer (type)     Output shape  Parameters
    -----------------------------------------
    x (Input)        (None, 4)              0
    dense (Dense)    (None, 3)             15
    dense_1 (Dense)  (None, 2)              6
    -----------------------------------------
    Total parameters: 21 (84 B)
    Trainable:        21 (84 B)
    Not trainable:    0 (0 B)
    """
    rows = _rows(topology)
    if _follows(topology):
        rows = [row[:3] for row in rows]
    lines = _aligned(rows)
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:], rule, *_totals(list(topology.params().values()))])


def _rows(topology: Topology) -> list[Row]:
    specs, params = topology.specs(2), topology.params_by_layer
    rows: list[Row] = [("Layer (type)", "Output shape", "Parameters", "Fed by")]
    rows += [(f"{name} (Input)", batched(specs[name].shape), "0", "") for name in topology.inputs]
    for node in topology.layers:
        count = sum(p.size for p in params[node.name].values())
        rows.append((str(node), batched(specs[node.name].shape), f"{count:,}", ", ".join(node.inputs)))
    return rows


def _follows(topology: Topology) -> bool:
    """Whether each layer is fed by the one before it alone."""
    names = [*topology.inputs, *(n.name for n in topology.layers)]
    return len(topology.inputs) == 1 and all(n.inputs == (b,) for n, b in zip(topology.layers, names, strict=False))


def _aligned(rows: Sequence[Row]) -> list[str]:
    """Columns two blanks apart; numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    put = (str.ljust, str.ljust, str.rjust, str.ljust)
    return ["  ".join(p(c, w) for p, c, w in zip(put, row, widths, strict=False)).rstrip() for row in rows]


def _totals(params: Sequence[ParamSpec]) -> list[str]:
    trained = sum(p.size for p in params if p.trainable)
    total = sum(p.size for p in params)
    pairs = (("Total parameters:", total), ("Trainable:", trained), ("Not trainable:", total - trained))
    return [f"{label:<17} {count:,} ({_bytes(4 * count)})" for label, count in pairs]


def _bytes(n: float) -> str:
    """A number of bytes as Keras writes it.

    >>> _bytes(84), _bytes(4096)
    ('84 B', '4.00 KB')
    """
    if n < 1024:
        return f"{n:.0f} B"
    for unit in ("KB", "MB"):
        n /= 1024
        if n < 1024:
            return f"{n:.2f} {unit}"
    return f"{n / 1024:.2f} GB"
