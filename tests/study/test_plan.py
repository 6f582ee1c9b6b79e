"""Which tasks a study has, and what makes two tasks the same."""

from __future__ import annotations

import inspect
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from milplib.policies import (
    find_model_kind,
    pretrained,
    pretrained_file,
    pretrained_names,
    read_policy,
    write_policy,
)
from milplib.study import load_study, plan_study, study_scales
from milplib.study.costs import Costs
from milplib.study.document import Section
from milplib.study.graph import study_tasks
from milplib.study.instances import InstanceTask
from milplib.study.model_options import model_options
from milplib.study.study import Collection, StudyDistribution

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHIPPED = sorted(EXPERIMENTS.glob("*.yaml"))


def tasks_of(path: Path, **options: Any) -> Any:
    return study_tasks(load_study(path, **options))


def addresses(tasks: Any, stage: str) -> set[str]:
    return {task.address for task in tasks if task.stage == stage}


def test_a_study_has_a_policy_for_each_training_set_model_and_seed(
    study: Callable[..., Any], learned: str
) -> None:
    path = study(learned.replace("  sets:", "  seeds: 3\n  sets:"))

    tasks = tasks_of(path)

    names = [task.name for task in tasks if task.stage == "train"]
    assert len(names) == len(set(names)) == 2 * 3 * 3
    assert "gcnn-mixed-2-seed1" in names
    assert "linear-MIS-milplib-small-2-seed2" in names
    judged = [task for task in tasks if task.stage == "evaluate"]
    assert len(judged) == 2
    # Its own policy and the mixture's, of two models and three seeds; and a rule and the baseline.
    assert {task.units for task in judged} == {2 * 2 * 3 + 2}


def test_a_mixture_has_exactly_the_samples_of_the_single_distributions(
    study: Callable[..., Any], learned: str
) -> None:
    tasks = [task for task in tasks_of(study(learned)) if task.stage == "train"]
    by_name = {task.name: task for task in tasks}

    both = by_name["gcnn-mixed-2-seed0"]
    single = [by_name[f"gcnn-{name}-2-seed0"] for name in both.distributions]

    assert both.training == tuple(task for one in single for task in one.training)
    assert both.validation == tuple(task for one in single for task in one.validation)


def test_leaving_one_out_trains_on_all_others(study: Callable[..., Any], learned: str) -> None:
    third = "  CA-milplib-small: {train: 2, val: 1, test: 1}\ncollection:"
    text = learned.replace("collection:", third).replace("mixed]", "leave-one-out]")

    tasks = [task for task in tasks_of(study(text)) if task.stage == "train"]

    (without,) = [task for task in tasks if task.name == "gcnn-without-CA-milplib-small-2-seed0"]
    assert without.distributions == ("MIS-milplib-small", "GISP-milplib-small")


def test_a_distribution_may_be_judged_by_the_policies_of_another(
    study: Callable[..., Any], learned: str
) -> None:
    larger = "  MIS-easy: {test: 1, policies_of: MIS-milplib-small}\ncollection:"

    tasks = tasks_of(study(learned.replace("collection:", larger)))

    judged = {p.instances.of.name: dict(p.trained) for p in tasks if p.stage == "evaluate"}
    assert judged["MIS-easy"] == judged["MIS-milplib-small"]
    assert judged["MIS-easy"] != judged["GISP-milplib-small"]
    parts = {
        p.part: {run.instances.of.name for run in p.runs} for p in tasks if p.stage == "summarise"
    }
    assert parts == {"": {"MIS-milplib-small", "GISP-milplib-small"}, "transfer": {"MIS-easy"}}
    assert not any(
        p.of.name == "MIS-easy" and p.split != "test" for p in tasks if p.stage == "generate"
    )


@pytest.mark.parametrize("counts", [(20, 30), (20, 40), (10, 40)])
def test_a_larger_budget_adds_to_what_a_smaller_one_collected(
    counts: tuple[int, int], study: Callable[..., Any], learned: str
) -> None:
    small, large = counts
    text = learned.replace("train: 2", "train: 40").replace("a_piece: 2", "a_piece: 10")
    one = tasks_of(study(text.replace("models:", f"budgets: [{small}]\nmodels:"), "a.yaml"))
    both = tasks_of(study(text.replace("models:", f"budgets: {[small, large]}\nmodels:"), "b.yaml"))

    assert addresses(one, "collect") < addresses(both, "collect")
    assert addresses(one, "train") < addresses(both, "train")


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("_instance: 1", "_instance: 2", {"collect", "train", "evaluate", "summarise"}),
        (
            "{train: 2,",
            "{expert_probability: 0.5, train: 2,",
            {"collect", "train", "evaluate", "summarise"},
        ),
        ("max_episodes: 2", "seed: 5", {"collect", "train", "evaluate", "summarise"}),
        ("hidden: 8", "hidden: 9", {"train", "evaluate", "summarise"}),
        ("hidden: 8", "sums: relative, hidden: 8", {"train", "evaluate", "summarise"}),
        ("hidden: 8", "sums: absolute, hidden: 8", set()),
        ("time_limit: 60", "time_limit: 61", {"evaluate", "summarise"}),
        ("[pscost]", "[mostinf]", {"evaluate", "summarise"}),
        ("hidden: 8,", "hidden: 8, learning_rate: 0.001,", set()),  # the default, written down
        ("  sets", "  device: cpu\n  sets", set()),
        ("  time_limit", "  grace: 5\n  time_limit", set()),
    ],
)
def test_a_change_is_a_change_of_what_depends_on_it_alone(
    old: str, new: str, changed: set[str], study: Callable[..., Any], learned: str
) -> None:
    assert old in learned
    before, after = tasks_of(study(learned)), tasks_of(study(learned.replace(old, new)))

    differ = {
        stage
        for stage in ("generate", "collect", "train", "evaluate", "summarise")
        if addresses(before, stage) != addresses(after, stage)
    }

    assert differ == changed


def test_an_address_is_the_same_in_every_process_and_study() -> None:
    task = InstanceTask(
        of=StudyDistribution(name="SC-milplib-small", test=9), split="test", start=0, stop=3
    )
    other = InstanceTask(
        of=StudyDistribution(name="SC-milplib-small", train=1, test=3),
        split="test",
        start=0,
        stop=3,
    )

    assert task.address == other.address
    assert len(task.address) == 64


def test_the_instances_of_a_folder_are_told_by_their_content(
    study: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    (folder / "test").mkdir(parents=True)
    for name in ("a", "b"):
        (folder / "test" / f"{name}.lp").write_text("minimize OBJ: x subject to C: x >= 1 End")
    text = (
        f"distributions:\n  mine: {{source: {folder}, test: 2}}\nevaluation: {{policies: [pscost]}}"
    )
    before = addresses(tasks_of(study(text)), "generate")

    (folder / "test" / "b.lp").write_text("minimize OBJ: x subject to C: x >= 2 End")

    assert before != addresses(tasks_of(study(text)), "generate")


def test_planning_computes_nothing_and_writes_nothing(
    study: Callable[..., Any], learned: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = study(learned)

    plan = plan_study(path)

    assert Counter(planned.state for planned in plan.tasks) == {"to do": len(plan.tasks)}
    assert plan.seconds > 0
    assert sorted(tmp_path.iterdir()) == [path]


def test_only_some_stages_are_planned_with_what_they_need(
    study: Callable[..., Any], learned: str, tmp_path: Path
) -> None:
    plan = plan_study(study(learned), only=["collect"], data=tmp_path / "data")

    assert {planned.task.stage for planned in plan.todo} == {"generate", "collect"}
    assert not any(
        getattr(p.task, "split", None) == "test" for p in plan.todo if p.task.stage == "generate"
    )


def test_a_cost_is_the_median_of_what_was_measured(
    study: Callable[..., Any], learned: str, tmp_path: Path
) -> None:
    path = study(learned)
    task = next(task for task in tasks_of(path) if task.stage == "collect")
    costs = Costs(tmp_path / "costs.json")
    for seconds in (8.0, 2.0, 4.0):
        costs.learn(task, seconds=seconds, units=2.0)

    planned = {p.task: p.cost for p in plan_study(path, data=tmp_path / "data").tasks}

    assert planned[task].is_measured
    assert planned[task].seconds == 2.0 * task.units


def test_damaged_costs_are_named(study: Callable[..., Any], learned: str, tmp_path: Path) -> None:
    path = study(learned)
    (tmp_path / "costs.json").write_text("[]")

    with pytest.raises(Exception, match=r"costs\.json are damaged"):
        plan_study(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_study_can_be_planned_at_both_scales(path: Path, tmp_path: Path) -> None:
    assert {"full", "small"} <= set(study_scales(path))
    for scale in ("full", "small"):
        study = load_study(path, scale=scale)
        assert study.about
        assert study.learned


def test_options_have_the_defaults_of_the_functions_that_take_them() -> None:
    from milplib.learn import collect

    parameters = inspect.signature(collect).parameters
    for field in fields(Collection):
        if field.name != "instances_per_task":
            assert getattr(Collection(), field.name) == parameters[field.name].default, field.name
    nothing = Section(file="study.yaml", line=1, name="models.gcnn")
    for name in ("gcnn", "linear", "gbdt", "extratrees"):
        assert model_options(find_model_kind(name), nothing) == find_model_kind(name).options()


def test_a_policy_across_settings_learns_from_all_and_is_judged_in_each(
    study: Callable[..., Any], learned: str
) -> None:
    text = f"settings: [learn2branch, default]\n{learned}"
    together = text.replace("  sets:", "  across_settings: true\n  sets:")
    apart, across = tasks_of(study(text)), tasks_of(study(together, "together.yaml"))

    assert addresses(across, "collect") == addresses(apart, "collect")
    policies = [task for task in across if task.stage == "train"]
    assert 2 * len(policies) == len(addresses(apart, "train"))
    for task in policies:
        assert {sample.setting for sample in task.training} == {"learn2branch", "default"}
        assert {sample.setting for sample in task.validation} == {"learn2branch", "default"}
    judged = [task for task in across if task.stage == "evaluate"]
    assert {task.setting for task in judged} == {"learn2branch", "default"}
    used = {made.address for task in judged for _, made in task.trained}
    assert used == {task.address for task in policies}


def test_a_shipped_policy_is_told_by_its_content(
    study: Callable[..., Any], rules: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = pretrained_names()[0]
    texts = [rules.replace("[pscost]\n", f"[{policy}]\n", 1) for policy in (name, "auto")]
    before = [addresses(tasks_of(study(text)), "evaluate") for text in texts]
    folder = tmp_path / "shipped"
    shutil.copytree(pretrained_file(name).parent, folder)
    content = read_policy(folder / f"{name}.safetensors")
    write_policy(
        folder / f"{name}.safetensors", replace(content, provenance={"data": {}, "seed": 99})
    )
    monkeypatch.setattr(pretrained, "_FOLDER", folder)
    after = [addresses(tasks_of(study(text)), "evaluate") for text in texts]
    for one, other in zip(before, after, strict=True):
        assert one
        assert not one & other
