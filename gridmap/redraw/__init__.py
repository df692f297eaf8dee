"""Redraw a net that is in use: move little, say what it costs, keep the codes traceable."""
