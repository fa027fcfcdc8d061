"""From a cleared image to vectors of the granted faces and of nobody else."""
