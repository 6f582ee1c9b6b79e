"""Tasks on a real Dask cluster, whose workers and scheduler may be lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import milplib
from milplib.errors import MissingPackageError
from milplib.execution import ClusterError, Execution, TaskFailure, cluster, run_tasks
from milplib.execution.errors import WorkerDiedError, WorkerStartError
from milplib.execution.software import software_here

distributed = pytest.importorskip("distributed")


class DaskCluster:
    """A scheduler and workers on loopback, started as the documentation says."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"
        )
        self.workers: list[subprocess.Popen[bytes]] = []

    def _start(self, what: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self._folder / "log.txt").open("ab")
        place = ("--scheduler-file", str(self._file))
        return subprocess.Popen(
            [sys.executable, "-m", "dask", what, *place, "--no-dashboard", *options],
            stdout=log,
            stderr=log,
            cwd=self._folder,  # with -m modules of the working folder go before all others
            env=os.environ | environment,
        )

    @property
    def address(self) -> str:
        with distributed.Client(scheduler_file=str(self._file), set_as_default=False) as client:
            return str(client.scheduler.address)

    def add_worker(self, *options: str, **environment: str) -> None:
        self.workers.append(self._start("worker", "--nthreads", "1", *options, **environment))

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.terminate()
        for process in (*self.workers, self.scheduler):
            process.wait()


@pytest.fixture(scope="module")
def two_workers(
    functions: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DaskCluster]:
    dask = DaskCluster(tmp_path_factory.mktemp("dask"))
    dask.add_worker()
    dask.add_worker()
    yield dask
    dask.close()


@pytest.fixture
def new_cluster(functions: ModuleType, tmp_path: Path) -> Iterator[DaskCluster]:
    dask = DaskCluster(tmp_path)
    yield dask
    dask.close()


def results(function: Any, tasks: Any, **execution: Any) -> Any:
    return dict(run_tasks(function, tasks, execution=Execution(**execution)))


def test_a_cluster_of_our_own_gives_the_results_and_leaves_no_process(
    functions: ModuleType, processes: SimpleNamespace
) -> None:
    found = results(functions.process, range(4), cluster="local:1")
    assert sorted(found) == list(range(4))
    assert len(set(found.values())) == 1  # one child process, kept by the worker
    assert not any(map(processes.is_alive, found.values()))


@pytest.mark.slow
def test_deaths_are_told_apart_and_cost_no_worker(
    functions: ModuleType, two_workers: DaskCluster
) -> None:
    ways = {"segfault": "crash", "exit": "crash", "grow": "out of memory", "kill": "killed"}
    tasks = [*ways, *"abcd"]
    found = results(functions.end, tasks, cluster=two_workers.address, memory_limit=300)
    for position, task in enumerate(tasks):
        result = found[position]
        assert result == task or (isinstance(result, TaskFailure) and result.kind == ways[task])
    assert all(worker.poll() is None for worker in two_workers.workers)


@pytest.mark.slow
def test_what_a_task_raises_is_raised_here(functions: ModuleType, two_workers: DaskCluster) -> None:
    with pytest.raises(ValueError, match="seven") as caught:
        results(functions.raise_at_seven, [7], cluster=two_workers.address)
    assert "in raise_at_seven" in caught.value.__notes__[0]


@pytest.mark.slow
def test_a_task_that_is_killed_from_outside_is_done_by_another_process(
    functions: ModuleType, processes: SimpleNamespace, two_workers: DaskCluster, tmp_path: Path
) -> None:
    processes.kill_when_marked(tmp_path / "pid", signal.SIGKILL)
    found = results(functions.wait_once, [tmp_path / "pid"], cluster=two_workers.address)
    assert found == {0: "done"}


@pytest.mark.slow
def test_a_worker_whose_first_processes_are_killed_says_so_of_its_task(
    functions: ModuleType, new_cluster: DaskCluster
) -> None:
    """A worker that joined later asks a child process for its software before its first task."""
    new_cluster.add_worker()

    def run_and_kill() -> Any:
        import threading
        from contextlib import suppress

        import cloudpickle
        import psutil

        from milplib.execution.cluster_worker import ChildSettings, run_in_child

        ended = threading.Event()

        def kill_children() -> None:
            while not ended.wait(0.05):
                for child in psutil.Process().children():
                    with suppress(psutil.NoSuchProcess):
                        if any("spawn_main" in word for word in child.cmdline()):
                            child.kill()

        settings = ChildSettings(
            run="killed",
            software={},
            path=(),
            folder=".",
            memory_limit=None,
            time_limit=None,
            calls_per_worker=1,
        )
        threading.Thread(target=kill_children).start()
        try:
            return cloudpickle.loads(run_in_child(b"", settings))
        finally:
            ended.set()

    with distributed.Client(new_cluster.address, set_as_default=False) as client:
        is_whole, error, _ = client.submit(run_and_kill).result(timeout=120)
    assert not is_whole
    assert isinstance(error, WorkerDiedError | WorkerStartError)


@pytest.mark.slow
def test_ctrl_c_ends_what_runs_on_the_cluster(
    functions: ModuleType, processes: SimpleNamespace, two_workers: DaskCluster, tmp_path: Path
) -> None:
    marks = [tmp_path / "quick1", tmp_path / "slow1"]

    def interrupt() -> None:
        execution = Execution(cluster=two_workers.address)
        for _ in run_tasks(functions.touch_and_wait, marks, execution=execution):
            processes.wait_until(lambda: all(mark.exists() for mark in marks))
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    pid = int(marks[1].read_text())
    processes.wait_until(lambda: not processes.is_alive(pid))


@pytest.mark.slow
def test_workers_that_do_not_see_the_files_are_refused(
    functions: ModuleType, new_cluster: DaskCluster, tmp_path: Path
) -> None:
    new_cluster.add_worker()
    here = tmp_path / "here.lp"
    here.touch()
    address = new_cluster.address
    execution = Execution(cluster=address)
    assert list(run_tasks(functions.same, [1], execution=execution, files=[here])) == [(0, 1)]
    # The function that looks is the one that a worker is asked with, on a file that is nowhere.
    with (
        distributed.Client(address, set_as_default=False) as client,
        pytest.raises(ClusterError, match="does not see /nowhere"),
    ):
        cluster._check_workers(client, software_here(), ["/nowhere/a.lp"])


@pytest.mark.slow
def test_a_task_on_a_worker_that_is_lost_is_done_by_another(
    functions: ModuleType, processes: SimpleNamespace, new_cluster: DaskCluster, tmp_path: Path
) -> None:
    new_cluster.add_worker("--no-nanny")
    address = new_cluster.address
    mark = tmp_path / "pid"

    def lose_worker() -> None:
        processes.wait_until(mark.exists)
        new_cluster.add_worker()
        new_cluster.workers[0].kill()

    thread = threading.Thread(target=lose_worker, daemon=True)
    thread.start()
    assert results(functions.wait_once, [mark], cluster=address) == {0: "done"}
    thread.join()
    # The child process of a worker that was killed goes with it.
    processes.wait_until(lambda: not processes.is_alive(int(mark.read_text())))


@pytest.mark.slow
def test_a_task_that_every_worker_is_lost_with_is_a_failure(functions: ModuleType) -> None:
    found = results(functions.end, ["kill the parent", "other"], cluster="local:2")
    assert found[1] == "other"
    assert (found[0].kind, found[0].attempts) == ("killed", 6)


@pytest.mark.slow
def test_the_loss_of_the_scheduler_ends_the_run_after_what_was_finished(
    functions: ModuleType, processes: SimpleNamespace, new_cluster: DaskCluster, tmp_path: Path
) -> None:
    new_cluster.add_worker()
    marks = [tmp_path / "quick1", tmp_path / "slow1"]
    execution = Execution(cluster=new_cluster.address)
    kept = []

    def lose_scheduler() -> None:
        for _, result in run_tasks(functions.touch_and_wait, marks, execution=execution):
            kept.append(result)
            new_cluster.scheduler.kill()

    with pytest.raises(ClusterError, match=r"lost.*what was finished is kept: start again"):
        lose_scheduler()
    assert kept == ["quick1"]


@pytest.mark.slow
def test_workers_with_another_milplib_are_refused_before_any_work(
    functions: ModuleType, new_cluster: DaskCluster, tmp_path: Path
) -> None:
    copy = tmp_path / "other" / "milplib"
    shutil.copytree(Path(milplib.__file__).parent, copy)
    text = (copy / "version.py").read_text()
    assert f'__version__ = "{milplib.__version__}"' in text
    other = text.replace(f'__version__ = "{milplib.__version__}"', '__version__ = "0.0.7"')
    (copy / "version.py").write_text(other)
    new_cluster.add_worker(PYTHONPATH=str(copy.parent))
    mark = tmp_path / "quick1"
    with pytest.raises(ClusterError, match=r"milplib 0\.0\.7 \(here .*install the same"):
        results(functions.touch_and_wait, [mark], cluster=new_cluster.address)
    assert not mark.exists()


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_LIMIT", 0.2)
    with pytest.raises(ClusterError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:9"):
        results(abs, [1], cluster="tcp://127.0.0.1:9")


@pytest.mark.slow
def test_a_cluster_without_workers_is_named(
    monkeypatch: pytest.MonkeyPatch, new_cluster: DaskCluster
) -> None:
    monkeypatch.setattr(cluster, "WORKER_LIMIT", 0.2)
    with pytest.raises(ClusterError, match=r"no worker for 0\.2 s: start some \(dask worker"):
        results(abs, [1], cluster=new_cluster.address)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # as the import system marks absence
    with pytest.raises(MissingPackageError, match=r"pip install 'milplib\[dask\]'"):
        results(abs, [1], cluster="local:1")
