"""The fastest SCIP rule for each distribution, and its file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from milplib.display import Shown
from milplib.errors import ParameterError, PolicyError, ResultsError
from milplib.evaluation.config import ChoiceConfig, PolicyKind
from milplib.evaluation.policy_summary import PolicySummary
from milplib.evaluation.results import Evaluation
from milplib.evaluation.summary import Summary
from milplib.files import atomic_write_json
from milplib.parsing import read_json
from milplib.policies.rules import TUNED_RELPSCOST, find_rule
from milplib.schema import built, conforming

__all__ = ["BEST_SCIP_RULE", "SCIP_RULES", "BestScipRule", "RuleTime"]

SCIP_RULES: tuple[str, ...] = (
    "relpscost",
    "pscost",
    "vanillafullstrong",
    "mostinf",
    "random",
    *TUNED_RELPSCOST,
)
"""Rules that `best_scip_rule` tries by default."""

BEST_SCIP_RULE = "best-scip-rule.json"
"""File that `best_scip_rule` writes into its folder."""

# Existing files carry this name, so it does not follow renames in the code.
_FORMAT, _VERSION = "milplib-best-native", 1


@dataclass(frozen=True, kw_only=True)
class RuleTime:
    """Times of a rule on the validation instances of a distribution.

    Parameters
    ----------
    distribution, rule
        Name of the distribution and of the rule.
    time
        Shifted geometric mean of the seconds (shift 1 s). A failure counts as the limit.
    solved, runs
        Number of runs that solved their instance, and of all runs.
    failures
        Number of runs by kind of failure.
    """

    distribution: str
    rule: str
    time: float
    solved: int
    runs: int
    failures: dict[str, int]


@dataclass(frozen=True, kw_only=True, repr=False)
class BestScipRule(Shown):
    """The fastest SCIP rule for each distribution, and the runs that show it.

    Pass it, or the path of its file, to `milplib.evaluate` as a policy. SCIP then solves each
    instance with the rule of its distribution.

    Parameters
    ----------
    rules
        Rule by distribution.
    table
        Times of all rules tried, distribution by distribution.
    instances
        SHA-256 of the instance files used for the choice. Do not evaluate the choice on them.
    config
        Seeds, time limit and setting of the choice.
    software
        Software versions used for the choice.
    name
        Name in results.

    Examples
    --------
    >>> best = BestScipRule(rules={"CA-easy": "relpscost:maxreliable=1"})
    >>> best.rule_for("CA-easy")
    'relpscost:maxreliable=1'
    >>> best.rule_for("SC-easy")
    Traceback (most recent call last):
    milplib.errors.ParameterError: 'best-scip-rule' has no rule for the distribution 'SC-easy': it
        was chosen on validation instances of CA-easy
    """

    rules: dict[str, str]
    table: tuple[RuleTime, ...] = ()
    instances: tuple[str, ...] = ()
    config: ChoiceConfig | None = None
    software: dict[str, str] | None = None
    name: str = "best-scip-rule"

    def __post_init__(self) -> None:
        for distribution, rule in self.rules.items():
            if find_rule(rule) is None:
                raise PolicyError(
                    f"'{self.name}' has '{rule}' for the distribution '{distribution}', which is "
                    "no rule of SCIP's"
                )

    def rule_for(self, distribution: str) -> str:
        """Return the rule of a distribution.

        Raises
        ------
        ParameterError
            If the distribution has no rule.
        """
        if distribution not in self.rules:
            raise ParameterError(
                f"'{self.name}' has no rule for the distribution '{distribution}': it was chosen "
                f"on validation instances of {', '.join(self.rules) or 'nothing'}"
            )
        return self.rules[distribution]

    @property
    def digest(self) -> str:
        """SHA-256 of the content, without the name."""
        text = json.dumps(self._content(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _content(self) -> dict[str, object]:
        content = asdict(self)
        del content["name"]
        return content

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the choice as a JSON file.

        Raises
        ------
        OutputError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> path = tempfile.mkdtemp() + "/mine.json"
        >>> BestScipRule(rules={"CA-easy": "pscost"}).write(path)
        >>> BestScipRule.load(path).name, BestScipRule.load(path).rules
        ('mine', {'CA-easy': 'pscost'})
        """
        atomic_write_json(path, {"format": _FORMAT, "version": _VERSION, **self._content()})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a choice from its file; the file's stem becomes its name.

        Raises
        ------
        PolicyError
            If the file cannot be read or holds something else.
        """
        path = Path(path)
        try:
            content = read_json(path)
            if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
                raise ValueError("it is another kind of file")
            if (version := content.pop("version", None)) != _VERSION:
                raise ValueError(f"it has version {version!r}, this milplib reads {_VERSION}")
            conforming(content, BestScipRule, exact=True)
            table = tuple(built(row, RuleTime) for row in content.pop("table", ()))
            instances = tuple(content.pop("instances", ()))
            return cls(**{**content, "table": table, "instances": instances, "name": path.stem})
        except OSError as error:
            raise PolicyError(f"cannot read {path}: {error.strerror or error}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PolicyError(
                f"{path} holds no choice of SCIP's rules, as `milplib best-scip-rule` writes it: "
                f"{error}"
            ) from error

    @classmethod
    def of(cls, results: Evaluation) -> Self:
        """Choose the fastest rule from an evaluation on validation instances.

        Only policies that are SCIP rules take part. The first one wins a tie.

        Raises
        ------
        ResultsError
            If runs are missing or contradict each other, or if no rule solved any instance of a
            distribution.
        """
        summary = results.summary()
        rules = [
            policy["label"]
            for policy in results.config["policies"]
            if policy["kind"] == PolicyKind.RULE and not policy["sha256"]
        ]
        _check_choice(summary, rules)
        table = [_rule_time(row) for row in summary.rows if row.policy in rules]
        several = len(summary.distributions) > 1  # then the first entry is `ALL`
        names = summary.distributions[1 if several else 0 :]
        rows = {name: [row for row in table if row.distribution == name] for name in names}
        for name, tried in rows.items():
            if not any(row.solved for row in tried):
                raise ResultsError(
                    f"none of the rules solved an instance of {name} within "
                    f"{results.config['time_limit']:g} s: raise the time limit"
                )
        return cls(
            rules={name: min(tried, key=lambda row: row.time).rule for name, tried in rows.items()},
            table=tuple(row for tried in rows.values() for row in tried),
            instances=tuple(instance["sha256"] for instance in results.config["instances"]),
            config={
                "seeds": results.config["seeds"],
                "time_limit": results.config["time_limit"],
                "setting": results.config["setting"],
            },
            software=dict(results.software),
        )


def _check_choice(summary: Summary, rules: Sequence[str]) -> None:
    if not rules:
        raise ResultsError("none of the policies in these results is a SCIP rule")
    if not summary.is_complete:
        raise ResultsError(
            f"of {summary.expected_runs} runs only {summary.runs} are there: finish the evaluation"
        )
    if summary.errors:
        raise ResultsError(f"cannot choose a rule, the runs are wrong: {summary.errors[0]}")
    if summary.unread:
        name, why = next(iter(summary.unread.items()))
        raise ResultsError(
            f"no rule ran on {len(summary.unread)} of the validation instances; repair or remove "
            f"them: {name}: {why}"
        )


def _rule_time(row: PolicySummary) -> RuleTime:
    return RuleTime(
        distribution=row.distribution,
        rule=row.policy,
        time=row.time,
        solved=row.solved,
        runs=row.runs,
        failures=dict(row.failures),
    )
