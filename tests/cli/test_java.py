import os

import pytest

from sparkdl.cli.java import fault


def machine(folder, banner):
    """An environment whose only program is a `java` that prints `banner`."""
    (folder / "bin").mkdir()
    java = folder / "bin" / "java"
    java.write_text(f"#!/bin/sh\necho '{banner}' >&2\n")
    java.chmod(0o755)
    return {"PATH": str(folder / "bin")}


@pytest.mark.parametrize("banner", ['openjdk version "17.0.15" 2025-04-15', 'openjdk version "21" 2023-09-19'])
def test_a_new_enough_java_is_no_fault(tmp_path, banner):
    env = machine(tmp_path, banner)
    assert fault(env) is None
    assert fault({"PATH": "", "JAVA_HOME": str(tmp_path)}) is None


@pytest.mark.parametrize(("banner", "says"), [('java version "1.8.0_392"', "is Java 8"), ("hello", "does not tell")])
def test_an_old_or_strange_java_is_told(tmp_path, banner, says):
    assert says in fault(machine(tmp_path, banner))


@pytest.mark.parametrize("env", [{"PATH": ""}, {"PATH": os.devnull, "JAVA_HOME": "/nowhere"}])
def test_a_missing_java_is_one_sentence_with_the_fix(env):
    said = fault(env)
    assert said.startswith("Spark needs Java 17 or newer, and ")
    assert "\n" not in said
    for fix in ("apt-get install openjdk-17-jre-headless", "brew install openjdk@17", "conda install openjdk=17"):
        assert fix in said
