"""No names of its own for Python: see account.pxd."""
