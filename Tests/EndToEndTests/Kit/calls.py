# Calls of the control socket on one connection: reads lines "METHOD JSON", and prints the parameters of each reply as JSON, or
# the name of the error and its message.

import json
import socket
import sys


def main(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(60)
    connection.connect(path)
    for line in sys.stdin:
        method, _, parameters = line.strip().partition(" ")
        call = {"method": "intercom.Control." + method, "parameters": json.loads(parameters or "{}")}
        connection.sendall(json.dumps(call).encode() + b"\0")
        reply = b""
        while not reply.endswith(b"\0"):
            octets = connection.recv(65536)
            if not octets:
                print("closed")
                return
            reply += octets
        reply = json.loads(reply[:-1])
        if "error" in reply:
            print(reply["error"].split(".")[-1], reply["parameters"].get("message", reply["parameters"]))
        else:
            print(json.dumps(reply.get("parameters", {}), sort_keys=True))


main(sys.argv[1])
