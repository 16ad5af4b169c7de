"""Continuous recordings: trends, episodes, and what they are."""
