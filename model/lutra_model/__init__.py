"""Parameters, golden model, conversion, schedule and cost model: no hardware types in here."""
