"""Robots as a second domain: DiceBear's drawings of the "bottts" style, their attributes, captions and edits.

The drawings lie in parts.json, which `extract` made from the npm package; who drew them stands in there.
"""
