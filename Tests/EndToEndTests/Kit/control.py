#!/usr/bin/env python3
"""A control socket that takes down every call: control.py SOCKET FILE [MODE]

Each call is a line of JSON in FILE: method and parameters. MODE refuse:TEXT refuses each call in whose parameters TEXT stands; hang
answers nothing; old knows no such method; closing ends each connection behind its first reply.
"""

import json
import socket
import sys
import threading
import time


def serve(sock, record, mode):
    pending = b""
    while True:
        octets = sock.recv(1 << 20)
        if not octets:
            return
        pending += octets
        while b"\0" in pending:
            message, pending = pending.split(b"\0", 1)
            call = json.loads(message)
            if mode == "hang":
                time.sleep(3600)
            if mode == "old":
                reply = {"error": "org.varlink.service.MethodNotFound", "parameters": {"method": call["method"]}}
            elif mode.startswith("refuse:") and mode.split(":")[1] in json.dumps(call["parameters"]):
                reply = {"error": "intercom.Control.InvalidValue", "parameters": {"message": "bad value"}}
            else:
                reply = {"parameters": {}}
                record.write(json.dumps({"method": call["method"].split(".")[-1], **call["parameters"]}) + "\n")
                record.flush()
            sock.sendall(json.dumps(reply).encode() + b"\0")
            if mode == "closing":
                sock.close()
                return


def main():
    path, file, mode = (sys.argv[1:] + [""])[:3]
    record = open(file, "a")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], record, mode), daemon=True).start()


main()
