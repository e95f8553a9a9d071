"""A language model that chooses what a caller means, where our own understanding is not sure; ours stands behind it."""
