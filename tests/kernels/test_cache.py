"""Compiled kernels on disk: results do not depend on what was compiled before."""

import subprocess
import sys

import pytest

from tests.kernels.harness import needs_onednn

LOSSES = """
import numpy as np
from sparkdl.base.spec import Spec
from sparkdl.nd.array import execute
from sparkdl.nd.ops.sigmoid import SigmoidXent
draw = np.random.default_rng(0)
z, t = draw.normal(size=(40, 3000)).astype("f"), draw.random((40, 3000)).astype("f")
loss, probs = execute(SigmoidXent(), (z, t), ("numba",))
print(loss.tobytes().hex(), probs.tobytes().hex()[:2000])
"""
BEFORE = """
import numpy as np
from sparkdl.nd.array import execute
from sparkdl.nd.ops.softmax import LogSoftmax, Softmax
x = np.ones((4, 3000), "f")
for op in (Softmax(), LogSoftmax()):
    execute(op, (x,), ("numba",))
"""


def python(code, cache):
    done = subprocess.run(
        [sys.executable, "-c", code], env={"SPARKDL_CACHE": str(cache)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_onednn
@pytest.mark.parametrize("again", [False, True], ids=["compiled", "loaded"])
def test_the_same_bits_whatever_was_compiled_before(tmp_path, again):
    fresh, used = tmp_path / "fresh", tmp_path / "used"
    python(BEFORE, used)
    made = [python(LOSSES, cache) for cache in (fresh, used)]
    made += [python(LOSSES, fresh)] if again else []
    assert len(set(made)) == 1
