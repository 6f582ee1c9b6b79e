"""Recorded tasks found again by what a study asks for, whatever software they were done on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from milplib.scip.versions import scip_version
from milplib.study.store import TaskEntry
from milplib.study.task import Task

__all__ = ["RecordedTasks"]


class RecordedTasks:
    """The entries of a record, by stage and label.

    No address is computed, so that results are read under other versions of SCIP and of packages
    than those that made them.

    Parameters
    ----------
    entries
        By address.

    Examples
    --------
    >>> from milplib.study.instances import InstanceTask
    >>> from milplib.study.study import StudyDistribution
    >>> task = InstanceTask(
    ...     of=StudyDistribution(name="CA-easy"), split="test", start=0, stop=10)
    >>> RecordedTasks({}).address_of(task) is None
    True
    """

    def __init__(self, entries: Mapping[str, TaskEntry]) -> None:
        self._entries = entries
        self._by_label: dict[tuple[str, str], list[str]] = {}
        for address, entry in entries.items():
            self._by_label.setdefault((entry.stage, entry.label), []).append(address)
        self._agreement: dict[tuple[Task, str], bool] = {}

    def address_of(self, task: Task) -> str | None:
        """Give the address under which a task was recorded; None if it was not, or as another.

        What it was made of must be what the study asks for, too, as far as it is recorded here.
        """
        addresses = self._by_label.get((task.stage, task.label), ())
        return next((address for address in addresses if self._is_of(task, address)), None)

    def _is_of(self, task: Task, address: str) -> bool:
        entry = self._entries.get(address)
        if entry is None:  # another study recorded it, from which this one took what it gave
            return True
        if (task, address) not in self._agreement:
            inputs = entry.content["inputs"]
            self._agreement[task, address] = (
                task.matches(entry.content)
                and len(inputs) == len(task.inputs)
                and all(map(self._is_of, task.inputs, inputs))
            )
        return self._agreement[task, address]

    def other_scip_versions(self, tasks: Iterable[Task]) -> tuple[str, ...]:
        """Versions of SCIP, other than the one that is loaded, on which tasks were done."""
        addresses = {address for task in tasks if (address := self.address_of(task))}
        versions = {str(self._entries[address].content.get("scip", "")) for address in addresses}
        return tuple(sorted(versions - {scip_version(), ""}))
