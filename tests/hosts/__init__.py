"""Tests inside the real GIMP and Krita: the editors (`provision`), a throwaway desk to run them on (`lab`, `desk`),
what the scripted user does, as data for both editors (`scenarios`), and a folder for each editor.
Screenshots go to `.ci/artifacts/`.
"""
