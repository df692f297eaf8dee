"""The version of the package, in a file that setup reads without importing the rest."""

__version__ = "0.1.0"
