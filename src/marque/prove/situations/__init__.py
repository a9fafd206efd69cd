"""Situations: small foreign scenes, drawn from a seed, each judged by the truth.

Every class of situation has its own roads (made by SUMO's netconvert), its own cast (moved by
SUMO) and its own criteria. Our car drives through by the normal closed loop.
"""
