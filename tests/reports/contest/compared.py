"""Every scheme on one small layer, on machines that stand for compiled ones."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from lutra_model import golden
from lutra_model.network import Network
from lutra_model.schemes import Options
from lutra_model.technology import USUAL, builtin
from lutra_reports import contest
from lutra_reports.subjects import Subject, layer_subject
from lutra_sim.stages import stages

__all__ = ["TECHNOLOGIES", "Simulator", "compared", "subject"]

TECHNOLOGIES = [builtin(name) for name in USUAL]
MACHINE = contest.Machine(rows=8, columns=4, simulate=1)


class Simulator:
    """Stands for the compiled machines: golden's bits and the model's cycles, wrong on demand."""

    wrong = False

    def __call__(self, network: Network, x: NDArray[Any], machines: Any, *, progress: object = None) -> Any:
        assert len(golden.outputs(network, x)) == len(x)
        cycles = sum(stage.latency().cycles for stage in stages(network, machines) if stage.program)
        data = {"bit_exact": not self.wrong, "cycles_exact": not self.wrong,
                "cycles": {"predicted": cycles, "simulated": cycles + self.wrong}}
        return type("Run", (), {"as_dict": lambda run: data})()


def subject(seed: int = 0) -> Subject:
    return layer_subject(16, 36, 20, seed=seed)


def compared(schemes: Sequence[str] | None = None, *, about: Subject | None = None, **options: Any) -> dict[str, Any]:
    return contest.make(about or subject(), contest.entries(schemes, Options(**options)), machine=MACHINE,
                        technologies=TECHNOLOGIES)
