"""Files are there whole or not at all, locally and on other file systems."""

import os

import pytest
from pyarrow import fs

from sparkdl.base.errors import ArchiveError
from sparkdl.io import paths
from sparkdl.io.paths import check_output, exists, open_input, open_output_atomic


@pytest.fixture(params=["plain", "file", "remote"])
def place(request, tmp_path, monkeypatch):
    """A path maker; "remote" is a file system of pyarrow behind an s3a address."""
    if request.param == "remote":
        inner = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
        monkeypatch.setattr(paths, "_remote", lambda path: (inner, str(path).removeprefix("s3a://")))
        return lambda name: f"s3a://{name}"
    return (
        (lambda name: str(tmp_path / name)) if request.param == "plain" else (lambda name: f"file://{tmp_path}/{name}")
    )


def written(tmp_path) -> list[str]:
    return sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())


def test_write_and_read(place, tmp_path):
    assert not exists(place("a/b/x.json"))
    with open_output_atomic(place("a/b/x.json")) as file:
        file.write(b"one")
        assert not exists(place("a/b/x.json"))
    with open_input(place("a/b/x.json")) as file:
        assert file.read() == b"one"
        file.seek(1)
        assert file.read() == b"ne"
    assert written(tmp_path) == ["a/b/x.json"]


def test_a_failed_write_leaves_what_was_there(place, tmp_path):
    with open_output_atomic(place("x")) as file:
        file.write(b"old")
    with pytest.raises(ValueError, match=r"halfway"), open_output_atomic(place("x"), overwrite=True) as file:
        file.write(b"new")
        raise ValueError("halfway")
    with open_input(place("x")) as file:
        assert file.read() == b"old"
    assert written(tmp_path) == ["x"]
    with open_output_atomic(place("x"), overwrite=True) as file:
        file.write(b"new")
    with open_input(place("x")) as file:
        assert file.read() == b"new"


def test_taken_and_missing(place):
    with open_output_atomic(place("x")) as file:
        file.write(b"old")
    for refused in (lambda: check_output(place("x")), lambda: open_output_atomic(place("x")).__enter__()):
        with pytest.raises(ArchiveError, match=r"there is a file already"):
            refused()
    check_output(place("x"), overwrite=True)
    check_output(place("new/y"))
    assert not exists(place("new/y"))
    with pytest.raises(ArchiveError, match=r"nowhere: cannot be read"), open_input(place("nowhere")):
        pass


def test_a_file_that_came_in_between_is_kept(place):
    with pytest.raises(ArchiveError, match=r"there is a file already"), open_output_atomic(place("x")) as mine:
        mine.write(b"mine")
        with open_output_atomic(place("x")) as theirs:
            theirs.write(b"theirs")
    with open_input(place("x")) as file:
        assert file.read() == b"theirs"


def test_a_folder_that_cannot_be_written_is_told_before_work(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArchiveError, match=r"x.zip: cannot be written: "):
        check_output(tmp_path / "file" / "x.zip")
    with pytest.raises(ArchiveError, match=r"is a folder"):
        check_output(tmp_path, overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_rights_are_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ArchiveError, match=r"cannot be written: Permission denied"):
        check_output(tmp_path / "x.zip")


def test_files_have_the_usual_rights(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    with open_output_atomic(tmp_path / "made") as file:
        file.write(b"")
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_unknown_schemes_are_told():
    for act in (exists, check_output, lambda path: open_input(path).__enter__()):
        with pytest.raises(ArchiveError, match=r"dbfs://x/y: dbfs:// cannot be opened here: .* Write to a local path"):
            act("dbfs://x/y")


def test_hadoop_names_are_mapped(monkeypatch):
    asked = []

    class Fake:
        @staticmethod
        def from_uri(uri: str) -> tuple[None, str]:
            asked.append(uri)
            return None, ""

    monkeypatch.setattr(fs, "FileSystem", Fake)
    for uri in ("s3a://bucket/m.zip", "gs://bucket/m.zip"):
        paths._remote(uri)
    assert asked == ["s3://bucket/m.zip", "gs://bucket/m.zip"]
