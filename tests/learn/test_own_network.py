"""Networks of a user's own: trained, saved, reloaded by name, evaluated and used in the plugin."""

from __future__ import annotations

import importlib
import pickle
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from command_line import run_forked
from market_split import market_split

import milplib
from milplib.errors import MilplibError, ParameterError, PolicyError
from milplib.evaluation import evaluate
from milplib.learn import SampleSet, train
from milplib.learn.dataset import to_batch, to_graph
from milplib.learn.samples import Sample
from milplib.policies import read_policy, register_network

DOCUMENT = Path(__file__).parents[2] / "docs" / "extending.md"
SMALL: dict[str, Any] = {"epochs": 2, "batch_size": 4, "device": "cpu"}

OTHERS = '''
import milplib
import torch
from torch import nn
from torch_geometric.utils import scatter


class Pooled(nn.Module):
    """Lazy, without edges: a candidate beside the mean of its graph's, and an unused weight."""

    def __init__(self, *, sizes=(8, 8)):
        super().__init__()
        widths = [nn.LazyLinear(size) for size in sizes]
        self.layers = nn.Sequential(*(part for w in widths for part in (w, nn.Tanh())))
        self.last = nn.LazyLinear(1)
        self.unused = nn.Parameter(torch.ones(3))

    def forward(self, batch):
        own = self.layers(batch.variable_features[batch.candidates])
        mean = scatter(own, batch.candidates_batch, reduce="mean")
        return self.last(torch.cat([own, mean[batch.candidates_batch]], dim=1))[:, 0]


class Column(Pooled):
    def forward(self, batch):
        return super().forward(batch)[:, None]


class Text(Pooled):
    def forward(self, batch):
        return "scores"


class Failing(Pooled):
    def forward(self, batch):
        raise ValueError("two\\nlines")


class NoModule:
    pass
'''


@pytest.fixture(scope="module")
def auctions(sample_sets: dict[str, SampleSet]) -> Path:
    found_there: Path = sample_sets["auction"].folder
    return found_there


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a folder outside the package with the document's module and others."""
    folder = tmp_path / "modules"
    folder.mkdir()
    block = DOCUMENT.read_text().partition("```python\n")[2].partition("```")[0]
    (folder / "mynet.py").write_text(textwrap.dedent("   " + block.lstrip()))
    (folder / "others.py").write_text(OTHERS)
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in ("mynet", "others", "bystander"):
        sys.modules.pop(name, None)


def unseen(folder: Path) -> Any:
    folder.mkdir()
    market_split(0, n_columns=12).write(folder / "unseen.lp")
    return folder


def test_the_documents_network_trains_reloads_and_branches(
    auctions: Path, modules: Any, tmp_path: Path
) -> None:
    results = [
        train([auctions], out=tmp_path / f"{name}.safetensors", model="mynet:RowMeanNet",
              model_options={"hidden": 8}, blocks=("pseudocost",), **SMALL)
        for name in "ab"
    ]  # fmt: skip
    path = results[0].policy
    assert path.read_bytes() == results[1].policy.read_bytes()  # dropout is drawn by the seed
    assert len(results[0].history) == 2
    content = read_policy(path)
    assert content.hyperparameters == {"network": "mynet:RowMeanNet", "options": {"hidden": 8}}
    assert [block.name for block in content.blocks] == ["pseudocost"]

    network = importlib.import_module("mynet").RowMeanNet
    policies: list[Any] = [
        milplib.load_policy(path, models=[m]) for m in (network, "mynet:RowMeanNet")
    ]
    (instance,) = unseen(tmp_path / "instances").glob("*.lp")
    solved = [milplib.solve(instance, policy=policy, on_error="raise") for policy in policies]
    assert solved[0].policy_calls > 0
    assert solved[0].nodes == solved[1].nodes


@pytest.mark.slow
def test_the_documents_network_is_evaluated_in_processes_that_import_it(
    auctions: Path, modules: Any, tmp_path: Path
) -> None:
    path = train([auctions], out=tmp_path / "a.safetensors", model="mynet:RowMeanNet",
                 model_options={"hidden": 8}, blocks=("pseudocost",), **SMALL).policy  # fmt: skip
    network = importlib.import_module("mynet").RowMeanNet
    policy: Any = milplib.load_policy(path, models=[network])
    (instance,) = unseen(tmp_path / "instances").glob("*.lp")
    solved = milplib.solve(instance, policy=policy, on_error="raise")
    runs = evaluate([tmp_path / "instances"], policies=[path], models=[network],
                    time_limit=300, out=tmp_path / "results")  # fmt: skip
    (row,) = (r for r in runs.table.to_pylist() if r["policy"] == "a")
    assert (row["status"], row["failure"]) == ("optimal", "")
    assert row["nodes"] == solved.nodes


def test_the_command_line_trains_and_solves_with_it_in_processes_of_its_own(
    auctions: Path, modules: Any, tmp_path: Path
) -> None:
    training = ("train", auctions, "--model", "mynet:RowMeanNet", "--model-option", "hidden=8")
    done = run_forked(
        *training, "--epochs", 1, "--out", tmp_path / "net.safetensors", modules=modules
    )
    assert done.returncode == 0, done.stderr
    assert "accuracy@1" in done.stdout
    (instance,) = unseen(tmp_path / "instances").glob("*.lp")
    solving = ("solve", instance, "--policy", tmp_path / "net.safetensors", "--on-error", "raise")
    refused = run_forked(*solving, modules=modules)
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert "net.safetensors is of the torch module mynet:RowMeanNet" in line
    assert "--network mynet:RowMeanNet" in line
    done = run_forked(*solving, "--network", "mynet:RowMeanNet", modules=modules)
    assert done.returncode == 0, done.stderr
    assert "optimal" in done.stdout


def test_another_architecture_scores_at_run_time_as_it_does_in_torch(
    auctions: Path, samples: list[Sample], modules: Any, tmp_path: Path
) -> None:
    result = train([auctions], out=tmp_path / "p.safetensors", model="others:Pooled",
                   model_options={"sizes": [6, 4]}, **SMALL)  # fmt: skip
    policy: Any = milplib.load_policy(result.policy, models=["others:Pooled"])
    others = importlib.import_module("others")
    module = others.Pooled(sizes=(6, 4))
    tensors = read_policy(result.policy).tensors
    module.load_state_dict({name: torch.from_numpy(t.copy()) for name, t in tensors.items()})
    for sample in samples[:3]:
        with torch.no_grad():
            expected = module(to_batch([to_graph(sample)])).numpy()
        np.testing.assert_allclose(policy.score(sample.state), expected, rtol=1e-5, atol=1e-6)
        travelled = pickle.loads(pickle.dumps(policy))
        assert np.array_equal(travelled.score(sample.state), policy.score(sample.state))


@pytest.mark.slow
def test_a_stopped_training_of_it_goes_on_to_the_same_policy(
    auctions: Path, modules: Any, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "model": "mynet:RowMeanNet",
        "batch_size": 4,
        "epochs": 4,
        "device": "cpu",
    }
    whole = train([auctions], out=tmp_path / "whole.safetensors", **options)

    def stop(progress: Any) -> None:
        if progress.phase == "training" and progress.done == 2:
            raise KeyboardInterrupt

    out = tmp_path / "stopped.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train([auctions], out=out, on_progress=stop, **options)
    assert train([auctions], out=out, **options).policy.read_bytes() == whole.policy.read_bytes()


def test_a_file_imports_nothing_and_a_registered_class_needs_no_naming(
    auctions: Path, modules: Any, tmp_path: Path
) -> None:
    (modules / "bystander.py").write_text((modules / "others.py").read_text())
    path = train(
        [auctions], out=tmp_path / "p.safetensors", model="bystander:Pooled", **SMALL
    ).policy
    bystander = sys.modules.pop("bystander")
    for models in ((), ["others:Pooled"]):
        with pytest.raises(PolicyError, match=r"p\.safetensors .* bystander:Pooled, which was not"):
            milplib.load_policy(path, models=models)
    assert "bystander" not in sys.modules
    register_network(bystander.Pooled)
    policy: Any = milplib.load_policy(path)
    assert policy.network is bystander.Pooled
    with pytest.raises(ParameterError, match="is not a class of torch modules"):
        register_network(dict)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "nowhere:Net"}, "model 'nowhere:Net' cannot be imported"),
        ({"model": "others:Nett"}, "model 'others:Nett' cannot be imported"),
        ({"model": "others:NoModule"}, "no class of torch modules"),
        ({"model": "network"}, "name its class"),
        ({"model": "others:Column"}, r"others:Column gives scores of shape \(\d+, 1\)"),
        ({"model": "others:Text"}, "others:Text gives str"),
        ({"model": "others:Failing"}, "others:Failing fails on the first batch.*two lines"),
        ({"model": "others:Pooled", "model_options": {"size": 3}}, "size is no option of Pooled"),
        ({"model": "others:Pooled", "model_options": {"sizes": {1}}}, "no JSON value"),
        ({"model": "others:Pooled", "model_options": {"sizes": 5}}, "cannot be made with"),
        ({"model": "others:Pooled", "hidden": 3}, "hidden is given; the model others:Pooled has"),
        ({"model": "gcnn", "model_options": {}}, "the model gcnn has none"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_leaves_nothing(
    options: dict[str, Any], words: str, auctions: Path, modules: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(MilplibError, match=words) as raised:
        train([auctions], out=out / "p.safetensors", **options)
    assert len(str(raised.value).splitlines()) == 1
    assert not list(out.iterdir())


def test_a_policy_that_does_not_fit_its_class_says_so(
    auctions: Path, modules: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = train([auctions], out=tmp_path / "p.safetensors", model="others:Pooled", **SMALL).policy
    others = importlib.import_module("others")
    monkeypatch.setattr(others.Pooled, "__init__", torch.nn.Module.__init__)  # it has changed
    with pytest.raises(PolicyError, match="'p' does not fit the class others:Pooled") as raised:
        milplib.load_policy(path, models=[others.Pooled])
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_a_network_that_an_installed_package_declares_is_trained_and_loaded_by_its_name(
    auctions: Path, modules: Any, tmp_path: Path
) -> None:
    package = modules / "theirs-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    points = package / "entry_points.txt"
    points.write_text("[milplib.models]\nrow-mean = mynet:RowMeanNet\n")
    out = tmp_path / "p.safetensors"
    training = ("train", auctions, "--model", "row-mean", "--epochs", 1, "--out")
    done = run_forked(*training, out, modules=modules)
    assert done.returncode == 0, done.stderr
    loading = "import milplib, sys; print(type(milplib.load_policy(sys.argv[1])).__name__)"
    assert run_forked(out, modules=modules, code=loading).stdout == "NetworkPolicy\n"

    points.write_text("[milplib.models]\nrow-mean = nowhere:RowMeanNet\n")
    done = run_forked(*training, tmp_path / "q.safetensors", modules=modules)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "'row-mean' of milplib.models (nowhere:RowMeanNet) cannot be loaded" in line
    shipped = "import milplib; print(milplib.load_policy('gcnn-mixed').name)"
    assert run_forked(modules=modules, code=shipped).stdout == "gcnn-mixed\n"


OWN_KIND = """
import numpy as np
from dataclasses import dataclass
from milplib.learn.training import TrainingResult, Metrics
from milplib.policies import ModelKind, PolicyFile, write_policy


@dataclass(frozen=True, kw_only=True)
class Options:
    column: int = 8


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    pass


def fit(task):
    write_policy(task.out, PolicyFile(
        architecture="one-feature", hyperparameters={"column": task.options.column}, tensors={}))
    return TrainingResult(policy=task.out, model=task.kind.name, by_set=(), choices={},
        metrics=Metrics(samples=0, accuracy=(0, 0, 0, 0), regret=0), training_samples=0)


class OneFeature:
    state_functions = ()

    def __init__(self, content, *, name, blocks):
        self.name, self.column = name, content.hyperparameters["column"]

    def score(self, state):
        return state.variable_features[state.candidates, self.column]


KIND = ModelKind(name="one-feature", options=Options, run_options=RunOptions, fit=fit,
                 scorers={"one-feature": OneFeature})
"""


def test_a_kind_of_ones_own_that_is_no_network_trains_and_scores(
    auctions: Path, samples: list[Sample], modules: Any, tmp_path: Path
) -> None:
    (modules / "bystander.py").write_text(OWN_KIND)
    result = train([auctions], out=tmp_path / "p.safetensors", model="bystander:KIND", column=9)
    policy: Any = milplib.load_policy(result.policy, models=["bystander:KIND"])
    state = samples[0].state
    assert np.array_equal(policy.score(state), state.variable_features[state.candidates, 9])
    with pytest.raises(PolicyError, match="architecture 'one-feature'; this milplib knows"):
        milplib.load_policy(result.policy)
    with pytest.raises(ParameterError, match="colum is given; the model one-feature has none"):
        train([auctions], out=tmp_path / "q.safetensors", model="bystander:KIND", colum=9)
