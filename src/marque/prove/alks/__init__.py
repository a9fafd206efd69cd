"""UN R157: the scenarios of an automated lane keeping system, played with the whole stack."""
