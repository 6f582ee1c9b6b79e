"""Studies: one readable file, from instances to tables, resumable and never computed twice."""

from milplib.study.errors import StudyError
from milplib.study.piece import STAGES
from milplib.study.planning import PlannedPiece, StudyPlan, plan_study
from milplib.study.reading import load_study, study_scales
from milplib.study.results import study_evaluation
from milplib.study.runner import ChangedWarning, StudyProgress, run_study
from milplib.study.study import Study

__all__ = [
    "STAGES",
    "ChangedWarning",
    "PlannedPiece",
    "Study",
    "StudyError",
    "StudyPlan",
    "StudyProgress",
    "load_study",
    "plan_study",
    "run_study",
    "study_evaluation",
    "study_scales",
]
