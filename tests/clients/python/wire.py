"""The line protocol between the test and this process: one JSON object a line.

In:   {"id", "client", "do": "connect" | "request" | "connection" | "close", ...}
Out:  {"id", "result"} or {"id", "error"} for each of them, and {"client", "event", "payload"} for what a client hears.
"""

import json
import sys
import threading

_lock = threading.Lock()


def commands():
    for line in sys.stdin:
        yield json.loads(line)


def write(message):
    with _lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def answer(command, result=None):
    write({"id": command["id"], "result": result})


def fail(command, error):
    write({"id": command["id"], "error": str(error) or type(error).__name__})


def hear(name, event, payload):
    write({"client": name, "event": event, "payload": payload})


def listen(sio, name):
    """Tells the test of everything that a client hears. The handlers return nothing, so nothing is acknowledged."""
    sio.on("connect", lambda: hear(name, "connect", None))
    sio.on("disconnect", lambda reason: hear(name, "disconnect", str(reason)))
    sio.on("connect_error", lambda error=None: hear(name, "connect_error", error))
    sio.on("*", lambda event, payload=None: hear(name, event, payload))


# The first attempt to come back is made within 0.1 to 0.3 s.
RECONNECTION = {"reconnection_delay": 0.2, "reconnection_delay_max": 1, "randomization_factor": 0.1}


def connection(sio):
    return {"transport": sio.transport(), "sid": sio.eio.sid}
