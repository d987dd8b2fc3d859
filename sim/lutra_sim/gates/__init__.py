"""From an Amaranth component to its gates in a cell library, and to the exact energy of a run of those gates."""
