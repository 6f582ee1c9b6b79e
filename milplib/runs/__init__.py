"""The folder of a run: tasks that finish one by one, are interrupted, and are resumed.

=============  ====================================================================
module         what it holds
=============  ====================================================================
`folder`       `TaskFolder`: a folder in which tasks finish one by one, with a lock
`record`       `RunRecord`: when and where a run worked (``environment.json``)
`environment`  the machine and the versions that results may depend on
`manifest`     `ResultsManifest`: the arguments and software of finished results
`contents`     `open_run`: tasks, results and failures, read from any run's folder
`status`       `run_status`: how far a run has come
=============  ====================================================================
"""
