"""Fuse: patterns of nodes that one kernel does. A fusion is one row of `RULES` and its function here."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sparkdl.base.spec import Spec
from sparkdl.compile.rewrite import live, topological
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels.codegen.numba_source import COMPILED
from sparkdl.nd.op import Op
from sparkdl.nd.ops.analysis import Relu
from sparkdl.nd.ops.arithmetic import Add
from sparkdl.nd.ops.conv import Conv2d, Conv2dBias, Conv2dBiasAdd, Conv3d, Conv3dBias
from sparkdl.nd.ops.layernorm import LayerNorm, LayerNormResidual
from sparkdl.nd.ops.matmul import Linear, MatMul
from sparkdl.nd.ops.norm import BatchNorm, BatchNormRelu
from sparkdl.nd.ops.reduce import Sum
from sparkdl.nd.ops.shape import Reshape
from sparkdl.nd.ops.sigmoid import SigmoidXent, SigmoidXentBoth, SigmoidXentGrad
from sparkdl.nd.ops.softmax import SoftmaxXent, SoftmaxXentBoth, SoftmaxXentGrad

DROPPED = "(dropped)"


@dataclass
class Edit:
    """A graph being changed: nodes by their old numbers, and values that stand for others."""

    nodes: list[Node]
    outputs: dict[str, Ref]
    same: dict[Ref, Ref]

    def ref(self, ref: Ref) -> Ref:
        """The value that stands for `ref` by now."""
        while ref in self.same:
            ref = self.same[ref]
        return ref

    def spec(self, ref: Ref) -> Spec:
        """What is known of a value."""
        node, output = self.ref(ref)
        return self.nodes[node].outs[output]

    def users(self, ref: Ref) -> int:
        """How many read a value, outputs included."""
        reads = [self.ref(r) for node in self.nodes for r in node.ins] + [self.ref(r) for r in self.outputs.values()]
        return reads.count(ref)

    def drop(self, k: int) -> None:
        """Forget a node whose values nobody reads: it is no reader of others."""
        self.nodes[k] = Node(None, (), self.nodes[k].outs, DROPPED)

    def only(self, ref: Ref, kind: type[Op]) -> Node | None:
        """The node that makes `ref`, when it is of that kind and nobody else reads the value."""
        node = self.nodes[self.ref(ref)[0]]
        return node if isinstance(node.op, kind) and self.users(self.ref(ref)) == 1 else None


def fuse(graph: Graph) -> Graph:
    """The graph with every pattern of RULES replaced."""
    edit = Edit(*begun(graph))
    for rule in RULES:
        for k in range(len(graph.nodes)):
            rule(edit, k)
    return written(edit)


def biased_product(edit: Edit, k: int) -> None:
    """x w + b -> linear."""
    _biased(edit, k, MatMul, lambda op: None if op.ta or op.tb else Linear("linear"))  # type: ignore[attr-defined]


def biased_convolution(edit: Edit, k: int) -> None:
    """conv2d(x, w) + b -> conv2d_bias, and the same of volumes."""
    _biased(edit, k, Conv2d, lambda op: Conv2dBias(op.strides, op.padding, op.dilation, op.groups))  # type: ignore[attr-defined]
    _biased(edit, k, Conv3d, lambda op: Conv3dBias(op.strides, op.padding, op.dilation, op.groups))  # type: ignore[attr-defined]


def _biased(edit: Edit, k: int, kind: type[Op], make: Callable[[Op], Op | None]) -> None:
    node = edit.nodes[k]
    if not isinstance(node.op, Add):
        return
    for product, bias in (node.ins, node.ins[::-1]):
        inner = edit.only(product, kind)
        if inner is None or inner.op is None or edit.spec(bias).shape != node.outs[0].shape[-1:]:
            continue
        if inner.outs[0] == node.outs[0] and (made := make(inner.op)) is not None:
            edit.drop(edit.ref(product)[0])
            edit.nodes[k] = Node(made, (*inner.ins, bias), node.outs, node.label)
            return


def residual_convolution(edit: Edit, k: int) -> None:
    """conv2d_bias + r -> conv2d_bias_add, where nobody needs r any more: the sum is done in its memory.

    Not below a relu: one loop for both is faster than oneDNN's sum and a pass (ResNet-50, 8 images: 187 ms for the
    convolutions and these loops, 196 so).
    """
    node = edit.nodes[k]
    if not isinstance(node.op, Add) or any(isinstance(n.op, Relu) and (k, 0) in n.ins for n in edit.nodes):
        return
    for value, r in (node.ins, node.ins[::-1]):
        inner, at = edit.only(value, Conv2dBias), edit.ref(value)[0]
        op = inner.op if inner is not None else None
        if inner is None or not isinstance(op, Conv2dBias) or op.act != "linear":
            continue
        if edit.spec(r) == inner.outs[0] and not _depends(edit, edit.ref(r)[0], at) and _last(edit, r, k):
            edit.nodes[k] = Node(Conv2dBiasAdd(*op.window()), (*inner.ins, r), node.outs, node.label)
            edit.drop(at)
            return


def _last(edit: Edit, ref: Ref, k: int) -> bool:
    """Whether node k needs all others that read a value made by an op, and it is no output."""
    ref = edit.ref(ref)
    others = [n for n, node in enumerate(edit.nodes) if n != k and ref in map(edit.ref, node.ins)]
    inner = edit.nodes[ref[0]].op is not None and ref not in map(edit.ref, edit.outputs.values())
    return inner and all(_depends(edit, k, n) for n in others)


def activated(edit: Edit, k: int) -> None:
    """relu(linear), relu(conv2d_bias) and relu(conv3d_bias) -> the same with act="relu"."""
    node = edit.nodes[k]
    if not isinstance(node.op, Relu):
        return
    for kind in (Linear, Conv2dBias, Conv3dBias):
        inner = edit.only(node.ins[0], kind)
        if inner is not None and inner.op is not None:
            edit.drop(edit.ref(node.ins[0])[0])
            edit.nodes[k] = Node(replace(inner.op, act="relu"), inner.ins, node.outs, node.label)  # type: ignore[call-arg]
            return


def activated_below(edit: Edit, k: int) -> None:
    """relu(reshape(linear)) -> reshape(linear with act="relu"): a dense layer over more axes than two."""
    node = edit.nodes[k]
    if not isinstance(node.op, Relu) or (shaped := edit.only(node.ins[0], Reshape)) is None:
        return
    inner = edit.only(shaped.ins[0], Linear)
    if inner is not None and inner.op is not None:
        made = Node(replace(inner.op, act="relu"), inner.ins, inner.outs, inner.label)  # type: ignore[call-arg]
        edit.nodes[edit.ref(shaped.ins[0])[0]] = made
        edit.same[(k, 0)] = edit.ref(node.ins[0])


def summed_below(edit: Edit, k: int) -> None:
    """sum(reshape(f(x))) -> sum(f(reshape(x))) for an elementwise f: the sum, a bias's gradient, can join its loop."""
    node = edit.nodes[k]
    if isinstance(node.op, Sum):
        _lifted(edit, edit.ref(node.ins[0])[0])


def _lifted(edit: Edit, k: int) -> None:
    """reshape(f(x)) -> f(reshape(x)), and so on above."""
    node = edit.nodes[k]
    if not isinstance(node.op, Reshape) or (inner := _elementwise(edit, node.ins[0])) is None:
        return
    edit.nodes[edit.ref(node.ins[0])[0]] = Node(None, (), inner.outs, DROPPED)
    shaped = {r: _reshaped(edit, r, node.outs[0].shape) for r in map(edit.ref, inner.ins)}
    edit.nodes[k] = replace(inner, ins=tuple(shaped[edit.ref(r)] for r in inner.ins), outs=node.outs)
    for ref in shaped.values():
        _lifted(edit, ref[0])


def _reshaped(edit: Edit, ref: Ref, shape: tuple[int, ...]) -> Ref:
    """The value under another shape by a new node; a number as it is."""
    spec = edit.spec(ref)
    if spec.shape == ():
        return ref
    edit.nodes.append(Node(Reshape(shape), (ref,), (Spec(shape, spec.dtype),), edit.nodes[ref[0]].label))
    return len(edit.nodes) - 1, 0


def _elementwise(edit: Edit, ref: Ref) -> Node | None:
    """The elementwise node that makes `ref` for one reader alone, from numbers and values of its own shape."""
    node = edit.nodes[edit.ref(ref)[0]]
    if node.op is None or node.op.name not in COMPILED or not node.outs[0].shape or edit.users(edit.ref(ref)) != 1:
        return None
    return node if all(edit.spec(r).shape in ((), node.outs[0].shape) for r in node.ins) else None


def softmax_loss(edit: Edit, k: int) -> None:
    """The softmax cross-entropy and its gradient in one kernel, when the gradient of the losses does not need them."""
    node = edit.nodes[k]
    if not isinstance(node.op, SoftmaxXentGrad):
        return
    probs = edit.ref(node.ins[0])
    forward = edit.only(probs, SoftmaxXent)
    if forward is None or _depends(edit, node.ins[2][0], probs[0]):
        return
    made = Node(SoftmaxXentBoth(), (*forward.ins, node.ins[2]), (forward.outs[0], node.outs[0]), forward.label)
    edit.nodes[probs[0]] = made
    edit.same[(k, 0)] = (probs[0], 1)


def sigmoid_loss(edit: Edit, k: int) -> None:
    """The binary cross-entropy of logits and its gradient in one kernel, under the same condition."""
    node = edit.nodes[k]
    if not isinstance(node.op, SigmoidXentGrad):
        return
    probs = edit.ref(node.ins[0])
    forward = edit.only(probs, SigmoidXent)
    if forward is None or _depends(edit, edit.ref(node.ins[-1])[0], probs[0]):
        return
    made = Node(SigmoidXentBoth(), (*forward.ins, node.ins[-1]), (forward.outs[0], node.outs[0]), forward.label)
    edit.nodes[probs[0]] = made
    edit.same[(k, 0)] = (probs[0], 1)


def sigmoid_total(edit: Edit, k: int) -> None:
    """The sum of that gradient over the rows, which is a bias's, in the same kernel."""
    node = edit.nodes[k]
    if not isinstance(node.op, Sum) or node.op.axes != (0,) or node.op.keepdims:
        return
    at, number = edit.ref(node.ins[0])
    both = edit.nodes[at]
    if isinstance(both.op, SigmoidXentBoth) and not both.op.total and number == 1:
        edit.nodes[at] = Node(SigmoidXentBoth(total=True), both.ins, (*both.outs, node.outs[0]), both.label)
        edit.same[(k, 0)] = (at, 2)


def sigmoid_bias(edit: Edit, k: int) -> None:
    """The bias of the layer below is added to the logits where they are read anyway, and not by the product."""
    node = edit.nodes[k]
    if not isinstance(node.op, SigmoidXentBoth) or node.op.bias:
        return
    below = edit.only(node.ins[0], Linear)
    if below is not None and isinstance(below.op, Linear) and below.op.act == "linear":
        edit.nodes[edit.ref(node.ins[0])[0]] = Node(MatMul(), below.ins[:2], below.outs, below.label)
        edit.nodes[k] = Node(replace(node.op, bias=True), (*node.ins, below.ins[2]), node.outs, node.label)


def residual_norm(edit: Edit, k: int) -> None:
    """layer_norm(a + b) -> layer_norm_residual, which also gives the sum that the gradient needs."""
    node = edit.nodes[k]
    if not isinstance(node.op, LayerNorm):
        return
    at = edit.ref(node.ins[0])[0]
    total, late = edit.nodes[at], [edit.ref(r) for r in node.ins[1:]]
    if not isinstance(total.op, Add) or any(edit.spec(r) != total.outs[0] for r in total.ins):
        return
    if any(_depends(edit, r[0], at) for r in late):
        return
    edit.nodes[at] = Node(LayerNormResidual(node.op.eps), (*total.ins, *late), (*total.outs, *node.outs), node.label)
    edit.same |= {(k, o): (at, o + 1) for o in range(3)}


def activated_norm(edit: Edit, k: int) -> None:
    """relu(batch_norm(x)), and relu(batch_norm(x) + r), in one op; its gradient reads the mask from the result."""
    node = edit.nodes[k]
    if not isinstance(node.op, Relu):
        return
    total = edit.only(node.ins[0], Add)
    for value, *shortcut in (node.ins,) if total is None else (total.ins, total.ins[::-1]):
        norm, at = edit.only(value, BatchNorm), edit.ref(value)[0]
        if norm is None or edit.ref(value)[1] != 0 or any(edit.spec(r) != node.outs[0] for r in (value, *shortcut)):
            continue
        if any(_depends(edit, edit.ref(r)[0], at) for r in shortcut):
            continue
        ins, outs = (*norm.ins, *shortcut), (*node.outs, *norm.outs[1:])
        edit.nodes[k] = Node(BatchNormRelu(norm.op.eps), ins, outs, norm.label)  # type: ignore[union-attr]
        edit.drop(at)
        edit.same |= {(at, o): (k, o) for o in (1, 2)}
        return


RULES = (
    biased_product,
    biased_convolution,
    residual_convolution,
    activated,
    activated_below,
    summed_below,
    softmax_loss,
    sigmoid_loss,
    sigmoid_total,
    sigmoid_bias,
    residual_norm,
    activated_norm,
)


def _depends(edit: Edit, k: int, on: int) -> bool:
    """Whether node k needs node `on`."""
    todo, seen = [k], set[int]()
    while todo:
        at = todo.pop()
        if at == on:
            return True
        if at not in seen:
            seen.add(at)
            todo += [edit.ref(r)[0] for r in edit.nodes[at].ins]
    return False


def begun(graph: Graph) -> tuple[list[Node], dict[str, Ref], dict[Ref, Ref]]:
    """What an Edit of a graph starts from: nodes that nobody needs are no users of others."""
    alive = set(live(graph))
    kept = [node if k in alive else Node(None, (), node.outs, DROPPED) for k, node in enumerate(graph.nodes)]
    return kept, graph.outputs, {}


def written(edit: Edit) -> Graph:
    """The edited nodes as a graph, in an order that holds again."""
    alive = {k for k, node in enumerate(edit.nodes) if node.label != DROPPED}
    changed = Graph([Node(n.op, tuple(map(edit.ref, n.ins)), n.outs, n.label, n.data) for n in edit.nodes])
    changed.outputs = {name: edit.ref(ref) for name, ref in edit.outputs.items()}
    return topological(changed, alive)
