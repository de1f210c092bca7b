"""Short files: one of more than 400 lines has become a gathering place."""

from tests.architecture.source import ROOT, modules

LONGEST = 400
ALLOWED: dict[str, str] = {}


def test_no_file_is_too_long():
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for _, file in modules()}
    assert {file: n for file, n in lengths.items() if n > LONGEST} == {}
