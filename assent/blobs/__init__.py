"""Image bytes at rest, always sealed, on a local disk or an object store; never decides who may read them."""
