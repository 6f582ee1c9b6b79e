"""Jobs whose workers die: what there is is kept and reported, and the same call goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from milplib.evaluation import evaluate
from milplib.execution import Execution, WorkerDiedError
from milplib.generators import CombinatorialAuction
from milplib.hardness import measure
from milplib.library import distribution, generate_split

SMALL = distribution("SC-milplib-small")


@pytest.fixture(scope="module")
def auctions(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("auctions")
    for seed in range(2):
        CombinatorialAuction(n_items=50, n_bids=200).generate(seed).write(folder / f"{seed}.lp")
    return folder


def files(folder: Path) -> Any:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "execution",
    [
        Execution(workers=2, memory_limit=4000),
        pytest.param(Execution(cluster="local:2"), marks=pytest.mark.slow),
    ],
    ids=["workers", "cluster"],
)
def test_instances_are_the_same_wherever_they_are_generated(tmp_path: Path, execution: Any) -> None:
    progress: list[Any] = []
    here = generate_split(SMALL, count=3, out=tmp_path / "here")
    there = generate_split(
        SMALL, count=3, out=tmp_path / "there", execution=execution, on_progress=progress.append
    )
    assert here == there
    assert files(tmp_path / "here") == files(tmp_path / "there")
    assert progress == [0, 1, 2, 3]


@pytest.mark.slow
def test_an_instance_that_cannot_be_generated_costs_no_other_one(
    solving: ModuleType, tmp_path: Path
) -> None:
    mended = tmp_path / "mended"
    crashing = solving.Crashing(n_rows=20, n_columns=40, density=0.2, mended=str(mended))
    source = replace(SMALL, generator=crashing)
    with pytest.raises(WorkerDiedError, match=r"of 6 instances.*SIGABRT.*tries these again"):
        generate_split(source, count=6, seed=1, out=tmp_path / "out", workers=2)
    before = files(tmp_path / "out")
    assert 1 < len(before) < 7  # a manifest, and some of them
    mended.touch()
    records = generate_split(source, count=6, seed=1, out=tmp_path / "out", workers=2)
    after = files(tmp_path / "out")
    assert len(records) == len(after) - 1 == 6
    assert {name: after[name] for name in before if name.endswith(".lp")}.items() <= before.items()


@pytest.mark.slow
def test_an_evaluation_whose_worker_dies_is_reported_and_goes_on(
    solving: ModuleType, auctions: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> Any:
        return evaluate(
            [auctions],
            policies=[f"{solving.__name__}:ends_the_worker"],
            time_limit=60,
            out=tmp_path / "out",
            workers=2,
        )

    rows = run().table.to_pylist()
    assert len(rows) == 4
    failed = [row for row in rows if row["failure"]]  # an instance may be solved at its root
    assert failed
    assert {row["failure"] for row in failed} == {"crash"}
    assert all(row["failure_detail"].startswith("crash: ") for row in failed)
    monkeypatch.setenv("MILPLIB_TEST_MENDED", "1")
    assert {row["failure"] for row in run().table.to_pylist()} == {""}
    assert not (tmp_path / "out" / "unfinished").exists()


@pytest.mark.slow
def test_a_solve_over_its_memory_is_a_row_of_its_own(auctions: Any, tmp_path: Path) -> None:
    # A process with SCIP in it has more than this before it begins.
    results = measure([auctions], out=tmp_path / "out", execution=Execution(memory_limit=5))
    assert [row["failure"] for row in results.rows] == ["memlimit", "memlimit"]
