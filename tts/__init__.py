"""Speaking: text normalisation, voices, the prompt store. Imports none of our other packages."""
