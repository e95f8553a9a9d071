"""Slot types, one module each."""
