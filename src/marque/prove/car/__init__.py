"""Cars as the shared controller finds them: tracking, planned stops, emergency stops."""
