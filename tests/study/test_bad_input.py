"""Errors of a study file name their line, before anything runs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from milplib.errors import UnknownNameError
from milplib.study import StudyError, load_study, plan_study, run_study

GOOD = """\
settings: [learn2branch]
distributions:
  CA-milplib-small: {train: 20, val: 4, test: 5}
  MIS-milplib-small: {train: 10, val: 4, test: 5}
collection:
  samples_per_instance: 3
budgets: [5, 10]
models:
  gcnn: {epochs: 2}
training:
  sets: [homogeneous, mixed]
evaluation:
  policies: [pscost]
scales:
  small:
    budgets: [2]
"""


def test_the_file_that_the_others_are_made_of_is_right(study: Callable[..., Any]) -> None:
    found = load_study(study(GOOD))

    assert [budget.instances for budget in found.budgets] == [5, 10]
    assert [d.train for d in found.learned] == [20, 10]
    assert found.collection.samples_per_instance == 3


# What is written instead of what, the line that is named, and words of the message.
WRONG = {
    "an unknown section": ("evaluation:", "evalution:", 12, "did you mean 'evaluation'?"),
    "an unknown key": ("samples_per", "sample_per", 6, "did you mean 'samples_per_instance'?"),
    "an unknown option of a model": ("epochs", "epoch", 9, "did you mean 'epochs'?"),
    "an option of another model": ("gcnn: {", "linear: {", 9, "unknown key 'epochs'"),
    "an unknown kind of model": ("gcnn: {", "cnn: {", 9, "did you mean gcnn"),
    "an unknown setting": ("[learn2branch]", "[gasse]", 1, "unknown setting 'gasse'"),
    "the setting that needs optima": ("[learn2branch]", "[clean]", 1, "unknown setting 'clean'"),
    "an unknown distribution": ("  CA-mil", "  XA-mil", 3, "did you mean CA-milplib-small"),
    "an unknown training set": ("mixed]", "mixture]", 11, "known: homogeneous, mixed"),
    "an unknown rule": ("[pscost]", "[pscots]", 13, "did you mean pscost"),
    "a policy file that is not there": ("[pscost]", "[a.safetensors]", 13, "a.safetensors"),
    "a text for a number": ("instance: 3", "instance: three", 6, "must be a whole number"),
    "a fraction for a number": ("instance: 3", "instance: 2.5", 6, "must be a whole number"),
    "a number for a section": ("gcnn: {epochs: 2}", "gcnn: 2", 9, "must be a section"),
    "no value": ("instance: 3", "instance:", 6, "has no value"),
    "no samples": ("instance: 3", "instance: 0", 6, "must be at least 1"),
    "no instances in a budget": ("[5, 10]", "[5, 0]", 7, "must be at least 1"),
    "a probability of more than one": ("{train: 20", "{expert_probability: 2", 3, "must be in (0"),
    "a budget larger than a split": ("[5, 10]", "[5, 11]", 7, "MIS-milplib-small has 10"),
    "a budget twice": ("[5, 10]", "[5, 5]", 7, "there twice"),
    "a larger budget in a scale": ("budgets: [2]", "budgets: [50]", 16, "more than there are"),
    "a negative number": ("val: 4", "val: -4", 3, "must be at least 0"),
    "no instances at all": ("{train: 20, val: 4, test: 5}", "{val: 4}", 3, "neither train nor"),
    "a seed twice": ("training:", "training:\n  seeds: [1, 1]", 11, "no seed may be there twice"),
    "no seed": ("training:", "training:\n  seeds: 0", 11, "seeds is 0; it must be at least 1"),
    "an empty list of seeds": ("training:", "training:\n  seeds: []", 11, "at least one seed"),
    "fewer than no seeds": ("training:", "training:\n  seeds: -1", 11, "seeds is -1; it must be"),
    "a distribution without a generator": (
        "  CA-milplib-small: {",
        "  MMCN-hard-BI: {",
        3,
        "has no generator",
    ),
    "a source that it has not": (
        "{train: 20",
        "{source: mirror, train: 20",
        3,
        "no source 'mirror'",
    ),
    "a folder that is not there": ("{train: 20", "{source: nowhere, train: 20", 3, "no source"),
    "more than the authors published": (
        "  CA-milplib-small: {train: 20",
        "  CA-medium: {source: site, train: 20000",
        3,
        "its source has",
    ),
    "a rule that is none": (
        "evaluation:",
        "evaluation:\n  best_native: {rules: [nothing]}",
        13,
        "unknown policy 'nothing'",
    ),
    "too few validation instances for a choice": (
        "evaluation:",
        "evaluation:\n  best_native: {instances: 5}",
        13,
        "CA-milplib-small has 4",
    ),
    "the policies of something else": (
        "budgets:",
        "  GISP-milplib-small: {test: 1, policies_of: CA}\nbudgets:",
        7,
        "unknown key",
    ),
    "an unknown expert": ("collection:", "collection:\n  expert: fulll", 6, "'fulll'"),
    "an unknown block": ("collection:", "collection:\n  blocks: [khalli]", 6, "khalli"),
    "a block that is not collected": ("epochs: 2", "blocks: [khalil]", 9, "not collected"),
    "an unknown mixture": ("epochs: 2", "mixture: even", 9, "balanced, proportional"),
    "unknown sums": ("epochs: 2", "sums: mean", 9, "must be absolute or relative"),
    "a name twice": ("budgets: [5, 10]", "settings: [default]", 7, "stands here twice"),
    "a date": ("instance: 3", "instance: 2001-01-01", 6, "of the kind 'timestamp'"),
    "a tag": ("instance: 3", "instance: !!python/name:os.system x", 6, "of the kind"),
    "no YAML": ("[5, 10]", "[5, 10", 8, "this is no YAML"),
    "a removed thing that is not there": ("    budgets: [2]", "    settingz:", 16, "is not there"),
    "a full scale that changes something": ("  small:", "  full:", 15, "as it stands"),
}


@pytest.mark.parametrize("what", WRONG)
def test_is_named_with_its_line(what: str, study: Callable[..., Any]) -> None:
    old, new, line, words = WRONG[what]
    assert old in GOOD
    path = study(GOOD.replace(old, new, 1))
    scale = "small" if what in ("a larger budget in a scale",) or "removed" in what else "full"

    with pytest.raises(StudyError) as caught:
        run_study(path, scale=scale, data=path.parent / "data")

    message = str(caught.value)
    assert message.startswith(f"{path}, line {line}: "), message
    assert words in message
    assert "\n" not in message
    assert sorted(path.parent.iterdir()) == [path]  # nothing was begun


@pytest.mark.parametrize(
    ("old", "new", "hidden", "line", "extra"),
    [
        ("gcnn: {epochs: 2}", "gbdt: {}", "lightgbm", 9, "rankers"),
        ("gcnn: {epochs: 2}", "extratrees: {}", "sklearn", 9, "rankers"),
        ("gcnn: {epochs: 2}", "gcnn: {epochs: 2}", "torch", 9, "learn"),
        ("CA-milplib-small", "OTS-case118-easy", "matpowercaseframes", 3, "grids"),
        ("CA-milplib-small", "SRPN-net3-easy", "wntr", 3, "water"),
    ],
)
def test_a_missing_extra_is_named_with_its_line(
    old: str,
    new: str,
    hidden: str,
    line: int,
    extra: str,
    study: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "milplib.study.checks.find_spec", lambda name: None if name == hidden else find(name)
    )
    path = study(GOOD.replace(old, new, 1))

    with pytest.raises(StudyError) as caught:
        load_study(path)

    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert "pip install 'milplib[" in str(caught.value)
    assert extra in str(caught.value)


def test_a_scale_that_is_not_there_is_named(study: Callable[..., Any]) -> None:
    with pytest.raises(UnknownNameError, match="unknown scale 'smal': did you mean small"):
        load_study(study(GOOD), scale="smal")


def test_a_stage_that_is_not_there_is_named(study: Callable[..., Any]) -> None:
    with pytest.raises(UnknownNameError, match="unknown stage 'trian'"):
        plan_study(study(GOOD), only=["trian"])


@pytest.mark.parametrize("content", [b"", b"\xff", b"- a\n- b\n", b"a: &a [*a]\n"])
def test_a_file_that_is_no_study_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)

    with pytest.raises(StudyError, match=r"study\.yaml"):
        load_study(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"cannot read the study .*none\.yaml: No such file"):
        load_study(tmp_path / "none.yaml")


NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self, *, hidden=8, n_block_columns=0):
        super().__init__()
        self.linear = nn.Linear(19, 1)

    def forward(self, batch):
        return self.linear(batch.variable_features[batch.candidates])[:, 0]
"""


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("{kind: 'study_net:Nett'}", "'study_net:Nett' cannot be imported"),
        ("{kind: 'study_net:nn'}", "no class of torch modules"),
        ("{kind: 'study_net:Net', hiden: 3}", "hiden is no option of Net; it takes hidden"),
        ("{kind: 'study_net:Net', epochs: 0}", "epochs is 0"),
        ("{kind: gcnn, initial_policy: none.safetensors}", "no policy file none.safetensors"),
    ],
)
def test_a_network_of_ones_own_is_named_with_its_line(
    model: str,
    words: str,
    study: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "study_net.py").write_text(NET)
    monkeypatch.syspath_prepend(tmp_path)
    path = study(GOOD.replace("gcnn: {epochs: 2}", f"mine: {model}"))
    with pytest.raises(StudyError) as caught:
        load_study(path, allow=["study_net"])
    assert str(caught.value).startswith(f"{path}, line 9: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_of_ones_own_has_its_options_beside_the_others(
    study: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study_net.py").write_text(NET)
    monkeypatch.syspath_prepend(tmp_path)
    given = "{kind: 'study_net:Net', hidden: 3, epochs: 7}"
    path = study(GOOD.replace("gcnn: {epochs: 2}", f"mine: {given}"))
    (model,) = load_study(path, allow=["study_net"]).models
    assert model.options.model_options == {"hidden": 3}
    assert model.options.epochs == 7
