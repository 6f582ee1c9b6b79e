"""Policies of an evaluation, checked, labelled and ready for other processes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from milplib.arguments import listed
from milplib.errors import MilplibError, ParameterError, PolicyError
from milplib.evaluation.best_scip_rule import BestScipRule
from milplib.evaluation.config import PolicyEntry, PolicyKind
from milplib.execution import WorkerDiedError, WorkerStartError
from milplib.execution.isolation import run_isolated
from milplib.execution.pickling import pickled, python_digest
from milplib.files import file_sha256
from milplib.library.evaluated import EvaluatedInstance
from milplib.policies import AUTO, ScipRule, load_policy
from milplib.policies.combinations import AnyPolicy
from milplib.policies.pretrained import auto_digest, pretrained_or_given
from milplib.scip import StateFunction, load_state_functions

__all__ = ["EvaluatedPolicy", "evaluated_policies"]

LOAD_LIMIT = 300.0
"""Time limit in seconds for loading all policies in a fresh process."""


@dataclass(frozen=True, kw_only=True)
class EvaluatedPolicy:
    """Policy of an evaluation.

    Parameters
    ----------
    label
        Name in the results.
    source
        Argument from which `milplib.load_policy` makes the policy in any process.
    kind
        Kind of policy, or its name.
    digest
        SHA-256 of the file, of all shipped policies, of a choice of rules, or of the pickle and
        source text of a Python policy; empty for a rule.
    choice
        Choice of a SCIP rule by distribution, if any; `on` selects the rule.
    models, blocks
        The user's own models that the file may contain, and state functions that it may read. They
        are sent to the processes of runs.
    is_named
        Whether the caller gave the label of the file.
    """

    label: str
    source: Any
    kind: PolicyKind
    digest: str = ""
    choice: BestScipRule | None = None
    models: tuple[object, ...] = ()
    blocks: tuple[StateFunction, ...] = ()
    is_named: bool = False

    def load(self) -> AnyPolicy:
        """Load the policy in the current process."""
        return load_policy(self.source, models=self.models, blocks=self.blocks)

    def as_json(self) -> PolicyEntry:
        """Return the policy's entry in the manifest, without the path of its file."""
        entry: PolicyEntry = {"label": self.label, "kind": self.kind, "sha256": self.digest}
        if self.kind == PolicyKind.RULE and self.choice is None and self.label != self.source:
            entry["rule"] = str(self.source)
        if self.choice:
            entry["rules"] = self.choice.rules
        return entry

    def on(self, instance: EvaluatedInstance) -> EvaluatedPolicy:
        """Return the policy for an instance: itself, or the rule chosen for its distribution.

        Raises
        ------
        ParameterError
            If no rule was chosen for the distribution, or the rule was chosen on this instance.
        """
        if self.choice is None:
            return self
        if instance.sha256 in self.choice.instances:
            raise ParameterError(
                f"'{self.label}' was chosen on the instance {instance.name}, among others: evaluate"
                " it on instances that it has not seen"
            )
        return replace(self, source=self.choice.rule_for(instance.distribution), choice=None)

    def check_unchanged(self) -> None:
        """Check that a policy file has not changed since the evaluation began.

        Raises
        ------
        PolicyError
            If the file has changed.
        """
        if self.kind == PolicyKind.FILE and file_sha256(self.source) != self.digest:
            raise PolicyError(
                f"the policy file {self.source} has changed since the evaluation began"
            )


def evaluated_policies(
    policies: Sequence[object] | Mapping[str, object],
    *,
    baseline: object,
    models: Sequence[object] = (),
    blocks: Sequence[str | StateFunction] = (),
) -> tuple[tuple[EvaluatedPolicy, ...], str]:
    """Check policies and give each a unique label.

    Parameters
    ----------
    policies
        Arguments of `milplib.load_policy`, `BestScipRule` objects, or paths of their files; by
        label, if it is a mapping.
    baseline
        Policy that the others are compared with, or the label of one of them; appended if it is
        not among them.
    models
        The user's own models that policy files may contain.
    blocks
        The user's own state functions that policy files may read.

    Returns
    -------
    policies : tuple of EvaluatedPolicy
        Policies in the order of the argument.
    baseline : str
        Label of the baseline.

    Raises
    ------
    ParameterError
        If there are no policies, a policy is repeated, or two Python policies share a name.
    PolicyError
        If a policy cannot be loaded, here or in a fresh process.
    UnknownNameError
        If a name is unknown.

    Examples
    --------
    >>> evaluated, baseline = evaluated_policies(["pscost"], baseline="relpscost")
    >>> [policy.label for policy in evaluated], baseline
    (['pscost', 'relpscost'], 'relpscost')
    """
    if isinstance(policies, Mapping):
        chosen, given = list(map(_label, policies)), list(policies.values())
    else:
        given = listed(policies, "policies")
        chosen = [""] * len(given)
    if not given:
        raise ParameterError("there is no policy to evaluate")
    loaded = _Loaded(models=tuple(listed(models, "models")), blocks=load_state_functions(blocks))
    evaluated = [loaded.policy(policy, label) for policy, label in zip(given, chosen, strict=True)]
    if isinstance(baseline, str) and baseline in chosen:
        reference = evaluated[chosen.index(baseline)]
    else:
        reference = loaded.policy(baseline, "")
    identities = [_identity(policy) for policy in evaluated]
    repeated = [
        p.label for p, name in zip(evaluated, identities, strict=True) if identities.count(name) > 1
    ]
    if repeated:
        raise ParameterError(f"the policy '{repeated[0]}' is given twice")
    if _identity(reference) in identities:
        place = identities.index(_identity(reference))
    else:
        evaluated.append(reference)
        place = len(evaluated) - 1
    labels = _labels(evaluated)
    named = tuple(replace(p, label=label) for label, p in zip(labels, evaluated, strict=True))
    if any(policy.kind != PolicyKind.RULE for policy in named):
        _check_in_fresh_process(named)
    return named, labels[place]


def _label(label: object) -> str:
    if not isinstance(label, str) or not label.strip():
        raise ParameterError(f"the label of a policy is {label!r}; give a text")
    return label


@dataclass(frozen=True)
class _Loaded:
    """The user's own models and state functions, with which policies are loaded."""

    models: tuple[object, ...]
    blocks: tuple[StateFunction, ...]

    def policy(self, source: object, label: str) -> EvaluatedPolicy:
        """Load a policy to check it, and describe it under a label; its own name if empty."""
        if isinstance(source, str | os.PathLike) and str(source).endswith(".json"):
            source = BestScipRule.load(source)
        if isinstance(source, BestScipRule):
            return EvaluatedPolicy(
                label=label or source.name,
                source=source.name,
                kind=PolicyKind.RULE,
                digest=source.digest,
                choice=source,
            )
        loaded = load_policy(source, models=self.models, blocks=self.blocks)
        name = label or loaded.name
        if isinstance(loaded, ScipRule):
            load_policy(loaded.name)  # a rule constructed in Python is not checked yet
            return EvaluatedPolicy(label=name, source=loaded.name, kind=PolicyKind.RULE)
        if isinstance(source, str) and source == AUTO:
            return EvaluatedPolicy(
                label=name, source=AUTO, kind=PolicyKind.SHIPPED, digest=auto_digest()
            )
        source = pretrained_or_given(source)
        if isinstance(source, str | os.PathLike) and Path(source).is_file():
            return self._file(os.path.abspath(source), loaded, name, is_named=bool(label))
        try:
            pickled(source)
            digest = python_digest(source)
        except Exception as error:
            raise PolicyError(
                f"the policy '{name}' cannot be sent to other processes "
                f"({type(error).__name__}: {error}): keep files, locks and models of SCIP out of "
                "it, or define it at the top of a module"
            ) from error
        return EvaluatedPolicy(label=name, source=source, kind=PolicyKind.PYTHON, digest=digest)

    def _file(self, path: str, loaded: AnyPolicy, name: str, *, is_named: bool) -> EvaluatedPolicy:
        # Send a network class that is registered only in this process along with the path.
        network = getattr(loaded, "network", None)
        return EvaluatedPolicy(
            label=name,
            source=path,
            kind=PolicyKind.FILE,
            digest=file_sha256(path),
            models=self.models if network is None else (*self.models, network),
            blocks=self.blocks,
            is_named=is_named,
        )


def _identity(policy: EvaluatedPolicy) -> tuple[str, str]:
    """Return a key that is equal for equal policies."""
    where = policy.source if policy.kind == PolicyKind.FILE else policy.digest or policy.source
    return policy.kind, str(where)


def _labels(policies: Sequence[EvaluatedPolicy]) -> list[str]:
    """Return unique labels: for files, the shortest path suffixes that tell them apart."""
    others = [policy.label for policy in policies if not _takes_path(policy)]
    twins = [label for label in others if others.count(label) > 1]
    if twins:
        raise ParameterError(
            f"two policies have the name '{twins[0]}': give one of them another name"
        )
    paths = {
        policy.source: Path(policy.source).with_suffix("")
        for policy in policies
        if _takes_path(policy)
    }
    longest = max((len(path.parts) for path in paths.values()), default=1)
    for depth in range(1, longest + 1):
        short = {source: "/".join(path.parts[-depth:]) for source, path in paths.items()}
        names = [*short.values(), *others]
        if len(set(names)) == len(names):
            break
    else:  # the files differ only in their extensions
        short = {source: str(source) for source in paths}
    return [short[p.source] if _takes_path(p) else p.label for p in policies]


def _takes_path(policy: EvaluatedPolicy) -> bool:
    """Whether a policy is labelled by the path of its file."""
    return policy.kind == PolicyKind.FILE and not policy.is_named


def _check_in_fresh_process(policies: Sequence[EvaluatedPolicy]) -> None:
    """Load the policies as runs will, so that a broken one fails before the first run."""
    try:
        run_isolated(_load_all, tuple(policies), time_limit=LOAD_LIMIT)
    except WorkerDiedError as error:
        raise PolicyError(f"the policies cannot be loaded in a fresh process: {error}") from error
    except (MilplibError, WorkerStartError):
        raise
    except Exception as error:
        raise PolicyError(
            f"the policies cannot be loaded in a fresh process: {type(error).__name__}: {error}"
        ) from error


def _load_all(policies: tuple[EvaluatedPolicy, ...]) -> None:
    for policy in policies:
        if policy.choice is None:
            policy.load()
