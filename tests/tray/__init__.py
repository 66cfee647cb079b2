"""The tray: its models alone, and real widgets against the real daemon with the fake worker."""
