"""Memory views and whatever else Cython writes for every module, once for all of them (see setup.py)."""
