"""News reach the driver, and nothing breaks when they cannot."""

import threading

import pytest

from sparkdl.dist.progress import Board, Reporter
from tests.dist.gangs import SECRET


@pytest.fixture
def heard():
    said, rang = [], threading.Event()

    def tell(news):
        said.append(news)
        rang.set()

    board = Board("127.0.0.1", SECRET, tell)
    yield board, said, rang
    board.close()


def test_news_arrive(heard):
    board, said, rang = heard
    reporter = Reporter(board.address, SECRET)
    reporter.tell({"epoch": 0, "loss": 0.5})
    assert rang.wait(5) and said == [{"epoch": 0, "loss": 0.5}]
    reporter.close()


def test_who_does_not_know_the_secret_is_not_heard(heard, caplog):
    board, said, rang = heard
    Reporter(board.address, b"other").tell({"epoch": 0})
    assert not rang.wait(0.3) and said == []
    assert "no progress" in caplog.text


def test_a_driver_out_of_reach_is_said_once(monkeypatch, caplog):
    monkeypatch.setattr("sparkdl.dist.progress.PATIENCE", 0.1)
    reporter = Reporter(("127.0.0.1", 9), SECRET)
    for _ in range(3):
        reporter.tell({"epoch": 0})
    assert len(caplog.records) == 1


def test_a_driver_that_went_away_is_said_once(heard, caplog):
    board, _, rang = heard
    reporter = Reporter(board.address, SECRET)
    reporter.tell({"epoch": 0})
    assert rang.wait(5)
    board.close()
    for _ in range(200):
        reporter.tell({"epoch": 1, "text": "x" * 10_000})
    assert sum("hears no progress" in r.message for r in caplog.records) == 1


def test_a_callback_that_fails_does_not_fail_the_run(caplog):
    def tell(news):
        raise RuntimeError("bar broke")

    board = Board("127.0.0.1", SECRET, tell)
    reporter = Reporter(board.address, SECRET)
    reporter.tell({"epoch": 0})
    reporter.tell({"epoch": 1})
    reporter.close()
    board.close()


def test_no_address_means_no_news():
    Reporter(None, SECRET).tell({"epoch": 0})
