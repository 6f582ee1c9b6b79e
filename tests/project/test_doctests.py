"""The examples in docstrings run, and public functions and classes have one."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
from pathlib import Path
from typing import Protocol

import pytest

from milplib import extensions

LONG = (
    "milplib.evaluation.evaluation",
    "milplib.evaluation.results",
    "milplib.evaluation.rule_search",
    "milplib.hardness.figure",
    "milplib.hardness.measure",
    "milplib.hardness.results",
    "milplib.learn.samples.picture",
    "milplib.learn.tracking",
    "milplib.learn.training.train_model",
    "milplib.learn.training.trainer",
    "milplib.library.fetch_distribution",
    "milplib.report.exports",
    "milplib.report.page",
    "milplib.study.results",
    "milplib.study.runner",
)
"""Modules whose examples run evaluations and studies; these are slow tests."""


def test_examples_run(each_module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # What an example registers is for itself, not for the tests that follow.
    monkeypatch.setattr(extensions, "_registered", {})
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder().find(importlib.import_module(each_module), each_module):
        runner.run(test, out=report.append)

    assert runner.failures == 0, "".join(report)


def _shows_use(thing: object) -> bool:
    texts = [inspect.getdoc(thing)]
    if inspect.isclass(thing):
        texts += [inspect.getdoc(member) for member in vars(thing).values()]
    return any(">>> " in text for text in texts if text)


def _needs_example(thing: object) -> bool:
    if inspect.isclass(thing):
        # Errors, protocols and records of results are seen in the examples of what uses them.
        is_exempt = issubclass(thing, Exception) or Protocol in thing.__mro__
        return not (is_exempt or dataclasses.is_dataclass(thing))
    return inspect.isfunction(thing)


@pytest.mark.parametrize(
    "package",
    [
        "milplib",
        "milplib.generators",
        "milplib.hardness",
        "milplib.study",
        "milplib.learn",
        "milplib.library",
        "milplib.report",
        "milplib.runs",
        "milplib.scip",
        "milplib.structure",
        "milplib.tree",
    ],
)
def test_public_functions_and_classes_have_an_example(package: str) -> None:
    public = importlib.import_module(package)
    things = {name: getattr(public, name) for name in public.__all__}

    assert any(_shows_use(thing) for thing in things.values())
    assert not [
        name for name, thing in things.items() if _needs_example(thing) and not _shows_use(thing)
    ]
