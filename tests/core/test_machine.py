"""What this machine says of its processor."""

import pytest

from condense_core import machine

PC = """\
processor	: 0
vendor_id	: AuthenticAMD
cpu family	: 25
model		: 17
model name	: A processor
cpu MHz		: {mhz}
flags		: fpu sse {more}
power management:

processor	: 1
vendor_id	: Another
flags		: fpu
"""
ARM = "processor\t: 0\nBogoMIPS\t: {mhz}\nFeatures\t: fp asimd {more}\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"


@pytest.fixture
def says(tmp_path, monkeypatch):
    table = tmp_path / "cpuinfo"
    monkeypatch.setattr(machine, "_PROCESSORS", table)
    return table.write_text


@pytest.mark.parametrize("table", [PC, ARM], ids=["PC", "ARM"])
def test_machine_code_is_for_the_instructions_that_a_processor_knows(table, says):
    says(table.format(mhz="2596.1", more=""))
    found = machine.instructions()
    says(table.format(mhz="1200.0", more=""))
    assert machine.instructions() == found
    says(table.format(mhz="2596.1", more="avx512f"))
    assert machine.instructions() != found


def test_the_first_processor_is_named(says):
    says(PC)
    assert machine.processor() == "A processor"
    assert "Another" not in machine.instructions()


@pytest.mark.parametrize("table", ["", "\n", "processor\t: 0\ncpu\t\t: POWER9\n", "no colon"])
def test_a_processor_that_says_nothing_of_it_has_no_instructions(table, says):
    says(table)
    assert machine.instructions() == ""
    assert machine.processor()


def test_elsewhere_nothing_is_said(says, tmp_path):
    assert not (tmp_path / "cpuinfo").exists()
    assert machine.instructions() == ""
    assert machine.processor()
