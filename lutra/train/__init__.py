"""Training of networks that compute by table lookup: float network, conversion, fine-tuning, network files."""
