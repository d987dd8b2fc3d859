"""Reports: a network proved on the RTL, priced, compared, and shown."""
