"""The command line, and the one place that wires every room: nothing below imports it."""
