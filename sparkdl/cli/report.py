"""What a person sees: progress lines and result tables, on a terminal or in a log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

LINES = 15  # most progress lines of a run; the last epoch always has one
WIDE = 16  # most classes of a confusion matrix that is shown
_NOT_METRICS = ("epoch", "epochs", "examples", "seconds")

console = Console(highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """A line, at once."""
    console.print(text, markup=False)


def progress() -> Callable[[dict[str, Any]], None]:
    """A function that prints news of epochs as they come, some lines for a long run."""

    def tell(news: dict[str, Any]) -> None:
        step = max(1, -(-news["epochs"] // LINES))
        if news["epoch"] % step == 0 or news["epoch"] == news["epochs"]:
            say(epoch_line(news))

    return tell


def epoch_line(news: Mapping[str, Any]) -> str:
    """One line on an epoch.

    >>> epoch_line({"epoch": 3, "epochs": 20, "loss": 0.12345, "accuracy": 0.96, "examples": 4000, "seconds": 0.1})
    'epoch  3/20  loss 0.1235  accuracy 0.9600  40,000 rows/s'
    """
    figures = [f"{name} {figure(v)}" for name, v in news.items() if name not in _NOT_METRICS and _is_number(v)]
    count = f"epoch {news['epoch']:>{len(str(news['epochs']))}}/{news['epochs']}"
    return "  ".join([count, *figures, f"{news['examples'] / max(news['seconds'], 1e-9):,.0f} rows/s"])


def show_training(result: Mapping[str, Any]) -> None:
    """The tables at the end of a training."""
    _show_pairs("Result", _rows(result))
    show_confusion(result)


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = result["rows"]
    metrics = [
        (f"{part} {name}", figure(v))
        for part in ("test", "train")
        for name, v in result["metrics"].get(part, {}).items()
        if _is_number(v)
    ]
    counts = [
        ("rows", ", ".join(f"{n:,} {part}" for part, n in rows.items() if n is not None)),
        ("rows/s (median epoch)", f"{result['rows_per_second']:,.0f} by {result['workers']} workers"),
        ("parameters", f"{result['parameters']:,}"),
    ]
    return [*metrics, *counts, *((f"seconds: {phase}", f"{s:.2f}") for phase, s in result["timings"].items())]


def show_figures(figures: Mapping[str, Any]) -> None:
    """The table of an evaluation."""
    _show_pairs("Evaluation", [(name, figure(value)) for name, value in figures.items() if _is_number(value)])
    show_confusion(figures)


def show_confusion(result: Mapping[str, Any]) -> None:
    """The confusion matrix, where there is one of not too many classes."""
    matrix = result.get("confusion_matrix")
    if not matrix or len(matrix) > WIDE:
        return
    names = [str(name) for name in result.get("classes") or range(len(matrix))]
    grid = _grid("Confusion matrix: true class down, predicted class across", "", *names)
    for name, row in zip(names, matrix, strict=True):
        grid.add_row(name, *(str(n) if n else "." for n in row))
    console.print(grid)


def show_rows(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Some rows of a table."""
    grid = _grid(title, *names)
    for row in rows:
        grid.add_row(*(figure(v) if isinstance(v, float) else str(v) for v in row))
    console.print(grid)


def _show_pairs(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    grid = _grid(title, "", "")
    for name, value in pairs:
        grid.add_row(name, value)
    grid.show_header = False
    console.print(grid)


def _grid(title: str, *names: str) -> Table:
    """An empty table: first column left, numbers right."""
    grid = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for k, name in enumerate(names):
        grid.add_column(name, justify="right" if k else "left", no_wrap=True)
    return grid


def figure(value: float) -> str:
    """A number for a person: four decimals, or thousands.

    >>> figure(0.98765), figure(1797), figure(1234.5), figure(3e-7)
    ('0.9877', '1,797', '1,234.5', '3e-07')
    """
    if isinstance(value, int):
        return f"{value:,}"
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
