"""Seeded drives on roads that are not as the car's map says."""
