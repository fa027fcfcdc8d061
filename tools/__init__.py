"""What `make` runs: the environment, the preparations and the checks; never imported by the product."""
