"""Puts a release on AWS, tries it, and goes back to the one before when it does not work."""
