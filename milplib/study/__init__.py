"""Studies: from instances to tables by one readable file, resumable and without repeated work.

The terms are those of build tools such as Snakemake and DVC:

=================  ==============================================================================
study              YAML file that says what to collect, train and evaluate (`load_study`).
scale              Variant of a study in its file, such as ``small``.
stage              One of `STAGES`: ``generate``, ``collect``, ``train``, ``rules``, ``evaluate``,
                   ``summarise``.
task               Unit of work of a stage, such as a policy; it is done and kept as a whole.
input, output      Task that must be done before; file, table or document that a task writes.
graph              Tasks of a study and their inputs.
recipe             Everything that the result of a task depends on.
address            SHA-256 of a task's stage, recipe and inputs' addresses; the same for equal work.
plan               Tasks, each ``done``, ``cached``, ``to do`` or ``not needed``.
results            Committed folder of a study and scale: record, runs and tables.
record             ``study.json`` of the results: each finished task with its recipe and digests.
runs               ``runs.parquet`` of the results: one row per run.
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

# Name in earlier versions.
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
