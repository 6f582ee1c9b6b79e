"""Studies: one readable file, from instances to tables, resumable and never computed twice.

The words are those of build tools such as Snakemake and DVC:

=================  ==============================================================================
study              A YAML file: what is collected, trained and evaluated (`load_study`).
scale              A variant of a study in its file, such as ``small``.
stage              One of `STAGES`: ``generate``, ``collect``, ``train``, ``rules``, ``evaluate``,
                   ``summarise``.
task               Work of a stage that is done and kept as a whole, such as a policy.
input, output      A task that must be done before; a file, table or document that a task leaves.
graph              The tasks of a study and their inputs.
recipe             All that the result of a task depends on.
address            SHA-256 of a task's stage, recipe and inputs' addresses: equal work has one.
plan               The tasks, each ``done``, ``cached``, ``to do`` or ``not needed``.
results            The committed folder of a study and scale: record, runs and tables.
record             ``study.json`` in it: each finished task with its recipe and digests.
runs               ``runs.parquet`` in it: a row a run.
workspace          The results, and the folder of work that is not committed (``data/studies``).
=================  ==============================================================================
"""

from milplib.study.errors import StudyError
from milplib.study.plan import PlannedTask, StudyPlan, TaskState, plan_study
from milplib.study.reading import load_study, study_scales
from milplib.study.results import study_evaluation, study_tables
from milplib.study.runner import ChangedWarning, StudyProgress, run_study
from milplib.study.study import Study
from milplib.study.task import STAGES

# The name of earlier versions.
PlannedPiece = PlannedTask

__all__ = [
    "STAGES",
    "ChangedWarning",
    "PlannedPiece",
    "PlannedTask",
    "Study",
    "StudyError",
    "StudyPlan",
    "StudyProgress",
    "TaskState",
    "load_study",
    "plan_study",
    "run_study",
    "study_evaluation",
    "study_scales",
    "study_tables",
]
