"""The real program, killed at random points: what was acknowledged is there, what was not leaves nothing."""
