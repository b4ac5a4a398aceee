"""What the name of a VM size says."""

import pytest

from batchspec.engine.machine import cores


@pytest.mark.parametrize(
    ("vm_size", "number"),
    [
        ("standard_d2s_v3", 2),
        ("STANDARD_A1_v2", 1),
        ("standard_ds12_v2", 12),
        ("standard_nc24rs_v3", 24),
        ("small", 1),
        ("extralarge", 8),
        ("surprise", 1),
    ],
)
def test_a_size_says_its_cores(vm_size: str, number: int) -> None:
    assert cores(vm_size) == number
