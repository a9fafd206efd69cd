"""The cockpit: what the car sees, what it will do and why, as one web page; signals by the
industry's names; and the few things that a person may ask for."""
