"""The search for the best of SCIP's own rules, on validation instances."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from milplib.errors import ParameterError
from milplib.evaluation.best_scip_rule import BEST_SCIP_RULE, SCIP_RULES, BestScipRule
from milplib.evaluation.evaluation import EvaluationProgress, evaluate
from milplib.library.folder import InstancePlace, instance_files
from milplib.library.splits import ListedFiles, Split
from milplib.policies.rules import find_rule

__all__ = ["best_scip_rule"]


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
    on_progress: Callable[[EvaluationProgress], None] = lambda progress: None,
) -> BestScipRule:
    """Choose the fastest of SCIP's own rules for each distribution, on validation instances.

    It is the honest rival of a learned policy: which of SCIP's rules is best, and with which
    parameters, differs from family to family. All rules run as in `milplib.evaluate`: paired,
    each run in a process of its own; interrupted, the same call goes on.

    Parameters
    ----------
    folders
        Folders of validation instances, or validation splits of distributions; of a folder that
        holds split folders, ``val`` is taken. A distribution's name must be the one that the
        test instances have.
    rules
        Names of SCIP's rules, with parameters or without.
    seeds, time_limit, setting, workers, grace, force, on_progress
        As in `milplib.evaluate`.
    out
        Folder for the results of the evaluation, with its report, and for ``best-scip-rule.json``.

    Returns
    -------
    BestScipRule
        The choice, which is in the file, too: a policy for `milplib.evaluate`.

    Raises
    ------
    ParameterError
        If a policy among the rules is none of SCIP's rules.
    ResultsError
        If an instance cannot be read, runs contradict each other, or no rule solved an instance
        of some distribution within the limit.
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
    if isinstance(rules, str) or not rules:
        raise ParameterError(f"the rules are {rules!r}; give a list of SCIP's rules")
    for rule in rules:
        if find_rule(rule) is None:
            raise ParameterError(f"'{rule}' is no rule of SCIP's, so it cannot be the best of them")
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
    )
    best = replace(BestScipRule.of(results), name=Path(BEST_SCIP_RULE).stem)
    best.write(Path(out) / BEST_SCIP_RULE)
    return best
