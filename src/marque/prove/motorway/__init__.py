"""The motorway suite: seeded roads, seeded demand at three densities, seeded trips."""
