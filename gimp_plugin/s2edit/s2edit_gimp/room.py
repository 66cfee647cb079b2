"""Lets a long form scroll where the screen is too low for all of it, and keeps its window as high as it needs."""

from __future__ import annotations

from gi.repository import Gdk, GLib, Gtk

REST = 250
"""Pixels of the window and the screen that are not the form: title, buttons, borders, and lines below the form."""
LEAST = 120
"""Pixels of the form that are seen on any screen."""


class Room:
    """A form in a window.

    Args:
        content: the form, a box whose expanders are watched; window: what it is in.

    Attributes:
        widget: what to put into the window.
    """

    def __init__(self, content: Gtk.Box, window: Gtk.Window) -> None:
        self._content, self._window = content, window
        self._height = 0
        self._wanted = -1
        self.widget = Gtk.ScrolledWindow()
        self.widget.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        self.widget.set_overlay_scrolling(False)  # a bar that hides itself tells nobody that there is more
        self.widget.add(content)
        self._shown = self.widget.get_vadjustment()
        content.set_focus_vadjustment(self._shown)  # the cursor never leaves what is seen
        content.connect_after("size-allocate", lambda *_size: self._grown())
        for child in content.get_children():
            if isinstance(child, Gtk.Expander):
                child.connect("notify::expanded", lambda *_change: self.fit())

    def fit(self) -> None:
        """Take the height that the form wants now, as far as the screen has it."""
        height = min(self._content.get_preferred_height()[1], max(LEAST, self._screen() - REST))
        if height != self._height:
            self._height = height
            self.widget.set_min_content_height(height)
            self._window.resize(self._window.get_size()[0], 1)  # as low as that allows

    def _grown(self) -> None:
        """What was unfolded has its place now, which the cursor in it did not know when it came there."""
        wanted = self._content.get_preferred_height()[1]
        if wanted != self._wanted:
            self._wanted = wanted
            GLib.idle_add(self._reveal)

    def _reveal(self) -> None:
        focus = self._window.get_focus()
        if focus is not None and focus.is_ancestor(self._content):
            _x, top = focus.translate_coordinates(self._content, 0, 0)
            self._shown.clamp_page(top, top + focus.get_allocated_height())

    def _screen(self) -> int:
        display, own = Gdk.Display.get_default(), self._window.get_window()
        monitor = display.get_monitor(0) if own is None else display.get_monitor_at_window(own)
        return int(monitor.get_workarea().height)
