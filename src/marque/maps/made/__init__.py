"""Maps of our own making: a town, a motorway, a grid, drawn by seed."""
