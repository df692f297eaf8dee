"""Print: atlases, notice boards and contact cards as PDF, in vectors, from templates."""
