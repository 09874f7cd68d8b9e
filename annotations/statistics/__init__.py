"""Numbers from numbers: agreement, welfare, distributions and their uncertainty, in numpy and scipy."""
