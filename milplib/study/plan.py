"""From a study to its pieces: which samples, policies and runs it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from milplib.study.collecting import CollectPiece
from milplib.study.instances import InstancePiece
from milplib.study.judging import ChoicePiece, EvaluatePiece, RulesPiece
from milplib.study.models import Budget, Model
from milplib.study.piece import STAGES, Piece
from milplib.study.study import Study, StudyDistribution
from milplib.study.summary import SummaryPiece
from milplib.study.training import TrainPiece

__all__ = ["study_pieces"]

BEST = "best-native"
"""What results call the best of SCIP's rules."""

Kind = TypeVar("Kind", bound=Piece)


def study_pieces(study: Study) -> tuple[Piece, ...]:
    """Cut a study into pieces, in an order in which they can be done.

    Examples
    --------
    >>> from milplib.study.study import Evaluating, StudyDistribution
    >>> study = Study(name="rules", evaluation=Evaluating(policies=("pscost",)),
    ...               distributions=(StudyDistribution(name="CA-milplib-small", test=8),))
    >>> [f"{piece.stage}: {piece.label}" for piece in study_pieces(study)][-3:]
    ['evaluate: CA-milplib-small test 0-4, seed 0 (default)', \
'evaluate: CA-milplib-small test 5-7, seed 0 (default)', 'summarise: rules (default)']
    """
    planner = _Planner(study)
    for setting in study.settings:
        planner.plan(setting)
    found = list(planner.pieces.values())
    return tuple(sorted(found, key=lambda piece: STAGES.index(piece.stage)))


def _cuts(stop: int, *, size: int, marks: Sequence[int] = ()) -> Iterator[tuple[int, int]]:
    """Cut numbers below `stop` at multiples of a size, and at marks.

    >>> list(_cuts(50, size=20, marks=[30]))
    [(0, 20), (20, 30), (30, 40), (40, 50)]
    """
    ends = sorted({*range(size, stop, size), *(mark for mark in marks if mark < stop), stop})
    return zip([0, *ends], ends, strict=False)


class _Planner:
    """Makes the pieces of a study, of equal ones only the first."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self.pieces: dict[str, Piece] = {}
        self._instances: dict[tuple[str, str, int, int], InstancePiece] = {}
        self._collected: dict[tuple[InstancePiece, str, int], CollectPiece] = {}

    def _the(self, piece: Kind) -> Kind:
        return self.pieces.setdefault(piece.address, piece)  # type: ignore[return-value]

    def plan(self, setting: str) -> None:
        """Make the pieces of a setting."""
        study = self._study
        policies = {
            (kind, of, model.name, budget.label, seed): piece
            for kind, of, names in self._sets()
            for model in study.models
            for budget in study.budgets
            for seed in study.training.seeds
            for piece in [self._policy(kind, of, names, model, budget, seed, setting)]
        }
        runs = [
            self._the(piece)
            for found in study.judged
            for piece in self._runs(found, policies, setting)
        ]
        trained = tuple(dict.fromkeys(policies.values()))
        # Apart, so that means and corrected tests are of what the study set out to judge.
        elsewhere = tuple(piece for piece in runs if piece.instances.of.policies_of)
        usual = tuple(piece for piece in runs if not piece.instances.of.policies_of)
        for part, judged, described in (("", usual, trained), ("transfer", elsewhere, ())):
            if judged:
                self._the(
                    SummaryPiece(
                        study=study.name,
                        setting=setting,
                        part=part,
                        runs=judged,
                        policies=described,
                    )
                )

    def _sets(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Kind of each training set, the distribution that it is for, and those in it."""
        names = tuple(d.name for d in self._study.learned)
        if not names:
            return
        for kind in self._study.training.sets:
            if kind == "mixed":
                yield kind, "", names
            elif kind == "homogeneous":
                yield from ((kind, name, (name,)) for name in names)
            else:
                yield from ((kind, out, tuple(n for n in names if n != out)) for out in names)

    def _policy(
        self,
        kind: str,
        of: str,
        names: tuple[str, ...],
        model: Model,
        budget: Budget,
        seed: int,
        setting: str,
    ) -> TrainPiece:
        known = {d.name: d for d in self._study.learned}
        usual = self._study.collection.samples_per_instance
        wanted = budget.samples_per_instance or usual
        marks = [b.instances for b in self._study.budgets]
        found = {"mixed": "mixed", "homogeneous": of, "leave-one-out": f"without-{of}"}[kind]
        across = self._study.training.across_settings
        settings = self._study.settings if across else (setting,)
        return self._the(
            TrainPiece(
                name=f"{model.name}-{found}-{budget.label}-seed{seed}",
                model=model,
                seed=seed,
                setting="all" if across else setting,
                training=tuple(
                    piece
                    for name in names
                    for under in settings
                    for piece in self._samples(
                        known[name], "train", budget.instances, wanted, under, marks
                    )
                ),
                validation=tuple(
                    piece
                    for name in names
                    for under in settings
                    for piece in self._samples(
                        known[name], "val", known[name].val, usual, under, ()
                    )
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
    ) -> Iterator[CollectPiece]:
        how = self._study.collection
        if of.expert_probability is not None:
            how = replace(how, expert_probability=of.expert_probability)
        for first, end in _cuts(stop, size=how.instances_a_piece, marks=marks) if stop else ():
            instances = self._piece(of, split, first, end)
            key = (instances, setting, samples)
            if key not in self._collected:
                self._collected[key] = self._the(
                    CollectPiece(
                        instances=instances,
                        setting=setting,
                        collection=how,
                        samples_per_instance=samples,
                    )
                )
            yield self._collected[key]

    def _piece(self, of: StudyDistribution, split: str, start: int, stop: int) -> InstancePiece:
        key = (of.name, split, start, stop)
        if key not in self._instances:
            piece = InstancePiece(of=of, split=split, start=start, stop=stop)
            self._instances[key] = self._the(piece)
        return self._instances[key]

    def _runs(
        self,
        found: StudyDistribution,
        policies: dict[tuple[str, str, str, str, int], TrainPiece],
        setting: str,
    ) -> Iterator[EvaluatePiece]:
        how = self._study.evaluation
        made: list[tuple[str, Piece]] = [
            (f"{model}-{kind}-{budget}-seed{seed}", piece)
            for (kind, of, model, budget, seed), piece in policies.items()
            if of in ("", found.home)
        ]
        if how.best_native is not None:
            made.append((BEST, self._the(self._choice(found, setting))))
        limit = found.time_limit or how.time_limit
        for seed in how.seeds:
            for first, end in _cuts(found.test, size=how.instances_a_piece):
                yield EvaluatePiece(
                    instances=self._piece(found, "test", first, end),
                    setting=setting,
                    time_limit=limit,
                    grace=how.grace,
                    seed=seed,
                    baseline=how.baseline,
                    made=tuple(made),
                    given=how.policies,
                )

    def _choice(self, found: StudyDistribution, setting: str) -> ChoicePiece:
        study, how = self._study, self._study.evaluation
        choice = how.best_native
        assert choice is not None
        home = next(d for d in study.distributions if d.name == found.home)
        tried = [
            self._the(
                RulesPiece(
                    instances=self._piece(home, "val", first, end),
                    setting=setting,
                    time_limit=home.time_limit or how.time_limit,
                    grace=how.grace,
                    seed=seed,
                    baseline=choice.rules[0],
                    given=choice.rules,
                )
            )
            for seed in choice.seeds
            for first, end in _cuts(choice.instances, size=how.instances_a_piece)
        ]
        return ChoicePiece(judged=found.name, tried=tuple(tried))
