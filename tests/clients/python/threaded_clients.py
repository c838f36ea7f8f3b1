"""Any number of socketio.Client, each with threads of its own, driven through wire.py."""

import os
import threading

import socketio

import wire

clients = {}


def perform(command):
    name = command["client"]
    if command["do"] == "connect":
        sio = clients[name] = socketio.Client(handle_sigint=False, **wire.RECONNECTION)
        wire.listen(sio, name)
        sio.connect(command["url"], auth=command["auth"], transports=command["transports"], wait_timeout=10)
        wire.answer(command)
    elif command["do"] == "request":
        clients[name].emit(
            command["event"], command["payload"], callback=lambda result: wire.answer(command, result)
        )
    elif command["do"] == "connection":
        wire.answer(command, wire.connection(clients[name]))
    elif command["do"] == "close":
        sio = clients.pop(name)
        # A reconnection that is under way goes on otherwise.
        sio.shutdown()
        wire.answer(command)


def answered(command):
    try:
        perform(command)
    except Exception as error:
        wire.fail(command, error)


for command in wire.commands():
    threading.Thread(target=answered, args=(command,), daemon=True).start()
# The threads of clients that are still open would keep the process.
os._exit(0)
