"""The suite `replay`: localisation and following on a recorded minute of a real car."""
