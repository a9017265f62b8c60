"""What there is to run: the catalogue of weights and the trained coefficients, with the scripts that made them."""
