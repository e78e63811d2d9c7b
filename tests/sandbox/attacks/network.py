"""Reaching the host or the world over a socket."""

from __future__ import annotations

import socket
from pathlib import Path

from .system import Facts, call


def tcp_to_host(host: Facts) -> bool:
    with socket.create_connection(("127.0.0.1", host["tcp_port"]), timeout=2) as link:
        link.sendall(b"hello")
    return True


def udp_to_host(host: Facts) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect(("127.0.0.1", host["udp_port"]))
        return link.send(b"hello") == 0  # whether it arrived is for the host to say


def tcp_to_the_internet(_: Facts) -> bool:
    socket.create_connection(("1.1.1.1", 53), timeout=2).close()
    return True


def tcp6_to_the_internet(_: Facts) -> bool:
    socket.create_connection(("2606:4700:4700::1111", 53), timeout=2).close()
    return True


def resolve_a_name(_: Facts) -> bool:
    return bool(socket.getaddrinfo("example.com", 80))


def abstract_socket_of_host(host: Facts) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect("\0" + host["abstract_name"])
    return True


def path_socket_of_host(host: Facts) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(host["socket_path"])
    return True


def vsock_to_hypervisor(_: Facts) -> bool:
    with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as link:
        link.settimeout(1)
        link.connect_ex((2, 1))
    return True


def packet_socket(_: Facts) -> bool:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    return True


def netlink_socket(_: Facts) -> bool:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()
    return True


def join_network_of_process_1(_: Facts) -> bool:
    with Path("/proc/1/ns/net").open("rb") as namespace:
        call("setns", namespace.fileno(), 0)
    return True
