"""A study: what is collected, trained and judged, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from milplib.evaluation.best_scip_rule import SCIP_RULES
from milplib.study.domains import at_least, fit_for_files, positive, probability, seeds
from milplib.study.errors import FieldError
from milplib.study.models import Budget, Model, Training

__all__ = ["Collection", "Evaluating", "RuleChoice", "Study", "StudyDistribution"]


@dataclass(frozen=True, kw_only=True)
class StudyDistribution:
    """A distribution of a study.

    Parameters
    ----------
    name
        Its name in the catalogue; with a folder or archive as source, any.
    source
        ``generator``, ``mirror``, ``site``, or the path of a folder or archive of instances.
    train, val, test
        Numbers of instances for training, validation and the test: the first ones of each split.
        Without validation instances every training holds some out.
    seed
        Of generated instances.
    time_limit
        Seconds of a solve, where the evaluation's limit does not suit.
    expert_probability
        As in `Collection`, where that does not suit: trees of few nodes want a larger one.
    policies_of
        Name of the distribution whose policies are judged here, too; nothing is trained on this
        one.

    Raises
    ------
    FieldError
        If a number is outside its domain.
    """

    name: str
    source: str = "generator"
    train: int = 0
    val: int = 0
    test: int = 0
    seed: int = 0
    time_limit: float | None = None
    expert_probability: float | None = None
    policies_of: str = ""

    @property
    def home(self) -> str:
        """Name of the distribution whose policies, and whose best rule, are judged here."""
        return self.policies_of or self.name

    def __post_init__(self) -> None:
        at_least(self, 0, "train", "val", "test", "seed")
        positive(self, "time_limit")
        probability(self, "expert_probability")
        fit_for_files(self, "name")
        if self.policies_of and (self.train or self.val):
            raise FieldError(
                "policies_of",
                f"{self.policies_of}, whose policies are judged here: leave train and val out",
            )


@dataclass(frozen=True, kw_only=True)
class Collection:
    """How samples are collected.

    Parameters
    ----------
    samples_per_instance
        Samples wanted from each instance, unless a budget says otherwise.
    expert, expert_probability, label_children, blocks, max_episodes, seed
        As in `milplib.learn.collect`.
    node_limit, iteration_limit, time_limit
        Of an episode.
    instances_per_task
        Number of instances of a task, whose samples are collected and kept together.

    Raises
    ------
    FieldError
        If a value is outside its domain.
    """

    samples_per_instance: int = 10
    expert: str = "full"
    expert_probability: float = 0.05
    label_children: bool = False
    blocks: tuple[str, ...] = ("pseudocost",)
    max_episodes: int = 10
    node_limit: int = 10_000
    iteration_limit: int = 10_000_000
    time_limit: float = 3600.0
    seed: int = 0
    instances_per_task: int = 20

    def __post_init__(self) -> None:
        counts = ("samples_per_instance", "max_episodes", "node_limit", "iteration_limit")
        at_least(self, 1, *counts, "instances_per_task")
        at_least(self, 0, "seed")
        positive(self, "time_limit")
        probability(self, "expert_probability")


@dataclass(frozen=True, kw_only=True)
class RuleChoice:
    """How the best of SCIP's own rules is chosen for each distribution, on validation instances.

    Parameters
    ----------
    rules
        The rules to choose from.
    instances
        Number of validation instances: the first ones.
    seeds
        Of SCIP.

    Raises
    ------
    FieldError
        If a number is outside its domain.
    """

    rules: tuple[str, ...] = SCIP_RULES
    instances: int = 10
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        at_least(self, 1, "instances")
        seeds(self, "seeds")
        if len(set(self.rules)) < max(1, len(self.rules)):
            raise FieldError("rules", f"{list(self.rules)}; give at least one rule, none twice")


@dataclass(frozen=True, kw_only=True)
class Evaluating:
    """How policies are judged: paired, on the test instances of every distribution.

    Parameters
    ----------
    policies
        What is judged beside the trained policies: rules of SCIP's, policy files,
        ``package.module:name``.
    baseline
        What all are compared with; it runs, too.
    seeds
        A number of SCIP's seeds, from 0 on, or the seeds themselves.
    time_limit, grace
        Seconds of a solve, and beyond it until a run is killed.
    instances_per_task
        Number of instances of a task, whose runs with one seed are kept together.
    best_scip_rule
        How the rival ``best-scip-rule`` is chosen; None: there is none.

    Raises
    ------
    FieldError
        If a value is outside its domain.
    """

    policies: tuple[str, ...] = ()
    baseline: str = "relpscost"
    seeds: tuple[int, ...] = (0,)
    time_limit: float = 800.0
    grace: float = 60.0
    instances_per_task: int = 5
    best_scip_rule: RuleChoice | None = None

    def __post_init__(self) -> None:
        seeds(self, "seeds")
        positive(self, "time_limit", "grace")
        at_least(self, 1, "instances_per_task")
        if len(set(self.policies)) < len(self.policies):
            raise FieldError("policies", f"{list(self.policies)}; none may be there twice")


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study.

    Parameters
    ----------
    name, scale
        What it and its scale are called.
    about
        What it asks, in words.
    settings
        Settings of SCIP. Everything is collected, trained and judged under each of them.
    distributions
        Where instances come from.
    collection, budgets, models, training
        How policies are made; without models none are.
    evaluation
        How policies are judged.

    Examples
    --------
    >>> study = Study(name="rules", distributions=(StudyDistribution(name="CA-easy", test=3),),
    ...               evaluation=Evaluating(policies=("pscost",)))
    >>> [d.name for d in study.judged], study.learned
    (['CA-easy'], ())
    """

    name: str
    scale: str = "full"
    about: str = ""
    settings: tuple[str, ...] = ("default",)
    distributions: tuple[StudyDistribution, ...]
    collection: Collection = field(default_factory=Collection)
    budgets: tuple[Budget, ...] = ()
    models: tuple[Model, ...] = ()
    training: Training = field(default_factory=Training)
    evaluation: Evaluating = field(default_factory=Evaluating)

    @property
    def learned(self) -> tuple[StudyDistribution, ...]:
        """Distributions that policies are trained on."""
        return tuple(d for d in self.distributions if d.train) if self.models else ()

    @property
    def judged(self) -> tuple[StudyDistribution, ...]:
        """Distributions with test instances."""
        return tuple(d for d in self.distributions if d.test)
