"""Parameters of a study: what is collected, trained and evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field

from milplib.evaluation.best_scip_rule import SCIP_RULES
from milplib.library.source_names import SourceName
from milplib.study.domains import at_least, fit_for_files, positive, probability, seeds
from milplib.study.errors import FieldError
from milplib.study.models import Budget, Model, Training

__all__ = ["Collection", "Evaluating", "RuleChoice", "Study", "StudyDistribution"]


@dataclass(frozen=True, kw_only=True)
class StudyDistribution:
    """Distribution of a study.

    Parameters
    ----------
    name
        Name in the catalogue; any name if the source is a folder or archive.
    source
        ``generator``, ``mirror``, ``site``, or the path of a folder or archive of instances.
    train, val, test
        Numbers of training, validation and test instances; the first ones of each split are used.
        Without validation instances, each training holds out some of its instances.
    seed
        Seed of generated instances.
    time_limit
        Time limit of a solve in seconds; None for the limit of the evaluation.
    expert_probability
        As in `Collection`; None for the value there. Small trees need a larger one.
    policies_of
        Name of the distribution whose policies are evaluated here, too; nothing is trained on this
        distribution.

    Raises
    ------
    FieldError
        If a number is outside its domain.
    """

    name: str
    source: str = SourceName.GENERATOR
    train: int = 0
    val: int = 0
    test: int = 0
    seed: int = 0
    time_limit: float | None = None
    expert_probability: float | None = None
    policies_of: str = ""

    @property
    def home(self) -> str:
        """Name of the distribution whose policies and best SCIP rule are evaluated here."""
        return self.policies_of or self.name

    def __post_init__(self) -> None:
        at_least(self, 0, "train", "val", "test", "seed")
        positive(self, "time_limit")
        probability(self, "expert_probability")
        fit_for_files(self, "name")
        if self.policies_of and (self.train or self.val):
            raise FieldError(
                "policies_of",
                f"{self.policies_of}, whose policies are evaluated here: leave train and val out",
            )


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Parameters of the collection of samples.

    Parameters
    ----------
    samples_per_instance
        Number of samples wanted from each instance; a budget may override it.
    expert, expert_probability, label_children, blocks, max_episodes, seed
        As in `milplib.learn.collect`.
    node_limit, iteration_limit, time_limit
        Limits of an episode.
    instances_per_task
        Number of instances per task; their samples are collected and kept together.

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
    """Choice of the best SCIP rule for each distribution, on validation instances.

    Parameters
    ----------
    rules
        SCIP rules to choose from.
    instances
        Number of validation instances; the first ones are used.
    seeds
        SCIP seeds.

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
            raise FieldError("rules", f"{list(self.rules)}; name at least one rule, none twice")


@dataclass(frozen=True, kw_only=True)
class Evaluating:
    """Parameters of the paired evaluation on the test instances of every distribution.

    Parameters
    ----------
    policies
        Policies to evaluate beside the trained ones: SCIP rules, policy files,
        ``package.module:name``.
    baseline
        Policy that all others are compared with; it is evaluated, too.
    seeds
        SCIP seeds; a study file may also give their number, for seeds from 0 on.
    time_limit, grace
        Time limit of a solve in seconds, and seconds beyond it after which a run is killed.
    instances_per_task
        Number of instances per task; their runs with one seed are kept together.
    best_scip_rule
        Choice of the policy ``best-scip-rule``; None to leave that policy out.

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
    """Parameters of a study.

    Parameters
    ----------
    name, scale
        Names of the study and of its scale.
    about
        Question of the study, in words.
    settings
        SCIP settings. Everything is collected, trained and evaluated under each setting.
    distributions
        Distributions of the instances.
    collection, budgets, models, training
        Parameters of collection and training; without models no policy is trained.
    evaluation
        Parameters of the evaluation.

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
        """Distributions to train policies on."""
        return tuple(d for d in self.distributions if d.train) if self.models else ()

    @property
    def judged(self) -> tuple[StudyDistribution, ...]:
        """Distributions with test instances."""
        return tuple(d for d in self.distributions if d.test)
