"""Pre-initialised workers: a JVM that stays, and a Python that has imported the libraries and forks for each job."""
