"""`pyspark.ml` stages that train and apply networks. Each name is imported when it is first used, because executors
import modules of this package and must not load `pyspark.ml` for that.

>>> import sparkdl.ml
>>> sparkdl.ml.DLClassifier.__module__
'sparkdl.ml.estimator'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparkdl.ml.estimator import DLClassifier, DLRegressor
    from sparkdl.ml.model import DLClassificationModel, DLRegressionModel

__all__ = ["DLClassificationModel", "DLClassifier", "DLRegressionModel", "DLRegressor"]

_HOMES = {
    "DLClassificationModel": "sparkdl.ml.model",
    "DLClassifier": "sparkdl.ml.estimator",
    "DLRegressionModel": "sparkdl.ml.model",
    "DLRegressor": "sparkdl.ml.estimator",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sparkdl.ml' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
