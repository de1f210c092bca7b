"""The command line: `sparkdl train|evaluate|predict CONF`, and the same as scripts for spark-submit in jobs/."""

import sys
from typing import Annotated

import typer

from sparkdl.base.errors import SparkdlError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train networks on tables with Apache Spark, as a conf file describes.",
)

Conf = Annotated[str, typer.Argument(help="The conf file, TOML.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Change the conf: --set training.epochs=20. Repeatable."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")]
TableAt = Annotated[str | None, typer.Option("--table", help="A Parquet table in place of the conf's data.test.")]
Master = Annotated[
    str | None, typer.Option(help="Where to run, for example local[2]. Not for spark-submit, which has its own.")
]


@app.command()
def train(conf: Conf, set_: Set = None, overwrite: Overwrite = False, master: Master = None) -> None:
    """Train a network; writes model.zip, result.json and conf.toml to the output folder."""
    from sparkdl.cli.train import train as run

    run(conf, set_ or (), overwrite, master)


@app.command()
def evaluate(conf: Conf, set_: Set = None, table: TableAt = None, master: Master = None) -> None:
    """Measure the trained network on the test table; writes evaluation.json."""
    from sparkdl.cli.evaluate import evaluate as run

    run(conf, set_ or (), table, master)


@app.command()
def predict(
    conf: Conf, set_: Set = None, table: TableAt = None, overwrite: Overwrite = False, master: Master = None
) -> None:
    """Score the test table with the trained network; writes predictions.parquet."""
    from sparkdl.cli.predict import predict as run

    run(conf, set_ or (), table, overwrite, master)


def main(args: list[str] | None = None) -> None:
    """Run a command. A fault of the user's, or of what the user gave, is one message and exit code 2."""
    try:
        app(sys.argv[1:] if args is None else args, prog_name="sparkdl")
    except SparkdlError as error:
        print(f"sparkdl: {error}", file=sys.stderr)
        sys.exit(2)


def job(command: str) -> None:
    """The entry of a script in jobs/: `spark-submit jobs/train.py CONF ...`."""
    main([command, *sys.argv[1:]])
