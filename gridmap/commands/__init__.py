"""One small module for each command: its options, and what it does.

A module offers ``add_parser(commands)``. Anything heavy is imported inside the function that
does the work, so that ``gridmap --help`` answers at once.
"""
