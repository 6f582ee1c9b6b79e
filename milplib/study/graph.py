"""Graph of the tasks of a study: the instances, samples, policies and runs that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from milplib.study.collecting import CollectTask
from milplib.study.evaluating import EvaluateTask, RuleChoiceTask, RuleTrialTask
from milplib.study.instances import InstanceTask
from milplib.study.merging import BEST
from milplib.study.models import Budget, Model, TrainingSet, own_kinds
from milplib.study.study import Study, StudyDistribution
from milplib.study.summary import SummaryTask
from milplib.study.task import STAGES, Task
from milplib.study.training import TrainTask

__all__ = ["study_tasks"]

TaskType = TypeVar("TaskType", bound=Task)


def study_tasks(study: Study) -> tuple[Task, ...]:
    """Return the tasks of a study, in an order in which they can be done.

    Examples
    --------
    >>> from milplib.study.study import Evaluating, StudyDistribution
    >>> study = Study(name="rules", evaluation=Evaluating(policies=("pscost",)),
    ...               distributions=(StudyDistribution(name="CA-milplib-small", test=8),))
    >>> [f"{task.stage}: {task.label}" for task in study_tasks(study)][-3:]
    ['evaluate: CA-milplib-small test 0-4, seed 0 (default)', \
'evaluate: CA-milplib-small test 5-7, seed 0 (default)', 'summarise: rules (default)']
    """
    graph = _Graph(study)
    for setting in study.settings:
        graph.add(setting)
    return tuple(sorted(graph.tasks.values(), key=lambda task: STAGES.index(task.stage)))


def _cuts(stop: int, *, size: int, marks: Sequence[int] = ()) -> Iterator[tuple[int, int]]:
    """Cut the range below `stop` at multiples of a size, and at marks.

    >>> list(_cuts(50, size=20, marks=[30]))
    [(0, 20), (20, 30), (30, 40), (40, 50)]
    """
    ends = sorted({*range(size, stop, size), *(mark for mark in marks if mark < stop), stop})
    return zip([0, *ends], ends, strict=False)


class _Graph:
    """Builder of the tasks of a study; equal tasks are made once."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self.tasks: dict[Task, Task] = {}
        self._instances: dict[tuple[str, str, int, int], InstanceTask] = {}
        self._collected: dict[tuple[InstanceTask, str, int], CollectTask] = {}

    def _the(self, task: TaskType) -> TaskType:
        return self.tasks.setdefault(task, task)  # type: ignore[return-value]

    def add(self, setting: str) -> None:
        """Add the tasks of a setting."""
        study = self._study
        policies = {
            (training_set, of, model.name, budget.label, seed): task
            for training_set, of, names in self._sets()
            for model in study.models
            for budget in study.budgets
            for seed in study.training.seeds
            for task in [self._policy(training_set, of, names, model, budget, seed, setting)]
        }
        runs = [
            self._the(task)
            for distribution in study.judged
            for task in self._runs(distribution, policies, setting)
        ]
        trained = tuple(dict.fromkeys(policies.values()))
        # Apart, so that the means and corrected tests of the other runs are not affected.
        elsewhere = tuple(task for task in runs if task.instances.of.policies_of)
        usual = tuple(task for task in runs if not task.instances.of.policies_of)
        for part, judged, described in (("", usual, trained), ("transfer", elsewhere, ())):
            if judged:
                self._the(
                    SummaryTask(
                        study=study.name,
                        setting=setting,
                        part=part,
                        runs=judged,
                        policies=described,
                    )
                )

    def _sets(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield the kind, target distribution and training distributions of each training set."""
        names = tuple(d.name for d in self._study.learned)
        if not names:
            return
        for training_set in self._study.training.sets:
            if training_set == TrainingSet.MIXED:
                yield training_set, "", names
            elif training_set == TrainingSet.HOMOGENEOUS:
                yield from ((training_set, name, (name,)) for name in names)
            else:
                yield from (
                    (training_set, out, tuple(n for n in names if n != out)) for out in names
                )

    def _policy(
        self,
        training_set: str,
        of: str,
        names: tuple[str, ...],
        model: Model,
        budget: Budget,
        seed: int,
        setting: str,
    ) -> TrainTask:
        known = {d.name: d for d in self._study.learned}
        usual = self._study.collection.samples_per_instance
        wanted = budget.samples_per_instance or usual
        marks = [b.instances for b in self._study.budgets]
        labels: dict[str, str] = {
            TrainingSet.MIXED: "mixed",
            TrainingSet.HOMOGENEOUS: of,
            TrainingSet.LEAVE_ONE_OUT: f"without-{of}",
        }
        trained_on = labels[training_set]
        across = self._study.training.across_settings
        settings = self._study.settings if across else (setting,)
        return self._the(
            TrainTask(
                name=f"{model.name}-{trained_on}-{budget.label}-seed{seed}",
                model=model,
                seed=seed,
                setting="all" if across else setting,
                training=tuple(
                    task
                    for name in names
                    for under in settings
                    for task in self._samples(
                        known[name], "train", budget.instances, wanted, under, marks
                    )
                ),
                validation=tuple(
                    task
                    for name in names
                    for under in settings
                    for task in self._samples(known[name], "val", known[name].val, usual, under, ())
                ),
                device=self._study.training.device,
            )
        )

    def _samples(
        self,
        of: StudyDistribution,
        split: str,
        stop: int,
        samples: int,
        setting: str,
        marks: Sequence[int],
    ) -> Iterator[CollectTask]:
        how = self._study.collection
        if of.expert_probability is not None:
            how = replace(how, expert_probability=of.expert_probability)
        for first, end in _cuts(stop, size=how.instances_per_task, marks=marks) if stop else ():
            instances = self._instances_of(of, split, first, end)
            key = (instances, setting, samples)
            if key not in self._collected:
                self._collected[key] = self._the(
                    CollectTask(
                        instances=instances,
                        setting=setting,
                        collection=how,
                        samples_per_instance=samples,
                    )
                )
            yield self._collected[key]

    def _instances_of(
        self, of: StudyDistribution, split: str, start: int, stop: int
    ) -> InstanceTask:
        key = (of.name, split, start, stop)
        if key not in self._instances:
            task = InstanceTask(of=of, split=split, start=start, stop=stop)
            self._instances[key] = self._the(task)
        return self._instances[key]

    def _runs(
        self,
        distribution: StudyDistribution,
        policies: dict[tuple[str, str, str, str, int], TrainTask],
        setting: str,
    ) -> Iterator[EvaluateTask]:
        how = self._study.evaluation
        trained: list[tuple[str, Task]] = [
            (f"{model}-{training_set}-{budget}-seed{seed}", task)
            for (training_set, of, model, budget, seed), task in policies.items()
            if of in ("", distribution.home)
        ]
        if how.best_scip_rule is not None:
            trained.append((BEST, self._the(self._choice(distribution, setting))))
        limit = distribution.time_limit or how.time_limit
        for seed in how.seeds:
            for first, end in _cuts(distribution.test, size=how.instances_per_task):
                yield EvaluateTask(
                    instances=self._instances_of(distribution, "test", first, end),
                    setting=setting,
                    time_limit=limit,
                    grace=how.grace,
                    seed=seed,
                    baseline=how.baseline,
                    trained=tuple(trained),
                    listed=how.policies,
                    models=own_kinds(self._study.models),
                )

    def _choice(self, distribution: StudyDistribution, setting: str) -> RuleChoiceTask:
        study, how = self._study, self._study.evaluation
        choice = how.best_scip_rule
        assert choice is not None
        home = next(d for d in study.distributions if d.name == distribution.home)
        tried = [
            self._the(
                RuleTrialTask(
                    instances=self._instances_of(home, "val", first, end),
                    setting=setting,
                    time_limit=home.time_limit or how.time_limit,
                    grace=how.grace,
                    seed=seed,
                    baseline=choice.rules[0],
                    listed=choice.rules,
                )
            )
            for seed in choice.seeds
            for first, end in _cuts(choice.instances, size=how.instances_per_task)
        ]
        return RuleChoiceTask(judged=distribution.name, tried=tuple(tried))
