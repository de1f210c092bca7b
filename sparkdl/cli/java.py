"""Is there a Java that Spark can run on? Known before Spark is asked, because Spark's own answer is a stack trace.

Stands alone on the standard library: the Makefile runs it as a script before anything is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping

OLDEST = 17
FIX = (
    "install it with `apt-get install openjdk-17-jre-headless` (Debian, Ubuntu), "
    "`brew install openjdk@17` (macOS) or `conda install openjdk=17` (conda), "
    "or point JAVA_HOME at one."
)


def fault(env: Mapping[str, str] = os.environ) -> str | None:
    """One sentence on what is wrong with Java and how to mend it, or None when Spark can use it.

    >>> fault({"JAVA_HOME": "/nowhere", "PATH": ""})[:52]
    'Spark needs Java 17 or newer, and JAVA_HOME (/nowher'
    """
    program = find(env)
    if program is None:
        return f"Spark needs Java {OLDEST} or newer, and {_missing(env)}: {FIX}"
    said = _banner(program)
    found = version(said)
    if found is None:
        return f"Spark needs Java {OLDEST} or newer, and {program} does not tell its version: {FIX}"
    return None if found >= OLDEST else f"Spark needs Java {OLDEST} or newer, and {program} is Java {found}: {FIX}"


def find(env: Mapping[str, str]) -> str | None:
    """The `java` that Spark would start: JAVA_HOME's, else the first on the PATH."""
    home = env.get("JAVA_HOME")
    return shutil.which("java", path=os.path.join(home, "bin") if home else env.get("PATH", ""))


def version(banner: str) -> int | None:
    """The major version in what `java -version` prints.

    >>> version('openjdk version "17.0.15" 2025-04-15'), version('java version "1.8.0_392"'), version("?")
    (17, 8, None)
    """
    found = re.search(r'version "(?:1\.)?(\d+)', banner)
    return int(found[1]) if found else None


def _missing(env: Mapping[str, str]) -> str:
    home = env.get("JAVA_HOME")
    return f"JAVA_HOME ({home}) holds no bin/java" if home else "there is none on this machine's PATH"


def _banner(program: str) -> str:
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return ""
    return done.stderr + done.stdout


if __name__ == "__main__":
    sys.exit(fault())
