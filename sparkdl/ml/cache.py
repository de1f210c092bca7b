"""Networks that this Python worker has loaded. Spark reuses workers from task to task, but unpickles a function's
globals anew for each task; a module that is imported by name lives as long as the worker."""

from collections import OrderedDict
from threading import Lock

from sparkdl.ml.scorer import Scorer
from sparkdl.ml.ship import Parcel

CAPACITY = 4  # networks; a pipeline seldom holds more

_LOADED: "OrderedDict[str, Scorer]" = OrderedDict()
_LOCK = Lock()


def scorer(parcel: Parcel) -> Scorer:
    """The scorer of a shipped network, loaded on first use. The one not used for longest makes room."""
    with _LOCK:
        if parcel.digest not in _LOADED:
            _LOADED[parcel.digest] = Scorer.of(parcel.read())
        _LOADED.move_to_end(parcel.digest)
        while len(_LOADED) > CAPACITY:
            _LOADED.popitem(last=False)
        return _LOADED[parcel.digest]
