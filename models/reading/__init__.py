"""What the reading heads are trained from, in batches, and the scripts that do it."""
