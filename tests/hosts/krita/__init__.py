"""S²Edit in the real Krita: scripts that run inside it (`scripts/`), and a scripted hand on its windows.

`easel` prepares and starts Krita; `probe` is the small plug-in that runs a test's script in it; `qt6` uses the docker
under PyQt6, without Krita. CI runs Krita 5.2. In Krita 5.3.4.1 (Debian testing), on 2026-11-25, these passed, and their
pictures were looked at: the main path by hand, every colour model, the queue with cancel, retry and history, a picture
of another document, kill -9 of the daemon in mid-edit, an edit fetched from GIMP (`S2EDIT_HOSTS_SUITE=forky pytest`
with `tests/hosts/krita/` before `test_main.py::test_the_main_path_by_hand`, `test_colours.py`, `test_jobs.py`,
`test_recovery.py`).
"""
