"""Small networks, and their programs by an interpreter of the words."""

import numpy as np

from lutra_model.network import Add, Network, Node, Shape, Window
from lutra_model.params import Array
from lutra_model.program import Program
from tests.model.interpreter import Interpreter
from tests.strategies import products

__all__ = ["SAME", "add", "conv", "interpret", "network"]

SAME = Window(kernel=(3, 3), padding=(1, 1, 1, 1))


def interpret(program: Program, x: np.ndarray) -> np.ndarray:
    machine = Interpreter(program.array, program.words, program.tables, program.codebooks, program.functions)
    return program.outputs(machine.run(program.input_beats(x)[0], program.streamed, len(x)))


def network(shape: Shape, *nodes: Node) -> Network:
    return Network(name="net", input_shape=shape, input_scale=1.0, nodes=nodes)


def conv(name: str, source: str, inputs: int, outputs: int, array: Array, groups: int = 1, length: int = 9) -> Node:
    rng = np.random.default_rng(len(name))
    return products(rng, array, name, source, inputs // groups * 9, outputs // groups, min(length, array.length),
                    groups, SAME)


def add(name: str, *inputs: str) -> Node:
    return Add(name=name, inputs=inputs, scale=1.0, multipliers=(20000, 9000), shift=15, low=-100)
