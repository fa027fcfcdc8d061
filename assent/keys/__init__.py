"""Keys of the deployment and of each grant, sealing and shredding; never prints, logs or puts a key on the log."""
