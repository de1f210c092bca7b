"""One contract for every estimator: what pyspark.ml's own stages do, ours do."""

import gc
import json
import warnings

import numpy as np
import pytest

from tests.tables.estimators import CASES, rows

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module", params=CASES, ids=lambda c: c.name)
def case(request):
    return request.param


@pytest.fixture(scope="module")
def table(case, spark):
    from tests.ml.frames import frame

    made = frame(spark, case.shape, *rows(case)).cache()
    made.count()
    yield made
    made.unpersist()


@pytest.fixture(scope="module")
def fitted(case, table):
    return make(case).fit(table)


def make(case, **more):
    import sparkdl.ml

    return getattr(sparkdl.ml, case.kind)(**(case.arguments | more))


def model_class(case):
    import sparkdl.ml

    return getattr(sparkdl.ml, case.model)


def need(case, what):
    if what not in case.also:
        pytest.skip(f"{what}: not tried on this case")


def evaluator(case):
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator, RegressionEvaluator

    kind = MulticlassClassificationEvaluator if case.classes else RegressionEvaluator
    return kind(metricName=case.metric[0])


def predictions(model, table):
    """Every column of a transformed table, by row id; vectors as lists."""
    found = model.transform(table).orderBy("id").collect()
    return [tuple(v.toArray().tolist() if hasattr(v, "toArray") else v for v in row) for row in found]


def values(stage):
    """Params as they are saved: the user's and the defaults, by name."""
    user = {p.name: v for p, v in stage._paramMap.items()}
    return user, {p.name: v for p, v in stage._defaultParamMap.items()}


# --- params -------------------------------------------------------------------------------------------------------


def test_both_classes_are_made_without_arguments(case):
    assert make(case).__class__().uid != make(case).__class__().uid
    assert model_class(case)().uid.startswith(case.model)


def test_every_param_of_the_estimator_has_a_setter_and_a_getter(case):
    stage = make(case, thresholds=[1.0] * case.classes) if case.classes else make(case)
    for param in stage.params:
        name = param.name[0].upper() + param.name[1:]
        if stage.isDefined(param):
            chained = getattr(stage, f"set{name}")(getattr(stage, f"get{name}")())
            assert chained is stage
            assert stage.isSet(param)
        assert param.doc
        assert param.parent == stage.uid


def test_params_are_json(case):
    user, defaults = values(make(case))
    assert json.loads(json.dumps([user, defaults])) == [user, defaults]


def test_defaults_are_the_same_in_every_process(case):
    assert type(make(case))().getSeed() == 0


def test_a_copy_keeps_the_uid_and_leaves_the_original(case):
    stage = make(case)
    copied = stage.copy({stage.epochs: 3})
    assert (copied.uid, copied.getEpochs(), stage.getEpochs()) == (stage.uid, 3, 15)
    assert values(stage.copy()) == values(stage)


def test_an_unknown_argument_is_refused_with_a_near_name(case):
    with pytest.raises(ValueError, match=r"has no param 'epoch'. Did you mean 'epochs'"):
        make(case, epoch=3)


def test_a_wrong_type_is_refused_when_it_is_set(case):
    with pytest.raises(TypeError, match="epochs"):
        make(case).setEpochs("many")


@pytest.mark.parametrize(
    ("param", "value", "words"),
    [
        ("epochs", 0, "epochs must be an int >= 1. Got 0"),
        ("batchSize", -1, "batchSize must be an int >= 1"),
        ("averagingFrequency", 0, "averagingFrequency must be an int >= 1"),
        ("scaling", "standardise", "Did you mean 'standardize'"),
        ("handleInvalid", "ignore", "handleInvalid must be 'error' or 'skip' or 'keep'"),
        ("learningRate", 0.0, "learningRate must be a finite number > 0"),
        ("optimizer", "adamm", "Did you mean 'Adam'"),
        ("loss", "MeanSquareError", "Did you mean 'MeanSquaredError'"),
        ("network", [{"type": "Dence", "units": 1}], "Did you mean 'Dense'"),
        ("inputShape", [0], "inputShape must be a list, each an int >= 1"),
        ("steps", [{"type": "Standardise", "columns": ["a"]}], "Did you mean 'Standardize'"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_fit(case, table, param, value, words):
    stage = make(case)
    stage._set(**{param: value})
    with pytest.raises(ValueError, match=words):
        stage.fit(table)


# --- fit ----------------------------------------------------------------------------------------------------------


def test_it_learns(case, table, fitted):
    assert evaluator(case).evaluate(fitted.transform(table)) >= case.metric[1]


def test_the_model_has_the_estimators_params(case, fitted):
    assert fitted.getEpochs() == 15
    assert fitted.getPredictionCol() == "prediction"
    assert fitted.uid.startswith(case.kind)


def test_the_model_tells_how_training_went(fitted):
    assert fitted.hasSummary
    assert len(fitted.summary.history) == 15
    assert fitted.summary.history[-1]["loss"] < fitted.summary.history[0]["loss"]
    assert fitted.summary.rows == 90


def test_fit_leaves_table_and_estimator_alone(case, table, fitted):
    stage = make(case)
    before = (values(stage), table.schema, table.orderBy("id").collect())
    short = stage.fit(table, {stage.epochs: 1, stage.predictionCol: "guess"})
    assert (values(stage), table.schema, table.orderBy("id").collect()) == before
    assert (short.uid, short.getEpochs(), len(short.summary.history)) == (stage.uid, 1, 1)
    assert "guess" in short.transform(table).columns


def test_labels_that_cannot_be_are_refused(case, table):
    bad = {"1.5": "whole", "9.0": "9|classes"} if case.classes else {"double('NaN')": "NaN"}
    wrong = {f"if(id > 3, {v}, label)": words for v, words in (bad | {"null": "null"}).items()}
    wrong |= {} if case.classes else {"concat('a', label)": "must hold numbers"}
    for label, words in wrong.items():
        with pytest.raises(ValueError, match=words) as told:
            make(case).fit(table.selectExpr("* except (label)", f"{label} as label"))
        assert "label" in str(told.value)
    with pytest.raises(ValueError, match="empty"):
        make(case).fit(table.where("false"))


# --- transform ----------------------------------------------------------------------------------------------------


def test_transform_adds_columns_at_the_end_and_keeps_the_others(case, table, fitted):
    added = ["rawPrediction", "probability", "prediction"] if case.classes else ["prediction"]
    out = fitted.transform(table)
    assert out.columns == [*table.columns, *added]
    assert dict(out.dtypes)["prediction"] == "double"
    kept = out.select(*table.columns).orderBy("id").collect()
    assert kept == table.orderBy("id").collect()


def test_an_empty_name_switches_an_output_off(case, table, fitted):
    off = fitted.copy({fitted.predictionCol: ""})
    assert "prediction" not in off.transform(table).columns


def test_one_example_is_predicted_as_in_a_table(case, table, fitted):
    from pyspark.ml.linalg import Vectors

    x, _ = rows(case)
    expected = [row["prediction"] for row in fitted.transform(table).orderBy("id").take(5)]
    got = [fitted.predict(Vectors.dense(r)) for r in x[:5]]
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert fitted.numFeatures == 4


def test_probabilities_are_those_of_the_raw_predictions(case, table, fitted):
    if not case.classes:
        pytest.skip("no classes")
    from pyspark.ml.linalg import Vectors

    row = fitted.transform(table).first()
    raw, probability = row["rawPrediction"].toArray(), row["probability"].toArray()
    assert fitted.numClasses == case.classes == len(raw)
    assert probability.sum() == pytest.approx(1, abs=1e-6)
    assert probability.argmax() == raw.argmax() == row["prediction"]
    one = Vectors.dense(rows(case)[0][row["id"]])
    np.testing.assert_allclose(fitted.predictProbability(one).toArray(), probability, atol=1e-6)
    np.testing.assert_allclose(fitted.predictRaw(one).toArray(), raw, atol=1e-5)


def test_a_stream_is_scored(case, table, fitted, spark, tmp_path):
    need(case, "stream")
    table.write.parquet(str(tmp_path / "in"))
    stream = spark.readStream.schema(table.schema).parquet(str(tmp_path / "in"))
    # Not to the memory sink: in Spark 4.3 it takes no vectors, whoever makes them.
    to = fitted.transform(stream).writeStream.option("checkpointLocation", str(tmp_path / "at"))
    query = to.trigger(availableNow=True).start(str(tmp_path / "out"))
    assert query.awaitTermination(60)
    got = spark.read.parquet(str(tmp_path / "out")).orderBy("id").select("id", "prediction").collect()
    assert got == fitted.transform(table).orderBy("id").select("id", "prediction").collect()
    with pytest.raises(ValueError, match="a stream cannot be trained on"):
        make(case).fit(stream)


def test_a_missing_column_is_named(case, table, fitted):
    first = fitted.getFeaturesCols()[0]
    for use in (fitted.transform, make(case).fit):
        with pytest.raises(ValueError, match=rf"no column named '{first}'. Did you mean '{first}s'"):
            use(table.withColumnRenamed(first, f"{first}s"))
    with pytest.raises(ValueError, match=r"no column named 'labels'. Did you mean 'label'"):
        make(case, labelCol="labels").fit(table)


def test_an_output_that_exists_is_refused(table, fitted):
    with pytest.raises(ValueError, match="column 'prediction' exists already"):
        fitted.transform(table.withColumn("prediction", table["id"]))


# --- saving -------------------------------------------------------------------------------------------------------


def test_an_estimator_is_saved_and_loaded(case, spark, tmp_path):
    stage, path = make(case), str(tmp_path / "stage")
    stage.save(path)
    stage.write().overwrite().save(path)
    back = type(stage).load(path)
    assert (back.uid, values(back)) == (stage.uid, values(stage))
    assert all(p.parent == back.uid for p in back.params)
    with pytest.raises(Exception, match=r"(?i)already exists"):
        stage.save(path)


def test_a_model_is_saved_and_loaded(table, fitted, tmp_path):
    path = str(tmp_path / "model")
    fitted.save(path)
    back = type(fitted).load(path)
    assert (back.uid, values(back), back.summary) == (fitted.uid, values(fitted), fitted.summary)
    assert predictions(back, table) == predictions(fitted, table)
    assert all(p.parent == back.uid for p in back.params)


def test_a_pipeline_is_fitted_saved_and_loaded(case, table, tmp_path):
    need(case, "pipeline")
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.ml.feature import SQLTransformer

    stage = make(case, epochs=2)
    pipe = Pipeline(stages=[SQLTransformer(statement="SELECT *, id + 1 AS next FROM __THIS__"), stage])
    pipe.save(str(tmp_path / "pipe"))
    back = Pipeline.load(str(tmp_path / "pipe")).getStages()[1]
    assert (back.uid, values(back)) == (stage.uid, values(stage))
    model = pipe.fit(table)
    model.write().overwrite().save(str(tmp_path / "model"))
    loaded = PipelineModel.load(str(tmp_path / "model"))
    assert loaded.stages[1].uid == stage.uid
    assert predictions(loaded, table) == predictions(model, table)


@pytest.fixture
def pools():
    """pyspark leaves its thread pools to the garbage collector, which complains."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed running multiprocessing pool", ResourceWarning)
        yield
        gc.collect()


def test_cross_validation_and_its_files(case, table, tmp_path, pools):
    need(case, "cross validation")
    from pyspark.ml.tuning import CrossValidator, CrossValidatorModel, ParamGridBuilder

    stage = make(case, epochs=1)
    grid = ParamGridBuilder().addGrid(stage.learningRate, [1e-6, 0.05]).build()
    validator = CrossValidator(
        estimator=stage, estimatorParamMaps=grid, evaluator=evaluator(case), numFolds=2, seed=1, parallelism=2
    )
    validator.save(str(tmp_path / "cv"))
    assert CrossValidator.load(str(tmp_path / "cv")).getEstimator().uid == stage.uid
    best = validator.fit(table)
    assert best.bestModel.getLearningRate() == 0.05
    best.write().save(str(tmp_path / "best"))
    back = CrossValidatorModel.load(str(tmp_path / "best"))
    assert back.avgMetrics == best.avgMetrics
    assert predictions(back.bestModel, table) == predictions(best.bestModel, table)


def test_train_validation_split(case, table, pools):
    need(case, "split")
    from pyspark.ml.tuning import ParamGridBuilder, TrainValidationSplit

    stage = make(case, epochs=1)
    grid = ParamGridBuilder().addGrid(stage.batchSize, [8]).build()
    split = TrainValidationSplit(estimator=stage, estimatorParamMaps=grid, evaluator=evaluator(case), seed=1)
    assert split.fit(table).bestModel.getBatchSize() == 8
