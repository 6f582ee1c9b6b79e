"""Search for the best SCIP rule on validation instances."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from milplib.arguments import checked, given, listed
from milplib.errors import ParameterError
from milplib.evaluation.best_scip_rule import BEST_SCIP_RULE, SCIP_RULES, BestScipRule
from milplib.evaluation.evaluation import evaluate
from milplib.evaluation.progress import EvaluationProgress
from milplib.library.folder import InstancePlace, instance_files
from milplib.library.splits import ListedFiles, Split
from milplib.policies.rules import find_rule

__all__ = ["best_scip_rule"]


@checked
def best_scip_rule(
    folders: InstancePlace | Iterable[InstancePlace],
    *,
    rules: Sequence[str] = SCIP_RULES,
    seeds: int | Sequence[int] = 1,
    time_limit: float = 800.0,
    setting: str = "default",
    workers: int = 1,
    out: str | os.PathLike[str],
    grace: float = 60.0,
    force: bool = False,
    on_progress: Callable[[EvaluationProgress], None] | None = None,
    progress: bool | None = None,
) -> BestScipRule:
    """Choose the fastest SCIP rule for each distribution on validation instances.

    The choice is the fair opponent of a learned policy, since the best rule and its parameters
    differ between families. Rules run as in `milplib.evaluate`: paired, each run in its own
    process. After an interruption, the same call resumes.

    Parameters
    ----------
    folders
        Folders of validation instances, distributions, their validation splits, or instances in
        memory. Of a distribution or a folder of splits, ``val`` is used. Distributions must have
        the same names as those of the test instances.
    rules
        Names of SCIP rules, with or without parameters.
    seeds, time_limit, setting, workers, grace, force, on_progress, progress
        As in `milplib.evaluate`.
    out
        Folder to write: results of the evaluation, its report, and ``best-scip-rule.json``.

    Returns
    -------
    BestScipRule
        The choice, as written to the file; `milplib.evaluate` takes it as a policy.

    Raises
    ------
    ParameterError
        If a name in `rules` is not a SCIP rule.
    ResultsError
        If an instance cannot be read, if runs contradict each other, or if no rule solved any
        instance of a distribution within the limit.
    InstanceError, OutputError, UnknownNameError
        As in `milplib.evaluate`.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.generators import CombinatorialAuction
    >>> folder = tempfile.mkdtemp() + "/ca"
    >>> os.makedirs(folder + "/val")
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/val/a.lp")
    >>> best = best_scip_rule(
    ...     [folder], rules=["pscost", "random"], time_limit=60, out=folder + "/rules")
    >>> list(best.rules), [row.solved for row in best.table]
    (['ca'], [1, 1])
    """
    rules = listed(rules, "rules")
    if not rules:
        raise ParameterError("the rules are []; give a list of SCIP rules")
    for rule in rules:
        if not isinstance(rule, str) or find_rule(rule) is None:
            raise ParameterError(
                f"{given(rule)} is no rule of SCIP's, so it cannot be the best of them"
            )
    files = instance_files(folders, split="val")
    results = evaluate(
        [Split(ListedFiles(files), distribution="", domain="", name="val")],
        policies=list(rules),
        baseline=rules[0],
        seeds=seeds,
        time_limit=time_limit,
        setting=setting,
        workers=workers,
        out=out,
        grace=grace,
        force=force,
        on_progress=on_progress,
        progress=progress,
    )
    best = replace(BestScipRule.of(results), name=Path(BEST_SCIP_RULE).stem)
    best.write(Path(out) / BEST_SCIP_RULE)
    return best
