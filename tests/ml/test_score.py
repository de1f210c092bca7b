import numpy as np
import pytest

from sparkdl.base.errors import ConfError, DataError
from sparkdl.data.encode import Encoder
from sparkdl.data.schema import Columns
from sparkdl.data.steps.category import OneHot
from sparkdl.data.steps.image import Image
from sparkdl.layers import Dense, Flatten
from sparkdl.nn.network import Sequential

pytestmark = pytest.mark.spark

X = np.random.default_rng(2).normal(size=(40, 4))
NETWORK = Sequential([Dense(5, "tanh"), Dense(3, "softmax")], input_shape=(4,)).build(7)
EXPECTED = NETWORK.predict(X.astype(np.float32))


def encoder(names=("features",), **more):
    return Encoder(Columns(names, "label"), (), {"input": (4,)}, **({"outputs": 3} | more))


@pytest.fixture(scope="module")
def tables(spark):
    from tests.ml.frames import NAMES, frame

    return {shape: frame(spark, shape, X, np.zeros(40)) for shape in NAMES}


def scored(df, *args, **kwargs):
    from sparkdl.ml.score import add_predictions

    return add_predictions(df, *args, **kwargs)


def by_id(df, column):
    return [row[column] for row in df.orderBy("id").collect()]


@pytest.mark.parametrize("shape", ["vector", "array", "scalars"])
def test_every_shape_of_features_gives_the_networks_outputs(tables, shape):
    from tests.ml.frames import NAMES

    out = scored(tables[shape], NETWORK, encoder(tuple(NAMES[shape]))).cache()
    got = np.array([v.toArray() for v in by_id(out, "probability")])
    np.testing.assert_allclose(got, EXPECTED, atol=1e-6)
    assert by_id(out, "prediction") == EXPECTED.argmax(axis=1).tolist()
    out.unpersist()


@pytest.mark.parametrize("kind", ["array<float>", "array<int>", "array<decimal(5,1)>", "array<tinyint>"])
def test_every_type_of_numbers_is_read(tables, kind):
    whole = tables["array"].selectExpr("id", f"cast(transform(features, v -> round(v)) as {kind}) as features")
    got = by_id(scored(whole, NETWORK, encoder()), "prediction")
    x = np.trunc(np.abs(X) + 0.5) * np.sign(X)
    assert got == NETWORK.predict(x.astype(np.float32)).argmax(axis=1).tolist()


def test_images_and_categories(spark):
    image = Sequential([Flatten(), Dense(2)], input_shape=(2, 2, 1)).build(3)
    steps = (Image(("pixels",), (2, 2, 1)),)
    df = spark.createDataFrame([(k, bytes([k, 0, 255, 9])) for k in range(6)], ["id", "pixels"])
    of = Encoder(Columns(("pixels",)), steps, {"input": (2, 2, 1)}, "regression", outputs=2)
    x = np.array([[k, 0, 255, 9] for k in range(6)], np.float32).reshape(6, 2, 2, 1) / 255
    np.testing.assert_allclose(by_id(scored(df, image, of), "prediction"), image.predict(x), rtol=1e-5)
    hot = OneHot(("c",), {"c": ("no", "yes")})
    named = Encoder(Columns(("c",), "y"), (hot,), {"input": (2,)}, classes=("cold", "hot"), outputs=2)
    network = Sequential([Dense(1, "sigmoid")], input_shape=(2,))
    network.set_weights([[[-9.0], [9.0]], [0.0]])
    from sparkdl.ml.score import Outputs

    words = spark.createDataFrame([(0, "yes"), (1, "no")], ["id", "c"])
    out = scored(words, network, named, Outputs(prediction="", probability="p", raw="", label="said"))
    assert out.columns == ["id", "c", "p", "said"]
    assert by_id(out, "said") == ["hot", "cold"]


def test_each_row_is_scored_once(tables):
    """Spark would else run the network once more for each filter on a prediction, and for each column."""
    out = scored(tables["array"], NETWORK, encoder())
    for query in (out, out.where("prediction > 0 and prediction < 2"), out.select("prediction"), out.where("id < 3")):
        plan = query._jdf.queryExecution().executedPlan().toString()
        assert plan.count("EvalPython [") == 1


def test_vectors_say_their_length_so_that_an_assembler_needs_no_job(tables):
    from pyspark.ml.feature import VectorAssembler

    out = scored(tables["vector"], NETWORK, encoder())
    assert out.schema["probability"].metadata["ml_attr"]["num_attrs"] == 3
    joined = VectorAssembler(inputCols=["rawPrediction", "probability"], outputCol="both").transform(out)
    assert joined.schema["both"].metadata["ml_attr"]["num_attrs"] == 6


def test_empty_partitions_and_an_empty_table(tables):
    few = tables["array"].where("id < 2").repartition(8)
    assert len(by_id(scored(few, NETWORK, encoder()), "prediction")) == 2
    assert scored(few.where("false"), NETWORK, encoder()).collect() == []


BAD = [(0, [1.0] * 4), (1, None), (2, [float("nan")] * 4), (3, [1.0, None, 1.0, 1.0]), (4, [0.0] * 4)]


@pytest.fixture(scope="module")
def bad(spark):
    return spark.createDataFrame(BAD, "id int, features array<double>")


def test_rows_that_cannot_be_scored(bad):
    from pyspark.errors import PythonException

    with pytest.raises(PythonException, match=r"column 'features' .* Or set handleInvalid to 'skip' or 'keep'"):
        scored(bad, NETWORK, encoder()).collect()
    assert by_id(scored(bad, NETWORK, encoder(), invalid="skip"), "id") == [0, 4]
    kept = scored(bad, NETWORK, encoder(), invalid="keep")
    assert np.isnan(by_id(kept, "prediction")).tolist() == [False, True, True, True, False]
    assert len(by_id(kept, "probability")[1]) == 3


def test_vectors_straight_from_parquet(tables, tmp_path, spark):
    """Spark 4.3 would hand the scan's columnar batches to the function, which fails for vectors."""
    tables["vector"].write.parquet(str(tmp_path / "vectors"))
    out = scored(spark.read.parquet(str(tmp_path / "vectors")), NETWORK, encoder())
    assert by_id(out, "prediction") == EXPECTED.argmax(axis=1).tolist()


def test_null_vectors_are_invalid_rows(spark):
    from pyspark.ml.linalg import Vectors, VectorUDT
    from pyspark.sql.types import IntegerType, StructField, StructType

    schema = StructType([StructField("id", IntegerType()), StructField("features", VectorUDT())])
    df = spark.createDataFrame([(0, Vectors.dense([1.0] * 4)), (1, None)], schema)
    assert by_id(scored(df, NETWORK, encoder(), invalid="skip"), "id") == [0]


def test_faults_are_told_before_any_work(tables):
    from sparkdl.ml.score import Outputs

    df = tables["array"]
    with pytest.raises(DataError, match=r"no column named 'feature'. Did you mean 'features'"):
        scored(df, NETWORK, encoder(("feature",)))
    with pytest.raises(DataError, match=r"column 'words' must hold numbers, .* Got string"):
        scored(df.selectExpr("'a' as words"), NETWORK, encoder(("words",)))
    with pytest.raises(DataError, match="column 'w' exists already"):
        scored(df, NETWORK, encoder(), Outputs(probability="w"))
    with pytest.raises(ConfError, match=r"thresholds must be one a class, 3. Got 2"):
        scored(df, NETWORK, encoder(), thresholds=(0.5, 0.5))
    with pytest.raises(ConfError, match="one 0 at most"):
        scored(df, NETWORK, encoder(), thresholds=(0.0, 0.5, 0.0))


def test_thresholds_move_the_prediction(tables):
    out = scored(tables["array"], NETWORK, encoder(), thresholds=(1.0, 1.0, 0.0))
    assert set(by_id(out, "prediction")) == {2.0}


def test_a_column_of_another_name_and_names_with_dots(tables):
    df = tables["array"].withColumnRenamed("features", "a.b`c")
    out = scored(df, NETWORK, encoder(), renamed={"features": "a.b`c"})
    assert by_id(out, "prediction") == EXPECTED.argmax(axis=1).tolist()


def test_a_network_too_big_for_the_closure_travels_as_a_file(tables, monkeypatch):
    from sparkdl.ml import score, ship

    monkeypatch.setattr(score, "ship", lambda session, data: ship.ship(session, data, limit=0))
    for _ in range(2):
        out = scored(tables["array"], NETWORK, encoder())
        assert by_id(out, "prediction") == EXPECTED.argmax(axis=1).tolist()


def test_the_way_of_pyspark_4_0(tables, monkeypatch):
    from pyspark.sql import functions

    monkeypatch.delattr(functions, "arrow_udf")
    for shape in ("array", "vector"):
        got = by_id(scored(tables[shape], NETWORK, encoder()), "probability")
        np.testing.assert_allclose([v.toArray() for v in got], EXPECTED, atol=1e-6)
