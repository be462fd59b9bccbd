"""Asks 127.0.0.11 messages that are given as octets.

Each line of input is a transport (udp, tcp), what is expected (answer, nothing) and a message in hexadecimal; each line of
output is the answer, or "-" where none came. Where nothing is expected, a question behind the message tells when it has
been passed over: what is asked on one socket is looked at in its order.
"""

import socket
import struct
import sys

SERVER = ("127.0.0.11", 53)
BEHIND = bytes.fromhex("ffff01000001000000000000096c6f63616c686f73740000010001")
SECONDS = 6


def frame(message):
    return struct.pack("!H", len(message)) + message


def read(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def receive(connection, transport):
    if transport == "udp":
        return connection.recv(65535)
    length, = struct.unpack("!H", read(connection, 2))
    return read(connection, length)


def ask(transport, expected, message):
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    messages = [message] if expected == "answer" else [message, BEHIND]
    with socket.socket(socket.AF_INET, kind) as connection:
        connection.settimeout(SECONDS)
        connection.connect(SERVER)
        for octets in messages:
            connection.sendall(octets if transport == "udp" else frame(octets))
        try:
            answer = receive(connection, transport)
        except (EOFError, OSError):
            return None
        return None if expected == "nothing" and answer[:2] == BEHIND[:2] else answer


for line in sys.stdin:
    transport, expected, octets = line.split()
    answer = ask(transport, expected, bytes.fromhex(octets))
    print(answer.hex() if answer else "-", flush=True)
