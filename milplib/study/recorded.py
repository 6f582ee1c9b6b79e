"""Search for recorded tasks by what a study asks for, independent of software versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from milplib.scip.versions import scip_version
from milplib.study.store import TaskEntry
from milplib.study.task import Task

__all__ = ["RecordedTasks"]


class RecordedTasks:
    """Entries of a record, by stage and label.

    No address is computed, so results can be read under other versions of SCIP and packages than
    those that computed them.

    Parameters
    ----------
    entries
        Entries by address.

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
        """Return the address under which a task was recorded; None if it was not.

        The recorded request of the task must match, and so must its inputs as far as they are
        recorded here.
        """
        addresses = self._by_label.get((task.stage, task.label), ())
        return next((address for address in addresses if self._is_of(task, address)), None)

    def _is_of(self, task: Task, address: str) -> bool:
        entry = self._entries.get(address)
        if entry is None:  # recorded by another study, from which this one copied the result
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
        """Return the versions of SCIP, other than the loaded one, that did tasks."""
        addresses = {address for task in tasks if (address := self.address_of(task))}
        versions = {str(self._entries[address].content.get("scip", "")) for address in addresses}
        return tuple(sorted(versions - {scip_version(), ""}))
