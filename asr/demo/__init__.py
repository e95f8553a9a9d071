"""The small model that ships with the package, for demonstrations and tests; see MODEL_CARD.md beside it."""
