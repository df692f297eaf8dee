"""Compiled inner loops of redrawing: numbers and arrays in, numbers and arrays out.

Imported only inside the functions that need them, because numba is slow to load.
"""
