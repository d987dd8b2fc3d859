"""The machine of docs/hardware.md in Amaranth."""
