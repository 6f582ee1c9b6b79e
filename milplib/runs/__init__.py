"""Folder of a run: tasks that finish one by one, are interrupted, and are resumed.

=============  ====================================================================
module         content
=============  ====================================================================
`folder`       `TaskFolder`: a folder in which tasks finish one by one, with a lock
`manifest`     `ResultsManifest`, `ResultsFolder`: arguments and software of results
`record`       `RunRecord`: time and place of a run's work (``environment.json``)
`environment`  `describe_environment`: machine and versions that results depend on
`kind`         `RunKind`: counting of the files of one kind of run
`rows`         counting shared by kinds of run whose tasks make table rows
`contents`     `open_run`: tasks, results and failures, read from any run's folder
`status`       `run_status`: progress of a run
=============  ====================================================================

Layers above declare their kinds of runs in the entry-point group ``milplib.runs``; another
package can declare its own, and ``milplib status`` then reads its folders.
"""

from milplib.runs.kind import RunContents, RunFailure, RunKind
from milplib.runs.rows import rows_contents, task_rows
from milplib.runs.status import RunStatus, run_status

__all__ = [
    "RunContents",
    "RunFailure",
    "RunKind",
    "RunStatus",
    "rows_contents",
    "run_status",
    "task_rows",
]
