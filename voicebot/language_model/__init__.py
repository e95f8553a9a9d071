"""A language model that chooses what a caller means and tells handed-over calls; our own is there where it fails."""
