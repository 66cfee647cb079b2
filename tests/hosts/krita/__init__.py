"""S²Edit in the real Krita: scripts that run inside it (`scripts/`), and a scripted hand on its windows.

`easel` prepares and starts Krita; `probe` is the small plug-in that runs a test's script in it; `qt6` uses the docker
under PyQt6, without Krita. CI runs Krita 5.2. In Krita 5.3.4.1 (Debian testing) these were run by hand on 24 November
2026 and looked at: the main path up to the saved .kra, an edit fetched from GIMP, kill -9 of the daemon in mid-edit, by
`S2EDIT_HOSTS_SUITE=forky pytest tests/hosts/krita/test_main.py tests/hosts/krita/test_recovery.py`.
"""
