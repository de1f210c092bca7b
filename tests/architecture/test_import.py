"""`import sparkdl` is quick and brings in nothing heavy; importing any module needs no extra."""

import subprocess
import sys
import time

HEAVY = ("pyspark", "py4j", "numba", "llvmlite", "h5py", "cupy", "torch", "pandas", "typer", "rich")
LIMIT = 0.3  # seconds, the interpreter's own start taken off


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seconds(code: str) -> float:
    start = time.perf_counter()
    run(code)
    return time.perf_counter() - start


def test_import_sparkdl_is_quick():
    taken = min(seconds("import sparkdl") for _ in range(5)) - min(seconds("pass") for _ in range(5))
    assert taken < LIMIT


def test_import_sparkdl_loads_nothing_heavy():
    loaded = run(f"import sys, sparkdl; print([m for m in {HEAVY} if m in sys.modules])")
    assert loaded.strip() == "[]"


def test_describing_a_network_loads_neither_spark_nor_hdf5():
    code = f"""
import sys, sparkdl
sparkdl.Sequential([sparkdl.layers.Dense(4)], input_shape=(3,)), sparkdl.losses, sparkdl.optimizers, sparkdl.metrics
print([m for m in {HEAVY} if m in sys.modules])
"""
    assert run(code).strip() == "[]"
