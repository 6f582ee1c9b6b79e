"""Reading of study files; every value is checked, and errors name the line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from milplib.arguments import checked
from milplib.errors import MilplibError, UnknownNameError
from milplib.named import only_modules
from milplib.policies import find_model_kind
from milplib.study.checks import (
    check_distribution,
    check_expert,
    check_model,
    check_policy,
    check_rule,
)
from milplib.study.consistency import RULE_CHOICE, check_whole, section_of
from milplib.study.document import Entry, Section
from milplib.study.errors import StudyError
from milplib.study.model_options import model_options
from milplib.study.models import Budget, Model, Training
from milplib.study.study import Collection, Evaluating, RuleChoice, Study, StudyDistribution
from milplib.study.yaml_file import read_document

__all__ = ["FULL", "load_study", "study_scales"]

FULL = "full"
"""Scale of the unchanged file."""

_SCALES = "scales"
# Names in earlier versions, which are still read.
_EARLIER_NAMES = {
    "collection": {"instances_a_piece": "instances_per_task"},
    "evaluation": {"instances_a_piece": "instances_per_task", "best_native": RULE_CHOICE},
}


@checked
def study_scales(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names of the scales of a study file.

    Raises
    ------
    StudyError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rules.yaml")
    >>> _ = path.write_text("scales: {small: {settings: [default]}}")
    >>> study_scales(path)
    ('full', 'small')
    """
    return tuple(_scales(read_document(path)))


@checked
def load_study(
    path: str | os.PathLike[str],
    *,
    scale: str = FULL,
    to_run: bool = True,
    allow: Iterable[str] = (),
) -> Study:
    """Read a study file and check it before anything runs.

    Parameters
    ----------
    path
        The YAML file; its stem is the name of the study.
    scale
        ``full`` for the unchanged file, or a name in its section ``scales``, whose values replace
        those of the file.
    to_run
        Whether sources, packages, experts, rules and policies must be available. Reading the
        results of a study does not need them.
    allow
        Modules that the file may name, as in ``package.module:name``. No other is imported.

    Raises
    ------
    StudyError
        If a value is unknown, of the wrong type or impossible, if a distribution has no source,
        or if a package is missing. The message names the file and the line.
    UnknownNameError
        If the scale is unknown.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "rules.yaml")
    >>> _ = path.write_text('''
    ... distributions:
    ...   CA-milplib-small: {test: 20}
    ... evaluation:
    ...   policies: [pscost]
    ... scales:
    ...   small:
    ...     distributions:
    ...       CA-milplib-small: {test: 2}
    ... ''')
    >>> [load_study(path, scale=scale).judged[0].test for scale in ("full", "small")]
    [20, 2]
    """
    document = read_document(path)
    scales = _scales(document)
    if scale not in scales:
        raise UnknownNameError("scale", scale, scales)
    document = Section(
        entries={name: entry for name, entry in document.entries.items() if name != _SCALES},
        file=document.file,
        line=document.line,
    ).renamed(_EARLIER_NAMES)
    if (change := scales[scale]) is not None:
        document = document.merged(change.renamed(_EARLIER_NAMES))
    with only_modules(allow):
        return _study(document, name=Path(path).stem, scale=scale, to_run=to_run)


def _scales(document: Section) -> dict[str, Section | None]:
    scales: dict[str, Section | None] = {FULL: None}
    if _SCALES in document:
        for name, entry in document.get(_SCALES).section().entries.items():
            is_empty = entry.value is None or not entry.section().entries
            scales[name] = None if is_empty else entry.section()
            if name == FULL and scales[name] is not None:
                raise entry.error(f"the scale '{FULL}' is the file as it stands: leave it empty")
    return scales


def _study(document: Section, *, name: str, scale: str, to_run: bool) -> Study:
    document.refuse_others(f.name for f in fields(Study) if f.name not in ("name", "scale"))
    distributions = tuple(_distributions(document, to_run=to_run))
    models = tuple(_models(document, to_run=to_run))
    study = Study(
        name=name,
        scale=scale,
        about=document.get("about").text() if "about" in document else "",
        settings=_settings(document),
        distributions=distributions,
        collection=_collection(document, to_run=to_run),
        models=models,
        training=section_of(document, "training").build(Training),
        evaluation=_evaluation(document, models, to_run=to_run),
        budgets=tuple(_budgets(document, distributions)) if models else (),
    )
    check_whole(document, study)
    return study


def _settings(document: Section) -> tuple[str, ...]:
    from milplib.scip import SETTINGS

    if "settings" not in document:
        return ("default",)
    entry = document.get("settings")
    known = [name for name in SETTINGS if name != "clean"]
    settings = entry.texts()
    for setting in entry.entries():
        if setting.text() not in known:
            raise setting.error(str(UnknownNameError("setting", setting.text(), known)))
    if not settings or len(set(settings)) < len(settings):
        raise entry.error("settings: name at least one, none twice")
    return settings


def _distributions(document: Section, *, to_run: bool) -> Iterator[StudyDistribution]:
    listed = document.get("distributions").section()
    if not listed.entries:
        raise listed.error("the study has no distribution: add at least one")
    for name, entry in listed.entries.items():
        distribution = entry.section().build(StudyDistribution, name=name)
        if not (distribution.train or distribution.test):
            raise entry.error(f"{name} has neither train nor test instances: set one of them")
        if distribution.policies_of and distribution.policies_of not in listed.entries:
            place = entry.section().get("policies_of")
            others = [other for other in listed.entries if other != name]
            raise place.error(
                str(UnknownNameError("distribution", distribution.policies_of, others))
            )
        if to_run:
            with _at(entry):
                check_distribution(distribution)
        yield distribution


def _collection(document: Section, *, to_run: bool) -> Collection:
    section = section_of(document, "collection")
    collection = section.build(Collection)
    for name in ("expert", "blocks"):
        if to_run and name in section:
            with _at(section.get(name)):
                check_expert(collection.expert) if name == "expert" else _check_blocks(
                    collection.blocks
                )
    return collection


def _check_blocks(blocks: tuple[str, ...]) -> None:
    from milplib.scip import load_state_functions

    load_state_functions(blocks)


def _models(document: Section, *, to_run: bool) -> Iterator[Model]:
    for name, entry in section_of(document, "models").entries.items():
        is_bare = entry.value is None
        section = Section(file=entry.file, line=entry.line) if is_bare else entry.section()
        kind = section.get("kind").text() if "kind" in section else name
        with _at(section.get("kind") if "kind" in section else entry):
            described = find_model_kind(kind)
        rest = {key: value for key, value in section.entries.items() if key != "kind"}
        options = Section(entries=rest, file=entry.file, line=entry.line, name=entry.name)
        with _at(entry):
            model = Model(name=name, kind=kind, options=model_options(described, options))
            if to_run:
                check_model(model)
        recorded = section_of(document, "collection")
        known = recorded.get("blocks").texts() if "blocks" in recorded else Collection().blocks
        for block in model.options.blocks:
            if block not in known:
                raise options.error(
                    f"{entry.name} reads the block '{block}', which is not collected: add it to "
                    "collection.blocks",
                    at="blocks",
                )
        yield model


def _budgets(document: Section, distributions: tuple[StudyDistribution, ...]) -> Iterator[Budget]:
    learned = [d for d in distributions if d.train]
    if not learned:
        raise document.error(
            "models are given, but no distribution has training instances: set train", at="models"
        )
    if "budgets" not in document:
        yield Budget(instances=min(d.train for d in learned))
        return
    seen = set()
    for entry in document.get("budgets").entries():
        if isinstance(entry.value, Section):
            budget = entry.value.build(Budget)
        else:
            budget = Section(
                entries={"instances": entry}, file=entry.file, line=entry.line, name="budgets"
            ).build(Budget)
        for distribution in learned:
            if budget.instances > distribution.train:
                raise entry.error(
                    f"a budget of {budget.instances} instances is more than there are: "
                    f"{distribution.name} has {distribution.train} for training; lower the budget"
                )
        if budget.label in seen:
            raise entry.error(f"the budget {budget.label} is there twice: remove one")
        seen.add(budget.label)
        yield budget


def _evaluation(document: Section, models: tuple[Model, ...], *, to_run: bool) -> Evaluating:
    section = section_of(document, "evaluation")
    chosen = None
    if RULE_CHOICE in section:
        below = section.get(RULE_CHOICE)
        choice = Section(file=below.file, line=below.line, name=below.name)
        chosen = (choice if below.value is None else below.section()).build(RuleChoice)
        if to_run and below.value is not None and "rules" in below.section():
            for entry in below.section().get("rules").entries():
                with _at(entry):
                    check_rule(entry.text())
    rest = {name: entry for name, entry in section.entries.items() if name != RULE_CHOICE}
    evaluation = Section(
        entries=rest, file=section.file, line=section.line, name=section.name
    ).build(Evaluating, best_scip_rule=chosen)
    for name in ("policies", "baseline"):
        for entry in section.get(name).entries() if to_run and name in section else ():
            with _at(entry):
                check_policy(entry.text(), models)
    return evaluation


@contextmanager
def _at(entry: Entry) -> Iterator[None]:
    """Add the line of an entry to errors raised inside the context."""
    try:
        yield
    except StudyError:
        raise
    except MilplibError as error:
        raise entry.error(str(error)) from error
