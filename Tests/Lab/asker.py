#!/usr/bin/env python3
"""Asks for names that are there, from one container of each host, all the time.

asker.py RATE FILE   FILE is JSON: {host: {"netns": path, "questions": [[name, type, [data...] or null], ...]}}. null: any data will do.
Reads commands from standard input, a line of JSON each, and writes lines of JSON: {"kill": host, "pid": number} kills a process at a
moment when no question of this host is in its hands, {"stop": true} ends it. A question waits five
seconds, as the C library's does.
"""

import collections
import ctypes
import json
import os
import select
import signal
import socket
import sys
import threading
import time

import wire

PATIENCE = 5.0
rate = float(sys.argv[1])
with open(sys.argv[2]) as file:
    hosts = json.load(file)
libc = ctypes.CDLL(None, use_errno=True)


class Asker:
    """What one host is asked."""

    def __init__(self, name, netns, questions, start):
        self.name, self.questions, self.start = name, questions, start
        self.waiting, self.asked, self.kills = {}, 0, collections.deque()
        self.next = start

        def enter():
            with open(netns) as file:
                assert libc.setns(file.fileno(), 0x40000000) == 0
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.connect(("127.0.0.11", 53))
            self.socket.setblocking(False)
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()

    def fault(self, sent, what, question):
        say(fault=what, host=self.name, question=question[:2], sent=sent, time=time.monotonic())

    def turn(self, now):
        if self.kills and not self.waiting:
            pid = self.kills.popleft()
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            say(killed=pid)
        for number, (sent, question) in list(self.waiting.items()):
            if now > sent + PATIENCE:
                del self.waiting[number]
                self.fault(sent, "silence", question)
        if now >= self.next and not self.kills:
            question = self.questions[self.asked % len(self.questions)]
            self.asked += 1
            self.next = max(self.next + 1 / rate, now - 0.5)
            number = self.asked & 0xFFFF
            try:
                self.socket.send(wire.question(number, *question[:2]))
            except OSError as error:
                return self.fault(now, str(error), question)
            self.waiting[number] = (now, question)

    def receive(self):
        try:
            number, code, data = wire.answer(self.socket.recv(1 << 16))
        except OSError as error:
            return say(fault=str(error), host=self.name, question=["", 0], sent=time.monotonic(), time=time.monotonic())
        if (entry := self.waiting.pop(number, None)) is None:
            return
        sent, question = entry
        longest[0] = max(longest[0], time.monotonic() - sent)
        if code or not data:
            self.fault(sent, "response code %d, %d answers" % (code, len(data)), question)
        elif question[2] is not None and data != question[2]:
            self.fault(sent, "wrong: %s" % data, question)


def say(**fields):
    print(json.dumps(fields), flush=True)


longest = [0.0]
start = time.monotonic()
askers = {name: Asker(name, host["netns"], host["questions"], start + index / rate / len(hosts)) for index, (name, host) in
          enumerate(hosts.items())}
poll = select.epoll()
by_descriptor = {asker.socket.fileno(): asker for asker in askers.values()}
for descriptor in [0, *by_descriptor]:
    poll.register(descriptor, select.EPOLLIN)
rest, is_ended = b"", False
while not is_ended or any(asker.waiting for asker in askers.values()):
    for descriptor, _ in poll.poll(0.004):
        if descriptor in by_descriptor:
            by_descriptor[descriptor].receive()
            continue
        octets = os.read(0, 1 << 16)
        is_ended = is_ended or not octets
        if not octets:
            poll.unregister(0)
        *lines, rest = (rest + octets).split(b"\n")
        for line in map(json.loads, lines):
            if "kill" in line:
                askers[line["kill"]].kills.append(line["pid"])
            elif "stop" in line:
                is_ended = True
    now = time.monotonic()
    for asker in askers.values():
        if is_ended:
            asker.next = float("inf")
        asker.turn(now)
say(asked=sum(asker.asked for asker in askers.values()), longest=longest[0])
