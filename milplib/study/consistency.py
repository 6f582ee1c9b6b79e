"""Checks of a whole study: values that must agree, and its size."""

from __future__ import annotations

from milplib.study.document import Section
from milplib.study.models import TrainingSet
from milplib.study.study import Study

__all__ = ["RULE_CHOICE", "check_whole", "section_of"]

RULE_CHOICE = "best_scip_rule"
"""Name of the section of the choice of a rule."""

_MAX_TASKS = 100_000


def section_of(document: Section, name: str) -> Section:
    """Return a section of a document; an empty one if it is not there."""
    if name in document:
        return document.get(name).section()
    return Section(file=document.file, line=document.line, name=name)


def check_whole(document: Section, study: Study) -> None:
    """Check the values on which several sections must agree, and the size of the whole.

    Raises
    ------
    StudyError
        If values contradict each other, or the study has too many tasks to plan.
    """
    if not study.judged:
        raise document.error("no distribution has test instances: set test", at="distributions")
    sections = document.get("distributions").section()
    for distribution in study.distributions:
        if distribution.policies_of:
            place = sections.get(distribution.name).section().get("policies_of")
            smaller = next(d for d in study.distributions if d.name == distribution.policies_of)
            if study.models and not smaller.train:
                raise place.error(
                    f"{distribution.policies_of} has no policies, since it has no training "
                    "instances: set its train"
                )
        choice = study.evaluation.best_scip_rule
        home = next(d for d in study.distributions if d.name == distribution.home)
        if choice and distribution.test and home.val < choice.instances:
            raise section_of(document, "evaluation").error(
                f"choosing the best SCIP rule takes {choice.instances} validation instances, but "
                f"{home.name} has {home.val}: raise its val, or lower instances",
                at=RULE_CHOICE,
            )
    for training_set in (TrainingSet.MIXED, TrainingSet.LEAVE_ONE_OUT):
        if study.models and training_set in study.training.sets and len(study.learned) < 2:
            raise section_of(document, "training").error(
                f"the training set '{training_set}' needs at least two distributions to train on",
                at="sets",
            )
    if not (study.models or study.evaluation.policies):
        raise document.error("the study has no policies: add models, or evaluation.policies")
    if (tasks := _n_tasks(study)) > _MAX_TASKS:
        raise document.error(
            f"the study has about {tasks} tasks, more than {_MAX_TASKS}: make tasks of more "
            "instances, or ask for fewer instances or seeds"
        )


def _n_tasks(study: Study) -> int:
    """Estimate the number of tasks from above, without making one."""
    collected, judged = study.collection.instances_per_task, study.evaluation.instances_per_task
    choice = study.evaluation.best_scip_rule
    tasks, rounds = 0, len(study.budgets) or 1
    for distribution in study.distributions:
        learned = -(-distribution.train // collected) - (-distribution.val // collected)
        tasks += 2 * learned * rounds
        tasks -= (-distribution.test // judged) * (len(study.evaluation.seeds) + 1)
        if choice:
            tasks -= (-choice.instances // judged) * (len(choice.seeds) + 1)
    policies = len(study.models) * rounds * len(study.training.seeds) * len(study.distributions)
    tasks += policies * len(study.training.sets)
    return tasks * len(study.settings)
