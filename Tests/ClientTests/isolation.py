"""A network that reaches this machine alone, for all that this program starts.

The cases must pass where there is nothing but the hub, and no client may look for another host. In a network namespace of
their own they have the loopback device and no route. Names are answered there by a server of ours, which knows none and notes
what was asked for.
"""

import contextlib
import ctypes
import ctypes.util
import fcntl
import os
import socket
import struct
import tempfile
import threading

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)


class Isolation:
    """The names that were asked for while nothing but this machine could be reached."""

    def __init__(self):
        self.asked: dict[str, int] = {}

    def enter(self, names: list[str] = []) -> None:  # noqa: B006  it is only read
        """Leaves the networks of this machine; for good, and for this process and those it starts. Call it before any thread.

        There this machine also has `names`.

        Without root it takes a user namespace too, which some machines forbid: then OSError.
        """
        user, group = os.getuid(), os.getgid()
        call(libc.unshare, CLONE_NEWNET | CLONE_NEWNS | (0 if user == 0 else CLONE_NEWUSER))
        if user != 0:
            write("/proc/self/setgroups", "deny")
            write("/proc/self/uid_map", f"{user} {user} 1")
            write("/proc/self/gid_map", f"{group} {group} 1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            flags = struct.unpack("16sh22x", fcntl.ioctl(probe, SIOCGIFFLAGS, struct.pack("16sh22x", b"lo", 0)))[1]
            fcntl.ioctl(probe, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
        call(libc.mount, None, b"/", None, MS_REC | MS_PRIVATE, None)
        cover("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        if names:
            cover("/etc/hosts", f"127.0.0.1 localhost {' '.join(names)}\n")
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, args=[server], daemon=True).start()

    def serve(self, server: socket.socket) -> None:
        while True:
            with contextlib.suppress(OSError, IndexError):
                question, sender = server.recvfrom(4096)
                name = name_in(question)
                if name not in ("", "localhost"):
                    self.asked[name] = self.asked.get(name, 0) + 1
                # The same question, as an answer that there is no such name (RFC 1035, 4.1.1).
                server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + section(question), sender)


def name_in(question: bytes) -> str:
    """The name that a DNS message asks for."""
    at, labels = 12, []
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode("ascii", "replace"))
        at += 1 + question[at]
    return ".".join(labels).lower()


def section(question: bytes) -> bytes:
    """The question itself: its labels, type and class."""
    at = 12
    while question[at]:
        at += 1 + question[at]
    return question[12:at + 5]


def cover(path: str, text: str) -> None:
    """Shows another text in the place of a file, to this process and those it starts."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        # The file may go once it is mounted.
        call(libc.mount, file.name.encode(), os.path.realpath(path).encode(), None, MS_BIND, None)


def call(function, *words) -> None:
    if function(*words) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
