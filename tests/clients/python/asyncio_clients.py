"""Any number of socketio.AsyncClient, driven through wire.py."""

import asyncio
import sys
import threading

import socketio

import wire

clients = {}


async def perform(command):
    name = command["client"]
    if command["do"] == "connect":
        sio = clients[name] = socketio.AsyncClient(**wire.RECONNECTION)
        wire.listen(sio, name)
        await sio.connect(
            command["url"], auth=command["auth"], transports=command["transports"], wait_timeout=10
        )
        wire.answer(command)
    elif command["do"] == "request":
        await clients[name].emit(
            command["event"], command["payload"], callback=lambda result: wire.answer(command, result)
        )
    elif command["do"] == "connection":
        wire.answer(command, wire.connection(clients[name]))
    elif command["do"] == "close":
        sio = clients.pop(name)
        # A reconnection that is under way goes on otherwise.
        await sio.shutdown()
        wire.answer(command)


async def answered(command):
    try:
        await perform(command)
    except Exception as error:
        wire.fail(command, error)


async def main():
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    def read():
        for command in wire.commands():
            loop.call_soon_threadsafe(queue.put_nowait, command)
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    tasks = set()
    while (command := await queue.get()) is not None:
        task = asyncio.create_task(answered(command))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    sys.exit(0)


asyncio.run(main())
