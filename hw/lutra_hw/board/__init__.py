"""FPGA boards: the serial line, the host link, the top level of each board."""
