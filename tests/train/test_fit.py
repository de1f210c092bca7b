"""fit: batches, weights, order, validation, history, listeners, what it takes and what it refuses."""

import io

import numpy as np
import pyarrow as pa
import pytest

from sparkdl.base.errors import ConfError, DataError, ShapeError
from sparkdl.data.batches import Batch
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.merge import Concatenate
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.network import Network, Sequential
from sparkdl.nn.topology import Node, Topology
from sparkdl.optim.rules import SGD
from sparkdl.train.fit import fit
from sparkdl.train.listeners import Listener, Progress
from sparkdl.train.trainer import Trainer

N, F = 70, 5
draw = np.random.default_rng(0)
X = draw.normal(size=(N, F)).astype(np.float32)
Y = draw.integers(0, 3, N)
T = (X @ draw.normal(size=F)).astype(np.float32)
W = draw.uniform(0.0, 2.0, N).astype(np.float32)
LOSS = "sparse_categorical_crossentropy"


def classifier():
    return Sequential([Input((F,)), Dense(8, activation="relu"), Dropout(0.2), Dense(3, activation="softmax")]).build(1)


def line():
    return Sequential([Input((F,)), Dense(1)]).build(1)


@pytest.mark.parametrize("weight", [None, W], ids=["even", "weighted"])
def test_the_last_batch_is_weighted_right(weight):
    """Batches of 32, 32, 6 by hand: the gradient of a batch is the mean over *its* examples."""
    network = line()
    kernel, bias = (v.astype(np.float64) for v in network.get_weights())
    network.fit(X, T, loss="mse", optimizer=SGD(0.1), batch_size=32, sample_weight=weight, shuffle=False)
    w = np.ones(N) if weight is None else weight.astype(np.float64)
    for rows in (slice(0, 32), slice(32, 64), slice(64, 70)):
        x, t = X[rows].astype(np.float64), T[rows, None]
        slope = 2 * (x @ kernel + bias - t) * w[rows, None] / len(x)
        kernel, bias = kernel - 0.1 * x.T @ slope, bias - 0.1 * slope.sum(0)
    np.testing.assert_allclose(network.get_weights()[0], kernel, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(network.get_weights()[1], bias, rtol=1e-5, atol=1e-6)


def test_fit_is_its_steps():
    one, other = classifier(), classifier()
    history = one.fit(X, Y, loss=LOSS, optimizer="adam", shuffle=False, seed=4)
    trainer = Trainer(other, LOSS, "adam", seed=4)
    losses = [
        trainer.step(Batch({"input": X[at : at + 32]}, Y[at : at + 32], None, np.arange(at, min(at + 32, N))))
        for at in (0, 32, 64)
    ]
    np.testing.assert_array_equal(one.vector, other.vector)
    assert history.history["loss"] == [pytest.approx(np.average(losses, weights=(32, 32, 6)), rel=1e-12)]


def test_the_same_seed_gives_the_same_bits():
    vectors = []
    for seed in (5, 5, 6):
        network = classifier()
        network.fit(X, Y, loss=LOSS, optimizer="adam", epochs=3, seed=seed)
        vectors.append(network.vector.copy())
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert (vectors[0] != vectors[2]).any()


def test_rows_are_shuffled_anew_in_each_epoch():
    class Losses(Listener):
        seen: list

        def step_end(self, trainer, loss):
            self.seen.append(round(loss, 6))

    first, second = Losses(), Losses()
    for listener, shuffle in ((first, True), (second, False)):
        listener.seen = []
        fit(line(), X, T, loss="mse", optimizer=SGD(0.0), epochs=2, shuffle=shuffle, listeners=[listener])
    assert first.seen[:3] != first.seen[3:]
    assert second.seen[:3] == second.seen[3:]


def test_it_learns():
    network = line()
    history = network.fit(X, T, loss="mse", optimizer="adam", epochs=1, metrics=["r2"])
    network.fit(X, T, loss="mse", optimizer=SGD(0.1), epochs=100)
    assert network.evaluate(X, T)["loss"] < 1e-6 < history.history["loss"][0]


def test_history_and_validation():
    network = classifier()
    history = network.fit(
        X[:50],
        Y[:50],
        loss=LOSS,
        optimizer="adam",
        epochs=2,
        metrics=["accuracy"],
        validation_data=(X[50:], Y[50:], W[50:]),
    )
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history.epoch == [0, 1]
    now = network.evaluate(X[50:], Y[50:], sample_weight=W[50:])
    assert history.history["val_loss"][-1] == pytest.approx(now["loss"], rel=1e-6)
    assert history.history["val_accuracy"][-1] == now["accuracy"]


def test_validation_split_holds_back_the_last_rows():
    one, other = classifier(), classifier()
    held = one.fit(X, Y, loss=LOSS, optimizer="adam", validation_split=0.2, seed=1).history
    given = other.fit(X[:56], Y[:56], loss=LOSS, optimizer="adam", validation_data=(X[56:], Y[56:]), seed=1).history
    assert held == given
    np.testing.assert_array_equal(one.vector, other.vector)


def test_training_is_remembered_as_conf():
    network = classifier()
    network.fit(X, Y, loss=LOSS, optimizer="adam", metrics=["accuracy"])
    assert network.training["loss"]["type"] == "SparseCategoricalCrossentropy"
    assert network.training["optimizer"]["type"] == "Adam"
    assert network.training["metrics"] == [
        {
            "type": "Accuracy",
        }
    ]
    assert set(network.evaluate(X, Y)) == {"loss", "accuracy"}


def test_verbose_writes_a_line_for_each_epoch(capsys):
    fit(line(), X, T, loss="mse", epochs=2, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    assert "loss: " in lines[0]
    to = io.StringIO()
    fit(line(), X, T, loss="mse", listeners=[Progress(to)])
    assert to.getvalue().startswith("Epoch 1/1")


def test_a_listener_may_stop_it():
    class Stop(Listener):
        def epoch_end(self, trainer, epoch, logs):
            return epoch == 1

    assert fit(line(), X, T, loss="mse", epochs=9, listeners=[Stop()]).epoch == [0, 1]


# --- what it takes --------------------------------------------------------------------------------------------------


def two_by_two():
    """Inputs a (3), b (2); outputs kind (3 classes) and size (1 number)."""
    nodes = (
        Node(Concatenate(name="both"), ("a", "b")),
        Node(Dense(3, activation="softmax", name="kind"), ("both",)),
        Node(Dense(1, name="size"), ("both",)),
    )
    return Network(Topology({"a": (3,), "b": (2,)}, nodes, ("kind", "size"))).build(1)


def test_several_inputs_and_outputs():
    network, x, y = two_by_two(), {"a": X[:, :3], "b": X[:, 3:]}, {"kind": Y, "size": T}
    losses = {"kind": LOSS, "size": "mse"}
    history = network.fit(x, y, loss=losses, optimizer=SGD(0.05), metrics={"kind": ["accuracy"]}, epochs=2)
    assert list(history.history) == ["loss", "kind_accuracy"]
    measures, made = network.evaluate(x, y), network.predict(x)
    assert {k: v.shape for k, v in made.items()} == {"kind": (N, 3), "size": (N, 1)}
    due = -np.log(made["kind"][np.arange(N), Y]).mean() + ((made["size"][:, 0] - T) ** 2).mean()
    assert measures["loss"] == pytest.approx(due, rel=1e-5)


def test_an_arrow_table():
    columns = {f"c{k}": X[:, k] for k in range(F)}
    table = pa.table(columns | {"kind": Y, "w": W})
    one, other = classifier(), classifier()
    one.fit(table, "kind", sample_weight="w", loss=LOSS)
    other.fit(X, Y, sample_weight=W, loss=LOSS)
    np.testing.assert_array_equal(one.vector, other.vector)
    np.testing.assert_array_equal(one.predict(pa.table(columns)), other.predict(X))
    batch = table.drop_columns(["w"]).to_batches()[0]
    assert one.evaluate(batch, "kind") == other.evaluate(X, Y)


def test_an_arrow_table_with_array_columns():
    table = pa.table(
        {"a": pa.FixedSizeListArray.from_arrays(X[:, :3].ravel(), 3), "b": X[:, 3:].tolist(), "kind": Y, "size": T}
    )
    network = two_by_two()
    network.fit(table, {"kind": Y, "size": T}, loss={"kind": LOSS, "size": "mse"})
    assert network.predict(table)["size"].shape == (N, 1)


def test_preprocessing_of_the_network_is_applied():
    from sparkdl.data.encode import Encoder, to_saved
    from sparkdl.data.schema import Columns

    columns = Columns([f"c{k}" for k in range(F)], label="kind", weight="w")
    encoder = Encoder(columns, (), {"input": (F,)}, classes=("a", "b", "c"), outputs=3)
    table = pa.table({f"c{k}": X[:, k] for k in range(F)} | {"kind": np.array(["a", "b", "c"])[Y], "w": W})
    one, other = classifier(), classifier()
    one.preprocessing = to_saved(encoder)
    one.fit(table, loss=LOSS)
    other.fit(X, Y, sample_weight=W, loss=LOSS)
    np.testing.assert_array_equal(one.vector, other.vector)
    assert one.evaluate(table)["loss"] == other.evaluate(X, Y, sample_weight=W)["loss"]
    np.testing.assert_array_equal(one.predict(table.drop_columns(["kind", "w"])), other.predict(X))


def test_ints_and_float64_are_taken():
    one, other = line(), line()
    whole = np.round(X * 10)
    one.fit(whole.astype(np.int64), T.astype(np.float64), loss="mse", optimizer=SGD(1e-4))
    other.fit(whole, T, loss="mse", optimizer=SGD(1e-4))
    np.testing.assert_array_equal(one.vector, other.vector)


# --- what it refuses ------------------------------------------------------------------------------------------------


def bad(array, at, value):
    made = array.astype(np.float64)
    made[at] = value
    return made


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"x": X[:, :4]}, ShapeError, r"the input 'input' must be \(N, 5\). Got \(70, 4\)"),
        ({"x": {"pixels": X}}, ShapeError, "inputs must be input. Got pixels"),
        ({"x": X.astype(str)}, DataError, "the input 'input' must be numbers"),
        ({"x": bad(X, (3, 1), np.nan)}, DataError, "must be finite in float32. Got nan in row 3, 1 such"),
        ({"x": bad(X, (3, 1), 1e300)}, DataError, "Got inf in row 3"),
        ({"y": None}, DataError, "need labels"),
        ({"y": Y[:60]}, DataError, "must have one number of rows. Got 70 in input, 60 in labels of dense_1"),
        ({"y": bad(Y, 7, 3)}, DataError, r"class number 0 .. 2, since the output has 3 classes. Got 3.0 in row 7"),
        ({"x": X[:0], "y": Y[:0]}, DataError, "need rows"),
        ({"sample_weight": W[:5]}, ShapeError, r"sample_weight must be \(70,\)"),
        ({"sample_weight": -W}, DataError, "sample_weight must be finite and >= 0"),
        ({"loss": "crossentropi"}, ConfError, "no loss named 'crossentropi'"),
        ({"loss": {"dense": LOSS}}, ConfError, "loss: must be by output, dense_1. Got dense"),
        ({"optimizer": "adamm"}, ConfError, "Did you mean 'Adam"),
        ({"metrics": ["accurasy"]}, ConfError, "no metric named 'accurasy'. Did you mean 'Accuracy'"),
        ({"batch_size": 0}, ConfError, "batch_size must be an int >= 1. Got 0"),
        ({"epochs": 1.5}, ConfError, "epochs must be an int >= 1. Got 1.5"),
        ({"validation_split": 1.0}, ConfError, "validation_split must be >= 0 and < 1"),
        ({"validation_split": 0.5, "validation_data": (X, Y)}, ConfError, "not beside validation_split"),
        ({"validation_data": (X,)}, ConfError, r"must be \(x, y\)"),
        ({"validation_data": (X, Y + 1)}, DataError, "Got 3 in row"),
    ],
)
def test_bad_input(given, error, message):
    network = classifier()
    before = network.vector.copy()
    with pytest.raises(error, match=message):
        network.fit(**({"x": X, "y": Y, "loss": LOSS} | given))
    np.testing.assert_array_equal(network.vector, before)


def test_several_outputs_need_a_loss_each():
    with pytest.raises(ConfError, match="the network has the outputs kind, size; give one for each"):
        two_by_two().fit({"a": X[:, :3], "b": X[:, 3:]}, {"kind": Y, "size": T}, loss="mse")
    with pytest.raises(ShapeError, match=r"outputs kind, size\. Got kind"):
        two_by_two().fit({"a": X[:, :3], "b": X[:, 3:]}, {"kind": Y}, loss={"kind": LOSS, "size": "mse"})


def test_a_loss_that_is_not_finite_stops():
    given = {"loss": "mse", "optimizer": SGD(1e20), "epochs": 5, "shuffle": False}
    with pytest.raises(DataError, match=r"the loss became (nan|inf) in epoch \d, step \d.*Lower the learning rate"):
        fit(line(), X, T, **given)
    history = fit(line(), X, T, nonfinite="continue", **given)
    assert not np.isfinite(history.history["loss"][-1])
