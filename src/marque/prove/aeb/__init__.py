"""Emergency braking in scenarios: Euro NCAP's files, and the tables of UN R152."""
