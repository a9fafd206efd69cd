"""Signals of the car by the industry's names (COVESA VSS), over its protocol (VISS v3)."""
