"""The HTTP API: everything that the pages do, and what other programs may do with a token."""
