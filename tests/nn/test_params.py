"""Layout and drawing of the flat parameter vector."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.rng import Key
from sparkdl.nn.init import Constant, GlorotUniform, Ones, Orthogonal, RandomNormal
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.params import Layout, ParamSpec, aligned, initialize
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node

SPECS = {
    "a/kernel": ParamSpec((5, 3), GlorotUniform()),
    "n/mean": ParamSpec((3,), Constant(2.0), trainable=False),
    "b/kernel": ParamSpec((4, 8), Ones()),
    "b/bias": ParamSpec((1,), Ones()),
}


def test_trained_block_comes_first_and_each_tensor_starts_on_64_bytes():
    plan = Layout.of(SPECS)
    assert [(s.name, s.offset) for s in plan] == [("a/kernel", 0), ("b/kernel", 16), ("b/bias", 48), ("n/mean", 64)]
    assert (plan.trainable_size, plan.size, len(plan)) == (64, 80, 4)


def test_views_share_the_vector_and_gaps_stay_zero():
    plan = Layout.of(SPECS)
    vector = initialize(plan, SPECS, 0)
    views = plan.views(vector)
    assert all(v.ctypes.data % 64 == 0 and np.shares_memory(v, vector) for v in views.values())
    for view in views.values():
        view[...] = 7
    assert (vector == 7).sum() == sum(s.size for s in SPECS.values())
    assert not vector[15] and not vector[49:64].any() and not vector[67:].any()


def test_layout_of_nothing():
    plan = Layout.of({})
    assert (plan.size, plan.trainable_size, plan.views(aligned(0))) == (0, 0, {})


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ShapeError, match=r"must be \(80,\). Got \(79,\)"):
        Layout.of(SPECS).views(np.zeros(79, np.float32))


def test_only_float32():
    with pytest.raises(ShapeError, match="a/ids: parameters are float32"):
        Layout.of({"a/ids": ParamSpec((3,), Ones(), dtype="int64")})


@pytest.mark.parametrize("n", [0, 1, 15, 1000])
def test_aligned(n):
    made = aligned(n)
    assert made.shape == (n,) and made.dtype == np.float32 and not made.any()
    assert n == 0 or made.ctypes.data % 64 == 0  # an empty array has no address to speak of


def test_the_same_seed_gives_the_same_weights_whatever_the_order():
    backwards = dict(reversed(SPECS.items()))
    one, two = Layout.of(SPECS), Layout.of(backwards)
    a, b = one.views(initialize(one, SPECS, 3)), two.views(initialize(two, backwards, 3))
    other = one.views(initialize(one, SPECS, 4))
    for name in SPECS:
        np.testing.assert_array_equal(a[name], b[name])
    assert (a["a/kernel"] != other["a/kernel"]).all()


def test_layers_with_equal_initialisers_differ():
    net = Topology({"x": (4,)}, (Node(Dense(4)), Node(Dense(4))))
    plan = Layout.of(net.params())
    views = plan.views(initialize(plan, net.params(), 0))
    assert (views["dense/kernel"] != views["dense_1/kernel"]).all()


def test_an_initialiser_with_its_own_seed_ignores_the_networks():
    specs = {name: ParamSpec((9,), RandomNormal(seed=1)) for name in ("a/w", "b/w")}
    plan = Layout.of(specs)
    one, two = (plan.views(initialize(plan, specs, seed)) for seed in (0, 1))
    np.testing.assert_array_equal(one["a/w"], one["b/w"])
    np.testing.assert_array_equal(one["a/w"], two["a/w"])


def test_a_frozen_layer_has_no_trained_parameter():
    net = Topology({"x": (4,)}, (Node(Dense(4, trainable=False)), Node(BatchNormalization(trainable=False))))
    assert Layout.of(net.params()).trainable_size == 0


def test_orthogonal_is_orthogonal_and_wants_two_axes():
    w = Orthogonal(2.0)((3, 4, 5), Key.of(0)).reshape(12, 5)
    np.testing.assert_allclose(w.T @ w, 4 * np.eye(5), atol=1e-5)
    with pytest.raises(ShapeError, match="two axes or more"):
        Orthogonal()((3,), Key.of(0))


def test_initial_weights_do_not_change_between_releases():
    """Seeds are promises: a run of last year must repeat."""
    got = [float(x) for x in GlorotUniform()((2, 2), Key.of(0).fold("init", "dense/kernel")).ravel()]
    assert got == pytest.approx(PINNED, rel=1e-6)


PINNED = [-1.0596569776535034, 0.4211047887802124, -0.471383273601532, 1.0786362886428833]
