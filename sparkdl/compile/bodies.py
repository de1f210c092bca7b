"""Bodies of loops and branches as programs of their own, inside of the program that they stand in."""

from collections.abc import Sequence

import numpy as np

from sparkdl.compile.memory import ALIGN
from sparkdl.graph.loop_kernels import Run, serve
from sparkdl.graph.trace import Body
from sparkdl.kernels.table import Array, Arrays
from sparkdl.kernels.threads import count


def as_program(body: Body, fixed: Arrays) -> Run:
    """A body compiled for the threads of now. It reads `fixed`, its last inputs, where they lie if that can be."""
    from sparkdl.compile.pipeline import compile

    free = len(body.ins) - len(fixed)
    lie = {str(free + k): x for k, x in enumerate(fixed) if _usable(x)}
    wanted = {str(k): body.graph.sym(ref) for k, ref in enumerate(body.outs)}
    program = compile(body.graph, wanted, bind=lie, threads=count(), tune=0.0)
    places = [program.inputs[str(k)] for k in range(free)]
    copied = [(program.inputs[str(free + k)], x) for k, x in enumerate(fixed) if str(free + k) not in lie]
    own = _apart([program.outputs[name] for name in wanted], list(program.inputs.values()))

    def run(values: Sequence[Array]) -> list[Array]:
        for place, value in zip(places, values, strict=True):
            place[...] = value
        for place, value in copied:
            place[...] = value
        program.run()
        for place, value in own:
            if place is not value:
                place[...] = value
        return [place for place, _ in own]

    return run


def _usable(x: Array) -> bool:
    """Whether a program can read an array as it lies."""
    return bool(x.flags.c_contiguous and x.ctypes.data % ALIGN == 0)


def _apart(outputs: list[Array], inputs: list[Array]) -> list[tuple[Array, Array]]:
    """Outputs, and where they are given from: those that are inputs' memory from a copy, as inputs are written next."""
    return [(np.empty_like(y) if any(np.may_share_memory(y, x) for x in inputs) else y, y) for y in outputs]


serve("numpy", as_program)
