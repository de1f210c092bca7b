"""An expression as the Python source of a numba kernel.

One loop over rows and one over columns; a plain loop over all elements where no input is a row or column. An output
may be the very memory of an input (`alias`): then both are one variable, so that LLVM sees it and still vectorises.
A bfloat16 is read and written as the uint16 it is; between, it is a float32 in a register.
A kernel does units start .. stop - 1: rows, or elements in a plain loop. Sums go to the place of its `part`.
A long loop in place goes by stretches, and passes over those that it would leave as they are (`idle.py`).
"""

from sparkdl.base.spec import BFLOAT16, ITEMSIZE
from sparkdl.kernels.codegen.expr import Expr, Instr, Root
from sparkdl.kernels.codegen.idle import LONG, STRETCH, idle

Alias = tuple[tuple[int, int], ...]  # (output, input)

HEAD = '''"""Made by sparkdl.kernels.codegen; do not edit."""
import math
import numpy as np
from numba import carray
from sparkdl.kernels.cpu._numba import as_pointer, double_of, erf, exp, expm1, ints, log, log1p, native, sigmoid, tanh
'''
HEAD_OF_STRETCHES = "from sparkdl.kernels.cpu._stretches import blank, marked, vec\n"
HEAD_OF_BFLOAT = "from sparkdl.kernels.cpu._bfloat import narrowed, widened\n"
KERNEL = """

@native
def kernel(args, start, stop, part):
"""

TEMPLATES = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "divide": "{0} / {1}",
    "power": "{0} ** {1}", "negative": "-{0}", "absolute": "abs({0})", "square": "{0} * {0}",
    "maximum": "{0} if ({0} > {1} or {0} != {0}) else {1}", "minimum": "{0} if ({0} < {1} or {0} != {0}) else {1}",
    "sign": "{T}(1) if {0} > {T}(0) else ({T}(-1) if {0} < {T}(0) else {0} * {T}(0))",
    "floor": "np.floor({0})", "sqrt": "np.sqrt({0})", "rsqrt": "{T}(1) / np.sqrt({0})",
    "relu": "{T}(0) if {0} < {T}(0) else {0}", "exp": "{m}exp({0})", "expm1": "{m}expm1({0})", "log": "{m}log({0})",
    "log1p": "{m}log1p({0})", "tanh": "{m}tanh({0})", "erf": "{m}erf({0})", "sigmoid": "{s}",
    "sin": "np.sin({0})", "cos": "np.cos({0})",
    "greater": "{0} > {1}", "greater_equal": "{0} >= {1}", "less": "{0} < {1}", "less_equal": "{0} <= {1}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}", "logical_and": "{0} and {1}", "logical_or": "{0} or {1}",
    "logical_not": "not {0}", "where": "{1} if {0} else {2}",
}  # fmt: skip
COMPILED = frozenset(TEMPLATES) | {"cast", "const"}
_BARE = {"float32": "", "float64": "math."}
_WIDE_SIGMOID = "np.float64(1) / (np.float64(1) + math.exp(-{0}))"


LITERALS = frozenset((0.0, 1.0, -1.0, 2.0, 0.5, -0.5))  # written into the source; other numbers are arguments


def numbers(expr: Expr) -> list[int]:
    """Constants that are run-time arguments: a kernel is not compiled anew for each learning rate."""
    return [k for k, instr in enumerate(expr.instrs) if instr.op == "const" and instr.const not in LITERALS]


def flat(expr: Expr) -> bool:
    """Whether one loop over all elements does: its units are elements, not rows."""
    return not ({"row", "col"} & set(expr.places)) and all(r.reduce != "rows" for r in expr.roots)


def source(expr: Expr, alias: Alias = (), scattered: int = -1) -> str:
    """The module that defines `kernel`. Its arguments: rows, cols, addresses of inputs, of outputs, then `numbers`.

    scattered: an input with `Scatter`s, if there is one. Behind the numbers come then the addresses of the marks of
    its stretches, of a stretch of zeros for each part and of the scatters, and how many there are. Parts begin with a
    stretch.
    """
    writer = _Writer(expr, dict(alias), scattered)
    head = HEAD + (HEAD_OF_BFLOAT if BFLOAT16 in _dtypes(expr) else "")
    head += (HEAD_OF_STRETCHES if writer.cut else "") + KERNEL
    return head + "".join(f"    {line}\n" for line in writer.lines())


def _dtypes(expr: Expr) -> set[str]:
    specs = (*expr.ins, *(r.spec for r in expr.roots))
    return {s.dtype for s in specs} | {i.dtype for i in expr.instrs}


class _Writer:
    """Writes one kernel; holds the expression and the aliases while it does."""

    def __init__(self, expr: Expr, alias: dict[int, int], scattered: int) -> None:
        self.expr, self.alias, self.scattered = expr, alias, scattered
        self.n = len(expr.ins)
        self.flat = flat(expr)
        self.idle = idle(expr, alias) if self.flat and expr.rows * expr.cols >= LONG else None
        self.cut = self.idle is not None or scattered >= 0
        self.rooted = list(enumerate(expr.roots))
        first = 2 + self.n + len(expr.roots)
        self.given = {k: first + at for at, k in enumerate(numbers(expr))}

    def lines(self) -> list[str]:
        """The body."""
        self.last = 2 + self.n + len(self.expr.roots) + len(self.given)
        out = [f"a = ints(args, {self.last + (4 if self.scattered >= 0 else 0)})", "R = stop - start", "C = a[1]"]
        out += [self._open_input(k) for k in range(self.n)] + self._open_outputs()
        out += self._compute(scalar=True) + self._store(scalar=True)
        if any(not self._is_scalar(r) for r in self.expr.roots):
            out += self._loops()
        out += [f"Y{k}[0] = S{k}" for k, r in self.rooted if r.reduce == "all"]
        return [*out, "return 0"]

    def _is_scalar(self, root: Root) -> bool:
        return root.reduce == "" and self.expr.is_scalar(root.value)

    def _open_input(self, k: int) -> str:
        dtype, where = self.expr.ins[k].dtype, self.expr.places[k]
        if where == "scalar":
            return f"v{k} = {self._read(k, f'carray(as_pointer(a[{2 + k}]), (1,), np.{_np(dtype)})[0]')}"
        shape = {"row": "(C,)", "col": "(R,)", "full": self._full()}[where]
        skipped = {"row": "", "col": "start", "full": self._before()}[where]
        return f"X{k} = {_array(2 + k, skipped, shape, dtype)}"

    def _full(self) -> str:
        """The shape of an array with an element for each."""
        return "(R,)" if self.flat else "(R, C)"

    def _before(self) -> str:
        """Its elements before the first unit."""
        return "start" if self.flat else "start * C"

    def _read(self, k: int, text: str) -> str:
        """An element of input k."""
        return f"widened({text})" if self.expr.ins[k].dtype == BFLOAT16 else text

    def _open_outputs(self) -> list[str]:
        out = []
        for k, root in self.rooted:
            if k in self.alias and not self._is_scalar(root):
                out.append(f"Y{k} = X{self.alias[k]}")
                continue
            whole = ("", "(1,)") if self._is_scalar(root) else (self._before(), self._full())
            skipped, shape = {"": whole, "rows": ("part * C", "(C,)"), "all": ("part", "(1,)")}[root.reduce]
            out.append(f"Y{k} = {_array(2 + self.n + k, skipped, shape, root.spec.dtype)}")
            out += [f"S{k} = 0.0"] if root.reduce == "all" else []
        return out

    def _compute(self, scalar: bool) -> list[str]:
        """The instructions of the prelude (scalar) or of the inner loop."""
        wanted = [(k, instr) for k, instr in enumerate(self.expr.instrs) if instr.scalar == scalar]
        return [f"v{self.n + k} = {self._text(k, instr)}" for k, instr in wanted]

    def _text(self, k: int, instr: Instr) -> str:
        text = self._computed(k, instr)
        return f"widened(narrowed(np.float32({text})))" if instr.dtype == BFLOAT16 else text

    def _computed(self, k: int, instr: Instr) -> str:
        args = [f"v{a}" for a in instr.args]
        made = f"np.{_register(instr.dtype)}"
        if instr.op == "const":
            return f"{made}({f'double_of(a[{self.given[k]}])' if k in self.given else instr.const})"
        if instr.op == "cast":
            return f"{args[0]} != 0" if instr.dtype == "bool" else f"{made}({args[0]})"
        kind = _register(self.expr.dtype(instr.args[-1]))
        wide = "sigmoid({0})" if kind == "float32" else _WIDE_SIGMOID
        template = TEMPLATES[instr.op].replace("{s}", wide)
        return template.format(*args, T=f"np.{_np(kind)}", m=_BARE.get(kind, "math."))

    def _store(self, scalar: bool) -> list[str]:
        return [f"Y{k}[0] = {_left(r)}" for k, r in self.rooted if scalar and self._is_scalar(r)]

    def _loops(self) -> list[str]:
        if self.cut:
            return self._stretches()
        if self.flat:
            return ["for i in range(R):", *_indent(self._inner("i"))]
        zero = [f"for j in range(C): Y{k}[j] = 0" for k, r in self.rooted if r.reduce == "rows"]
        return [*zero, "for i in range(R):", *_indent(self._row_setup()), *_indent(["for j in range(C):"]),
                *_indent(_indent(self._inner("j")))]  # fmt: skip

    def _stretches(self) -> list[str]:
        """The plain loop piece by piece, but where all inputs that must be zero are."""
        full = [k for k, where in enumerate(self.expr.places) if where == "full"]
        left = [k for k, r in self.rooted if not r.reduce and not self._is_scalar(r)]
        cut = [self._piece(k) for k in full]
        cut += [f"y{k} = " + (f"x{self.alias[k]}" if k in self.alias else f"Y{k}[s:s + {STRETCH}]") for k in left]
        first = self._marked() if self.scattered >= 0 else []
        if self.idle is not None:
            first.append(" and ".join(["calm = True", *(f"0 < v{k} < np.inf" for k in self.idle.positive)]))
            cut.append(f"if {' and '.join(['calm', *(f'blank(x{k})' for k in self.idle.zeros)])}: continue")
        loop = [*cut, f"for i in range(x{full[0]}.shape[0]):", *_indent(self._inner("i"))]
        return [*first, f"for s in range(0, R, {STRETCH}):", *_indent(loop)]

    def _piece(self, k: int) -> str:
        """A stretch of an input; zeros in memory that is at hand where a scattered one is known to be zero."""
        if k != self.scattered:
            return f"x{k} = X{k}[s:s + {STRETCH}]"
        return f"x{k} = vec(a[{2 + k}] + 4 * (start + s) if M[s // {STRETCH}] else Z, min({STRETCH}, R - s))"

    def _marked(self) -> list[str]:
        """The marks of this part's stretches, and its stretch of zeros: nothing that parts share is written."""
        at = self.last
        return [
            f"M = carray(as_pointer(a[{at}] + start // {STRETCH}), ((R + {STRETCH - 1}) // {STRETCH},), np.uint8)",
            f"marked(M, start // {STRETCH}, a[{at + 2}], a[{at + 3}])",
            f"Z = a[{at + 1}] + {4 * STRETCH} * part",
            f"for j in range({STRETCH}): vec(Z, {STRETCH})[j] = 0",
        ]

    def _row_setup(self) -> list[str]:
        """1-D slices of this row: computed offsets would keep LLVM from vectorising."""
        out = [f"x{k} = X{k}[i]" for k, where in enumerate(self.expr.places) if where == "full"]
        out += [f"v{k} = {self._read(k, f'X{k}[i]')}" for k, where in enumerate(self.expr.places) if where == "col"]
        return out + [f"y{k} = Y{k}[i]" for k, r in self.rooted if not r.reduce and not self._is_scalar(r)]

    def _inner(self, index: str) -> list[str]:
        whole = self.flat and not self.cut
        names = {"full": "X" if whole else "x", "row": "X"}
        read = [(k, f"{names[w]}{k}[{index}]") for k, w in enumerate(self.expr.places) if w in names]
        out = [f"v{k} = {self._read(k, text)}" for k, text in read]
        out += self._compute(scalar=False)
        for k, root in self.rooted:
            if root.reduce == "rows":
                out.append(f"Y{k}[{index}] += v{root.value}")
            elif root.reduce == "all":
                out.append(f"S{k} += np.float64(v{root.value})")
            elif not self._is_scalar(root):
                out.append(f"{'Y' if whole else 'y'}{k}[{index}] = {_left(root)}")
        return out


def _array(argument: int, skipped: str, shape: str, dtype: str) -> str:
    """An array at the address in an argument, some elements of it skipped."""
    address = f"a[{argument}] + {ITEMSIZE[dtype]} * {skipped}" if skipped else f"a[{argument}]"
    return f"carray(as_pointer({address}), {shape}, np.{_np(dtype)})"


def _left(root: Root) -> str:
    """What is stored of a root's value."""
    return f"narrowed(v{root.value})" if root.spec.dtype == BFLOAT16 else f"v{root.value}"


def _indent(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _np(dtype: str) -> str:
    """numba's name of a dtype in memory."""
    return {"bool": "bool_", BFLOAT16: "uint16"}.get(dtype, dtype)


def _register(dtype: str) -> str:
    """numba's name of a dtype in a register."""
    return "float32" if dtype == BFLOAT16 else _np(dtype)
