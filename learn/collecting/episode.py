"""An episode: one solve that explores with pseudocosts and asks the expert at random nodes."""

from __future__ import annotations

import math
import multiprocessing
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyscipopt
from pyscipopt import SCIP_RESULT

from milplib.arguments import check_fields
from milplib.errors import ParameterError, StateError
from milplib.instance import Instance
from milplib.learn.samples import Label, NodePosition, SampleSchema, TreeRecorder
from milplib.outcomes import SolveStatus
from milplib.scip import (
    Expert,
    StateFunction,
    apply_setting,
    branching_candidates,
    extract_state,
    load_expert,
)
from milplib.scip.experts import ask_expert
from milplib.scip.plugins import freed_afterwards
from milplib.scip.rule import GuardedRule

__all__ = ["Episode", "EpisodeParameters", "run_episode"]


@dataclass(frozen=True, kw_only=True)
class EpisodeParameters:
    """Exploration and limits of an episode.

    All limits but `time_limit` count deterministic work, so an episode depends on its seeds alone.

    Parameters
    ----------
    expert
        The expert: anything that `milplib.scip.load_expert` takes.
    expert_probability
        Probability of asking the expert at a branching node with more than one candidate.
    label_children
        Whether to ask the expert at the children of such a node, too.
    setting
        SCIP setting, one of `milplib.scip.SETTINGS`. Symmetry handling is off: it would make the
        samples depend on more than the seeds.
    node_limit
        Maximum number of branch-and-bound nodes, over all restarts.
    iteration_limit
        Maximum number of simplex iterations, including those of strong branching (see
        `milplib.scip.StrongBranchingResult`).
    time_limit
        Wall-clock limit in seconds, a safety net: an episode that reaches it fails and is
        discarded.

    Raises
    ------
    ParameterError
        If a number is outside its range.
    UnknownNameError
        If the expert is unknown.
    """

    expert: str | Expert = "full"
    expert_probability: float = 0.05
    label_children: bool = False
    setting: str = "default"
    node_limit: int = 10_000
    iteration_limit: int = 10_000_000
    time_limit: float = 3600.0

    def __post_init__(self) -> None:
        check_fields(self)
        load_expert(self.expert)
        if not 0 < self.expert_probability <= 1:
            raise ParameterError(
                f"the expert probability is {self.expert_probability}; it must be above 0 and at "
                "most 1"
            )
        for name in ("node_limit", "iteration_limit", "time_limit"):
            if not 0 < getattr(self, name) < math.inf:
                raise ParameterError(
                    f"the {name.replace('_', ' ')} is {getattr(self, name)}; it must be positive "
                    "and finite"
                )


@dataclass(frozen=True, eq=False, kw_only=True)
class Episode:
    """Result of an episode.

    Parameters
    ----------
    status
        SCIP's status at the end.
    branchings
        Number of branching nodes.
    samples
        Number of samples.
    batches
        The samples, one record batch per part of the tree; empty if the episode failed.
    failure
        Reason why the episode was discarded; empty if it was kept.
    """

    status: SolveStatus
    branchings: int
    samples: int = 0
    batches: tuple[pa.RecordBatch, ...] = ()
    failure: str = ""


class CollectingRule(GuardedRule):
    """Explore with pseudocosts; at random nodes record the state and follow the expert."""

    def __init__(
        self,
        recorder: TreeRecorder,
        *,
        parameters: EpisodeParameters,
        state_functions: tuple[StateFunction, ...],
        samples: int,
        coin: np.random.RandomState,
    ) -> None:
        super().__init__()
        self.branchings = 0
        self.stopped = False
        self._recorder = recorder
        self._parameters = parameters
        self._expert = load_expert(parameters.expert)
        self._state_functions = state_functions
        self._samples = samples
        self._coin = coin
        self._run = -1
        self._asked_by_coin: set[int] = set()
        self._expert_iterations = 0

    def decide(self) -> int:
        """Branch on the expert's choice, or on the candidate with the best pseudocost score."""
        model = self.model
        candidates = branching_candidates(model)
        if not candidates:
            return int(SCIP_RESULT.DIDNOTRUN)
        self.branchings += 1
        new_run = model.getNRuns() != self._run
        if new_run:  # a restart renumbers its nodes
            self._run = model.getNRuns()
            self._asked_by_coin.clear()
        position = _position(model)
        # Drawn at every node, so that no other decision shifts the sequence.
        coin = self._coin.random_sample() < self._parameters.expert_probability
        child = self._parameters.label_children and position.parent in self._asked_by_coin
        # One candidate leaves nothing to learn.
        ask = len(candidates) > 1 and (coin or child)
        if ask or new_run:
            state = extract_state(model, state_functions=self._state_functions)
        if ask:
            result = ask_expert(self._expert, model, candidates)
            self._expert_iterations += result.iterations
            if result.valid.any():
                if coin:
                    self._asked_by_coin.add(position.node)
                label = Label(
                    scores=result.scores,
                    valid=result.valid,
                    chosen=result.best,
                    is_child_of_labelled=child and not coin,
                )
                self._recorder.record(state, position, label)
                self._stop_if_done()
                if result.cutoff:
                    return int(SCIP_RESULT.CUTOFF)
                model.branchVar(candidates[result.best])
                return int(SCIP_RESULT.BRANCHED)
        if new_run:
            self._recorder.record(state, position)
        self._stop_if_done()
        model.branchVar(_best_by_pseudocost(model, candidates))
        return int(SCIP_RESULT.BRANCHED)

    def _stop_if_done(self) -> None:
        iterations = self.model.getNLPIterations() + self._expert_iterations
        if (
            self._recorder.n_samples >= self._samples
            or iterations >= self._parameters.iteration_limit
        ):
            self.stopped = True
            self.model.interruptSolve()


def _position(model: pyscipopt.Model) -> NodePosition:
    node = model.getFocusNode()
    if node is None:
        raise StateError("there is no focus node: a position exists only inside a branching rule")
    parent = node.getParent()
    return NodePosition(
        node=node.getNumber(),
        parent=-1 if parent is None else parent.getNumber(),
        depth=node.getDepth(),
    )


def _best_by_pseudocost(
    model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
) -> pyscipopt.Variable:
    """Return the candidate with the best pseudocost score; ties go to the lowest LP column."""
    return max(
        candidates,
        key=lambda variable: (
            model.getVarPseudocostScore(variable, variable.getLPSol()),
            -variable.getCol().getLPPos(),
        ),
    )


def run_episode(
    instance: Instance,
    *,
    name: str,
    episode: int,
    seed: int,
    samples: int,
    parameters: EpisodeParameters,
    state_functions: tuple[StateFunction, ...] = (),
) -> Episode:
    """Solve an instance once and record strong-branching samples.

    Parameters
    ----------
    instance
        The instance.
    name
        Name of the instance in the samples.
    episode
        Number of the episode; each number explores another tree.
    seed
        Seed of the whole collection.
    samples
        Number of samples after which to stop.
    parameters
        Exploration and other limits.
    state_functions
        Blocks to record beside the state.

    Returns
    -------
    Episode
        The samples and the status; an error of SCIP makes the episode fail.

    References
    ----------
    Gasse et al., "Exact combinatorial optimization with graph convolutional neural networks",
    NeurIPS 2019, section 5.1: mixing the expert with a weak explorer keeps the states near those
    that a policy will meet.
    """
    # Seeded by the instance's content, so neither its name nor other files change its trees.
    sequence = np.random.SeedSequence([seed, int(instance.content_hash, 16), episode])
    scip_words, coin_words = sequence.spawn(2)
    scip_seed = int(scip_words.generate_state(1)[0]) >> 1
    recorder = TreeRecorder(
        SampleSchema.of(state_functions),
        instance=name,
        instance_hash=instance.content_hash,
        episode=episode,
        scip_seed=scip_seed,
    )
    rule = CollectingRule(
        recorder,
        parameters=parameters,
        state_functions=state_functions,
        samples=samples,
        coin=np.random.RandomState(np.random.MT19937(coin_words)),  # NumPy never changes it
    )
    with freed_afterwards(instance.to_scip()) as model:
        return _solved(model, rule, recorder, parameters, scip_seed=scip_seed)


def _solved(
    model: pyscipopt.Model,
    rule: CollectingRule,
    recorder: TreeRecorder,
    parameters: EpisodeParameters,
    *,
    scip_seed: int,
) -> Episode:
    """Solve the model of an episode."""
    model.hideOutput()
    apply_setting(model, parameters.setting, seed=scip_seed)
    # The symmetries that SCIP finds with nauty depend on memory addresses, and so on earlier
    # solves: one solve repeated in a process builds different trees.
    model.setParam("misc/usesymmetry", 0)
    model.setParam("limits/totalnodes", parameters.node_limit)
    model.setParam("limits/time", min(parameters.time_limit, model.infinity()))
    # With its own handler SCIP ends a solve at once; workers leave Ctrl-C to their parent.
    model.setParam("misc/catchctrlc", multiprocessing.parent_process() is None)
    rule.include(model, "milplib-collect")
    try:
        model.optimize()
    except Exception as error:  # PySCIPOpt raises bare exceptions for errors of SCIP
        if rule.has_raised(error):
            raise
        return Episode(status=SolveStatus.ERROR, branchings=rule.branchings, failure=str(error))
    status = SolveStatus(model.getStatus())
    if status is SolveStatus.INTERRUPTED and not rule.stopped:
        raise KeyboardInterrupt
    if status in (SolveStatus.TIME_LIMIT, SolveStatus.MEMORY_LIMIT):
        # These limits are not deterministic: equal seeds would not yield equal samples.
        return Episode(status=status, branchings=rule.branchings, failure=f"stopped by {status}")
    return Episode(
        status=status,
        branchings=rule.branchings,
        samples=recorder.n_samples,
        batches=tuple(recorder.batches()),
    )
