"""S²Edit in the real Krita: scripts that run inside it (`scripts/`), and a scripted hand on its windows.

`easel` prepares and starts Krita; `probe` is the small plug-in that runs a test's script in it.
"""
