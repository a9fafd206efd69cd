"""marque: an open base for assisted driving. Every brand keeps its soul."""

__version__ = "0.1.0"
