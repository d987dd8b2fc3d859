"""Every mistake that a program or a host can make ends in its error, and the machine goes on after it."""

import numpy as np
import pytest

from lutra_model.operation import descriptor_words
from lutra_sim.cases import random_case
from lutra_sim.compiled import MachineFailed, build
from lutra_sim.faults import faults
from lutra_sim.mutants import ARRAYS


@pytest.mark.parametrize("name", ["l2", "mac", "rows"])
def test_every_fault_is_reported_and_survived(name: str) -> None:
    """Error and place in the status word; then the good program, without a reset."""
    machine = build(ARRAYS[name])
    for seed in range(8):
        case = random_case(ARRAYS[name], seed)
        for fault in faults(case):
            *before, wrong = fault.work
            for traffic in before:
                machine.execute(traffic)
            with pytest.raises(MachineFailed) as failure:
                machine.execute(wrong, limit=100_000)
            assert failure.value.error is fault.error, f"seed {seed}: {fault.name}"
            if fault.operation is not None:
                assert failure.value.address == fault.operation * descriptor_words(case.array), fault.name
            machine.load(case.program)
            assert np.array_equal(machine.run(case.program, case.inputs).outputs, case.expected), fault.name
