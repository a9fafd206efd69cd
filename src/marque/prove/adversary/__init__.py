"""Drivers that mean harm behind the guard, in dense foreign traffic."""
