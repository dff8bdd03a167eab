"""The file of the store on disk: an LMDB environment with two tables, how it is opened, grows, and heals.

`run` is the only way in. Transactions are short and never last across an `await`, and all of one process are begun by one
thread, so that the map may be made larger between any two.

Nothing is synced as it is written (`MDB_NOSYNC`): a kill of any process loses nothing, for the pages are in the system's
cache, and a write costs 4 µs instead of the disk's time. A loss of power may lose the last seconds, and leave the file
damaged if the file system did not keep the order of writes; such a file is set aside and a new one begun. `MDB_WRITEMAP`
would halve the cost of a write again, but then a full disk is a SIGBUS in place of an error.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import lmdb

from edgescript.storage.base import StorageError

T = TypeVar("T")

NAME = "storage.mdb"
#: Bytes of a new map: no more than the least that `max_size` may be.
FIRST_SIZE = 1024 * 1024
#: By how much the map may be larger than allowed, so that what is there can be deleted: freeing pages takes pages too.
RESERVE = 1 / 8
#: Processes and threads that may read at once; those that died are found and their places freed.
MOST_READERS = 1024
#: How often one operation makes room, or frees readers, before it gives up.
ATTEMPTS = 12

#: Looks at the lock for opening, 10 ms apart.
LOCK_ATTEMPTS = 100

#: What lies with the content of the file, so that another file would help.
DAMAGED = (
    lmdb.CorruptedError, lmdb.InvalidError, lmdb.PageNotFoundError, lmdb.VersionMismatchError, lmdb.IncompatibleError,
)  # fmt: skip

#: What lies with this process's hold of the file: a write that failed half-way, on a full disk; a lock file overwritten.
_OF_HOLD = (lmdb.PanicError, lmdb.InvalidParameterError)

log = logging.getLogger("edgescript.storage")

_open: dict[str, Environment] = {}


class DamagedError(StorageError):
    """The file is damaged."""


class FullError(StorageError):
    """The file may not grow."""


class Environment:
    """One process's hold of a file. There is one for each file, because LMDB must not open one twice: see `acquire`."""

    values: Any
    expiries: Any

    def __init__(self, path: Path) -> None:
        self.path = path
        self.users = 0
        #: Syncs in a thread, during which it must not be closed.
        self.syncing = 0
        self._env: Any = None
        self._inode = 0
        self._open()

    # ---- opening

    def _open(self) -> None:
        """
        :raises StorageError: if it cannot be opened or made
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                try:
                    self._open_file()
                except DamagedError as error:
                    self._set_aside(error)
                    self._open_file()
        except OSError as error:
            raise StorageError(f"{self.path.parent}: {error.strerror}") from None

    def _open_file(self) -> None:
        with self._told():
            env = lmdb.open(
                str(self.path), subdir=False, map_size=FIRST_SIZE, mode=0o600, max_dbs=2, max_readers=MOST_READERS,
                max_spare_txns=2, sync=False, metasync=False, readahead=False,
            )  # fmt: skip
            try:
                env.reader_check()
                self._check_length(env)
                self.values, self.expiries = env.open_db(b"values"), env.open_db(b"expiries")
            except BaseException:
                env.close()
                raise
        self._env = env
        self._inode = os.stat(self.path).st_ino

    def _check_length(self, env: Any) -> None:
        """Reading a page that the file does not have would be a SIGBUS."""
        needed = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
        if os.stat(self.path).st_size < needed:
            raise DamagedError(f"{self.path} is damaged: it was cut short")

    def _set_aside(self, why: Exception) -> None:
        log.error("%s; it is set aside as %s.damaged, and a new one begun", why, self.path.name)
        for suffix in ("", "-lock"):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{self.path}{suffix}", f"{self.path}.damaged{suffix}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process opens the file or sets it aside meanwhile."""
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def look(self) -> None:
        """Open anew, if somebody has put another file in the place of this one, or taken it away."""
        if self.syncing:
            return
        try:
            is_same = os.stat(self.path).st_ino == self._inode
        except OSError:
            is_same = False
        if not is_same:
            self.close()

    def close(self) -> None:
        """Let go of the file; the next operation opens it again."""
        env, self._env = self._env, None
        if env is not None:
            env.close()

    # ---- transactions

    def run(self, work: Callable[[Any], T], *, write: bool = False, most: int = 0) -> T:
        """
        What `work` gives when it is called with a transaction, perhaps more than once.

        :param most: bytes up to which the map may grow
        :raises StorageError: if it fails
        """
        try:
            return self._attempt(work, write)
        except lmdb.Error as error:
            failure: Exception = error
        for _ in range(ATTEMPTS):
            self._mend(failure, most)
            try:
                return self._attempt(work, write)
            except lmdb.Error as error:
                failure = error
        with self._told():
            raise failure

    def _attempt(self, work: Callable[[Any], T], write: bool) -> T:
        if self._env is None:
            self._open()
        with self._env.begin(self.values, write=write, buffers=True) as transaction:
            return work(transaction)

    def _mend(self, failure: Exception, most: int) -> None:
        """Do what makes another attempt worth while, or raise."""
        with self._told():
            if isinstance(failure, lmdb.MapResizedError):
                self._env.set_mapsize(0)  # what another process has made it
            elif isinstance(failure, lmdb.ReadersFullError) and self._env.reader_check():
                pass
            elif isinstance(failure, lmdb.MapFullError) and self.size < most:
                self._env.reader_check()
                self._env.set_mapsize(min(self.size * 2, most))
            else:
                if isinstance(failure, DAMAGED):
                    self._give_up(failure)
                elif isinstance(failure, _OF_HOLD) and not self.syncing:
                    self.close()  # the next operation opens it again
                raise failure

    def _give_up(self, failure: Exception) -> None:
        """The content is damaged: set the file aside, unless another process has begun a new one already."""
        with contextlib.suppress(OSError), self._alone():
            if os.stat(self.path).st_ino == self._inode:
                self._set_aside(DamagedError(f"{self.path} is damaged: {_said(failure)}"))
        if not self.syncing:
            self.close()

    @property
    def size(self) -> int:
        """Bytes of the map."""
        size: int = self._env.info()["map_size"]
        return size

    def sync(self) -> None:
        """
        Come back when all that was written would survive a loss of power. It may take long: call it in a thread.

        :raises StorageError: if it fails
        """
        with self._told():
            self._env.sync(True)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """LMDB's errors become ours."""
        try:
            yield
        except lmdb.MapFullError:
            raise FullError(f"{self.path} is full: it may have no more than {self.size} bytes") from None
        except DAMAGED as error:
            raise DamagedError(f"{self.path} is damaged: {_said(error)}") from None
        except lmdb.Error as error:
            raise StorageError(f"{self.path}: {_said(error)}") from None


def _lock(descriptor: int) -> None:
    """
    Whoever holds the lock does so for as long as it takes to open a file, unless it was stopped.

    :raises BlockingIOError: if it is not to be had
    """
    for _ in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.01)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _said(error: Exception) -> str:
    """`mdb_txn_commit: No space left on device` without the name of the function and the path."""
    return str(error).rsplit(": ", 1)[-1]


def acquire(path: Path) -> Environment:
    """
    The process's hold of a file. Every `acquire` needs one `release`.

    :raises StorageError: if it cannot be opened
    """
    found = _open.get(str(path))
    if found is None:
        found = _open[str(path)] = Environment(path)
    found.users += 1
    return found


def release(environment: Environment) -> None:
    environment.users -= 1
    if environment.users == 0:
        del _open[str(environment.path)]
        environment.close()
