"""DataFrames for the tests of sparkdl.ml."""

from pyspark.ml.linalg import Vectors

MAKE = {
    "vector": lambda x: [(Vectors.sparse(4, range(4), r) if k % 3 else Vectors.dense(r),) for k, r in enumerate(x)],
    "array": lambda x: [([float(v) for v in r],) for r in x],
    "scalars": lambda x: [tuple(float(v) for v in r) for r in x],
}
NAMES = {"vector": ["features"], "array": ["features"], "scalars": ["f0", "f1", "f2", "f3"]}


def frame(spark, shape, x, y, partitions=2):
    """A DataFrame id, features..., label, w of the features x (n, 4) and labels y (n,)."""
    made = [(k, *f, float(y[k]), 1.0 + k % 2) for k, f in enumerate(MAKE[shape](x))]
    return spark.createDataFrame(made, ["id", *NAMES[shape], "label", "w"]).repartition(partitions)
