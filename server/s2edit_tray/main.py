"""`s2edit-tray`: start the tray app, or bring the running one to the front."""

from __future__ import annotations

import argparse
import sys

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication
from s2edit_editor.text import catalogue
from s2edit_wire.paths import settle_home

from . import theme
from .app import TrayApp
from .instance import SingleInstance
from .text import _, language
from .tray_host import wait_for_tray

STARTS_WITHIN = 60.0
"""Seconds after which a tray app that was started should show itself, on a slow disk too."""


def translator() -> QTranslator:
    """Qt's own words, such as on "Save", in the language of Qt's default locale, if the tray's words are in it too."""
    made = QTranslator()
    if catalogue(language()):
        made.load(QLocale(), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run until the user quits; 0, or 1 when no window system is there, or with `--is-shown` no tray app answers."""
    parser = argparse.ArgumentParser(prog="s2edit-tray", description="Jobs at a glance, models under control.")
    parser.add_argument("--hidden", action="store_true", help="start in the tray without a window")
    parser.add_argument("--theme", choices=("light", "dark"), help="instead of the desktop's own")
    parser.add_argument("--language", help="such as de; instead of the desktop's own")
    parser.add_argument(
        "--is-shown", action="store_true", help="start none: status 0 once the running one shows itself"
    )
    options = parser.parse_args(arguments)
    settle_home()
    if options.language:
        QLocale.setDefault(QLocale(options.language))
    application = QApplication(sys.argv[:1])
    application.setApplicationName("S²Edit")
    application.setDesktopFileName("s2edit")
    qt_words = translator()
    application.installTranslator(qt_words)
    application.setLayoutDirection(QLocale().textDirection())
    if options.theme:
        theme.apply(application, options.theme)
    single = SingleInstance()
    if options.is_shown:
        return int(not single.wait(STARTS_WITHIN))
    if single.call():
        sys.stdout.write(_("S²Edit is running already; its window is in front now.") + "\n")
        return 0
    single.listen()
    tray = TrayApp(application, hidden=options.hidden and wait_for_tray(single.called))
    single.called.connect(tray.window.raise_up)
    single.called.connect(single.answer)
    # Who called while the panel was waited for sees the window now.
    single.answer()
    tray.daemon.start()
    status = application.exec()
    tray.daemon.stop()
    return status


if __name__ == "__main__":  # menu entries of earlier versions start this module
    sys.exit(main())
