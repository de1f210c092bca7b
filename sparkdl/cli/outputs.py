"""Where a job puts what it makes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outputs:
    """The files in the output folder.

    >>> Outputs("out/digits").model
    'out/digits/model.zip'
    """

    folder: str

    @property
    def model(self) -> str:
        """The trained network."""
        return f"{self.folder}/model.zip"

    @property
    def conf(self) -> str:
        """The conf it was trained with, all defaults written out."""
        return f"{self.folder}/conf.toml"

    @property
    def result(self) -> str:
        """Figures of the training."""
        return f"{self.folder}/result.json"

    @property
    def evaluation(self) -> str:
        """Figures of a later evaluation."""
        return f"{self.folder}/evaluation.json"

    @property
    def predictions(self) -> str:
        """The test table with the network's predictions."""
        return f"{self.folder}/predictions.parquet"
