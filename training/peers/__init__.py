"""Exporters of other people's networks to folders that wwflow runs (docs/networks.md). The user brings their code and weights."""
