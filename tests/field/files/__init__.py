"""Awkward picture files: damaged, oddly coloured, oddly built, and awkward places to write to."""
