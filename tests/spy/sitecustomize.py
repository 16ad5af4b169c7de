"""Write down every use of a network socket, in the process of the tests and in each Python that they start.

The folder of this file is put on PYTHONPATH, so that a Python that is started finds it under the name that Python itself imports
at its start. Sockets between processes of one machine (AF_UNIX) are no network.
"""

import json
import os
import sys
from typing import Any

LOG = "ECGSPASM_SOCKET_LOG"
"""Name of the variable that tells the file to write to."""

_ADDRESSED = {"socket.connect": 1, "socket.bind": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_URLLIB3 = os.path.join("urllib3", "util", "connection.py")
_NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}


def _address(event: str, arguments: tuple[Any, ...]) -> object:
    """What is to be written of an event; None if it is nothing of the network."""
    if event == "socket.__new__":
        return None if arguments[1] == _unix else f"family {int(arguments[1])}"
    if event in _ADDRESSED:
        # the address of a socket of one machine is a path
        address = arguments[_ADDRESSED[event]]
        return str(address[0]) if isinstance(address, tuple) and address else None
    return str(arguments[0]) if event in _NAMES else None


def _by() -> str:
    """The one caller that is told by its name."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "_has_ipv6" and os.path.normpath(code.co_filename).endswith(_URLLIB3):
            return "_has_ipv6 of urllib3"
        frame = frame.f_back
    return ""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    address = _address(event, arguments)
    log = os.environ.get(LOG)
    if address is None or not log:
        return
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    line = json.dumps({"test": test, "event": event, "address": address, "pid": os.getpid(), "by": _by()}) + "\n"
    try:
        handle = os.open(log, os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return  # the suite is over, and this process has outlived it
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


_unix = getattr(__import__("_socket"), "AF_UNIX", -1)
if os.environ.get(LOG) and not hasattr(sys, "ecgspasm_spy"):
    # a hook cannot be taken back, and one is enough
    sys.ecgspasm_spy = True  # type: ignore[attr-defined]
    sys.addaudithook(_hook)
