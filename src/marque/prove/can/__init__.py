"""Real cars on their own buses: do they conform, and does anything illegal reach an actuator?"""
