"""No names of its own for Python: see flags.pxd."""
