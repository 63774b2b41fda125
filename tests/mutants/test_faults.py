"""The list of faults fits the code: a fault whose text has gone would be noticed only when it is planted."""

from __future__ import annotations

from tests.mutants.__main__ import PARTS, REPOSITORY, faults


def test_each_fault_has_its_text_once_and_tests_that_are_there() -> None:
    listed = faults()
    odd = [fault.promise for fault in listed if (REPOSITORY / fault.file).read_text().count(fault.find) != 1]
    missing = [name for fault in listed for name in fault.red if not (REPOSITORY / name.partition("::")[0]).is_file()]
    assert (odd, missing) == ([], [])
    assert len(listed) > 300


def test_each_fault_is_of_one_part_that_plants_it() -> None:
    parts = [part for name, part in PARTS.items() if name != "quick"]
    assert [fault.promise for fault in faults() if sum(part(fault) for part in parts) != 1] == []
