"""Energy, area and delay of the machine's parts from their gates."""
