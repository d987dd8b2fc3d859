"""NN-LUT (DAC 2022): functions of one value as tables of 16 linear segments, learned as small ReLU networks."""
