"""comma2k19: recorded minutes of a real car (Schafer et al., arXiv 1812.05752), made ours."""
