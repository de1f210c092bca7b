import tomllib

import pytest

from sparkdl.base.errors import ConfError
from sparkdl.cli.conf import JobConf, load_conf
from tests.architecture.source import ROOT

CONFS = sorted((ROOT / "conf").glob("*.toml"))
DIGITS = str(ROOT / "conf" / "digits.toml")


@pytest.mark.parametrize("path", CONFS, ids=lambda p: p.stem)
def test_every_conf_comes_back_from_what_is_written_beside_the_result(path, tmp_path):
    job = load_conf(str(path))
    (tmp_path / "conf.toml").write_text(job.to_toml())
    assert load_conf(str(tmp_path / "conf.toml")) == job


def test_defaults_are_written_out():
    written = tomllib.loads(load_conf(DIGITS).to_toml())
    assert written["training"]["shuffle"] is True
    assert written["training"]["optimizer"]["beta_1"] == 0.9
    assert written["network"]["layers"][1]["kernel_initializer"] == {"type": "GlorotUniform"}
    assert written["averaging"]["timeout"] == 60.0


def test_overrides_reach_the_records():
    job = load_conf(
        DIGITS, ["training.optimizer.learning_rate=0.25", "network.layers[1].units=32", "averaging.workers=3"]
    )
    assert job.training.optimizer.learning_rate == 0.25
    assert job.network.layers[1].layer.units == 32
    assert job.fit_conf().averaging.workers == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("training.epohcs=3", r"training: TrainingConf has no field 'epohcs'. Did you mean 'epochs'\?"),
        ("trainning.epochs=3", r"JobConf has no field 'trainning'. Did you mean 'training'\?"),
        ("network.layers[1].untis=8", r"network.layers\[1\]: Dense has no field 'untis'. Did you mean 'units'\?"),
        ("network.layers[1].type=Dence", r"network.layers\[1\]: no layer named 'Dence'. Did you mean 'Dense'\?"),
        ("training.epochs=ten", "training.*epochs must be an int >= 1. Got 'ten'"),
        ("training.epochs=0", "training.*epochs must be an int >= 1. Got 0"),
        ("training.batch_size=1.5", "training.*batch_size must be an int >= 1. Got 1.5"),
        ("training.loss=Sparse", "training.loss: no loss named 'Sparse'"),
        ("training.optimizer=adma", r"training.optimizer: no optimizer named 'adma'. Did you mean 'Adam'\?"),
        ("training.optimizer.beta_3=0.1", r"training.optimizer: Adam has no field 'beta_3'. Did you mean 'beta_\d'\?"),
        ("training.metrics=['acuracy']", r"metrics\[0\]: no metric named 'acuracy'. Did you mean 'Accuracy'\?"),
        ("averaging.workers=-1", "averaging.*workers must be an int >= 1"),
        ("data.task=clustering", "data.*task must be 'classification' or 'regression'. Got 'clustering'"),
        ("data.sample=digit", r"no sample named 'digit'. Did you mean 'digits'\?"),
        ("data.steps[0].type=Skale", r"data.steps\[0\]: no step named 'Skale'. Did you mean 'Scale'\?"),
        ("data.steps[0].columns=[\"pixles\"]", r"Scale: 'pixles' is not a feature. Did you mean 'pixels'\?"),
        ("network.layers[5].units=0", r"network.layers\[5\].*units must be an int >= 1. Got 0"),
        ("output.folder=x", "output: OutputConf has no field 'folder'"),
    ],
)  # fmt: skip
def test_a_faulty_conf_names_the_place_and_the_fix(change, says):
    with pytest.raises(ConfError, match=says) as found:
        load_conf(DIGITS, [change])
    assert str(found.value).startswith(DIGITS)


def test_a_missing_section_is_named(tmp_path):
    (tmp_path / "a.toml").write_text('[output]\npath = "x"\n')
    with pytest.raises(ConfError, match="JobConf needs 'data'"):
        load_conf(str(tmp_path / "a.toml"))


def test_a_missing_label_is_named(tmp_path):
    text = (ROOT / "conf" / "digits.toml").read_text().replace('label = "digit"\n', "")
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ConfError, match="data needs 'label'"):
        load_conf(str(tmp_path / "a.toml"))


def test_shapes_that_do_not_fit_name_both_layers():
    with pytest.raises(ConfError, match=r"\(Conv2D\).*from"):
        load_conf(
            str(ROOT / "conf" / "digits_cnn.toml"),
            ["network.layers[0].kernel_size=9", "network.layers[0].padding=valid"],
        )


def test_a_job_is_a_record_that_cannot_be_changed():
    job = load_conf(DIGITS)
    assert isinstance(job, JobConf)
    with pytest.raises(AttributeError):
        job.output = None
