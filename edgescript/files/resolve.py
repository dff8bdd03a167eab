"""From a request's path to an open file below a root, and never to one outside.

A path is opened first and judged afterwards: where the kernel says that the descriptor leads (`/proc/self/fd`), which cannot
change any more between the check and the use. This costs the same for any depth; a walk with `openat` and O_NOFOLLOW costs
two system calls for every folder. What was judged once needs no second look while it stays the same file (`Identity`):
a file that was served from inside, and is moved out with its whole folder and linked back unchanged, counts as inside.

These calls may block for as long as the disk takes. For local disks that is what nginx does too; files on a network
file system that hangs make the server hang.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Sequence
from fnmatch import translate
from typing import Literal, NamedTuple

from edgescript.http.message import HTTPError

Symlinks = Literal["inside", "off", "on"]

#: Inode, device, size, and times in nanoseconds: while these are the same, so is the file, and its place and contents.
Identity = tuple[int, int, int, int, int]

# A FIFO without O_NONBLOCK would wait for a writer for ever; a terminal without O_NOCTTY would become ours.
OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY if sys.platform != "win32" else os.O_RDONLY

#: What `open` fails with when there is simply no such file to serve: missing, too long, a loop of links, a socket.
_MISSING = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO, errno.ENODEV, errno.EINVAL)
)
_STATUS = {errno.EACCES: 403, errno.EPERM: 403, errno.EMFILE: 503, errno.ENFILE: 503, errno.ENOMEM: 503}

#: Never in the path of a file: dot segments, empty segments, backslashes, NUL.
_UNSAFE = re.compile(r"/\.\.?(/|$)|//|[\\\0]")
#: On Windows neither: streams, devices' colons, and the trailing dots and spaces that its file names lose.
_UNSAFE_ON_WINDOWS = re.compile(r"[:*?\"<>|]|[. ](/|$)")

#: Not served, whatever `hide` says: the configuration itself.
_OURS = re.compile(r"edgefile|.*\.edge", re.IGNORECASE | re.DOTALL)
_WELL_KNOWN = ".well-known"
#: Linux, but for a container or chroot without it.
_HAS_PROC = sys.platform == "linux" and os.path.isdir("/proc/self/fd")
_HAS_FOLDED_NAMES = sys.platform in ("darwin", "win32")


def identity(status: os.stat_result) -> Identity:
    return status.st_ino, status.st_dev, status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Hidden:
    """
    What is treated as if it were not there.

    A pattern without a slash is compared with every segment of the path below the root; one with a slash with the whole
    path on disk, and hides a folder with all that is in it. `*`, `?` and `[…]` mean what they mean to a shell, and do not
    match a slash. Names that begin with a dot are hidden unless `dotfiles`, but for `.well-known` (RFC 8615).

    :param directory: where patterns that are relative paths start
    :param own: the file of our configuration, which is hidden whatever its name is
    """

    __slots__ = ("_dotfiles", "_names", "_own", "_paths")

    def __init__(
        self, patterns: Sequence[str] = (), *, dotfiles: bool = False, directory: str = "/", own: str | None = None
    ) -> None:
        self._dotfiles = dotfiles
        self._own = None if own is None else encoded(os.path.realpath(own))
        self._names = [_glob(pattern) for pattern in patterns if "/" not in pattern]
        paths = [os.path.normpath(os.path.join(directory, pattern)) for pattern in patterns if "/" in pattern]
        self._paths = [[_glob(segment) for segment in path.split("/")] for path in paths]

    def hides(self, path: str, root: str) -> bool:
        """Whether `path` (below `root`, with a leading slash) is hidden."""
        if any(self._hides_name(segment) for segment in path.split("/") if segment):
            return True
        if not self._paths:
            return False
        whole = (root + path).split("/")
        return any(_is_prefix(pattern, whole) for pattern in self._paths)

    def is_own(self, real: bytes) -> bool:
        """Whether the real path of a file is that of our configuration."""
        return real == self._own

    def has_own_name(self, name: str) -> bool:
        return self._own is not None and encoded(name) == os.path.basename(self._own)

    def _hides_name(self, name: str) -> bool:
        if name.startswith(".") and not self._dotfiles and name != _WELL_KNOWN:
            return True
        return _OURS.fullmatch(name) is not None or any(pattern.match(name) for pattern in self._names)


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern), re.IGNORECASE if _HAS_FOLDED_NAMES else 0)


def _is_prefix(pattern: list[re.Pattern[str]], segments: list[str]) -> bool:
    return len(pattern) <= len(segments) and all(
        part.match(segment) for part, segment in zip(pattern, segments, strict=False)
    )


class Found(NamedTuple):
    """An open file or directory; whoever gets it closes `descriptor`."""

    descriptor: int
    status: os.stat_result
    #: The path that it was opened by, for the system.
    full: bytes

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


class Tree:
    """
    The files below one root.

    :param symlinks: `inside` follows a link that ends below the root, `off` none, `on` every one. The root itself may
        be, or be reached by, a link whatever this says: that is how releases are switched.
    """

    __slots__ = ("_real", "hidden", "root", "symlinks")

    def __init__(self, root: str, *, symlinks: Symlinks = "inside", hidden: Hidden) -> None:
        self.root = root.rstrip("/")
        self.symlinks = symlinks
        self.hidden = hidden
        self._real = self._resolved()

    def _resolved(self) -> bytes:
        return os.path.realpath(encoded(self.root) or b"/").rstrip(b"/")

    def open(self, path: str) -> Found | None:
        """
        The file or directory at `path`, which begins with a slash and has no other at its end; None if there is none to serve.

        Hidden files, devices, sockets and FIFOs are none, and so is everything that is outside.

        :raises HTTPError: 403 where permission is missing, 503 and 500 where the system fails
        """
        if not is_safe(path) or self.hidden.hides(path, self.root):
            return None
        try:
            full = encoded(self.root + path)
            descriptor = _opened(full)
        except UnicodeEncodeError:
            return None
        except OSError as error:
            raise_unless_missing(error)
            return None
        try:
            status = os.fstat(descriptor)
            if _is_served(status) and self._is_allowed(descriptor, full):
                return Found(descriptor, status, full)
        except OSError as error:
            os.close(descriptor)
            raise_unless_missing(error)
            return None
        os.close(descriptor)
        return None

    def peek(self, path: str) -> os.stat_result | None:
        """What `open` would give, without keeping it open, and None for what may not be read."""
        try:
            found = self.open(path)
        except HTTPError:
            return None
        if found is None:
            return None
        os.close(found.descriptor)
        return found.status

    def _is_allowed(self, descriptor: int, full: bytes) -> bool:
        """Whether what was opened as `full` really is at a place that may be served."""
        real = real_path(descriptor, full)
        if self.hidden.is_own(real):
            return False
        below = full[len(encoded(self.root)) :].rstrip(b"/")
        if self.symlinks == "on" or real == self._real + below:
            return True
        if not real.startswith(self._real + b"/"):
            # The root itself may lead elsewhere by now.
            self._real = self._resolved()
        if real == self._real + below:
            return True
        if self.symlinks == "off" or not real.startswith(self._real + b"/"):
            return False
        inner = real[len(self._real) :].decode("utf-8", "surrogateescape")
        return not self.hidden.hides(inner, self.root)


def _opened(full: bytes) -> int:
    try:
        return os.open(full, OPEN_FLAGS)
    except PermissionError:
        # A folder that may be entered but not listed still has its files, and its canonical address.
        if sys.platform != "linux":
            raise
        descriptor = os.open(full, os.O_PATH | os.O_CLOEXEC)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise


def encoded(path: str) -> bytes:
    """A path as the system takes it. URLs are UTF-8 whatever the locale says; bytes that are not come back as they were."""
    return path.encode("utf-8", "surrogateescape")


def is_safe(path: str) -> bool:
    """Whether `path` can only mean something below the root, symbolic links aside."""
    if not path.startswith("/") or _UNSAFE.search(path) is not None:
        return False
    return sys.platform != "win32" or _UNSAFE_ON_WINDOWS.search(path) is None


def _is_served(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)


def raise_unless_missing(error: OSError) -> None:
    """
    Go on, if an error of the system only says that there is no such file.

    :raises HTTPError: otherwise, with what the error means to a client
    """
    if error.errno not in _MISSING:
        raise HTTPError(_STATUS.get(error.errno or 0, 500), f"cannot open the file: {error.strerror}") from error


def real_path(descriptor: int, full: bytes) -> bytes:
    """
    Where an open file really is.

    :param full: the path it was opened by, for systems that cannot tell from the descriptor
    :raises OSError: if that is not known, or no longer
    """
    if not _HAS_PROC:
        return _real_path_by_name(descriptor, full)
    real = os.readlink(b"/proc/self/fd/%d" % descriptor)
    if real.endswith(b" (deleted)") and os.fstat(descriptor).st_nlink == 0:
        raise FileNotFoundError(errno.ENOENT, "the file was removed while it was looked at")
    return real


def _real_path_by_name(descriptor: int, full: bytes) -> bytes:
    """The resolved name, if it still leads, without a link at its end, to the file that is open."""
    real = os.path.realpath(full)
    if not os.path.samestat(os.lstat(real), os.fstat(descriptor)):
        raise FileNotFoundError(errno.ENOENT, "the file was moved while it was looked at")
    return real
