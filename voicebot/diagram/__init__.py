"""Diagrams of flows: Mermaid text, and drawings that need neither network nor other programs."""
