"""The daemon's life: options, start, serving, a clean end.

`python -m s2edit_server` runs it in the foreground; installers and clients start it through `s2edit_wire.launcher`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import selectors
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import zmq
from filelock import FileLock
from s2edit_wire import remote
from s2edit_wire.connection import remove_connection_file, write_connection_file
from s2edit_wire.errors import Unreachable, WireError
from s2edit_wire.living import LOCK, forget_holder, note_holder
from s2edit_wire.paths import run_folder, settle_home, state_folder, unusable
from s2edit_wire.programs import MODULES

from . import (
    forgetting,
    handlers_daemon,
    handlers_jobs,
    handlers_painters,
    handlers_queue,
    handlers_views,
    handlers_weights,
    instance,
    jobs,
    line,
    logs,
    queries,
    recovery,
    retention,
)
from .auth import Authenticator
from .blobs import Blobs
from .bridge_link import HEAD_FILE
from .bridge_pool import BridgePool
from .broker import Broker
from .connection_limits import capacity, opened
from .desk import JobDesk
from .events import Events
from .front_door import FrontDoor
from .painters import Guard, Painters
from .pool import LocalPool, Pool
from .router import Router
from .scheduler import Scheduler
from .services import Services, version
from .settings import SettingsFile
from .store import Store
from .supervisor import Deadlines
from .weights_desk import WeightsDesk

LOG = logging.getLogger(__name__)
WORKER_MODULE = MODULES["worker"]
OPEN_FILES = 4_096
"""Descriptors wanted: each connection takes one, and strangers may hold some for two seconds."""
FOLDER_S = 3.0
"""Seconds between two looks whether the state folder is still there."""
NO_FOLDER = 4
"""Exit status when its folder can't be used; the command line's own for what can't be reached."""
FINISH_S = 2.0
"""Seconds that requests under way get when the daemon stops."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon; returns the exit status: 0 after a clean end, 1 when it could not start, else `NO_FOLDER`."""
    options = _options(arguments)
    os.umask(0o077)
    settle_home()
    try:
        folder = state_folder()
        run, held = _taken(folder)
    except instance.AlreadyRunning as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Unreachable as error:
        sys.stderr.write(f"{error.message} {error.hint}".strip() + "\n")
        return NO_FOLDER
    try:
        note_holder(folder)
        _raise_limits()
        target = remote.computer(folder)
        if target:
            return line.serve(folder, target, version())
        try:
            return _serve(options, folder, run)
        except WireError:
            # The first use of the list may find damage that the look at it did not: then it is put aside now.
            if not (folder / recovery.DAMAGED).exists():
                raise
            return _serve(options, folder, run)
    except (RuntimeError, WireError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Unreachable as error:
        sys.stderr.write(f"{error.message} {error.hint}".strip() + "\n")
        return NO_FOLDER
    except (OSError, sqlite3.Error) as error:
        LOG.exception("the daemon can't start")
        remedy = "See that it can be written and that there is room on its disk, and start again."
        sys.stderr.write(f"S²Edit's daemon can't use its folder {folder}: {error}. {remedy}\n")
        return 1
    finally:
        forget_holder(folder)
        held.release()


def _taken(folder: Path) -> tuple[Path, FileLock]:
    """The state folder's run folder and lock; AlreadyRunning, or Unreachable when the folder can't be used."""
    try:
        instance.private_folder(folder)
        run = instance.private_folder(run_folder(folder))
        return run, instance.lock(run)
    except OSError as error:
        # One of our own words already says what to do.
        raise (unusable(folder, error) if error.errno else Unreachable(str(error))) from error


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="s2edit-daemon", description="S²Edit's daemon: owns jobs, weights and the GPU."
    )
    parser.add_argument("--offline", action="store_true", default=None, help="attempt no connection off this machine")
    parser.add_argument("--log-level", choices=("debug", "info", "warning"), help="how much to log; debug logs prompts")
    parser.add_argument(
        "--idle-exit", type=float, default=0.0, metavar="S", help="end after S seconds without anything to do"
    )
    parser.add_argument("--worker-module", default=WORKER_MODULE, metavar="MODULE", help="for tests: another worker")
    return parser.parse_args(arguments)


def _raise_limits() -> None:
    if os.name == "posix":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _serve(options: argparse.Namespace, folder: Path, run: Path) -> int:
    settings = SettingsFile(folder / "settings.json", offline=options.offline, log_level=options.log_level)
    logs.start(folder / "logs", settings.now.log_level)
    # libzmq's descriptors can be watched by a selector only; Windows' default loop is none.
    selector = selectors.DefaultSelector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        return runner.run(Daemon(options, settings, folder, run, capacity(selector)).run())


class Daemon:
    """All parts, put together and taken apart again."""

    def __init__(
        self, options: argparse.Namespace, settings: SettingsFile, folder: Path, run: Path, descriptors: int
    ) -> None:
        self._options, self._settings, self._folder, self._run = options, settings, folder, run
        self._descriptors = descriptors
        self._lock_inode = (run / LOCK).stat().st_ino
        self._ending = asyncio.Event()
        self._end_when_idle = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Serve until told to stop."""
        key = secrets.token_hex(32)
        painters = Painters(self._folder / "painters.json", key)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        notices = recovery.prepare(self._folder)
        store = Store(self._folder / "jobs.sqlite3", on_damage=(self._folder / recovery.DAMAGED).touch)
        try:
            services, broker, router = await self._assemble(context, store, painters)
        except BaseException:
            store.close()
            context.destroy(0)
            raise
        services.notices = notices
        Authenticator(context, painters.admits).start()
        inner = router.bind(instance.inner_endpoint(self._run))
        door = FrontDoor(painters.admits, inner, self._descriptors, opened())
        endpoint = door.bind(instance.socket_path(self._run))
        write_connection_file(self._folder, endpoint=endpoint, key=key, version=version(), boot=services.boot)
        self._watch_signals()
        router.start()
        door.start()
        LOG.info("S²Edit %s is ready at %s", version(), endpoint.split(":", 1)[0])
        tasks = [
            asyncio.create_task(self._work(services), name="scheduler"),
            asyncio.create_task(retention.serve(services.desk, lambda: self._settings.now), name="retention"),
            asyncio.create_task(forgetting.serve(services.desk, services.weights, services.pool), name="forgetting"),
            asyncio.create_task(self._watch_idle(services), name="idle"),
            asyncio.create_task(self._watch_folder(), name="folder"),
        ]
        resuming = asyncio.create_task(services.weights.resume(), name="downloads")
        ending = asyncio.create_task(self._ending.wait())
        done, _ = await asyncio.wait([ending, *tasks], return_when=asyncio.FIRST_COMPLETED)
        failed = [task for task in done if task is not ending and task.exception() is not None]
        for task in failed:
            LOG.critical("“%s” ended by itself", task.get_name(), exc_info=task.exception())
        LOG.info("stopping")
        remove_connection_file(self._folder, services.boot)
        await broker.finish(FINISH_S)
        for task in (ending, resuming, *tasks):
            task.cancel()
        await asyncio.gather(ending, resuming, *tasks, return_exceptions=True)
        await services.weights.close()
        await services.pool.stop()
        await asyncio.sleep(0.02)  # for the last answers' way through the door
        await door.stop()
        LOG.info("stopped; %d connections were turned away", door.refused)
        router.close()
        # Not `destroy`: it would close the authenticator's socket under its thread.
        context.term()
        if self._folder_is_ours():
            instance.remove_sockets(self._run)
        store.close()
        return 1 if failed else 0

    async def _assemble(
        self, context: zmq.Context[zmq.Socket[bytes]], store: Store, painters: Painters
    ) -> tuple[Services, Broker, Router]:
        swept = await store.call(jobs.sweep)
        if swept:
            LOG.info("%d unfinished jobs go on", swept)
        foreign = self._options.worker_module != WORKER_MODULE
        # The three know each other only through these calls: the router hands in, the broker hands out.
        broker: Broker
        router = Router(context, lambda identity, user, message: broker.take(identity, user, message))  # noqa: PLW0108 - not made yet
        changed = await store.call(queries.by_change)
        events = Events(lambda identity, header, frames: broker.event(identity, header, frames), changed)  # noqa: PLW0108
        desk = JobDesk(store, Blobs(self._folder / "blobs"), events)
        desk.queued.set()

        def places_came() -> None:
            desk.queued.set()
            desk.unneeded.set()

        pool = self._pool(lambda: self._tell_status(services), places_came)
        weights = WeightsDesk(
            self._folder,
            lambda: self._settings.now,
            lambda record: events.state("model", model=record),
            foreign=foreign,
        )
        scheduler = Scheduler(desk, pool, self._folder / "work", weights.find_model, lambda: self._settings.now)
        services = Services(
            painters=painters,
            boot=secrets.token_hex(16),
            pid=os.getpid(),
            desk=desk,
            scheduler=scheduler,
            pool=pool,
            settings=self._settings,
            weights=weights,
            stop=self._stop,
            checked_edits=not foreign,
        )
        broker = Broker(router.send, events.unsubscribe, Guard(painters, store).check)
        broker.handlers = {
            **handlers_daemon.handlers(services, broker.greet),
            **handlers_jobs.handlers(services),
            **handlers_painters.handlers(services),
            **handlers_queue.handlers(services),
            **handlers_views.handlers(services),
            **handlers_weights.handlers(services),
        }
        return services, broker, router

    def _pool(self, on_change: Callable[[], None], on_places: Callable[[], None]) -> Pool:
        """This computer's cards, or on a studio's head those of all its computers."""
        if (self._folder / HEAD_FILE).is_file():
            return BridgePool(self._options.worker_module, self._folder, on_change, on_places)
        return LocalPool(self._options.worker_module, self._folder, self._deadlines, on_change)

    async def _work(self, services: Services) -> None:
        """Run jobs where this computer has places, once its cards are counted."""
        await services.pool.open(self._settings.now)
        services.desk.queued.set()
        self._tell_status(services)
        await services.scheduler.serve()

    def _deadlines(self) -> Deadlines:
        now = self._settings.now
        return Deadlines(now.cancel_s, now.pulse_s, now.stall_s)

    def _tell_status(self, services: Services) -> None:
        async def tell() -> None:
            await services.tell_status()

        if services.desk.events:
            task = asyncio.ensure_future(tell())
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def _stop(self, now: bool) -> None:
        self._end_when_idle.set()
        if now:
            # Not this instant: the answer to `shutdown` has to be on its way first.
            asyncio.get_running_loop().call_later(0.05, self._ending.set)

    def _watch_signals(self) -> None:
        if os.name == "posix":
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._ending.set)

    async def _watch_folder(self) -> None:
        """End when the folder is gone, or another's: nobody could find this daemon any more, nor what it did."""
        while self._folder_is_ours():
            await asyncio.sleep(FOLDER_S)
        LOG.critical("the state folder is gone; the daemon ends")
        self._ending.set()

    def _folder_is_ours(self) -> bool:
        try:
            return (self._run / LOCK).stat().st_ino == self._lock_inode
        except OSError:
            return False

    async def _watch_idle(self, services: Services) -> None:
        """End when the queue is empty and that was asked for, or when nothing was to do for `--idle-exit` seconds."""
        limit = self._options.idle_exit
        if not limit:
            # Nearly always nobody asks, and an idle daemon should let the processor sleep.
            await self._end_when_idle.wait()
        busy_at = time.monotonic()
        while True:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            if services.scheduler.busy or services.desk.queued.is_set() or services.desk.events:
                busy_at = now
            if self._end_when_idle.is_set() or (limit and now - busy_at > limit):
                counts = await services.desk.store.call(queries.counts)
                if not services.scheduler.busy and (services.scheduler.paused or not counts["queued"]):
                    self._ending.set()
                    return
