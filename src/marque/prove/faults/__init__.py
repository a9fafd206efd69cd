"""Faults of senses, one seeded drive each: noticed in time, and reacted to as named."""
