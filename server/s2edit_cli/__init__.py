"""The `s2edit` command: a thin client of the daemon for shells and scripts, and its picture files.

Commands (`*_commands`), following a job (`follow`), words and exit codes (`report`, `exit_codes`);
reading, colour, compositing and writing of pictures (`pictures`, `colour`, `composite`, `writing`, `openraster`).
"""
