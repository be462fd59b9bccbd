"""Answers over TCP and UDP at a port of all addresses, IPv4 and IPv6, with what came: echo.py PORT."""

import socket
import sys
import threading

port = int(sys.argv[1])


def serve_udp(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((address, port))
        while True:
            data, peer = server.recvfrom(2048)
            server.sendto(data, peer)


def serve_client(client):
    with client:
        while data := client.recv(2048):
            client.sendall(data)


def serve_tcp(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as server:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen(128)
        while True:
            client, _ = server.accept()
            threading.Thread(target=serve_client, args=(client,), daemon=True).start()


threads = [
    threading.Thread(target=serve, args=(family, address))
    for serve in (serve_udp, serve_tcp)
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
]
for thread in threads:
    thread.start()
print("ready", flush=True)
