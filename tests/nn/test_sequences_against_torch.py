"""Layers over rows and sequences against PyTorch: outputs and gradients of another implementation."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.sigmoid import sigmoid_xent
from sparkdl.nd.ops.sparse import csr_matmul
from sparkdl.nn.layer import Ctx
from sparkdl.nn.layers.attention import MultiHeadAttention
from sparkdl.nn.layers.embedding import Embedding
from sparkdl.nn.layers.layernorm import GroupNormalization, LayerNormalization

torch = pytest.importorskip("torch")
RNG = np.random.default_rng


def ours(layer, xs, p, cotangent):
    """y, and the gradients of sum(y cotangent) in the inputs and parameters, by name."""
    graph = Graph()
    ins = [graph.input(f"x{k}", Spec(x.shape)) for k, x in enumerate(xs)]
    held = {k: graph.input(k, Spec(v.shape)) for k, v in p.items()}
    y = layer.apply(held, *ins, ctx=Ctx(True, scope="it"))
    wrt = {f"x{k}": s for k, s in enumerate(ins)} | held
    slopes = grad(graph, sum_of(y * graph.constant(cotangent)), list(wrt.values()))
    program = compile(graph, {"y": y} | dict(zip(wrt, slopes, strict=True)))
    for name, place in program.inputs.items():
        place[...] = p[name] if name in p else xs[int(name[1:])]
    program.run()
    return program.outputs


def draw(*shapes):
    return [RNG(k).normal(size=s).astype("f") for k, s in enumerate(shapes)]


def close(got, want):
    value = want.detach().numpy()
    np.testing.assert_allclose(got, value, rtol=1e-3, atol=1e-5 * max(1.0, np.abs(value).max()))


def weights(layer, *shapes):
    specs = layer.params(*(Spec(s) for s in shapes))
    return {k: RNG([k0, 7]).normal(size=s.shape).astype("f") * 0.5 for k0, (k, s) in enumerate(specs.items())}


def test_layer_normalization():
    x, c = draw((4, 5, 24), (4, 5, 24))
    p = weights(LayerNormalization(epsilon=1e-5), x.shape)
    got = ours(LayerNormalization(epsilon=1e-5), [x], p, c)
    t, gamma, beta = (torch.tensor(v, requires_grad=True) for v in (x, p["gamma"], p["beta"]))
    y = torch.nn.functional.layer_norm(t, (24,), gamma, beta)
    (y * torch.tensor(c)).sum().backward()
    for name, want in (("y", y), ("x0", t.grad), ("gamma", gamma.grad), ("beta", beta.grad)):
        close(got[name], want)


def test_group_normalization():
    x, c = draw((3, 6, 5, 12), (3, 6, 5, 12))
    layer = GroupNormalization(4, epsilon=1e-5)
    p = weights(layer, x.shape)
    got = ours(layer, [x], p, c)
    t, gamma, beta = (torch.tensor(v, requires_grad=True) for v in (x, p["gamma"], p["beta"]))
    y = torch.nn.functional.group_norm(t.permute(0, 3, 1, 2), 4, gamma, beta).permute(0, 2, 3, 1)
    (y * torch.tensor(c)).sum().backward()
    for name, want in (("y", y), ("x0", t.grad), ("gamma", gamma.grad), ("beta", beta.grad)):
        close(got[name], want)


@pytest.mark.parametrize("causal", [False, True])
def test_multi_head_attention(causal):
    query, value, c = draw((2, 9, 16), (2, 11, 16), (2, 9, 16))
    layer = MultiHeadAttention(4, 4, use_causal_mask=causal)
    p = weights(layer, query.shape, value.shape)
    got = ours(layer, [query, value], p, c)
    other = torch.nn.MultiheadAttention(16, 4, batch_first=True)
    with torch.no_grad():
        for k, name in enumerate(("query", "key", "value")):
            other.in_proj_weight[16 * k : 16 * k + 16] = torch.tensor(p[f"{name}_kernel"].reshape(16, 16).T)
            other.in_proj_bias[16 * k : 16 * k + 16] = torch.tensor(p[f"{name}_bias"].ravel())
        other.out_proj.weight[:] = torch.tensor(p["output_kernel"].reshape(16, 16).T)
        other.out_proj.bias[:] = torch.tensor(p["output_bias"])
    q, v = (torch.tensor(x, requires_grad=True) for x in (query, value))
    mask = torch.ones(9, 11, dtype=torch.bool).triu(1) if causal else None
    y = other(q, v, v, attn_mask=mask, need_weights=False)[0]
    (y * torch.tensor(c)).sum().backward()
    close(got["y"], y)
    close(got["x0"], q.grad)
    close(got["x1"], v.grad)
    close(got["output_kernel"].reshape(16, 16).T, other.out_proj.weight.grad)
    close(got["query_kernel"].reshape(16, 16).T, other.in_proj_weight.grad[:16])


def test_embedding():
    ids, (c,) = RNG(1).integers(0, 9, (4, 5)), draw((4, 5, 3))
    p = weights(Embedding(9, 3), (4, 5))
    got = ours(Embedding(9, 3), [ids.astype("f")], p, c)
    table = torch.tensor(p["embeddings"], requires_grad=True)
    y = torch.nn.functional.embedding(torch.tensor(ids), table)
    (y * torch.tensor(c)).sum().backward()
    close(got["y"], y)
    close(got["embeddings"], table.grad)


def test_a_bag_of_embeddings_and_binary_crossentropy():
    ids, (w, v) = RNG(2).integers(0, 40, (6, 7)), draw((40, 16), (6, 7))
    graph = Graph()
    given = {"indptr": np.arange(7) * 7, "indices": ids.ravel(), "values": v.ravel(), "w": w, "u": w.T.copy()}
    held = {k: graph.input(k, Spec(a.shape, a.dtype.name)) for k, a in given.items()}
    csr = held["indptr"], held["indices"], held["values"]
    loss = sum_of(sigmoid_xent(csr_matmul(*csr, held["w"]) @ held["u"], *csr)[0]) * (1 / 6)
    slopes = grad(graph, loss, [held["w"], held["u"]])
    program = compile(graph, {"loss": loss, "dw": slopes[0], "du": slopes[1]})
    for name, place in program.inputs.items():
        place[...] = given[name]
    program.run()

    first, second = torch.tensor(w, requires_grad=True), torch.tensor(w.T.copy(), requires_grad=True)
    y = torch.nn.functional.embedding_bag(torch.tensor(ids), first, mode="sum", per_sample_weights=torch.tensor(v))
    targets = torch.zeros(6, 40).scatter_add_(1, torch.tensor(ids), torch.tensor(v))
    other = torch.nn.functional.binary_cross_entropy_with_logits(y @ second, targets)
    other.backward()
    for got, want in (("loss", other), ("dw", first.grad), ("du", second.grad)):
        close(program.outputs[got], want)


def test_what_does_not_fit_is_named():
    with pytest.raises(ShapeError, match=r"called with \(query, value\)"):
        MultiHeadAttention(2, 3).params(Spec((2, 5, 4)))
    with pytest.raises(ShapeError, match="value and key of one length"):
        MultiHeadAttention(2, 3).params(Spec((2, 5, 4)), Spec((2, 5, 4)), Spec((2, 6, 4)))
    with pytest.raises(ShapeError, match="input_dim must be at most 16777216"):
        Embedding(2**24 + 1, 3).params(Spec((2, 5)))
    with pytest.raises(ShapeError, match="axis must be one of the inputs' axes after the batch axis"):
        LayerNormalization(0).params(Spec((2, 5)))
