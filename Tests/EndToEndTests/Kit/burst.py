"""Asks for one name after another and connects to each address as soon as it is told: burst.py COUNT SPREAD.

Names are 10-50-X-Y.many.example, of SPREAD addresses. Prints failures, and microseconds of the first answers about an address and of later
ones: median and 99th percentile.
"""

import socket
import struct
import sys
import time

count, spread = int(sys.argv[1]), int(sys.argv[2])
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(5)
asker.connect(("127.0.0.11", 53))
seen, first, later, failures = set(), [], [], {}


def name(number):
    label = b"10-50-%d-%d" % (number >> 8 & 255, number & 255)
    return b"".join(bytes([len(part)]) + part for part in (label, b"many", b"example")) + b"\0"


for turn in range(count):
    number = turn * 7919 % spread
    query = struct.pack("!HHHHHH", turn & 0xFFFF, 0x0100, 1, 0, 0, 0) + name(number) + b"\0\1\0\1"
    began = time.perf_counter()
    asker.send(query)
    reply = asker.recv(512)
    took = (time.perf_counter() - began) * 1e6
    if reply[3] & 15 or not reply[7]:
        failures["answer %d" % (reply[3] & 15)] = failures.get("answer %d" % (reply[3] & 15), 0) + 1
        continue
    (later if number in seen else first).append(took)
    seen.add(number)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        # Reset at the end: no port waits for a minute.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            client.connect((socket.inet_ntoa(reply[-4:]), 80))
        except OSError as error:
            failures[str(error)] = failures.get(str(error), 0) + 1


def line(times):
    times.sort()
    return "%d of %d" % (times[len(times) // 2], times[len(times) * 99 // 100]) if times else "none"


print("failures", failures or "none")
print("first", line(first), "later", line(later))
